# Bucket, key and region come from the tool (-backend-config): they differ by account and environment.
terraform {
  backend "s3" {}
}
