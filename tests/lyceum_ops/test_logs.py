"""`./lyceum logs ENV`: what all servers said, in the order of time, narrowed down, followed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from rich.console import Console
from tests.lyceum_ops.conftest import Emulated

from lyceum_ops import logs
from lyceum_ops.errors import LyceumError, NoCredentials, Usage
from lyceum_ops.logs import Line
from lyceum_ops.operate import Here

pytestmark = pytest.mark.logs
NOW = datetime.now(UTC)
REQUEST = "01J-request"


def said(level: str, message: str, **more: Any) -> str:
    return json.dumps({"time": "2026-05-04T09:12:41Z", "level": level, "logger": "lyceum", "message": message, **more})


@pytest.fixture
def servers(account: Emulated) -> Emulated:
    """Two servers that have said something within the last hours."""
    client = account.client("logs")
    told: dict[str, list[tuple[str, float, str]]] = {
        "application": [
            ("i-0a", 90, said("INFO", "old")),
            ("i-0a", 5, said("INFO", "request", request_id=REQUEST, status=200)),
            ("i-0b", 4, said("ERROR", "it broke", request_id="another")),
            ("i-0a", 3, said("WARNING", 'a "quoted" word', request_id=REQUEST)),
        ],
        "system": [("i-0b", 2, "kernel: \x1b[2Jout of memory")],
    }
    for group, events in told.items():
        name = f"/lyceum/dev/{group}"
        client.create_log_group(logGroupName=name)
        for server, minutes, message in events:
            stream = f"{server}/{minutes:g}"
            client.create_log_stream(logGroupName=name, logStreamName=stream)
            at = round((NOW - timedelta(minutes=minutes)).timestamp() * 1000)
            client.put_log_events(
                logGroupName=name, logStreamName=stream, logEvents=[{"timestamp": at, "message": message}]
            )
    return account


@pytest.fixture
def show(here: Here, servers: Emulated, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def run(*, lines: int = 50, terminal: bool = False, **asked: str) -> list[str]:
        sink = io.StringIO()
        monkeypatch.setattr(logs, "out", Console(file=sink, highlight=False, soft_wrap=True, force_terminal=terminal))
        wanted = logs.wanted(**{"group": "application", "since": "10m", "text": "", "request": "", **asked})
        logs.show(here, "dev", wanted, lines=lines, follow=False)
        return sink.getvalue().splitlines()

    return run


def test_all_servers_in_the_order_of_time(show: Callable[..., list[str]]) -> None:
    found = show()
    assert [line.split()[2] for line in found] == ["i-0a", "i-0b", "i-0a"]
    assert found[0].endswith(f"INFO     request  request_id={REQUEST}  status=200")
    assert "old" not in " ".join(found)
    assert "old" in show(since="2h")[0]
    assert [line.split()[2] for line in show(lines=1)] == ["i-0a"]


@pytest.mark.parametrize(
    ("asked", "messages"),
    [
        ({"text": "broke"}, ["it broke"]),
        ({"text": "Broke"}, []),
        ({"text": '\\"quoted\\"'}, ['a "quoted" word']),
        ({"request": REQUEST}, ["request", 'a "quoted" word']),
        ({"request": REQUEST, "text": "200"}, ["request"]),
    ],
)
def test_narrowed_down(show: Callable[..., list[str]], asked: dict[str, str], messages: list[str]) -> None:
    found = show(**asked)
    assert len(found) == len(messages)
    assert all(message in line for message, line in zip(messages, found, strict=True))


def test_what_was_logged_moves_no_cursor_and_colours_show_on_a_terminal_only(show: Callable[..., list[str]]) -> None:
    (line,) = show(group="system")
    assert "\x1b" not in line
    assert line.endswith("kernel:  [2Jout of memory")
    assert not any("\x1b[" in one for one in show())
    assert any("\x1b[" in one for one in show(terminal=True))


def test_nothing_is_said_to_be_nothing(show: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert show(text="nobody said this") == []
    assert "Nothing of the last 10m in /lyceum/dev/application." in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-1h", "0m", "2w", "1.5h"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(Usage, match=r"no length of time.* 15m"):
        logs.duration(text)


def test_lengths_of_time() -> None:
    assert [logs.duration(text) for text in ("30s", "15m", "2h", "2d")] == [
        timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=2), timedelta(days=2),
    ]  # fmt: skip
    with pytest.raises(Usage, match="two days"):
        logs.duration("4d")


def test_what_is_not_there_is_said_in_a_line(here: Here, account: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = logs.wanted(group="application", since="10m", text="", request="")
    with pytest.raises(LyceumError, match=r"no log group /lyceum/dev/application: .*never applied"):
        logs.show(here, "dev", wanted, lines=1, follow=False)
    with pytest.raises(Usage, match="no environment named 'stage'"):
        logs.show(here, "stage", wanted, lines=1, follow=False)
    with pytest.raises(Usage, match="no group of logs"):
        logs.wanted(group="audit", since="10m", text="", request="")
    with pytest.raises(Usage, match="not the id of a request"):
        logs.wanted(group="application", since="10m", text="", request='x" || $.a = "b')
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NoCredentials):
        logs.show(here, "dev", wanted, lines=1, follow=False)


def test_following_shows_each_line_once_also_where_it_comes_late() -> None:
    def line(name: str, at: datetime) -> Line:
        return Line(name, round(at.timestamp() * 1000), "i-0a", name)

    seconds = count(step=2)
    written = {
        2: [line("b", NOW)],
        6: [line("c", NOW + timedelta(seconds=5)), line("late", NOW - timedelta(seconds=20))],
    }
    clock = {"now": NOW}

    def pause(_: float) -> None:
        clock["now"] = NOW + timedelta(seconds=next(seconds))

    def read(since: datetime) -> Iterator[Line]:
        for moment, lines in written.items():
            for one in lines:
                if NOW + timedelta(seconds=moment) <= clock["now"] and one.at >= since.timestamp() * 1000:
                    yield one

    began = NOW - timedelta(seconds=30)
    following = logs.tail(read, began, {"a"}, now=lambda: clock["now"], pause=pause)
    assert [next(following).id for _ in range(3)] == ["b", "c", "late"]
