locals {
  # By way of a local: a document that names a resource with pending changes directly is read only during the apply, and
  # the plan then says "(known after apply)" of the whole policy, whatever it is that changes on the bucket.
  releases = "${aws_s3_bucket.this.arn}/*"
}

# For everybody, the deployer, the pipeline and administrators included. Whoever may change the bucket's policy can still
# lift it, and rings the audit trail's alarm on bucket policies in doing so.
data "aws_iam_policy_document" "written_once" {
  # If-None-Match knows one value, "*": write this only if no such object exists. Without the header S3 would make the
  # new object the current version.
  statement {
    sid       = "NeverOverwrite"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = [local.releases]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }

    # Only what makes an object: starting an upload in parts and sending a part need s3:PutObject too and know no such
    # header. Its completion does.
    condition {
      test     = "Bool"
      variable = "s3:ObjectCreationOperation"
      values   = ["true"]
    }
  }

  # A deletion would leave a marker, and over a marker the header above lets anybody write.
  statement {
    sid       = "NeverDelete"
    effect    = "Deny"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = [local.releases]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
