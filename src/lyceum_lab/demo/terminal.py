"""A shell on a pseudo-terminal, typed into as a person would, with all that it shows recorded.

The prompt carries the last command's exit code in a sequence that no terminal shows; that is how the end of a command
is known. What a command said is judged without colours and movements.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lyceum_lab.demo.takes import Event, Take

PROMPT = r"\[\e]777;$?\a\]\[\e[38;5;110m\]$\[\e[0m\] "
PROMPT_SHOWN = "\x1b[38;5;110m$\x1b[0m "  # what the first prompt looks like
ENDED = re.compile(r"\x1b\]777;(\d+)\x07")
CONTROLS = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>(][A-Z0-9]?|\r")
KEY_SECONDS, LONGEST_TYPING = 0.045, 3.0


class Shell:
    """Bash in a terminal of `columns` × `rows`. Close it: it takes along what still runs in it."""

    def __init__(self, pane: str, columns: int, rows: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.pane = pane
        self.greeted = False  # whether its first prompt is on film
        self.said = ""  # since the last command was typed, controls and all
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.pid, self._fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - another process
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)  # what started this in the background may have ignored them
            os.chdir(folder)
            kept = {**environment, "PS1": PROMPT, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HISTFILE": "/dev/null"}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], kept)  # noqa: S606
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._wait_prompt(10)

    def _wait_prompt(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ENDED.search(self.said):
            if time.monotonic() > deadline:
                raise TimeoutError("bash gave no prompt")
            self.pump(0.05)

    def pump(self, seconds: float) -> str:
        """Take what comes within `seconds`, at most until something came."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return ""
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the shell has ended
            return ""
        text = self._decoder.decode(data)
        self.said += text
        return text

    @property
    def code(self) -> int | None:
        """The exit code of the command that was typed last; None while it runs."""
        found = ENDED.findall(self.said)
        return int(found[-1]) if found else None

    @property
    def plain(self) -> str:
        """What was said since the last command, without controls."""
        return CONTROLS.sub("", self.said)

    def press(self, keys: str) -> None:
        """Send bytes as keys."""
        os.write(self._fd, keys.encode())

    def close(self) -> None:
        """Hang up, as closing a window does; a shell that does not care is killed."""
        os.close(self._fd)
        deadline = time.monotonic() + 5
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return
            time.sleep(0.05)


class Recorder:
    """The shells of a scene by pane, and the take that is being made of them."""

    def __init__(self, shells: dict[str, Shell]) -> None:
        self.shells = shells
        self.take = Take()
        self._began = time.monotonic()

    def begin(self) -> None:
        """A new take."""
        self.take, self._began = Take(), time.monotonic()

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def pump(self, seconds: float) -> None:
        """Record what every pane says for `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            for shell in self.shells.values():
                if text := shell.pump(0.01):
                    self.take.events.append(Event(round(self.now, 3), "out", text, shell.pane))
            if time.monotonic() >= deadline:
                return

    def type(self, pane: str, text: str) -> None:
        """Type a command, key by key, and Return."""
        shell = self.shells[pane]
        self.pump(0.3)
        shell.said = ""
        for key in text:
            shell.press(key)
            self.pump(min(KEY_SECONDS, LONGEST_TYPING / len(text)))
        self.pump(0.35)
        shell.said = ""
        shell.press("\r")
        self.take.typed = round(self.now, 3)

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Record until something holds. False if it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.pump(0.05)
        return True

    def end(self) -> Take:
        """The take as it is now."""
        self.take.seconds = round(self.now, 3)
        return self.take
