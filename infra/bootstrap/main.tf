# What an account has once, applied by its administrator. The state is local at first: the bucket it belongs into is
# made here, and the tool then moves it there (docs/decisions/0006).
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project   = "lyceum"
      ManagedBy = "terraform"
      Root      = "bootstrap"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
