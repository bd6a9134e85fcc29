mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  bucket_name = "lyceum-test-content-123456789012"
}

run "private_kept_and_not_destroyed_with_its_contents" {
  command = plan

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A full bucket refuses to be destroyed unless that is asked for."
  }

  assert {
    condition     = module.private.promises.kms_key_arn == aws_kms_key.content.arn
    error_message = "Encrypted with its own key."
  }

  assert {
    condition     = module.private.promises.noncurrent_days == 28 && module.private.promises.expiration_days == null
    error_message = "A file that was overwritten can be had back as long as a weekly backup; none goes by itself."
  }

  assert {
    condition     = module.private.promises.abort_upload_days == 2
    error_message = "The parts of a broken upload go after two days."
  }

  assert {
    condition     = output.bucket == module.private.id
    error_message = "Whoever is told the bucket's name gets it once the bucket is private."
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

  assert {
    condition = alltrue([
      contains(one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).allowed_methods, "PUT"),
      contains(one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).allowed_headers, "content-type"),
      contains(one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).allowed_headers, "x-amz-*"),
      contains(one(aws_s3_bucket_cors_configuration.platform[0].cors_rule).expose_headers, "ETag"),
    ])
    error_message = "An upload in parts sends its type and checksums, and reads the tag of each part."
  }
}

run "everyones_pages_are_refused" {
  command = plan

  variables {
    origins = ["*"]
  }

  expect_failures = [var.origins]
}
