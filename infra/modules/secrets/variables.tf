variable "name" {
  description = "Prefix of every name, as lyceum-dev."
  type        = string
}

variable "names" {
  description = "What is kept: the name of each secret and what it opens."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.names) : can(regex("^[a-z][a-z-]{1,40}$", name))])
    error_message = "names must be 2 to 41 of a-z and -, as secret-key; got ${join(", ", keys(var.names))}."
  }
}

variable "values" {
  description = "The value of each secret, made for this run alone; it reaches AWS and nothing else."
  type        = map(string)
  ephemeral   = true
  sensitive   = true
}

variable "edition" {
  description = "Number of the values' edition. One more writes new values into all of them: that rotates them."
  type        = number
  default     = 1

  validation {
    condition     = var.edition >= 1 && floor(var.edition) == var.edition
    error_message = "edition must be a whole number from 1; got ${var.edition}."
  }
}

variable "protected" {
  description = "Whether a deleted secret can be had back for 30 days; else it is gone at once and its name is free."
  type        = bool
  default     = true
}
