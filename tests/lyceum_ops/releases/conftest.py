"""An environment on moto, in this process, with the instance refreshes that moto lacks answered at the client's seam.

Everything else (the template's versions, the group, S3's conditional writes, alarms) is moto's own. Parameters are
validated and serialized by botocore as for AWS; what is answered here is what comes after.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

from lyceum_ops.aws import Caller
from lyceum_ops.releases.release import Pace, Production

ACCOUNT = "123456789012"
GROUP = "lyceum-dev-servers"
BUCKET = f"lyceum-dev-releases-{ACCOUNT}"
STATES = f"lyceum-state-{ACCOUNT}"
ALARM = "lyceum-dev-target-errors"
ME = f"arn:aws:sts::{ACCOUNT}:assumed-role/lyceum-deployer/lyceum-deployer"
SEAMS = (
    "before-call.auto-scaling.StartInstanceRefresh",
    "before-call.auto-scaling.DescribeInstanceRefreshes",
    "before-call.auto-scaling.RollbackInstanceRefresh",
    "after-call.auto-scaling.DescribeAutoScalingGroups",
    "before-parameter-build.ec2.CreateLaunchTemplateVersion",
)
MOST = {"Pending": 0, "InProgress": 50, "Baking": 100, "RollbackInProgress": 50}


class OneSession:
    """A session that makes each client once: making them takes longer than all that is asked of them."""

    def __init__(self) -> None:
        self._session: Any = boto3.Session("key", "secret", region_name="us-east-1")
        self._clients: dict[str, Any] = {}
        self.answers: dict[str, Callable[..., Any]] = {}
        for event in SEAMS:
            self._session.events.register(event, lambda event=event, **told: self.answers[event](**told))

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]


@dataclass
class Refreshes:
    """The group's instance refreshes. Each look at one moves it on by the next status of `course`."""

    session: Any
    course: list[str] = field(default_factory=lambda: ["Pending", "InProgress", "Baking", "Successful"])
    back: list[str] = field(default_factory=lambda: ["RollbackInProgress", "RollbackSuccessful"])
    all: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    before_look: Callable[[int], Any] = lambda _: None
    looks: int = 0

    def __post_init__(self) -> None:
        self.ahead: list[str] = []
        self.born: dict[str, str] = {}
        seams = [*[self._answer] * 3, self._remember_births, self._take_over]
        self.session.answers.update(zip(SEAMS, seams, strict=True))

    def _remember_births(self, parsed: dict[str, Any], **_: Any) -> None:
        """moto gives every server the template's default version; on AWS it keeps the one it was launched from."""
        for group in parsed.get("AutoScalingGroups", []):
            for one in group["Instances"]:
                version = self.born.setdefault(one["InstanceId"], group["LaunchTemplate"]["Version"])
                one["LaunchTemplate"] = {**group["LaunchTemplate"], "Version": version}

    def _take_over(self, params: dict[str, Any], **_: Any) -> None:
        """moto begins each version with nothing; on AWS it begins with what SourceVersion holds."""
        if source := params.pop("SourceVersion", None):
            found = self.session.client("ec2").describe_launch_template_versions(
                LaunchTemplateId=params["LaunchTemplateId"], Versions=[source]
            )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            params["LaunchTemplateData"] = {**found, **params["LaunchTemplateData"]}

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        try:
            found = getattr(self, f"_{model.name}")(params["body"])
        except Said as said:
            return SimpleNamespace(status_code=said.status), {
                "Error": {"Code": said.code, "Message": said.message}, "ResponseMetadata": {},
            }  # fmt: skip
        return SimpleNamespace(status_code=200), found | {"ResponseMetadata": {}}

    def _StartInstanceRefresh(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        if self.all and self.all[0]["Status"] in MOST:
            raise Said("InstanceRefreshInProgress", "An Instance Refresh is already in progress")
        self.started.append(body)
        version = body["DesiredConfiguration.LaunchTemplate.Version"]
        template = body["DesiredConfiguration.LaunchTemplate.LaunchTemplateId"]
        self.all.insert(0, {
            "InstanceRefreshId": f"refresh-{len(self.all) + 1}", "Status": "Pending", "PercentageComplete": 0,
            "DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateId": template, "Version": version}},
        })  # fmt: skip
        self.ahead = list(self.course)
        return {"InstanceRefreshId": self.all[0]["InstanceRefreshId"]}

    def _RollbackInstanceRefresh(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.all[0]["Status"], self.ahead = self.back[0], self.back[1:]
        return {"InstanceRefreshId": self.all[0]["InstanceRefreshId"]}

    def _DescribeInstanceRefreshes(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        wanted = body.get("InstanceRefreshIds.member.1")
        if wanted:
            self.looks += 1
            self.before_look(self.looks)
            self.move()
        return {"InstanceRefreshes": [one for one in self.all if wanted in (None, one["InstanceRefreshId"])]}

    def move(self) -> None:
        """One step on, as time would do it."""
        if not self.ahead:
            return
        newest, status = self.all[0], self.ahead.pop(0)
        newest["Status"], newest["PercentageComplete"] = status, MOST.get(status, 100)
        if status == "RollbackInProgress":
            newest["StatusReason"] = f"{ALARM} is in ALARM"
        if status == "Successful":
            self._replace(newest["DesiredConfiguration"]["LaunchTemplate"])

    def _replace(self, template: dict[str, str]) -> None:
        autoscaling = self.session.client("autoscaling")
        autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, LaunchTemplate=template)
        group = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
        for one in group["Instances"]:
            if one["LaunchTemplate"]["Version"] != template["Version"]:
                autoscaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=one["InstanceId"], ShouldDecrementDesiredCapacity=False
                )


class Said(Exception):
    """AWS says no."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


def _tags(data: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in data["TagSpecifications"][0]["Tags"]}


@dataclass
class Dev:
    """The environment, as AWS has it."""

    session: Any
    refreshes: Refreshes
    template: str
    time: datetime = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    slept: float = 0

    def production(self, who: str = ME, **pace: Any) -> Production:
        """What a command sees of it. Sleeping moves the clocks and takes no time."""

        def sleep(seconds: float) -> None:
            self.slept += seconds
            self.time += timedelta(seconds=seconds)

        wanted = {"poll": 5.0, "sleep": sleep, "clock": lambda: self.slept, **pace}
        return Production(self.session, "dev", Caller(ACCOUNT, who), Pace(**wanted), now=self.tick)

    def tick(self) -> datetime:
        """No two looks at a clock see the same."""
        self.time += timedelta(microseconds=1)
        return self.time

    def publish(self, version: str, archive: bytes = b"an archive") -> None:
        s3 = self.session.client("s3")
        manifest = f"{hashlib.sha256(archive).hexdigest()}  lyceum.tar.gz\n"
        s3.put_object(Bucket=BUCKET, Key=f"{version}/lyceum.tar.gz", Body=archive)
        s3.put_object(Bucket=BUCKET, Key=f"{version}/manifest.sha256", Body=manifest)

    def versions(self) -> dict[int, str]:
        """The template's versions: number → release."""
        found = self.session.client("ec2").describe_launch_template_versions(LaunchTemplateId=self.template)
        return {
            one["VersionNumber"]: _tags(one["LaunchTemplateData"])["Release"] for one in found["LaunchTemplateVersions"]
        }

    def newest(self) -> dict[str, Any]:
        found = self.session.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=self.template, Versions=["$Latest"]
        )
        return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])

    def group(self) -> dict[str, Any]:
        found = self.session.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        return dict(found["AutoScalingGroups"][0])

    def live(self) -> str:
        return self.versions()[int(self.group()["LaunchTemplate"]["Version"])]

    def locked(self) -> bool:
        return "Contents" in self.session.client("s3").list_objects_v2(Bucket=STATES)

    def alarm(self, state: str) -> None:
        cloudwatch = self.session.client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test says so")


@pytest.fixture(scope="module")
def account() -> Iterator[OneSession]:
    """moto in this process, for the time of a module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        with mock_aws():
            yield OneSession()


@pytest.fixture
def dev(account: OneSession) -> Dev:
    """An environment that was applied and has no release yet: one server of at most two."""
    requests.post("http://motoapi.amazonaws.com/moto-api/reset", timeout=10)
    session = account
    refreshes = Refreshes(session)
    s3, ec2 = session.client("s3"), session.client("ec2")
    for bucket in (BUCKET, STATES):
        s3.create_bucket(Bucket=bucket)
    image = session.client("ssm").get_parameter(
        Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    )["Parameter"]["Value"]
    tags = [{"Key": "Project", "Value": "lyceum"}]
    template = ec2.create_launch_template(
        LaunchTemplateName="lyceum-dev-server",
        LaunchTemplateData={
            "ImageId": image, "InstanceType": "t2.micro",
            "TagSpecifications": [
                {"ResourceType": "instance", "Tags": [*tags, {"Key": "Release", "Value": "none"}]},
                {"ResourceType": "volume", "Tags": tags},
            ],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    session.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP, MinSize=1, MaxSize=2, DesiredCapacity=1, VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
    )  # fmt: skip
    session.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM, MetricName="errors", Namespace="AWS/ApplicationELB", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    return Dev(session, refreshes, template)
