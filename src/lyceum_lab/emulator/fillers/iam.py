"""IAM: what Terraform looks for before it deletes a user with all that is his."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

iam = Service("iam")


@iam.stub("ListServiceSpecificCredentials", because="moto knows none of CodeCommit's and the like; nobody makes any")
def no_service_credentials(_: Call) -> dict[str, Any]:
    return {"ServiceSpecificCredentials": []}
