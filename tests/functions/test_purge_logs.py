"""Two days of logs, hour by hour, on CloudWatch Logs as moto emulates it."""

from __future__ import annotations

import ast
import json
import random
import re
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from functions.purge_logs import purge_logs
from functions.purge_logs.purge_logs import PurgeIncomplete
from tests.functions.conftest import GROUPS, Logs, hour

SYSTEM, APPLICATION = GROUPS
ROOT = Path(__file__).parents[2]
# The minute of each hour at which it is started.
MINUTE = int(re.findall(r"cron\((\d+) \* \* \* \? \*\)", (ROOT / "infra/modules/logs/purge.tf").read_text())[0])
TWO_DAYS = timedelta(hours=48)
SHORTLY = timedelta(milliseconds=1)


def minutes_left() -> int:
    return 300_000


def purge(logs: Logs) -> dict[str, Any]:
    return purge_logs.run(logs.client, GROUPS, logs.now, minutes_left)


def fail(logs: Logs, operation: str, code: str, *, only: str = "") -> None:
    """Let every call of an operation (of streams with `only` in their names) be answered with an error."""

    def answer(params: dict[str, Any], **_: Any) -> Any:
        if only in json.loads(params["body"]).get("logStreamName", ""):
            parsed = {"Error": {"Code": code, "Message": "refused"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            return SimpleNamespace(status_code=400, headers={}, content=b""), parsed
        return None

    logs.client.meta.events.register_first(f"before-call.cloudwatch-logs.{operation}", answer)


def test_through_a_week_nothing_younger_than_two_days_goes_and_nothing_older_than_49_hours_stays(logs: Logs) -> None:
    chance = random.Random(4)
    written: dict[str, list[Any]] = {group: [] for group in GROUPS}
    for _ in range(7 * 24):
        began = logs.now
        for server in ("i-0a", "i-0b"):
            # A server turns its streams over some seconds into the hour; what comes before lands in the old one.
            turns = began + timedelta(seconds=chance.uniform(1, 60))
            later = turns + timedelta(seconds=chance.uniform(0, 3500))
            for moment, named in ((turns - SHORTLY, began - timedelta(hours=1)), (turns, began), (later, began)):
                logs.now = moment
                for group in GROUPS:
                    logs.write(group, f"{server}/{hour(named)}")
                    written[group].append(moment)
        logs.now = began + timedelta(hours=1, minutes=MINUTE)
        for group in GROUPS:
            longest = logs.now - logs.kept(group)[0]
            assert longest <= timedelta(hours=49, minutes=MINUTE), "between two runs: the schedule's minute more"
        purge(logs)
        for group in GROUPS:
            kept = logs.kept(group)
            assert logs.now - kept[0] <= timedelta(hours=49)
            young = sorted(moment for moment in written[group] if moment > logs.now - TWO_DAYS)
            assert set(young) <= set(kept)
        logs.now = began + timedelta(hours=1)
    # Two servers and the hours that are kept: the rest is gone.
    assert len(logs.streams(SYSTEM)) <= 2 * 50


def test_a_stream_goes_as_soon_as_its_hour_ended_two_days_ago_and_not_a_minute_before(logs: Logs) -> None:
    stream = f"i-0a/{hour(logs.now)}"
    logs.write(SYSTEM, stream)
    logs.pass_time(hours=48, minutes=59)
    assert purge(logs)["deleted"] == 0
    assert logs.streams(SYSTEM) == [stream]
    logs.pass_time(minutes=1)
    assert purge(logs)["deleted"] == 1
    assert logs.streams(SYSTEM) == []


def test_a_stream_that_was_not_turned_over_waits_and_then_rings(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    stream = f"i-0a/{hour(logs.now)}"
    logs.write(SYSTEM, stream)
    logs.pass_time(hours=1, minutes=30)
    logs.write(SYSTEM, stream)
    logs.pass_time(hours=47, minutes=45)
    assert purge(logs)["waiting"] == 1
    assert logs.streams(SYSTEM) == [stream], "half of it is younger than two days"
    logs.pass_time(hours=1)
    assert purge(logs)["deleted"] == 1

    stuck = f"i-0b/{hour(logs.now)}"
    for _ in range(52):
        logs.write(SYSTEM, stuck)
        logs.pass_time(hours=1)
    with pytest.raises(PurgeIncomplete, match="turns no stream over"):
        purge(logs)
    assert logs.streams(SYSTEM) == [stuck]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["level"] == "ERROR"


def test_what_cloudwatch_does_not_yet_know_of_a_stream_deletes_nothing(logs: Logs, monkeypatch: Any) -> None:
    """Its account of a stream lags: the last event may be told late, or not at all."""
    logs.write(SYSTEM, f"i-0a/{hour(logs.now)}")
    logs.write(SYSTEM, "by-hand")
    logs.pass_time(hours=48, minutes=30)
    real = purge_logs._streams

    def lagging(client: Any, group: str) -> Any:
        for stream in real(client, group):
            yield {**{k: v for k, v in stream.items() if k != "lastEventTimestamp"}, "creationTime": 0}

    monkeypatch.setattr(purge_logs, "_streams", lagging)
    assert purge(logs)["deleted"] == 0
    assert len(logs.streams(SYSTEM)) == 2


@pytest.mark.parametrize("name", ["by-hand", "i-0a/2026-02-31T07", "i-0a/2026-13", "a/i-0a/2026-01-01T07"])
def test_a_stream_with_another_name_goes_49_hours_after_it_was_last_written_to(logs: Logs, name: str) -> None:
    logs.write(SYSTEM, name)
    logs.pass_time(hours=5)
    logs.write(SYSTEM, name)
    logs.pass_time(hours=48, minutes=59)
    assert purge(logs) == {"seen": 1, "deleted": 0, "gone": 0, "waiting": 0, "unnamed": 1, "failed": 0}
    logs.pass_time(minutes=1)
    assert purge(logs)["deleted"] == 1


def test_an_empty_stream_counts_from_when_it_was_made(logs: Logs) -> None:
    logs.client.create_log_stream(logGroupName=SYSTEM, logStreamName="empty")
    logs.pass_time(hours=48, minutes=59)
    assert purge(logs)["deleted"] == 0
    logs.pass_time(minutes=1)
    assert purge(logs)["deleted"] == 1


def test_what_a_server_delivers_late_for_an_hour_long_gone_goes_with_the_next_run(logs: Logs) -> None:
    began = logs.now
    logs.pass_time(hours=60)
    logs.write(SYSTEM, f"i-0a/{hour(began)}", at=began)
    assert purge(logs)["deleted"] == 1


def test_many_streams_are_read_page_by_page_and_a_second_run_finds_nothing(logs: Logs) -> None:
    for server in range(120):
        logs.client.create_log_stream(logGroupName=SYSTEM, logStreamName=f"i-{server:03}/{hour(logs.now)}")
    logs.pass_time(hours=50)
    assert purge(logs)["deleted"] == 120
    assert purge(logs)["seen"] == 0


def test_a_deletion_that_fails_is_told_and_raised_and_keeps_no_other(logs: Logs, capsys: Any) -> None:
    for server in ("i-0a", "i-0b", "i-0c"):
        logs.write(APPLICATION, f"{server}/{hour(logs.now)}")
    logs.pass_time(hours=50)
    fail(logs, "DeleteLogStream", "ThrottlingException", only="i-0b")
    with pytest.raises(PurgeIncomplete, match=r"application i-0b/.*Throttling"):
        purge(logs)
    assert [stream[:4] for stream in logs.streams(APPLICATION)] == ["i-0b"]
    told = json.loads(capsys.readouterr().out)
    assert (told["deleted"], told["failed"], told["level"]) == (2, 1, "ERROR")


def test_a_stream_that_somebody_else_deleted_is_no_failure(logs: Logs) -> None:
    logs.write(SYSTEM, f"i-0a/{hour(logs.now)}")
    logs.pass_time(hours=50)
    fail(logs, "DeleteLogStream", "ResourceNotFoundException")
    assert purge(logs)["gone"] == 1


def test_a_group_that_is_missing_is_raised_and_does_not_keep_the_other(logs: Logs) -> None:
    logs.write(APPLICATION, f"i-0a/{hour(logs.now)}")
    logs.pass_time(hours=50)
    logs.client.delete_log_group(logGroupName=SYSTEM)
    with pytest.raises(PurgeIncomplete, match="system"):
        purge(logs)
    assert logs.streams(APPLICATION) == []


def test_a_run_without_time_left_stops_and_says_so(logs: Logs) -> None:
    for server in ("i-0a", "i-0b"):
        logs.write(SYSTEM, f"{server}/{hour(logs.now)}")
    logs.pass_time(hours=50)
    left = iter([60_000, 5_000])
    with pytest.raises(PurgeIncomplete, match="no time left for 1 of 2"):
        purge_logs.run(logs.client, GROUPS, logs.now, lambda: next(left))
    assert len(logs.streams(SYSTEM)) == 1
    assert purge(logs)["deleted"] == 1


def test_lambda_starts_it_with_the_groups_of_its_environment(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.now -= timedelta(hours=60)
    logs.write(APPLICATION, f"i-0a/{hour(logs.now)}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LOG_GROUPS", json.dumps(GROUPS))
    context = SimpleNamespace(get_remaining_time_in_millis=minutes_left)
    assert purge_logs.handler({}, context)["deleted"] == 1


def test_throttling_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr("boto3.client", lambda service, config: made.update({service: config}))
    monkeypatch.setattr(purge_logs, "run", lambda *_: {})
    monkeypatch.setenv("LOG_GROUPS", "[]")
    purge_logs.handler({}, SimpleNamespace(get_remaining_time_in_millis=minutes_left))
    assert made["logs"].retries == {"mode": "standard", "max_attempts": 8}


def test_functions_need_nothing_that_lambda_lacks() -> None:
    for module in (ROOT / "functions").rglob("*.py"):
        tree = ast.parse(module.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"boto3", "botocore"}, module.name


def test_an_error_of_aws_is_what_it_is(logs: Logs) -> None:
    """The failures above are made as AWS makes them."""
    fail(logs, "DeleteLogStream", "ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        logs.client.delete_log_stream(logGroupName=SYSTEM, logStreamName="any")
