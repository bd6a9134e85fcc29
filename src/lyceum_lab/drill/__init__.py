"""The restore drill on one machine: the same drill as on AWS, on backups that can be looked at, and broken."""
