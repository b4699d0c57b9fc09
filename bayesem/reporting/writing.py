"""Numbers and data frames as the text of a table."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesem.reporting.blocks import Table
from bayesem.verdict_text import probability_text

__all__ = [
    "arrows",
    "digits",
    "error_text",
    "fixed",
    "interval",
    "marked",
    "number",
    "probability",
    "table_of",
    "whole",
]

NUMERALS = ("", *"0123456789<>[", "\N{MINUS SIGN}")  # how a number, a bound, an interval begins
MINUS = "\N{MINUS SIGN}"

type Writer = Callable[[Any], str]


def number(value: Any) -> str:
    """Three decimals below 10, two below 1,000, else none; nothing where it is missing.

    Examples
    --------
    >>> number(0.1234), number(-12.345), number(1234.5), number(float("nan"))
    ('0.123', '\N{MINUS SIGN}12.35', '1,234', '')
    """
    if _missing(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return fixed(digits([float(value)]))(value)


def digits(values: Iterable[float]) -> int:
    """How many decimals numbers of one column have: the largest of them says.

    Examples
    --------
    >>> digits([0.1, -2.5]), digits([12.0, 0.1]), digits([4000.0])
    (3, 2, 0)
    """
    sizes = [abs(v) for v in values if np.isfinite(v)]
    largest = max(sizes, default=0.0)
    return 3 if largest < 10 else 2 if largest < 1000 else 0


def arrows(path: Any) -> str:
    """A chain of variables with arrows as people write them."""
    return str(path).replace("->", "\N{RIGHTWARDS ARROW}")


def marked(text: str) -> str:
    """What stands in backticks, in quotation marks."""
    return re.sub(r"`([^`]*)`", "\N{LEFT DOUBLE QUOTATION MARK}\\1"
                  "\N{RIGHT DOUBLE QUOTATION MARK}", text)  # fmt: skip


def fixed(digits: int) -> Writer:
    """A writer with so many decimals.

    Examples
    --------
    >>> fixed(3)(-0.5), fixed(0)(1234.0)
    ('\N{MINUS SIGN}0.500', '1,234')
    """

    def write(value: Any) -> str:
        if _missing(value):
            return ""
        text = f"{abs(float(value)):,.{digits}f}"
        negative = float(value) < 0 and float(text.replace(",", "")) != 0
        return MINUS + text if negative else text

    return write


whole = fixed(0)


def probability(value: Any) -> str:
    """Three decimals, and never a certainty."""
    return "" if _missing(value) else probability_text(float(value))


def interval(low: Any, high: Any, write: Writer = number) -> str:
    """Both ends in brackets.

    Examples
    --------
    >>> interval(-0.1, 0.25)
    '[\N{MINUS SIGN}0.100, 0.250]'
    """
    return "" if _missing(low) or _missing(high) else f"[{write(low)}, {write(high)}]"


def error_text(error: float) -> str:
    """A Monte-Carlo error with one digit, and none below the fourth decimal.

    Examples
    --------
    >>> error_text(0.0123), error_text(9e-05), error_text(0.0)
    ('0.01', '<0.0001', '<0.0001')
    """
    return "<0.0001" if error < 1e-4 else f"{float(f'{error:.1g}'):g}"


def _missing(value: Any) -> bool:
    if value is None:
        return True
    return bool(isinstance(value, float | np.floating) and np.isnan(value))


#: How columns are written, by their names; others by `number`.
WRITERS: Mapping[str, Writer] = {
    "r_hat": fixed(3), "ess_bulk": whole, "ess_tail": whole, "pd": probability, "p": probability,
    "probability": probability, "prior_probability": probability, "rope_mass": probability,
    "n": whole, "k_bad": whole, "missing": whole, "answered": whole, "elpd": fixed(1),
    "elpd_diff": fixed(1), "dse": fixed(1), "log_evidence": fixed(1), "weight": fixed(2),
    "residual": fixed(3), "observed": fixed(3), "implied": fixed(3), "pareto_k": fixed(2),
    "p1": probability, "p2": probability, "d2": fixed(1),
}  # fmt: skip


def table_of(
    frame: pd.DataFrame,
    title: str,
    columns: Mapping[str, str],
    *,
    notes: Sequence[str] = (),
    withheld: bool = False,
    intervals: Mapping[str, tuple[str, str]] | None = None,
) -> Table:
    """A data frame as a table.

    Parameters
    ----------
    frame : DataFrame
    title : str
    columns : mapping of str to str
        Columns to show, in order, and their headings.
    notes : sequence of str
    withheld : bool
        Whether the chains behind it failed.
    intervals : mapping of str to (str, str), optional
        Names in ``columns`` that stand for the interval between two columns of the frame.
    """
    spans = intervals or {}
    made = [_column(frame, name, spans.get(name)) for name in columns]
    rows = tuple(zip(*(texts for texts, _ in made), strict=True)) if len(frame) else ()
    numeric = tuple(right for _, right in made)
    return Table(title, tuple(columns.values()), rows, numeric, tuple(notes), withheld)


def _column(frame: pd.DataFrame, name: str, span: tuple[str, str] | None) -> tuple[list[str], bool]:
    if span is not None:
        low, high = (frame[end].astype(float) for end in span)
        write = fixed(digits([*low, *high]))
        return [interval(a, b, write) for a, b in zip(low, high, strict=True)], True
    values = frame[name]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        texts = [number(v) if isinstance(v, bool | np.bool_) else _plain(v) for v in values]
        return texts, any(texts) and all(t[:1] in NUMERALS for t in texts)
    write = WRITERS.get(name) or fixed(digits(values.astype(float)))
    return [write(v) for v in values], True


def _plain(value: Any) -> str:
    return "" if _missing(value) else str(value)
