"""Page 5: the cloud on one machine: what stands for what when the applied network becomes one of namespaces."""

from __future__ import annotations

from lyceum_lab.documents.diagram.model import Box, Card, Edge, Group, Node, Page, Point

HOSTS = (
    ("internet", "Internet", "Learners", ("clients that learn,", "and an intruder"), "users"),
    ("public", "Public", "haproxy", ("for the load", "balancer, with its", "health checks"), "balancer"),
    ("app-1", "App, zone a", "Server 1", ("systemd-nspawn,", "cloud-init with the", "real user data"), "ec2"),
    ("app-2", "App, zone b", "Server 2", ("comes and goes as", "the scaling policies", "decide"), "ec2"),
    ("data-1", "Data", "PostgreSQL", ("for RDS,", "with TLS"), "rds"),
    ("data-2", "Data", "SFTP server", ("for EFS, mounted", "on each server", "by sshfs"), "efs"),
    ("management", "Management", "Bastion", ("port forward to", "the database"), "ssm"),
)
STEP, WIDE, LEFT = 154.0, 142.0, 166.0


def page() -> Page:
    """The page."""
    groups = [
        Group("machine", "host", "One Linux machine, as root: ./lyceum rehearse", Box(124, 84, 1140, 582)),
        Group("vpc", "vpc", "The applied VPC, as network namespaces", Box(148, 268, 1102, 382), "machine"),
    ]
    cards = [
        Card("terraform", "Terraform", Box(166, 128, 180, 76), ("infra/bootstrap and", "infra/platform, unchanged"),
             "machine", "process"),
        Card("emulator", "Emulated AWS", Box(446, 128, 210, 76), ("moto and fillers, at AWS's own", "names inside"),
             "machine", "process"),
        Card("reader", "Reader", Box(756, 128, 200, 76), ("routes, ACLs and groups as", "the API tells them"),
             "machine", "process"),
        Card("metadata", "Metadata service", Box(1036, 128, 190, 76), ("IMDSv2 on 169.254.169.254,", "knows each host"),
             "machine", "process"),
        Card("router", "Router namespace", Box(166, 312, 1066, 66),
             ("one bridge a subnet · network ACLs as stateless nftables rules · routes · NAT · gateway endpoints",),
             "vpc", "kernel"),
    ]  # fmt: skip
    nodes, edges = [], []
    for index, (name, where, title, lines, icon) in enumerate(HOSTS):
        x = LEFT + STEP * index
        groups.append(Group(f"space-{name}", "space", where, Box(x, 432, WIDE, 152), "vpc"))
        nodes.append(Node(name, icon, title, Point(x + WIDE / 2 - 20, 462), "\n".join(lines), f"space-{name}"))
        edges.append(
            Edge(
                "router", f"space-{name}", ("bottom", (x + WIDE / 2 - 166) / 1066), ("top", 0.5), look="call", both=True
            )
        )
    cards.append(
        Card("groups", "Security groups: connection tracking in each host's own namespace",
             Box(166, 600, 1066, 34), (), "vpc", "group")
    )  # fmt: skip
    edges += [
        Edge("engineer", "terraform", ("right", 0.5), ("left", 0.5)),
        Edge("terraform", "emulator", ("right", 0.5), ("left", 0.5), (), "applies"),
        Edge("reader", "emulator", ("left", 0.5), ("right", 0.5), (), "reads"),
        Edge("router", "emulator", ("top", (551 - 166) / 1066), ("bottom", 0.5), (),
             "AWS's API, by NAT\nor an endpoint", label_at=Point(494, 236)),
        Edge("reader", "router", ("bottom", 0.5), ("top", (856 - 166) / 1066), (), "compiles",
             label_at=Point(888, 236)),
        Edge("router", "metadata", ("top", (1131 - 166) / 1066), ("bottom", 0.5)),
    ]  # fmt: skip
    return Page(
        "rehearsal",
        "Lyceum: the cloud on one machine",
        "No account needed: the network that Terraform applied carries packets, and servers boot from their real "
        "launch template.",
        "Terraform applies the unchanged code to an emulated AWS. A reader turns what was applied into a router "
        "namespace with a bridge per subnet, stateless rules for the network ACLs and connection tracking for the "
        "security groups. haproxy stands for the load balancer, nspawn containers for the servers, PostgreSQL for RDS "
        "and an SFTP server for EFS.",
        (1280, 724),
        tuple(groups),
        (Node("engineer", "laptop", "Engineer", Point(42, 146)), *nodes),
        tuple(cards),
        (),
        tuple(edges),
        legend=("group:space", "group:vpc", "edge:call", "compute", "database", "storage", "management"),
        legend_at=Point(24, 696),
    )
