# The person (or laptop) that deploys. What this user holds for good may do two things only: register its own second
# factor, and, with it, become the deployer role for an hour. Its access key is made outside Terraform: a state must
# never hold one.
resource "aws_iam_user" "deployer" {
  #checkov:skip=CKV_AWS_273:The user may only become a role, with a second factor (docs/decisions/0010); not every account has Identity Center.

  name = "lyceum-deployer"

  # The key and the second factor are made outside Terraform and would otherwise keep the user from being destroyed.
  force_destroy = true
}

# Rights hang on the group, so that a second person is one membership more.
resource "aws_iam_group" "deployers" {
  name = "lyceum-deployers"
}

resource "aws_iam_user_group_membership" "deployer" {
  user   = aws_iam_user.deployer.name
  groups = [aws_iam_group.deployers.name]
}

resource "aws_iam_group_policy" "become_the_deployer" {
  name   = "become-the-deployer"
  group  = aws_iam_group.deployers.name
  policy = data.aws_iam_policy_document.become_the_deployer.json
}

data "aws_iam_policy_document" "become_the_deployer" {
  statement {
    sid       = "AssumeWithSecondFactor"
    actions   = ["sts:AssumeRole"]
    resources = [aws_iam_role.deployer.arn]

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }

  # Without a second factor, because whoever needs one to register one can never begin. Replacing or removing a
  # registered device is not allowed here: a stolen key must not be able to swap it.
  statement {
    sid     = "RegisterOwnSecondFactor"
    actions = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"]
    resources = [
      "arn:${local.partition}:iam::${local.account}:mfa/$${aws:username}*",
      "arn:${local.partition}:iam::${local.account}:user/$${aws:username}",
    ]
  }
}
