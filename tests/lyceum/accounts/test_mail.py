"""Letters through Amazon SES: what arrives there, and what a page does when nothing answers."""

from __future__ import annotations

import email
import json
import logging
import socket
import time
from collections.abc import Iterator
from email.message import Message
from typing import Any

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from pytest_django import Settings
from tests.lyceum.conftest import PASSWORD

from lyceum import environment
from lyceum.accounts.mail import LetterNotSentError, SesBackend
from lyceum.accounts.models import User

REGION, FROM = "eu-west-1", "Lyceum <no-reply@learn.example.org>"


def sends_through_ses(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    given = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.mail("ses://lyceum-test").items():
        setattr(settings, name, value)
    settings.DEFAULT_FROM_EMAIL, settings.MAIL_IS_SENT = FROM, True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Any]:
    """SES as Terraform leaves it: the domain may send. Gives what it took."""
    sends_through_ses(monkeypatch, settings)
    with mock_aws():
        boto3.client("sesv2", region_name=REGION).create_email_identity(EmailIdentity="learn.example.org")
        yield ses_backends[DEFAULT_ACCOUNT_ID][REGION]


def letters(ses: Any) -> list[Message]:
    return [email.message_from_string(sent.raw_data) for sent in ses.sent_messages]


def test_a_letter_arrives_as_it_was_written(ses: Any) -> None:
    letter = EmailMultiAlternatives("Grüße", "Wörter\n" * 3, FROM, ["ada@example.org"], bcc=["hidden@example.org"])
    letter.attach_alternative("<p>Wörter</p>", "text/html")
    assert letter.send() == 1
    [sent] = ses.sent_messages
    assert set(sent.destinations) == {"ada@example.org", "hidden@example.org"}
    assert "hidden" not in sent.raw_data
    assert sent.raw_data.isascii()
    [arrived] = letters(ses)
    assert arrived["From"] == FROM
    parts = [part.get_payload(decode=True) for part in arrived.walk() if not part.is_multipart()]
    assert [part.decode().splitlines()[0] for part in parts if isinstance(part, bytes)] == ["Wörter", "<p>Wörter</p>"]


def test_signing_up_sends_a_letter_with_a_link(ses: Any, db: None, client: Client) -> None:
    fields = {"email": "ada@example.org", "password1": PASSWORD, "display_name": "Ada"}
    assert client.post("/accounts/signup/", fields).status_code == 302
    [letter] = letters(ses)
    payload = letter.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "/accounts/confirm-email/" in payload.decode()
    assert User.objects.filter(email="ada@example.org").exists()


def test_a_letter_to_nobody_is_not_sent(ses: Any) -> None:
    assert SesBackend().send_messages([EmailMessage("a", "b", FROM, [])]) == 0
    assert ses.sent_messages == []


def test_the_configuration_set_is_named(ses: Any) -> None:
    """moto keeps it nowhere, so the request itself is looked at."""
    backend, requests = SesBackend(), []
    backend._api().meta.events.register("before-call.sesv2.SendEmail", lambda params, **_: requests.append(params))
    backend.send_messages([EmailMessage("a", "b", FROM, ["ada@example.org"])])
    [request] = [json.loads(one["body"]) for one in requests]
    assert request["ConfigurationSetName"] == "lyceum-test"
    assert request["FromEmailAddress"] == FROM


def test_a_refused_letter_costs_the_page_nothing(
    ses: Any, db: None, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEFAULT_FROM_EMAIL = "no-reply@somebody-elses.example"
    with pytest.raises(LetterNotSentError):
        EmailMessage("a", "b", None, ["ada@example.org"]).send()
    assert EmailMessage("a", "b", None, ["ada@example.org"]).send(fail_silently=True) == 0
    with caplog.at_level(logging.ERROR):
        answer = client.post(
            "/accounts/signup/", {"email": "ada@example.org", "password1": PASSWORD, "display_name": "Ada"}, follow=True
        )
    assert answer.status_code == 200
    assert "could not send you a letter" in answer.content.decode()
    [record] = [record for record in caplog.records if record.name == "lyceum.accounts.adapter"]
    assert (record.levelname, "ada" in record.getMessage()) == ("ERROR", False)


def test_a_page_does_not_wait_long_for_a_service_that_is_silent(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A listening socket that takes connections and says nothing."""
    sends_through_ses(monkeypatch, settings)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        began = time.monotonic()
        fields = {"email": "ada@example.org", "password1": PASSWORD, "display_name": "Ada"}
        answer = client.post("/accounts/signup/", fields)
        assert answer.status_code == 302
        assert 3 < time.monotonic() - began < 15
    assert User.objects.filter(email="ada@example.org").exists()


@pytest.mark.parametrize("url", ["ses://a/b", "ses://a b", "ses://user@host", "sms://x", "smtp://"])
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must look like"):
        environment.mail(url)
    assert environment.mail("ses://")["SES_CONFIGURATION_SET"] == ""
