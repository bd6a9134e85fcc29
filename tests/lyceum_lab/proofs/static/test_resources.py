"""What a plan does not know yet is read as what the code takes it from, through variables, outputs and for_each."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from lyceum_lab.proofs.static.resources import Pointer, plain, pointed, read

TRUST = '{"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "sts:AssumeRole"}]}'
# A root with a module that makes a key and hands it out, and one that makes a bucket's settings from what it is given.
PLAN: dict[str, Any] = {
    "resource_changes": [
        {
            "address": 'module.use["a"].aws_sns_topic.this', "module_address": 'module.use["a"]', "mode": "managed",
            "type": "aws_sns_topic", "name": "this",
            "change": {"actions": ["create"], "after": {"name": "t", "block": [{"size": 1}]},
                       "after_unknown": {"kms_master_key_id": True, "arn": True, "block": [{"key": True}]}},
        },
        {
            "address": "aws_sns_topic_policy.this", "mode": "managed", "type": "aws_sns_topic_policy", "name": "this",
            "change": {"actions": ["create"], "after": {}, "after_unknown": {"policy": True}},
        },
        {
            "address": "data.aws_iam_policy_document.late", "mode": "data", "type": "aws_iam_policy_document",
            "name": "late",
            "change": {
                "actions": ["read"],
                "after": {"statement": [{"sid": "Late", "effect": None, "actions": ["sns:Publish"], "resources": [None],
                                         "principals": [{"type": "AWS", "identifiers": ["*"]}], "condition": []}]},
                "after_unknown": {"statement": [{"resources": [True]}]},
            },
        },
        {
            "address": "aws_iam_role.this", "mode": "managed", "type": "aws_iam_role", "name": "this",
            "change": {"actions": ["create"], "after": {"assume_role_policy": TRUST}},
        },
        {
            "address": "aws_sns_topic.gone", "mode": "managed", "type": "aws_sns_topic", "name": "gone",
            "change": {"actions": ["delete"], "after": None},
        },
    ],
    "prior_state": {"values": {"root_module": {"resources": [], "child_modules": [{"resources": [
        {"address": "module.use.data.aws_iam_policy_document.known", "type": "aws_iam_policy_document",
         "values": {"statement": [{"sid": "Known", "effect": "Deny", "actions": ["s3:*"], "resources": ["*"]}]}},
    ]}]}}},
    "configuration": {"root_module": {
        "resources": [
            {"address": "aws_sns_topic_policy.this", "expressions": {
                "policy": {"references": ["data.aws_iam_policy_document.late.json"]}}},
            {"address": "aws_iam_role.this", "expressions": {}},
        ],
        "module_calls": {
            "use": {
                "expressions": {"key": {"references": ["module.keys.arn", "module.keys"]}},
                "module": {"resources": [
                    {"address": "aws_sns_topic.this", "expressions": {
                        "kms_master_key_id": {"references": ["each.value"]},
                        "block": [{"size": {}, "key": {"references": ["var.key"]}}]},
                     "for_each_expression": {"references": ["var.key"]}},
                ]},
            },
            "keys": {"expressions": {}, "module": {
                "resources": [],
                "outputs": {"arn": {"expression": {"references": ["aws_kms_key.this[0].arn", "aws_kms_key.this[0]"]}}},
            }},
        },
    }},
}  # fmt: skip


def test_a_gap_points_at_what_the_code_takes_it_from() -> None:
    topic = next(read("dev", PLAN).of("aws_sns_topic"))
    assert topic["values"]["name"] == "t"
    assert pointed(topic["values"]["kms_master_key_id"]) == {"module.keys.aws_kms_key.this"}
    assert pointed(topic["values"]["block"]) == {"module.keys.aws_kms_key.this"}


def test_what_nobody_set_is_nothing() -> None:
    assert next(read("dev", PLAN).of("aws_sns_topic"))["values"]["arn"] is None
    without = deepcopy(PLAN)
    without["configuration"]["root_module"]["module_calls"]["use"]["module"]["resources"][0]["expressions"] = {}
    assert next(read("dev", without).of("aws_sns_topic"))["values"]["kms_master_key_id"] is None


def test_what_goes_is_not_looked_at() -> None:
    assert [one["address"] for one in read("dev", PLAN).of("aws_sns_topic")] == ['module.use["a"].aws_sns_topic.this']


def test_a_policy_that_waits_for_an_arn_is_read_from_its_document() -> None:
    posture = read("dev", PLAN)
    (statement,) = posture.policy(next(posture.of("aws_sns_topic_policy")))
    assert (statement.sid, statement.effect, statement.principals) == ("Late", "Allow", (("AWS", "*"),))
    assert isinstance(statement.resources[0], Pointer)


def test_every_statement_counts_once() -> None:
    posture = read("dev", PLAN)
    assert sorted(one.sid for one in posture.statements()) == ["", "Known", "Late"]
    trust = next(one for one in posture.statements() if not one.sid)
    assert trust.all_but_principals
    assert trust.address == "aws_iam_role.this"


def test_an_address_without_keys() -> None:
    assert plain('module.a["x.y/0"].aws_b.c[1]') == "module.a.aws_b.c"
