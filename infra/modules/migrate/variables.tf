variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "environment" {
  description = "Name of the environment, for the log group."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the management tier."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups: those of the jobs."
  type        = list(string)
}

variable "database" {
  description = "Where the database answers, and the ARN of the secret in which AWS keeps the owner's password."
  type = object({
    address           = string
    port              = number
    name              = string
    master_secret_arn = string
  })
}

variable "application_secret_arn" {
  description = "ARN of the secret with the password of the servers' own role."
  type        = string
}

variable "secret_key_arns" {
  description = "ARNs of the keys that encrypt the two."
  type        = list(string)
}

variable "key_arn" {
  description = "ARN of the key of the environment's logs."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "ARN of the boundary that every role of an environment carries."
  type        = string
}

variable "image" {
  description = "Image of CodeBuild in which it runs; an Ubuntu."
  type        = string
  default     = "aws/codebuild/standard:7.0"
}

variable "log_retention_days" {
  description = "Days for which the logs of migrations are kept."
  type        = number
  default     = 90
}
