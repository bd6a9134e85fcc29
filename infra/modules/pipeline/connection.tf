# GitHub lets AWS in by an app that a person installs: a new connection is PENDING until somebody completes it in the
# console. No token of GitHub's is ever kept here.
resource "aws_codeconnections_connection" "github" {
  name          = var.name
  provider_type = "GitHub"
}
