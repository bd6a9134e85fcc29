variable "environment" {
  description = "Name of the environment; part of every resource's name."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be \"dev\" or \"prod\"; got \"${var.environment}\"."
  }
}

variable "region" {
  description = "Region of the environment. It has to offer t2.micro."
  type        = string
  default     = "us-east-1"

  validation {
    condition = !contains([
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-west-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
    ], var.region)
    error_message = "region must be one that offers t2.micro; ${var.region} does not. us-east-1 and eu-west-1 do."
  }
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC. A quarter of it, less what is kept free, goes to each tier: /16 to /20."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = try(cidrsubnet(var.vpc_cidr, 0, 0) == var.vpc_cidr && tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "vpc_cidr must be an IPv4 range from /16 to /20 that starts at its first address, as 10.20.0.0/16; got \"${var.vpc_cidr}\"."
  }
}

variable "domain" {
  description = "Name under which learners reach the platform, and the Route 53 zone of it that the account has, as { name = \"learn.school.example\", zone = \"school.example\" }. Null: no certificate, plain HTTP for the operators' addresses only."
  type        = object({ name = string, zone = string })
  default     = null

  validation {
    condition     = var.domain == null || try(can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain.name)) && (var.domain.name == var.domain.zone || endswith(var.domain.name, ".${var.domain.zone}")), false)
    error_message = "domain.name must be a lower-case host name within domain.zone, as learn.school.example in school.example; got \"${try(var.domain.name, "")}\" in \"${try(var.domain.zone, "")}\"."
  }

  validation {
    condition     = var.environment != "prod" || var.domain != null
    error_message = "domain must be given in prod, as { name = \"learn.school.example\", zone = \"school.example\" }: what learners send is not sent unencrypted; got null."
  }
}

variable "operator_cidrs" {
  description = "IPv4 ranges of the operators, the only visitors of an environment without a domain; at most five."
  type        = list(string)
  default     = []

  validation {
    condition     = var.domain != null || length(var.operator_cidrs) > 0
    error_message = "operator_cidrs must name one to five IPv4 ranges, as 203.0.113.7/32, where no domain is given; got none."
  }

  validation {
    condition     = alltrue([for cidr in var.operator_cidrs : try(cidrsubnet(cidr, 0, 0) == cidr && tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "operator_cidrs must be IPv4 ranges from /16 to /32 that start at their first address, as 203.0.113.7/32; wider is no operator. Got ${join(", ", var.operator_cidrs)}."
  }

  validation {
    condition     = length(var.operator_cidrs) <= 5 && length(distinct(var.operator_cidrs)) == length(var.operator_cidrs)
    error_message = "operator_cidrs must be at most five different ranges; got ${length(var.operator_cidrs)}: ${join(", ", var.operator_cidrs)}."
  }

  # Both are cut down to the shorter of the two prefixes: ranges overlap exactly when they are then the same.
  validation {
    condition = alltrue([for cidr in var.operator_cidrs : try(
      cidrsubnet("${cidrhost(cidr, 0)}/${min(split("/", cidr)[1], split("/", var.vpc_cidr)[1])}", 0, 0)
      != cidrsubnet("${cidrhost(var.vpc_cidr, 0)}/${min(split("/", cidr)[1], split("/", var.vpc_cidr)[1])}", 0, 0),
      true
    )])
    error_message = "operator_cidrs must not overlap vpc_cidr ${var.vpc_cidr}; got ${join(", ", var.operator_cidrs)}."
  }
}

variable "nat" {
  description = "NAT gateways: \"one\" (cheaper, one zone's loss cuts the way out), \"per_zone\", or \"none\" where interface_endpoints replace them, which costs more and lets nothing out to the internet."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat)
    error_message = "nat must be \"none\", \"one\" or \"per_zone\"; got \"${var.nat}\"."
  }

  validation {
    condition     = var.nat != "none" || length(setsubtract(local.needed_without_nat, var.interface_endpoints)) == 0
    error_message = "nat can be \"none\" only where interface_endpoints names ${join(", ", local.needed_without_nat)}; got \"none\" without ${join(", ", setsubtract(local.needed_without_nat, var.interface_endpoints))}."
  }
}

variable "interface_endpoints" {
  description = "Services that get an interface endpoint, about $7.30 a month each and zone, by AWS's short names: those in flows.tf."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.interface_endpoints, keys(local.endpoint_services))) == 0
    error_message = "interface_endpoints must be among ${join(", ", keys(local.endpoint_services))}; got ${join(", ", var.interface_endpoints)}."
  }
}

variable "database" {
  description = "RDS PostgreSQL: instance class, whether a standby waits in the other zone, storage in GiB."
  type = object({
    instance_class = optional(string, "db.t4g.micro")
    multi_az       = optional(bool, false)
    storage_gib    = optional(number, 20)
  })
  default = {}

  validation {
    condition     = var.database.storage_gib >= 20 && var.database.storage_gib <= 16384
    error_message = "database.storage_gib must be 20 to 16384; got ${var.database.storage_gib}."
  }
}

variable "protected" {
  description = "Whether data refuses to be destroyed: deletion protection, buckets that must be empty, a final snapshot."
  type        = bool
  default     = true
}

variable "origins" {
  description = "Where browsers meet the platform, as https://learn.example: these may upload straight to the bucket."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.origins : can(regex("^https?://[^/*]+(:(\\*|[0-9]+))?$", origin))])
    error_message = "origins must look like https://learn.example, without a path; got ${join(", ", var.origins)}."
  }
}

variable "servers" {
  description = "The app servers: instance type, and the least and the most of them."
  type = object({
    instance_type = optional(string, "t2.micro")
    min           = optional(number, 1)
    max           = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.servers.min >= 1 && var.servers.min <= var.servers.max && var.servers.max >= 2 && var.servers.max <= 10
    error_message = "servers.min must be 1 to servers.max, and servers.max 2 to 10; got min ${var.servers.min}, max ${var.servers.max}."
  }
}

variable "alarm_email" {
  description = "Address that hears of this environment's alarms. No default: an alarm that nobody reads is none."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:].]+(\\.[^@[:space:].]+)+$", var.alarm_email))
    error_message = "alarm_email must be an address as operator@example.org; got \"${var.alarm_email}\"."
  }
}

variable "flow_log_traffic" {
  description = "What the VPC's flow log tells of: \"ALL\" or, cheaper, only what was refused: \"REJECT\"."
  type        = string
  default     = "ALL"

  validation {
    condition     = contains(["ALL", "REJECT"], var.flow_log_traffic)
    error_message = "flow_log_traffic must be \"ALL\" or \"REJECT\"; got \"${var.flow_log_traffic}\"."
  }
}

variable "secrets_edition" {
  description = "Edition of the secrets that Terraform makes. One more rotates all of them."
  type        = number
  default     = 1

  validation {
    condition     = var.secrets_edition >= 1 && floor(var.secrets_edition) == var.secrets_edition
    error_message = "secrets_edition must be a whole number from 1; got ${var.secrets_edition}."
  }
}

variable "session_retention_days" {
  description = "Days that operators' sessions on the bastion can be looked up."
  type        = number
  default     = 90

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.session_retention_days,
    )
    error_message = "session_retention_days must be one that CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653); got ${var.session_retention_days}."
  }
}

variable "backup_retention_days" {
  description = "Days that each weekly recovery point is kept; 28 are four of them."
  type        = number
  default     = 28

  validation {
    condition     = var.backup_retention_days >= 28 && var.backup_retention_days <= 365 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days must be a whole number from 28, four weeks, to 365; got ${var.backup_retention_days}."
  }
}

variable "migration_image" {
  description = "Image of CodeBuild in which the database is migrated; an Ubuntu, as the pipeline's own."
  type        = string
  default     = "aws/codebuild/standard:7.0"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$", var.migration_image))
    error_message = "migration_image must be the name of an image, as aws/codebuild/standard:7.0; got \"${var.migration_image}\"."
  }
}

variable "rate_limit" {
  description = "Requests that one address may make in five minutes. A whole school may come from one."
  type        = number
  default     = 4000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000
    error_message = "rate_limit must be 100 to 2000000; got ${var.rate_limit}."
  }
}

variable "build_dir" {
  description = "Folder of the Lambda archives, which the tool builds before each plan; below this root, so that its name is the same everywhere."
  type        = string
  default     = ".build"
}
