"""Bad releases, with tiny servers behind a real haproxy; in the whole cloud: tests/rehearsal/test_releases.py."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.lyceum_lab.cloud.balancer.conftest import until, visiting
from tests.lyceum_lab.cloud.group.conftest import Stage

pytestmark = pytest.mark.release
Make = Callable[..., Stage]


def test_a_release_that_answers_with_errors_is_taken_back_within_a_bound(make_stage: Make) -> None:
    """Healthy for the load balancer, and wrong for visitors: counted by the one, told by the alarm, ended by it."""
    stage = make_stage("erring")
    (old,) = stage.serving()
    alarm, version = stage.watch_errors(), stage.release("bad")
    stage.rack.prepare = lambda server, launched: setattr(server, "status", 500 if launched.version == version else 200)
    visitors = stage.visitors()
    with visiting(visitors):
        began = time.monotonic()
        stage.refresh(version, BakeTime=180, AlarmSpecification={"Alarms": [alarm]})
        until(lambda: stage.refreshed()["Status"] == "RollbackSuccessful", 120, stage.told)
        took = time.monotonic() - began
        stage.serving()
    lost, asked = sum(len(one.lost) for one in visitors), sum(len(one.statuses) for one in visitors)
    bad = [event.at for event in stage.scaler.events if event.what == "serves"][1]
    rung = next(event.at for event in stage.scaler.events if f"alarm {alarm}: ALARM" in event.what)
    minute = 60 / stage.scaler.scale
    print(f"errors: {lost} of {asked} requests lost, rung {rung - bad:.1f} s after it served, back after {took:.1f} s")
    assert lost > 0
    # A minute that has begun, the bad one, and a part of one until it is told; what boots meanwhile is another matter.
    assert rung - bad < 2.5 * minute + 2, stage.told()
    assert lost < asked * 0.5
    assert alarm in stage.refreshed()["RollbackDetails"]["RollbackReason"]
    assert stage.group()["LaunchTemplate"]["Version"] == "1"
    assert {one["LaunchTemplate"]["Version"] for one in stage.group()["Instances"]} == {"1"}
    assert old in {one.id for one in stage.rack.launched}
    # And it is over: the next release is not hindered by it.
    cloudwatch = stage.client("cloudwatch")
    until(lambda: cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"] == "OK", 60)


@pytest.mark.full
def test_without_an_alarm_the_same_release_would_stay(make_stage: Make) -> None:
    # The counterpart of the test above: nothing else tells a release that errs from a good one.
    stage = make_stage("unwatched")
    stage.serving()
    version = stage.release("bad")
    stage.rack.prepare = lambda server, launched: setattr(server, "status", 500 if launched.version == version else 200)
    stage.refresh(version, BakeTime=20)
    until(lambda: stage.refreshed()["Status"] == "Successful", 90, stage.told)
    stage.serving()
    assert stage.visitors(1)[0].get()[0] == 500


def test_without_a_deregistration_delay_a_release_loses_requests(make_stage: Make) -> None:
    # The counterpart of test_loop.py::test_a_release_loses_no_request_with_one_server, which has one of 30 s.
    stage = make_stage("undelayed", start=False, delay=0)
    # Longer than the balancer takes to look: what is under way is still so when it is cut.
    stage.rack.prepare = lambda server, _: setattr(server, "slow", 1.5)
    stage.scaler.start()
    stage.serving()
    visitors = stage.visitors(8)
    with visiting(visitors):
        stage.refresh(stage.release("v2"))
        until(lambda: stage.refreshed()["Status"] == "Successful", 90, stage.told)
        stage.serving()
    assert any(one.lost for one in visitors)
