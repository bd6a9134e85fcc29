variable "name" {
  description = "Name of the configuration set, as lyceum-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 64 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "domain" {
  description = "The name in which letters are sent, as learn.example.org, and the Route 53 zone that keeps it."
  type = object({
    name    = string
    zone_id = string
  })

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain.name))
    error_message = "domain.name must be a name in small letters without a dot at its end, as learn.example.org; got \"${var.domain.name}\"."
  }

  validation {
    condition     = can(regex("^[A-Z0-9]{1,32}$", var.domain.zone_id))
    error_message = "domain.zone_id must be the id of a Route 53 zone, as Z0123456789ABCDEFGHIJ; got \"${var.domain.zone_id}\"."
  }
}

variable "sender" {
  description = "Who sends, before the @."
  type        = string
  default     = "no-reply"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$", var.sender))
    error_message = "sender must be small letters, digits and . _ -, as no-reply; got \"${var.sender}\"."
  }
}

variable "dmarc_policy" {
  description = "What others do with a letter in the domain's name that nothing speaks for: none, quarantine or reject."
  type        = string
  default     = "quarantine"

  validation {
    condition     = contains(["none", "quarantine", "reject"], var.dmarc_policy)
    error_message = "dmarc_policy must be \"none\", \"quarantine\" or \"reject\"; got \"${var.dmarc_policy}\"."
  }
}
