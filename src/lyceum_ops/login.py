"""Becoming the deployer: from an IAM user's long-lived key and a second factor to an hour's credentials of a role.

The user may do nothing else (infra/bootstrap/deployer_user.tf), so the key alone opens nothing. Terraform cannot ask
for a second factor; it therefore gets the session that is made here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from lyceum_ops.errors import LyceumError, Usage

ROLE = "lyceum-deployer"
SECONDS = 3600  # what the role allows at most


def become_deployer(code: str, *, session: Any) -> dict[str, str]:
    """Assume the deployer role with the second factor of the session's own IAM user.

    `code` is the six digits that the device shows now; `session` a boto3 session with the user's key. Returns the
    environment that Terraform and the AWS tools read. Raises Usage for a malformed code, LyceumError for the rest.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if not re.fullmatch(r"\d{6}", code):
        raise Usage(f"--mfa takes the six digits that the device shows now; got {code!r}.")
    try:
        caller = session.client("sts").get_caller_identity()
        user = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):user/(?:.*/)?([^/]+)", caller["Arn"])
        if not user:
            raise LyceumError(
                f"The present credentials are {caller['Arn']}, not an IAM user's.",
                "Use the access key of lyceum-deployer; a session cannot become the deployer.",
            )
        devices = session.client("iam").list_mfa_devices(UserName=user[2])["MFADevices"]
        if not devices:
            raise LyceumError(
                f"{user[2]} has no second factor.", "Register one: README, create the infrastructure, step 3."
            )
        partition = caller["Arn"].split(":")[1]
        made = session.client("sts").assume_role(
            RoleArn=f"arn:{partition}:iam::{user[1]}:role/{ROLE}",
            RoleSessionName=user[2],
            SerialNumber=devices[0]["SerialNumber"],
            TokenCode=code,
            DurationSeconds=SECONDS,
        )["Credentials"]
    except ClientError as error:
        what = error.response["Error"].get("Message", str(error))
        raise LyceumError(
            f"AWS refused: {what}", "Is the code fresh (each serves once), and was infra/bootstrap applied here?"
        ) from error
    except BotoCoreError as error:
        raise LyceumError(f"AWS was not asked: {error}", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.") from error
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


def as_shell(credentials: Mapping[str, str]) -> str:
    """Lines for `eval`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in credentials.items())
