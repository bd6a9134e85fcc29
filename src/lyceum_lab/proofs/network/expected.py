"""What must pass and what must never, written by hand from the requirements.

Nothing here is read from the code that makes the network: no table of flows, no Terraform. Whoever changes what may
pass changes it there and here, and says why in both. The list is closed: what is not on it must not pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lyceum_lab.proofs.network.topology import LINUX_PORTS, WIDE_PORTS

# Where each role lives, by its name. Another tier, or a role that is not here, is a finding.
TIERS = {
    "load-balancer": "public",
    "server": "app",
    "database": "data",
    "files": "data",
    "bastion": "management",
    "jobs": "management",
    "endpoints": "management",
}
PUBLIC_ROLES = {"load-balancer"}

# How each tier may leave the VPC. The data tier has no way at all.
WAYS_OUT = {
    "public": {"internet"},
    "app": {"nat", "s3", "dynamodb"},
    "management": {"nat", "s3", "dynamodb"},
    "data": set[str](),
}


@dataclass(frozen=True)
class Given:
    """What an environment was asked to be. `operators` are the ranges of its operators, None with a domain."""

    operators: tuple[str, ...] | None
    nat: str = "one"  # none, one or per_zone
    endpoints: bool = False
    bastion_by_endpoint: bool = False

    @property
    def domain(self) -> bool:
        return self.operators is None


# As env/*.tfvars promise, with the operators that the rehearsal names (RFC 5737: for documents, nobody's).
ENVIRONMENTS = {"dev": Given(operators=("203.0.113.0/24",)), "prod": Given(operators=None, nat="per_zone")}


@dataclass(frozen=True)
class Connection:
    """One that must pass, and whose replies must come back: by TCP, on this way (see verdict.Verdict.via)."""

    source: str
    target: str
    port: int
    via: str
    why: str


def connections(given: Given) -> tuple[Connection, ...]:
    """Every connection there may be. `internet` is any address outside the VPC, `visitors` whoever may come in."""
    found = [
        Connection("visitors", "load-balancer", 80, "internet",
                   "answered with the way to 443" if given.domain else "operators try the platform without a domain"),
        Connection("load-balancer", "server", 8000, "local", "requests and health checks"),
        Connection("server", "database", 5432, "local", "student data"),
        Connection("server", "files", 2049, "local", "files that students share"),
        Connection("bastion", "database", 5432, "local", "an operator's way to the database"),
        Connection("jobs", "database", 5432, "local", "migrations"),
    ]  # fmt: skip
    if given.domain:
        found.append(Connection("visitors", "load-balancer", 443, "internet", "learners, by TLS"))
    askers = ["server", "jobs"] + ([] if given.bastion_by_endpoint else ["bastion"])
    for role in askers:
        if given.nat != "none":
            found.append(Connection(role, "internet", 443, "nat", "AWS's services, package mirrors, Session Manager"))
        # For the bastion they come with 443 to everywhere: no address tells AWS's services apart. The endpoints'
        # policies and its role close them.
        found += [
            Connection(role, service, 443, "gateway", "content, packages, progress; never through NAT")
            for service in ("s3", "dynamodb")
        ]
    if given.endpoints:
        found += [
            Connection(role, "endpoints", 443, "local", "AWS's services without the internet")
            for role in ("server", "jobs", "bastion")
        ]
    return tuple(found)


@dataclass(frozen=True)
class Never:
    """What would be worst. Everything off the list above must not pass; these sentences say what it would mean."""

    source: str  # a role, outside, anyone
    target: str
    why: str


NEVER = (
    Never("outside", "database", "student data is open to the internet"),
    Never("outside", "files", "students' files are open to the internet"),
    Never("outside", "server", "a server is reached past the load balancer and its firewall"),
    Never("outside", "bastion", "the bastion has no way in: Session Manager is asked from within"),
    Never("outside", "jobs", "nobody calls a job"),
    Never("outside", "endpoints", "the endpoints are for this VPC alone"),
    Never("outside", "load-balancer", "the load balancer answers to more than its visitors, or on more than its port"),
    Never("load-balancer", "database", "the load balancer reaches student data past the servers"),
    Never("load-balancer", "files", "the load balancer reaches students' files past the servers"),
    Never("load-balancer", "outside", "the load balancer opens connections of its own"),
    Never("database", "anyone", "the data tier opens connections: what was stolen could leave"),
    Never("files", "anyone", "the data tier opens connections: what was stolen could leave"),
    Never("endpoints", "anyone", "an endpoint opens connections"),
    Never("anyone", "bastion", "the bastion has no inbound rule"),
    Never("anyone", "jobs", "nobody calls a job"),
    Never("server", "server", "an intruder goes from one server to the next"),
    Never("bastion", "server", "the bastion reaches the database and nothing else"),
    Never("bastion", "files", "the bastion reaches the database and nothing else"),
    Never("jobs", "server", "jobs reach the database and AWS"),
    Never("server", "load-balancer", "a server goes in through the load balancer's back"),
)


@dataclass(frozen=True)
class Packet:
    """What a tier's network ACL must let through, by itself: TCP to these ports, in from (out to) a peer.

    `peer` is a tier, `visitors`, or `outside`: every address that is not the VPC's.
    """

    tier: str
    egress: bool
    peer: str
    ports: tuple[int, int]
    why: str


def _in(tier: str, peer: str, ports: int | tuple[int, int], why: str) -> Packet:
    return Packet(tier, False, peer, ports if isinstance(ports, tuple) else (ports, ports), why)


def _out(tier: str, peer: str, ports: int | tuple[int, int], why: str) -> Packet:
    return replace(_in(tier, peer, ports, why), egress=True)


def packets(given: Given) -> tuple[Packet, ...]:
    """Every kind of packet that may cross the border of a tier's subnets. Nothing else may."""
    found = [
        # public: the load balancer
        _in("public", "visitors", 80, "requests"),
        _out("public", "visitors", WIDE_PORTS, "answers to visitors"),
        _out("public", "app", 8000, "requests passed on"),
        _in("public", "app", WIDE_PORTS, "servers' answers to the load balancer"),
        # app: the servers
        _in("app", "public", 8000, "requests passed on"),
        _out("app", "public", WIDE_PORTS, "servers' answers to the load balancer"),
        _out("app", "data", 5432, "queries"),
        _out("app", "data", 2049, "shared files"),
        _in("app", "data", LINUX_PORTS, "answers of the database and the files"),
        _out("app", "outside", 443, "AWS, through NAT or a gateway"),
        _in("app", "outside", LINUX_PORTS, "answers from outside"),
        # data
        _in("data", "app", 5432, "queries"),
        _in("data", "app", 2049, "shared files"),
        _out("data", "app", LINUX_PORTS, "answers to servers"),
        _in("data", "management", 5432, "operators and migrations"),
        _out("data", "management", LINUX_PORTS, "answers to operators and migrations"),
        # management: bastion and jobs
        _out("management", "data", 5432, "operators and migrations"),
        _in("management", "data", LINUX_PORTS, "answers of the database"),
        _out("management", "outside", 443, "AWS, through NAT or a gateway"),
        _in("management", "outside", LINUX_PORTS, "answers from outside"),
    ]
    if given.domain:
        found.append(_in("public", "visitors", 443, "learners, by TLS"))
    if given.nat != "none":
        found += [
            _out("public", "outside", 443, "what NAT asks"),
            _in("public", "outside", WIDE_PORTS, "answers to NAT"),
        ]
        for tier in ("app", "management"):
            found += [
                _in("public", tier, 443, "on its way to NAT"),
                _out("public", tier, LINUX_PORTS, "answers that come back through NAT"),
            ]
    if given.endpoints:
        found += [
            _out("app", "management", 443, "servers to the endpoints"),
            _in("app", "management", LINUX_PORTS, "the endpoints' answers"),
            _in("management", "app", 443, "servers to the endpoints"),
            _out("management", "app", LINUX_PORTS, "the endpoints' answers"),
            _out("management", "management", 443, "to the endpoint in the other zone"),
            _in("management", "management", 443, "to the endpoint in the other zone"),
            _out("management", "management", LINUX_PORTS, "answers of the endpoint in the other zone"),
            _in("management", "management", LINUX_PORTS, "answers of the endpoint in the other zone"),
        ]
    return tuple(found)


# Rules that may go, or be widened, without anything on these lists noticing: by what is done, tier, direction, number.
# A justification that nothing needs is itself a finding.
BACKS_UP = (
    "No allow stands after this deny, as the data tier speaks to nobody outside. It is there for the day on which one "
    "is added: that would then open nothing inside the VPC."
)
JUSTIFIED = {
    ("removed", "data", False, 500): BACKS_UP,
    ("removed", "data", True, 500): BACKS_UP,
}
