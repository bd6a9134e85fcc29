"""Page 1: the way of a request, in numbered steps."""

from __future__ import annotations

from lyceum_lab.documents.diagram.model import Box, Edge, Group, Node, Page, Point, Table

STEPS = (
    ("1", "Route 53 resolves the domain", "to the load balancer's alias"),
    ("2", "HTTPS to the load balancer; WAF", "looks at each request first"),
    ("3", "To a server of the group, in", "either zone, over port 8000"),
    ("4", "Accounts, courses and grades", "in PostgreSQL, over TLS"),
    ("5", "Progress in DynamoDB, through", "a gateway endpoint, never NAT"),
    ("6", "Files that students share, on", "EFS, mounted on every server"),
    ("7", "Videos: browser and bucket alone,", "by URLs that the servers sign"),
    ("8", "Secrets when a server starts;", "mail when the platform writes"),
)


def _zone(letter: str, y: float) -> tuple[tuple[Group, ...], tuple[Node, ...]]:
    """One availability zone: three subnets side by side, and who stands in them."""
    first = letter == "a"
    groups = (
        Group(f"zone-{letter}", "zone", f"Availability Zone {letter}", Box(352, y, 436, 184), "vpc"),
        Group(f"public-{letter}", "public", "Public", Box(360, y + 26, 118, 150), f"zone-{letter}"),
        Group(f"app-{letter}", "private", "App", Box(486, y + 26, 118, 150), f"zone-{letter}"),
        Group(f"data-{letter}", "private", "Data", Box(632, y + 26, 148, 150), f"zone-{letter}"),
    )
    database = Node(
        f"database-{letter}",
        "rds",
        "PostgreSQL",
        Point(644, y + 62),
        "RDS, primary" if first else "RDS, standby",
        f"data-{letter}",
        beside=True,
        kinds=("aws_db_instance",) if first else (),
    )
    files = Node(
        f"files-{letter}",
        "efs",
        "Shared files",
        Point(644, y + 122),
        "EFS, encrypted",
        f"data-{letter}",
        beside=True,
        kinds=("aws_efs_file_system", "aws_efs_mount_target") if first else (),
    )
    nodes = (
        Node(
            f"balancer-{letter}", "balancer", "Load balancer", Point(399, y + 82), "ALB, ends TLS",
            f"public-{letter}", kinds=("aws_lb", "aws_lb_listener", "aws_lb_target_group") if first else (),
        ),
        Node(f"server-{letter}", "ec2", "Server", Point(525, y + 82), "t2.micro", f"app-{letter}"),
        database,
        files,
    )  # fmt: skip
    return groups, nodes


def page() -> Page:
    """The page."""
    (groups_a, nodes_a), (groups_b, nodes_b) = _zone("a", 172), _zone("b", 380)
    groups = (
        Group("cloud", "cloud", "AWS Cloud", Box(124, 90, 972, 548)),
        Group("region", "region", "Region", Box(240, 118, 846, 510), "cloud"),
        Group("vpc", "vpc", "VPC", Box(342, 140, 546, 432), "region"),
        *groups_a,
        *groups_b,
        Group(
            "group", "scaling", "1 to 2 servers", Box(482, 193, 130, 368), "vpc", across=True,
            label_at=Point(504, 368), kinds=("aws_autoscaling_group", "aws_autoscaling_policy"),
        ),
    )  # fmt: skip
    nodes = (
        Node("learners", "users", "Learners", Point(36, 346), "browser", size=44),
        Node("dns", "route53", "Route 53", Point(160, 190), "domain", "cloud", kinds=("aws_route53_record",)),
        Node(
            "certificate", "certificate", "Certificate", Point(272, 190), "ACM", "region",
            kinds=("aws_acm_certificate",),
        ),
        Node(
            "waf", "waf", "WAF", Point(272, 348), "AWS's rules,\nrate limit", "region",
            kinds=("aws_wafv2_web_acl",),
        ),
        Node("canary", "lambda", "Canary", Point(272, 500), "a page each\nminute, from\noutside", "region"),
        *nodes_a,
        *nodes_b,
        Node("endpoints", "endpoint", "Gateway\nendpoints", Point(817, 348), "", "vpc", kinds=("aws_vpc_endpoint",)),
        Node(
            "content", "s3", "Course content", Point(920, 190), "S3: materials,\nvideos, releases", "region",
            beside=True, kinds=("aws_s3_bucket",),
        ),
        Node(
            "progress", "dynamodb", "Progress", Point(920, 348), "DynamoDB", "region", beside=True,
            kinds=("aws_dynamodb_table",),
        ),
        Node(
            "secrets", "secrets", "Secrets", Point(920, 450), "Secrets Manager", "region", beside=True,
            kinds=("aws_secretsmanager_secret",),
        ),
        Node(
            "mail", "ses", "Mail", Point(920, 530), "SES, DKIM-signed", "region", beside=True,
            kinds=("aws_sesv2_email_identity",),
        ),
    )  # fmt: skip
    edges = (
        Edge("learners", "dns", ("top", 0.75), ("left", 0.5), (Point(69, 210),), "", "1", Point(100, 210)),
        Edge("learners", "waf", ("right", 0.5), ("left", 0.5), (), "443", "2", Point(184, 354)),
        Edge("canary", "waf", ("left", 0.5), ("left", 0.8), (Point(252, 520), Point(252, 380))),
        Edge("waf", "balancer-a", ("right", 0.5), ("left", 0.5), (Point(334, 368), Point(334, 274)), look="call"),
        Edge("waf", "balancer-b", ("right", 0.5), ("left", 0.5), (Point(334, 368), Point(334, 482)), look="call"),
        Edge("balancer-a", "group", ("right", 0.5), ("left", 81 / 368), (), "", "3", Point(457, 274)),
        Edge("balancer-b", "group", ("right", 0.5), ("left", 289 / 368), (), "", "3", Point(457, 482)),
        Edge("group", "database-a", ("right", 61 / 368), ("left", 0.5), (), "", "4", Point(624, 254)),
        Edge("group", "files-a", ("right", 121 / 368), ("left", 0.5), (), "", "6", Point(624, 314)),
        Edge("group", "files-b", ("right", 329 / 368), ("left", 0.5), (), "", "6", Point(624, 522)),
        Edge("group", "endpoints", ("right", 175 / 368), ("left", 0.5), (), "443", "5", Point(714, 368)),
        Edge("endpoints", "progress", ("right", 0.5), ("left", 0.5)),
        Edge("endpoints", "content", ("top", 0.5), ("left", 0.5), (Point(837, 210),)),
        Edge(
            "learners", "content", ("top", 0.25), ("top", 0.5), (Point(47, 75), Point(940, 75)), "443, presigned URLs",
            "7", Point(520, 75), both=True,
        ),
        Edge("group", "mail", ("bottom", 0.5), ("left", 0.5), (Point(547, 600), Point(902, 600), Point(902, 550))),
        Edge(
            "group", "secrets", ("bottom", 0.5), ("left", 0.5), (Point(547, 600), Point(902, 600), Point(902, 470)),
            "443, through NAT", "8", Point(700, 600),
        ),
    )  # fmt: skip
    steps = tuple(
        Table(
            f"step-{number}", "", Box(24 + 272 * (index % 4), 650 + 46 * (index // 4), 262, 46), (26.0,),
            ((first,), (second,)), frame=False, size=13, badges=(number, ""),
        )
        for index, (number, first, second) in enumerate(STEPS)
    )  # fmt: skip
    return Page(
        "request-path",
        "Lyceum: the way of a request",
        "Production, in two zones. Development: the same with no standby, one NAT gateway and, without a domain, "
        "port 80 for its operators.",
        "A learner's browser resolves the domain in Route 53, reaches the load balancer through WAF over HTTPS, and a "
        "server of the auto scaling group answers. Servers keep student data in RDS PostgreSQL, progress in DynamoDB, "
        "shared files on EFS. Videos pass between the browser and S3 alone.",
        (1120, 780),
        groups,
        nodes,
        tables=steps,
        edges=edges,
        legend=("network", "compute", "database", "storage", "security", "group:zone", "group:scaling", "edge:call"),
        legend_at=Point(24, 764),
    )
