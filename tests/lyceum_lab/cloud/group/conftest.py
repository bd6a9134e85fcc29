"""A group as `infra/modules/servers` makes it, on an emulator; its machines are tiny servers behind a real haproxy."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_lab.cloud.balancer.conftest import Server, Visitor, free_port, until
from tests.lyceum_lab.emulator.conftest import Emulator, emulator, start_emulator

from lyceum_lab import paths
from lyceum_lab.cloud.balancer.described import read
from lyceum_lab.cloud.balancer.haproxy import LoadBalancer, Place
from lyceum_lab.cloud.group.face import Face, Launched, Recorded
from lyceum_lab.cloud.group.loop import AutoScaler

__all__ = ["emulator", "start_emulator"]

POLICIES = Path(__file__).parents[2] / "scaling" / "deployed_policies.json"
REGION = "us-east-1"
_numbers = itertools.count(10)


@dataclass
class Rack:
    """Boots tiny servers. `prepare` may change one before it starts, knowing which version it is of."""

    boot: float = 0.3
    prepare: Callable[[Server, Launched], None] = lambda server, launched: None
    running: dict[str, Server] = field(default_factory=dict)
    launched: list[Launched] = field(default_factory=list)
    broken: Exception | None = None
    used: float = 0.0  # share of a core that all of them use together
    _clock: dict[str, tuple[float, float]] = field(default_factory=dict)

    def launch(self, instance: Launched) -> None:
        self.launched.append(instance)
        time.sleep(self.boot)
        if self.broken:
            raise self.broken
        server = Server(f"127.0.1.{next(_numbers)}")
        self.prepare(server, instance)
        server.start()
        self.running[instance.id] = server

    def terminate(self, instance: str) -> None:
        if server := self.running.pop(instance, None):
            server.stop()

    def alive(self, instance: str) -> bool:
        return instance in self.running

    def kill(self, instance: str) -> None:
        self.running.pop(instance).stop()

    def cpu_seconds(self, instance: str) -> float | None:
        if instance not in self.running:
            return None
        now = time.monotonic()
        seconds, at = self._clock.get(instance, (0.0, now))
        seconds += (now - at) * self.used / len(self.running)
        self._clock[instance] = (seconds, now)
        return seconds

    def reach(self, one: Recorded) -> tuple[str, int | None]:
        server = self.running[one.id]
        return server.address, server.port


@dataclass
class Stage:
    """Everything of one test."""

    emulator: Emulator
    name: str
    rack: Rack
    balancer: LoadBalancer
    scaler: AutoScaler
    template: str
    subnets: list[str]
    servers_group: str
    target_group: str

    def client(self, service: str) -> Any:
        return self.emulator.client(service)

    def group(self) -> dict[str, Any]:
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return dict(found["AutoScalingGroups"][0])

    def instances(self) -> dict[str, str]:
        """Lifecycle by instance, as the API tells."""
        return {each["InstanceId"]: each["LifecycleState"] for each in self.group()["Instances"]}

    def health(self) -> dict[str, str]:
        found = self.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]}

    def serving(self, number: int = 1, seconds: float = 90) -> list[str]:
        """Wait until so many serve, as the API tells, and nothing else is there."""

        def reached() -> list[str]:
            health = self.health()
            healthy = [one for one, state in health.items() if state == "healthy"]
            return healthy if len(healthy) == len(health) == len(self.instances()) == number else []

        return list(until(reached, seconds, self.told))

    def told(self) -> str:
        events = "\n".join(f"{event.instance} {event.what}" for event in self.scaler.events)
        return f"{self.scaler.trouble} {self.balancer.trouble} {self.instances()} {self.health()}\n{events}"

    def visitors(self, number: int = 4) -> list[Visitor]:
        return [Visitor(self.balancer.nodes[0].place.ports[80]) for _ in range(number)]

    def said(self) -> list[str]:
        return [event.what for event in self.scaler.events]

    def release(self, version: str) -> str:
        """A version of the template whose tag names a release, as the release tool makes it."""
        tags = [{"Key": "Release", "Value": version}]
        made = self.client("ec2").create_launch_template_version(
            LaunchTemplateId=self.template, SourceVersion="1",
            LaunchTemplateData={"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]},
        )  # fmt: skip
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def refresh(self, version: str, **preferences: Any) -> str:
        wanted = {
            "MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "SkipMatching": True, "AutoRollback": True,
            "InstanceWarmup": 40, **preferences,
        }  # fmt: skip
        started = self.client("autoscaling").start_instance_refresh(
            AutoScalingGroupName=self.name, Preferences=wanted,
            DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": self.template, "Version": version}},
        )  # fmt: skip
        return str(started["InstanceRefreshId"])

    def watch_errors(self) -> str:
        """The alarm on a release's errors, as infra/modules/alarms has it. Returns its name."""
        declared = (paths.CHECKOUT / "infra" / "modules" / "alarms" / "table.tf").read_text()
        told = declared.partition("    release-errors = {")[2]
        found = re.search(r'expression = "([^"]+)"', told)
        assert found
        load_balancer = self.balancer.balancer.arn.partition(":loadbalancer/")[2]
        balancer = [{"Name": "LoadBalancer", "Value": load_balancer}]
        target = [*balancer, {"Name": "TargetGroup", "Value": self.target_group.rsplit(":", 1)[1]}]
        queries = [
            {"Id": name, "ReturnData": False, "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
                "Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}}}
            for name, metric, dimensions in (
                ("answered", "HTTPCode_Target_5XX_Count", target), ("refused", "HTTPCode_ELB_5XX_Count", balancer),
                ("requests", "RequestCount", target),
            )
        ]  # fmt: skip
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{self.name}-release-errors", EvaluationPeriods=1, DatapointsToAlarm=1, Threshold=5,
            ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
            Metrics=[*queries, {"Id": "watched", "Expression": found[1], "ReturnData": True}],
        )  # fmt: skip
        return f"{self.name}-release-errors"

    def refreshed(self) -> dict[str, Any]:
        found = self.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=self.name)
        return dict(found["InstanceRefreshes"][0])


@pytest.fixture
def make_stage(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(
        name: str, *, scale: float = 20.0, policies: bool = False, start: bool = True, delay: int = 30, **group: Any
    ) -> Stage:
        stage = _make(emulator, tmp_path, name, scale, policies=policies, delay=delay, group=group)
        made.append(stage)
        stage.balancer.start()
        if start:
            stage.scaler.start()
        return stage

    yield make
    for stage in made:
        stage.scaler.stop()
        stage.balancer.stop()
        for server in stage.rack.running.values():
            server.stop()


def _make(
    emulator: Emulator, folder: Path, name: str, scale: float, *, policies: bool, delay: int, group: dict[str, Any]
) -> Stage:
    ec2, elb, autoscaling = (emulator.client(service) for service in ("ec2", "elbv2", "autoscaling"))
    vpc = ec2.create_vpc(CidrBlock="10.6.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for zone, cidr in {"us-east-1a": "10.6.0.0/24", "us-east-1b": "10.6.1.0/24"}.items()
    ]
    security = ec2.create_security_group(GroupName=f"{name}-servers", Description="d", VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(Name=name, Subnets=subnets, Type="application")["LoadBalancers"][0]
    target_group = elb.create_target_group(
        Name=f"{name}-8000", Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="instance", HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=5, HealthyThresholdCount=2, UnhealthyThresholdCount=3,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    elb.modify_target_group_attributes(
        TargetGroupArn=target_group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}]
    )
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )  # fmt: skip
    template = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": ec2.describe_images()["Images"][0]["ImageId"], "InstanceType": "t2.micro",
            "UserData": "Ym9vdA==", "Monitoring": {"Enabled": True},
            "NetworkInterfaces": [
                {"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": [security]},
            ],
            "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Release", "Value": "none"}]}],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        Tags=[{"Key": "Name", "Value": f"{name}-server", "PropagateAtLaunch": True}],
        **{
            "MinSize": 1, "MaxSize": 2, "DesiredCapacity": 1, "HealthCheckGracePeriod": 3, "DefaultInstanceWarmup": 40,
            "InstanceMaintenancePolicy": {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}, **group,
        },
    )  # fmt: skip
    if policies:
        autoscaling.enable_metrics_collection(
            AutoScalingGroupName=name, Granularity="1Minute",
            Metrics=["GroupDesiredCapacity", "GroupInServiceInstances"],
        )  # fmt: skip
        for policy in json.loads(POLICIES.read_text()):
            assert policy["AutoScalingGroupName"] == name
            autoscaling.put_scaling_policy(
                AutoScalingGroupName=name, PolicyName=policy["PolicyName"], PolicyType="TargetTrackingScaling",
                TargetTrackingConfiguration=policy["TargetTrackingConfiguration"],
            )  # fmt: skip
    rack = Rack()
    places = [Place("a", address="127.0.0.1", ports={80: free_port()})]
    nodes = LoadBalancer(read(elb, name), places, folder, scale=scale)
    face = Face(name, REGION, emulator.endpoint, emulator.client, scale)
    scaler = AutoScaler(face, nodes, rack, scale, address=rack.reach)
    return Stage(emulator, name, rack, nodes, scaler, template, subnets, security, target_group)


def remember_memory(stage: Stage, percent: float, ended: threading.Event) -> threading.Thread:
    """What the agents of the servers publish for their group: the memory of each."""
    cloudwatch = stage.client("cloudwatch")
    dimensions = [{"Name": "AutoScalingGroupName", "Value": stage.name}]

    def publish() -> None:
        while not ended.wait(0.4):
            datum = {
                "MetricName": "mem_used_percent", "Dimensions": dimensions, "Value": percent, "Unit": "Percent",
                "Timestamp": datetime.now(UTC),
            }  # fmt: skip
            cloudwatch.put_metric_data(Namespace="Lyceum/dev", MetricData=[datum])

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    return thread
