"""A deployed schedule starts its function as its own role; the function runs as its own, and its log tells of it."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.clock import start
from lyceum_lab.emulator import ROOT_KEY, ROOT_SECRET
from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.watch import clock
from lyceum_lab.rehearsal.infrastructure import Session

ACCOUNT, GROUP = "123456789012", "/lyceum/dev/teller"
TELLS = """
import os, boto3
def handler(event, context):
    print("asked", os.environ["PLACE"], 0 < context.get_remaining_time_in_millis() <= 20000, sorted(event))
    boto3.client("cloudwatch").put_metric_data(
        Namespace=os.environ["PLACE"], MetricData=[{"MetricName": "told", "Value": 1.0}])
"""


@dataclass
class Deployed:
    """A function `lyceum-dev-teller` with a schedule, as Terraform would make them, in an account that enforces."""

    emulator: Emulator

    @cached_property
    def admin(self) -> Session:
        env = {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_SECRET}
        return Session.of({**env, "AWS_ENDPOINT_URL": self.emulator.endpoint})

    def deploy(
        self, code: str = TELLS, *, may: tuple[str, ...] = ("lambda:InvokeFunction",), name: str = "teller",
        every: str = "1 hour", **other: Any,
    ) -> None:  # fmt: skip
        iam = self.admin.client("iam")
        rights = {"teller": ("cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:PutLogEvents"), "clock": may}
        for role, actions in rights.items():
            iam.create_role(
                RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
            )
            statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
            document = {"Version": "2012-10-17", "Statement": [statement]}
            iam.put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=json.dumps(document))
        self.admin.client("logs").create_log_group(logGroupName=GROUP)
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("teller.py", code)
        made = self.admin.client("lambda").create_function(**{
            "FunctionName": f"lyceum-dev-{name}", "Runtime": "python3.13", "Handler": "teller.handler", "Timeout": 20,
            "Role": f"arn:aws:iam::{ACCOUNT}:role/teller", "Code": {"ZipFile": package.getvalue()},
            "Environment": {"Variables": {"PLACE": "Here"}},
            "LoggingConfig": {"LogGroup": GROUP, "LogFormat": "Text"}, **other,
        })  # fmt: skip
        self.admin.client("scheduler").create_schedule(
            Name=f"lyceum-dev-{name}", ScheduleExpression=f"rate({every})", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": made["FunctionArn"], "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/clock"},
        )  # fmt: skip

    def started(self, **settings: str) -> Any:
        (one,) = start.schedules(self.admin, "lyceum-dev-")
        return start.start(self.emulator.endpoint, one, settings)

    def logged(self) -> list[str]:
        return [one["message"] for one in self.admin.client("logs").filter_log_events(logGroupName=GROUP)["events"]]

    def told(self, namespace: str) -> list[str]:
        return [
            one["MetricName"] for one in self.admin.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
        ]


@pytest.fixture(scope="module")
def enforcing(start_emulator: Callable[..., Emulator]) -> Emulator:
    return start_emulator("--enforce-iam")


@pytest.fixture
def deployed(enforcing: Emulator) -> Deployed:
    request = urllib.request.Request(f"{enforcing.endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(request).close()
    return Deployed(enforcing)


def test_it_runs_with_its_settings_and_its_rights_and_logs_what_it_prints(deployed: Deployed) -> None:
    deployed.deploy()
    ran = deployed.started()
    assert ran.failed == ""
    assert deployed.logged() == ["asked Here True []"]
    assert deployed.told("Here") == ["told"]
    assert deployed.started(PLACE="There").failed == ""
    assert deployed.told("There") == ["told"]
    assert start.waiting(deployed.emulator.endpoint) == []


def test_a_role_that_may_not_start_it_starts_nothing(deployed: Deployed) -> None:
    deployed.deploy(may=("lambda:GetFunction",))
    with pytest.raises(ClientError, match=r"AccessDenied.*lambda:InvokeFunction"):
        deployed.started()
    assert deployed.logged() == []


@pytest.mark.parametrize(
    ("code", "other", "said"),
    [
        ("def handler(event, context): raise OSError('nothing there')", {}, "OSError: nothing there"),
        ("import time\ndef handler(event, context): time.sleep(9)", {"Timeout": 1}, "Task timed out after 1 seconds"),
        (TELLS, {"Handler": "tells.handler"}, "No module named 'tells'"),
        (TELLS, {"Environment": {"Variables": {}}}, "KeyError: 'PLACE'"),
        ("import boto3\ndef handler(event, context): boto3.client('s3').list_buckets()", {}, "AccessDenied"),
    ],
)
def test_how_it_fails_is_told_and_logged(deployed: Deployed, code: str, other: dict[str, Any], said: str) -> None:
    deployed.deploy(code, **other)
    assert said in deployed.started().failed
    assert any(said in line for line in deployed.logged())


def test_what_is_not_there_is_not_invoked_and_nobody_is_answered(deployed: Deployed) -> None:
    client = deployed.admin.client("lambda")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.invoke(FunctionName="lyceum-dev-teller", InvocationType="Event")
    deployed.deploy()
    with pytest.raises(ClientError, match="EmulatorGap"):
        client.invoke(FunctionName="lyceum-dev-teller")
    assert start.waiting(deployed.emulator.endpoint) == []


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("teller", TELLS, r"dev starts by the clock \['teller'\], not \['purge-logs'\]"),
        (
            "purge-logs",
            "def handle(event, context): pass",
            "started lyceum-dev-purge-logs, which failed: AttributeError",
        ),
        ("purge-logs", "def handler(event, context): pass", r"lyceum-dev-purge-logs left \[.*, .*\] of "),
    ],
)
def test_the_proof_finds_what_does_not_do_what_it_is_for(deployed: Deployed, name: str, code: str, said: str) -> None:
    deployed.deploy(code, name=name)
    deployed.admin.client("logs").create_log_group(logGroupName="/lyceum/dev/application")
    with pytest.raises(Broken, match=said):
        clock.started(deployed.admin, "dev", {"purge-logs"})


@pytest.mark.parametrize(
    ("value", "said"), [("1.0", ""), ("0.0", "told CloudWatch 0 in 1 numbers of a page that came")]
)
def test_the_proof_counts_what_the_canary_tells_and_nothing_from_before(
    deployed: Deployed, value: str, said: str
) -> None:
    group = "/aws/lambda/lyceum-dev-canary"
    code = TELLS.replace('"told", "Value": 1.0', f'"pages-answered", "Value": {value}')
    code = code.replace('"asked"', """'"answered": true'""")
    deployed.deploy(
        code, name="canary", every="1 minute", LoggingConfig={"LogGroup": group, "LogFormat": "Text"},
        Environment={"Variables": {"PLACE": "Lyceum/dev"}},
    )  # fmt: skip
    deployed.admin.client("logs").create_log_group(logGroupName=group)
    before = {"MetricName": "pages-answered", "Value": 0.0, "Timestamp": datetime.now(UTC)}
    deployed.admin.client("cloudwatch").put_metric_data(Namespace="Lyceum/dev", MetricData=[before])
    if not said:
        assert clock.started(deployed.admin, "dev", {"canary"}) == "dev: canary"
        return
    with pytest.raises(Broken, match=said):
        clock.started(deployed.admin, "dev", {"canary"})
