"""What other services of AWS have to know first: their own roles, the domain, mail, the pipeline's connection."""

from __future__ import annotations

from dataclasses import dataclass

from lyceum_ops.checks import Account, Check, Found, fail, ok, warn
from lyceum_ops.preflight.account import ROLE


@dataclass(frozen=True)
class ServiceRole:
    """A role that AWS makes for a service of its own the first time that somebody who may do so uses the service."""

    name: str
    principal: str

    def look(self, asking: Account) -> Found:
        if asking.ask("iam", "get_role", RoleName=self.name) is not None:
            return ok("it is there")
        make = f"aws iam create-service-linked-role --aws-service-name {self.principal}"
        who = asking.who
        deployer = f"arn:{who.partition}:iam::{who.account}:role/{ROLE}"
        found = asking.ask(
            "iam", "simulate_principal_policy",
            PolicySourceArn=deployer,
            ActionNames=["iam:CreateServiceLinkedRole"],
            ResourceArns=[f"arn:{who.partition}:iam::{who.account}:role/aws-service-role/{self.principal}/{self.name}"],
            ContextEntries=[
                {
                    "ContextKeyName": "iam:AWSServiceName",
                    "ContextKeyType": "string",
                    "ContextKeyValues": [self.principal],
                }
            ],
        )  # fmt: skip
        if found is None:
            return fail(
                "it is not there, and neither is the deployer, who could have it made",
                f"./lyceum bootstrap, or: {make}",
            )
        if found["EvaluationResults"][0]["EvalDecision"] == "allowed":
            return ok("AWS makes it on first use, as the deployer may have it made")
        return fail("it is not there, and the deployer may not have it made", make)


SERVICE_ROLES = (
    ServiceRole("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"),
    ServiceRole("AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"),
    ServiceRole("AWSServiceRoleForRDS", "rds.amazonaws.com"),
    ServiceRole("AWSServiceRoleForAmazonElasticFileSystem", "elasticfilesystem.amazonaws.com"),
    ServiceRole("AWSServiceRoleForBackup", "backup.amazonaws.com"),
)


def zone(asking: Account) -> Found:
    """The domain's own hosted zone, or one above it."""
    if not asking.domain:
        if asking.environment == "prod":
            return fail(
                "prod has no domain, and is refused without one: no TLS", "Name one: --domain learn.example.org."
            )
        return ok("no domain is named: dev answers on plain HTTP to the operators' addresses only")
    labels = asking.domain.rstrip(".").lower().split(".")
    for name in (".".join(labels[start:]) for start in range(len(labels) - 1)):
        found = asking.ask("route53", "list_hosted_zones_by_name", DNSName=name, MaxItems="10")
        for item in (found or {}).get("HostedZones", []):
            if item["Name"] == f"{name}." and not item.get("Config", {}).get("PrivateZone"):
                return ok(f"{name} is zone {item['Id'].rsplit('/', 1)[-1]}")
    return fail(
        f"no public zone of this account holds {asking.domain}",
        f"Make it (aws route53 create-hosted-zone --name {asking.domain} --caller-reference 1) and tell the registrar.",
    )


def mail_domain(asking: Account) -> Found:
    if not asking.domain:
        return ok("no domain is named: the platform sends no mail")
    found = asking.ask("sesv2", "get_email_identity", EmailIdentity=asking.domain)
    if found is None:
        return ok(f"{asking.domain} is not there yet: infra/platform makes it, its DNS records verify it")
    if found.get("VerifiedForSendingStatus"):
        return ok(f"{asking.domain} is verified")
    status = found.get("VerificationStatus") or found.get("DkimAttributes", {}).get("Status") or "PENDING"
    hint = "Its three DKIM records have to be in the domain's zone: aws sesv2 get-email-identity shows them."
    return (fail if status == "FAILED" else warn)(f"{asking.domain} is not verified ({status})", hint)


def mail_sandbox(asking: Account) -> Found:
    found = asking.ask("sesv2", "get_account") or {}
    if not found.get("SendingEnabled", True):
        return fail("AWS has stopped this account's mail", "See the account dashboard of SES for the reason.")
    if not found.get("ProductionAccessEnabled"):
        return warn(
            "SES is in its sandbox: mail reaches verified addresses only, 200 a day",
            "Ask for production access in the console of SES; it takes about a day.",
        )
    return ok("SES may write to anybody")


def connection(asking: Account) -> Found:
    found = asking.all("codeconnections", "list_connections", "Connections")
    if not found:
        return ok("none yet: the pipeline makes it, and a person completes it in the console")
    bad = {
        item["ConnectionName"]: item["ConnectionStatus"] for item in found if item["ConnectionStatus"] != "AVAILABLE"
    }
    if not bad:
        return ok(", ".join(item["ConnectionName"] for item in found))
    said = ", ".join(f"{name} is {status}" for name, status in bad.items())
    hint = "A person has to complete it: console, Developer Tools, Settings, Connections."
    return (fail if "ERROR" in bad.values() else warn)(said, hint)


CHECKS = (
    *(
        Check(f"role of {role.principal.split('.')[0]}", "iam:GetRole, iam:SimulatePrincipalPolicy", role.look)
        for role in SERVICE_ROLES
    ),
    Check("hosted zone", "route53:ListHostedZonesByName", zone),
    Check("mail domain", "ses:GetEmailIdentity", mail_domain),
    Check("mail sandbox", "ses:GetAccount", mail_sandbox),
    Check("pipeline's connection", "codeconnections:ListConnections", connection),
)
