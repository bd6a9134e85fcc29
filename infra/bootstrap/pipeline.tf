# The pipeline, once somebody says which repository it delivers. It can deploy whatever it is told to, so that only an
# administrator changes it: neither the deployer nor a commit can (docs/decisions/0022).
module "pipeline" {
  source = "../modules/pipeline"
  count  = var.pipeline == null ? 0 : 1

  repository           = var.pipeline.repository
  branch               = var.pipeline.branch
  tags                 = var.pipeline.tags
  connected            = var.pipeline.connected
  image                = var.pipeline.image
  environments         = var.pipeline.environments
  alarm_email          = var.alarm_email
  deployer_policy_arns = { for concern, policy in aws_iam_policy.deployer : concern => policy.arn }
}
