"""Page 3: how a merge reaches production by itself."""

from __future__ import annotations

from itertools import pairwise

from lyceum_lab.documents.diagram.model import Box, Card, Edge, Group, Node, Page, Point, Table

STAGES = (
    ("source", ("GitHub, by", "CodeConnections"), ("aws_codeconnections_connection",)),
    ("verify", ("./lyceum test", "--suite verify"), ("aws_codebuild_project",)),
    ("plan", ("and what it", "will cost"), ()),
    ("approve", ("a person, before", "production"), ("aws_codepipeline",)),
    ("apply", ("with its own role,", "the plan as seen"), ()),
    ("publish", ("one archive,", "with its hash"), ()),
    ("migrate", ("fit for old and", "new code alike"), ()),
    ("release", ("new version of", "the template"), ()),
    ("smoke", ("the platform", "answers"), ()),
)
WIDE, STEP, LEFT = 104.0, 121.0, 160.0


def _middle(stage: str) -> float:
    return LEFT + STEP * [name for name, _, _ in STAGES].index(stage) + WIDE / 2


def page() -> Page:
    """The page."""
    groups = (
        Group("cloud", "cloud", "AWS Cloud", Box(124, 84, 1140, 596)),
        Group("region", "region", "Region", Box(136, 112, 1116, 556), "cloud"),
        Group("pipeline", "box", "CodePipeline; each stage a CodeBuild project with a role of its own",
              Box(148, 144, 1092, 142), "region"),
        Group("vpc", "vpc", "VPC", Box(862, 428, 378, 214), "region"),
    )  # fmt: skip
    stages = tuple(
        Card(name, name, Box(LEFT + STEP * index, 184, WIDE, 84), lines, "pipeline", "stage", kinds=kinds)
        for index, (name, lines, kinds) in enumerate(STAGES)
    )

    def below(stage: str, y: float = 318) -> Point:
        return Point(_middle(stage) - 20, y)

    nodes = (
        Node("engineer", "user", "Engineer", Point(42, 112), "merges"),
        Node("repository", "repository", "Repository", Point(42, 206), "GitHub"),
        Node("artifacts", "s3", "Artifacts", below("source"), "between stages", "region"),
        Node("state", "s3", "State", below("plan"), "S3, lock file", "region"),
        Node("topic", "sns", "Approval", below("approve"), "with the plan", "region"),
        Node("releases", "s3", "Releases", below("publish"), "written once", "region"),
        Node("template", "template", "Launch template", below("release"), "tag Release", "region",
             kinds=("aws_launch_template",)),
        Node("database", "rds", "PostgreSQL", below("migrate", 500), "", "vpc"),
        Node("servers", "scaling", "Servers", below("release", 500), "one group", "vpc"),
        Node("balancer", "balancer", "Load balancer", below("smoke", 500), "drains, checks", "vpc"),
    )  # fmt: skip
    flow = tuple(Edge(one[0], other[0], ("right", 0.5), ("left", 0.5)) for one, other in pairwise(STAGES))
    edges = (
        *flow,
        Edge("engineer", "repository", ("bottom", 0.5), ("top", 0.5)),
        Edge("repository", "source", ("right", 0.5), ("left", 0.5)),
        Edge("source", "artifacts", ("bottom", 0.5), ("top", 0.5), look="data", both=True),
        Edge("plan", "state", ("bottom", 0.5), ("top", 0.5), look="data", both=True),
        Edge("approve", "topic", ("bottom", 0.5), ("top", 0.5), look="alert"),
        Edge("publish", "releases", ("bottom", 0.5), ("top", 0.5), look="data"),
        Edge("migrate", "database", ("bottom", 0.5), ("top", 0.5), (), "5432", label_at=Point(956, 468)),
        Edge("release", "template", ("bottom", 0.5), ("top", 0.5)),
        Edge("template", "servers", ("bottom", 0.5), ("top", 0.5), (), "instance refresh:\nlaunch, then end",
             label_at=Point(1116, 464)),
        Edge("smoke", "balancer", ("bottom", 0.5), ("top", 0.5), (), "443", label_at=Point(1196, 400)),
        Edge("balancer", "servers", ("left", 0.5), ("right", 0.5), (), "8000", label_at=Point(1119, 510)),
        Edge("servers", "releases", ("bottom", 0.5), ("bottom", 0.5), (Point(1059, 616), Point(817, 616)),
             "fetch the archive, check its hash", label_at=Point(968, 606), look="data"),
    )  # fmt: skip
    bad = Table(
        "bad", "What a bad change meets", Box(160, 440, 600, 172), (0, 250),
        (
            ("the change", "what happens"),
            ("fails a test or a proof", "verify stops it; nothing was touched"),
            ("a plan that changed after approval", "apply refuses it"),
            ("a migration the running code cannot bear", "refused before it runs"),
            ("an archive altered by one byte", "the server does not start it, and gets no traffic"),
            ("a server that does not come up", "gets no traffic; the refresh goes back by itself"),
            ("errors once it is live", "alarms ring, the refresh goes back by itself"),
            ("anything, by hand", "./lyceum rollback: the template's older version"),
        ),
        "region", strong=frozenset({0}), size=12,
    )  # fmt: skip
    return Page(
        "delivery",
        "Lyceum: delivery",
        "Every merge reaches production by itself, and a bad one goes back by itself.",
        "A pipeline of nine stages from the repository to a smoke test. Publishing writes the archive to the bucket of "
        "releases, migrating reaches the database from inside the VPC, releasing makes a new version of the launch "
        "template and refreshes the group of servers, which launches a server before it ends one.",
        (1280, 730),
        groups,
        nodes,
        stages,
        (bad,),
        edges,
        legend=("developer", "storage", "compute", "management", "edge:call", "edge:data", "edge:alert"),
        legend_at=Point(24, 706),
    )
