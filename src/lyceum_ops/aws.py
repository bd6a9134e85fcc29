"""Who asks AWS, and what its refusals mean in the words of errors.py. Endpoint and key come from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lyceum_ops.errors import LyceumError, NoCredentials, NotPermitted

DEFAULT_REGION = "us-east-1"
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN_KEY = {
    "AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
DENIED = {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
RENEW = "Get new ones: the deployer's last an hour (./lyceum login --mfa CODE)."
SET = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; then ./lyceum login --mfa CODE."
RUNBOOK = "docs/runbook/missing-permission.md says how a right is added."
# Two calls go by another name than the right that they need.
RIGHTS = {"s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}


def session(region: str | None = None) -> Any:
    """A boto3 session. boto3 itself reads AWS_DEFAULT_REGION only, Terraform AWS_REGION too: here both count."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        found = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None)
        return found if found.region_name else boto3.Session(region_name=DEFAULT_REGION)
    except BotoCoreError as error:  # a profile that does not exist
        raise NoCredentials(f"AWS was not asked: {error}", SET) from error


@dataclass(frozen=True)
class Caller:
    """Whose credentials these are."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]

    @property
    def is_root(self) -> bool:
        return self.arn.endswith(":root")

    @property
    def is_deployer(self) -> bool:
        return ":assumed-role/lyceum-deployer/" in self.arn


def identify(session: Any, config: Any = None) -> Caller:
    """Ask AWS whose the present credentials are. Raises NoCredentials for none, wrong or expired ones."""
    with asking("sts"):
        found = session.client("sts", config=config).get_caller_identity()
    return Caller(found["Account"], found["Arn"])


@contextmanager
def asking(service: str) -> Iterator[None]:
    """Turn what botocore raises inside into this project's errors. `service` is the prefix of its actions in IAM."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        SSOError,
        TokenRetrievalError,
    )

    try:
        yield
    except ClientError as error:
        raise translate(error, service) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise NoCredentials("There are no AWS credentials.", SET) from error
    except (SSOError, TokenRetrievalError, CredentialRetrievalError) as error:
        raise NoCredentials(f"The AWS credentials could not be had: {error}", RENEW) from error
    except BotoCoreError as error:
        raise LyceumError(f"AWS was not reached: {error}", "Is the network up, the region right?") from error


def code(error: BaseException) -> str:
    """AWS's own word for why it refused, of botocore's error or of one that asking() made of it; "" for none."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def translate(error: Any, service: str) -> LyceumError:
    """What a ClientError of this service means."""
    why = code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if why in EXPIRED:
        return NoCredentials("The AWS credentials have expired.", RENEW)
    if why in UNKNOWN_KEY:
        return NoCredentials(f"AWS does not know these credentials ({why}).", SET)
    if why in DENIED:
        name = f"{service}:{error.operation_name}"
        return denied(message, RIGHTS.get(name, name))
    return LyceumError(f"AWS answered {error.operation_name} with {why}: {message}")


def denied(message: str, action: str = "") -> NotPermitted:
    """The error for AWS's own message of refusal; `action` where the message names none."""
    named = re.search(r"not authorized to perform: ([a-z0-9-]+:\w+)", message)
    who = re.search(r"(?:User|principal):? (arn:\S+)", message)
    why = re.search(r"because (no [a-z-]+ policy|no permissions boundary)", message) or re.search(
        r"with an (explicit deny in [^.,]+)", message
    )
    return NotPermitted(
        f"AWS does not permit {named[1] if named else action or 'an action'}"
        f"{' to ' + who[1] if who else ''}{' (' + why[1] + ')' if why else ''}.",
        RUNBOOK,
    )
