"""The attempts at more than the deployer is: one right too many, or too few, is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.emulator import ACCOUNT, ROOT_KEY, ROOT_SECRET
from lyceum_lab.iam.limits import LIMITS, measure
from lyceum_lab.proofs.cloud import Cloud
from lyceum_lab.proofs.iam import account as account_of
from lyceum_lab.proofs.iam import attempts as proof
from lyceum_lab.proofs.report import Broken
from lyceum_lab.rehearsal.infrastructure import Session

ASSUMED_BY_ANYBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)


class Account:
    """What the attempts are about, without Terraform: an administrator, another project, a deployer with any rights."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.admin = self.session(ROOT_KEY, ROOT_SECRET)
        self.admin.client("route53").create_hosted_zone(Name="lyceum.example", CallerReference="x")
        self.admin.client("s3").create_bucket(Bucket=f"lyceum-state-{ACCOUNT}")
        for name in ("state", "audit"):
            key = self.admin.client("kms").create_key()["KeyMetadata"]["KeyId"]
            self.admin.client("kms").create_alias(AliasName=f"alias/lyceum-{name}", TargetKeyId=key)
        self.known = proof.others(self.admin)
        self.admin.client("iam").create_role(RoleName="lyceum-deployer", AssumeRolePolicyDocument=ASSUMED_BY_ANYBODY)

    def session(self, key: str, secret: str, token: str = "") -> Session:
        return Session.of(
            {
                "AWS_ACCESS_KEY_ID": key,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_SESSION_TOKEN": token,
                "AWS_ENDPOINT_URL": self.emulator.endpoint,
            }
        )

    def deployer(self, *statements: dict[str, Any]) -> Cloud:
        """The proof's account, in which the deployer has these rights."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.admin.client("iam").put_role_policy(RoleName="lyceum-deployer", PolicyName="x", PolicyDocument=document)
        made = self.admin.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-deployer", RoleSessionName="proof"
        )["Credentials"]
        session = self.session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        return cast(Cloud, SimpleNamespace(stack=SimpleNamespace(session=lambda: session)))


@pytest.fixture(scope="module")
def account(start_emulator: Callable[..., Emulator]) -> Account:
    return Account(start_emulator("--enforce-iam"))


def test_one_right_too_many_is_named(account: Account) -> None:
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert "all refused" in proof.all_refused(account.deployer(nothing), account.known)
    for action, what in (
        ("iam:CreateUser", "make a user"),
        ("kms:CreateGrant", "give the trail's key a grant"),
        ("cloudtrail:StopLogging", "stop the trail"),
        ("ec2:DeleteVpc", "delete another project's network"),
        ("elasticfilesystem:TagResource", "make another project's files its own"),
    ):
        with pytest.raises(Broken, match=r"^the deployer can ") as broken:
            proof.all_refused(account.deployer({"Effect": "Allow", "Action": action, "Resource": "*"}), account.known)
        assert what in str(broken.value)
        assert "read bootstrap's state" not in str(broken.value)


def test_one_right_too_few_is_named(account: Account) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert "calls" in proof.all_allowed(account.deployer(everything), account.known)
    passing = {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}
    with pytest.raises(Broken, match="the deployer cannot ") as broken:
        proof.all_allowed(account.deployer(everything, passing), account.known)
    assert "pass its own role" in str(broken.value)
    assert "with an explicit deny in an identity-based policy" in str(broken.value)


def test_a_policy_over_awss_limit_is_named(account: Account) -> None:
    iam = account.admin.client("iam")
    for number in range(9):
        iam.create_policy(PolicyName=f"short-{number}", PolicyDocument=proof.ALL)
    assert "policies; the fullest is" in account_of.sizes(account.admin)
    actions = [f"s3:Get{number:04}" for number in range(500)]
    long = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.create_role(RoleName="long", AssumeRolePolicyDocument=ASSUMED_BY_ANYBODY)
    for name in ("one", "two"):
        iam.put_role_policy(RoleName="long", PolicyName=name, PolicyDocument=json.dumps(long))
    with pytest.raises(Broken, match=r"the inline policies of long has 1[0-9]{4} characters of 10240"):
        account_of.sizes(account.admin)


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_white_space_does_not_count(kind: str) -> None:
    assert measure(kind, '{ "Version" :\n "2012-10-17" }') == (24, LIMITS[kind])
    assert measure(kind, [{"a": 1}, {"b": "c d"}]) == (17, LIMITS[kind])
