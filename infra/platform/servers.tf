# What a server is told, and what it may touch. Nothing here is a secret: it is told where they are.
locals {
  settings = merge(local.mail_settings, {
    AWS_REGION = var.region

    LYCEUM_DATABASE_ADDRESS    = module.database.endpoint.address
    LYCEUM_DATABASE_PORT       = module.database.endpoint.port
    LYCEUM_DATABASE_NAME       = module.database.endpoint.name
    LYCEUM_DATABASE_SECRET_ARN = module.secrets.arns["database"]
    LYCEUM_SECRET_KEY_ARN      = module.secrets.arns["secret-key"]

    LYCEUM_FILE_SYSTEM_ID  = module.files.mount.file_system_id
    LYCEUM_ACCESS_POINT_ID = module.files.mount.access_point_id
    SHARED_FILES_DIR       = "/srv/shared"

    CONTENT_URL  = "s3://${module.content.bucket}"
    PROGRESS_URL = "dynamodb://${module.progress.table}"

    ALLOWED_HOSTS             = var.domain == null ? module.load_balancer.dns_name : var.domain.name
    SECURE                    = var.domain == null ? "0" : "1"
    TRUSTED_PROXIES           = "1"
    LYCEUM_KEEP_ALIVE_SECONDS = local.keep_alive_seconds

    LYCEUM_SYSTEM_LOG_GROUP      = module.logs.groups.system.name
    LYCEUM_APPLICATION_LOG_GROUP = module.logs.groups.application.name

    # The alarm on errors counts lines by their level.
    LOG_FORMAT = "json"
  })

  # By SES's API: no flow opens a port of SMTP. Without a domain there is nothing to send in the name of.
  mail_settings = merge([for mail in module.mail : {
    EMAIL_URL  = "ses://${mail.configuration_set}"
    EMAIL_FROM = "Lyceum <${mail.from_address}>"
  }]...)

  access = {
    content_bucket_arn = module.content.bucket_arn
    progress_table_arn = module.progress.table_arn
    secret_arns        = values(module.secrets.arns)
    log_group_arns     = [module.logs.groups.system.arn, module.logs.groups.application.arn]
    file_system_arn    = module.files.file_system_arn
    access_point_arn   = module.files.access_point_arn

    key_arns = {
      s3             = [module.content.key_arn, module.releases.key_arn]
      dynamodb       = [module.progress.key_arn]
      secretsmanager = [module.secrets.key_arn]
    }

    mail = one([for mail in module.mail : {
      identity_arn          = mail.identity_arn
      from_address          = mail.from_address
      configuration_set_arn = mail.configuration_set_arn
    }])
  }
}
