"""Where the two ends are: the bastion by its tag, the database by its name. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.doctor.stores import ANSWERS
from lyceum_ops.errors import LyceumError

BASTION_PAGE = "docs/runbook/reach-the-database.md says how it comes back."


@dataclass(frozen=True)
class Database:
    """A database of an environment: where it listens, and the secret with which its owner logs in."""

    identifier: str
    address: str
    port: int
    name: str
    owner: str
    owner_secret: str


def find_database(session: Any, identifier: str) -> Database:
    """Raises LyceumError when there is none of this name, or it answers nobody now."""
    try:
        with aws.asking("rds"):
            told = session.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    except LyceumError as error:
        if aws.code(error) in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
            raise LyceumError(f"There is no database {identifier}.", "Was the environment applied?") from error
        raise
    if told["DBInstanceStatus"] not in ANSWERS:
        raise LyceumError(
            f"{identifier} is {told['DBInstanceStatus']} and answers nobody.", "See docs/runbook/lose-the-database.md."
        )
    where = told.get("Endpoint", {})
    return Database(
        identifier, where["Address"], int(where["Port"]), told["DBName"], told["MasterUsername"],
        told.get("MasterUserSecret", {}).get("SecretArn", ""),
    )  # fmt: skip


def find_bastion(session: Any, environment: str) -> str:
    """The id of the instance that runs. Raises LyceumError when there is none, or it is stopped."""
    name = f"lyceum-{environment}-bastion"
    with aws.asking("ec2"):
        found = session.client("ec2").describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])
    instances = [one for each in found["Reservations"] for one in each["Instances"]]
    states = {one["State"]["Name"]: one["InstanceId"] for one in instances}
    if "running" in states:
        return str(states["running"])
    if stopped := states.get("stopped") or states.get("stopping"):
        raise LyceumError(f"The bastion {stopped} is stopped.", f"aws ec2 start-instances --instance-ids {stopped}")
    if coming := states.get("pending"):
        raise LyceumError(f"The bastion {coming} is starting.", "Run this again in a minute.")
    raise LyceumError(f"There is no bastion {name}.", BASTION_PAGE)
