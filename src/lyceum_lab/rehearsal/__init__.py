"""The rehearsal: an emulated AWS, the real Terraform, and the platform standing on what it made."""
