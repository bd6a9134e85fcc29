"""`./lyceum login`: from a user's key and a second factor to the deployer's session, and each thing that is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT, CHECKOUT, Emulated

from lyceum_ops.errors import LyceumError, Usage
from lyceum_ops.login import as_shell, become_deployer

pytestmark = pytest.mark.runbook

USER = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/lyceum-deployer", "UserId": "x"}


def as_user(account: Emulated, more: dict[str, Any] | None = None, *, device: bool = True) -> None:
    """The account as bootstrap leaves it, asked by the deployer's user."""
    iam = account.client("iam")
    iam.create_user(UserName="lyceum-deployer")
    iam.create_role(RoleName="lyceum-deployer", AssumeRolePolicyDocument="{}")
    if device:
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName="lyceum-deployer")["VirtualMFADevice"]
        iam.enable_mfa_device(
            UserName="lyceum-deployer", SerialNumber=made["SerialNumber"],
            AuthenticationCode1="123456", AuthenticationCode2="654321",
        )  # fmt: skip
    account.say({"sts:GetCallerIdentity": {"result": USER}, **(more or {})})


def test_the_command_gives_a_shell_the_session_of_the_role(account: Emulated) -> None:
    as_user(account)
    done = subprocess.run(
        ["bash", "-c", 'eval "$("$0" login --mfa 123456)" && printf %s "$AWS_ACCESS_KEY_ID $AWS_SESSION_TOKEN"',
         str(Path(CHECKOUT) / "lyceum")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    key, token = done.stdout.split()
    assert key.startswith("ASIA")
    assert len(token) > 100


def test_what_a_shell_reads_is_quoted() -> None:
    assert as_shell({"A": "x y$(z)"}) == "export A='x y$(z)'"


@pytest.mark.parametrize("code", ["12345", "1234567", "12a456", ""])
def test_a_malformed_code_is_asked_of_nobody(account: Emulated, code: str) -> None:
    account.say({"*": {"error": ["Unreachable", "must not be asked", 500]}})
    with pytest.raises(Usage, match="six digits"):
        become_deployer(code, session=account.session)


def test_without_a_second_factor(account: Emulated) -> None:
    as_user(account, device=False)
    with pytest.raises(LyceumError, match="lyceum-deployer has no second factor"):
        become_deployer("123456", session=account.session)


def test_a_session_cannot_become_the_deployer_again(account: Emulated) -> None:
    account.as_the_deployer()
    with pytest.raises(LyceumError, match="not an IAM user's"):
        become_deployer("123456", session=account.session)


def test_a_code_that_aws_refuses(account: Emulated) -> None:
    refused = {"error": ["AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", 403]}
    as_user(account, {"sts:AssumeRole": refused})
    with pytest.raises(LyceumError, match="invalid MFA one time pass code") as told:
        become_deployer("123456", session=account.session)
    assert "fresh" in str(told.value.hint)
