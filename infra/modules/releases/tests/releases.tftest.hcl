mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  bucket_name = "lyceum-test-releases-123456789012"
}

run "a_release_is_written_once" {
  command = plan

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.written_once.statement : alltrue([
        statement.effect == "Deny",
        contains(statement.actions, "s3:PutObject"),
        statement.resources == toset(["${aws_s3_bucket.this.arn}/*"]),
        one(statement.principals).identifiers == toset(["*"]),
        # Exactly these: each further condition would let an overwrite through.
        toset([for c in statement.condition : join(" ", [c.test, c.variable, join(",", c.values)])])
        == toset(["Null s3:if-none-match true", "Bool s3:ObjectCreationOperation true"]),
      ])
    ])
    error_message = "Nobody makes an object without asking S3 whether it is there already."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.written_once.statement : alltrue([
        statement.effect == "Deny",
        length(setsubtract(["s3:DeleteObject", "s3:DeleteObjectVersion"], statement.actions)) == 0,
        statement.resources == toset(["${aws_s3_bucket.this.arn}/*"]),
        one(statement.principals).identifiers == toset(["*"]),
        length(statement.condition) == 0,
      ])
    ])
    error_message = "Nobody deletes a release, under no condition."
  }
}

run "the_bucket_carries_that_policy_and_keeps_what_it_holds" {
  command = plan

  override_data {
    target = data.aws_iam_policy_document.written_once
    values = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"WrittenOnce\"}]}" }
  }

  assert {
    condition     = tolist(module.private.promises.policy_documents) == tolist([data.aws_iam_policy_document.written_once.json])
    error_message = "The policy of the bucket holds what is written here."
  }

  assert {
    condition     = module.private.promises.kms_key_arn == aws_kms_key.releases.arn && aws_kms_key.releases.enable_key_rotation
    error_message = "Encrypted with a key of its own, which is rotated."
  }

  assert {
    condition     = module.private.promises.expiration_days == null && module.private.promises.noncurrent_days == 90
    error_message = "A release stays; what lost its place against the policy stays ninety days."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A bucket of releases is not destroyed with them unless that is asked for."
  }

  assert {
    condition     = output.bucket == module.private.id
    error_message = "Nobody learns the bucket's name before its policy holds."
  }
}

run "a_name_that_s3_refuses_is_refused_first" {
  command = plan

  variables {
    bucket_name = "Lyceum_Releases"
  }

  expect_failures = [var.bucket_name]
}
