"""Cells of a transcription: what each type of value may be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bayesem.errors import BayesemError
from bayesem.publications.audit.intervals import Interval, Printed, exactly, rounded

__all__ = ["Bound", "Value", "read_number", "read_value"]

STARS = {"***": 0.001, "**": 0.01, "*": 0.05}
BOUND = re.compile(r"(<=|>=|<|>)\s*([-+]?\d*\.?\d+)")

Value = Any  # Printed, Bound, str, bool, tuple of str or of Printed
#: Makes the error for a value that is no such thing, from what it is not and a hint.
Wrong = Callable[..., BayesemError]


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold such as ``> 0.9``."""

    relation: str
    end: float
    shown: str


def read_value(value: Any, kind: str, digits: int | None, wrong: Wrong) -> Value:
    """A cell of a type of the schema, with ``digits`` decimals or as many as are written."""
    if kind == "any":
        return _anything(value, digits, wrong)
    if kind == "text":
        if not isinstance(value, str) or not value.strip():
            raise wrong("no text")
        return value
    if kind == "flag":
        if not isinstance(value, bool):
            raise wrong("neither true nor false")
        return value
    if kind == "bound":
        return _bound(value, wrong)
    if kind == "names":
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(x, str) for x in names):
            raise wrong("no list of names")
        return tuple(names)
    if kind == "numbers":
        if not isinstance(value, list) or not value:
            raise wrong("no list of numbers")
        return tuple(read_number(x, digits, wrong) for x in value)
    if kind == "p":
        return _probability(value, digits, wrong)
    if kind == "count":
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise wrong("no count", "A count is a whole number of at least 0.")
        return exactly(value)
    number = read_number(value, digits, wrong)
    _check_range(number, kind, wrong)
    return number


def _check_range(number: Printed, kind: str, wrong: Wrong) -> None:
    value = number.value
    if kind == "loading" and not -1 < value < 1:
        raise wrong(
            "no standardised loading: it lies between -1 and 1",
            "It leaves no residual variance, so no data can have it.",
        )
    if kind == "share" and not 0 <= value <= 1:
        raise wrong("not between 0 and 1")
    if kind == "percentage" and not 0 <= value <= 100:
        raise wrong("no percentage: it lies between 0 and 100")
    if kind == "positive" and not value > 0:
        raise wrong("not above 0")


def read_number(value: Any, digits: int | None, wrong: Wrong) -> Printed:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise wrong("no number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise wrong("no finite number")
    if not -1e300 < value < 1e300:
        raise wrong("no finite number")
    return rounded(value, digits)


def _anything(value: Any, digits: int | None, wrong: Wrong) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return exactly(value)
    if isinstance(value, Decimal):
        return read_number(value, digits, wrong)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(x, str | int) for x in value):
        return tuple(str(x) for x in value)
    raise wrong("neither a number nor a text nor a list of names")


def _bound(value: Any, wrong: Wrong) -> Bound:
    said = BOUND.fullmatch(value.strip()) if isinstance(value, str) else None
    if said is None:
        raise wrong("no bound", 'Write `"> 0.9"`, for one.')
    return Bound(said[1], float(said[2]), value)


def _probability(value: Any, digits: int | None, wrong: Wrong) -> Printed:
    if isinstance(value, str):
        said = BOUND.fullmatch(value.strip())
        if value in STARS:
            return Printed(STARS[value], Interval(0.0, STARS[value]), value, 3)
        if said is not None and 0 <= float(said[2]) <= 1:
            end, below = float(said[2]), said[1].startswith("<")
            decimals = len(said[2].partition(".")[2])
            return Printed(end, Interval(0, end) if below else Interval(end, 1), value, decimals)
        raise wrong("no probability", 'Write a number, `"***"` or `"< .001"`.')
    number = read_number(value, digits, wrong)
    if not 0 <= number.value <= 1:
        raise wrong("no probability: it lies between 0 and 1")
    low, high = max(number.interval.low, 0.0), min(number.interval.high, 1.0)
    return Printed(number.value, Interval(low, high), number.shown, number.digits)
