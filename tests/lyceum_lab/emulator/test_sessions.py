"""Session Manager: an instance is reached when its agent reported in, by a document, with the parameters it has."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

TARGET = "i-0123456789abcdef0"
CONTENT = {
    "schemaVersion": "1.0",
    "sessionType": "Port",
    "parameters": {"localPortNumber": {"type": "String", "allowedPattern": "^[0-9]{1,5}$", "default": "0"}},
    "properties": {"host": "db.internal", "portNumber": "5432", "localPortNumber": "{{ localPortNumber }}"},
}


def tell(emulator: Emulator, what: Any) -> Any:
    request = urllib.request.Request(f"{emulator.endpoint}/_lyceum/sessions", json.dumps(what).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def ssm(emulator: Emulator) -> Any:
    client = emulator.client("ssm")
    client.create_document(Name="forward", DocumentType="Session", DocumentFormat="JSON", Content=json.dumps(CONTENT))
    shell = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}}
    client.create_document(Name="shell", DocumentType="Session", DocumentFormat="JSON", Content=json.dumps(shell))
    return client


def refused(ssm: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as error:
        ssm.start_session(**{"Target": TARGET, "DocumentName": "forward", **asked})
    return str(error.value.response["Error"]["Code"])


def test_a_session_goes_where_its_document_says_and_ends(emulator: Emulator, ssm: Any) -> None:
    # As an instance whose agent does not run.
    assert refused(ssm, Target="i-00000000000000000") == "TargetNotConnected"
    assert tell(emulator, {"target": TARGET, "stream": "tcp://127.0.0.1:1"}) == {"sessions": []}
    found = ssm.describe_instance_information()["InstanceInformationList"]
    assert [(one["InstanceId"], one["PingStatus"]) for one in found] == [(TARGET, "Online")]
    made = ssm.start_session(Target=TARGET, DocumentName="forward", Parameters={"localPortNumber": ["15432"]})
    assert made["StreamUrl"] == f"tcp://127.0.0.1:1/{made['SessionId']}"
    (told,) = emulator.page("sessions")["sessions"]
    assert (told["host"], told["port"], told["token"]) == ("db.internal", 5432, made["TokenValue"])
    (active,) = ssm.describe_sessions(State="Active")["Sessions"]
    assert (active["DocumentName"], "TokenValue" in active) == ("forward", False)
    ssm.terminate_session(SessionId=made["SessionId"])
    assert emulator.page("sessions") == {"sessions": []}
    assert [one["SessionId"] for one in ssm.describe_sessions(State="History")["Sessions"]] == [made["SessionId"]]
    again = ssm.start_session(Target=TARGET, DocumentName="forward")
    assert tell(emulator, {"ended": again["SessionId"]}) == {"sessions": []}


def test_what_a_document_does_not_have_is_refused(emulator: Emulator, ssm: Any) -> None:
    tell(emulator, {"target": TARGET, "stream": "tcp://127.0.0.1:1"})
    # The host is the document's: nobody names another.
    assert refused(ssm, Parameters={"host": ["app.internal"]}) == "InvalidParameters"
    assert refused(ssm, Parameters={"localPortNumber": ["1; rm"]}) == "InvalidParameters"
    assert refused(ssm, DocumentName="no-such") == "InvalidDocument"
    assert refused(ssm, DocumentName="shell") == "InvalidDocument"
    with pytest.raises(ClientError, match="DoesNotExist"):
        ssm.terminate_session(SessionId="nobody-0")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        tell(emulator, {"target": TARGET})
