mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }
}

variables {
  bucket_name = "lyceum-test-content-123456789012"
}

run "private_versioned_and_not_destroyed_with_its_contents" {
  command = plan

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A full bucket refuses to be destroyed unless that is asked for."
  }

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
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "A file that was overwritten can be had back."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.tls_only.statement).effect == "Deny"
    error_message = "Whoever comes without TLS is refused."
  }
}

run "a_name_that_s3_refuses_is_refused_first" {
  command = plan

  variables {
    bucket_name = "Lyceum_Content"
  }

  expect_failures = [var.bucket_name]
}

run "only_the_platforms_own_pages_use_the_bucket" {
  command = plan

  variables {
    origins = ["https://learn.example"]
  }

  assert {
    condition     = one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).allowed_origins == toset(["https://learn.example"])
    error_message = "The platform's origin, and no other."
  }

  assert {
    condition     = !contains(one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).allowed_methods, "DELETE")
    error_message = "A page reads and uploads; it deletes nothing."
  }
}

run "everyones_pages_are_refused" {
  command = plan

  variables {
    origins = ["*"]
  }

  expect_failures = [var.origins]
}
