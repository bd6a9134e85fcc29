"""An `aws …` command as the call that botocore would make: service, operation, typed parameters, what --query picks.

The command line's own rules are few: names are botocore's in kebab case, lists take several words, structures take
JSON or the shorthand Key=value,Key=value. What it adds beside botocore's operations stands in CUSTOM.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.validate import ParamValidator
from botocore.waiter import WaiterModel

READS = ("Describe", "List", "Get", "Head", "Filter", "Lookup", "Query", "Scan", "Search", "Simulate", "BatchGet")
# These give out what opens something, or change it: never pasted without a thought.
NO_READS = {"GetSecretValue", "GetSessionToken", "GetFederationToken", "GetQueueAttributes"}
GLOBAL = {"query", "output", "region", "profile", "max-items", "page-size", "endpoint-url", "cli-binary-format"}
GLOBAL_FLAGS = {"no-cli-pager", "no-paginate"}
# Commands that the command line has and botocore has not: their options (None: a flag), words, whether they read.
CUSTOM: dict[tuple[str, str], tuple[dict[str, type | None], int, bool]] = {
    ("logs", "tail"): (
        {"since": str, "follow": None, "format": str, "filter-pattern": str, "log-stream-names": str}, 1, True,
    ),
    ("s3", "ls"): ({"recursive": None, "human-readable": None, "summarize": None}, 1, True),
    ("s3", "cp"): ({"recursive": None, "dryrun": None}, 2, False),
    ("s3", "rb"): ({"force": None}, 1, False),
    ("s3", "sync"): ({"dryrun": None, "exclude": str, "include": str}, 2, False),
    ("cloudtrail", "validate-logs"): ({"trail-arn": str, "start-time": str, "end-time": str, "verbose": None}, 0, True),
}  # fmt: skip
# Operations that also take words: a file that the answer goes to.
WORDS = {("lambda", "invoke"): 1, ("s3api", "get-object"): 1}
EXTRA = {("iam", "create-virtual-mfa-device"): {"outfile", "bootstrap-method"}}


class Wrong(Exception):
    """The command would be refused, and why."""


@dataclass(frozen=True)
class Call:
    """What a command asks. `operation` is botocore's name, "" for a command of CUSTOM."""

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    reads: bool = False
    waits: bool = False


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def _service(name: str) -> Any:
    # Here the command line has names of its own.
    name = {"s3api": "s3"}.get(name, name)
    try:
        return _session().get_service_model(name)
    except Exception as error:  # botocore has an error of its own for each way in which there is none
        raise Wrong(f"there is no service {name}") from error


def parse(words: list[str]) -> Call:
    """The call of `aws` with these words. Raises Wrong."""
    if len(words) < 2:
        raise Wrong("aws wants a service and an operation")
    service, operation, *rest = words
    plain, options = _options(rest)
    if custom := CUSTOM.get((service, operation)):
        return _custom(service, operation, plain, options, custom)
    model = _service(service)
    waits = operation == "wait"
    if waits:
        if not plain:
            raise Wrong("aws … wait wants to know for what")
        shape = model.operation_model(_waiter(service, plain.pop(0)))
    else:
        known = {xform_name(name, "-"): name for name in model.operation_names}
        if operation not in known:
            raise Wrong(f"aws {service} has no operation {operation}")
        shape = model.operation_model(known[operation])
    wanted = WORDS.get((service, operation), 0)
    if options and len(plain) < wanted:
        # The command line, which knows how many values an option takes, leaves it the last ones.
        last = options[list(options)[-1]]
        plain += [last.pop() for _ in range(min(wanted - len(plain), len(last) - 1))]
    if len(plain) != wanted:
        raise Wrong(f"aws {service} {operation} does not take the words {plain}")
    for name in EXTRA.get((service, operation), ()):
        options.pop(name, None)
    parameters = _parameters(shape, {n: v for n, v in options.items() if n not in GLOBAL | GLOBAL_FLAGS}, operation)
    query = " ".join(options.get("query", []))
    if query:
        check_query(query, shape.output_shape)
    reads = waits or (shape.name.startswith(READS) and shape.name not in NO_READS)
    return Call(service, shape.name, parameters, query, reads, waits)


def _options(words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    plain: list[str] = []
    options: dict[str, list[str]] = {}
    into = plain
    for word in words:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            if name in options:
                raise Wrong(f"--{name} is given twice")
            into = options.setdefault(name, [value] if value else [])
        else:
            into.append(word)
    return plain, options


def _custom(service: str, operation: str, plain: list[str], options: dict[str, list[str]],
            known: tuple[dict[str, type | None], int, bool]) -> Call:  # fmt: skip
    names, count, reads = known
    for name, values in options.items():
        if name in GLOBAL | GLOBAL_FLAGS:
            continue
        if name not in names:
            raise Wrong(f"aws {service} {operation} has no option --{name}")
        if names[name] is None:
            plain += values
        elif len(values) != 1:
            raise Wrong(f"--{name} takes one value")
    if len(plain) != count:
        raise Wrong(f"aws {service} {operation} takes {count} words, not {plain}")
    return Call(service, "", reads=reads)


def _waiter(service: str, name: str) -> str:
    loader = _session().get_component("data_loader")
    try:
        model = WaiterModel(loader.load_service_model(service, "waiters-2"))
    except Exception as error:  # the service waits for nothing
        raise Wrong(f"aws {service} has nothing to wait for") from error
    for waiter in model.waiter_names:
        if xform_name(waiter, "-") == name:
            return str(model.get_waiter(waiter).operation)
    raise Wrong(f"aws {service} cannot wait for {name}")


def _parameters(operation: Any, options: dict[str, list[str]], name: str) -> dict[str, Any]:
    members = operation.input_shape.members if operation.input_shape else {}
    known = {xform_name(member, "-"): member for member in members}
    parameters: dict[str, Any] = {}
    for option, values in options.items():
        if option in known:
            member, shape = known[option], members[known[option]]
            if shape.type_name == "boolean" and not values:
                parameters[member] = True
            else:
                parameters[member] = _typed(shape, values, option)
        elif option.startswith("no-") and option[3:] in known and members[known[option[3:]]].type_name == "boolean":
            parameters[known[option[3:]]] = False
        else:
            raise Wrong(f"{name} has no parameter --{option}")
    if operation.input_shape:
        # A token that makes a call happen once: botocore fills it in before it validates.
        given = {**{n: "token" for n in operation.idempotent_members if n in members}, **parameters}
        if found := ParamValidator().validate(given, operation.input_shape).generate_report():
            raise Wrong(f"{name}: {' '.join(found.split())}")
        for member, value in parameters.items():
            _check_choices(members[member], value)
    return parameters


def _check_choices(shape: Any, value: Any) -> None:
    if shape.type_name == "list":
        for item in value:
            _check_choices(shape.member, item)
    elif shape.type_name == "structure":
        for name, item in value.items():
            _check_choices(shape.members[name], item)
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        raise Wrong(f"{value} is none of {', '.join(shape.enum)}")


def _typed(shape: Any, values: list[str], option: str) -> Any:
    if not values:
        raise Wrong(f"--{option} wants a value")
    if values[0][:1] in "[{" and shape.type_name in {"list", "structure", "map"}:
        if len(values) != 1:
            raise Wrong(f"--{option} takes one value of JSON, in quotes")
        try:
            return json.loads(values[0])
        except ValueError as error:
            raise Wrong(f"--{option} is not JSON: {error}") from error
    if shape.type_name == "list":
        return [_typed(shape.member, [value], option) for value in values]
    if len(values) != 1:
        raise Wrong(f"--{option} takes one value, not {values}")
    if shape.type_name in {"structure", "map"}:
        return _shorthand(shape, values[0], option)
    return _scalar(shape.type_name, values[0], option)


def _scalar(kind: str, value: str, option: str) -> Any:
    try:
        if kind in {"integer", "long"}:
            return int(value)
        if kind in {"float", "double"}:
            return float(value)
    except ValueError as error:
        raise Wrong(f"--{option} wants a number, not {value}") from error
    if kind == "boolean":
        if value not in {"true", "false"}:
            raise Wrong(f"--{option} wants true or false, not {value}")
        return value == "true"
    return value.encode() if kind == "blob" else value


def _shorthand(shape: Any, text: str, option: str) -> dict[str, Any]:
    parts: dict[str, list[str]] = {}
    last = ""
    for piece in text.split(","):
        name, equals, value = piece.partition("=")
        if equals:
            last = name
            parts[last] = [value]
        elif last:
            parts[last].append(piece)
        else:
            raise Wrong(f"--{option} wants Key=value, not {text}")
    if shape.type_name == "map":
        return {name: _typed(shape.value, values, option) for name, values in parts.items()}
    if strange := set(parts) - set(shape.members):
        raise Wrong(f"--{option} has no {', '.join(sorted(strange))}")
    return {name: _typed(shape.members[name], values, option) for name, values in parts.items()}


def columns(query: str) -> int:
    """How many columns a line of `--output text` has for this --query; 0 where it decides nothing."""
    node = jmespath.compile(query).parsed
    while node["type"] in {"projection", "filter_projection", "subexpression", "pipe"}:
        node = node["children"][1]
    return len(node["children"]) if node["type"] == "multi_select_list" else 0


# What --query makes of a shape: a shape, a list of one, or ANY where nothing more is known.
ANY = object()


def check_query(query: str, shape: Any) -> None:
    """Raise Wrong for a --query that does not compile, or that names what the answer does not have."""
    try:
        tree = jmespath.compile(query).parsed
    except jmespath.exceptions.JMESPathError as error:
        raise Wrong(f"--query {query}: {error}") from error
    _walk(tree, shape)


def _walk(node: dict[str, Any], shape: Any) -> Any:
    kind, children = node["type"], node["children"]
    if kind == "field":
        return _member(shape, node["value"])
    if kind in {"subexpression", "pipe", "index_expression"}:
        for child in children:
            shape = _walk(child, shape)
        return shape
    if kind == "index":
        return _element(shape)
    if kind in {"projection", "filter_projection"}:
        element = _element(_walk(children[0], shape))
        if kind == "filter_projection":
            _walk(children[2], element)
        return [_walk(children[1], element)]
    if kind == "flatten":
        inner = _walk(children[0], shape)
        element = _element(inner)
        return [_element(element) if _is_list(element) else element]
    if kind in {"identity", "current", "slice"}:
        return shape
    if kind in {"or_expression", "and_expression"}:
        kinds = [_walk(child, shape) for child in children]
        return kinds[0]
    if kind in {"multi_select_list", "multi_select_dict", "key_val_pair", "comparator", "not_expression", "expref"}:
        for child in children:
            _walk(child, shape)
        return ANY
    if kind == "function_expression":
        return _function(node["value"], children, shape)
    return ANY


def _function(name: str, children: list[dict[str, Any]], shape: Any) -> Any:
    of = _walk(children[0], shape)
    for child in children[1:]:
        _walk(child, _element(of) if child["type"] == "expref" and _is_list(of) else shape)
    if name in {"sort_by", "sort", "reverse"}:
        return of
    return _element(of) if name in {"max_by", "min_by"} else ANY


def _is_list(shape: Any) -> bool:
    return isinstance(shape, list) or getattr(shape, "type_name", "") == "list"


def _element(shape: Any) -> Any:
    if isinstance(shape, list):
        return shape[0]
    if getattr(shape, "type_name", "") == "list":
        return shape.member
    if shape is ANY:
        return ANY
    raise Wrong("--query takes an element of what is no list")


def _member(shape: Any, name: str) -> Any:
    if shape is ANY:
        return ANY
    if getattr(shape, "type_name", "") == "map":
        return shape.value
    members = getattr(shape, "members", None)
    if members is None or name not in members:
        raise Wrong(f"--query asks for {name}, which the answer does not have here")
    return members[name]
