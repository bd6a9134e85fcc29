# One environment, top to bottom in the order of a request's path.
provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:The first two by name are taken; a zone added later changes none of them unless its name sorts before.

  state = "available"

  # Local zones have neither NAT gateways nor RDS.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name    = "lyceum-${var.environment}"
  account = data.aws_caller_identity.current.account_id
  zones   = slice(data.aws_availability_zones.available.names, 0, 2)

  tags = {
    Project     = "lyceum"
    Environment = var.environment
    ManagedBy   = "terraform"
    Root        = "platform"
  }

  # Made by bootstrap; every role that the deployer makes carries it.
  boundary_arn = "arn:${data.aws_partition.current.partition}:iam::${local.account}:policy/lyceum-boundary"

  # Longer than the load balancer keeps an idle connection: whoever closes first must be the load balancer.
  keep_alive_seconds = 75
}

# --- The network ----------------------------------------------------------------------------------------------------

module "network" {
  source = "../modules/network"

  name                     = local.name
  cidr                     = var.vpc_cidr
  zones                    = local.zones
  nat                      = var.nat
  interface_endpoints      = var.interface_endpoints
  needed_without_nat       = local.needed_without_nat
  roles                    = local.roles
  flows                    = local.flows
  outsiders                = local.outsiders
  permissions_boundary_arn = local.boundary_arn

  flow_log = {
    group_arn = module.logs.groups.flow.arn
    traffic   = var.flow_log_traffic
  }
}

# --- The way in -----------------------------------------------------------------------------------------------------

# The zone belongs to whoever owns the domain, and is there before us.
data "aws_route53_zone" "domain" {
  count = var.domain == null ? 0 : 1

  name = var.domain.zone
}

locals {
  domain = var.domain == null ? null : { name = var.domain.name, zone_id = data.aws_route53_zone.domain[0].zone_id }
}

module "waf" {
  source = "../modules/waf"

  name              = local.name
  load_balancer_arn = module.load_balancer.arn
  log_group_arn     = module.logs.groups.waf.arn
  rate_limit        = var.rate_limit

  # Where lessons are written and files shared: a rule about bodies would block them.
  large_body_paths = ["/manage/", "/uploads/"]
}

module "load_balancer" {
  source = "../modules/load-balancer"

  name               = local.name
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.subnet_ids.public
  security_group_ids = [module.network.security_group_ids.load_balancer]
  domain             = local.domain
  keep_alive_seconds = local.keep_alive_seconds
  protected          = var.protected
}

# --- The servers ----------------------------------------------------------------------------------------------------

module "servers" {
  source = "../modules/servers"

  name                     = local.name
  environment              = var.environment
  subnet_ids               = module.network.subnet_ids.app
  security_group_ids       = [module.network.security_group_ids.server]
  target_group_arn         = module.load_balancer.target_group_arn
  instance_type            = var.servers.instance_type
  size                     = { min = var.servers.min, max = var.servers.max }
  user_data_template       = "${path.root}/../../instance/user-data.sh.tftpl"
  settings                 = local.settings
  release_bucket           = module.releases.bucket
  permissions_boundary_arn = local.boundary_arn
  access                   = local.access
}

# --- What is kept ---------------------------------------------------------------------------------------------------

module "content" {
  source = "../modules/content"

  # The account's number makes the name unique in the world without a random suffix.
  bucket_name   = "${local.name}-content-${local.account}"
  force_destroy = !var.protected
  origins       = concat(var.origins, [module.load_balancer.url])
}

module "progress" {
  source = "../modules/progress"

  table_name = "${local.name}-progress"
  protected  = var.protected
}

module "database" {
  source = "../modules/database"

  name                     = local.name
  subnet_ids               = module.network.subnet_ids.data
  security_group_ids       = [module.network.security_group_ids.database]
  instance_class           = var.database.instance_class
  multi_az                 = var.database.multi_az
  storage_gib              = var.database.storage_gib
  protected                = var.protected
  permissions_boundary_arn = local.boundary_arn

  log_group_names = [module.logs.groups.database.name, module.logs.groups.database_upgrade.name]
}

module "files" {
  source = "../modules/files"

  name               = local.name
  subnet_ids         = module.network.subnet_ids.data
  security_group_ids = [module.network.security_group_ids.files]
}

module "releases" {
  source = "../modules/releases"

  bucket_name   = "${local.name}-releases-${local.account}"
  force_destroy = !var.protected
}

ephemeral "aws_secretsmanager_random_password" "secret" {
  for_each = toset(["database", "secret-key"])

  password_length     = 50
  exclude_punctuation = true
}

module "secrets" {
  source = "../modules/secrets"

  name      = local.name
  edition   = var.secrets_edition
  protected = var.protected

  names = {
    database   = "Password of lyceum_app, as which the servers work in the database"
    secret-key = "Signs sessions and tokens, on every server the same"
  }

  values = { for name, secret in ephemeral.aws_secretsmanager_random_password.secret : name => secret.random_password }
}

module "migrate" {
  source = "../modules/migrate"

  name                     = local.name
  environment              = var.environment
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.subnet_ids.management
  security_group_ids       = [module.network.security_group_ids.jobs]
  database                 = module.database.endpoint
  application_secret_arn   = module.secrets.arns["database"]
  secret_key_arns          = [module.database.key_arn, module.secrets.key_arn]
  key_arn                  = module.logs.key_arn
  permissions_boundary_arn = local.boundary_arn
  image                    = var.migration_image
}

module "backup" {
  source = "../modules/backup"

  name                     = local.name
  retention_days           = var.backup_retention_days
  protected                = var.protected
  permissions_boundary_arn = local.boundary_arn

  resources = {
    database = module.database.arn
    progress = module.progress.table_arn
    content  = module.content.bucket_arn
    files    = module.files.file_system_arn
  }
}

# --- Operators ------------------------------------------------------------------------------------------------------

module "bastion" {
  source = "../modules/bastion"

  name                     = local.name
  subnet_id                = module.network.subnet_ids.management[0]
  security_group_ids       = [module.network.security_group_ids.bastion]
  session_log_group        = module.logs.groups.sessions
  key_arn                  = module.logs.key_arn
  permissions_boundary_arn = local.boundary_arn

  database = {
    address        = module.database.endpoint.address
    port           = module.database.endpoint.port
    arn            = module.database.arn
    secret_arn     = module.secrets.arns["database"]
    secret_key_arn = module.secrets.key_arn
  }
}

module "logs" {
  source = "../modules/logs"

  name        = local.name
  environment = var.environment
  # Built by the tool before each plan. A path of some machine's own would be a change on every other one.
  purge_zip                = "${var.build_dir}/purge_logs.zip"
  retention_days           = { sessions = var.session_retention_days }
  permissions_boundary_arn = local.boundary_arn
}

module "canary" {
  source = "../modules/canary"
  # Without a domain only the operators' addresses are let in, and a function has none of its own.
  count = var.domain == null ? 0 : 1

  name                     = local.name
  url                      = module.load_balancer.url
  metrics_namespace        = module.servers.metrics_namespace
  log_group                = module.logs.groups.canary
  canary_zip               = "${var.build_dir}/canary.zip"
  permissions_boundary_arn = local.boundary_arn
}

module "alarms" {
  source = "../modules/alarms"

  name                     = local.name
  alarm_email              = var.alarm_email
  load_balancer_arn_suffix = module.load_balancer.arn_suffix
  target_group_arn_suffix  = module.load_balancer.target_group_arn_suffix
  certificate              = var.domain == null ? null : { arn = module.load_balancer.certificate_arn }
  group_name               = module.servers.group_name
  group_max                = var.servers.max
  metrics_namespace        = module.servers.metrics_namespace
  application_log_group    = module.logs.groups.application.name
  database_identifier      = module.database.identifier
  table_name               = module.progress.table
  file_system_id           = module.files.mount.file_system_id
  backup_vault_name        = module.backup.vault.name
  purge_function_name      = module.logs.purge_function_name
  canary                   = one([for canary in module.canary : { function_name = canary.function_name }])
}

module "mail" {
  source = "../modules/mail"
  count  = var.domain == null ? 0 : 1

  name   = local.name
  domain = local.domain
}
