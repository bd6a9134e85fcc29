mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  bucket          = { id = "lyceum-test-things-123456789012", arn = "arn:aws:s3:::lyceum-test-things-123456789012" }
  kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  noncurrent_days = 28
}

run "nothing_is_public_and_lists_decide_nothing" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Nothing in the bucket is public."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "No access control list opens an object."
  }
}

run "whoever_comes_without_tls_is_refused_everything" {
  command = plan

  variables {
    source_policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Another\"}]}"]
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.this.statement : alltrue([
        statement.effect == "Deny",
        statement.actions == toset(["s3:*"]),
        statement.resources == toset([var.bucket.arn, "${var.bucket.arn}/*"]),
        one(statement.principals).identifiers == toset(["*"]),
        # No second condition: each further one would let somebody through.
        [for c in statement.condition : [c.test, c.variable, tolist(c.values)]] == [["Bool", "aws:SecureTransport", tolist(["false"])]],
      ])
    ])
    error_message = "Everybody, everything, bucket and objects, whenever TLS is missing."
  }

  assert {
    condition     = tolist(data.aws_iam_policy_document.this.source_policy_documents) == tolist(var.source_policy_documents)
    error_message = "The caller's policies are in it as well."
  }

  assert {
    condition     = aws_s3_bucket_policy.this.policy == data.aws_iam_policy_document.this.json
    error_message = "The bucket carries that policy."
  }
}

run "what_was_overwritten_can_be_had_back_and_what_is_broken_goes" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "Every version is kept."
  }

  assert {
    condition = alltrue([
      output.promises.noncurrent_days == 28,
      output.promises.abort_upload_days == 7,
      output.promises.expiration_days == null,
      aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].expired_object_delete_marker,
      aws_s3_bucket_lifecycle_configuration.this.rule[0].status == "Enabled",
    ])
    error_message = "28 days, broken uploads a week; objects stay, markers over nothing go."
  }
}

run "a_bucket_of_logs_ends_by_age" {
  command = plan

  variables {
    expiration_days = 90
  }

  assert {
    condition     = output.promises.expiration_days == 90
    error_message = "Ninety days."
  }
}

run "encrypted_with_the_given_key_and_few_requests_to_it" {
  command = plan

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    ]) && output.promises.kms_key_arn == var.kms_key_arn
    error_message = "The given key, through a bucket key."
  }
}

run "encrypted_without_a_key_too" {
  command = plan

  variables {
    kms_key_arn = null
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      !rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    ])
    error_message = "S3's own encryption, as load balancers need it."
  }
}

run "an_alias_is_no_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:alias/lyceum"
  }

  expect_failures = [var.kms_key_arn]
}

run "days_below_one_are_refused" {
  command = plan

  variables {
    noncurrent_days   = 0
    expiration_days   = 0
    abort_upload_days = 1.5
  }

  expect_failures = [var.noncurrent_days, var.expiration_days, var.abort_upload_days]
}
