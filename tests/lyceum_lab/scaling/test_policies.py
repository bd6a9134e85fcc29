"""Policies out of the API's form: values, order of the lines, what is left out, what is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator, emulator, start_emulator

from lyceum_lab.scaling.metric_math import Point
from lyceum_lab.scaling.policies import Metric, Policy, parse, read

__all__ = ["emulator", "start_emulator"]


def measured(policies: list[Policy], **values: Point) -> dict[Metric, Point]:
    return {metric: values.get(metric.name) for policy in policies for metric in policy.metrics}


def test_the_deployed_policies_hold_the_right_values_against_their_targets(deployed: list[Policy]) -> None:
    found = measured(deployed, CPUUtilization=40.0, mem_used_percent=60.0, GroupInServiceInstances=2.0)
    assert {p.name: (p.value(found), p.target) for p in deployed} == {
        "lyceum-dev-cpu": (40.0, 50.0),
        "lyceum-dev-memory-above-idle": (15.0, 25.0),
        "lyceum-dev-hold": (70.0, 70.0),
    }
    alone = measured(deployed, CPUUtilization=99.0, mem_used_percent=40.0, GroupInServiceInstances=1.0)
    assert {p.name: p.value(alone) for p in deployed} == {
        "lyceum-dev-cpu": 99.0,
        "lyceum-dev-memory-above-idle": 0.0,
        "lyceum-dev-hold": 0.0,
    }


def test_they_read_what_the_agent_writes_for_this_group(deployed: list[Policy]) -> None:
    (memory,) = {metric for policy in deployed for metric in policy.metrics if metric.name == "mem_used_percent"}
    assert (memory.namespace, memory.dimensions) == ("Lyceum/dev", (("AutoScalingGroupName", "lyceum-dev-servers"),))


def test_a_policy_that_is_switched_off_counts_for_nothing(described: list[dict[str, Any]]) -> None:
    off = deepcopy(described)
    off[0]["Enabled"] = False
    assert len(parse(off)) == len(described) - 1


def test_a_metric_that_nobody_here_understands_is_refused(described: list[dict[str, Any]]) -> None:
    other = deepcopy(described)
    cpu = next(p for p in other if "PredefinedMetricSpecification" in p["TargetTrackingConfiguration"])
    cpu["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"] = (
        "ALBRequestCountPerTarget"
    )
    with pytest.raises(ValueError, match="ALBRequestCountPerTarget is not understood"):
        parse(other)


def test_expressions_in_a_circle_are_refused(described: list[dict[str, Any]]) -> None:
    circle = deepcopy(next(p for p in described if p["PolicyName"].endswith("above-idle")))
    lines = circle["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    lines.append({"Id": "again", "Expression": "above_idle + 1", "ReturnData": False})
    next(line for line in lines if line["Id"] == "above_idle")["Expression"] = "again + memory"
    (policy,) = parse([circle])
    with pytest.raises(ValueError, match="circle"):
        policy.value(measured([policy], mem_used_percent=60.0))


def test_policies_are_read_through_the_api(emulator: Emulator, described: list[dict[str, Any]]) -> None:
    """As a later suite reads those that are deployed: put them to a group, read them, and nothing is lost."""
    ec2, autoscaling = emulator.client("ec2"), emulator.client("autoscaling")
    template = ec2.create_launch_template(
        LaunchTemplateName="read", LaunchTemplateData={"ImageId": ec2.describe_images()["Images"][0]["ImageId"]}
    )["LaunchTemplate"]["LaunchTemplateId"]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="lyceum-dev-servers", MinSize=0, MaxSize=2, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": template},
    )  # fmt: skip
    for policy in described:
        autoscaling.put_scaling_policy(**policy)
    assert sorted(read(autoscaling, "lyceum-dev-servers"), key=lambda policy: policy.name) == parse(described)
    autoscaling.put_scaling_policy(**{**described[0], "Enabled": False})
    assert len(read(autoscaling, "lyceum-dev-servers")) == len(described) - 1
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="lyceum-dev-servers", ForceDelete=True)
    ec2.delete_launch_template(LaunchTemplateId=template)
