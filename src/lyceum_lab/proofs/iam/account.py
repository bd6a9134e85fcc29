"""What the account holds of IAM, and what the emulator knows of its own decisions."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.pages import page
from lyceum_lab.iam.evaluate import Request, context
from lyceum_lab.iam.limits import measure
from lyceum_lab.iam.policies import Policy, parse
from lyceum_lab.proofs.report import require
from lyceum_lab.rehearsal.infrastructure import Session

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def sizes(admin: Session) -> str:
    """Every policy document that exists, held against AWS's limits."""
    iam = admin.client("iam")
    most = ""
    largest = 0.0
    found = list(documents(iam))
    require(len(found) > 10, f"only {len(found)} policies were found")
    for kind, name, document in found:
        characters, limit = measure(kind, document)
        require(characters <= limit, f"{name} has {characters} characters of {limit}")
        if characters / limit > largest:
            largest, most = characters / limit, f"{name} with {characters} of {limit} characters"
    return f"{len(found)} policies; the fullest is {most}"


def documents(iam: Any) -> list[tuple[str, str, Any]]:
    """(kind, name, document) of every policy of the account's own; the inline ones of one owner count together."""
    found: list[tuple[str, str, Any]] = []
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        found.append(("managed", policy["PolicyName"], version["PolicyVersion"]["Document"]))
    for kind in ("role", "user", "group"):
        title = kind.title()
        for owner in getattr(iam, f"list_{kind}s")()[f"{title}s"]:
            name = {f"{title}Name": owner[f"{title}Name"]}
            names = getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"]
            inline = [getattr(iam, f"get_{kind}_policy")(**name, PolicyName=one)["PolicyDocument"] for one in names]
            if inline:
                found.append((kind, f"the inline policies of {owner[f'{title}Name']}", inline))
            if kind == "role":
                found.append(("trust", f"the trust of {owner['RoleName']}", owner["AssumeRolePolicyDocument"]))
    return found


def decisions(endpoint: str) -> dict[str, Any]:
    """The emulator's own account of what it decided."""
    return dict(page(endpoint, "/_lyceum/permissions"))


def asked_by(endpoint: str) -> dict[str, list[Request]]:
    """Everything that each role asked for so far, attempts included, by the role's ARN."""
    return {
        role: [Request(one["action"], one["resource"], context(one["context"])) for one in told]
        for role, told in page(endpoint, "/_lyceum/asked").items()
    }


def statements(admin: Session) -> list[Policy]:
    """The policies of the deployer role."""
    iam = admin.client("iam")
    attached = iam.list_attached_role_policies(RoleName="lyceum-deployer")["AttachedPolicies"]
    return [managed(iam, one["PolicyArn"]) for one in attached]


def managed(iam: Any, arn: str) -> Policy:
    """A managed policy as it is now, under its name."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return parse(arn.rsplit("/", 1)[-1], document)
