"""What Terraform's errors mean, in the words of errors.py.

Terraform passes on what AWS's SDK said, inside prose of its own. The patterns below are held against real Terraform by
the tests, as far as an error can be provoked there; what matches none of them stays as Terraform said it.
"""

from __future__ import annotations

import re

from lyceum_ops import aws
from lyceum_ops.errors import (
    CommandFailed,
    DiskFull,
    LyceumError,
    NoCredentials,
    StateLocked,
    StateLost,
    Usage,
    WrongPlace,
)

_LOCK = re.compile(
    r"Lock Info:\s+ID:\s+(?P<id>\S+).*?Operation:\s+(?P<operation>\S*).*?Who:\s+(?P<who>\S*)"
    r".*?Created:\s+(?P<since>[^\n]*)",
    re.DOTALL,
)
_DENIED = re.compile(
    r"\b(AccessDenied|AccessDeniedException|UnauthorizedOperation|StatusCode: 403)\b|not authorized to perform"
)
_OPERATION = re.compile(r"operation error ([\w ]+): (\w+)")


def explain(error: CommandFailed, name: str) -> LyceumError:
    """The error to show for a failed Terraform command on `name` (an environment, or bootstrap)."""
    text = "\n".join(error.errors)
    flat = " ".join(text.split())
    found = _explain(text, flat, name)
    if found is None:
        return error
    found.hint = f"{found.hint} {error.hint}".strip()
    return found


def _explain(text: str, flat: str, name: str) -> LyceumError | None:
    if "no space left on device" in flat or "disk quota exceeded" in flat:
        return DiskFull("The disk is full.", "Free some space and run the same again.")
    if "acquiring the state lock" in flat or "already locked" in flat:
        return locked(text, name)
    if re.search(r"Expired ?Token|RequestExpired|token included in the request is expired", flat):
        return NoCredentials("The AWS credentials have expired.", aws.RENEW)
    if "No valid credential sources" in flat:
        return NoCredentials("There are no AWS credentials.", aws.SET)
    if re.search(rf"\b({'|'.join(sorted(aws.UNKNOWN_KEY))})\b", flat):
        return NoCredentials("AWS does not know these credentials.", aws.SET)
    if _DENIED.search(flat):
        asked = _OPERATION.search(flat)
        return aws.denied(flat, f"{asked[1]} {asked[2]}" if asked else "")
    if re.search(r'S3 bucket "lyceum-state-[^"]*" does not exist', flat):
        return StateLost("The bucket of the states is not there.", "Apply infra/bootstrap first: ./lyceum bootstrap.")
    if re.search(r"no matching Route ?53 ?Hosted ?Zone", flat, re.IGNORECASE):
        return LyceumError(
            "The domain has no hosted zone in this account's Route 53.",
            "Make the zone (and let the registrar name its servers), or name the zone that is there.",
        )
    if unset := re.search(r'root module input variable "(\w+)" is not set', flat):
        option = {"alarm_email": "--alarm-email ADDRESS"}.get(unset[1], f"--var {unset[1]}=VALUE")
        return Usage(f"Terraform's code of {name} needs a value for {unset[1]}.", f"Add {option}.")
    if re.search(r"PermanentRedirect|AuthorizationHeaderMalformed|requested bucket from", flat):
        return WrongPlace("The bucket of the states lies in another region.", "Name it with --region.")
    return None


def locked(text: str, name: str) -> StateLocked:
    """Who holds the lock, since when, and how it is released."""
    lock = _LOCK.search(text)
    if not lock:
        return StateLocked(f"The state of {name} is locked.", "Somebody else's Terraform is at work; try again later.")
    doing = lock["operation"].removeprefix("OperationType").lower() or "something"
    return StateLocked(
        f"The state of {name} is locked: {lock['who'] or 'somebody'} runs {doing} since {lock['since'].strip()}.",
        "Nothing was changed. Wait for it to end; only if it certainly died: "
        f"./lyceum unlock {name} {lock['id']} (terraform force-unlock).",
    )
