variable "name" {
  description = "Name of the load balancer and prefix of every other name, as lyceum-dev."
  type        = string

  # AWS takes 32 characters for a target group's name, and "-servers-" with the port are part of it.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 18 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "vpc_id" {
  description = "VPC of the servers."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the public tier, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must name a subnet in each of two zones; got ${length(var.subnet_ids)}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the load balancer. Without a domain they must let the operators in and nobody else."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "security_group_ids must name at least one: without any the VPC's default group would be taken."
  }
}

variable "domain" {
  description = "The platform's name, as learn.example.org, and the Route 53 zone that keeps it. null: no TLS, plain HTTP on port 80."
  type = object({
    name    = string
    zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain.name))
    error_message = "domain.name must be a name in small letters without a dot at its end, as learn.example.org; got \"${try(var.domain.name, "")}\"."
  }

  # A certificate's common name holds 64 characters.
  validation {
    condition     = var.domain == null || length(try(var.domain.name, "")) <= 64
    error_message = "domain.name must be at most 64 characters long; got ${length(try(var.domain.name, ""))}."
  }

  validation {
    condition     = var.domain == null || can(regex("^[A-Z0-9]{1,32}$", var.domain.zone_id))
    error_message = "domain.zone_id must be the id of a Route 53 zone, as Z0123456789ABCDEFGHIJ; got \"${try(var.domain.zone_id, "")}\"."
  }
}

variable "server_port" {
  description = "Port on which servers listen."
  type        = number
  default     = 8000

  validation {
    condition     = var.server_port >= 1024 && var.server_port <= 65535
    error_message = "server_port must be 1024 to 65535; got ${var.server_port}."
  }
}

variable "health_check" {
  description = "What tells a healthy server: path that answers 200, seconds between checks and for an answer, how many in a row count."
  type = object({
    path      = optional(string, "/healthz")
    interval  = optional(number, 10)
    timeout   = optional(number, 5)
    healthy   = optional(number, 2)
    unhealthy = optional(number, 3)
  })
  default = {}

  validation {
    condition     = startswith(var.health_check.path, "/")
    error_message = "health_check.path must begin with /; got \"${var.health_check.path}\"."
  }

  validation {
    condition     = var.health_check.interval >= 5 && var.health_check.interval <= 300
    error_message = "health_check.interval must be 5 to 300 seconds; got ${var.health_check.interval}."
  }

  validation {
    condition     = var.health_check.timeout >= 2 && var.health_check.timeout < var.health_check.interval
    error_message = "health_check.timeout must be at least 2 seconds and less than the interval of ${var.health_check.interval}; got ${var.health_check.timeout}."
  }

  validation {
    condition     = alltrue([for count in [var.health_check.healthy, var.health_check.unhealthy] : count >= 2 && count <= 10])
    error_message = "health_check.healthy and health_check.unhealthy must be 2 to 10; got ${var.health_check.healthy} and ${var.health_check.unhealthy}."
  }
}

variable "keep_alive_seconds" {
  description = "Seconds that a server keeps an idle connection open."
  type        = number
  default     = 75
}

variable "idle_timeout" {
  description = "Seconds that the load balancer keeps an idle connection open."
  type        = number
  default     = 60

  # Whoever closes first must be the load balancer: a request that meets a connection the server has just closed is
  # answered with 502.
  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout < var.keep_alive_seconds
    error_message = "idle_timeout must be at least 1 and less than keep_alive_seconds (${var.keep_alive_seconds}), or learners get 502; got ${var.idle_timeout}."
  }
}

variable "deregistration_delay" {
  description = "Seconds that a server signed out may finish its requests. A release waits this long for each server."
  type        = number
  default     = 30

  validation {
    condition     = var.deregistration_delay >= 5 && var.deregistration_delay <= 60
    error_message = "deregistration_delay must be 5 to 60 seconds; got ${var.deregistration_delay}."
  }
}

variable "protected" {
  description = "Whether the load balancer and its log refuse to be destroyed."
  type        = bool
}

variable "log_retention_days" {
  description = "Days that the access log is kept."
  type        = number
  default     = 90

  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 3650 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "log_retention_days must be whole days, 1 to 3650; got ${var.log_retention_days}."
  }
}
