"""The icons by what they stand for: draw.io's own AWS shape for the .drawio, a drawing of ours for the .svg.

AWS's artwork is not copied here: the .drawio names the shapes that draw.io carries (mxgraph.aws4), and the .svg has
plain glyphs of ours in the colour of AWS's category. A service is a filled tile, a resource of one a bare glyph, as AWS
draws them. Glyphs are SVG paths on a grid of 24 by 24, stroked, not filled.
"""

from __future__ import annotations

from dataclasses import dataclass

from lyceum_lab.documents.diagram.style import CATEGORIES


@dataclass(frozen=True)
class Icon:
    """`shape` is the name in mxgraph.aws4; `service` whether it is a tile."""

    shape: str
    category: str
    glyph: str
    service: bool = True

    @property
    def colour(self) -> str:
        return CATEGORIES[self.category]


_CYLINDER = "M5 6.5c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zv11c0 1.7 3.1 3 7 3s7-1.3 7-3v-11"
_BUCKET = "M4 6c0-1.4 3.6-2.5 8-2.5S20 4.6 20 6s-3.6 2.5-8 2.5S4 7.4 4 6zl2 12.5c.2 1.2 2.8 2 6 2s5.8-.8 6-2L20 6"
_SHIELD = "M12 3l7.5 2.8v5.4c0 4.6-3 8.2-7.5 9.8-4.5-1.6-7.5-5.2-7.5-9.8V5.8z"
_DOC = "M6 3h8.5L18 6.5V21H6zM14 3v4h4"
_GEAR = "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2"
_CHIP = "M7 7h10v10H7zM9.5 3v4M14.5 3v4M9.5 17v4M14.5 17v4M3 9.5h4M3 14.5h4M17 9.5h4M17 14.5h4"
_PERSON = "M12 3.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 20.5c0-4.2 3.4-7 8-7s8 2.8 8 7z"

ICONS = {
    # --- who is outside
    "users": Icon("users", "general", "M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5c0-3.8 2.8-6 6.5-6s6.5 2.2 6.5 6zM15 5a3.2 3.2 0 1 1 1.5 6.2M17.5 13.7c2.5.5 4 2.6 4 5.8h-3.5", service=False),
    "user": Icon("user", "general", _PERSON, service=False),
    "internet": Icon("internet_alt2", "general", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3.5 3 3.5 15 0 18M12 3c-3.5 3-3.5 15 0 18M4.5 7.5h15M4.5 16.5h15", service=False),
    "repository": Icon("git_repository", "general", "M7 4.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7 15.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM17 6.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7 8.5v7M17 10.5c0 3-4 3.5-8.5 5.5", service=False),
    "mail": Icon("email_2", "general", "M3 6h18v12.5H3zM3.5 6.5L12 13.5l8.5-7", service=False),
    "laptop": Icon("client", "general", "M5 5h14v10H5zM2.5 19h19l-2-4h-15z", service=False),
    # --- network
    "route53": Icon("route_53", "network", "M12 3l8 3v5.5c0 4.6-3.2 8-8 9.5-4.8-1.5-8-4.9-8-9.5V6zM9 9h4.5L11 12c2 0 3 .8 3 2.3 0 1.5-1.2 2.4-2.7 2.4-1 0-1.8-.3-2.3-.8"),
    "balancer": Icon("application_load_balancer", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.5 10h4v4h-4zM14.5 7h3v3h-3zM14.5 14h3v3h-3zM9.5 12h2.5M14.5 8.5h-2.5v7h2.5", service=False),
    "gateway": Icon("internet_gateway", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM7 15.5a2.6 2.6 0 0 1 .5-5.1 4.2 4.2 0 0 1 8-.6 3 3 0 0 1 1 5.7zM12 18.5v-6M10 14.3l2-2 2 2", service=False),
    "nat": Icon("nat_gateway", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 9h5v6H6zM11 12h7M15.5 9.5L18 12l-2.5 2.5", service=False),
    "endpoint": Icon("endpoints", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM3.5 12H9M15 12h5.5", service=False),
    "acl": Icon("network_access_control_list", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM7.5 8.5l1.2 1.2 2-2.2M7.5 14.5l1.2 1.2 2-2.2M13 9h4M13 15h4", service=False),
    "flowlog": Icon("flow_logs", "network", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM7.5 9.5h9M7.5 12.5h9M7.5 15.5h6", service=False),
    # --- compute
    "ec2": Icon("ec2", "compute", _CHIP),
    "server": Icon("instance2", "compute", _CHIP, service=False),
    "template": Icon("launch_template2", "compute", _DOC + "M9 12.5h6M9 16h6", service=False),
    "scaling": Icon("autoscaling", "compute", "M9 9h6v6H9zM12 9V3.5M10 5.5l2-2 2 2M12 15v5.5M10 18.5l2 2 2-2M9 12H3.5M5.5 10l-2 2 2 2M15 12h5.5M18.5 10l2 2-2 2"),
    "lambda": Icon("lambda", "compute", "M6.5 4h4l7 16h3M11.5 10.5L6.5 20h-3"),
    # --- storage and databases
    "s3": Icon("s3", "storage", _BUCKET),
    "bucket": Icon("bucket", "storage", _BUCKET, service=False),
    "efs": Icon("elastic_file_system", "storage", "M4 8h6l1.5 2H20v10H4zM7 8V4.5h10V10"),
    "backup": Icon("backup", "storage", "M6.5 15.5a3.7 3.7 0 0 1 .5-7.3 5.3 5.3 0 0 1 10.2.3 3.5 3.5 0 0 1 .3 7M12 20.5V12M9 17.5l3 3 3-3"),
    "vault": Icon("backup_vault", "storage", "M4 4h16v15H4zM6.5 19v2M17.5 19v2M12 8a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 11.5V6.5M12 11.5l3.5 2", service=False),
    "rds": Icon("rds", "database", _CYLINDER + "M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3"),
    "dynamodb": Icon("dynamodb", "database", _CYLINDER + "M13.5 10.5L10 15h3l-1.5 4"),
    # --- security
    "waf": Icon("waf", "security", _SHIELD + "M8 9h8M8 12.5h8M10 16h4"),
    "certificate": Icon("certificate_manager_3", "security", "M4 5h16v10h-5M9 15H4V5M12 12a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10.5 17.5V22l1.5-1 1.5 1v-4.5M7 8.5h10"),
    "secrets": Icon("secrets_manager", "security", "M6 10.5h12V20H6zM8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3M12 14v2.5"),
    "kms": Icon("key_management_service", "security", "M8 9.5a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4zM11 11l8.5-7M16 7l2.5 3M19 4.5l1.5 1.8"),
    "iam": Icon("identity_and_access_management", "security", "M4 4h16v16H4zM12 7.5a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6zM7.5 17c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4z"),
    "role": Icon("role", "security", "M5 9c2-1.5 4.5-2 7-2s5 .5 7 2v4c0 2.5-2 4-3.5 4s-2.3-2-3.5-2-2 2-3.5 2S5 15.5 5 13zM8 11.5h2M14 11.5h2", service=False),
    # --- management and application integration
    "cloudwatch": Icon("cloudwatch_2", "management", "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5l5 5M6.5 11h2l1.5-3 2 5 1-2h1.5"),
    "alarm": Icon("alarm", "management", "M12 4a6 6 0 0 1 6 6v5l1.5 2.5h-15L6 15v-5a6 6 0 0 1 6-6zM10 20.5h4M3 7l2-3M21 7l-2-3", service=False),
    "logs": Icon("cloudwatch_logs", "management", _DOC + "M9 11h6M9 14h6M9 17h4", service=False),
    "trail": Icon("cloudtrail", "management", _DOC + "M8.5 12l1.5 1.5 3-3M8.5 17h6"),
    "ssm": Icon("systems_manager", "management", _GEAR),
    "sns": Icon("sns", "management", "M4 9.5v5h3l7 4.5V5L7 9.5zM17 9c1.7 1.7 1.7 4.3 0 6M19.5 6.5c3 3 3 8 0 11"),
    "ses": Icon("simple_email_service", "security", "M3 6h18v12.5H3zM3.5 6.5L12 13.5l8.5-7"),
    "schedule": Icon("eventbridge_scheduler", "management", "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3.5 2.5", service=False),
    "budget": Icon("budgets_2", "storage", "M4 6h16v12H4zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM6.5 8.5h1M16.5 15.5h1"),
    # --- delivery
    "pipeline": Icon("codepipeline", "developer", "M3 7h5l3 5-3 5H3l3-5zM11 7h5l4 5-4 5h-5l3-5z"),
    "build": Icon("codebuild", "developer", "M8 8l-4.5 4L8 16M16 8l4.5 4-4.5 4M13.5 6l-3 12"),
    "connection": Icon("codestar", "developer", "M9.5 14.5l5-5M8 11l-2.5 2.5a3.5 3.5 0 0 0 5 5L13 16M11 8l2.5-2.5a3.5 3.5 0 0 1 5 5L16 13"),
}  # fmt: skip
