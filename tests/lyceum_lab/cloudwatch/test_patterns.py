"""Filter patterns, by the examples of CloudWatch's documents and by what they leave open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lyceum_lab.cloudwatch.patterns import LONGEST, Undocumented, UnknownPattern, matches

# The event on which the documents show their patterns for JSON.
EVENT: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
    "ok": True,
    "bandwidth": 75.5,
    "nested": {"deep": {"er": "here"}},
}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "Update" }', False),
        ('{ $.eventType = "updatetrail" }', False),
        ('{ $.eventType = "*Trail" }', True),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.eventType != "*Trail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[7] = "value" }', False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[1].id >= 3 }", False),
        ("{ $.bandwidth > 75 }", True),
        ("{ $.bandwidth < 7.55e1 }", False),
        ("{ $.bandwidth <= 75.5 }", True),
        ("{ $.bandwidth != 75.5 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.eventType IS NULL }", False),
        ("{ $.missing IS NULL }", False),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.SomeObject EXISTS }", True),
        ('{ $.nested.deep.er = "here" }', True),
        ('{ $.nested.shallow.er = "here" }', False),
        ('{ $.eventType = "UpdateTrail" && $.bandwidth = 75.5 }', True),
        ('{ $.eventType = "x" || $.bandwidth = 75.5 }', True),
        # && binds more.
        ('{ $.ok IS TRUE || $.eventType = "x" && $.eventType = "y" }', True),
        ('{ ($.ok IS TRUE || $.eventType = "x") && $.eventType = "y" }', False),
        ('{($.eventType=UpdateTrail)&&(($.missing NOT EXISTS)||($.missing!="x"))}', True),
    ],
)
def test_json(pattern: str, found: bool) -> None:
    assert matches(pattern, json.dumps(EVENT)) is found


@pytest.mark.parametrize("message", ["not JSON", "[1, 2]", '"a string"', ""])
def test_a_json_pattern_finds_nothing_in_what_is_no_object(message: str) -> None:
    assert not matches("{ $.a NOT EXISTS }", message)


@pytest.mark.parametrize(
    ("pattern", "message", "found"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "[error 400] bad request", False),
        ("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", False),
        ('"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR OF A SERVER", False),
        ("?ERROR ?ARGUMENTS", "[420] INVALID ARGUMENTS", True),
        ("?ERROR ?ARGUMENTS", "all is well", False),
        ("ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", True),
        ("ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", False),
    ],
)
def test_terms(pattern: str, message: str, found: bool) -> None:
    assert matches(pattern, message) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = 1",
        "{ $.a }",
        "{ a = 1 }",
        "{ $.a == 1 }",
        "{ $.a = }",
        "{ $.a > text }",
        "{ $.a IS MAYBE }",
        "{ $.a NOT THERE }",
        "{ ($.a = 1 }",
        "{ $.a = 1 } || x",
        "{ $.a = 1 && }",
        "{ $.a[*] = 1 }",
        "{ $.a = %x.*% }",
        "[ip, user, ...]",
        "%ERR.*%",
        "half-quoted",
        "?either and",
        "{ $.a = " + "1" * LONGEST + " }",
    ],
)
def test_what_is_not_known_is_refused_and_not_unmatched(pattern: str) -> None:
    with pytest.raises(UnknownPattern):
        matches(pattern, "{}")


@pytest.mark.parametrize(
    "pattern", ['{ $.missing != "x" }', "{ $.missing != 1 }", '{ $.bandwidth = "75.5" }', "{ $.eventType > 1 }"]
)
def test_what_the_documents_leave_open_is_refused_for_that_event(pattern: str) -> None:
    with pytest.raises(Undocumented, match="not documented"):
        matches(pattern, json.dumps(EVENT))


def test_what_does_not_depend_on_it_is_not_refused() -> None:
    assert matches('{ $.missing != "x" || $.ok IS TRUE }', json.dumps(EVENT))
    assert not matches('{ $.missing != "x" && $.ok IS FALSE }', json.dumps(EVENT))
