"""CloudWatch's metric math, on series that stay the same, so on one number each.

Owns the part of its grammar that alarms on a number of tasks use: numbers, ids, arithmetic, comparisons, AND
and OR, FILL, IF and the plain functions. Anything else isn't judged.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final


class NotJudgedError(Exception):
    """The alarm watches something else, or in a way that isn't understood here."""


_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_RELATIONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_LONGEST_EXPRESSION: Final = 1024  # CloudWatch's own limit
_DEEPEST_EXPRESSION: Final = 30


def evaluate(name: str, values: Mapping[str, float | None], expressions: Mapping[str, str]) -> float | None:
    """The value of one id of metric math. Raises NotJudgedError for what isn't understood."""
    return _Math(values, expressions).named(name, 0)


@dataclass(frozen=True, slots=True)
class _Math:
    values: Mapping[str, float | None]
    expressions: Mapping[str, str]

    def named(self, name: str, depth: int) -> float | None:
        if name in self.values:
            return self.values[name]
        text = self.expressions.get(name)
        if text is None or depth > _DEEPEST_EXPRESSION or len(text) > _LONGEST_EXPRESSION:
            raise NotJudgedError
        python = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", text)).replace("^", "**")
        try:
            return self._of(ast.parse(python.strip(), mode="eval").body, depth + 1)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            raise NotJudgedError from error

    def _of(self, node: ast.expr, depth: int) -> float | None:
        if depth > _DEEPEST_EXPRESSION:
            raise NotJudgedError
        value: float | None
        match node:
            case ast.Constant(value=int() | float() as number):
                value = float(number)
            case ast.Name(id=name):
                value = self.named(name, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                positive = self._of(inner, depth + 1)
                value = None if positive is None else -positive
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                value = self._both(_OPERATORS[type(op)], left, right, depth)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
                value = self._both(_RELATIONS[type(op)], left, right, depth)
            case ast.BoolOp(op=op, values=parts):
                found = [self._of(part, depth + 1) for part in parts]
                whole = all(found) if isinstance(op, ast.And) else any(found)
                value = None if None in found else float(whole)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                value = self._call(name, arguments, depth)
            case _:
                raise NotJudgedError
        return value

    def _both(
        self, work: Callable[[Any, Any], Any], left: ast.expr, right: ast.expr, depth: int
    ) -> float | None:
        a, b = self._of(left, depth + 1), self._of(right, depth + 1)
        if a is None or b is None:
            return None
        if work is operator.pow and (abs(a) > 1000 or abs(b) > 10):
            raise NotJudgedError
        return float(work(a, b))

    def _call(self, name: str, arguments: list[ast.expr], depth: int) -> float | None:
        if name == "FILL" and len(arguments) == 2:
            return self._filled(arguments[0], arguments[1], depth)
        if name == "IF" and len(arguments) in (2, 3):
            condition = self._of(arguments[0], depth + 1)
            chosen = arguments[1:2] if condition else arguments[2:]
            return self._of(chosen[0], depth + 1) if condition is not None and chosen else None
        if name in ("MAX", "MIN", "AVG", "SUM") and arguments:
            parts = arguments[0].elts if isinstance(arguments[0], ast.List) else arguments
            found = [value for part in parts if (value := self._of(part, depth + 1)) is not None]
            if not found:
                return None
            total = sum(found)
            return {"MAX": max(found), "MIN": min(found), "SUM": total, "AVG": total / len(found)}[name]
        if name in ("ABS", "CEIL", "FLOOR") and len(arguments) == 1:
            value = self._of(arguments[0], depth + 1)
            return None if value is None else abs(value) if name == "ABS" else float(round(value))
        raise NotJudgedError

    def _filled(self, given: ast.expr, filling: ast.expr, depth: int) -> float | None:
        value = self._of(given, depth + 1)
        if value is not None:
            return value
        if isinstance(filling, ast.Name) and filling.id in ("REPEAT", "LINEAR"):
            return 1.0  # what it was before
        return self._of(filling, depth + 1)
