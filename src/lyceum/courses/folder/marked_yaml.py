"""YAML that remembers its lines, read without ever building a Python object that the file chose.

PyYAML's safe loader composes nodes; values are taken from the nodes by the type the format expects, so that each
complaint can name its line. Aliases are refused before anything is composed (a few hundred bytes of them can unfold to
gigabytes), and so is nesting deeper than any course needs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from .faults import Findings

MAX_DEPTH = 12
_TAG = "tag:yaml.org,2002:"
_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "seq": "a list",
    "map": "a set of keys",
    "timestamp": "a date",
}
_TRUE_FALSE = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Source:
    """A piece of YAML inside a file: `offset` is added to its lines (front matter starts on the file's second line)."""

    path: str
    offset: int
    findings: Findings

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1 + self.offset

    def fault(self, node: yaml.Node, message: str) -> None:
        self.findings.fault(self.path, self.line(node), message)


class Value:
    """One YAML value with its place. `as_*` give the value, or None after noting a fault."""

    def __init__(self, node: yaml.Node, name: str, source: Source) -> None:
        self.node = node
        self.name = name
        self.source = source

    @property
    def line(self) -> int:
        return self.source.line(self.node)

    def fault(self, message: str) -> None:
        self.source.fault(self.node, f"{self._in()}{message}")

    def _tag(self) -> str:
        tag = str(self.node.tag)
        return tag.removeprefix(_TAG)

    def _wrong(self, wanted: str, hint: str = "") -> None:
        got = _NAMES.get(self._tag(), f"the tag {self.node.tag!r}")
        self.fault(f"must be {wanted}, not {got}{hint}")

    def as_text(self, *, longest: int, empty_ok: bool = False) -> str | None:
        if not isinstance(self.node, yaml.ScalarNode) or self._tag() != "str":
            scalar = isinstance(self.node, yaml.ScalarNode) and self._tag() in {"int", "float", "bool", "timestamp"}
            self._wrong("text", f' (write it in quotes: "{_shorten(self.node.value)}")' if scalar else "")
            return None
        text = re.sub(r"\s*\n\s*", " ", str(self.node.value).strip())
        if not text and not empty_ok:
            self.fault("must not be empty")
            return None
        if len(text) > longest:
            self.fault(f"must be at most {longest} characters, and has {len(text)}")
            return None
        if not text.isprintable():
            self.fault("must not contain control characters")
            return None
        return text

    def as_bool(self) -> bool | None:
        if self._tag() != "bool" or not isinstance(self.node, yaml.ScalarNode):
            self._wrong("true or false")
            return None
        answer = _TRUE_FALSE.get(str(self.node.value).lower())
        if answer is None:  # an explicit `!!bool` before some other word
            self._wrong("true or false")
        return answer

    def as_number(self) -> float | None:
        if self._tag() not in {"int", "float"} or not isinstance(self.node, yaml.ScalarNode):
            self._wrong("a number")
            return None
        try:
            return float(self.node.value)
        except ValueError:
            self.fault(f"must be a plain decimal number, not {_shorten(self.node.value)}")
            return None

    def as_list(self) -> list[Value] | None:
        if not isinstance(self.node, yaml.SequenceNode):
            self._wrong("a list")
            return None
        return [Value(item, f"{self.name}[{index}]", self.source) for index, item in enumerate(self.node.value, 1)]

    def as_mapping(self, *, allowed: tuple[str, ...], required: tuple[str, ...] = ()) -> Mapping | None:
        if not isinstance(self.node, yaml.MappingNode):
            self._wrong(f"a set of keys ({', '.join(allowed)})")
            return None
        values: dict[str, Value] = {}
        for key_node, value_node in self.node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key not in allowed:
                shown = "a key that is not text" if key is None else f"unknown key '{_shorten(key)}'"
                self.source.fault(key_node, f"{self._in()}{shown}; {_did_you_mean(key or '', allowed)}")
            elif key in values:
                self.source.fault(key_node, f"{self._in()}key '{key}' is given twice, first in line {values[key].line}")
            elif str(value_node.tag) == f"{_TAG}null":
                self.source.fault(key_node, f"{self._in()}key '{key}' has no value; fill it in or leave the key out")
                values[key] = Value(value_node, key, self.source)
            else:
                values[key] = Value(value_node, key, self.source)
        missing = [key for key in required if key not in values]
        if missing:
            self.source.fault(self.node, f"{self._in()}missing: {', '.join(missing)}")
        return Mapping(self, {key: value for key, value in values.items() if value._tag() != "null"})

    def _in(self) -> str:
        return f"{self.name}: " if self.name else ""


class Mapping:
    """The known keys of a YAML mapping."""

    def __init__(self, value: Value, values: dict[str, Value]) -> None:
        self.line = value.line
        self._values = values

    def get(self, key: str) -> Value | None:
        return self._values.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def text(self, key: str, *, longest: int, empty_ok: bool = False) -> str:
        """The key's text, or "" when it is absent or faulty (which has been noted)."""
        value = self._values.get(key)
        return (value.as_text(longest=longest, empty_ok=empty_ok) or "") if value else ""


def read(text: str, source: Source) -> Value | None:
    """The document in `text`, or None after noting why it cannot be read."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                line = _event_line(event, source)
                source.findings.fault(source.path, line, "anchors (&) and aliases (*) are not allowed; quote such text")
                return None
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                line = _event_line(event, source)
                source.findings.fault(source.path, line, f"nested more than {MAX_DEPTH} levels deep")
                return None
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.context_mark and "end of stream" in (error.problem or ""):
            mark = error.context_mark  # a quote that is never closed: where it was opened, not where the file ends
        line = (mark.line + 1 if mark else 1) + source.offset
        problem = error.problem or error.context or "cannot be read"
        hint = " (indent with spaces)" if "'\\t'" in problem else ""
        source.findings.fault(source.path, line, f"bad YAML: {problem}{hint}")
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 + source.offset
        source.findings.fault(source.path, line, f"bad YAML: {error.reason}")
        return None
    except (ValueError, OverflowError) as error:  # an escape such as "\UFFFFFFFF" names no character
        source.findings.fault(source.path, 1 + source.offset, f"bad YAML: {error}")
        return None
    if node is None:
        source.findings.fault(source.path, 1 + source.offset, "is empty")
        return None
    return Value(node, "", source)


def _event_line(event: yaml.Event, source: Source) -> int:
    return (event.start_mark.line if event.start_mark else 0) + 1 + source.offset


def _did_you_mean(key: str, allowed: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key.lower(), allowed, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(allowed)}"


def _shorten(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
