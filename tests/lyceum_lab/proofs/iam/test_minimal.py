"""A part of a role's rights that nothing needs, or that could be wider, is named; so is a reason that nothing needs."""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.iam.evaluate import ANY, Request, context
from lyceum_lab.iam.policies import parse
from lyceum_lab.proofs.iam.minimal import Reason, minimal, narrow
from lyceum_lab.proofs.report import Broken

VPC, SUBNET = "arn:aws:ec2:us-east-1:1:vpc/vpc-1", "arn:aws:ec2:us-east-1:1:subnet/subnet-1"
OURS = context({"aws:ResourceTag/Project": "lyceum", "aws:RequestedRegion": "us-east-1"})
THEIRS = context({"aws:ResourceTag/Project": "another"})


def policy(*statements: dict[str, Any]) -> list[Any]:
    return [parse("own", {"Version": "2012-10-17", "Statement": list(statements)})]


LOOK = {"Sid": "Look", "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
END = {
    "Sid": "End", "Effect": "Allow", "Action": ["ec2:DeleteVpc", "ec2:DeleteSubnet"],
    "Resource": ["arn:aws:ec2:us-east-1:1:vpc/*", "arn:aws:ec2:us-east-1:1:subnet/*"],
    "Condition": {"StringEquals": {"aws:ResourceTag/Project": "lyceum"}},
}  # fmt: skip
NEVER = {"Sid": "Never", "Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "arn:aws:ec2:us-east-1:1:vpc/vpc-9"}
REQUESTS = [
    Request("ec2:DescribeVpcs", "*", {}),
    Request("ec2:DeleteVpc", VPC, OURS),
    Request("ec2:DeleteSubnet", SUBNET, OURS),
    Request("ec2:DeleteVpc", VPC.replace("vpc-1", "vpc-9"), OURS),
]


def test_what_is_used_is_noticed() -> None:
    said = minimal(policy(LOOK, END, NEVER), REQUESTS)
    assert said.startswith("taken away and noticed: 3 of 3 statements, 4 of 4 actions, 2 of 2 resources")
    assert "widened and noticed: " in narrow(policy(LOOK, END, NEVER), REQUESTS)


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        (0, ["own/Look", "own/Look ec2:Describe*"]),
        (1, ["own/End ec2:DeleteVpc", "own/End on arn:aws:ec2:us-east-1:1:vpc/*"]),
        (2, ["own/End ec2:DeleteSubnet", "own/End on arn:aws:ec2:us-east-1:1:subnet/*"]),
        (3, ["own/Never", "own/Never ec2:DeleteVpc"]),
    ],
)
def test_a_part_that_nothing_needs_is_named(missing: int, names: list[str]) -> None:
    with pytest.raises(Broken) as broken:
        minimal(policy(LOOK, END, NEVER), [one for one in REQUESTS if one is not REQUESTS[missing]])
    assert str(broken.value) == f"nothing notices that {', '.join(names)} is gone"


def test_what_two_statements_say_is_needed_in_neither() -> None:
    twice = {**END, "Sid": "Again", "Action": "ec2:DeleteVpc"}
    with pytest.raises(Broken, match=r"own/End ec2:DeleteVpc, .*own/Again, own/Again ec2:DeleteVpc"):
        minimal(policy(LOOK, END, NEVER, twice), REQUESTS)


def test_a_wildcard_that_changes_something_is_each_of_its_actions() -> None:
    keys = {"Sid": "Keys", "Effect": "Allow", "Action": "kms:ReEncrypt*", "Resource": "*"}
    with pytest.raises(Broken, match=r"nothing notices that own/Keys kms:ReEncryptTo is gone"):
        minimal(policy(keys), [Request("kms:ReEncryptFrom", "*", {})])


def test_a_refused_request_needs_no_allow_and_an_untold_resource_needs_no_certain_one() -> None:
    with pytest.raises(Broken, match=r"own/End,"):
        minimal(policy(LOOK, END), [REQUESTS[0], Request("ec2:DeleteVpc", VPC, THEIRS)])
    with pytest.raises(Broken, match=r"own/End on arn:aws:ec2:us-east-1:1:vpc/\*"):
        minimal(policy(LOOK, END), [REQUESTS[0], Request("ec2:DeleteVpc", ANY, OURS), REQUESTS[2]])


def test_a_reason_covers_what_it_names_and_is_itself_needed() -> None:
    without = REQUESTS[:2] + REQUESTS[3:]
    why = "somebody may want it one day"
    said = minimal(
        policy(LOOK, END, NEVER), without, [Reason(why, ("own/End ec2:DeleteSubnet", "own/End on *subnet*"))]
    )
    assert f"2 not: {why}" in said
    with pytest.raises(Broken, match=r"own/End ec2:DeleteSubnet: all of it is needed, or gone"):
        minimal(policy(LOOK, END, NEVER), REQUESTS, [Reason(why, ("own/End ec2:DeleteSubnet",))])
    with pytest.raises(Broken, match=r"own/Gone: all of it is needed, or gone"):
        minimal(policy(LOOK, END, NEVER), without, [Reason(why, ("own/End*", "own/Gone"))])


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        # Another statement gives the same about everybody's, so that the narrow resource holds nothing back.
        ({**END, "Sid": "All", "Resource": "*"}, "own/End on arn:aws:ec2:us-east-1:1:vpc/*"),
        ({**END, "Sid": "All", "Condition": {}}, "own/End if StringEquals aws:ResourceTag/Project"),
        ({**END, "Sid": "All", "Action": "ec2:*"}, "own/End ec2:DeleteVpc"),
    ],
)
def test_a_bound_that_holds_nothing_back_is_named(statement: dict[str, Any], name: str) -> None:
    with pytest.raises(Broken, match=r"nothing notices that .* is wider") as broken:
        narrow(policy(LOOK, END, statement), REQUESTS)
    assert name in str(broken.value)


def test_a_deny_that_would_refuse_what_is_done_is_noticed() -> None:
    launch = {"Sid": "Launch", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}
    leak = {
        "Sid": "Leak", "Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*",
        "Condition": {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
    }  # fmt: skip
    asked = Request(
        "ec2:RunInstances", "arn:aws:ec2:us-east-1:1:instance/*", context({"ec2:MetadataHttpTokens": "required"})
    )
    assert "1 conditions" in narrow(policy(launch, leak), [asked])
    with pytest.raises(Broken, match=r"own/Leak if StringNotEquals ec2:MetadataHttpTokens"):
        narrow(policy(launch, leak), [Request("ec2:DescribeVpcs", "*", {})])
