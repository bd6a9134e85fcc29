"""The policies that infra/modules/servers deploys: recorded, and held against a real apply in tests/infra."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lyceum_lab.scaling.policies import Policy, parse

RECORDED = Path(__file__).parent / "deployed_policies.json"


@pytest.fixture(scope="session")
def described() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RECORDED.read_text())
    return found


@pytest.fixture(scope="session")
def deployed(described: list[dict[str, Any]]) -> list[Policy]:
    return parse(described)
