"""The emulated CloudTrail: calls and refusals reach the trail's group, its filters, its alarms, and the operator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.emulator import ACCOUNT, LAB, ROOT_KEY, ROOT_SECRET

GROUP, REFUSED = "/audit/trail", "refused"
PATTERN = '{($.errorCode="*UnauthorizedOperation")||($.errorCode="AccessDenied*")}'


class Account:
    """An account with a trail, an alarm on refusals, and a user who may do nothing."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client("s3").create_bucket(Bucket="audit")
        logs = self.client("logs")
        logs.create_log_group(logGroupName=GROUP)
        logs.put_metric_filter(
            logGroupName=GROUP, filterName=REFUSED, filterPattern=PATTERN,
            metricTransformations=[{"metricName": REFUSED, "metricNamespace": "Audit", "metricValue": "1"}],
        )  # fmt: skip
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=REFUSED, Namespace="Audit", MetricName=REFUSED, Statistic="Sum", Period=300, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
        )  # fmt: skip
        self.trail = self.client("cloudtrail")
        self.trail.create_trail(
            Name="audit", S3BucketName="audit", IsMultiRegionTrail=True,
            CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:*",
            CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/trail",
        )  # fmt: skip
        self.trail.start_logging(Name="audit")
        self.client("iam").create_user(UserName="intruder")
        key = self.client("iam").create_access_key(UserName="intruder")["AccessKey"]
        self.secret = key["SecretAccessKey"]
        self.intruder = (key["AccessKeyId"], self.secret)

    def client(self, service: str) -> Any:
        return self.emulator.client(service, ROOT_KEY, ROOT_SECRET)

    def told(self) -> list[dict[str, Any]]:
        """What the trail recorded so far."""
        found = self.client("logs").filter_log_events(logGroupName=GROUP)["events"]
        return [json.loads(event["message"]) for event in found]

    def names(self) -> list[str]:
        return [event["eventName"] for event in self.told()]

    def state(self) -> str:
        return str(self.client("cloudwatch").describe_alarms(AlarmNames=[REFUSED])["MetricAlarms"][0]["StateValue"])


@pytest.fixture(scope="module")
def account(start_emulator: Callable[..., Emulator]) -> Account:
    return Account(start_emulator("--enforce-iam", "--record-trail"))


def test_work_is_recorded_without_what_it_said_and_rings_nothing(account: Account) -> None:
    account.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}", Description="not-for-any-log")
    with pytest.raises(ClientError):
        account.client("iam").get_role(RoleName="nobody")
    found = account.told()
    assert [one["errorCode"] for one in found if one["eventName"] == "GetRole"] == ["NoSuchEntity"]
    (made,) = [one for one in found if one["eventName"] == "CreateRole"]
    assert (made["userIdentity"]["type"], made["readOnly"]) == ("IAMUser", False)
    assert "CreateAccessKey" in [one["eventName"] for one in found]
    assert account.secret not in json.dumps(found)
    assert "not-for-any-log" not in json.dumps(found)
    assert account.state() == "OK"


def test_a_refused_call_is_recorded_and_rings(account: Account) -> None:
    with pytest.raises(ClientError):
        account.emulator.client("iam", *account.intruder).list_users()
    with pytest.raises(ClientError):
        account.emulator.client("ec2", *account.intruder).describe_instances()
    refused = [event for event in account.told() if event["userIdentity"]["userName"] == "intruder"]
    assert [(one["eventSource"], one["eventName"], one["errorCode"]) for one in refused] == [
        ("iam.amazonaws.com", "ListUsers", "AccessDenied"),
        ("ec2.amazonaws.com", "DescribeInstances", "Client.UnauthorizedOperation"),
    ]
    assert account.state() == "ALARM"
    (change,) = [one for one in account.emulator.page("alarms") if one["to"] == "ALARM"]
    assert change["alarm"] == REFUSED


def test_data_the_lab_and_a_trail_that_is_stopped_leave_nothing(account: Account) -> None:
    before = [name for name in account.names() if name != "FilterLogEvents"]
    account.client("s3").put_object(Bucket="audit", Key="a", Body=b"a")
    lab = boto3.client(
        "iam", endpoint_url=account.emulator.endpoint, region_name="us-east-1", aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_SECRET, config=Config(user_agent_extra=LAB),
    )  # fmt: skip
    lab.list_users()
    assert [name for name in account.names() if name != "FilterLogEvents"] == before
    # Whoever takes the lab's name without its key is recorded all the same.
    intruder = boto3.client(
        "iam", endpoint_url=account.emulator.endpoint, region_name="us-east-1", aws_access_key_id=account.intruder[0],
        aws_secret_access_key=account.intruder[1], config=Config(user_agent_extra=LAB),
    )  # fmt: skip
    with pytest.raises(ClientError):
        intruder.list_users()
    assert account.names().count("ListUsers") == before.count("ListUsers") + 1
    account.trail.stop_logging(Name="audit")
    account.client("iam").list_roles()
    assert "ListRoles" not in account.names()


def test_without_the_option_a_trail_is_only_kept(start_emulator: Callable[..., Emulator]) -> None:
    assert Account(start_emulator("--enforce-iam")).told() == []
