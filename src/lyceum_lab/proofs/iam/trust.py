"""Who may become which role: the trust policies as they are applied, held against a list that is written by hand.

A service names the account, and mostly the resource, that it works for. Where a trust policy asks for them, neither a
service on another account's behalf nor one that does not say for whom gets the role.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam.evaluate import Principal, Request, context, decide
from lyceum_lab.iam.policies import Policy, parse
from lyceum_lab.proofs.iam.account import EVERYTHING
from lyceum_lab.proofs.report import listed, require
from lyceum_lab.rehearsal.infrastructure import REGION

ANOTHER = "210987654321"
OURS, THEIRS, UNTOLD = "for this account", "for another account", "without saying for whom"


@dataclass(frozen=True)
class Trusted:
    """The one service that may become a role, for whom, and as what it names the resource it works for."""

    service: str
    ways: tuple[str, ...]
    source: str


ONLY_OURS, ANY_WAY = (OURS,), (OURS, THEIRS, UNTOLD)
# By the role's name after `lyceum-<environment>-`. EC2 and Lambda name no account: who may hand them the role decides.
OF_AN_ENVIRONMENT = {
    "server": Trusted("ec2.amazonaws.com", ANY_WAY, "ec2:{region}:{account}:instance/i-0123456789abcdef0"),
    "bastion": Trusted("ec2.amazonaws.com", ANY_WAY, "ec2:{region}:{account}:instance/i-0123456789abcdef0"),
    "purge-logs": Trusted("lambda.amazonaws.com", ANY_WAY, "lambda:{region}:{account}:function:{name}x"),
    "purge-schedule": Trusted("scheduler.amazonaws.com", ONLY_OURS, "scheduler:{region}:{account}:schedule-group/x"),
    "backup": Trusted("backup.amazonaws.com", ONLY_OURS, "backup:{region}:{account}:backup-plan:x"),
    "database-monitoring": Trusted(
        "monitoring.rds.amazonaws.com", ONLY_OURS, "rds:{region}:{account}:db:{name}database"
    ),
    "migrate": Trusted("codebuild.amazonaws.com", ONLY_OURS, "codebuild:{region}:{account}:project/{name}migrate"),
    "flow-logs": Trusted("vpc-flow-logs.amazonaws.com", ONLY_OURS, "ec2:{region}:{account}:vpc-flow-log/fl-1"),
}
# What an environment has with a domain alone, as production.
WITH_A_DOMAIN = {
    "canary": Trusted("lambda.amazonaws.com", ANY_WAY, "lambda:{region}:{account}:function:{name}x"),
    "canary-schedule": Trusted("scheduler.amazonaws.com", ONLY_OURS, "scheduler:{region}:{account}:schedule-group/x"),
}
STAGES = ("apply", "build", "check", "plan", "publish", "release", "smoke", "verify")
OF_THE_ACCOUNT = {
    "lyceum-pipeline": Trusted(
        "codepipeline.amazonaws.com", ONLY_OURS, "codepipeline:{region}:{account}:lyceum-pipeline"
    ),
    # Each for its own project: the one of another stage does not get it.
    **{
        f"lyceum-pipeline-{stage}": Trusted(
            "codebuild.amazonaws.com", ONLY_OURS, f"codebuild:{{region}}:{{account}}:project/lyceum-pipeline-{stage}"
        )
        for stage in STAGES
    },
    "lyceum-audit-delivery": Trusted(
        "cloudtrail.amazonaws.com", ONLY_OURS, "cloudtrail:{region}:{account}:trail/lyceum-audit"
    ),
}
DEPLOYER = "lyceum-deployer"
WITH_SECOND_FACTOR = "the user lyceum-deployer with the second factor"
# Besides those above: services that run what they are told in a role's name, were they trusted.
OTHER_SERVICES = (
    "cloudformation.amazonaws.com", "codebuild.amazonaws.com", "ecs-tasks.amazonaws.com", "events.amazonaws.com",
    "glue.amazonaws.com", "sagemaker.amazonaws.com", "ssm.amazonaws.com", "states.amazonaws.com",
)  # fmt: skip


def expected(environments: tuple[str, ...]) -> dict[str, tuple[str, set[str]]]:
    """Role → the prefix of its environment's names, and everybody who may become it, in words."""
    found: dict[str, tuple[str, set[str]]] = {DEPLOYER: ("", {WITH_SECOND_FACTOR})}
    for name, one in OF_THE_ACCOUNT.items():
        found[name] = ("", {f"{one.service} {way}" for way in one.ways})
    for environment in environments:
        prefix = f"lyceum-{environment}-"
        for name, one in (OF_AN_ENVIRONMENT | (WITH_A_DOMAIN if environment == "prod" else {})).items():
            found[prefix + name] = (prefix, {f"{one.service} {way}" for way in one.ways})
    return found


def may_become(role: str, prefix: str, trust: Policy) -> set[str]:
    """Everybody of whom it was tried who may become the role, in words."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    found = set()
    own = OF_THE_ACCOUNT.get(role) or (OF_AN_ENVIRONMENT | WITH_A_DOMAIN).get(role.removeprefix(prefix))
    for who, as_whom, told in _candidates(prefix, own):
        asked = Request("sts:AssumeRole", arn, context(told))
        # Whoever asks has every right of his own: what keeps him out is the trust policy alone.
        if decide(as_whom, asked, trust, alone=True).allowed:
            found.add(who)
    return found


def _candidates(prefix: str, own: Trusted | None = None) -> Iterator[tuple[str, Principal, dict[str, Any]]]:
    everything = (parse("everything", EVERYTHING),)
    services = {**OF_AN_ENVIRONMENT, **WITH_A_DOMAIN, **OF_THE_ACCOUNT}
    sources = {one.service: one.source for one in services.values()}
    if own:
        sources[own.service] = own.source
    for service in dict.fromkeys((*sources, *OTHER_SERVICES)):
        source = sources.get(service, "iam::{account}:x")
        for way in (OURS, THEIRS, UNTOLD):
            account = ANOTHER if way == THEIRS else ACCOUNT
            arn = "arn:aws:" + source.format(region=REGION, account=account, name=prefix)
            told = {} if way == UNTOLD else {"aws:SourceAccount": account, "aws:SourceArn": arn}
            yield f"{service} {way}", Principal("", "", service=service), {**told, "aws:PrincipalIsAWSService": True}
    # What the service runs for us under another name, as another stage's project.
    for source in dict.fromkeys(one.source for one in services.values() if own and one.service == own.service):
        if own and source != own.source:
            arn = "arn:aws:" + source.format(region=REGION, account=ACCOUNT, name=prefix)
            who = f"{own.service} for {arn.rpartition(':')[2]}"
            asked = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": arn, "aws:PrincipalIsAWSService": True}
            yield who, Principal("", "", service=own.service), asked
    for account in (ACCOUNT, ANOTHER):
        whose = "" if account == ACCOUNT else " of another account"
        for user in (DEPLOYER, "somebody"):
            one = Principal(f"arn:aws:iam::{account}:user/{user}", account, everything)
            yield f"the user {user}{whose} with the second factor", one, {"aws:MultiFactorAuthPresent": True}
            yield f"the user {user}{whose} without the second factor", one, {}
        for role in (DEPLOYER, f"{prefix}server", f"{prefix}purge-logs"):
            session = Principal(f"arn:aws:sts::{account}:assumed-role/{role}/x", account, everything,
                                role=f"arn:aws:iam::{account}:role/{role}")  # fmt: skip
            yield f"the role {role}{whose}", session, {"aws:MultiFactorAuthPresent": False}
    yield "anybody", Principal("anonymous", ""), {}


def trusted(iam: Any, environments: tuple[str, ...]) -> str:
    """Every role of the account, held against the list. Raises Broken with the roles that differ from it."""
    wanted = expected(environments)
    trusts = {
        role["RoleName"]: parse(f"trust of {role['RoleName']}", role["AssumeRolePolicyDocument"])
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if not role["Path"].startswith("/aws-service-role/")
    }
    wrong = [f"the role {name} is not on the list" for name in trusts.keys() - wanted.keys()]
    wrong += [f"the role {name} is not there" for name in wanted.keys() - trusts.keys()]
    for name in sorted(trusts.keys() & wanted.keys()):
        prefix, who = wanted[name]
        found = may_become(name, prefix, trusts[name])
        wrong += [f"{one} may become {name}" for one in sorted(found - who)]
        wrong += [f"{one} may not become {name}" for one in sorted(who - found)]
    require(not wrong, listed(wrong, 12))
    return f"{len(trusts)} roles; {len(list(_candidates('')))} principals tried on each"
