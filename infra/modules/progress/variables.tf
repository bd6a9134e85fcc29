variable "table_name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be 3 to 255 of letters, digits, _, . and -; got \"${var.table_name}\"."
  }
}

variable "protected" {
  description = "Whether the table refuses to be destroyed."
  type        = bool
  default     = true
}
