"""Whoever may become a role and should not, or should and may not, is named."""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam.policies import parse
from lyceum_lab.proofs.iam import trust
from lyceum_lab.proofs.report import Broken

OURS = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
CODEBUILD = "codebuild.amazonaws.com"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:user/lyceum-deployer"


def document(principal: Any, condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}


def becomes(principal: Any, condition: Any = None) -> set[str]:
    return trust.may_become("lyceum-dev-backup", "lyceum-dev-", parse("x", document(principal, condition)))


def project(name: str, operator: str = "StringEquals") -> dict[str, Any]:
    """The condition that CodeBuild works for the project of this name."""
    arn = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/{name.format(name='lyceum-dev-')}"
    return {operator: {"aws:SourceArn": arn}}


def test_a_service_with_and_without_the_account_it_works_for() -> None:
    service = {"Service": "backup.amazonaws.com"}
    assert becomes(service, OURS) == {"backup.amazonaws.com for this account"}
    assert len(becomes(service)) == 3
    assert len(becomes({"Service": ["backup.amazonaws.com", "ssm.amazonaws.com"]}, OURS)) == 2


def test_a_person_with_and_without_the_second_factor() -> None:
    factor = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert becomes({"AWS": DEPLOYER}, factor) == {trust.WITH_SECOND_FACTOR}
    assert len(becomes({"AWS": DEPLOYER})) == 2
    # The account as a whole leaves it to its own policies, and so to whoever they allow it.
    assert "the role lyceum-dev-server" in becomes({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert "the user somebody of another account with the second factor" in becomes({"AWS": "*"})


class Roles:
    """What IAM lists."""

    def __init__(self, trusts: dict[str, Any]) -> None:
        self.trusts = trusts

    def get_paginator(self, _: str) -> Roles:
        return self

    def paginate(self) -> list[Any]:
        roles = [{"RoleName": n, "Path": "/", "AssumeRolePolicyDocument": d} for n, d in self.trusts.items()]
        return [{"Roles": roles}]


@pytest.fixture
def trusts() -> dict[str, Any]:
    """As they have to be."""
    sources = {**{f"lyceum-dev-{n}": t for n, t in trust.OF_AN_ENVIRONMENT.items()}, **trust.OF_THE_ACCOUNT}
    made = {n: document({"Service": t.service}, OURS if t.ways == (trust.OURS,) else None) for n, t in sources.items()}
    for name, one in sources.items():
        if one.service == CODEBUILD:
            made[name] = document({"Service": CODEBUILD}, project(one.source.rpartition("/")[2]))
    made["lyceum-deployer"] = document({"AWS": DEPLOYER}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    return made


def test_each_difference_from_the_list_is_named(trusts: dict[str, Any]) -> None:
    assert trust.trusted(Roles(trusts), ("dev",)).startswith("19 roles")
    for role, changed, said in (
        ("lyceum-dev-more", document({"Service": "ec2.amazonaws.com"}), "the role lyceum-dev-more is not on the list"),
        ("lyceum-dev-backup", document({"Service": "backup.amazonaws.com"}),
         "backup.amazonaws.com for another account may become lyceum-dev-backup"),
        ("lyceum-dev-server", document({"Service": "ssm.amazonaws.com"}),
         "ec2.amazonaws.com for this account may not become lyceum-dev-server"),
        ("lyceum-deployer", document({"AWS": DEPLOYER}),
         "the user lyceum-deployer without the second factor may become lyceum-deployer"),
    ):  # fmt: skip
        with pytest.raises(Broken) as broken:
            trust.trusted(Roles({**trusts, role: changed}), ("dev",))
        assert said in str(broken.value)
    with pytest.raises(Broken, match="the role lyceum-prod-server is not there"):
        trust.trusted(Roles(trusts), ("dev", "prod"))


def test_a_project_is_no_other_project(trusts: dict[str, Any]) -> None:
    for role, name, other in (
        ("lyceum-pipeline-plan", "*", "lyceum-pipeline-apply"),
        ("lyceum-pipeline-plan", "lyceum-pipeline-*", "lyceum-pipeline-apply"),
        ("lyceum-dev-migrate", "*", "lyceum-pipeline-plan"),
    ):
        wide = document({"Service": CODEBUILD}, project(name, "StringLike"))
        with pytest.raises(Broken) as broken:
            trust.trusted(Roles({**trusts, role: wide}), ("dev",))
        assert f"{CODEBUILD} for project/{other} may become {role}" in str(broken.value)
    # The account alone says nothing of the project either.
    with pytest.raises(Broken, match="for project/lyceum-pipeline-apply may become lyceum-pipeline-check"):
        trust.trusted(Roles({**trusts, "lyceum-pipeline-check": document({"Service": CODEBUILD}, OURS)}), ("dev",))
