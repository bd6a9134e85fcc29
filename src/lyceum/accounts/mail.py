"""Sends the platform's letters through the API of Amazon SES, over port 443: the servers' network opens no other way
out, and their role is the permission, so there is no password to keep.

A page waits while its letter is sent, so the API is given seconds and one more try. `boto3` is loaded with the first
letter.
"""

import os
from collections.abc import Sequence
from copy import copy
from email.charset import QP, Charset
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage, sanitize_address


class LetterNotSentError(OSError):
    """SES refused the letter, or did not answer in time."""


def _seven_bit(message: EmailMessage) -> bytes:
    """The letter in ASCII: SES takes no other bytes. Django would send its text as it is."""
    coded = copy(message)
    coded.encoding = Charset("utf-8")
    coded.encoding.body_encoding = QP
    return coded.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # which Django adds


class SesBackend(BaseEmailBackend):
    def __init__(self, fail_silently: bool = False, client: Any = None, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        self._client = client

    def _api(self) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config

            self._client = boto3.client(
                "sesv2",
                region_name=os.environ.get("AWS_REGION") or None,
                config=Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}),
            )
        return self._client

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were sent. Raises LetterNotSentError, unless `fail_silently`."""
        return sum(self._send(message) for message in email_messages)

    def _send(self, message: EmailMessage) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        recipients = message.recipients()
        if not recipients:
            return False
        named = {"ConfigurationSetName": settings.SES_CONFIGURATION_SET} if settings.SES_CONFIGURATION_SET else {}
        try:
            self._api().send_email(
                FromEmailAddress=sanitize_address(message.from_email, "utf-8"),
                # Who it goes to is said here and not taken from the letter, in which blind copies are not named.
                Destination={"ToAddresses": [sanitize_address(address, "utf-8") for address in recipients]},
                Content={"Raw": {"Data": _seven_bit(message)}},
                **named,
            )
        except (BotoCoreError, ClientError) as error:
            if not self.fail_silently:
                raise LetterNotSentError("Amazon SES did not take the letter.") from error
            return False
        return True
