"""The pair in its place: data subnets of a network of namespaces, found by its name, ordered over the API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.lyceum_lab.cloud.balancer.conftest import until
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.cloud.network import namespaces, vpc
from lyceum_lab.cloud.site import Declared, Site, resolving
from lyceum_lab.cloud.standby import LINK
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.expected import ENVIRONMENTS
from lyceum_lab.proofs.network.topology import Topology
from lyceum_lab.rehearsal import infrastructure

pytestmark = pytest.mark.namespaces
NAME, FIRST, SECOND = "lyceum-dev-database", "us-east-1a", "us-east-1b"
ENDPOINT = f"{NAME}.c0ffee.us-east-1.rds.amazonaws.com"
# What a server does: it knows the endpoint's name, asks the VPC's resolver, and speaks TLS.
ASK = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as there:
    cursor = there.execute(sys.argv[2])
    while cursor.nextset():
        pass
    rows = cursor.fetchall()
    print(there.info.hostaddr, there.pgconn.ssl_in_use, *(row[0] for row in rows))
"""


@dataclass
class Standing:
    """The site, and a server in it."""

    site: Site
    server: vpc.Attached

    def ask(self, statement: str) -> list[str]:
        """As a server asks: the address that it found, whether by TLS, and the first column of what is there."""
        url = self.site.database.owner_url.replace(self.site.database.address, ENDPOINT)
        command = [sys.executable, "-c", ASK, f"{url}?sslmode=require&connect_timeout=5", statement]
        done = subprocess.run(
            resolving(self.server.namespace.prefix, vpc.RESOLVER, self.site.folder, command),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


@pytest.fixture
def standing(development: Topology, emulator: Emulator, tmp_path: Path) -> Iterator[Standing]:
    session = infrastructure.Session.of(infrastructure.aws_environment(emulator.endpoint))
    session.client("rds").create_db_instance(
        DBInstanceIdentifier=NAME, Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="lyceum_admin", MasterUserPassword="not-for-any-log", MultiAZ=True,
    )  # fmt: skip
    secret = session.client("secretsmanager").create_secret(Name=NAME, SecretString='{"password": "of-the-owner"}')
    logs = tmp_path / "logs"
    logs.mkdir()
    site = Site(session, emulator.endpoint, "dev", tmp_path, logs, dict(os.environ))
    site.topology, site.model = development, Model(development, ENVIRONMENTS["dev"])
    site.declared = Declared(
        "lyceum-dev.elb.us-east-1.amazonaws.com", ENDPOINT, 5432, secret["ARN"], "fs-1", FIRST, multi_az=True
    )
    try:
        site.build_network()
        assert "its standby" in site.start_database()
        kind = next(one for one in development.hosts if one.role == "server")
        server = site.vpc.attach("server-1", site.place_server(kind.subnet, kind.address + 40))
        yield Standing(site, server)
    finally:
        site.close()
    assert namespaces.left(site.vpc.key) == []


def test_a_failover_over_the_api_leads_the_name_to_the_other_zone_with_every_row(standing: Standing) -> None:
    site, rds = standing.site, standing.site.session.client("rds")
    primary, standby = (site.address("database", zone) for zone in (FIRST, SECOND))
    assert standing.ask("CREATE TABLE kept (number int); INSERT INTO kept VALUES (1) RETURNING number") == [
        primary, "True", "1"
    ]  # fmt: skip
    # The stream is encrypted, and goes beside the VPC: no rule of the customer's lets the data tier speak by itself.
    told = site.vpc.attached[f"database-{FIRST}"].namespace.enter(lambda: _stream(site.database.admin_url))
    assert told == (True, str(list(LINK.hosts())[1]))

    rds.reboot_db_instance(DBInstanceIdentifier=NAME, ForceFailover=True)

    def shown() -> tuple[str, str]:
        (one,) = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"]
        return one["DBInstanceStatus"], one["AvailabilityZone"]

    assert site.pair
    pair = site.pair
    until(lambda: shown() == ("available", SECOND), told=lambda: (shown(), pair.trouble, pair.events))
    assert standing.ask("INSERT INTO kept VALUES (2); SELECT number FROM kept ORDER BY 1") == [
        standby, "True", "1", "2"
    ]  # fmt: skip
    assert site.inside[ENDPOINT] == standby  # where a session through the bastion comes out
    until(lambda: pair.describe()["state"] == "in step", told=lambda: (pair.trouble, pair.events))
    assert (pair.describe()["zone"], pair.describe()["standby"]) == (SECOND, FIRST)


def _stream(admin_url: str) -> tuple[bool, str]:
    """Whether the standby's stream is encrypted, and from where it is asked for."""
    with psycopg.connect(admin_url) as connection:
        rows = connection.execute(
            "SELECT ssl, host(client_addr) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)"
        ).fetchall()
    ((encrypted, address),) = rows
    return bool(encrypted), str(address)
