"""SES (version 2 of its API): what an identity shows to the world, and what becomes of a letter. None is ever sent."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.ses.models import ses_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

ses = Service("ses")
NO_DESTINATIONS = "moto's configuration sets tell nobody what became of a letter"


@ses.edit(
    "CreateEmailIdentity",
    "GetEmailIdentity",
    because="moto makes no DKIM tokens, which are the names of the records that the zone needs",
)
def show_tokens(call: Call, result: dict[str, Any]) -> bool:
    identity = call.parameters["EmailIdentity"]
    dkim = result.get("DkimAttributes", {})
    dkim["Tokens"] = [hashlib.sha256(f"{identity} {n}".encode()).hexdigest()[:32] for n in range(3)]
    dkim["CurrentSigningKeyLength"] = dkim.get("NextSigningKeyLength")
    return True


@ses.stub("PutEmailIdentityMailFromAttributes", because="moto's identities have no MAIL FROM domain")
def put_mail_from(call: Call) -> dict[str, Any]:
    identity = call.parameters["EmailIdentity"]
    if identity not in ses_backends[ACCOUNT][call.region].email_identities:
        raise ApiError("NotFoundException", f"Email identity {identity} does not exist.", 404)
    domain = call.parameters.get("MailFromDomain")
    if domain and not domain.endswith(f".{identity}"):
        raise ApiError("BadRequestException", f"{domain} is not a subdomain of the verified domain of {identity}.")
    kept = ses.table("mail from")
    kept.pop((call.region, identity), None)
    if domain:
        kept[call.region, identity] = {
            "MailFromDomain": domain,
            "MailFromDomainStatus": "SUCCESS",
            "BehaviorOnMxFailure": call.parameters.get("BehaviorOnMxFailure", "USE_DEFAULT_VALUE"),
        }
    return {}


@ses.edit("GetEmailIdentity", because="moto's identities have no MAIL FROM domain")
def show_mail_from(call: Call, result: dict[str, Any]) -> bool:
    kept = ses.table("mail from").get((call.region, call.parameters["EmailIdentity"]))
    if kept:
        result["MailFromAttributes"] = kept
    return bool(kept)


@ses.note("DeleteEmailIdentity", because="what is deleted takes its MAIL FROM domain with it")
def forget_mail_from(call: Call, _: dict[str, Any]) -> None:
    ses.table("mail from").pop((call.region, call.parameters["EmailIdentity"]), None)


@ses.note("CreateConfigurationSet", because="moto nests the switch for sending in itself, and nobody can read it")
def unnest_switch(call: Call, _: dict[str, Any]) -> None:
    name = call.parameters["ConfigurationSetName"]
    switch = call.parameters.get("SendingOptions", {}).get("SendingEnabled", True)
    ses_backends[ACCOUNT][call.region].config_sets[name].enabled = switch


@ses.edit("GetConfigurationSet", because="moto shows options that were never set, empty, as if they had been")
def hide_unset_options(_: Call, result: dict[str, Any]) -> bool:
    unset = [name for name, value in result.items() if value == {}]
    for name in unset:
        del result[name]
    return bool(unset)


@ses.note("CreateEmailIdentity", because="moto keeps an identity's tags under another ARN than AWS gives it")
def tag_identity(call: Call, _: dict[str, Any]) -> None:
    tagger = ses_backends[ACCOUNT][call.region].tagger
    arn = f"arn:aws:ses:{call.region}:{ACCOUNT}:identity/{call.parameters['EmailIdentity']}"
    tagger.tag_resource(arn, call.parameters.get("Tags", []))


@ses.stub("CreateConfigurationSetEventDestination", because=NO_DESTINATIONS)
def create_destination(call: Call) -> dict[str, Any]:
    name = call.parameters["EventDestinationName"]
    destinations = _destinations(call)
    if name in destinations:
        raise ApiError("AlreadyExistsException", f"Event destination {name} already exists.")
    destinations[name] = {"Name": name, **call.parameters["EventDestination"]}
    return {}


@ses.stub("GetConfigurationSetEventDestinations", because=NO_DESTINATIONS)
def get_destinations(call: Call) -> dict[str, Any]:
    return {"EventDestinations": list(_destinations(call).values())}


@ses.stub("DeleteConfigurationSetEventDestination", because=NO_DESTINATIONS)
def delete_destination(call: Call) -> dict[str, Any]:
    name = call.parameters["EventDestinationName"]
    if _destinations(call).pop(name, None) is None:
        raise ApiError("NotFoundException", f"Event destination {name} does not exist.", 404)
    return {}


@ses.note("DeleteConfigurationSet", because="what is deleted takes its event destinations with it")
def forget_destinations(call: Call, _: dict[str, Any]) -> None:
    ses.table("destinations").pop((call.region, call.parameters["ConfigurationSetName"]), None)


def _destinations(call: Call) -> dict[str, Any]:
    name = call.parameters["ConfigurationSetName"]
    if name not in ses_backends[ACCOUNT][call.region].config_sets:
        raise ApiError("NotFoundException", f"Configuration set <{name}> does not exist.", 404)
    found: dict[str, Any] = ses.table("destinations").setdefault((call.region, name), {})
    return found
