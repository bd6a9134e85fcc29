"""Lambda: where a function writes its log, and invocations, which wait for whoever runs functions (lyceum_lab/clock).

A function that ran in here would wait for the emulator, and the emulator for it.
"""

from __future__ import annotations

import base64
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Answer, ApiError, Call

functions = Service("lambda")
started = Service("lambda", needed_by="./lyceum prove watch")

LOGGING = functions.overlay(
    written_by=("CreateFunction", "UpdateFunctionConfiguration"),
    key="FunctionName",
    fields={"LoggingConfig": "LoggingConfig"},
    read_by=("GetFunction",),
    at="Configuration",
    because="moto forgets the log group and the format of a function's log",
)


@started.stub("Invoke", because="moto runs a function in a container or not at all; here it runs beside the emulator")
def invoke(call: Call) -> Answer:
    name = str(call.parameters["FunctionName"])
    try:
        found = lambda_backends[ACCOUNT][call.region].get_function(name)
    except UnknownFunctionException as error:
        raise ApiError("ResourceNotFoundException", f"Function not found: {name}", 404) from error
    if call.parameters.get("InvocationType") != "Event":
        raise NotImplementedError("nobody is answered by a function here: InvocationType=Event")
    started.table("invoked").setdefault("waiting", []).append({
        "name": found.function_name, "handler": found.handler, "settings": dict(found.environment_vars),
        "seconds": int(found.timeout), "role": found.role.rpartition("/")[2],
        "group": LOGGING.get(found.function_name, {}).get("LoggingConfig", {}).get("LogGroup", found.logs_group_name),
        "package": base64.b64encode(found.code_bytes).decode(),
    })  # fmt: skip
    return 202, [("Content-Length", "0")], b""


def taken() -> list[dict[str, Any]]:
    """The invocations that wait, the oldest first; they wait no more."""
    found: list[dict[str, Any]] = started.table("invoked").pop("waiting", [])
    return found
