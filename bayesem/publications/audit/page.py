"""An audit as text: 80 columns that a referee could paste."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import pandas as pd

from bayesem.publications.audit.findings import CONSISTENT, INCONSISTENT, NOT_CHECKABLE

__all__ = ["audit_record", "audit_text"]

WIDTH = 80
ITEM, NUMBER = 39, 12


def audit_text(table: pd.DataFrame, *, every: bool = False) -> str:
    """What contradicts what, then what cannot be checked; with ``every`` also what agrees."""
    return "\n".join(_lines(table, every=every))


def _lines(table: pd.DataFrame, *, every: bool) -> Iterator[str]:
    yield from wrap(str(table.attrs.get("title", "")), WIDTH)
    yield from wrap(str(table.attrs.get("source", "")), WIDTH)
    yield ""
    counts = {
        v: int((table["verdict"] == v).sum()) for v in (CONSISTENT, INCONSISTENT, NOT_CHECKABLE)
    }
    yield from wrap(
        f"{len(table)} comparisons: {counts[CONSISTENT]} consistent, {counts[INCONSISTENT]} "
        f"inconsistent, {counts[NOT_CHECKABLE]} not checkable. Each printed number stands for all "
        "numbers that round to it, so nothing below is due to rounding.",
        WIDTH,
    )
    if not counts[INCONSISTENT]:
        yield from ("", "Nothing that is printed contradicts anything else that is.")
    yield from _block(table, INCONSISTENT, "Inconsistent")
    yield from _block(table, NOT_CHECKABLE, "Not checkable")
    if every:
        yield from _block(table, CONSISTENT, "Consistent")


def _block(table: pd.DataFrame, verdict: str, title: str) -> Iterator[str]:
    if not (table["verdict"] == verdict).any():
        return
    yield from ("", title, "-" * len(title))
    yield _line("item", "printed", "recomputed", "difference")
    for k, row in enumerate(table.itertuples(index=False)):
        if row.verdict == verdict:
            yield from _entry(table, k, row)


def _entry(table: pd.DataFrame, k: int, row: Any) -> Iterator[str]:
    digits = table.attrs["digits"][k]
    printed = table.attrs["shown"][k]
    recomputed = _recomputed(row.recomputed, digits)
    places = 0 if pd.isna(row.difference) else _decimals(row.difference, digits)
    difference = "" if pd.isna(row.difference) else f"{row.difference:+.{places}f}"
    texts = ["" if printed is None else str(printed), recomputed]
    item, *rest = wrap(str(row.item), ITEM - 1) or [""]
    if max(map(len, texts)) <= NUMBER:
        yield _line(item, *texts, difference)
        yield from (f"  {line}" for line in rest)
    else:
        yield item
        yield from (f"  {line}" for line in rest)
        yield from wrap(
            f"printed: {texts[0]}", WIDTH, initial_indent="    ", subsequent_indent="      "
        )
        if texts[1]:
            yield from wrap(
                f"against: {texts[1]}", WIDTH, initial_indent="    ", subsequent_indent="      "
            )
    yield from wrap(f"{row.where}", WIDTH, initial_indent="    ", subsequent_indent="    ")
    if row.remedy:
        lead = "why: " if row.verdict == NOT_CHECKABLE else "both true with: "
        yield from wrap(
            f"{lead}{row.remedy}", WIDTH, initial_indent="    ", subsequent_indent="      "
        )


def _line(item: str, *numbers: str) -> str:
    return " ".join([f"{item:<{ITEM}}", *(f"{x:>{NUMBER}}" for x in numbers)]).rstrip()


def _recomputed(value: Any, digits: int) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.{_decimals(value, digits + (0 < digits < 3))}f}"
    return str(value)


def _decimals(value: float, digits: int) -> int:
    """Of a number beside one printed with ``digits`` decimals: none where both are whole."""
    return digits if digits or float(value).is_integer() else 1


def audit_record(table: pd.DataFrame) -> dict[str, Any]:
    """The audit for JSON."""
    rows = [
        {k: (None if isinstance(v, float) and pd.isna(v) else v) for k, v in row.items()}
        for row in table.to_dict("records")
    ]
    keep = ("title", "source", "file", "sha256")
    return {**{k: table.attrs.get(k) for k in keep}, "findings": rows}
