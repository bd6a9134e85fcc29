"""Types of Terraform's resources that have no picture of their own, each with the one that it is part of, and why.

Every type that is applied is either drawn (the `kinds` of a node, box or line) or stands here. check.py holds both
lists against what is applied.
"""

from __future__ import annotations

# type → (id of what it is part of, why it is not drawn)
PARTS: dict[str, tuple[str, str]] = {
    "aws_acm_certificate_validation": ("certificate", "waits until the certificate is issued"),
    "aws_backup_selection": ("plan", "names what the plan copies"),
    "aws_cloudwatch_log_resource_policy": ("groups", "lets AWS's services write to the log groups"),
    "aws_cloudwatch_event_rule": ("pipeline", "hears of a stage that failed"),
    "aws_cloudwatch_event_target": ("pipeline", "tells the topic of it"),
    "aws_codebuild_webhook": ("verify", "a pull request is checked before it is merged"),
    "aws_db_parameter_group": ("database", "settings of the database"),
    "aws_db_subnet_group": ("database", "names the subnets of the database"),
    "aws_default_security_group": ("vpc", "has no rule, so that nothing can use it"),
    "aws_efs_access_point": ("files-a", "the folder of the file system that servers mount"),
    "aws_efs_file_system_policy": ("files-a", "who may mount it, and only by TLS"),
    "aws_iam_group_policy": ("user", "lets the user become the deployer"),
    "aws_iam_instance_profile": ("deployer", "gives a server its role"),
    "aws_iam_role_policy": ("deployer", "what a role may"),
    "aws_iam_role_policy_attachment": ("deployer", "what a role may"),
    "aws_iam_user_group_membership": ("user", "puts the user into the group"),
    "aws_kms_alias": ("keys", "a key's name"),
    "aws_route": ("vpc", "the ways out, drawn as lines to the gateways and endpoints"),
    "aws_route_table": ("vpc", "the ways out, drawn as lines to the gateways and endpoints"),
    "aws_route_table_association": ("vpc", "which ways out a subnet has"),
    "aws_s3_bucket_cors_configuration": ("content", "lets browsers load from the bucket"),
    "aws_s3_bucket_lifecycle_configuration": ("content", "ends what is old in a bucket"),
    "aws_s3_bucket_ownership_controls": ("content", "a setting of each bucket"),
    "aws_s3_bucket_policy": ("content", "a setting of each bucket: TLS only"),
    "aws_s3_bucket_public_access_block": ("content", "a setting of each bucket: never public"),
    "aws_s3_bucket_server_side_encryption_configuration": ("content", "a setting of each bucket: its key"),
    "aws_s3_bucket_versioning": ("content", "a setting of each bucket: versions"),
    "aws_secretsmanager_secret_version": ("secrets", "a secret's value"),
    "aws_sesv2_configuration_set": ("mail", "settings of mail"),
    "aws_sesv2_configuration_set_event_destination": ("mail", "tells of bounces"),
    "aws_sesv2_email_identity_mail_from_attributes": ("mail", "the domain that bounces go to"),
    "aws_sns_topic_policy": ("audit-topic", "who may write to a topic"),
    "aws_wafv2_web_acl_association": ("waf", "puts the rules before the load balancer"),
    "aws_wafv2_web_acl_logging_configuration": ("waf", "names the log group of what was refused"),
    "terraform_data": ("sessions", "of Terraform alone: makes a session's document anew when it changes"),
}
