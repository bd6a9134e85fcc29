"""The way of one request through the emulator.

Moto keeps its state in plain dictionaries without locks and corrupts it under concurrent calls, so exactly one request
at a time is inside it. Waiting is kept out of that lock: bodies are received before and sent after it.
"""

from __future__ import annotations

import http
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from lyceum_lab.emulator import ACCOUNT, CREDENTIALS, fillers, groups, inventory, lookup, record, trail, watch, wire
from lyceum_lab.emulator.fillers import lambda_, rds, ssm
from lyceum_lab.emulator.permissions import Guard
from lyceum_lab.emulator.wire import Answer, ApiError, Call, Environ

StartResponse = Callable[..., Any]


def _groups(told: dict[str, Any]) -> Any:
    """Facts about groups that act, as lyceum_lab.emulator.groups lists them."""
    groups.tell(str(told["region"]), told["facts"])
    return {"told": len(told["facts"])}


def _sessions(told: dict[str, Any]) -> Any:
    """An instance's agent reports in, or says that a session is over; it hears which are open."""
    if "ended" in told:
        ssm.end(str(told["ended"]))
    else:
        ssm.report_in(str(told["target"]), str(told["stream"]))
    return {"sessions": ssm.sessions()}


def _databases(told: dict[str, Any]) -> Any:
    """A database's pair reports in, and hears whether a failover is ordered."""
    return {"failover": rds.report(told)}


def _alarms(told: dict[str, Any]) -> Any:
    """Alarms evaluated at given moments, as lyceum_lab.emulator.watch tells it."""
    moments = [datetime.fromisoformat(moment) for moment in told["at"]]
    return watch.evaluate(str(told["region"]), moments, told.get("names") or ())


def _functions(_: dict[str, Any]) -> Any:
    """Whoever runs functions hears which were invoked since it last asked."""
    return {"invoked": lambda_.taken()}


# Page → who hears what is posted there, and what is said of something else.
POSTED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "/_lyceum/groups": (_groups, "these are no facts"),
    "/_lyceum/sessions": (_sessions, "no agent speaks so"),
    "/_lyceum/databases": (_databases, "no pair speaks so"),
    "/_lyceum/alarms": (_alarms, "these alarms cannot be evaluated"),
    "/_lyceum/functions": (_functions, "nobody who runs functions speaks so"),
}


class Gateway:
    """WSGI application in front of `moto`, which has one application a service; `recorder` hears of every call.

    `permissions` decides each call by the account's IAM policies; without it nothing is enforced. `recording` is the
    account's CloudTrail; without it a trail is only kept.
    """

    def __init__(self, moto: DomainDispatcherApplication, recorder: record.Recorder,
                 permissions: Guard | None = None, recording: trail.Recording | None = None) -> None:  # fmt: skip
        self._moto = moto
        self._recorder = recorder
        self._permissions = permissions
        self._recording = recording
        self._lock = threading.RLock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_lyceum/") and environ.get("REMOTE_ADDR") != "127.0.0.1":
            # Passed on from a rehearsed network (cloud/network/endpoints.py): whoever asks there sees AWS alone.
            status, headers, body = _json(404, {"error": "this is AWS's own address"})
        elif path in POSTED and environ.get("REQUEST_METHOD") == "POST":
            status, headers, body = self._posted(path, environ)
        else:
            status, headers, body = self._own(path) if path.startswith("/_lyceum/") else self._aws(environ)
        start_response(f"{status} {_phrase(status)}", headers)
        return [body]

    # ------------------------------------------------------------------------------------------------ our pages

    def _own(self, path: str) -> Answer:
        if path == "/_lyceum/health":
            return _json(200, {"status": "ok", "account": ACCOUNT})
        if path == "/_lyceum/resources":
            with self._lock:
                return _json(200, inventory.resources())
        if path == "/_lyceum/gaps":
            return _json(
                200,
                {
                    **self._recorder.counts(),
                    "unanswered": self._recorder.gaps(),
                    "fillers": [entry.as_dict() for entry in fillers.entries()],
                },
            )
        if path == "/_lyceum/permissions" and self._permissions:
            with self._lock:
                return _json(200, self._permissions.as_dict())
        if path == "/_lyceum/asked" and self._permissions:
            with self._lock:
                return _json(200, self._permissions.asked_by())
        if path == "/_lyceum/sessions":
            with self._lock:
                return _json(200, {"sessions": ssm.sessions()})
        if path == "/_lyceum/alarms":
            with self._lock:
                return _json(200, watch.history())
        if path.startswith(CREDENTIALS):
            with self._lock:
                made = lookup.credentials(path.removeprefix(CREDENTIALS))
            return _json(200, made) if made else _json(404, {"error": "there is no such role"})
        return _json(404, {"error": f"{path} is not a page of the emulator"})

    def _posted(self, path: str, environ: Environ) -> Answer:
        """What the parts of a rehearsal tell the emulator, and what they hear."""
        hear, no = POSTED[path]
        try:
            told = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            with self._lock:
                return _json(200, hear(told))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _json(400, {"error": f"{no}: {type(error).__name__}: {error}"})

    # ------------------------------------------------------------------------------------------------ AWS

    def _aws(self, environ: Environ) -> Answer:
        started = time.time()
        call = wire.read_call(environ)
        by = record.MOTO
        try:
            answer, by = self._answer(call)
        except ApiError as error:
            answer, by = wire.write_error(call, error), record.REFUSED
        except Exception as error:
            # An incomplete emulation must stop an apply at once and say where, not be retried for minutes.
            if not isinstance(error, NotImplementedError):
                traceback.print_exc(file=sys.stderr)
            gap = ApiError("EmulatorGap", f"The emulator cannot answer {call.name}: {type(error).__name__}: {error}")
            gap.status = 501
            answer, by = wire.write_error(call, gap), record.GAP
        self._recorder.add(call, status=answer[0], answered_by=by, started=started)
        if self._recording:
            with self._lock:
                self._recording.add(call, answer)
        return answer

    def _answer(self, call: Call) -> tuple[Answer, str]:
        with self._lock:
            if self._permissions:
                self._permissions(call)
            if self._recording and call.name == "monitoring:DescribeAlarms":
                self._recording.look()
            for guard in fillers.guards(call):
                guard.used += 1
                guard.function(call)
            if stub := fillers.stub(call):
                stub.used += 1
                result = stub.function(call)
                return (result if isinstance(result, tuple) else wire.write_result(call, result or {})), record.STUBBED
            answer = self._ask_moto(call)
            edited = False
            notes, edits = fillers.notes(call), fillers.edits(call)
            if answer[0] < 300 and (notes or edits):
                result = wire.read_result(call, answer)
                for note in notes:
                    note.used += 1
                    note.function(call, result)
                for edit in edits:
                    if edit.function(call, result):
                        edit.used += 1
                        edited = True
                if edited:
                    answer = wire.rewrite_result(call, answer, result)
            return answer, record.EDITED if edited else record.MOTO

    def _ask_moto(self, call: Call) -> Answer:
        call.rewind()
        told: dict[str, Any] = {}
        try:
            application = self._moto.get_application(call.environ)
        except AttributeError:  # moto's way of not knowing a service
            raise NotImplementedError("moto has no such service") from None

        def start_response(status: str, headers: wire.Headers, _: Any = None) -> Callable[[bytes], None]:
            told["status"], told["headers"] = int(status[:3]), headers
            return lambda _: None

        chunks = application(call.environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        is_page = any(n.lower() == "content-type" and v.startswith("text/html") for n, v in told["headers"])
        if told["status"] == 404 and is_page and call.service != "s3":
            raise NotImplementedError("moto has no route for it")
        return told["status"], told["headers"], body


def _json(status: int, content: Any) -> Answer:
    body = json.dumps(content).encode()
    return status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
