"""The log as a server writes it: one JSON object a line, with nothing in it that a person typed or that opens a door.

What may be said is decided by who says it. The platform's own loggers write sentences that its authors wrote, filled
with ids. Of everybody else's records (Django, AWS's library …) only the unfilled sentence and the place in the code are
kept: what would be filled in are paths with tokens, addresses, rows. Of an exception its type, a code where it carries
a known one, and where it was raised: its message may quote a row ("Key (email)=(…) already exists"), and the values of
locals are never looked at.

| key | in | meaning |
|---|---|---|
| time, level, logger, message | every line | UTC, ISO 8601; DEBUG to CRITICAL |
| source | lines of other libraries | file, line and function that wrote it |
| request_id | lines of a request | what the answer carries as X-Request-ID |
| method, route, status, duration_ms, user_id | one line a request | the pattern of the address, never the address |
| exception | errors | type, code, stack from the outermost call to the innermost, cause |

No Django here: granian writes its own lines through this formatter too (`granian_logging.json`).
"""

import json
import logging
import re
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any

# Whose sentences are filled in. `granian.access` is not among them: it writes addresses.
TRUSTED = ("lyceum", "_granian")
DEEPEST_STACK = 40
DEEPEST_CAUSE = 3
CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")

# Of the request that this thread serves, or served last.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
        }
        if _trusted(record.name):
            line["message"] = _filled(record)
        else:
            line["message"] = _withheld(record)
            line["source"] = f"{_short(record.pathname)}:{record.lineno} {record.funcName}"
        if known := request_id.get():
            line["request_id"] = known
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            line["exception"] = describe(record.exc_info[1])
        # ASCII, so that no character of a message ends the line for whoever reads it.
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"), default=lambda value: type(value).__name__)


def _trusted(name: str) -> bool:
    return name.partition(".")[0] in TRUSTED


def _filled(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a fault of whoever logs must not cost the line
        return str(record.msg)


def _withheld(record: logging.LogRecord) -> str:
    """What can be said of a record without what was filled into it."""
    status = getattr(record, "status_code", None)
    if isinstance(status, int) and status in HTTPStatus._value2member_map_:
        return f"{status} {HTTPStatus(status).phrase}"
    # Without arguments there is no telling a fixed sentence from one that was filled in before.
    return record.msg if record.args and isinstance(record.msg, str) else "(not shown)"


def _short(path: str) -> str:
    """The path from the package on: where a release is installed tells nothing."""
    return re.sub(r".*/(?:site-packages|src|python3\.\d+)/", "", path)


def describe(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """An exception without a word of its message."""
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if code := _code(error):
        told["code"] = code
    told["stack"] = _stack(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < DEEPEST_CAUSE:
        told["cause"] = describe(cause, depth + 1)
    return told


def _code(error: BaseException) -> str:
    """SQLSTATE, AWS's error code or the operating system's number: words from a list, not from a row."""
    found = getattr(error, "sqlstate", None)
    response = getattr(error, "response", None)
    if found is None and isinstance(response, dict):
        found = (response.get("Error") or {}).get("Code")
    if found is None and isinstance(error, OSError):
        found = error.errno
    return str(found) if CODE.fullmatch(str(found)) and found is not None else ""


def _stack(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-DEEPEST_STACK:]


def cannot_start(error: BaseException) -> None:
    """One line about an error before there is a log, and the end of the process."""
    logger, handler = logging.getLogger("lyceum.process"), logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger.handlers, logger.propagate = [handler], False
    logger.critical("The platform cannot start. `manage.py selftest` says why.", exc_info=error)
    raise SystemExit(1)


def capture_the_rest() -> None:
    """Send what Python itself would print (warnings, errors that nobody catches, faults of logging) the same way.

    For the process of a server, once.
    """
    logger = logging.getLogger("lyceum.process")
    logging.captureWarnings(True)
    # Otherwise a record that cannot be formatted is printed with its arguments.
    logging.raiseExceptions = False

    def uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        logger.critical("An error that nobody caught ended the process.", exc_info=(kind, error, traceback))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            logger.error("An error that nobody caught ended a thread.", exc_info=args.exc_value)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            logger.error("An error could not be raised.", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
