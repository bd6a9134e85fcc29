"""The whole cloud on this machine, as its users see it: a page through the load balancer, progress in the table, files
on every server, servers that are lost and come back, and nothing left behind.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from tests.rehearsal.conftest import Lyceum
from tests.rehearsal.test_api import Learner
from tests.rehearsal.test_learner import COURSE

from lyceum_lab.cloud.network import namespaces
from lyceum_lab.rehearsal import infrastructure
from lyceum_ops import processes

pytestmark = pytest.mark.cloud
# For one more server on a busy machine; one that never boots is replaced after its grace period of five minutes.
SERVED_SECONDS = 480


class Cloud:
    """A rehearsal that runs: its command, and what it says of itself."""

    def __init__(self, command: Lyceum) -> None:
        self.command = command
        self.session = infrastructure.Session.of(infrastructure.aws_environment(str(self.state["emulator"])))

    @property
    def state(self) -> dict[str, Any]:
        return self.command.state()

    @property
    def cloud(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["cloud"]
        return found

    def serving(self) -> list[str]:
        return sorted(name for name, one in self.cloud["servers"].items() if one["health"] == "healthy")

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = SERVED_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, (
                f"{what}: not within {seconds:.0f} s; {json.dumps(self.cloud, indent=1)}"
            )
            time.sleep(0.3)

    def learner(self, role: str) -> Learner:
        """Somebody who signed in from the internet."""
        account = next(one for one in self.state["accounts"] if one["role"] == role)
        found = Learner(self.state["url"])
        found.proxies = {"http": self.cloud["proxy"], "https": self.cloud["proxy"]}
        found.verify = self.cloud["authority"]
        answer = found.form("/accounts/login/", login=account["email"], password=account["password"])
        assert answer.ok
        assert "Sign out" in answer.text
        return found

    def refused(self) -> dict[str, int]:
        """The packets that each rule has refused, by the rule."""
        told = self.command("status", "--flows", "--json")
        assert told.returncode == 0, told.stderr
        return {one["rule"]: one["packets"] for one in json.loads(told.stdout) if not one["lets_pass"]}

    def exec(self, host: str, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return self.command("exec", host, "--", *command, timeout=seconds)


@pytest.fixture(scope="module")
def cloud(home_root: Path) -> Iterator[Cloud]:
    """One `./lyceum rehearse`; LYCEUM_TEST_HOME names one that runs already."""
    with rehearse(home_root / "cloud", os.environ.get("LYCEUM_TEST_HOME")) as found:
        yield found


@contextmanager
def rehearse(home: Path, running: str | None, *words: str) -> Iterator[Cloud]:
    """A rehearsal in a home of its own, of which nothing is left; or that of the home that is named as running."""
    if running:
        yield Cloud(Lyceum(Path(running)))
        return
    home.mkdir()
    command = Lyceum(home)
    done = command("rehearse", "--detach", "--port", str(processes.free_port()), *words, timeout=900)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Cloud(command)
    finally:
        down = command("down", timeout=120)
    assert down.returncode == 0, down.stderr
    assert command.left_over() == []
    assert namespaces.left(namespaces.key(home / "rehearsal")) == []
    assert str(home) not in Path("/proc/mounts").read_text()
    assert [path.name for path in home.iterdir()] == ["rehearsal.lock"]


def test_a_learner_comes_from_the_internet_and_their_progress_lands_in_the_table(cloud: Cloud) -> None:
    table = cloud.session.client("dynamodb")
    before = table.scan(TableName="lyceum-dev-progress")["Count"]
    learner = cloud.learner("student")
    course = f"/courses/{COURSE.name}/"
    joined = learner.post(
        f"{learner.base}{course}enrol/",
        data={"csrfmiddlewaretoken": learner.csrf()},
        headers={"Referer": learner.base},
    )
    assert joined.ok
    slug = re.findall(rf'href="{course}lessons/([^/"]+)/"', joined.text)[0]
    page = learner.get(f"{learner.base}{course}lessons/{slug}/").text
    lesson, duration = (re.search(rf'data-{name}="([^"]+)"', page)[1] for name in ("lesson", "duration"))  # type: ignore[index]
    token = learner.api("/progress/anchors", lesson_id=lesson).json()["token"]
    time.sleep(2)
    kept = learner.api(
        "/progress/reports", lesson_id=lesson, report_id=str(uuid.uuid4()), token=token, elapsed_ms=2000,
        position=2.0, stretches=[[0, 2.0]],
    )  # fmt: skip
    assert kept.status_code == 200, kept.text
    assert float(duration) > 2
    assert table.scan(TableName="lyceum-dev-progress")["Count"] > before
    # The video comes from the bucket itself, by its own name, over TLS, and not through a server.
    video = re.search(r'src="(https://lyceum-dev-content-[^"]+)"', page)
    assert video
    assert learner.get(video[1].replace("&amp;", "&"), headers={"Range": "bytes=0-99"}).status_code == 206


def test_what_is_no_visitor_is_dropped_and_a_server_reaches_only_what_it_may(cloud: Cloud) -> None:
    balancer = next(one["address"] for name, one in cloud.cloud["hosts"].items() if name.startswith("load-balancer"))
    server, there = next(iter(cloud.cloud["servers"].items()))
    database = next(one["address"] for name, one in cloud.cloud["hosts"].items() if name.startswith("database"))
    reach = ("curl", "--silent", "--output", "/dev/null", "--connect-timeout", "2", "--max-time", "4")
    # Past the load balancer, from the internet and from the bastion: silence.
    assert cloud.exec("internet", *reach, f"http://{there['address']}:8000/healthz").returncode != 0
    bastion = next(name for name in cloud.cloud["hosts"] if name.startswith("bastion"))
    before = cloud.refused()
    assert cloud.exec(bastion, *reach, f"http://{there['address']}:8000/healthz").returncode == 28
    # The kernel counted what stopped it: the bastion's own group opens nothing but what is listed.
    after = cloud.refused()
    grown = [rule for rule, packets in after.items() if packets > before.get(rule, 0)]
    assert "security groups, out, no rule" in grown
    assert cloud.exec(server, *reach, f"http://{balancer}/").returncode == 28
    # The same words find a way where there is one: the load balancer to the server, the server to the database.
    node = next(name for name in cloud.cloud["hosts"] if name.startswith("load-balancer"))
    assert cloud.exec(node, *reach, f"http://{there['address']}:8000/healthz").returncode == 0
    asked = cloud.exec(server, "python3", "-c", f"import socket; socket.create_connection(('{database}', 5432), 3)")
    assert asked.returncode == 0, asked.stderr


def test_files_are_shared_by_all_servers_and_a_hung_file_system_leaves_the_pages_alone(cloud: Cloud) -> None:
    group = cloud.session.client("autoscaling")
    group.set_desired_capacity(AutoScalingGroupName="lyceum-dev-servers", DesiredCapacity=2)
    cloud.wait("two servers", lambda: len(cloud.serving()) == 2)
    one, other = cloud.serving()
    assert {cloud.cloud["servers"][name]["zone"] for name in (one, other)} == {"us-east-1a", "us-east-1b"}
    name = f"note-{uuid.uuid4().hex[:8]}.txt"
    written = cloud.exec(one, "runuser", "-u", "lyceum", "--", "sh", "-c", f"echo from {one} >/srv/shared/{name}")
    assert written.returncode == 0, written.stderr
    assert cloud.exec(other, "cat", f"/srv/shared/{name}").stdout == f"from {one}\n"
    assert cloud.command("files", "hung").returncode == 0
    try:
        cloud.wait("the switch", lambda: cloud.cloud["files"] == "hung", 10)
        learner = cloud.learner("student")
        assert all(learner.get(f"{learner.base}/").status_code == 200 for _ in range(6))
        assert len(cloud.serving()) == 2
    finally:
        cloud.command("files", "well")
    cloud.wait("the switch back", lambda: cloud.cloud["files"] == "well", 10)
    assert cloud.exec(other, "cat", f"/srv/shared/{name}").stdout == f"from {one}\n"


def test_a_killed_platform_is_restarted_and_a_lost_server_replaced(cloud: Cloud) -> None:
    server = cloud.serving()[0]
    main = ("systemctl", "show", "lyceum.service", "--property=MainPID", "--value")
    before = cloud.exec(server, *main).stdout.strip()
    assert int(before) > 0
    assert cloud.exec(server, "kill", "-9", before).returncode == 0
    cloud.wait("another process", lambda: cloud.exec(server, *main).stdout.strip() not in {"0", "", before}, 60)
    cloud.wait("the server serves on", lambda: server in cloud.serving(), 60)

    known = set(cloud.cloud["servers"])
    cloud.exec(server, "systemctl", "--force", "--force", "poweroff")
    cloud.wait("its end", lambda: server not in cloud.cloud["servers"])
    cloud.wait("another server in its place", lambda: bool(set(cloud.serving()) - known))
    assert cloud.learner("student").get(f"{cloud.state['url']}").status_code == 200


def test_logs_and_memory_arrive_in_cloudwatch_as_the_servers_send_them(cloud: Cloud) -> None:
    server = cloud.serving()[0]
    logs, metrics = cloud.session.client("logs"), cloud.session.client("cloudwatch")

    def streams(kind: str) -> list[str]:
        found = logs.describe_log_streams(logGroupName=f"/lyceum/dev/{kind}", logStreamNamePrefix=server)["logStreams"]
        return [one["logStreamName"] for one in found]

    cloud.wait("its application log", lambda: bool(streams("application")), 60)
    cloud.wait("its system log", lambda: bool(streams("system")), 60)
    assert all(re.fullmatch(rf"{server}/\d{{4}}-\d\d-\d\dT\d\d", name) for name in streams("application"))
    cloud.learner("student")

    def lines() -> list[dict[str, Any]]:
        """What the platform logged, on whichever server the learner came to."""
        found = logs.filter_log_events(logGroupName="/lyceum/dev/application")["events"]
        return [json.loads(one["message"]) for one in found]

    cloud.wait("a request in the log", lambda: any(one.get("route") == "/accounts/login/" for one in lines()), 60)
    assert "student@lyceum.example" not in json.dumps(lines())
    group = [{"Name": "AutoScalingGroupName", "Value": "lyceum-dev-servers"}]

    def memory() -> list[dict[str, Any]]:
        found = metrics.list_metrics(Namespace="Lyceum/dev", MetricName="mem_used_percent")["Metrics"]
        return [one for one in found if one["Dimensions"] == group]

    cloud.wait("its memory, by the group alone", lambda: bool(memory()), 60)


def test_a_second_rehearsal_and_what_is_unknown_are_refused(cloud: Cloud) -> None:
    second = cloud.command("rehearse", "--port", str(processes.free_port()))
    assert (second.returncode, "already running" in second.stderr) == (1, True)
    nobody = cloud.exec("nobody", "true")
    assert (nobody.returncode, "There is no host named 'nobody'" in nobody.stderr) == (2, True)
    assert cloud.command("files", "upside-down").returncode == 2
    assert cloud.exec("internet", "sh", "-c", "exit 7").returncode == 7


# ------------------------------------------------------------------------------------------------------ scenarios


@pytest.fixture
def alone(cloud: Cloud) -> str:
    """The one server of a group that wants one."""
    group = cloud.session.client("autoscaling")
    group.set_desired_capacity(AutoScalingGroupName="lyceum-dev-servers", DesiredCapacity=1)
    cloud.wait("one server", lambda: len(cloud.serving()) == 1 and len(cloud.cloud["servers"]) == 1)
    return cloud.serving()[0]


@pytest.mark.full
@pytest.mark.parametrize(
    ("what", "load"),
    [
        ("CPU", "while :; do :; done"),
        # Most of what is left above an idle server, touched so that it counts.
        ("memory", "exec python3 -c 'import time; kept = bytearray(560 * 2**20); time.sleep(600)'"),
    ],
)
def test_load_brings_a_second_server_and_its_end_takes_it_away(cloud: Cloud, alone: str, what: str, load: str) -> None:
    """One to two and back to one: by the deployed policies, from what the servers themselves report."""
    working = subprocess.Popen(
        [*cloud.command.argv, "exec", alone, "--", "timeout", "300", "sh", "-c", load], env=cloud.command.env
    )
    try:
        cloud.wait(f"a second server for {what}", lambda: len(cloud.serving()) == 2, 240)
    finally:
        cloud.exec(alone, "pkill", "-f", "timeout 300")
        working.wait(timeout=30)
    cloud.wait(f"one server after {what}", lambda: len(cloud.cloud["servers"]) == 1 and len(cloud.serving()) == 1, 300)
    assert any("the policies want 2 instead of 1" in event for event in cloud.cloud["events"])
    assert cloud.learner("student").get(f"{cloud.state['url']}").status_code == 200


@pytest.mark.full
def test_servers_without_their_secret_say_so_and_the_next_is_tried(cloud: Cloud, alone: str) -> None:
    """One boots after the other, each with the reason on its console; with the secret back, one of them serves."""
    secrets, name = cloud.session.client("secretsmanager"), "lyceum-dev-secret-key"
    folder = cloud.command.home / "rehearsal" / "servers"
    before = {one.parent.name for one in folder.glob("*/console.log")}

    def gave_up() -> list[str]:
        """Servers that say on their console why they do not serve."""
        consoles = [one for one in folder.glob("*/console.log") if one.parent.name not in before]
        said = {one.parent.name: one.read_text(errors="replace") for one in consoles}
        return [
            server for server, text in said.items()
            if "lyceum: out of service" in text and "Secrets Manager answers InvalidRequestException" in text
        ]  # fmt: skip

    group = cloud.session.client("autoscaling")
    (told,) = group.describe_auto_scaling_groups(AutoScalingGroupNames=["lyceum-dev-servers"])["AutoScalingGroups"]
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    try:
        # Of the five minutes that each is given, none is scaled.
        group.update_auto_scaling_group(AutoScalingGroupName="lyceum-dev-servers", HealthCheckGracePeriod=90)
        cloud.exec(alone, "systemctl", "--force", "--force", "poweroff")
        cloud.wait("three servers, one after the other, that say why", lambda: len(gave_up()) >= 3, 900)
        assert cloud.serving() == []
        assert len(cloud.cloud["servers"]) <= 2
    finally:
        secrets.restore_secret(SecretId=name)
        group.update_auto_scaling_group(
            AutoScalingGroupName="lyceum-dev-servers", HealthCheckGracePeriod=told["HealthCheckGracePeriod"]
        )
    cloud.wait("one that serves", lambda: len(cloud.serving()) == 1, 600)
    cloud.wait("it alone", lambda: list(cloud.cloud["servers"]) == cloud.serving())
    assert cloud.learner("student").get(f"{cloud.state['url']}").status_code == 200


def operate(cloud: Cloud, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of an engineer, in the account of the rehearsal. What it keeps goes to `home`, if that is told."""
    env = {**cloud.command.env, **infrastructure.aws_environment(str(cloud.state["emulator"]))}
    if home:
        env["LYCEUM_HOME"] = str(home)
    return subprocess.run(
        [*cloud.command.argv, *words], env=env, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_doctor_finds_what_terraform_applied_as_it_left_it_and_a_hand_that_changed_it(cloud: Cloud) -> None:
    """Held against a state that Terraform wrote, not one that a test did."""
    rds = cloud.session.client("rds")

    def drift() -> str:
        said = operate(cloud, "doctor", "dev").stdout
        return next(line for line in said.splitlines() if line.split()[1:2] == ["drift"])

    before = drift()
    assert re.match(r"ok +drift +\d\d+ rules and settings are as Terraform left them", before), before
    rds.modify_db_instance(DBInstanceIdentifier="lyceum-dev-database", BackupRetentionPeriod=1, ApplyImmediately=True)
    try:
        assert "lyceum-dev-database: BackupRetentionPeriod is 1, not 7" in drift()
    finally:
        rds.modify_db_instance(
            DBInstanceIdentifier="lyceum-dev-database", BackupRetentionPeriod=7, ApplyImmediately=True
        )


@pytest.mark.full
def test_packets_agree_with_the_model_of_the_network_that_runs(cloud: Cloud) -> None:
    done = cloud.command("prove", "packets", "--running", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 0 failed" in done.stdout


# ------------------------------------------------------------------------------------------------------ the tunnel

STANDINS = Path(__file__).resolve().parents[2] / "src" / "lyceum_lab" / "cloud" / "standins"


def operator(cloud: Cloud, kind: str) -> dict[str, str]:
    """Somebody with one of the bastion module's policies for operators, out of Terraform's state, and nothing else."""
    iam = cloud.session.client("iam")
    kept = cloud.session.client("s3").get_object(Bucket="lyceum-state-123456789012", Key="platform-dev.tfstate")
    policy = next(
        instance["attributes"]["json"]
        for one in json.loads(kept["Body"].read())["resources"]
        if (one.get("module"), one["name"]) == ("module.bastion", "operator") for instance in one["instances"]
        if instance["index_key"] == kind
    )  # fmt: skip
    name = f"{kind}-{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=kind, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    env = infrastructure.aws_environment(str(cloud.state["emulator"]))
    return {**env, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def through(cloud: Cloud, who: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`./lyceum tunnel db dev …` of somebody, with the stand-in for AWS's plugin."""
    # A password of another database, as the runbook has one exported, is in nobody's way.
    env = {**cloud.command.env, **who, "PATH": f"{STANDINS}:{os.environ['PATH']}", "PGPASSWORD": "of-another"}
    return subprocess.run(
        [*cloud.command.argv, "tunnel", "db", "dev", "--port", str(processes.free_port()), *words],
        env=env, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def test_an_operator_reads_the_database_through_the_bastion_and_changes_nothing(cloud: Cloud) -> None:
    who = operator(cloud, "database")
    ask = ("--", "psql", "--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c")
    done = through(cloud, who, *ask, "SELECT current_user, count(*) > 0, pg_is_in_recovery() FROM accounts_user")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^lyceum_reader_database_\w+\|t\|f$", done.stdout, re.MULTILINE), done.stdout
    assert "SCRAM" not in done.stdout + done.stderr
    # Read-only is the login's own default; what counts is that it has no right to more.
    refused = through(cloud, who, *ask, "SET default_transaction_read_only = off", "-c", "DELETE FROM accounts_user")
    assert refused.returncode != 0, refused.stdout
    assert "permission denied" in refused.stderr
    # The login is gone with the tunnel, the session is closed, and who was there stands in both records.
    gone = through(cloud, who, *ask, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lyceum_reader\\_%'")
    assert gone.stdout.splitlines()[-1] == "1", gone.stdout
    log = (cloud.command.home / "rehearsal" / "logs" / "postgres.log").read_text()
    assert re.search(r"lyceum: lyceum_reader_database_\w+ may read for an hour", log)
    sessions = cloud.session.client("ssm")
    assert sessions.describe_sessions(State="Active")["Sessions"] == []
    told = sessions.describe_sessions(State="History")["Sessions"][0]
    assert (told["DocumentName"], ":user/database-" in told["Owner"]) == ("lyceum-dev-database", True)


def test_what_an_operator_may_not_is_refused_by_iam_and_what_leads_elsewhere_by_packets(cloud: Cloud) -> None:
    who = operator(cloud, "database")
    refused = through(cloud, who, "--write", "--", "true")
    assert (refused.returncode, "AWS does not permit secretsmanager:GetSecretValue" in refused.stderr) == (1, True)
    other = through(cloud, operator(cloud, "shell"), "--", "true")
    assert (other.returncode, "AWS does not permit" in other.stderr) == (1, True)
    # An administrator may ask for any host, and the network still leads to the database alone.
    ssm, ec2 = cloud.session.client("ssm"), cloud.session.client("ec2")
    (found,) = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["lyceum-dev-bastion"]}])["Reservations"]
    hosts = cloud.cloud["hosts"]
    database = next(one["address"] for name, one in hosts.items() if name.startswith("database"))
    server = next(iter(cloud.cloud["servers"].values()))["address"]
    internet = hosts["internet"]["address"]
    arrives = {}
    listen = (
        f"import socket; s = socket.create_server(('{internet}', 22)); s.settimeout(60); "
        "c = s.accept()[0]; c.send(b'S')"
    )
    listener = subprocess.Popen(
        [*cloud.command.argv, "exec", "internet", "--", "python3", "-c", listen], env=cloud.command.env
    )
    try:
        for host, port in ((database, 5432), (server, 8000), (internet, 22)):
            asked = {
                "Target": found["Instances"][0]["InstanceId"],
                "DocumentName": "AWS-StartPortForwardingSessionToRemoteHost",
                "Parameters": {
                    "host": [host], "portNumber": [str(port)], "localPortNumber": [str(processes.free_port())]
                },
            }  # fmt: skip
            arrives[f"{host}:{port}"] = _forwarded(ssm.start_session(**asked), asked)
        assert list(arrives.values()) == [True, False, False], arrives
        # Somebody listens at each: whoever may come is answered.
        say = (
            "import socket; c = socket.create_connection(('{}', {}), 5); "
            "c.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(c.recv(1))"
        )
        node = next(name for name in hosts if name.startswith("load-balancer"))
        assert cloud.exec(node, "python3", "-c", say.format(server, 8000)).stdout == "b'H'\n"
        assert cloud.exec("internet", "python3", "-c", say.format(internet, 22)).stdout == "b'S'\n"
    finally:
        listener.terminate()
        listener.wait(timeout=15)


def test_a_refused_call_rings_the_alarm_and_the_operator_is_told(cloud: Cloud) -> None:
    """By what Terraform made: the trail's group, its filter, the alarm, its topic and who listens there."""
    server = infrastructure.Session.as_role(str(cloud.state["emulator"]), "lyceum-dev-server")
    with pytest.raises(ClientError, match="not authorized to perform: iam:ListUsers"):
        server.client("iam").list_users()
    (trail,) = cloud.session.client("cloudtrail").describe_trails()["trailList"]
    group = trail["CloudWatchLogsLogGroupArn"].split(":log-group:")[1].removesuffix(":*")
    found = cloud.session.client("logs").filter_log_events(logGroupName=group, filterPattern="ListUsers")["events"]
    (event,) = [json.loads(one["message"]) for one in found]
    assert event["errorCode"] == "AccessDenied"
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "lyceum-dev-server"
    name = "lyceum-audit-unauthorized-calls"
    (alarm,) = cloud.session.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    sns = cloud.session.client("sns")
    assert [
        one["Protocol"] for topic in alarm["AlarmActions"]
        for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    ] == ["email"]  # fmt: skip


def _forwarded(told: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether anybody answers to what PostgreSQL is asked first, whether it speaks TLS: what is no HTTP, too."""
    plugin = subprocess.Popen(
        [STANDINS / "session-manager-plugin", "SESSION", "us-east-1", "StartSession", "", json.dumps(asked), ""],
        env={**os.environ, "SESSION": json.dumps({key: str(value) for key, value in told.items()})},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert plugin.stdout is not None
        assert "opened for sessionId" in plugin.stdout.readline()
        port = int(asked["Parameters"]["localPortNumber"][0])
        with socket.create_connection(("127.0.0.1", port), 5) as one:
            one.settimeout(15)
            one.sendall(bytes.fromhex("0000000804d2162f"))
            return bool(one.recv(1))
    except ConnectionResetError:
        return False
    finally:
        plugin.send_signal(signal.SIGINT)
        plugin.wait(timeout=15)


def test_ctrl_c_closes_the_tunnel_and_no_process_stays(cloud: Cloud) -> None:
    port = processes.free_port()
    env = {**cloud.command.env, **operator(cloud, "database"), "PATH": f"{STANDINS}:{os.environ['PATH']}"}
    tunnel = subprocess.Popen(
        [*cloud.command.argv, "tunnel", "db", "dev", "--port", str(port)],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert tunnel.stdout is not None
        said = ""
        while "Ctrl-C here closes it" not in said:
            line = tunnel.stdout.readline()
            assert line, said
            said += line
        kept = re.search(r"PGPASSFILE=(\S+) psql \"host=127.0.0.1 port=(\d+) dbname=lyceum user=(\w+)", said)
        assert kept
        assert int(kept[2]) == port
        assert Path(kept[1]).stat().st_mode & 0o077 == 0
        password = Path(kept[1]).read_text().strip().rsplit(":", 1)[-1]
        assert password not in said
        # The same way as a person goes, in another terminal.
        asked = subprocess.run(
            ["psql", "-At", "-c", "SELECT 1",
             f"host=127.0.0.1 port={port} dbname=lyceum user={kept[3]} sslmode=require"],
            env={**os.environ, "PGPASSFILE": kept[1]}, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert asked.stdout == "1\n", asked.stderr
        taken = through(cloud, operator(cloud, "database"), "--port", str(port), "--", "true")
        assert (taken.returncode, f"Port {port} is taken" in taken.stderr) == (1, True)
    finally:
        os.killpg(tunnel.pid, signal.SIGINT)  # as a terminal does
        left = tunnel.communicate(timeout=30)[0]
    assert tunnel.returncode == 0, left
    assert not Path(kept[1]).exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 2)
    assert [one for one in psutil.process_iter(["cmdline"]) if str(port) in " ".join(one.info["cmdline"] or [])] == []


def test_everything_that_is_kept_comes_back_beside_itself(cloud: Cloud, tmp_path: Path) -> None:
    """After the tests above: there is a learner who was in the middle of a video."""
    done = cloud.command("drill", "restore", "dev", "--rehearsal", "--report", str(tmp_path), timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert (told["held"], told["differences"], told["left"]) == (True, [], [])
    assert {one["name"]: one["rows"] > 0 for one in told["stores"]} == {
        "database": True, "progress": True, "files": True, "content": True,
    }  # fmt: skip
    other = cloud.command("drill", "restore", "prod", "--rehearsal")
    assert (other.returncode, "The rehearsal that runs is of dev" in other.stderr) == (2, True)


def test_a_course_that_is_deleted_comes_back_alone(cloud: Cloud) -> None:
    """Deleted in the administration, as by mistake; then the command, as its page of the runbook has it."""
    boss, learner = cloud.learner("administrator"), cloud.learner("student")
    course, manage = f"{learner.base}/courses/{COURSE.name}/", "/manage/courses/course/"
    (number,) = set(re.findall(rf"{manage}(\d+)/change/", boss.get(f"{boss.base}{manage}").text))
    lessons = re.findall(r"/lessons/([a-z0-9-]+)/", learner.get(course).text)
    assert lessons
    deleted = boss.form(f"{manage}{number}/delete/", post="yes")
    assert deleted.ok
    assert learner.get(course).status_code == 404
    asked = ("restore", "course", "dev", COURSE.name, "--rehearsal")
    dry = cloud.command(*asked, "--dry-run", timeout=120)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert "a dry run, nothing was changed: " in dry.stdout
    assert learner.get(course).status_code == 404
    done = cloud.command(*asked, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"progress  was never gone: [1-9]\d* of [1-9]\d* learners have it", done.stdout)
    assert re.findall(r"/lessons/([a-z0-9-]+)/", learner.get(course).text) == lessons
    again = cloud.command(*asked)
    assert (again.returncode, "is live: nothing is written over it" in again.stderr) == (1, True)
    assert list((cloud.command.home / "rehearsal" / "drill").glob("drill-*")) == []


# -------------------------------------------------------------------------------------------------------- the end


def test_a_crash_leaves_nothing_that_down_does_not_find(cloud: Cloud) -> None:
    """The last one: it kills what the others use."""
    key = namespaces.key(cloud.command.home / "rehearsal")
    os.kill(cloud.state["pid"], signal.SIGKILL)
    cloud.wait("its end", lambda: cloud.command("status").returncode == 1, 30)
    assert len(namespaces.left(key)) > 8
    down = cloud.command("down", timeout=120)
    assert down.returncode == 0, down.stderr
    assert re.search(r"No rehearsal ran; \d+ processes that an earlier one had left are ended", down.stdout)
    assert namespaces.left(key) == []
    assert cloud.command.left_over() == []
