# One environment, top to bottom in the order of a request's path.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "lyceum"
      Environment = var.environment
      ManagedBy   = "terraform"
      Root        = "platform"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  state = "available"

  # Local zones have neither NAT gateways nor RDS.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name  = "lyceum-${var.environment}"
  zones = slice(data.aws_availability_zones.available.names, 0, 2)

  # Made by bootstrap; every role that the deployer makes carries it.
  boundary_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:policy/lyceum-boundary"
}

module "network" {
  source = "../modules/network"

  name      = local.name
  cidr      = var.vpc_cidr
  zones     = local.zones
  nat       = var.nat
  roles     = local.roles
  flows     = local.flows
  outsiders = local.outsiders

  interface_endpoints = var.interface_endpoints
  needed_without_nat  = local.needed_without_nat

  # By the name that it will have: the module of the log groups is not there yet.
  flow_log = { group_arn = "arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:/lyceum/${var.environment}/flow" }

  permissions_boundary_arn = local.boundary_arn
}

module "content" {
  source = "../modules/content"

  # The account's number makes the name unique in the world without a random suffix.
  bucket_name   = "${local.name}-content-${data.aws_caller_identity.current.account_id}"
  force_destroy = !var.protected
  origins       = var.origins
}

module "progress" {
  source = "../modules/progress"

  table_name = "${local.name}-progress"
  protected  = var.protected
}

module "database" {
  source = "../modules/database"

  name               = local.name
  subnet_ids         = module.network.subnet_ids.data
  security_group_ids = [module.network.security_group_ids.database]
  instance_class     = var.database.instance_class
  multi_az           = var.database.multi_az
  storage_gib        = var.database.storage_gib
  protected          = var.protected
}

module "files" {
  source = "../modules/files"

  name               = local.name
  subnet_ids         = module.network.subnet_ids.data
  security_group_ids = [module.network.security_group_ids.files]
}

module "backup" {
  source = "../modules/backup"

  name      = local.name
  protected = var.protected

  resources = {
    database = module.database.arn
    progress = module.progress.table_arn
    content  = module.content.bucket_arn
    files    = module.files.file_system_arn
  }

  permissions_boundary_arn = local.boundary_arn
}
