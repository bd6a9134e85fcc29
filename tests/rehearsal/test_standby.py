"""A database of two zones in the whole cloud: learners go on when it fails over, and keep what was acknowledged."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.rehearsal.lessons import Classroom, Lesson
from tests.rehearsal.test_api import Learner
from tests.rehearsal.test_cloud import Cloud, rehearse
from tests.rehearsal.test_learner import COURSE

from lyceum_lab.cloud.network import namespaces

pytestmark = [pytest.mark.cloud, pytest.mark.full]
DATABASE = "lyceum-dev-database"
FILES = f"/courses/{COURSE.name}/files/"


@pytest.fixture(scope="module")
def cloud(home_root: Path) -> Iterator[Cloud]:
    """One `./lyceum rehearse --multi-az`; LYCEUM_TEST_MULTI_AZ_HOME names one that runs already."""
    with rehearse(home_root / "multi-az", os.environ.get("LYCEUM_TEST_MULTI_AZ_HOME"), "--multi-az") as found:
        yield found


def order(cloud: Cloud, zone: str) -> None:
    """As the runbook has it."""
    rds = cloud.session.client("rds")
    answer = rds.reboot_db_instance(DBInstanceIdentifier=DATABASE, ForceFailover=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"


def kill(cloud: Cloud, zone: str) -> None:
    """As a lost machine ends."""
    data = cloud.command.home / "rehearsal" / "postgres" / zone / "data"
    os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)


def share(learner: Learner) -> str:
    """A file for the others of the course, of which the database has a row. Returns its name, once acknowledged."""
    name = f"note-{uuid.uuid4().hex[:8]}.txt"
    learner.get(learner.base + FILES)
    answer = learner.post(
        f"{learner.base}/uploads/{COURSE.name}/",
        data={"csrfmiddlewaretoken": learner.csrf()},
        files={"file": (name, b"what I understood")},
        headers={"Referer": learner.base + FILES},
    )
    assert answer.status_code == 200, answer.text
    assert name in answer.text
    return name


@pytest.mark.parametrize("lose", [order, kill])
def test_learners_go_on_when_the_database_fails_over(cloud: Cloud, lose: Callable[[Cloud, str], None]) -> None:
    cloud.wait("a standby in step", lambda: cloud.cloud["database"]["state"] == "in step")
    zone, standby = cloud.cloud["database"]["zone"], cloud.cloud["database"]["standby"]
    dynamodb = cloud.session.client("dynamodb")
    lessons = [Lesson(cloud.learner(role), dynamodb) for role in ("student", "instructor")]
    for one in lessons:
        one.open()
    kept = [share(lessons[0].learner)]
    with Classroom(lessons) as room:
        time.sleep(2)
        lose(cloud, zone)
        cloud.wait("the other zone", lambda: cloud.cloud["database"]["zone"] == standby, 60)
        acknowledged = [len(one.acknowledged) for one in lessons]
        cloud.wait("reports that are acknowledged again", lambda: all(
            len(one.acknowledged) > before + 3 for one, before in zip(lessons, acknowledged, strict=True)
        ))  # fmt: skip
    print(f"lost {len(room.lost)} of {room.asked}: {sorted(set(room.lost))}")
    assert [one.missing for one in lessons] == [[], []]
    kept.append(share(lessons[1].learner))
    # Who was enrolled still is, what was shared is still listed, and whoever signs in anew finds the same.
    for learner in (*(one.learner for one in lessons), cloud.learner("student")):
        page = learner.get(learner.base + FILES)
        assert page.status_code == 200
        assert [name for name in kept if name not in page.text] == []
    (shown,) = cloud.session.client("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
    assert (shown["DBInstanceStatus"], shown["AvailabilityZone"]) == ("available", standby)
    cloud.wait("another standby in step", lambda: cloud.cloud["database"]["state"] == "in step")
    assert cloud.cloud["database"]["standby"] == zone
    assert f"{standby} serves, its standby in {zone} is in step" in cloud.command("status").stdout


def test_an_operator_comes_to_the_one_that_serves(cloud: Cloud) -> None:
    """The name that the bastion's document names leads on."""
    zone = cloud.cloud["database"]["zone"]
    server = next(iter(cloud.cloud["servers"]))
    bastion = next(name for name in cloud.cloud["hosts"] if name.startswith("bastion"))
    (shown,) = cloud.session.client("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
    for host in (server, bastion):
        found = cloud.exec(host, "getent", "hosts", shown["Endpoint"]["Address"]).stdout.split()
        assert found[0] == cloud.cloud["hosts"][f"database-{zone}"]["address"]


def test_a_crash_leaves_neither_of_them(cloud: Cloud) -> None:
    """The last one: it kills what the others use."""
    os.kill(cloud.state["pid"], signal.SIGKILL)
    cloud.wait("its end", lambda: cloud.command("status").returncode == 1, 30)
    down = cloud.command("down", timeout=120)
    assert down.returncode == 0, down.stderr
    assert cloud.command.left_over() == []
    assert namespaces.left(namespaces.key(cloud.command.home / "rehearsal")) == []
