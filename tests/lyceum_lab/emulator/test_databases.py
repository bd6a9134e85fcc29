"""RDS's failover: without a standby it is refused, the pair that reports in hears of it, the API tells of its end."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

NAMES = {True: "with-a-standby", False: "alone"}


@pytest.fixture(scope="module")
def rds(emulator: Emulator) -> Any:
    client = emulator.client("rds")
    for multi_az, name in NAMES.items():
        client.create_db_instance(
            DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
            MasterUsername="lyceum_admin", MasterUserPassword="not-for-any-log", MultiAZ=multi_az,
        )  # fmt: skip
    return client


def report(emulator: Emulator, zone: str, standby: str, *events: str, database: str = NAMES[True]) -> Any:
    told = {"region": "us-east-1", "database": database, "zone": zone, "standby": standby, "events": events}
    request = urllib.request.Request(f"{emulator.endpoint}/_lyceum/databases", json.dumps(told).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def shown(rds: Any) -> tuple[str, str, str]:
    (one,) = rds.describe_db_instances(DBInstanceIdentifier=NAMES[True])["DBInstances"]
    return one["DBInstanceStatus"], one["AvailabilityZone"], one.get("SecondaryAvailabilityZone", "")


def test_a_failover_is_ordered_heard_once_and_told_of(emulator: Emulator, rds: Any) -> None:
    # Nobody stands for it: an order changes nothing, as in ./lyceum up.
    rds.reboot_db_instance(DBInstanceIdentifier=NAMES[True], ForceFailover=True)
    assert shown(rds)[0] == "available"
    assert report(emulator, "us-east-1a", "us-east-1b") == {"failover": False}
    assert shown(rds) == ("available", "us-east-1a", "us-east-1b")
    rds.reboot_db_instance(DBInstanceIdentifier=NAMES[True])
    assert report(emulator, "us-east-1a", "us-east-1b") == {"failover": False}
    said = rds.reboot_db_instance(DBInstanceIdentifier=NAMES[True], ForceFailover=True)
    assert said["DBInstance"]["DBInstanceStatus"] == "rebooting"
    assert report(emulator, "us-east-1a", "us-east-1b") == {"failover": True}
    assert report(emulator, "us-east-1a", "us-east-1b", "Multi-AZ instance failover started.") == {"failover": False}
    assert shown(rds)[0] == "rebooting"
    report(emulator, "us-east-1b", "", "Multi-AZ instance failover completed")
    assert shown(rds)[:2] == ("available", "us-east-1b")
    report(emulator, "us-east-1b", "us-east-1a")
    assert shown(rds)[1:] == ("us-east-1b", "us-east-1a")
    events = rds.describe_events(SourceType="db-instance", SourceIdentifier=NAMES[True], Duration=60)["Events"]
    assert [one["Message"] for one in events if "failover" in one["EventCategories"]] == [
        "Multi-AZ instance failover started.", "Multi-AZ instance failover completed",
    ]  # fmt: skip


def test_without_a_standby_there_is_nothing_to_fail_over_to(emulator: Emulator, rds: Any) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.reboot_db_instance(DBInstanceIdentifier=NAMES[False], ForceFailover=True)
    rds.reboot_db_instance(DBInstanceIdentifier=NAMES[False])
    with pytest.raises(urllib.error.HTTPError, match="400"):
        report(emulator, "us-east-1a", "", database="nobody")
