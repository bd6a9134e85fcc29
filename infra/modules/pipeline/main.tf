# From a commit to what the servers run: one pipeline, every environment in turn. What a stage does is in pipeline/*.yml
# of the repository, so that it changes with the code; who may do it is here, and changes by an administrator's hand.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # By name, so that a policy does not wait for what it speaks of.
  bucket_name  = "${var.name}-artifacts-${local.account}"
  topic_arn    = "arn:${local.partition}:sns:${local.region}:${local.account}:${var.name}"
  pipeline_arn = "arn:${local.partition}:codepipeline:${local.region}:${local.account}:${var.name}"
  environments = [for environment in var.environments : environment.name]

  release_buckets = [for name in local.environments : "arn:${local.partition}:s3:::lyceum-${name}-releases-${local.account}"]

  # Every project once. `reads` and `writes` are artifacts, beside the source that each of them reads.
  projects = {
    verify  = { about = "runs every suite that needs no root", compute = "BUILD_GENERAL1_MEDIUM", minutes = 45, reads = [], writes = [] }
    build   = { about = "makes the release's artifact", compute = "BUILD_GENERAL1_SMALL", minutes = 15, reads = [], writes = ["Release"] }
    plan    = { about = "plans an environment and changes nothing", compute = "BUILD_GENERAL1_SMALL", minutes = 20, reads = [], writes = ["Plan"] }
    apply   = { about = "does exactly what a plan says", compute = "BUILD_GENERAL1_SMALL", minutes = 90, reads = ["Plan"], writes = [] }
    publish = { about = "stores the artifact in an environment", compute = "BUILD_GENERAL1_SMALL", minutes = 15, reads = ["Release"], writes = [] }
    release = { about = "brings the servers to the release", compute = "BUILD_GENERAL1_SMALL", minutes = 60, reads = [], writes = [] }
    smoke   = { about = "asks whether what is live answers", compute = "BUILD_GENERAL1_SMALL", minutes = 15, reads = [], writes = [] }
  }
  # And the check of pull requests, which is no stage of the pipeline.
  builds = merge(local.projects, { check = {} })
}
