"""What the emulator adds to moto's SES: the records that an identity asks for, and what becomes of a letter."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

TAGS = [{"Key": "Project", "Value": "lyceum"}]


@pytest.fixture(scope="module")
def sesv2(emulator: Emulator) -> Any:
    return emulator.client("sesv2")


def test_an_identity_has_three_tokens_of_its_own_and_keeps_them(sesv2: Any) -> None:
    tokens = {}
    for domain in ("learn.example", "teach.example"):
        made = sesv2.create_email_identity(
            EmailIdentity=domain, DkimSigningAttributes={"NextSigningKeyLength": "RSA_2048_BIT"}, Tags=TAGS
        )
        found = sesv2.get_email_identity(EmailIdentity=domain)["DkimAttributes"]
        assert found["Tokens"] == made["DkimAttributes"]["Tokens"]
        assert found["CurrentSigningKeyLength"] == "RSA_2048_BIT"
        tokens[domain] = set(found["Tokens"])
        assert len(tokens[domain]) == 3
    assert not tokens["learn.example"] & tokens["teach.example"]

    arn = "arn:aws:ses:us-east-1:123456789012:identity/learn.example"
    assert sesv2.list_tags_for_resource(ResourceArn=arn)["Tags"] == TAGS


def test_bounces_come_back_to_a_name_below_the_identity_until_it_goes(sesv2: Any) -> None:
    sesv2.create_email_identity(EmailIdentity="mail.example")

    def put(domain: str, identity: str = "mail.example") -> None:
        sesv2.put_email_identity_mail_from_attributes(
            EmailIdentity=identity, MailFromDomain=domain, BehaviorOnMxFailure="USE_DEFAULT_VALUE"
        )

    def shown() -> dict[str, Any]:
        return dict(sesv2.get_email_identity(EmailIdentity="mail.example").get("MailFromAttributes", {}))

    put("bounce.mail.example")
    assert shown()["MailFromDomain"] == "bounce.mail.example"
    assert shown()["BehaviorOnMxFailure"] == "USE_DEFAULT_VALUE"
    with pytest.raises(ClientError, match="not a subdomain"):
        put("bounce.other.example")
    with pytest.raises(ClientError, match="does not exist"):
        put("bounce.nobody.example", identity="nobody.example")

    sesv2.put_email_identity_mail_from_attributes(EmailIdentity="mail.example")
    assert shown() == {}
    put("bounce.mail.example")
    sesv2.delete_email_identity(EmailIdentity="mail.example")
    sesv2.create_email_identity(EmailIdentity="mail.example")
    assert shown() == {}


def test_a_configuration_set_shows_what_was_set_and_no_more(sesv2: Any) -> None:
    sesv2.create_configuration_set(
        ConfigurationSetName="plain",
        DeliveryOptions={"TlsPolicy": "REQUIRE"},
        SendingOptions={"SendingEnabled": True},
    )
    sesv2.create_configuration_set(ConfigurationSetName="silent", SendingOptions={"SendingEnabled": False})
    plain, silent = (sesv2.get_configuration_set(ConfigurationSetName=name) for name in ("plain", "silent"))
    assert plain["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
    assert plain["SendingOptions"] == {"SendingEnabled": True}
    assert silent["SendingOptions"] == {"SendingEnabled": False}
    assert not {"TrackingOptions", "VdmOptions", "ReputationOptions"} & plain.keys()


def test_a_configuration_set_tells_what_became_of_a_letter_until_it_goes(sesv2: Any) -> None:
    wanted = {
        "Enabled": True,
        "MatchingEventTypes": ["BOUNCE", "COMPLAINT"],
        "CloudWatchDestination": {
            "DimensionConfigurations": [
                {
                    "DimensionName": "ses:configuration-set",
                    "DimensionValueSource": "MESSAGE_TAG",
                    "DefaultDimensionValue": "told",
                }
            ]
        },
    }

    def create() -> None:
        sesv2.create_configuration_set_event_destination(
            ConfigurationSetName="told", EventDestinationName="metrics", EventDestination=wanted
        )

    def destinations() -> Any:
        return sesv2.get_configuration_set_event_destinations(ConfigurationSetName="told")["EventDestinations"]

    with pytest.raises(ClientError, match="does not exist"):
        create()
    sesv2.create_configuration_set(ConfigurationSetName="told")
    assert destinations() == []
    create()
    assert destinations() == [{"Name": "metrics", **wanted}]
    with pytest.raises(ClientError, match="already exists"):
        create()

    sesv2.delete_configuration_set_event_destination(ConfigurationSetName="told", EventDestinationName="metrics")
    assert destinations() == []
    create()
    sesv2.delete_configuration_set(ConfigurationSetName="told")
    sesv2.create_configuration_set(ConfigurationSetName="told")
    assert destinations() == []
