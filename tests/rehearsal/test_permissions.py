"""The platform of a rehearsal has the rights of a server, and no key that gives it more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lyceum_lab.emulator import ACCOUNT, ROOT_KEY

pytestmark = pytest.mark.e2e
CONTENT = f"arn:aws:s3:::lyceum-dev-content-{ACCOUNT}/"


def test_the_platform_has_no_key_and_its_role_decides(rehearsed: dict[str, Any]) -> None:
    environment = Path(f"/proc/{rehearsed['pids']['platform']}/environ").read_bytes()
    assert b"AWS_CONTAINER_CREDENTIALS_FULL_URI=" in environment
    assert b"AWS_SECRET_ACCESS_KEY" not in environment
    calls = [json.loads(line) for line in (Path(rehearsed["logs"]) / "calls.jsonl").read_text().splitlines()]
    decided = [one for call in calls for one in call.get("iam", ())]
    stored = {one["by"] for one in decided if one["action"] == "s3:PutObject" and one["resource"].startswith(CONTENT)}
    assert stored == {"role lyceum-dev-server: platform/Content"}
    assert not [one for one in decided if "refused" in one]
    # What the platform itself asks for; tests look into the table as the administrator, by other calls.
    platforms = {"GetItem", "Query", "UpdateItem", "GetSecretValue"}
    assert not [call for call in calls if call["key"] == ROOT_KEY and call["operation"] in platforms]
