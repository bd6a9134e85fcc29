variable "name" {
  description = "Name of the web ACL and prefix of its metrics, as lyceum-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 64 of a-z, 0-9 and -; got \"${var.name}\"."
  }
}

variable "load_balancer_arn" {
  description = "ARN of the load balancer that it stands before."
  type        = string
}

variable "rate_limit" {
  description = "Requests that one address may make in five minutes. A whole class may sit behind one address."
  type        = number

  # A learner who watches a video makes some 40 in that time: a class of 30, with the pages they open, about 2,000.
  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000 && floor(var.rate_limit) == var.rate_limit
    error_message = "rate_limit must be a whole number of requests, 100 to 2000000; got ${var.rate_limit}."
  }
}

variable "large_body_paths" {
  description = "Beginnings of the paths where lessons are written, files uploaded and courses imported: rules about bodies only count there."
  type        = list(string)

  # No path at all would make a pattern that matches everything.
  validation {
    condition     = length(var.large_body_paths) > 0
    error_message = "large_body_paths must name at least one path, as /manage/."
  }

  validation {
    condition     = alltrue([for path in var.large_body_paths : can(regex(local.path_pattern, path))])
    error_message = "large_body_paths must each begin and end with / and hold letters, digits, dots, _ and - between, as /manage/; got ${join(", ", var.large_body_paths)}."
  }

  # AWS takes 512 characters a pattern.
  validation {
    condition     = length(join("|", [for path in var.large_body_paths : replace(path, ".", "\\.")])) <= 500
    error_message = "large_body_paths must be at most 500 characters long together; got ${length(join("|", var.large_body_paths))}."
  }
}

variable "log_group_arn" {
  description = "ARN of the log group, whose name must begin with aws-waf-logs-."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:logs:[^:]+:[0-9]{12}:log-group:aws-waf-logs-[^:]+$", var.log_group_arn))
    error_message = "log_group_arn must be a log group's whose name begins with aws-waf-logs- (WAF writes to no other), without :* at its end; got \"${var.log_group_arn}\"."
  }
}
