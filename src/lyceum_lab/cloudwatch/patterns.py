"""Filter patterns of CloudWatch Logs, after "Filter pattern syntax for metric filters, subscription filters, filter log
events, and Live Tail" in its User Guide.

Known are patterns for JSON events (`{ $.a = "b*" && ($.c.d[0] >= 3 || $.e NOT EXISTS) }`) and terms (`ERROR "two words"
-this`, `?either ?or`). Space-delimited patterns (`[a, b]`) and regular expressions (`%…%`) are refused, as is whatever
else does not parse. The documents do not say what `!=`, or a comparison of unlike types, makes of a property that is
not there: a pattern that depends on it for an event is refused for that event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

# CloudWatch takes no longer ones.
LONGEST = 1024


class UnknownPattern(ValueError):
    """Not a pattern, or of a kind that is not known here."""


class Undocumented(ValueError):
    """What the pattern makes of this event is not in AWS's documents."""


# Whether an expression holds of an event; None where the documents do not say.
Truth = bool | None
Test = Callable[[Any], Truth]
_ABSENT = object()
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<op><=|>=|!=|=|<|>)
      | (?P<join>&&|\|\|)
      | (?P<bracket>[()])
      | (?P<word>[A-Za-z0-9_.*:/@+-]+)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def matches(pattern: str, message: str) -> bool:
    """Whether a log event with this message matches. Raises UnknownPattern and Undocumented."""
    found = _compiled(pattern)(message)
    if found is None:
        raise Undocumented(f"what {pattern!r} makes of this event is not documented: {message[:200]}")
    return found


@cache
def _compiled(pattern: str) -> Callable[[str], Truth]:
    if len(pattern) > LONGEST:
        raise UnknownPattern(f"longer than {LONGEST} characters: {pattern[:60]}…")
    text = pattern.strip()
    if text.startswith("{"):
        if not text.endswith("}"):
            raise UnknownPattern(f"the bracket is not closed: {pattern}")
        test = _Parser(text[1:-1]).whole()
        return lambda message: _of_json(test, message)
    if text.startswith("[") or "%" in text:
        raise UnknownPattern(f"space-delimited patterns and regular expressions are not known here: {pattern}")
    return _terms(text)


def _of_json(test: Test, message: str) -> Truth:
    try:
        event = json.loads(message)
    except ValueError:
        return False
    return test(event) if isinstance(event, dict) else False


# ------------------------------------------------------------------------------------------------------------ terms


def _terms(text: str) -> Callable[[str], bool]:
    parts = re.findall(r'[?-]?"[^"]*"|\S+', text)
    for part in parts:
        if not re.fullmatch(r'[?-]?(?:"[^"]+"|\w+)', part):
            raise UnknownPattern(f"a term with other characters than letters, digits and _ wants quotes: {part}")
    bare = [(part[0] if part[0] in "?-" else "", part.lstrip("?-").strip('"')) for part in parts]
    either = [term for sign, term in bare if sign == "?"]
    if either and len(either) != len(bare):
        raise UnknownPattern(f"terms with and without a question mark do not go together: {text}")
    every = [term for sign, term in bare if not sign]
    none = [term for sign, term in bare if sign == "-"]

    def test(message: str) -> bool:
        if either:
            return any(term in message for term in either)
        return all(term in message for term in every) and not any(term in message for term in none)

    return test


# ------------------------------------------------------------------------------------------------------------ JSON


@dataclass
class _Parser:
    """Recursive descent; `||` binds less than `&&`."""

    text: str
    at: int = 0

    def whole(self) -> Test:
        test = self._or()
        if self.text[self.at :].strip():
            raise self._wrong("the end")
        return test

    def _or(self) -> Test:
        tests = [self._and()]
        while self._take("join", "||"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda event: _any([test(event) for test in tests])

    def _and(self) -> Test:
        tests = [self._one()]
        while self._take("join", "&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda event: _all([test(event) for test in tests])

    def _one(self) -> Test:
        if self._take("bracket", "("):
            test = self._or()
            if not self._take("bracket", ")"):
                raise self._wrong("a closing bracket")
            return test
        path = self._take("selector")
        if not path:
            raise self._wrong("a selector such as $.name")
        steps = [int(index) if index else name for name, index in re.findall(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]", path)]
        if word := self._take("word"):
            return self._state(word.upper(), steps)
        op = self._take("op")
        if not op:
            raise self._wrong("an operator")
        if text := self._take("string"):
            return _of_text(op, re.sub(r"\\(.)", r"\1", text[1:-1]), steps)
        value = self._take("word")
        if not value:
            raise self._wrong("a value")
        return _of_number(op, float(value), steps) if _NUMBER.fullmatch(value) else _of_text(op, value, steps)

    def _state(self, word: str, steps: list[str | int]) -> Test:
        if word == "NOT" and (self._take("word") or "").upper() == "EXISTS":
            return lambda event: _find(event, steps) is _ABSENT
        if word == "EXISTS":
            return lambda event: _find(event, steps) is not _ABSENT
        if word == "IS":
            wanted = (self._take("word") or "").upper()
            if wanted in {"NULL", "TRUE", "FALSE"}:
                value = {"NULL": None, "TRUE": True, "FALSE": False}[wanted]
                return lambda event: _find(event, steps) is value
        raise self._wrong("EXISTS, NOT EXISTS, IS NULL, IS TRUE or IS FALSE")

    def _take(self, kind: str, value: str = "") -> str:
        found = _TOKEN.match(self.text, self.at)
        if not found or found.lastgroup != kind or (value and found[kind] != value):
            return ""
        self.at = found.end()
        return found[kind]

    def _wrong(self, wanted: str) -> UnknownPattern:
        return UnknownPattern(f"not a pattern that is known here: {wanted} was expected at {self.text[self.at :]!r}")


def _find(event: Any, steps: list[str | int]) -> Any:
    for step in steps:
        named = isinstance(step, str) and isinstance(event, dict) and step in event
        numbered = isinstance(step, int) and isinstance(event, list) and step < len(event)
        if not named and not numbered:
            return _ABSENT
        event = event[step]
    return event


def _of_text(op: str, wanted: str, steps: list[str | int]) -> Test:
    if op not in {"=", "!="}:
        raise UnknownPattern(f"{op} compares numbers: {wanted!r}")
    # An asterisk stands for any text.
    shape = re.compile(".*".join(re.escape(part) for part in wanted.split("*")), re.DOTALL)

    def test(event: Any) -> Truth:
        value = _find(event, steps)
        if isinstance(value, str):
            return (shape.fullmatch(value) is not None) is (op == "=")
        return False if op == "=" and value in (_ABSENT, None) else None

    return test


def _of_number(op: str, wanted: float, steps: list[str | int]) -> Test:
    holds: dict[str, Callable[[float], bool]] = {
        "=": lambda value: value == wanted,
        "!=": lambda value: value != wanted,
        "<": lambda value: value < wanted,
        "<=": lambda value: value <= wanted,
        ">": lambda value: value > wanted,
        ">=": lambda value: value >= wanted,
    }

    def test(event: Any) -> Truth:
        value = _find(event, steps)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return holds[op](value)
        return False if op != "!=" and value in (_ABSENT, None) else None

    return test


def _any(found: list[Truth]) -> Truth:
    return True if True in found else None if None in found else False


def _all(found: list[Truth]) -> Truth:
    return False if False in found else None if None in found else True
