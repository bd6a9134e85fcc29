variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "environment" {
  description = "Name of the environment: tag of every server, and part of its metrics' namespace."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the app tier, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2
    error_message = "subnet_ids must name a subnet in each of two zones; got ${length(var.subnet_ids)}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the servers."
  type        = list(string)
}

variable "target_group_arn" {
  description = "Target group of the load balancer in which the servers stand."
  type        = string
}

variable "instance_type" {
  description = "Type of the servers: burstable, so that unlimited credits keep the CPU target in reach."
  type        = string
  default     = "t2.micro"

  validation {
    condition     = can(regex("^t(2|3a?)\\.(nano|micro|small|medium|large|xlarge|2xlarge)$", var.instance_type))
    error_message = "instance_type must be a t2, t3 or t3a of x86-64, as t2.micro; got \"${var.instance_type}\"."
  }
}

variable "volume_gib" {
  description = "Size of a server's volume in GiB. It holds the system and two releases; data is kept elsewhere."
  type        = number
  default     = 8

  validation {
    condition     = var.volume_gib >= 8 && var.volume_gib <= 64 && floor(var.volume_gib) == var.volume_gib
    error_message = "volume_gib must be a whole number from 8, the size of the image, to 64; got ${var.volume_gib}."
  }
}

variable "size" {
  description = "Fewest and most servers. A maximum above 2 needs more connections to the database."
  type = object({
    min = optional(number, 1)
    max = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.size.min >= 1 && var.size.min <= var.size.max && floor(var.size.min) == var.size.min
    error_message = "size.min must be a whole number from 1 to size.max; got min ${var.size.min}, max ${var.size.max}."
  }

  validation {
    condition     = var.size.max <= 10 && floor(var.size.max) == var.size.max
    error_message = "size.max must be a whole number of at most 10; got ${var.size.max}."
  }

  # A release and a lost server both launch the new one first.
  validation {
    condition     = var.size.max >= 2
    error_message = "size.max must be at least 2, so that a server can be replaced without downtime; got ${var.size.max}."
  }
}

variable "scaling" {
  description = "Targets per server: CPU in percent, the memory of an idle server, memory above that in points, percent of these targets that one server alone may reach when the second goes, seconds until a new server counts."
  type = object({
    cpu_percent               = optional(number, 50)
    memory_idle_percent       = optional(number, 45)
    memory_percent_above_idle = optional(number, 25)
    hold_percent_of_target    = optional(number, 70)
    warm_up_seconds           = optional(number, 180)
  })
  default = {}

  validation {
    condition     = var.scaling.cpu_percent >= 20 && var.scaling.cpu_percent <= 80
    error_message = "scaling.cpu_percent must be 20 to 80; got ${var.scaling.cpu_percent}."
  }

  validation {
    condition     = var.scaling.memory_idle_percent >= 20 && var.scaling.memory_percent_above_idle >= 10 && var.scaling.memory_idle_percent + var.scaling.memory_percent_above_idle <= 85
    error_message = "scaling.memory_idle_percent must be at least 20, memory_percent_above_idle at least 10, and both together at most 85, or memory is gone before a server comes; got ${var.scaling.memory_idle_percent} and ${var.scaling.memory_percent_above_idle}."
  }

  validation {
    condition     = var.scaling.hold_percent_of_target >= 50 && var.scaling.hold_percent_of_target <= 90
    error_message = "scaling.hold_percent_of_target must be 50 to 90; got ${var.scaling.hold_percent_of_target}."
  }

  validation {
    condition     = var.scaling.warm_up_seconds >= 60 && var.scaling.warm_up_seconds <= 900
    error_message = "scaling.warm_up_seconds must be 60 to 900; got ${var.scaling.warm_up_seconds}."
  }
}

variable "health_check_grace_seconds" {
  description = "Seconds that a new server has to boot and install its release before the load balancer's verdict counts."
  type        = number
  default     = 300

  validation {
    condition     = var.health_check_grace_seconds >= 60 && var.health_check_grace_seconds <= 1800
    error_message = "health_check_grace_seconds must be 60 to 1800; got ${var.health_check_grace_seconds}."
  }
}

variable "max_lifetime_days" {
  description = "Days after which a server is replaced by a fresh one of the same version."
  type        = number
  default     = 14

  validation {
    condition     = var.max_lifetime_days >= 1 && var.max_lifetime_days <= 365
    error_message = "max_lifetime_days must be 1 to 365, the limits of Auto Scaling; got ${var.max_lifetime_days}."
  }
}

variable "settings" {
  description = "Settings of the platform by name, written to /etc/lyceum/settings.env. No secrets: whoever may describe the template reads them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "settings: a name must be capitals, digits and underscores, as CONTENT_URL; got ${join(", ", keys(var.settings))}."
  }

  # Read by systemd and by a shell, which must see the same. \x22 is the double quote and \x5C the backslash: written out,
  # checkov cannot read the file.
  validation {
    condition     = alltrue([for value in values(var.settings) : can(regex("^[^\\x22'`$\\x5C[:cntrl:]]*$", value))])
    error_message = "settings: a value must have no quotes, backslash, dollar sign, backtick or line break; got ${join(", ", [for name, value in var.settings : name if !can(regex("^[^\\x22'`$\\x5C[:cntrl:]]*$", value))])}."
  }
}

variable "access" {
  description = "What the servers' role may use: ARNs of the content bucket, the progress table, its secrets, its log groups, the file system and its access point; keys by the service that uses them (s3, dynamodb, secretsmanager); who the platform's mail is from, if it sends any."
  type = object({
    content_bucket_arn = string
    progress_table_arn = string
    secret_arns        = list(string)
    log_group_arns     = list(string)
    file_system_arn    = string
    access_point_arn   = string
    key_arns           = optional(map(list(string)), {})

    mail = optional(object({
      identity_arn          = string
      from_address          = string
      configuration_set_arn = optional(string)
    }))
  })

  validation {
    condition     = alltrue([for service in keys(var.access.key_arns) : contains(["s3", "dynamodb", "secretsmanager"], service)])
    error_message = "access.key_arns: a service must be s3, dynamodb or secretsmanager; got ${join(", ", keys(var.access.key_arns))}."
  }

  validation {
    condition     = !anytrue([for arn in concat(var.access.secret_arns, var.access.log_group_arns) : contains(["*", ""], arn)]) && length(var.access.secret_arns) > 0 && length(var.access.log_group_arns) > 0
    error_message = "access.secret_arns and access.log_group_arns must each name at least one resource, and none as \"*\"; got ${join(", ", concat(var.access.secret_arns, var.access.log_group_arns))}."
  }
}

variable "release_bucket" {
  description = "Name of the bucket that keeps the releases, <release>/lyceum.tar.gz each."
  type        = string
}

variable "user_data_template" {
  description = "Path of the template of the servers' user data; waiting_room.py lies beside it."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Boundary that the servers' role carries."
  type        = string
}
