"""The stand-in as a process on a server: its configuration in, events and data points of the emulated AWS out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.lyceum_lab.cloud.standins.conftest import SECRET, MetadataService
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.cloud.standins import cloudwatch_agent as agent

FILE = Path(agent.__file__)
as_process = pytest.mark.standins


def until(what: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer, within `seconds`."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)
    return found


@dataclass
class Server:
    """A machine with the agent on it."""

    folder: Path
    metadata: MetadataService
    emulator: Emulator
    group: str
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "application.log"

    def write(self, *lines: str) -> None:
        with self.log.open("a") as log:
            log.writelines(f"{line}\n" for line in lines)

    def configure(self, **changed: Any) -> None:
        entry = {"file_path": str(self.log), "log_group_name": self.group, "log_stream_name": "{instance_id}/{date}"}
        wanted = {
            "agent": {"metrics_collection_interval": 60},
            "logs": {
                "logs_collected": {"files": {"collect_list": [entry | changed.pop("file", {})]}},
                "force_flush_interval": 1,
            },
        }
        (self.folder / "agent.json").write_text(json.dumps(wanted | changed))

    def start(self, endpoint: str | None = None, **environment: str) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHONPATH"))}
        with (self.folder / "agent.out").open("ab") as sink:
            process = subprocess.Popen(
                [sys.executable, str(FILE), "--config", str(self.folder / "agent.json"),
                 "--state", str(self.folder / "state")],
                env={**clean, "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.endpoint,
                     "AWS_ENDPOINT_URL": endpoint or self.emulator.endpoint, **environment},
                stdout=sink, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.started.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        assert process.wait(timeout=15) == 0, self.said()

    def said(self) -> str:
        return (self.folder / "agent.out").read_text()

    def events(self, stream: str | None = None) -> list[str]:
        logs = self.emulator.client("logs")
        only = {"logStreamNames": [stream]} if stream else {}
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=self.group, **only)
        return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture
def server(
    tmp_path: Path, metadata: MetadataService, emulator: Emulator, request: pytest.FixtureRequest
) -> Iterator[Server]:
    made = Server(tmp_path, metadata, emulator, f"/lyceum/{request.node.name}")
    emulator.client("logs").create_log_group(logGroupName=made.group)
    made.configure()
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    assert SECRET not in made.said(), "a secret in the log"


# ------------------------------------------------------------------------------------------------------ logs


@as_process
def test_lines_reach_the_stream_that_is_named_when_the_configuration_is_loaded(server: Server) -> None:
    server.write("one", "two", "  more of two", "three")
    server.start()
    until(lambda: len(server.events()) == 3)
    assert server.events(f"i-0123/{datetime.now().astimezone():%Y-%m-%d}") == ["one", "two\n  more of two", "three"]


@as_process
def test_nothing_is_lost_or_doubled_by_rotation_truncation_and_restart(server: Server) -> None:
    first = server.start()
    server.write(*(f"before {number}" for number in range(50)))
    until(lambda: len(server.events()) == 50)
    server.log.rename(server.folder / "application.log.1")
    with (server.folder / "application.log.1").open("a") as rotated:
        rotated.write("written to the old file\n")
    server.write("after rotation")
    until(lambda: len(server.events()) == 52)
    server.log.write_text("")
    time.sleep(1)  # a truncation is only seen while the file is shorter
    server.write("after truncation")
    until(lambda: len(server.events()) == 53)
    server.stop(first)
    server.write("while it was down")
    server.start()
    until(lambda: len(server.events()) == 54)
    time.sleep(2)
    found = server.events()
    assert len(found) == len(set(found)) == 54


@as_process
def test_kill_9_loses_nothing(server: Server) -> None:
    process = server.start()
    server.write(*(f"event {number}" for number in range(20)))
    until(lambda: len(server.events()) == 20)
    server.write("read, and perhaps not sent")
    process.kill()
    process.wait()
    server.start()
    until(lambda: "read, and perhaps not sent" in server.events())


@as_process
def test_without_its_memory_the_offset_is_lost(server: Server) -> None:
    # The counterpart of the tests above: they would notice a state that is not kept.
    server.write("once")
    process = server.start()
    until(lambda: server.events() == ["once"])
    server.stop(process)
    until(lambda: server.events() == ["once"])
    for kept in (server.folder / "state").iterdir():
        kept.unlink()
    server.start()
    until(lambda: server.events() == ["once", "once"])


@as_process
def test_a_group_that_does_not_exist_is_not_made_and_is_served_as_soon_as_it_does(server: Server) -> None:
    logs = server.emulator.client("logs")
    missing = f"{server.group}/missing"
    server.configure(file={"log_group_name": missing})
    server.write("patient")
    process = server.start()
    until(lambda: "ResourceNotFoundException" in server.said())
    assert not logs.describe_log_groups(logGroupNamePrefix=missing)["logGroups"]
    logs.create_log_group(logGroupName=missing)
    until(lambda: logs.filter_log_events(logGroupName=missing)["events"])
    assert process.poll() is None


@as_process
def test_an_outage_is_survived(server: Server, start_emulator: Callable[..., Emulator]) -> None:
    away = start_emulator()
    away.client("logs").create_log_group(logGroupName=server.group)
    away.process.send_signal(signal.SIGSTOP)  # takes connections, answers none
    away.process.kill()
    away.process.wait()
    process = server.start(endpoint=away.endpoint)
    server.write("during the outage")
    until(lambda: "again in" in server.said())
    assert process.poll() is None
    server.stop(process)
    server.start()
    until(lambda: server.events() == ["during the outage"])


@as_process
def test_sighup_names_the_streams_anew(server: Server) -> None:
    process = server.start()
    server.write("first")
    until(lambda: server.events() == ["first"])
    server.configure(file={"log_stream_name": "{instance_id}/renamed"})
    process.send_signal(signal.SIGHUP)
    until(lambda: "loaded again" in server.said())
    server.write("second")
    until(lambda: server.events("i-0123/renamed") == ["second"])
    (server.folder / "agent.json").write_text("{")
    process.send_signal(signal.SIGHUP)
    until(lambda: "the one before stays" in server.said())
    server.write("third")
    until(lambda: server.events("i-0123/renamed") == ["second", "third"])


@as_process
def test_the_newest_of_the_files_that_match_is_followed(server: Server) -> None:
    server.configure(file={"file_path": str(server.folder / "hour-*.log"), "log_stream_name": "hours"})
    (server.folder / "hour-01.log").write_text("first hour\n")
    (server.folder / "hour-01.log.gz").write_text("not text\n")
    server.start()
    until(lambda: server.events() == ["first hour"])
    with (server.folder / "hour-01.log").open("a") as old:
        old.write("last line of the first hour\n")
    (server.folder / "hour-02.log").write_text("second hour\n")
    until(lambda: server.events() == ["first hour", "last line of the first hour", "second hour"])


@as_process
def test_an_event_has_the_time_that_stands_in_it(server: Server) -> None:
    server.configure(
        file={
            "timestamp_format": "%Y-%m-%dT%H:%M:%S.%f%z",
            "multi_line_start_pattern": "{timestamp_format}",
        }
    )
    moment = datetime.now(UTC).replace(microsecond=250_000) - timedelta(hours=3)
    server.write(f'{{"time": "{moment.isoformat()}", "level": "ERROR"}}', "Traceback", "ValueError: of the same event")
    server.start()
    until(server.events)
    found = server.emulator.client("logs").filter_log_events(logGroupName=server.group)["events"]
    assert [event["timestamp"] for event in found] == [round(moment.timestamp() * 1000)]
    assert found[0]["message"].endswith("ValueError: of the same event")


@as_process
def test_twelve_lines_a_second_take_little_of_a_core(server: Server) -> None:
    process = server.start()
    server.write("warm")
    until(lambda: server.events() == ["warm"])
    used = psutil.Process(process.pid)
    before, begun = sum(used.cpu_times()[:2]), time.monotonic()
    for second in range(6):
        server.write(*(f"{second} {number} {'x' * 200}" for number in range(12)))
        time.sleep(1)
    share = (sum(used.cpu_times()[:2]) - before) / (time.monotonic() - begun)
    assert share < 0.05, f"{share:.1%} of a core"  # 0.5 to 1 % on an idle machine


# ------------------------------------------------------------------------------------------------------ batches


def event(at: int = 0, size: int = 1) -> agent.Event:
    return agent.Event(at, "x" * size, 0, None, 0)  # type: ignore[arg-type]


HOUR = 3600 * 1000


@pytest.mark.parametrize(
    ("events", "cut"),
    [
        ([event()] * 10_000, [10_000]),
        ([event()] * 10_001, [10_000, 1]),
        ([event(0), event(24 * HOUR)], [2]),
        ([event(0), event(24 * HOUR + 1)], [1, 1]),
        ([event(25 * HOUR), event(0)], [1, 1]),
        ([event(size=262_118)] * 4, [4]),
        ([event(size=262_118)] * 5, [4, 1]),
    ],
)  # fmt: skip
def test_a_call_holds_as_much_as_it_may(events: list[agent.Event], cut: list[int]) -> None:
    assert [len(batch) for batch in agent.batches(events)] == cut


@as_process
def test_an_event_that_is_too_large_is_cut(server: Server) -> None:
    server.write("é" * 200_000, "next")
    server.start()
    until(lambda: len(server.events()) >= 2)
    first = server.events()[0]
    assert first.endswith("[Truncated...]")
    assert len(first.encode()) + 26 <= 262_144


# ------------------------------------------------------------------------------------------------------ metrics


def measured(emulator: Emulator, namespace: str, name: str) -> set[tuple[tuple[str, str], ...]]:
    found = emulator.client("cloudwatch").list_metrics(Namespace=namespace, MetricName=name)["Metrics"]
    return {tuple(sorted((d["Name"], d["Value"]) for d in metric["Dimensions"])) for metric in found}


def statistics(emulator: Emulator, namespace: str, name: str, **dimensions: str) -> list[float]:
    found = emulator.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1), Period=60, Statistics=["Average", "SampleCount"],
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
    )["Datapoints"]  # fmt: skip
    return [point["Average"] for point in found]


def launched(emulator: Emulator, group: str) -> str:
    """An instance that belongs to a group, as Auto Scaling tags it."""
    ec2, autoscaling = emulator.client("ec2"), emulator.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName=group, LaunchTemplateData={"ImageId": image})
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=1, MaxSize=1, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": group},
    )  # fmt: skip
    (found,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return str(found["Instances"][0]["InstanceId"])


@as_process
def test_memory_and_disk_are_published_as_documented(server: Server, emulator: Emulator) -> None:
    identity = launched(emulator, "measured")
    server.metadata.told["dynamic/instance-identity/document"] = json.dumps(
        {"instanceId": identity, "region": "us-east-1"}
    )
    given = server.folder / "memory"
    given.write_text("61.5\n")
    server.configure(
        metrics={
            "namespace": "Lyceum/measured",
            "append_dimensions": {
                "AutoScalingGroupName": "${aws:AutoScalingGroupName}", "InstanceId": "${aws:InstanceId}",
            },
            "aggregation_dimensions": [["AutoScalingGroupName"]],
            "metrics_collected": {
                "mem": {"measurement": ["mem_used_percent"]},
                "disk": {"measurement": ["used_percent"], "resources": ["/"], "drop_device": True},
            },
        }
    )  # fmt: skip
    server.start(LYCEUM_STANDIN_MEMORY_FILE=str(given), LYCEUM_STANDIN_TIME_SCALE="60")
    of_group = (("AutoScalingGroupName", "measured"),)
    of_both = (*of_group, ("InstanceId", identity))
    until(lambda: measured(emulator, "Lyceum/measured", "mem_used_percent") == {of_group, of_both})
    disk = measured(emulator, "Lyceum/measured", "disk_used_percent")
    assert of_group in disk
    (whole,) = disk - {of_group}
    assert dict(whole).keys() == {"AutoScalingGroupName", "InstanceId", "path", "fstype"}
    assert dict(whole)["path"] == "/"
    assert statistics(emulator, "Lyceum/measured", "mem_used_percent", AutoScalingGroupName="measured")[0] == 61.5


@as_process
def test_without_a_number_from_the_lab_there_is_no_data_point(server: Server, emulator: Emulator) -> None:
    server.configure(
        metrics={
            "namespace": "Lyceum/silent",
            "metrics_collected": {
                "mem": {"measurement": ["used_percent"]},
                "disk": {"measurement": ["used_percent"], "resources": ["/"]},
            },
        }
    )
    server.start(LYCEUM_STANDIN_MEMORY_FILE=str(server.folder / "missing"), LYCEUM_STANDIN_TIME_SCALE="60")
    until(lambda: measured(emulator, "Lyceum/silent", "disk_used_percent"))
    assert not measured(emulator, "Lyceum/silent", "mem_used_percent")


@as_process
def test_who_may_not_ask_for_its_group_sends_no_metric(server: Server, emulator: Emulator) -> None:
    # The instance of the metadata service does not exist: EC2 knows no tag of it, and the agent waits for one.
    server.configure(
        metrics={
            "namespace": "Lyceum/unknown",
            "append_dimensions": {"AutoScalingGroupName": "${aws:AutoScalingGroupName}"},
            "metrics_collected": {"mem": {"measurement": ["used_percent"]}},
        }
    )
    server.write("logs go on")
    server.start(LYCEUM_STANDIN_TIME_SCALE="60")
    until(lambda: "aws:autoscaling:groupName" in server.said())
    until(lambda: server.events() == ["logs go on"])
    assert not measured(emulator, "Lyceum/unknown", "mem_used_percent")


# ------------------------------------------------------------------------------------------------------ bad input


@as_process
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "is not JSON"),
        ("{}", "neither metrics nor logs"),
        ('{"logs": {"logs_collected": {"files": {"collect_list": [{}]}}}}', "KeyError: 'file_path'"),
        ('{"metrics": {"metrics_collected": {"mem": {}}}}', "KeyError: 'measurement'"),
    ],
)
def test_a_configuration_that_is_wrong_is_one_line(server: Server, written: str, said: str) -> None:
    (server.folder / "agent.json").write_text(written)
    assert server.start().wait(timeout=20) == 1
    (line,) = server.said().splitlines()
    assert said in line
