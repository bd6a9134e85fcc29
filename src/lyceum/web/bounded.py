"""Calls that may never return (a network file system that hangs), made so that a page waits for them no longer than
it wants to.

A thread that waits inside the kernel cannot be ended; it can only be left behind. So that those left behind do not add
up, and pages do not wait in turn for what is known to hang: only so many calls run at once, and while one is overdue
every other is refused at once, but for one probe now and then.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class NotAnsweringError(Exception):
    """The call did not return in time, or was not even made because an earlier one has not returned."""


class _Call(Generic[T]):
    """One call, in a thread of its own. A daemon, so that the process can end while the thread hangs."""

    def __init__(self, work: Callable[[], T], afterwards: Callable[["_Call[T]"], None]) -> None:
        self._work, self._afterwards = work, afterwards
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.value: T | None = None
        threading.Thread(target=self._run, name="bounded-call", daemon=True).start()

    def _run(self) -> None:
        try:
            self.value = self._work()
        except BaseException as error:  # raised again by whoever waits
            self.error = error
        finally:
            self._afterwards(self)


class Bulkhead:
    """The calls to one thing that may hang: at most `at_once` of them, one every `probe_seconds` while any is
    overdue.
    """

    def __init__(self, name: str, *, at_once: int, probe_seconds: float = 5.0) -> None:
        self.name, self._at_once, self._probe_seconds = name, at_once, probe_seconds
        self._lock = threading.Lock()
        self._running = 0
        self._overdue: set[int] = set()
        self._last_probe = 0.0

    def call(self, work: Callable[[], T], *, seconds: float) -> T:
        """What `work` returns or raises; NotAnsweringError after `seconds`. `work` may go on, and finish, after that:
        it must leave nothing behind that matters.
        """
        self._admit()
        try:
            call = _Call(work, self._finished)
        except RuntimeError as error:  # no thread could be started
            with self._lock:
                self._running -= 1
            raise NotAnsweringError(f"{self.name} cannot be asked: {error}.") from error
        if not call.done.wait(seconds):
            with self._lock:
                if not call.done.is_set():
                    self._overdue.add(id(call))
                    raise NotAnsweringError(f"{self.name} did not answer within {seconds:g} s.")
        if call.error is not None:
            raise call.error
        return call.value  # type: ignore[return-value]  # set when there is no error

    def _admit(self) -> None:
        now = time.monotonic()
        with self._lock:
            if self._running >= self._at_once:
                raise NotAnsweringError(f"{self.name} has {self._running} calls under way already.")
            if self._overdue:
                if now - self._last_probe < self._probe_seconds:
                    raise NotAnsweringError(f"{self.name} has not answered an earlier call.")
                self._last_probe = now
            self._running += 1

    def _finished(self, call: _Call[T]) -> None:
        with self._lock:
            self._running -= 1
            self._overdue.discard(id(call))
            call.done.set()  # under the lock: a call is either overdue or done
