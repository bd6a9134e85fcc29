"""Releases in the whole cloud with one server, while learners write progress all the time: a good one, and bad ones.

Bad ones are made as they come about: by a commit, in a clone of this repository, built, published and released by the
commands of an engineer. What is caught before it takes a request costs none; what is caught afterwards costs what is
counted and printed here. Acknowledged progress is never lost.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.lessons import Classroom, Lesson
from tests.rehearsal.test_cloud import Cloud, alone, cloud, operate

from lyceum_lab.delivery.workshop import Workshop
from lyceum_lab.rehearsal import infrastructure
from lyceum_lab.rehearsal.infrastructure import PLATFORM_VARIABLES
from lyceum_ops.releases.release import WARM_UP_SECONDS

__all__ = ["alone", "cloud"]

pytestmark = [pytest.mark.release, pytest.mark.full]

GOOD_SECONDS = 240  # a release of one server, at the time scale of the rehearsal
# A release is judged within this much traffic, while the old server is there: a minute that has begun, the bad minute,
# and one until it is told; or more of them, where it takes time to go bad.
JUDGED_SECONDS = WARM_UP_SECONDS
# No server after so long: a boot takes half a minute here, some on a busy machine, and no time scale shortens it.
PATIENCE = 270

ERRING = '''

class ErringMiddleware:
    """Healthy for whoever checks, and wrong for everybody else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in HEALTH:
            return self.get_response(request)
        return HttpResponse("wrong", status=500)
'''
LEAKING = '''

_kept: list[bytearray] = []


class LeakingMiddleware:
    """Keeps 8 MiB of each request for ever."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in HEALTH:
            _kept.append(bytearray(b"x" * 2**23))
        return self.get_response(request)
'''
MIGRATION = '''"""A migration that the linter of migrations lets pass."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shared", "0001_initial")]
    lives_with = "It changes no table that anybody reads."
    operations = [migrations.RunSQL({sql!r}, migrations.RunSQL.noop)]
'''


def change(workshop: Workshop, what: str, files: Mapping[str, Callable[[str], str]]) -> None:
    """One commit over the good one."""
    workshop.git("checkout", "--quiet", "--force", "--detach", "origin/HEAD")
    workshop.git("clean", "--quiet", "--force", "-d")
    for name, changed in files.items():
        path = workshop.folder / name
        before = path.read_text() if path.exists() else ""
        after = changed(before)
        assert after != before, f"{name} has changed: this test no longer knows it"
        path.write_text(after)
    workshop.git("add", "--all")
    workshop.git("commit", "--quiet", "--allow-empty", "--message", what)


def published(cloud: Cloud, workshop: Workshop) -> str:
    """What is checked out, built and published. Returns its version."""
    target, version = workshop.built()
    done = operate(cloud, "publish", "dev", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    return version


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.make(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def classroom(cloud: Cloud, alone: str) -> Classroom:
    """Everybody who has an account, each in the first video of the sample course, on one server."""
    table = cloud.session.client("dynamodb")
    lessons = [Lesson(cloud.learner(role), table) for role in ("student", "instructor", "administrator")]
    for one in lessons:
        one.open()
    return Classroom(lessons)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Figures are shown, whether a test passes or not."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return show


def live(cloud: Cloud) -> tuple[str, str]:
    """The release that the group launches from, and the one that runs on its only server."""
    told = json.loads(operate(cloud, "releases", "dev", "--json").stdout)
    (server,) = cloud.serving()
    runs = cloud.exec(server, "readlink", "/opt/lyceum/current").stdout.strip().rsplit("/", 1)[-1]
    return told["live"]["release"], runs


def last(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(operate(cloud, "releases", "dev", "--limit", "1", "--json").stdout)["entries"][0]
    return found


def carried(cloud: Cloud) -> None:
    """Terraform writes its next version of the template from the newest: that one has to carry what is live."""
    ec2 = cloud.session.client("ec2")
    newest = ec2.describe_launch_template_versions(LaunchTemplateName="lyceum-dev-server", Versions=["$Latest"])
    data = newest["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    tags = {tag["Key"]: tag["Value"] for one in data["TagSpecifications"] for tag in one["Tags"]}
    assert tags["Release"] == live(cloud)[0]


def ringing(cloud: Cloud) -> list[str]:
    """The alarms of releases that ring."""
    told = cloud.session.client("cloudwatch").describe_alarms(AlarmNamePrefix="lyceum-dev-release-")["MetricAlarms"]
    return [one["AlarmName"] for one in told if one["StateValue"] == "ALARM"]


def alone_again(cloud: Cloud) -> None:
    cloud.wait("one server", lambda: len(cloud.cloud["servers"]) == 1 and len(cloud.serving()) == 1)


def taken_back(
    cloud: Cloud, classroom: Classroom, version: str, tell: Callable[[str], None], what: str, *more: str
) -> float:
    """Release what is bad, and see that it goes back by itself. Returns how many seconds that took."""
    # A release that would be taken back at once is refused: what the one before rang for is over first.
    cloud.wait("silence", lambda: not ringing(cloud))
    before = live(cloud)
    with classroom:
        began = time.monotonic()
        done = operate(cloud, "release", "dev", "--version", version, *more)
        took = time.monotonic() - began
        alone_again(cloud)
        time.sleep(2)  # and learners go on
    tell(f"{what}: {classroom.figures()}; back after {took:.0f} s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{version} was rolled back; production runs {before[0]}" in done.stderr
    assert live(cloud) == before
    assert classroom.missing() == []
    assert classroom.acknowledged > 50
    entry = last(cloud)
    assert (entry["release"], entry["outcome"], entry["is_live"]) == (version, "rolled back", False)
    assert entry["reason"]
    carried(cloud)
    return took


# ------------------------------------------------------------------------------------------------------------ good


def interrupt(cloud: Cloud, version: str, *words: str) -> None:
    """Ctrl-C in the middle: AWS goes on, and the command says so. Another release is refused meanwhile."""
    env = {**cloud.command.env, **infrastructure.aws_environment(str(cloud.state["emulator"]))}
    known = set(cloud.cloud["events"])

    def begun() -> bool:
        return any("refresh to version" in event for event in cloud.cloud["events"] if event not in known)

    with subprocess.Popen([*cloud.command.argv, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True) as process:  # fmt: skip
        cloud.wait("a refresh", begun, 60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert f"interrupted. The refresh to {version} goes on at AWS without this command" in said
    other = operate(cloud, "release", "dev", "--version", live(cloud)[0])
    assert (other.returncode, f"the release of {version} is under way" in other.stderr) == (1, True), other.stderr


def test_a_release_and_its_rollback_lose_nothing(
    cloud: Cloud, workshop: Workshop, classroom: Classroom, tell: Callable[[str], None]
) -> None:
    change(workshop, "A good one.", {})
    version, first = published(cloud, workshop), live(cloud)[0]
    took, joined = dict[str, float](), ""
    with classroom:
        for words in (("release", "dev", "--version", version), ("rollback", "dev")):
            began = time.monotonic()
            if words[0] == "release":
                interrupt(cloud, version, *words)
            done = operate(cloud, *words)
            took[words[0]] = time.monotonic() - began
            joined += done.stdout
            assert done.returncode == 0, done.stdout + done.stderr
            alone_again(cloud)
            assert live(cloud) == ((version,) * 2 if words[0] == "release" else (first,) * 2)
    tell(f"good: {classroom.figures()}; release {took['release']:.0f} s, rollback {took['rollback']:.0f} s")
    assert "is under way already" in joined, "the same again after Ctrl-C joins it"
    assert classroom.lost == []
    assert classroom.missing() == []
    assert classroom.acknowledged > 100
    assert took["release"] <= GOOD_SECONDS
    carried(cloud)


# ------------------------------------------------------------------------------------ caught before it takes a request


@pytest.mark.parametrize(
    ("what", "files", "said"),
    [
        (
            "does not start",
            {"instance/serve.py": lambda text: text.replace("if __name__", 'raise SystemExit("no")\nif __name__')},
            "the platform did not start",
        ),
        (
            "fails its self-test: a migration was not run",
            {"src/lyceum/shared/migrations/0002_more.py": lambda _: MIGRATION.format(sql="SELECT 1")},
            "the release fails its self-test: FAILED migrations",
        ),
    ],
)  # fmt: skip
def test_what_never_comes_into_service_costs_no_request(
    cloud: Cloud, workshop: Workshop, classroom: Classroom, tell: Callable[[str], None], what: str,
    files: dict[str, Callable[[str], str]], said: str,
) -> None:  # fmt: skip
    change(workshop, what, files)
    version = published(cloud, workshop)
    known = set(consoles(cloud))
    took = taken_back(cloud, classroom, version, tell, what, "--patience", str(PATIENCE))
    assert classroom.lost == []
    assert f"came into service within {PATIENCE} s" in last(cloud)["reason"]
    new = [path.read_text(errors="replace") for name, path in consoles(cloud).items() if name not in known]
    assert any(said in text for text in new), new
    assert took < PATIENCE + 60


def consoles(cloud: Cloud) -> dict[str, Path]:
    """What each server of the rehearsal said, the gone included."""
    return {path.parent.name: path for path in (cloud.command.home / "rehearsal" / "servers").glob("*/console.log")}


def test_a_migration_that_fails_stops_before_any_server(
    cloud: Cloud, workshop: Workshop, classroom: Classroom, tell: Callable[[str], None]
) -> None:
    """By the command that the pipeline runs in the management subnets, with the learners at work."""
    change(
        workshop,
        "A migration that fails.",
        {"src/lyceum/shared/migrations/0002_more.py": lambda _: MIGRATION.format(sql="SELECT 1/0")},
    )
    before, servers = live(cloud), cloud.serving()
    with classroom:
        done = migrate(cloud, workshop)
        time.sleep(2)
    tell(f"a migration that fails: {classroom.figures()}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The migration failed" in done.stderr, done.stderr
    assert "division by zero" in done.stderr, done.stderr
    assert classroom.lost == []
    assert classroom.missing() == []
    assert (live(cloud), cloud.serving()) == (before, servers)
    # The tables are as they were: the good one has nothing to do, and says so.
    change(workshop, "A good one.", {})
    again = migrate(cloud, workshop)
    assert again.returncode == 0, again.stdout + again.stderr


def migrate(cloud: Cloud, workshop: Workshop) -> subprocess.CompletedProcess[str]:
    """`./lyceum migrate dev` of the clone, where the pipeline's job would run it."""
    rds, secrets = cloud.session.client("rds"), cloud.session.client("secretsmanager")
    (database,) = rds.describe_db_instances(DBInstanceIdentifier="lyceum-dev-database")["DBInstances"]
    job = next(name for name in cloud.cloud["hosts"] if name.startswith("jobs"))
    settings = {
        "LYCEUM_DATABASE_ADDRESS": database["Endpoint"]["Address"],
        "LYCEUM_DATABASE_PORT": database["Endpoint"]["Port"],
        "LYCEUM_DATABASE_NAME": database["DBName"],
        "LYCEUM_DATABASE_MASTER_SECRET_ARN": database["MasterUserSecret"]["SecretArn"],
        "LYCEUM_DATABASE_SECRET_ARN": secrets.describe_secret(SecretId="lyceum-dev-database")["ARN"],
        "LYCEUM_HOME": workshop.home,
        "AWS_CA_BUNDLE": cloud.cloud["authority"],
        "AWS_REGION": "us-east-1",
    }
    kept = cloud.session.session.get_credentials()
    keys = {"AWS_ACCESS_KEY_ID": kept.access_key, "AWS_SECRET_ACCESS_KEY": kept.secret_key}
    words = [f"{name}={value}" for name, value in {**settings, **keys}.items()]
    return cloud.exec(job, "env", "-u", "AWS_ENDPOINT_URL", *words, str(workshop.folder / "lyceum"), "migrate", "dev",
                      seconds=300)  # fmt: skip


# ------------------------------------------------------------------------------------- caught after it took requests


def errs(text: str) -> str:
    return text + ERRING


def leaks(text: str) -> str:
    return text + LEAKING


def used(name: str) -> Callable[[str], str]:
    """Settings with this middleware first."""
    return lambda text: text.replace("MIDDLEWARE = [\n", f'MIDDLEWARE = [\n    "lyceum.web.middleware.{name}",\n', 1)


@pytest.mark.parametrize(
    ("what", "files", "alarms"),
    [
        (
            "answers 500",
            {"src/lyceum/web/middleware.py": errs, "src/lyceum/settings.py": used("ErringMiddleware")},
            {"lyceum-dev-release-errors"},
        ),
        (
            "leaks memory",
            {"src/lyceum/web/middleware.py": leaks, "src/lyceum/settings.py": used("LeakingMiddleware")},
            # Whichever is first: memory runs out, or what was killed for it refuses requests.
            {"lyceum-dev-release-memory", "lyceum-dev-release-errors"},
        ),
    ],
)
def test_what_errs_or_leaks_is_taken_back_by_its_alarms_within_a_bound(
    cloud: Cloud, workshop: Workshop, classroom: Classroom, tell: Callable[[str], None], what: str,
    files: dict[str, Callable[[str], str]], alarms: set[str],
) -> None:  # fmt: skip
    change(workshop, what, files)
    version = published(cloud, workshop)
    took = taken_back(cloud, classroom, version, tell, what)
    reason = last(cloud)["reason"]
    assert any(alarm in reason for alarm in alarms), reason
    bound = JUDGED_SECONDS / cloud.cloud["scale"]
    # What it took to drain the bad server, and what the machine was late by, come on top.
    assert classroom.losing < bound + 15
    assert len(classroom.lost) < classroom.asked / 2
    if what == "answers 500":
        assert classroom.lost, "nobody met the bad server: this test shows nothing"
        assert set(classroom.lost) == {"500"}
    assert took < 600


# ---------------------------------------------------------------------------------------------------------- after all


def test_after_good_and_bad_releases_a_plan_is_empty(cloud: Cloud, tmp_path: Path) -> None:
    variables = [word for name, value in PLATFORM_VARIABLES["dev"].items() for word in ("--var", f"{name}={value}")]
    done = operate(cloud, "plan", "dev", *variables, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to change" in done.stdout, done.stdout
