variable "bucket_name" {
  description = "Name of the bucket, unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 of a-z, 0-9 and -; got \"${var.bucket_name}\"."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket destroys the releases in it."
  type        = bool
  default     = false
}
