mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_instance" {
    defaults = { arn = "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0" }
  }
}

override_resource {
  target          = aws_ssm_document.database
  override_during = plan
  values          = { arn = "arn:aws:ssm:us-east-1:123456789012:document/lyceum-test-database" }
}

override_resource {
  target          = aws_ssm_document.shell
  override_during = plan
  values          = { arn = "arn:aws:ssm:us-east-1:123456789012:document/lyceum-test-shell" }
}

variables {
  name                     = "lyceum-test"
  subnet_id                = "subnet-management"
  security_group_ids       = ["sg-bastion"]
  session_log_group        = { name = "/lyceum/test/sessions", arn = "arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/sessions" }
  key_arn                  = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"

  database = {
    address        = "lyceum-test.example.us-east-1.rds.amazonaws.com"
    arn            = "arn:aws:rds:us-east-1:123456789012:db:lyceum-test-database"
    secret_arn     = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lyceum-test-database-abcdef"
    secret_key_arn = "arn:aws:kms:us-east-1:123456789012:key/22222222-3333-4444-5555-666666666666"
  }
}

run "a_private_instance_without_keys" {
  command = plan

  assert {
    condition     = !aws_instance.this.associate_public_ip_address && toset(aws_instance.this.vpc_security_group_ids) == toset(["sg-bastion"]) && aws_instance.this.subnet_id == "subnet-management"
    error_message = "In the management tier, with the role's group alone, without a public address."
  }

  # The mocked provider would invent a name if nothing set one: what is written is what counts.
  assert {
    condition     = aws_instance.this.subnet_id == var.subnet_id && !can(regex("key_name|user_data|aws_security_group", file("main.tf")))
    error_message = "No key pair, no script, and no group of its own."
  }

  assert {
    condition     = one(aws_instance.this.metadata_options).http_tokens == "required" && one(aws_instance.this.metadata_options).http_put_response_hop_limit == 1
    error_message = "The metadata service wants a token, and answers only the instance itself."
  }

  assert {
    condition     = one(aws_instance.this.root_block_device).encrypted && one(aws_instance.this.root_block_device).kms_key_id == var.key_arn
    error_message = "The disk is encrypted with our key."
  }

  assert {
    condition     = data.aws_ssm_parameter.amazon_linux.name == "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    error_message = "Amazon Linux 2023 for the processor of the type."
  }

  # What its role may do.
  assert {
    condition = sort(distinct([for action in flatten([for statement in data.aws_iam_policy_document.sessions.statement : tolist(statement.actions)]) : split(":", action)[0]])) == tolist([
      "kms", "logs", "ssm", "ssmmessages"
    ])
    error_message = "Sessions, their log and its key, nothing else."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.sessions.statement : !contains(statement.resources, "*") if !contains(["BeReached", "FindTheGroup"], statement.sid)])
    error_message = "What can be narrowed is."
  }

  assert {
    condition     = aws_iam_role.bastion.name == "lyceum-test-bastion" && aws_iam_role.bastion.permissions_boundary == var.permissions_boundary_arn
    error_message = "Named by its environment, and within the boundary."
  }

  # What can be started on it.
  assert {
    condition     = jsondecode(aws_ssm_document.database.content).properties.host == "lyceum-test.example.us-east-1.rds.amazonaws.com" && jsondecode(aws_ssm_document.database.content).properties.portNumber == "5432"
    error_message = "The forward leads to the database."
  }

  assert {
    condition     = keys(jsondecode(aws_ssm_document.database.content).parameters) == ["localPortNumber"]
    error_message = "The operator chooses the port on their own machine, and nothing else."
  }

  assert {
    condition = jsonencode({
      for name, value in jsondecode(aws_ssm_document.shell.content).inputs : name => value
      if contains(["cloudWatchLogGroupName", "cloudWatchEncryptionEnabled", "cloudWatchStreamingEnabled", "idleSessionTimeout", "kmsKeyId", "runAsEnabled"], name)
      }) == jsonencode({
      cloudWatchLogGroupName      = "/lyceum/test/sessions"
      cloudWatchEncryptionEnabled = true
      cloudWatchStreamingEnabled  = true
      idleSessionTimeout          = "15"
      kmsKeyId                    = var.key_arn
      runAsEnabled                = false
    })
    error_message = "A shell is logged as it is typed, encrypted, ends when idle, and is nobody's own."
  }

  assert {
    condition = jsonencode({ for kind, document in data.aws_iam_policy_document.operator : kind => sort(flatten([for s in document.statement : tolist(s.resources) if contains(s.actions, "ssm:StartSession")])) }) == jsonencode({
      for kind in ["database", "shell"] : kind => ["arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0", "arn:aws:ssm:us-east-1:123456789012:document/lyceum-test-${kind}"]
    })
    error_message = "Each policy starts one document on this instance."
  }

  assert {
    condition = jsonencode({ for s in data.aws_iam_policy_document.operator["database"].statement : s.sid => tolist(s.resources) if contains(["FindTheDatabase", "OpenTheDatabase", "ReadThatSecret"], s.sid) }) == jsonencode({
      FindTheDatabase = ["arn:aws:rds:us-east-1:123456789012:db:lyceum-test-database"]
      OpenTheDatabase = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:lyceum-test-database-abcdef"]
      ReadThatSecret  = ["arn:aws:kms:us-east-1:123456789012:key/22222222-3333-4444-5555-666666666666"]
    })
    error_message = "The way to the database opens this one database, and no other secret."
  }

  assert {
    condition     = !anytrue([for s in data.aws_iam_policy_document.operator["shell"].statement : contains(["FindTheDatabase", "OpenTheDatabase"], s.sid)])
    error_message = "A shell opens no database."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.operator : document.statement[0].condition != null && one(document.statement[0].condition).variable == "ssm:SessionDocumentAccessCheck"])
    error_message = "The document is checked: without it AWS's own shell could be started."
  }
}

run "another_processor_another_image" {
  command = plan

  variables {
    instance_type = "t3.micro"
  }

  assert {
    condition     = endswith(data.aws_ssm_parameter.amazon_linux.name, "-x86_64")
    error_message = "t3 is x86-64."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    security_group_ids = []
    instance_type      = "m7i.48xlarge"
    idle_minutes       = 0
    longest_minutes    = 2000
  }

  expect_failures = [var.security_group_ids, var.instance_type, var.idle_minutes, var.longest_minutes]
}
