"""Everything of an environment but its servers: the network, AWS's endpoints, the database, the shared files.

What there is, and where, is read from AWS's API, not from the code that made it. `build` puts it up in a second or
two; `close` takes all of it down in the order in which one needs the other.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lyceum_lab import platform
from lyceum_lab.cloud import standby
from lyceum_lab.cloud.files import SharedFiles
from lyceum_lab.cloud.network import names, namespaces, vpc
from lyceum_lab.cloud.network.authority import Authority
from lyceum_lab.cloud.network.endpoints import Endpoints
from lyceum_lab.cloud.network.metadata import Credentials, Instance, Metadata
from lyceum_lab.cloud.network.vpc import Attached, Vpc
from lyceum_lab.cloud.sessions import Agent
from lyceum_lab.proofs.network import expected
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.prove import read_whole
from lyceum_lab.proofs.network.topology import Host, Subnet, Topology
from lyceum_lab.rehearsal import infrastructure, postgres
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, REGION, Session
from lyceum_ops.errors import LyceumError, MissingTool

# Hosts of the VPC that stand there from the start; servers come and go.
STANDING = ("load-balancer", "database", "files", "bastion", "jobs")


@dataclass(frozen=True)
class Declared:
    """What the API says of an environment, beside its network."""

    balancer: str  # host names
    database: str
    database_port: int
    owner_secret: str  # ARN of what opens the database to its owner
    file_system: str
    zone: str  # where the database is
    multi_az: bool  # whether a standby of it is in another zone

    @classmethod
    def read(cls, session: Session, environment: str) -> Declared:
        """Raises LyceumError when the environment is not there."""
        name = f"lyceum-{environment}"
        try:
            (balancer,) = session.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
            (database,) = session.client("rds").describe_db_instances(DBInstanceIdentifier=f"{name}-database")[
                "DBInstances"
            ]
            (files,) = [
                one
                for one in session.client("efs").describe_file_systems()["FileSystems"]
                if one.get("Name") == f"{name}-files"
            ]
        except ValueError as error:
            raise LyceumError(f"{environment} is applied in part.", f"./lyceum apply {environment}") from error
        return cls(
            balancer["DNSName"],
            database["Endpoint"]["Address"],
            database["Endpoint"]["Port"],
            database["MasterUserSecret"]["SecretArn"],
            files["FileSystemId"],
            database["AvailabilityZone"],
            bool(database.get("MultiAZ")),
        )


@dataclass
class Site:
    """An environment that stands on this machine. `session` is the account's administrator."""

    session: Session
    emulator: str
    environment: str
    folder: Path
    logs: Path
    env: Mapping[str, str]
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)  # by address
    pair: standby.Pair | None = None  # of a database with a standby
    _stops: list[Callable[[], Any]] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------------- to build

    def read(self) -> Topology:
        """Learn what is declared."""
        self.declared = Declared.read(self.session, self.environment)
        self.topology = read_whole(self.session, self.environment)
        self.model = Model(self.topology, expected.ENVIRONMENTS[self.environment])
        return self.topology

    def build_network(self) -> str:
        """The VPC with all that stands in it, and AWS around it. Returns how much there is."""
        outsiders = {one.name: str(IPv4Address(one.address)) for one in self.model.outsiders}
        self.vpc = Vpc(self.topology, namespaces.key(self.folder), outsiders)
        self._stops.append(lambda: vpc.clean(self.vpc.key))
        self.vpc.build()
        for role in STANDING:
            for host in self._standing(role):
                self.vpc.attach(host.name.replace("@", "-"), host)
        self.authority = Authority.create(self.folder)
        endpoints = Endpoints(self.emulator, self.authority, REGION)
        endpoints.start(self.vpc.internet, vpc.SERVICES.values())
        self._stops.append(endpoints.stop)
        self.metadata = Metadata(self.instances.get, self._assume)
        self.metadata.start(self.vpc.router, vpc.METADATA)
        self._stops.append(self.metadata.stop)
        self._resolve()
        standing = len(self.vpc.attached)
        return f"{len(self.topology.subnets)} subnets, {standing} hosts, {len(list(self.topology.rules()))} rules"

    def _standing(self, role: str) -> list[Host]:
        found = [host for host in self.topology.hosts if host.role == role]
        if role == "database":
            found.sort(key=lambda host: host.zone != self.declared.zone)
            return found[: 2 if self.declared.multi_az else 1]
        return found[:1] if role == "jobs" else found

    def _resolve(self) -> None:
        """Start the resolvers: in the VPC its own hosts are known, outside only what is public."""
        known = {**names.aws_names(REGION), self.declared.balancer: self.public_balancer()}
        files = f"{self.declared.file_system}.efs.{REGION}.amazonaws.com"
        self.inside = {self.declared.database: self.address("database"), files: self.address("files")}
        names.write(self._moving, self.inside)
        for where, at, moving in (
            (self.vpc.router, vpc.RESOLVER, self._moving),
            (self.vpc.internet, vpc.INTERNET_SIDE, None),
        ):
            self.children[f"resolver-{at}"] = names.start(where, at, known, self.folder, self.env, moving)

    @property
    def _moving(self) -> Path:
        return self.folder / "names-of-the-vpc"

    def _lead(self, database: postgres.Database) -> None:
        """From now on the database's name leads here."""
        self.database = database
        self.inside[self.declared.database] = database.address
        names.write(self._moving, self.inside)
        self.children[f"resolver-{vpc.RESOLVER}"].send_signal(signal.SIGHUP)

    def start_sessions(self) -> str:
        """The bastion's agent: sessions of Session Manager come out in the bastion's network."""
        (found,) = self.session.client("ec2").describe_instances(
            Filters=[{"Name": "tag:Name", "Values": [f"lyceum-{self.environment}-bastion"]}]
        )["Reservations"]
        bastion = str(found["Instances"][0]["InstanceId"])
        agent = Agent(bastion, self.host("bastion").namespace, self.inside, self.emulator)
        agent.start()
        self._stops.append(agent.stop)
        return bastion

    def start_database(self) -> str:
        """PostgreSQL in the data subnets, with TLS, its owner's password the one that Secrets Manager keeps.

        Where several zones are declared, with a standby in the second.
        """
        secrets = self.session.client("secretsmanager")
        kept = secrets.get_secret_value(SecretId=self.declared.owner_secret)
        owner = {**json.loads(kept["SecretString"]), "username": postgres.OWNER}
        # As RDS writes it: moto names somebody else than the instance's master user.
        secrets.put_secret_value(SecretId=self.declared.owner_secret, SecretString=json.dumps(owner))
        places = [
            postgres.Place(
                address=one.address,
                port=self.declared.database_port,
                namespace=one.namespace.path,
                enter=one.namespace.enter,
                binaries=system_postgres(),
                certificate=self.authority.issue(f"database-{one.host.zone}", [self.declared.database]),
                owner_password=owner["password"],
                recoverable=not self.declared.multi_az,
            )
            for one in self.vpc.attached.values()
            if one.host.role == "database"
        ]
        if self.declared.multi_az:
            self.database = self._start_pair(places)
        else:
            self.database = postgres.start(self.folder / "postgres", self.logs / "postgres.log", self.env, places[0])
            self.children["postgres"] = self.database.process
        where = f"{self.declared.database}:{self.declared.database_port}, {places[0].address}"
        return f"{where}, its standby {places[1].address}" if self.pair else where

    def _start_pair(self, places: list[postgres.Place]) -> postgres.Database:
        hosts = [one for one in self.vpc.attached.values() if one.host.role == "database"]
        if len(hosts) != 2:
            raise LyceumError("A database of several zones needs data subnets in two of them.")
        links = self.vpc.link(hosts[0].namespace, hosts[1].namespace, "standby", standby.LINK)
        one, other = (
            standby.Seat(host.host.zone, replace(place, link=link))
            for host, place, link in zip(hosts, places, links, strict=True)
        )
        report = standby.Report(self.emulator, REGION, f"lyceum-{self.environment}-database")
        made = standby.Pair(
            (one, other),
            self.folder / "postgres",
            self.logs / "postgres.log",
            self.env,
            str(standby.LINK),
            lambda _, database: self._lead(database),
            lambda: report.tell(made),
            self.authority.certificate,
        )
        self.pair = made
        self._stops.append(made.stop)
        return made.start()

    def start_files(self) -> str:
        """The shared file system at its mount targets."""
        self.files = SharedFiles(self.folder / "files")
        targets = [(one.namespace, one.address) for one in self.vpc.attached.values() if one.host.role == "files"]
        self.files.start(targets)
        self._stops.append(self.files.stop)
        return f"{self.declared.file_system}, {len(targets)} mount targets"

    # ----------------------------------------------------------------------------------------------------- who is there

    def host(self, role: str, zone: str = "") -> Attached:
        """A standing host of a role, of a zone if one is named. Raises LyceumError when there is none."""
        for one in self.vpc.attached.values():
            if one.host.role == role and zone in {"", one.host.zone}:
                return one
        raise LyceumError(f"There is no {role} here.")

    def address(self, role: str, zone: str = "") -> str:
        """Where a standing host is."""
        return self.host(role, zone).address

    def place_server(self, subnet_id: str, address: int) -> Host:
        """A server's place in a subnet. Raises LyceumError when the group has no place there, or it is taken."""
        subnet: Subnet = self.topology.subnets[subnet_id]
        kind = next((h for h in self.topology.hosts if h.role == "server" and h.subnet == subnet_id), None)
        if kind is None:
            raise LyceumError(f"{subnet.name} is no subnet of the servers.")
        if not subnet.cidr.holds(address) or any(one.host.address == address for one in self.vpc.attached.values()):
            raise LyceumError(f"{IPv4Address(address)} is not free in {subnet.name}.")
        return vpc.placed(kind, subnet, address)

    def _assume(self, instance: Instance) -> Credentials:
        made = self.session.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{instance.role}", RoleSessionName=instance.id
        )["Credentials"]
        until: datetime = made["Expiration"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], until)

    # ----------------------------------------------------------------------------------------------------------- jobs

    def job(self, settings: Mapping[str, str], log: Path) -> platform.Commands:
        """Whoever migrates and loads: in the management subnets, with AWS at its own names, the database's owner."""
        aws = infrastructure.aws_environment(self.emulator)
        kept = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
                "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")  # fmt: skip
        env = {
            **{name: value for name, value in self.env.items() if "proxy" not in name.lower()},
            **{name: aws[name] for name in kept},
            **settings,
            "AWS_CA_BUNDLE": str(self.authority.certificate),
            "DATABASE_URL": f"{self.database.owner_url}?sslmode=require&connect_timeout=5",
        }
        prefix = self.host("jobs").namespace.prefix
        return platform.Commands(env, log, lambda argv: resolving(prefix, vpc.RESOLVER, self.folder, argv))

    def describe(self) -> dict[str, dict[str, str]]:
        """Every host by name: address, zone, the file of its network namespace."""
        found = {
            name: {
                "address": one.address,
                "zone": one.host.zone,
                "namespace": str(one.namespace.path),
                "resolver": vpc.RESOLVER,
            }
            for name, one in list(self.vpc.attached.items())
        }
        internet = {"zone": "", "namespace": str(self.vpc.internet.path), "resolver": vpc.INTERNET_SIDE}
        return {**found, "internet": {"address": self.vpc.outsiders["internet"], **internet}}

    def public_balancer(self) -> str:
        """The public address of the load balancer's first node."""
        return self.vpc.public[self.address("load-balancer")]

    # ------------------------------------------------------------------------------------------------------ the end

    def close(self) -> None:
        """End what was started and remove the network. Servers have to be gone before."""
        for child in reversed(self.children.values()):
            if child.poll() is None:
                # PostgreSQL would wait for everybody to log out.
                child.send_signal(signal.SIGINT if child is self.children.get("postgres") else signal.SIGTERM)
        for child in self.children.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for stop in reversed(self._stops):
            stop()


def resolving(prefix: list[str], resolver: str, folder: Path, command: list[str]) -> list[str]:
    """A command in the network of a host, and with that network's resolver in the place of this machine's."""
    file = folder / f"resolv-{resolver}.conf"
    file.write_text(f"nameserver {resolver}\noptions timeout:2 attempts:2\n")
    bind = 'mount --bind "$1" "$(readlink -f /etc/resolv.conf)"; shift; exec "$@"'
    return [*prefix, "unshare", "--mount", "--propagation", "private", "sh", "-ec", bind, "sh", str(file), *command]


def system_postgres() -> Path:
    """The programs of this system's PostgreSQL, the newest: the embedded one speaks no TLS. Raises MissingTool."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise MissingTool("There is no PostgreSQL server on this machine.", "Install it: apt-get install postgresql.")
    return found[-1].parent
