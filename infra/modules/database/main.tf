# Student data: accounts, courses, enrolments. Private, encrypted, TLS only.
resource "aws_db_subnet_group" "this" {
  name        = "${var.name}-database"
  description = "The data tier, both zones"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-postgres17"
  family      = "postgres17"
  description = "TLS only, slow statements logged"

  # Dynamic, yet AWS reports it as pending-reboot: any other method never gives an empty plan.
  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "pending-reboot"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

resource "aws_kms_key" "database" {
  #checkov:skip=CKV2_AWS_64:AWS's default policy is meant: the account's policies decide, and only principals of this account use it.

  description             = "Encrypts the database of ${var.name}, its secret and its insights"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "database" {
  name          = "alias/${var.name}-database"
  target_key_id = aws_kms_key.database.key_id
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:It wants 300 MiB of memory that a db.t4g.micro has not to spare; passwords are in Secrets Manager.

  identifier     = "${var.name}-database"
  engine         = "postgres"
  engine_version = "17"
  instance_class = var.instance_class
  db_name        = "lyceum"

  username                      = "lyceum_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.database.key_id

  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 5
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.database.arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = var.security_group_ids
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  multi_az               = var.multi_az

  # Independent of the weekly backups: for a return to any second of the last seven days.
  backup_retention_period = 7
  backup_window           = "01:00-01:30"
  maintenance_window      = "mon:02:00-mon:02:45"
  copy_tags_to_snapshot   = true

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = aws_kms_key.database.arn
  database_insights_mode                = "standard"
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn

  # Taken from the groups' names so that they exist first: RDS would make them itself, and keep them for ever.
  enabled_cloudwatch_logs_exports = [for name in var.log_group_names : basename(name)]

  auto_minor_version_upgrade = true
  # The default would bill extended support once version 17 is past its life.
  engine_lifecycle_support  = "open-source-rds-extended-support-disabled"
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name}-database-final" : null

  # RDS tries the role when the instance is made.
  depends_on = [aws_iam_role_policy_attachment.monitoring]
}
