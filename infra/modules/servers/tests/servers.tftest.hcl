mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/lyceum-test-server" }
  }

  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  name               = "lyceum-test"
  environment        = "test"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  target_group_arn   = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lyceum-test/0123456789abcdef"
  release_bucket     = "lyceum-test-releases"
  user_data_template = "../../../instance/user-data.sh.tftpl"

  settings = {
    CONTENT_URL = "s3://lyceum-test-content"
  }

  access = {
    content_bucket_arn = "arn:aws:s3:::lyceum-test-content"
    progress_table_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/lyceum-test-progress"
    secret_arns        = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:lyceum-test-app-AbCdEf"]
    log_group_arns     = ["arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/system:*"]
    file_system_arn    = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1"
    access_point_arn   = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-1"

    key_arns = {
      s3             = ["arn:aws:kms:us-east-1:123456789012:key/1"]
      secretsmanager = []
    }
  }

  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/lyceum-boundary"
}

run "a_server_is_private_encrypted_and_reads_its_metadata_with_a_token" {
  command = plan

  assert {
    condition = alltrue([
      for options in aws_launch_template.server.metadata_options :
      options.http_tokens == "required" && options.http_put_response_hop_limit == 1 && options.instance_metadata_tags == "enabled"
    ]) && length(aws_launch_template.server.metadata_options) == 1
    error_message = "IMDSv2 only, one hop, with the tags in it."
  }

  assert {
    condition     = one(aws_launch_template.server.network_interfaces).associate_public_ip_address == "false" && toset(one(aws_launch_template.server.network_interfaces).security_groups) == toset(["sg-1"])
    error_message = "No public address, and the security groups given."
  }

  assert {
    condition     = one(one(aws_launch_template.server.block_device_mappings).ebs).encrypted == "true" && one(one(aws_launch_template.server.block_device_mappings).ebs).kms_key_id == aws_kms_key.volumes.arn && one(one(aws_launch_template.server.block_device_mappings).ebs).volume_type == "gp3"
    error_message = "An encrypted gp3 volume, under the module's own key."
  }

  assert {
    condition     = aws_launch_template.server.instance_type == "t2.micro" && one(aws_launch_template.server.credit_specification).cpu_credits == "unlimited" && one(aws_launch_template.server.monitoring).enabled
    error_message = "t2.micro with unlimited credits, measured every minute."
  }

  assert {
    condition     = aws_launch_template.server.image_id == "ami-0123456789abcdef0"
    error_message = "The image is a literal id, so that a refresh can roll back."
  }
}

run "a_new_server_waits_for_a_release" {
  command = plan

  assert {
    condition = one([
      for each in aws_launch_template.server.tag_specifications : each.tags.Release if each.resource_type == "instance"
    ]) == "none"
    error_message = "The first version has no release."
  }

  assert {
    condition     = toset([for each in aws_launch_template.server.tag_specifications : each.resource_type]) == toset(["instance", "volume"])
    error_message = "Servers and their volumes are tagged."
  }

  assert {
    condition     = !aws_launch_template.server.update_default_version
    error_message = "A new version moves nothing."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.server.user_data), "CONTENT_URL=\"s3://lyceum-test-content\"") && strcontains(base64decode(aws_launch_template.server.user_data), "s3://lyceum-test-releases/$release/") && strcontains(base64decode(aws_launch_template.server.user_data), "LYCEUM_AUTOSCALING_GROUP=\"lyceum-test-servers\"")
    error_message = "The user data carries settings, bucket and the group's name."
  }
}

run "one_server_or_two_and_never_none" {
  command = plan

  assert {
    condition     = aws_autoscaling_group.servers.min_size == 1 && aws_autoscaling_group.servers.max_size == 2 && toset(aws_autoscaling_group.servers.vpc_zone_identifier) == toset(["subnet-1", "subnet-2"])
    error_message = "One or two servers, over both zones."
  }

  assert {
    condition     = one(aws_autoscaling_group.servers.instance_maintenance_policy).min_healthy_percentage == 100 && one(aws_autoscaling_group.servers.instance_maintenance_policy).max_healthy_percentage == 200
    error_message = "It launches before it terminates."
  }

  assert {
    condition     = aws_autoscaling_group.servers.health_check_type == "ELB" && aws_autoscaling_group.servers.max_instance_lifetime == 14 * 86400 && aws_autoscaling_group.servers.default_instance_warmup == 180
    error_message = "The load balancer judges health; no server grows old; a new one warms up."
  }

  assert {
    condition     = aws_autoscaling_group.servers.launch_template[0].version == "1"
    error_message = "A literal version, not $Latest."
  }

  assert {
    condition     = contains(aws_autoscaling_group.servers.enabled_metrics, "GroupInServiceInstances")
    error_message = "A scaling policy reads how many servers are in service."
  }

  assert {
    condition = alltrue([for tag in aws_autoscaling_group.servers.tag : tag.propagate_at_launch && tag.key != "Release"]) && toset([
      for tag in aws_autoscaling_group.servers.tag : tag.key
    ]) == toset(["Name", "Project", "Environment", "ManagedBy"])
    error_message = "Tags reach the servers, except the release, which is the template's."
  }
}

run "it_tracks_cpu_and_memory_above_idle" {
  command = plan

  variables {
    scaling = { cpu_percent = 60, memory_idle_percent = 40, memory_percent_above_idle = 20 }
  }

  assert {
    condition     = aws_autoscaling_policy.cpu.target_tracking_configuration[0].target_value == 60 && aws_autoscaling_policy.cpu.target_tracking_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ASGAverageCPUUtilization"
    error_message = "Mean CPU of the group."
  }

  assert {
    condition = aws_autoscaling_policy.memory.target_tracking_configuration[0].target_value == 20 && contains([
      for line in aws_autoscaling_policy.memory.target_tracking_configuration[0].customized_metric_specification[0].metrics : line.expression if line.return_data
    ], "IF(memory > 40, memory - 40, 0)")
    error_message = "Memory above that of an idle server."
  }

  assert {
    condition = alltrue([
      for policy in [aws_autoscaling_policy.cpu, aws_autoscaling_policy.memory, aws_autoscaling_policy.hold] :
      policy.target_tracking_configuration[0].disable_scale_in != true
    ])
    error_message = "Every policy has a say before a server goes."
  }

  assert {
    condition = contains([
      for line in aws_autoscaling_policy.hold.target_tracking_configuration[0].customized_metric_specification[0].metrics : line.expression if line.return_data
    ], "IF(servers > 1, IF(of_either > 70, 70, of_either), 0)")
    error_message = "What the hold tracks never exceeds its target."
  }
}

run "the_role_reaches_its_own_and_no_further" {
  command = plan

  assert {
    condition     = aws_iam_role.server.name == "lyceum-test-server" && aws_iam_role.server.permissions_boundary == "arn:aws:iam::123456789012:policy/lyceum-boundary"
    error_message = "Named by the environment, within the boundary."
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.server.statement : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "Every action is named."
  }

  assert {
    condition = toset([
      for statement in data.aws_iam_policy_document.server.statement : statement.sid if contains(statement.resources, "*")
    ]) == toset(["OwnMetrics", "SessionManager"])
    error_message = "Only what knows no resource names none."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.server.statement :
      anytrue([for c in statement.condition : c.variable == "cloudwatch:namespace" && toset(c.values) == toset(["Lyceum/test"])])
      if contains(statement.actions, "cloudwatch:PutMetricData")
    ])
    error_message = "Metrics in the environment's namespace only."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.server.statement :
      anytrue([for c in statement.condition : c.variable == "elasticfilesystem:AccessPointArn"])
      if contains(statement.actions, "elasticfilesystem:ClientWrite")
    ])
    error_message = "Files through the access point only."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.server.statement : [for c in statement.condition : c.values if c.variable == "kms:ViaService"]
      if anytrue([for action in statement.actions : startswith(action, "kms:")])
    ])) == toset(["s3.us-east-1.amazonaws.com"])
    error_message = "Keys through their service only, and no statement without a key."
  }

  assert {
    condition = !anytrue(flatten([
      for statement in data.aws_iam_policy_document.server.statement : [for action in statement.actions : startswith(action, "ses:") || startswith(action, "iam:") || startswith(action, "ec2:")]
    ]))
    error_message = "No mail without an identity, no identities, no machines."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.server.statement : tolist(statement.resources) if statement.sid == "OwnLogs"
    ])) == toset(["arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/system:*"])
    error_message = "Streams of its own groups."
  }
}

run "mail_is_from_the_platform_only" {
  command = plan

  variables {
    access = {
      content_bucket_arn = "arn:aws:s3:::lyceum-test-content"
      progress_table_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/lyceum-test-progress"
      secret_arns        = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:lyceum-test-app-AbCdEf"]
      log_group_arns     = ["arn:aws:logs:us-east-1:123456789012:log-group:/lyceum/test/system"]
      file_system_arn    = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1"
      access_point_arn   = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-1"

      mail = {
        identity_arn = "arn:aws:ses:us-east-1:123456789012:identity/learn.example"
        from_address = "no-reply@learn.example"
      }
    }
  }

  assert {
    condition = one([
      for statement in data.aws_iam_policy_document.server.statement : one(one(statement.condition).values) if statement.sid == "Mail"
    ]) == "no-reply@learn.example"
    error_message = "Only as the platform's own address."
  }
}

run "bad_values_are_refused_each_by_its_variable" {
  command = plan

  variables {
    size          = { min = 3, max = 2 }
    subnet_ids    = ["subnet-1"]
    instance_type = "m5.large"
    volume_gib    = 4
    scaling       = { memory_idle_percent = 70, memory_percent_above_idle = 25 }
    settings      = { CONTENT_URL = "s3://$(reboot)" }
  }

  expect_failures = [var.size, var.subnet_ids, var.instance_type, var.volume_gib, var.scaling, var.settings]
}

run "no_server_at_all_is_refused_and_so_is_a_setting_of_several_lines" {
  command = plan

  variables {
    size     = { min = 0 }
    settings = { CONTENT_URL = "s3://bucket\nSETTINGS" }
  }

  expect_failures = [var.size, var.settings]
}

run "a_group_that_cannot_launch_before_it_terminates_is_refused_and_so_is_a_setting_without_a_proper_name" {
  command = plan

  variables {
    size     = { min = 1, max = 1 }
    settings = { "content url" = "s3://bucket" }
  }

  expect_failures = [var.size, var.settings]
}
