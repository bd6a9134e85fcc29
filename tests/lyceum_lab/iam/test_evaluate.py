"""How policies of several kinds decide together, by table.

From the IAM User Guide: "Policy evaluation logic" (reference_policies_evaluation-logic.html), "Permissions boundaries"
(access_policies_boundaries.html); and from the KMS Developer Guide, "Default key policy" (key-policy-default.html).
"""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.iam import evaluate
from lyceum_lab.iam.conditions import context
from lyceum_lab.iam.evaluate import Principal, Request, decide, refusal
from lyceum_lab.iam.policies import Policy, parse
from lyceum_ops.errors import LyceumError

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/shirley"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/shirley"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"


def policy(*statements: dict[str, Any], name: str = "test") -> Policy:
    return parse(name, {"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def ask(action: str, resource: str = BUCKET, **told: str) -> Request:
    return Request(action, resource, context(dict(told)))


EVERYTHING = policy(allow("*"), name="AdministratorAccess")


@pytest.mark.parametrize(
    ("statement", "action", "resource", "applies"),
    [
        (allow("s3:GetObject"), "s3:GetObject", BUCKET, True),
        (allow("S3:getobject"), "s3:GetObject", BUCKET, True),  # actions know no case
        (allow("s3:Get*"), "s3:GetBucketAcl", BUCKET, True),
        (allow("s3:Get*"), "s3:PutObject", BUCKET, False),
        (allow("iam:*AccessKey*"), "iam:ListAccessKeys", USER, True),
        (allow(["s3:ListBucket", "s3:GetObject"]), "s3:GetObject", BUCKET, True),
        (allow("s3:*", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET}/a/b", True),
        (allow("s3:*", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET.upper()}/a", False),  # resources do
        (allow("s3:*", f"{BUCKET}/?"), "s3:GetObject", f"{BUCKET}/ab", False),
        (allow("s3:*", [BUCKET, f"{BUCKET}/*"]), "s3:ListBucket", BUCKET, True),
        # An action that knows no resource is held against "*": a pattern of ARNs does not cover it.
        (allow("ec2:Describe*", "arn:aws:ec2:*:*:instance/*"), "ec2:DescribeInstances", "*", False),
        (allow("ec2:Describe*", "*"), "ec2:DescribeInstances", "*", True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "s3:GetObject", BUCKET, True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:CreateUser", USER, False),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}*"}, "s3:GetObject", BUCKET, False),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}*"}, "s3:GetObject", "arn:aws:s3:::b", True),
    ],
)
def test_one_statement(statement: dict[str, Any], action: str, resource: str, applies: bool) -> None:
    assert decide(Principal(USER, ACCOUNT, (policy(statement),)), ask(action, resource)).allowed is applies


@pytest.mark.parametrize(
    ("identity", "boundary", "session", "resource", "allowed", "reason"),
    [
        ([], None, None, None, False, "because no identity-based policy allows the s3:GetObject action"),
        ([allow("s3:*")], None, None, None, True, "by an identity-based policy"),
        ([allow("s3:*"), deny("s3:GetObject")], None, None, None, False, "with an explicit deny in an identity"),
        # Shirley's boundary lets her do S3, CloudWatch and EC2; her policy is about IAM.
        ([allow("iam:CreateUser")], [allow("s3:*")], None, None, False, "because no identity-based policy"),
        ([allow("s3:*")], [allow("ec2:*")], None, None, False, "because no permissions boundary allows"),
        ([allow("s3:*")], [allow("s3:*")], None, None, True, "by an identity-based policy"),
        ([], [allow("s3:*")], None, None, False, "because no identity-based policy"),
        ([allow("*")], [allow("*"), deny("s3:*")], None, None, False, "with an explicit deny in a permissions"),
        ([allow("*")], None, [allow("ec2:*")], None, False, "because no session policy allows"),
        ([allow("*")], None, [allow("s3:*")], None, True, "by an identity-based policy"),
        ([allow("*")], [allow("s3:*")], [allow("ec2:*")], None, False, "because no session policy allows"),
        ([allow("*")], None, None, [deny("s3:*", Principal="*")], False, "with an explicit deny in a resource"),
        ([], None, None, [allow("s3:*", Principal={"AWS": ROLE})], True, "by a resource-based policy"),
        # A grant to the role is limited by the boundary and the session; one to the session itself is not.
        ([], [allow("ec2:*")], None, [allow("s3:*", Principal={"AWS": ROLE})], False, "because no permissions"),
        ([], None, [allow("ec2:*")], [allow("s3:*", Principal={"AWS": ROLE})], False, "because no session policy"),
        ([], [allow("ec2:*")], None, [allow("s3:*", Principal={"AWS": SESSION})], True, "by a resource-based policy"),
        ([], None, None, [allow("s3:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], False, "because no id"),
        ([], None, None, [allow("s3:*", Principal={"AWS": "arn:aws:iam::999999999999:root"})], False, "because no id"),
        ([], None, None, [allow("s3:*", Principal={"Service": "ec2.amazonaws.com"})], False, "because no id"),
        ([allow("*")], None, None, [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*", "Resource": "*"}],
         True, "by an identity-based policy"),
        ([allow("*")], None, None, [{"Effect": "Deny", "NotPrincipal": {"AWS": USER}, "Action": "*", "Resource": "*"}],
         False, "with an explicit deny in a resource-based policy"),
    ],
)  # fmt: skip
def test_kinds_of_policies_together(identity: Any, boundary: Any, session: Any, resource: Any, allowed: bool,
                                    reason: str) -> None:  # fmt: skip
    def made(statements: Any) -> Policy | None:
        return policy(*statements) if statements else None

    who = Principal(SESSION, ACCOUNT, (policy(*identity),), made(boundary), made(session), ROLE)
    decision = decide(who, ask("s3:GetObject", f"{BUCKET}/a"), made(resource))
    assert (decision.allowed, decision.reason[: len(reason)]) == (allowed, reason)


def test_a_grant_to_a_user_is_not_limited_by_his_boundary() -> None:
    who = Principal(USER, ACCOUNT, (), policy(allow("ec2:*")))
    grant = policy(allow("s3:*", Principal={"AWS": USER}))
    assert decide(who, ask("s3:GetObject"), grant).allowed


@pytest.mark.parametrize(
    ("key_policy", "identity", "allowed"),
    [
        # The default key policy leaves it to IAM; without it, IAM has no say.
        ([allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [allow("kms:Decrypt")], True),
        ([allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [], False),
        ([allow("kms:*", Principal={"AWS": ACCOUNT})], [allow("kms:Decrypt")], True),
        ([allow("kms:*", Principal={"Service": "logs.amazonaws.com"})], [allow("kms:*")], False),
        ([allow("kms:Decrypt", Principal={"AWS": ROLE})], [], True),
        ([allow("kms:Describe*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [allow("kms:*")], False),
    ],
)
def test_a_key_is_used_only_through_its_policy(key_policy: Any, identity: Any, allowed: bool) -> None:
    who = Principal(SESSION, ACCOUNT, (policy(*identity),), role=ROLE)
    assert (
        decide(who, ask("kms:Decrypt", "arn:aws:kms:us-east-1:1:key/x"), policy(*key_policy), alone=True).allowed
        is allowed
    )


def test_the_decision_names_its_statement_and_speaks_as_aws_does() -> None:
    who = Principal(USER, ACCOUNT, (policy(deny("s3:*", Sid="NeverS3"), name="limits"), EVERYTHING))
    decision = decide(who, ask("s3:GetObject"))
    assert decision.by == "limits/NeverS3"
    assert refusal(who, ask("s3:GetObject"), decision) == (
        f"User: {USER} is not authorized to perform: s3:GetObject on resource: {BUCKET} "
        "with an explicit deny in an identity-based policy"
    )


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([allow("ec2:*", "arn:aws:ec2:*:*:vpc/*")], True),  # lenient: which one it is, the call does not tell
        ([allow("s3:*", "*")], False),
        ([allow("ec2:*"), deny("ec2:*", "arn:aws:ec2:*:*:vpc/vpc-1")], True),
        ([allow("ec2:*"), deny("ec2:*")], False),
        ([allow("ec2:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], False),
    ],
)
def test_a_resource_that_is_not_told(statements: Any, allowed: bool) -> None:
    request = Request("ec2:DeleteVpc", evaluate.ANY, context({"aws:RequestedRegion": "us-east-1"}))
    assert decide(Principal(USER, ACCOUNT, (policy(*statements),)), request).allowed is allowed


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ("{", "is not JSON"),
        ({"Version": "2012-10-17"}, "has no Statement"),
        ({"Version": "2020-01-01", "Statement": []}, "has the version"),
        ({"Statement": {"Effect": "Permit", "Action": "*"}}, "the effect 'Permit'"),
        ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "not exactly one of Action and NotAction"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}},
            "not exactly one of Action and NotAction",
        ),
        ({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}}, "both Resource"),
        ({"Statement": {"Effect": "Allow", "Action": "*", "Resources": "*"}}, "the unknown Resources"),
    ],
)
def test_a_malformed_document_is_refused_by_name(document: Any, what: str) -> None:
    with pytest.raises(LyceumError, match="The policy broken") as refused:
        parse("broken", document)
    assert what in str(refused.value)
