variable "bucket" {
  description = "The bucket, as its aws_s3_bucket resource."
  type = object({
    id  = string
    arn = string
  })
}

variable "kms_key_arn" {
  description = "Key that encrypts what is written. Null means S3's own (AES256): load balancers can deliver access logs to no other."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not of an alias, or null; got \"${coalesce(var.kms_key_arn, "null")}\"."
  }
}

variable "source_policy_documents" {
  description = "Policy documents (JSON) that the bucket's policy holds besides \"TLS only\". No two statements may share a Sid, and none may be called TlsOnly."
  type        = list(string)
  default     = []
}

variable "noncurrent_days" {
  description = "Days for which what was overwritten or deleted can be had back."
  type        = number

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days must be a whole number from 1; got ${var.noncurrent_days}."
  }
}

variable "expiration_days" {
  description = "Days after which an object is deleted. Null means that it stays."
  type        = number
  default     = null

  validation {
    condition     = var.expiration_days == null || try(var.expiration_days >= 1 && floor(var.expiration_days) == var.expiration_days, false)
    error_message = "expiration_days must be a whole number from 1, or null; got ${coalesce(var.expiration_days, 0)}."
  }
}

variable "abort_upload_days" {
  description = "Days after which the parts of an unfinished upload are thrown away."
  type        = number
  default     = 7

  validation {
    condition     = var.abort_upload_days >= 1 && floor(var.abort_upload_days) == var.abort_upload_days
    error_message = "abort_upload_days must be a whole number from 1; got ${var.abort_upload_days}."
  }
}
