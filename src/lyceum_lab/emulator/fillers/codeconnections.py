"""CodeConnections: the way to GitHub. moto has no such service; nothing is ever fetched here.

A connection is PENDING until a person completes it in AWS's console; here it stays so.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

codeconnections = Service("codeconnections")
NO_SERVICE = "moto has no CodeConnections, nor what it was called before"


def _find(arn: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = codeconnections.table("connections")[arn]
    except KeyError:
        raise ApiError("ResourceNotFoundException", f"Connection {arn} not found") from None
    return found


@codeconnections.stub("CreateConnection", because=NO_SERVICE)
def create(call: Call) -> dict[str, Any]:
    arn = f"arn:aws:codeconnections:{call.region}:{ACCOUNT}:connection/{uuid4()}"
    codeconnections.table("connections")[arn] = {
        "ConnectionArn": arn,
        "ConnectionName": call.parameters["ConnectionName"],
        "ProviderType": call.parameters["ProviderType"],
        "OwnerAccountId": ACCOUNT,
        "ConnectionStatus": "PENDING",
    }
    codeconnections.table("tags")[arn] = call.parameters.get("Tags", [])
    return {"ConnectionArn": arn, "Tags": call.parameters.get("Tags", [])}


@codeconnections.stub("GetConnection", because=NO_SERVICE)
def get(call: Call) -> dict[str, Any]:
    return {"Connection": _find(call.parameters["ConnectionArn"])}


@codeconnections.stub("DeleteConnection", because=NO_SERVICE)
def delete(call: Call) -> dict[str, Any]:
    arn = call.parameters["ConnectionArn"]
    _find(arn)
    del codeconnections.table("connections")[arn], codeconnections.table("tags")[arn]
    return {}


@codeconnections.stub("ListTagsForResource", because=NO_SERVICE)
def list_tags(call: Call) -> dict[str, Any]:
    arn = call.parameters["ResourceArn"]
    _find(arn)
    return {"Tags": codeconnections.table("tags")[arn]}
