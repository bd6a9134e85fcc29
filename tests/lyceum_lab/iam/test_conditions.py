"""AWS's condition operators, by table. The cases are those of the IAM User Guide:

operators  .../UserGuide/reference_policies_elements_condition_operators.html
several    .../UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
variables  .../UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from typing import Any

import pytest

from lyceum_lab.iam import conditions
from lyceum_ops.errors import LyceumError

KEY = "aws:PrincipalTag/job-category"
ABSENT = None


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("StringEquals", "iamuser-admin", "iamuser-admin", True),
        ("StringEquals", "iamuser-admin", "IAMuser-Admin", False),
        ("StringEquals", "iamuser-*", "iamuser-admin", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", ABSENT, False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", ABSENT, True),
        ("StringEqualsIgnoreCase", "IAMUSER-admin", "iamuser-ADMIN", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "home/*", "home/alice/notes", True),
        ("StringLike", "home/?", "home/al", False),
        ("StringLike", "HOME/*", "home/alice", False),
        ("StringLike", "a", ABSENT, False),
        ("StringNotLike", "home/*", "etc/passwd", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericGreaterThan", "9", "10", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", "10", "11", True),
        ("NumericGreaterThanEquals", "10", ABSENT, False),
        ("DateGreaterThan", "2020-01-01T00:00:01Z", "2026-11-25T00:00:00+00:00", True),
        ("DateLessThan", "2020-01-01T00:00:01Z", "1577836800", True),
        ("DateEquals", "2020-01-01T00:00:00Z", "1577836800", True),
        ("DateEquals", "nonsense", "1577836800", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "True", True),
        ("Bool", "false", "true", False),
        ("Bool", "true", ABSENT, False),
        ("BoolIfExists", "true", ABSENT, True),
        ("BoolIfExists", "true", "false", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "203.0.113.0/24", "2001:db8::1", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", True),
        ("NotIpAddress", "203.0.113.0/24", ABSENT, True),
        (
            "ArnLike",
            "arn:aws:iam::123456789012:role/lyceum-*",
            "arn:aws:iam::123456789012:role/lyceum-dev-server",
            True,
        ),
        ("ArnEquals", "arn:aws:sns:*:123456789012:alarms", "arn:aws:sns:us-east-1:123456789012:alarms", True),
        # Each part of an ARN is held against its own: a star does not reach over a colon, but for the last part.
        ("ArnLike", "arn:aws:*:alarms", "arn:aws:sns:us-east-1:123456789012:alarms", False),
        ("ArnLike", "arn:aws:rds:*:*:db*", "arn:aws:rds:us-east-1:123456789012:db:one", True),
        ("ArnNotLike", "arn:aws:iam::*:role/a", "arn:aws:iam::1:role/b", True),
        ("ArnNotLike", "arn:aws:iam::*:role/a", ABSENT, True),
        ("ArnNotLikeIfExists", "arn:aws:iam::*:role/a", ABSENT, True),
        ("Null", "true", ABSENT, True),
        ("Null", "true", "x", False),
        ("Null", "false", "x", True),
        ("Null", False, ABSENT, False),
        ("StringEqualsIfExists", "a", ABSENT, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        # What is not there satisfies ForAllValues: the guide warns of it.
        ("ForAllValues:StringEquals", ["a"], ABSENT, True),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAllValues:StringLike", ["_*", "bounce.*"], ["_x.example", "bounce.example"], True),
        ("ForAllValues:StringLike", ["_*", "bounce.*"], ["_x.example", "www.example"], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], ABSENT, False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
        ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ABSENT, False),
    ],
)
def test_an_operator(operator: str, wanted: Any, found: Any, holds: bool) -> None:
    values = tuple(
        str(v).lower() if isinstance(v, bool) else v for v in (wanted if isinstance(wanted, list) else [wanted])
    )
    condition = conditions.read(operator, KEY, values)
    assert condition.holds(conditions.context({KEY: found})) is holds


def test_a_key_has_no_case_and_its_value_has() -> None:
    condition = conditions.read("StringEquals", "AWS:principaltag/Job-Category", ("A",))
    assert condition.holds(conditions.context({KEY: "A"}))
    assert not condition.holds(conditions.context({KEY: "a"}))


@pytest.mark.parametrize("operator", ["StringMatches", "ForSomeValues:StringEquals", "NullIfAnything", ""])
def test_an_unknown_operator_is_refused(operator: str) -> None:
    with pytest.raises(LyceumError, match="knows no condition operator"):
        conditions.read(operator, KEY, ("x",))


@pytest.mark.parametrize(
    ("pattern", "context", "text", "fits"),
    [
        ("arn:aws:iam::1:user/${aws:username}", {"aws:username": "alice"}, "arn:aws:iam::1:user/alice", True),
        ("arn:aws:iam::1:user/${aws:username}", {"aws:username": "alice"}, "arn:aws:iam::1:user/bob", False),
        ("arn:aws:iam::1:mfa/${AWS:UserName}*", {"aws:username": "alice"}, "arn:aws:iam::1:mfa/alice-phone", True),
        # A value is literal: whoever is called * is not everybody.
        ("arn:aws:iam::1:user/${aws:username}", {"aws:username": "*"}, "arn:aws:iam::1:user/bob", False),
        ("home/${aws:username, 'anybody'}", {}, "home/anybody", True),
        ("home/${*}", {}, "home/*", True),
        ("home/${*}", {}, "home/alice", False),
        ("${$}{x}", {}, "${x}", True),
    ],
)
def test_a_variable(pattern: str, context: dict[str, str], text: str, fits: bool) -> None:
    parts = conditions.substitute(pattern, conditions.context(context))
    assert parts is not None
    assert conditions.matches(parts, text) is fits


def test_a_variable_that_is_not_in_the_request_matches_nothing() -> None:
    assert conditions.substitute("home/${aws:username}", {}) is None
    condition = conditions.read("StringEquals", "s3:prefix", ("${aws:username}",))
    assert not condition.holds(conditions.context({"s3:prefix": "${aws:username}"}))
