"""Metric math on the data points of one minute: numbers, arithmetic, comparison, IF, FILL, MAX and MIN of a list.

Syntax and meaning: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
Whatever is not in this subset is refused, never guessed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache

# A data point of a metric, None where there is none.
Point = float | None

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class UnknownExpression(ValueError):
    """An expression outside the subset, or one that names what is not there."""


def evaluate(expression: str, points: Mapping[str, Point]) -> Point:
    """The expression's data point, given those of the ids it names. What is made of a missing point is missing."""
    return _value(_parsed(expression), points)


@cache
def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        raise UnknownExpression(f"not metric math: {expression}") from error


def _value(node: ast.expr, points: Mapping[str, Point]) -> Point:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name) if name in points:
            return points[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, points)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            one, other = _value(left, points), _value(right, points)
            if one is None or other is None or (isinstance(op, ast.Div) and other == 0):
                return None
            return _BINARY[type(op)](one, other)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            one, other = _value(left, points), _value(right, points)
            return None if one is None or other is None else float(_COMPARE[type(op)](one, other))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no], keywords=[]):
            decided = _value(condition, points)
            return None if decided is None else _value(yes if decided else no, points)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filling], keywords=[]):
            value = _value(series, points)
            return _value(filling, points) if value is None else value
        case ast.Call(func=ast.Name(id="MAX" | "MIN" as name), args=[ast.List(elts=series)], keywords=[]):
            # Over a list of series, each minute knows only the series that have a point in it.
            values = [value for each in series if (value := _value(each, points)) is not None]
            return (max(values) if name == "MAX" else min(values)) if values else None
        case _:
            raise UnknownExpression(f"not in the subset of metric math that is known here: {ast.unparse(node)}")
