"""Page 4: what protects data, and who hears when something is wrong."""

from __future__ import annotations

from lyceum_lab.documents.diagram.model import Box, Edge, Group, Node, Page, Point


def page() -> Page:
    """The page."""
    left, wide = 142, 1062
    groups = (
        Group("cloud", "cloud", "AWS Cloud: one account, one region", Box(130, 108, 1086, 702)),
        Group("backups", "box", "Backups: weekly, four weeks kept", Box(left, 142, wide, 164), "cloud"),
        Group("kept", "kept", "What is kept", Box(154, 172, 430, 122), "backups"),
        Group("audit", "box", "Audit: every call in the account", Box(left, 316, wide, 146), "cloud"),
        Group("logs", "box", "Logs for two days, metrics, alarms", Box(left, 472, wide, 146), "cloud"),
        Group("ways", "box", "Operators: two factors, no open port", Box(left, 628, wide, 170), "cloud"),
    )
    first, second, third, fourth = 210.0, 350.0, 510.0, 664.0

    def at(x: float, y: float) -> Point:
        return Point(x - 20, y)

    nodes = (
        Node("database", "rds", "PostgreSQL", at(210, 204), "own copies 7 days", "kept"),
        Node("progress", "dynamodb", "Progress", at(320, 204), "DynamoDB", "kept"),
        Node("files", "efs", "Shared files", at(420, 204), "EFS", "kept"),
        Node("content", "s3", "Content", at(520, 204), "S3, versioned", "kept"),
        Node("plan", "backup", "Weekly plan", at(fourth, 204), "Sunday 03:00 UTC", "backups",
             kinds=("aws_backup_plan",)),
        Node("vault", "vault", "Vault", at(838, 204), "28 days; locked\nin production", "backups",
             kinds=("aws_backup_vault", "aws_backup_vault_lock_configuration")),
        Node("keys", "kms", "Keys", at(1010, 204), "one for each store,\nrotated yearly", "backups",
             kinds=("aws_kms_key",)),
        # --- audit
        Node("archive", "s3", "Archive", at(first, 350), "S3, one year", "audit"),
        Node("trail", "trail", "CloudTrail", at(second, 350), "all regions,\nvalidated", "audit",
             kinds=("aws_cloudtrail",)),
        Node("events", "logs", "Events", at(third, 350), "log group", "audit"),
        Node("filters", "cloudwatch", "Filters", at(fourth, 350), "denied calls, root,\nchanged rules", "audit",
             kinds=("aws_cloudwatch_log_metric_filter",)),
        Node("audit-alarms", "alarm", "Alarms", at(838, 350), "at the first", "audit"),
        Node("audit-topic", "sns", "Topic", at(1010, 350), "encrypted", "audit",
             kinds=("aws_sns_topic", "aws_sns_topic_subscription")),
        # --- logs
        Node("schedule", "schedule", "Every hour", at(first, 506), "at :05", "logs", kinds=("aws_scheduler_schedule",)),
        Node("purge", "lambda", "Purge", at(second, 506), "ended 48 h ago:\ndeleted", "logs",
             kinds=("aws_lambda_function",)),
        Node("groups", "logs", "Log groups", at(third, 506), "system, application,\nflow, WAF, database", "logs",
             kinds=("aws_cloudwatch_log_group",)),
        Node("metrics", "cloudwatch", "Metrics", at(fourth, 506), "one dashboard", "logs",
             kinds=("aws_cloudwatch_dashboard",)),
        Node("alarms", "alarm", "Alarms", at(838, 506), "wake, or look", "logs",
             kinds=("aws_cloudwatch_metric_alarm",)),
        Node("topic", "sns", "Topic", at(1010, 506), "encrypted", "logs"),
        # --- operators
        Node("user", "iam", "User", at(first, 664), "may only become", "ways",
             kinds=("aws_iam_user", "aws_iam_group")),
        Node("deployer", "role", "Deployer", at(second, 664), "boundary on all\nit makes", "ways",
             kinds=("aws_iam_role", "aws_iam_policy")),
        Node("sessions", "ssm", "Session Manager", at(fourth, 664), "5432 to one host,\nlogged 90 days", "ways",
             kinds=("aws_ssm_document",)),
        Node("bastion", "ec2", "Bastion", at(838, 664), "nothing comes in", "ways"),
        Node("way-database", "rds", "PostgreSQL", at(1010, 664), "", "ways"),
        Node("budget", "budget", "Budget", at(1130, 664), "each month", "ways", kinds=("aws_budgets_budget",)),
        # --- outside
        Node("operator", "user", "Operator", at(62, 664), "IAM and a\nsecond factor"),
        Node("mailbox", "mail", "Operators", at(1284, 428), "by mail"),
    )  # fmt: skip
    edges = (
        Edge("kept", "plan", ("right", 52 / 122), ("left", 0.5), look="data"),
        Edge("plan", "vault", ("right", 0.5), ("left", 0.5), look="data"),
        Edge("vault", "keys", ("right", 0.5), ("left", 0.5), look="part"),
        Edge("trail", "archive", ("left", 0.5), ("right", 0.5), look="data"),
        Edge("trail", "events", ("right", 0.5), ("left", 0.5), look="data"),
        Edge("events", "filters", ("right", 0.5), ("left", 0.5), look="data"),
        Edge("filters", "audit-alarms", ("right", 0.5), ("left", 0.5), look="alert"),
        Edge("audit-alarms", "audit-topic", ("right", 0.5), ("left", 0.5), look="alert"),
        Edge("audit-topic", "mailbox", ("right", 0.5), ("top", 0.5), (Point(1284, 370),), look="alert"),
        Edge("schedule", "purge", ("right", 0.5), ("left", 0.5)),
        Edge("purge", "groups", ("right", 0.5), ("left", 0.5)),
        Edge("groups", "metrics", ("right", 0.5), ("left", 0.5), look="data"),
        Edge("metrics", "alarms", ("right", 0.5), ("left", 0.5), look="alert"),
        Edge("alarms", "topic", ("right", 0.5), ("left", 0.5), look="alert"),
        Edge("topic", "mailbox", ("right", 0.5), ("bottom", 0.5), (Point(1284, 526),), look="alert"),
        Edge("budget", "mailbox", ("right", 0.5), ("bottom", 0.5), (Point(1284, 684),), look="alert"),
        Edge("operator", "user", ("right", 0.5), ("left", 0.5)),
        Edge("user", "deployer", ("right", 0.5), ("left", 0.5)),
        Edge("operator", "sessions", ("bottom", 0.5), ("bottom", 0.5), (Point(62, 780), Point(fourth, 780))),
        Edge("sessions", "bastion", ("right", 0.5), ("left", 0.5)),
        Edge("bastion", "way-database", ("right", 0.5), ("left", 0.5), (), "5432"),
    )  # fmt: skip
    return Page(
        "protection",
        "Lyceum: data protection and alerts",
        "What is kept is copied every week; what happens in the account is recorded; what goes wrong reaches a person.",
        "AWS Backup copies the database, the progress table, the shared files and the content bucket every Sunday into "
        "a vault with a key of its own and keeps four weeks. CloudTrail records every call; filters and alarms tell a "
        "topic and a mailbox. System and application logs are purged after two days. Operators reach the database "
        "through Session Manager and a bastion that nothing can connect to.",
        (1350, 880),
        groups,
        nodes,
        edges=edges,
        legend=("storage", "database", "security", "management", "compute", "edge:call", "edge:data", "edge:part",
                "edge:alert"),
        legend_at=Point(24, 852),
    )  # fmt: skip
