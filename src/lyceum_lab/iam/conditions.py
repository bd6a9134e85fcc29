"""The Condition block of an IAM statement: AWS's operators, its rules for absent and for several values, its variables.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued context keys",
"IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from lyceum_ops.errors import LyceumError

# What a request tells of itself, by the key's lower-case name: key names know no case, values do.
Context = Mapping[str, tuple[str, ...]]
VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERAL = {"*": "[*]", "?": "[?]", "$": "$"}


def context(values: Mapping[str, str | bool | int | list[str] | tuple[str, ...] | None]) -> dict[str, tuple[str, ...]]:
    """A request's context from plain values; what is None is absent."""
    told: dict[str, tuple[str, ...]] = {}
    for key, value in values.items():
        if isinstance(value, (list, tuple)):
            told[key.lower()] = tuple(value)
        elif value is not None:
            told[key.lower()] = (str(value).lower() if isinstance(value, bool) else str(value),)
    return told


@dataclass(frozen=True)
class Condition:
    """One operator and one key: `quantifier` is "", "ForAllValues" or "ForAnyValue"."""

    quantifier: str
    operator: str
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def holds(self, asked: Context, variables: bool = True) -> bool:
        """Whether the request satisfies it. `variables` is off for documents of the version 2008-10-17."""
        found = asked.get(self.key.lower())
        if self.operator == "Null":
            return any((found is None) == (value.lower() == "true") for value in self.values)
        negated, test = OPERATORS[self.operator]
        if found is None:
            # IfExists and ForAllValues are satisfied by what is not there; so is whatever must not equal something.
            return self.if_exists or self.quantifier == "ForAllValues" or (negated and self.quantifier == "")
        wanted = [
            value for value in (substitute(each, asked) if variables else _plain(each) for each in self.values) if value
        ]

        def one(value: str) -> bool:
            return any(test(pattern, value) for pattern in wanted) is not negated

        if self.quantifier == "ForAllValues":
            return all(one(value) for value in found)
        # Without a quantifier, several values of the request count as one that equals any of them.
        if negated and not self.quantifier:
            return all(one(value) for value in found)
        return any(one(value) for value in found)


def read(operator: str, key: str, values: tuple[str, ...]) -> Condition:
    """A condition as it is written, such as `ForAnyValue:StringLikeIfExists`. LyceumError for an unknown operator."""
    quantifier, _, rest = operator.rpartition(":")
    bare = rest.removesuffix("IfExists")
    if quantifier not in {"", "ForAllValues", "ForAnyValue"} or (bare not in OPERATORS and bare != "Null"):
        raise LyceumError(f"IAM knows no condition operator {operator!r}.", "Look it up in the IAM User Guide.")
    return Condition(quantifier, bare, rest != bare, key, values)


# ---------------------------------------------------------------------------------------------------- patterns

Part = tuple[str, bool]  # text, and whether its * and ? are wildcards


def substitute(pattern: str, asked: Context) -> tuple[Part, ...] | None:
    """The pattern with its variables filled in, literally; None when one of them is not in the request.

    `${*}`, `${?}` and `${$}` stand for the characters; `${aws:username, 'nobody'}` has a default.
    """
    parts: list[Part] = []
    end = 0
    for found in VARIABLE.finditer(pattern):
        parts.append((pattern[end : found.start()], True))
        name, _, default = found[1].partition(",")
        if name.strip() in LITERAL:
            parts.append((name.strip(), False))
        else:
            value = asked.get(name.strip().lower())
            if value is not None and len(value) == 1:
                parts.append((value[0], False))
            elif default:
                parts.append((default.strip().strip("'"), False))
            else:
                return None
        end = found.end()
    parts.append((pattern[end:], True))
    return tuple(part for part in parts if part[0]) or (("", True),)


def _plain(pattern: str) -> tuple[Part, ...]:
    return ((pattern, True),)


def matches(pattern: tuple[Part, ...], text: str, *, case: bool = True) -> bool:
    """Whether the wildcards `*` (any characters) and `?` (exactly one) make the pattern the text."""
    return _compiled(pattern, case).fullmatch(text) is not None


@cache
def _compiled(pattern: tuple[Part, ...], case: bool) -> re.Pattern[str]:
    written = "".join(
        re.escape(text).replace(r"\*", ".*").replace(r"\?", ".") if wild else re.escape(text) for text, wild in pattern
    )
    return re.compile(written, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def _text(pattern: tuple[Part, ...]) -> str:
    return "".join(text for text, _ in pattern)


def _arn(pattern: tuple[Part, ...], text: str) -> bool:
    """Each of an ARN's six parts for itself: a `*` in one does not reach into the next."""
    wanted = _text(tuple((part if wild else re.sub(r"([*?])", r"[\1]", part), wild) for part, wild in pattern)).split(
        ":", 5
    )
    found = text.split(":", 5)
    if len(wanted) != 6 or len(found) != 6:
        return _text(pattern) == "*"

    def part(one: str, other: str) -> bool:
        written = re.escape(one).replace(r"\[\*\]", "\0").replace(r"\[\?\]", "\1")
        written = written.replace(r"\*", ".*").replace(r"\?", ".").replace("\0", r"\*").replace("\1", r"\?")
        return re.fullmatch(written, other, re.DOTALL) is not None

    return all(part(one, other) for one, other in zip(wanted, found, strict=True))


# ---------------------------------------------------------------------------------------------------- operators

Test = Callable[[tuple[Part, ...], str], bool]


def _number(compare: Callable[[float, float], bool]) -> Test:
    def test(pattern: tuple[Part, ...], value: str) -> bool:
        try:
            return compare(float(value), float(_text(pattern)))
        except ValueError:
            return False

    return test


def _moment(text: str) -> float:
    """Seconds since 1970, of an ISO 8601 date or of such a number."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _date(compare: Callable[[float, float], bool]) -> Test:
    def test(pattern: tuple[Part, ...], value: str) -> bool:
        try:
            return compare(_moment(value), _moment(_text(pattern)))
        except ValueError:
            return False

    return test


def _address(pattern: tuple[Part, ...], value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(_text(pattern), strict=False)
    except ValueError:
        return False


def _equals(pattern: tuple[Part, ...], value: str) -> bool:
    return _text(pattern) == value


def _equals_any_case(pattern: tuple[Part, ...], value: str) -> bool:
    return _text(pattern).lower() == value.lower()


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}
# By name: whether it is a negation, and the test that it makes or negates.
OPERATORS: dict[str, tuple[bool, Test]] = {
    "StringEquals": (False, _equals),
    "StringNotEquals": (True, _equals),
    "StringEqualsIgnoreCase": (False, _equals_any_case),
    "StringNotEqualsIgnoreCase": (True, _equals_any_case),
    "StringLike": (False, matches),
    "StringNotLike": (True, matches),
    "ArnEquals": (False, _arn),
    "ArnLike": (False, _arn),
    "ArnNotEquals": (True, _arn),
    "ArnNotLike": (True, _arn),
    "Bool": (False, _equals_any_case),
    "BinaryEquals": (False, _equals),
    "IpAddress": (False, _address),
    "NotIpAddress": (True, _address),
    "NumericNotEquals": (True, _number(COMPARISONS["Equals"])),
    "DateNotEquals": (True, _date(COMPARISONS["Equals"])),
    **{f"Numeric{name}": (False, _number(compare)) for name, compare in COMPARISONS.items()},
    **{f"Date{name}": (False, _date(compare)) for name, compare in COMPARISONS.items()},
}
