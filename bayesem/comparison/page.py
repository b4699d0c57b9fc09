"""A comparison as text that fits 80 columns."""

import textwrap
from collections.abc import Iterator

import pandas as pd

from bayesem.errors import shortened

__all__ = ["Comparison", "comparison_text"]

WIDTH, NAME = 80, 24
#: Column of the table, its heading, and how a number is written.
SHOWN = (
    ("elpd", "elpd", "{:.1f}"), ("elpd_diff", "diff", "{:.1f}"), ("dse", "(se)", "({:.1f})"),
    ("weight", "weight", "{:.2f}"), ("k_bad", "bad k", "{:.0f}"),
    ("log_evidence", "log evid.", "{:.1f}"), ("bayes_factor", "BF", "{:.2g}"),
)  # fmt: skip


class Comparison(pd.DataFrame):
    """What `compare` returns: a DataFrame that prints as text of 80 columns, its reading included.

    What is taken from it (rows, columns, copies) is a plain DataFrame again.
    """

    def __repr__(self) -> str:
        whole = {column for column, *_ in SHOWN} <= set(self.columns) and "reading" in self.attrs
        return comparison_text(self) if whole else super().__repr__()


def comparison_text(table: pd.DataFrame) -> str:
    """What :func:`bayesem.compare` returned, with its Monte-Carlo errors, notes and reading."""
    return "\n".join(_lines(table))


def _lines(table: pd.DataFrame) -> Iterator[str]:
    shown = [c for c in SHOWN if table[c[0]].notna().any()]
    cells = [["model", *(heading for _, heading, _ in shown)]]
    for name, row in table.iterrows():
        values = [how.format(row[c]) if pd.notna(row[c]) else "" for c, _, how in shown]
        cells.append([shortened(str(name), NAME), *values])
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    for line in cells:
        numbers = (text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))
        yield "  ".join([line[0].ljust(widths[0]), *numbers]).rstrip()
    yield ""
    errors = [
        f"{what} {table[column].max():.2g}"
        for what, column in (("elpd", "elpd_mcse"), ("log evidence", "evidence_mcse"))
        if table[column].notna().any()
    ]
    if errors:
        yield f"Monte-Carlo errors at most: {', '.join(errors)}."
    notes = [f"{name}: {note}" for name, note in table["note"].items() if note]
    for text in [*table.attrs.get("notes", ()), *notes, *table.attrs["reading"].splitlines()]:
        yield from textwrap.wrap(text, WIDTH) or [""]
