"""A call that hangs costs its caller some time, the next ones nothing, and works again by itself."""

import threading
import time

import pytest

from lyceum.web.bounded import Bulkhead, NotAnsweringError


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


def seconds_of(bulkhead: Bulkhead, gate: threading.Event, patience: float = 0.2) -> float:
    began = time.monotonic()
    with pytest.raises(NotAnsweringError):
        bulkhead.call(lambda: gate.wait(20), seconds=patience)
    return time.monotonic() - began


def test_what_answers_is_handed_on() -> None:
    bulkhead = Bulkhead("The test", at_once=1)
    assert [bulkhead.call(lambda n=n: n, seconds=5) for n in range(5)] == list(range(5))  # type: ignore[misc]
    with pytest.raises(KeyError):
        bulkhead.call(lambda: {"a": 1}["nothing"], seconds=5)
    assert bulkhead.call(lambda: "again", seconds=5) == "again"


def test_one_waits_the_next_are_refused_at_once_and_then_all_is_well(gate: threading.Event) -> None:
    bulkhead = Bulkhead("The test", at_once=4, probe_seconds=0.5)
    assert 0.2 <= seconds_of(bulkhead, gate) < 2
    assert 0.2 <= seconds_of(bulkhead, gate) < 2  # the first probe
    for _ in range(20):
        assert seconds_of(bulkhead, gate) < 0.1
    time.sleep(0.6)
    assert bulkhead.call(lambda: "a probe that answers", seconds=5)
    gate.set()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and bulkhead._overdue:
        time.sleep(0.01)
    assert [bulkhead.call(lambda: 1, seconds=5) for _ in range(3)] == [1, 1, 1]


def test_threads_do_not_add_up(gate: threading.Event) -> None:
    bulkhead = Bulkhead("The test", at_once=3, probe_seconds=0)
    before = threading.active_count()
    for _ in range(10):
        seconds_of(bulkhead, gate, 0.02)
    assert threading.active_count() - before == 3
    gate.set()


def test_a_machine_without_threads_loses_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    bulkhead = Bulkhead("The test", at_once=1)
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError("can't start")))
        for _ in range(2):
            with pytest.raises(NotAnsweringError, match="cannot be asked"):
                bulkhead.call(lambda: 1, seconds=1)
    assert bulkhead.call(lambda: 1, seconds=5) == 1
