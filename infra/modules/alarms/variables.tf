variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 40 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "alarm_email" {
  description = "Address that hears of every alarm. No default: an alarm that nobody reads is none."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:].]+(\\.[^@[:space:].]+)+$", var.alarm_email))
    error_message = "alarm_email must be an address as operator@example.org; got \"${var.alarm_email}\"."
  }
}

variable "load_balancer_arn_suffix" {
  description = "The load balancer as its metrics name it: app/<name>/<id>."
  type        = string
}

variable "target_group_arn_suffix" {
  description = "The target group as its metrics name it: targetgroup/<name>/<id>."
  type        = string
}

variable "group_name" {
  description = "Name of the servers' Auto Scaling group, which must report its metrics (GroupInServiceInstances)."
  type        = string
}

variable "group_max" {
  description = "How many servers the group may have."
  type        = number

  validation {
    condition     = var.group_max >= 1 && floor(var.group_max) == var.group_max
    error_message = "group_max must be a whole number from 1; got ${var.group_max}."
  }
}

variable "metrics_namespace" {
  description = "Namespace in which the servers report mem_used_percent and disk_used_percent by AutoScalingGroupName alone; errors and reports of progress in the application's log are counted there too, and the canary tells there."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9/_.-]*$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "metrics_namespace must be of letters, digits and /_.- and not AWS's own; got \"${var.metrics_namespace}\"."
  }
}

variable "application_log_group" {
  description = "Name of the log group of the platform: a JSON object a line, its level in `level`."
  type        = string
}

variable "database_identifier" {
  description = "Identifier of the database instance."
  type        = string
}

variable "table_name" {
  description = "Name of the table of course progress."
  type        = string
}

variable "file_system_id" {
  description = "Id of the file system of the files shared among students."
  type        = string
}

variable "backup_vault_name" {
  description = "Name of the vault into which the weekly backups go."
  type        = string
}

variable "purge_function_name" {
  description = "Name of the function that purges the logs every hour."
  type        = string
}

variable "canary" {
  description = "The function that asks for a page from outside, or null where there is none. An object, because its name may be unknown before it exists, and whether there is one must not be."
  type        = object({ function_name = string })
  default     = null
}

variable "certificate" {
  description = "The load balancer's certificate, or null without a domain. An object, because its ARN is unknown before it exists, and whether there is one must not be."
  type        = object({ arn = string })
  default     = null
}

variable "thresholds" {
  description = "Where alarms ring, for those that depend on the sizes an environment is given; why these values: table.tf."
  type = object({
    target_error_percent      = optional(number, 5)
    latency_seconds           = optional(number, 1)
    application_errors        = optional(number, 5)
    surplus_credits           = optional(number, 72)
    memory_percent            = optional(number, 90)
    release_memory_percent    = optional(number, 85)
    disk_percent              = optional(number, 80)
    database_cpu_percent      = optional(number, 80)
    database_connections      = optional(number, 80)
    database_free_storage_gib = optional(number, 1)
    database_free_memory_mib  = optional(number, 64)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for threshold in values(var.thresholds) : threshold > 0])
    error_message = "thresholds must be above 0; got ${jsonencode(var.thresholds)}."
  }

  validation {
    condition     = alltrue([for name, threshold in var.thresholds : threshold <= 100 if endswith(name, "_percent")])
    error_message = "thresholds in percent must be 100 at most; got ${jsonencode({ for name, threshold in var.thresholds : name => threshold if endswith(name, "_percent") })}."
  }
}
