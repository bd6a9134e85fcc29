"""Systems Manager: sessions. moto keeps documents and has no agents, so nobody could be reached.

Where a network is rehearsed, its bastion reports in (`POST /_lyceum/sessions`, cloud/sessions.py) and the sessions that
are started are told to it; elsewhere every target is unconnected, as an instance is whose agent does not run.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from moto.ssm.models import ssm_backends

from lyceum_lab.emulator import ACCOUNT, lookup
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

ssm = Service("ssm", needed_by="./lyceum tunnel")
NO_AGENTS = "moto has no sessions and no agent that would take one"
# AWS's own documents are in no account; of them, the one that an administrator forwards to a restored copy with.
OF_AWS = {
    "AWS-StartPortForwardingSessionToRemoteHost": {
        "sessionType": "Port",
        "parameters": {"portNumber": {}, "localPortNumber": {"default": "0"}, "host": {"default": "localhost"}},
        "properties": {
            "portNumber": "{{ portNumber }}", "type": "LocalPortForwarding",
            "localPortNumber": "{{ localPortNumber }}", "host": "{{ host }}",
        },
    }
}  # fmt: skip


def report_in(target: str, stream: str) -> None:
    """An instance's agent is there, and takes sessions at this address."""
    ssm.table("agents")[target] = stream


def sessions() -> list[dict[str, Any]]:
    """Those that are open, with where each leads to: what an agent is told."""
    return [one["told"] for one in ssm.table("sessions").values() if one["Status"] == "Connected"]


@ssm.stub("StartSession", because=NO_AGENTS)
def start_session(call: Call) -> dict[str, Any]:
    target = str(call.parameters["Target"])
    if target not in ssm.table("agents"):
        raise ApiError("TargetNotConnected", f"{target} is not connected.")
    name = str(call.parameters.get("DocumentName", "SSM-SessionManagerRunShell"))
    properties = _filled(call, name)
    holder = lookup.user(call.access_key) or lookup.session(call.access_key)
    owner = holder.arn if holder else f"arn:aws:iam::{ACCOUNT}:root"
    made = {
        "SessionId": f"{re.split('[/:]', owner)[-1]}-{secrets.token_hex(9)}",
        "Target": target,
        "DocumentName": name,
        "Owner": owner,
        "Status": "Connected",
        "StartDate": datetime.now(UTC),
    }
    token = secrets.token_urlsafe(24)
    told = {"id": made["SessionId"], "target": target, "token": token,
            "host": properties["host"], "port": int(properties["portNumber"])}  # fmt: skip
    ssm.table("sessions")[made["SessionId"]] = {**made, "told": told}
    stream = ssm.table("agents")[target]
    return {"SessionId": made["SessionId"], "TokenValue": token, "StreamUrl": f"{stream}/{made['SessionId']}"}


def end(session: str) -> None:
    """A session is over: it was terminated, or its agent says so."""
    found = ssm.table("sessions").get(session, {})
    if found.get("Status") == "Connected":
        found |= {"Status": "Terminated", "EndDate": datetime.now(UTC)}


@ssm.stub("TerminateSession", because=NO_AGENTS)
def terminate_session(call: Call) -> dict[str, Any]:
    wanted = str(call.parameters["SessionId"])
    if wanted not in ssm.table("sessions"):
        raise ApiError("DoesNotExistException", "There is no such session")
    end(wanted)
    return {"SessionId": wanted}


@ssm.stub("DescribeSessions", because=NO_AGENTS)
def describe_sessions(call: Call) -> dict[str, Any]:
    active = call.parameters["State"] == "Active"
    return {
        "Sessions": [
            {name: value for name, value in one.items() if name != "told"}
            for one in reversed(ssm.table("sessions").values())
            if (one["Status"] == "Connected") == active
        ]
    }


@ssm.stub("DescribeInstanceInformation", because=NO_AGENTS)
def describe_instances(_: Call) -> dict[str, Any]:
    return {"InstanceInformationList": [{"InstanceId": one, "PingStatus": "Online"} for one in ssm.table("agents")]}


def _filled(call: Call, name: str) -> dict[str, str]:
    """What a document of type Port says, with the caller's parameters in it."""
    documents = ssm_backends[ACCOUNT][call.region]._documents
    if name in OF_AWS:
        content: dict[str, Any] = OF_AWS[name]
    elif name in documents:
        content = json.loads(documents[name].versions[documents[name].default_version].content)
    else:
        raise ApiError("InvalidDocument", f"Document {name} does not exist in your account")
    if content.get("sessionType") != "Port":
        raise ApiError("InvalidDocument", "Here only ports are forwarded: there is no shell on an emulated instance")
    declared = content.get("parameters", {})
    given = {key: str(values[0]) for key, values in call.parameters.get("Parameters", {}).items()}
    if strange := sorted(set(given) - set(declared)):
        raise ApiError("InvalidParameters", f"The document has no parameter {strange[0]}")
    values = {key: given.get(key, str(one.get("default", ""))) for key, one in declared.items()}
    for key, one in declared.items():
        if (pattern := one.get("allowedPattern")) and not re.search(pattern, values[key]):
            raise ApiError("InvalidParameters", f"{key} is not as the document allows")
    return {
        key: re.sub(r"\{\{ *(\w+) *\}\}", lambda found: values[found[1]], str(text))
        for key, text in content["properties"].items()
    }
