# What Terraform runs as when it applies infra/platform, from a laptop or from the pipeline. Never an administrator:
# each right is for what the modules make, and nothing it makes can exceed the boundary.
resource "aws_iam_role" "deployer" {
  name                 = "lyceum-deployer"
  description          = "Applies infra/platform"
  assume_role_policy   = data.aws_iam_policy_document.deployer_trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "deployer_trust" {
  statement {
    sid     = "DeployersWithSecondFactor"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.deployer.arn]
    }

    # Again here, so that no later policy on the user's side can leave the second factor out.
    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}

# One policy a concern: a managed policy holds 6,144 characters, a role ten of them.
resource "aws_iam_policy" "deployer" {
  for_each = local.deployer_policies

  name        = "lyceum-deployer-${each.key}"
  description = "What the deployer needs for ${each.key}"
  policy      = each.value
}

resource "aws_iam_role_policy_attachment" "deployer" {
  for_each = local.deployer_policies

  role       = aws_iam_role.deployer.name
  policy_arn = aws_iam_policy.deployer[each.key].arn
}

locals {
  deployer_policies = {
    state      = data.aws_iam_policy_document.deployer_state.json
    network    = data.aws_iam_policy_document.deployer_network.json
    data       = data.aws_iam_policy_document.deployer_data.json
    keys       = data.aws_iam_policy_document.deployer_keys.json
    identity   = data.aws_iam_policy_document.deployer_identity.json
    backup     = data.aws_iam_policy_document.deployer_backup.json
    edge       = data.aws_iam_policy_document.deployer_edge.json
    compute    = data.aws_iam_policy_document.deployer_compute.json
    operations = data.aws_iam_policy_document.deployer_operations.json
  }
}
