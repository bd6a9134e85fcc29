"""The group at work: an emulated AWS on one side, haproxy and servers on the other, and what the API shows of it."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.cloud.balancer.conftest import until, visiting
from tests.lyceum_lab.cloud.group.conftest import Stage, remember_memory

from lyceum_ops.errors import LyceumError

pytestmark = pytest.mark.standins
Make = Callable[..., Stage]


def described(stage: Stage, instance: str) -> dict[str, Any]:
    found = stage.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return dict(found[0]["Instances"][0])


def test_what_moto_made_up_goes_and_a_server_comes_that_the_api_describes(make_stage: Make) -> None:
    stage = make_stage("first", start=False)
    (made_up,) = stage.instances()
    stage.scaler.start()
    (instance,) = stage.serving()
    assert instance != made_up
    assert described(stage, made_up)["State"]["Name"] == "terminated"
    shown = described(stage, instance)
    assert shown["State"]["Name"] == "running"
    assert shown["SubnetId"] == stage.subnets[0]
    assert [each["GroupId"] for each in shown["SecurityGroups"]] == [stage.servers_group]
    assert shown["PrivateIpAddress"] == stage.rack.launched[0].address
    assert shown["InstanceType"] == "t2.micro"
    tags = {each["Key"]: each["Value"] for each in shown["Tags"]}
    assert tags["aws:autoscaling:groupName"] == "first"
    assert (tags["Release"], tags["Name"]) == ("none", "first-server")
    assert tags["aws:ec2launchtemplate:version"] == "1"
    (member,) = stage.group()["Instances"]
    assert (member["LifecycleState"], member["HealthStatus"]) == ("InService", "Healthy")
    assert stage.visitors(1)[0].get()[0] == 200
    activities = stage.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="first")["Activities"]
    assert activities[0]["Description"] == f"Launching a new EC2 instance: {instance}"
    assert activities[0]["StatusCode"] == "Successful"


def test_a_server_is_initial_in_the_api_until_its_first_passed_check(make_stage: Make) -> None:
    stage = make_stage("initial", start=False)
    stage.rack.prepare = lambda server, _: setattr(server, "healthy", False)
    stage.scaler.start()
    until(lambda: list(stage.health().values()) == ["initial"])
    for server in stage.rack.running.values():
        server.healthy = True
    stage.serving()


def test_a_machine_that_dies_is_replaced(make_stage: Make) -> None:
    stage = make_stage("dies")
    (first,) = stage.serving()
    stage.rack.kill(first)
    until(lambda: first not in stage.instances() or stage.instances()[first] != "InService")
    assert stage.serving() != [first]
    assert "is unhealthy: an EC2 health check indicating it has been terminated or stopped" in stage.said()


def test_who_fails_its_checks_is_replaced_by_one_that_came_first(make_stage: Make) -> None:
    stage = make_stage("fails")
    (first,) = stage.serving()
    time.sleep(3)  # the grace period
    stage.rack.running[first].healthy = False
    visitors = stage.visitors()
    with visiting(visitors):
        (second,) = until(lambda: [one for one in stage.serving() if one != first])
    # It failed its checks and nothing else: where no other was there, it was asked all the same, as on AWS.
    assert [one.lost for one in visitors if one.lost] == []
    events = [(event.instance, event.what.split(":")[0]) for event in stage.scaler.events]
    assert events.index((second, "serves")) < events.index((first, "leaves"))


def test_servers_that_never_get_healthy_are_replaced_one_after_the_other_until_one_does(make_stage: Make) -> None:
    """As after a wrong hash or a missing secret, of which each says why on its console (tests/instance)."""
    stage = make_stage("never", start=False)
    stage.rack.prepare = lambda server, _: setattr(server, "healthy", len(stage.rack.launched) > 2)
    stage.scaler.start()
    (served,) = stage.serving()
    assert [one.id for one in stage.rack.launched].index(served) == 2
    events = [(event.instance, event.what.split(":")[0]) for event in stage.scaler.events]
    for number, one in enumerate(stage.rack.launched[:2]):
        # Each had its time, was found unhealthy, and left; the one after the next came only then.
        assert events.index((one.id, "is unhealthy")) < events.index((one.id, "leaves"))
        later = [name for name, what in events if what.startswith("is launched")][number + 2 :]
        assert all(events.index((one.id, "leaves")) < _launch_of(events, name) for name in later)


def _launch_of(events: list[tuple[str, str]], instance: str) -> int:
    return next(at for at, (name, what) in enumerate(events) if name == instance and what.startswith("is launched"))


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("boots", OSError("no disk left")),
        # AWS's API is asked what the server is told about itself.
        (
            "asks",
            ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "no disk left"}}, "DescribeInstances"),
        ),
    ],
)
def test_a_boot_that_fails_is_tried_again(make_stage: Make, name: str, failure: Exception) -> None:
    stage = make_stage(name, start=False)
    stage.rack.broken = failure
    stage.scaler.start()
    until(lambda: any("does not boot: " in what and "no disk left" in what for what in stage.said()))
    stage.rack.broken = None
    stage.serving()


def test_out_in_and_the_end(make_stage: Make) -> None:
    stage = make_stage("moves")
    (first,) = stage.serving()
    autoscaling = stage.client("autoscaling")
    autoscaling.set_desired_capacity(AutoScalingGroupName="moves", DesiredCapacity=2)
    both = stage.serving(2)
    assert {described(stage, one)["SubnetId"] for one in both} == set(stage.subnets)
    visitors = stage.visitors()
    with visiting(visitors):
        autoscaling.set_desired_capacity(AutoScalingGroupName="moves", DesiredCapacity=1)
        until(lambda: stage.health().get(first) == "draining")
        assert stage.instances()[first] == "Terminating"
        (second,) = stage.serving()
    assert second != first  # the oldest went
    assert described(stage, first)["State"]["Name"] == "terminated"
    assert [one.lost for one in visitors if one.lost] == []
    stage.scaler.stop()
    assert stage.rack.running == {}
    assert stage.instances() == {}
    assert stage.scaler.trouble == ""


@pytest.mark.parametrize("fewer", [True, False])
def test_one_that_is_terminated_through_the_api_drains_first(make_stage: Make, fewer: bool) -> None:
    name = f"asked-{fewer}".lower()
    stage = make_stage(name, DesiredCapacity=2)
    first, second = stage.serving(2)
    visitors = stage.visitors()
    with visiting(visitors):
        stage.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=first, ShouldDecrementDesiredCapacity=fewer
        )
        until(lambda: first not in stage.instances(), 90, stage.told)
        left = stage.serving(1 if fewer else 2)
    assert second in left
    assert first not in stage.instances()
    assert stage.group()["DesiredCapacity"] == (1 if fewer else 2)
    assert [one.lost for one in visitors if one.lost] == []


def test_one_that_vanishes_from_ec2_leaves_no_machine(make_stage: Make) -> None:
    stage = make_stage("vanishes")
    (first,) = stage.serving()
    stage.client("ec2").terminate_instances(InstanceIds=[first])
    until(lambda: first not in stage.rack.running)
    (second,) = stage.serving()
    # And moto puts nobody in its place whom nobody boots.
    assert {event.instance for event in stage.scaler.events} == {first, second}


# ------------------------------------------------------------------------------------------------------ refresh


def test_a_release_loses_no_request_with_one_server(make_stage: Make) -> None:
    stage = make_stage("released")
    (old,) = stage.serving()
    version = stage.release("v2")
    visitors = stage.visitors()
    with visiting(visitors):
        identity = stage.refresh(version)
        with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
            stage.refresh(version)
        until(lambda: stage.refreshed()["Status"] == "Successful", 90, stage.told)
        (new,) = stage.serving()
    assert [one.lost for one in visitors if one.lost] == []
    assert sum(len(one.statuses) for one in visitors) > 100
    shown = stage.refreshed()
    assert (shown["InstanceRefreshId"], shown["PercentageComplete"]) == (identity, 100)
    assert new != old
    assert {"Key": "Release", "Value": "v2"} in described(stage, new)["Tags"]
    group = stage.group()
    assert group["LaunchTemplate"]["Version"] == version
    assert group["Instances"][0]["LaunchTemplate"]["Version"] == version


def test_a_release_that_an_alarm_stops_goes_back_and_loses_no_request(make_stage: Make) -> None:
    stage = make_stage("alarmed")
    (old,) = stage.serving()
    cloudwatch = stage.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="alarmed-errors", Namespace="N", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    version = stage.release("bad")
    stage.rack.prepare = lambda server, launched: setattr(server, "healthy", launched.version != version)
    visitors = stage.visitors()
    with visiting(visitors):
        stage.refresh(version, AlarmSpecification={"Alarms": ["alarmed-errors"]})
        until(lambda: any(one.version == version for one in stage.rack.launched), told=stage.told)
        cloudwatch.set_alarm_state(AlarmName="alarmed-errors", StateValue="ALARM", StateReason="test")
        until(lambda: stage.refreshed()["Status"] == "RollbackSuccessful", 90, stage.told)
        assert stage.serving() == [old]
    assert [one.lost for one in visitors if one.lost] == []
    assert "alarmed-errors" in stage.refreshed()["RollbackDetails"]["RollbackReason"]
    assert stage.group()["LaunchTemplate"]["Version"] == "1"


def test_a_refresh_can_be_cancelled(make_stage: Make) -> None:
    stage = make_stage("cancelled")
    (old,) = stage.serving()
    autoscaling = stage.client("autoscaling")
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        autoscaling.cancel_instance_refresh(AutoScalingGroupName="cancelled")
    stage.refresh(stage.release("v2"), InstanceWarmup=3600)
    until(lambda: stage.refreshed()["Status"] == "InProgress")
    autoscaling.cancel_instance_refresh(AutoScalingGroupName="cancelled")
    until(lambda: stage.refreshed()["Status"] == "Cancelled")
    assert stage.serving()
    assert old in {one.id for one in stage.rack.launched}


@pytest.mark.parametrize(
    ("preferences", "version", "said"),
    [
        ({"MinHealthyPercentage": 50, "MaxHealthyPercentage": 200}, "1", "at most 100"),
        ({}, "$Latest", "a number"),
    ],
)
def test_what_aws_would_refuse_is_refused(
    make_stage: Make, preferences: dict[str, int], version: str, said: str
) -> None:
    stage = make_stage("refused-" + str(len(preferences)), start=False)
    with pytest.raises(ClientError, match=said):
        stage.refresh(version, **preferences)


# ------------------------------------------------------------------------------------------------------ scaling


def test_load_brings_a_second_server_and_its_end_takes_it_away(make_stage: Make) -> None:
    """The policies that are deployed, with as many data points as on AWS: 3 of 3 to grow, 15 of 15 to shrink."""
    stage = make_stage("lyceum-dev-servers", scale=30, policies=True)
    ended = threading.Event()
    publishing = remember_memory(stage, 45.0, ended)
    try:
        stage.serving()
        begun = time.monotonic()
        stage.rack.used = 0.95
        until(lambda: stage.group()["DesiredCapacity"] == 2, 60)
        grew = time.monotonic() - begun
        assert grew >= 2 * 2, "a minute at this scale has 2 s: three points are asked for"
        stage.serving(2)
        stage.rack.used = 0.05
        begun = time.monotonic()
        until(lambda: stage.group()["DesiredCapacity"] == 1, 120)
        assert time.monotonic() - begun >= 14 * 2, "fifteen points are asked for"
        stage.serving()
    finally:
        ended.set()
        publishing.join()
    found = stage.client("cloudwatch").list_metrics(Namespace="AWS/EC2", MetricName="CPUUtilization")["Metrics"]
    names = {tuple(each["Name"] for each in metric["Dimensions"]) for metric in found}
    assert names == {("InstanceId",), ("AutoScalingGroupName",)}
    assert stage.client("cloudwatch").list_metrics(Namespace="AWS/ApplicationELB", MetricName="HealthyHostCount")


# ------------------------------------------------------------------------------------------------------ bad input


def test_no_such_group_and_no_such_scale_are_said(make_stage: Make) -> None:
    stage = make_stage("named", start=False)
    stage.scaler.face.name = "nobody"
    with pytest.raises(LyceumError, match="no Auto Scaling group nobody"):
        stage.scaler.start()
    stage.scaler.face.name = "named"
    with pytest.raises(LyceumError, match="whole seconds"):
        type(stage.scaler)(stage.scaler.face, stage.balancer, stage.rack, 7.0)


@pytest.mark.parametrize("body", [b"{", b'{"region": "us-east-1", "facts": [{"fact": "rumour"}]}',
                                  b'{"region": "us-east-1", "facts": [{"fact": "claim"}]}'])  # fmt: skip
def test_the_emulator_takes_no_nonsense(make_stage: Make, body: bytes) -> None:
    stage = make_stage("nonsense-" + str(len(body)), start=False)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{stage.emulator.endpoint}/_lyceum/groups", data=body)
    assert refused.value.code == 400
    assert b"no facts" in refused.value.read()
