"""The emulator, told by a file which calls it is to answer otherwise: how AWS says no, or what moto cannot say.

The file named on the command line holds JSON: "service:Operation" (or "*", or "service:*", or "service:Operation
Parameter=value") to {"error": [code, message, status]} or {"result": {…}}. It is read at every call.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lyceum_lab.emulator import fillers, server
from lyceum_lab.emulator.wire import ApiError, Call

ANSWERS = Path(sys.argv[2])
_guards, _stub = fillers.guards, fillers.stub


def told(call: Call) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(ANSWERS.read_text())
    for key, answer in answers.items():
        name, _, wanted = key.partition(" ")
        if name in {"*", call.name, f"{call.service}:*"}:
            parameter, _, value = wanted.partition("=")
            if not wanted or str(call.parameters.get(parameter)) == value:
                return dict(answer)
    return {}


def guards(call: Call) -> list[fillers.Entry]:
    def refuse(call: Call) -> None:
        if error := told(call).get("error"):
            raise ApiError(*error)

    return [fillers.Entry(call.service, "guard", (), "a test says so", refuse), *_guards(call)]


def stub(call: Call) -> fillers.Entry | None:
    if (result := told(call).get("result")) is not None:
        return fillers.Entry(call.service, "stub", (), "a test says so", lambda _: result)
    return _stub(call)


if __name__ == "__main__":
    fillers.guards, fillers.stub = guards, stub
    # They would be read anew, for seconds, each time that a test wants an empty account.
    server.SETTINGS["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"
    server.create(int(sys.argv[1])).run()
