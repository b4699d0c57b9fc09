"""Tables in APA style as Great Tables objects, for HTML and LaTeX."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesem.counts.fit import refuse_counts
from bayesem.decomposition import effects
from bayesem.errors import ModelError, NotAvailableError, did_you_mean, installing
from bayesem.measurement import reliability, validity
from bayesem.posterior import Fit
from bayesem.reporting import evidence, results
from bayesem.reporting.blocks import Table
from bayesem.reporting.markup import WITHHELD
from bayesem.reporting.writing import table_of
from bayesem.summaries import summary
from bayesem.verdicts import Verdicts

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["apa_table"]

#: Kinds of tables that `bayesem.summary` holds, and their titles in a report.
PARAMETERS: Mapping[str, str] = {
    "loadings": "Loadings", "paths": "Paths", "covariances": "Variances and covariances",
    "means": "Means", "defined": "Defined",
}  # fmt: skip
LETTERS: Mapping[str, str] = {
    "\N{MINUS SIGN}": "-", "\N{RIGHTWARDS ARROW}": "to", "\N{GREEK SMALL LETTER OMEGA}": "omega",
    "\N{GREEK SMALL LETTER ALPHA}": "alpha", "\N{SUPERSCRIPT TWO}": "2",
    "\N{GREATER-THAN OR EQUAL TO}": "at least", "\N{MULTIPLICATION SIGN}": "x",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
}  # fmt: skip


def apa_table(
    source: Any,
    kind: str | None = None,
    *,
    title: str | None = None,
    number: int | None = None,
    ascii_only: bool = False,
) -> "GT":
    """A table in the style of the American Psychological Association.

    Horizontal rules only; number and title above, notes below.

    Parameters
    ----------
    source : Fit, Verdicts or DataFrame
    kind : str, optional
        Of a fit's table: ``loadings paths covariances means defined effects reliability validity``.
    title : str, optional
    number : int, optional
        Of the table in a paper.
    ascii_only : bool
        Minus signs, arrows and Greek letters in letters that every LaTeX knows.

    Returns
    -------
    great_tables.GT
        ``.as_raw_html()``, ``.as_latex()``; text of yours is escaped in both. Of a fit that did not
        converge the title says so, and its verdicts have no numbers.

    Raises
    ------
    ModelError
        For a kind that is none, or that the model does not have.
    NotAvailableError
        If great_tables is not installed.

    Examples
    --------
    >>> apa_table(fit, "paths", number=2).as_latex()  # doctest: +SKIP
    """
    made = _table(source, kind)
    made = made if title is None else replace(made, title=title)
    return _styled(_plain(made) if ascii_only else made, number)


def _table(source: Any, kind: str | None) -> Table:
    if isinstance(source, Verdicts):
        return evidence.verdict_rows(source, "Propositions and verdicts")
    if isinstance(source, pd.DataFrame):
        frame = source.reset_index() if source.index.name else source
        columns = {str(c): str(c).replace("_", " ") for c in frame.columns}
        return table_of(frame.rename(columns=str), "", columns)
    refuse_counts(source, "`apa_table(verdicts)` takes their verdicts.")
    if not isinstance(source, Fit):
        raise ModelError(
            f"a table is made of a fit, of verdicts or of a DataFrame, not of a "
            f"{type(source).__name__}.", hint="Give what `sem.fit` or `sem.assess` returns."
        )  # fmt: skip
    return _of_fit(source, kind)


def _of_fit(fit: Fit, kind: str | None) -> Table:
    makers: dict[str, Callable[[], Any]] = {
        "effects": lambda: results.effects(effects(fit), effects(fit, standardized=True), fit),
        "reliability": lambda: results.measured(reliability(fit), validity(fit), fit),
        "validity": lambda: results.measured(reliability(fit), validity(fit), fit),
        **dict.fromkeys(PARAMETERS, lambda: _coefficients(fit)),
    }
    if kind not in makers:
        known = ", ".join(makers)
        hint = did_you_mean(str(kind), makers) or f"There are: {known}."
        raise ModelError(f"there is no kind of table {kind!r}.", hint=hint)
    titles = {
        **PARAMETERS, "effects": "Direct, indirect and total effects",
        "reliability": "Reliability of the factors", "validity": "Whether the factors are distinct",
    }  # fmt: skip
    tables = [block for block in makers[kind]().items if isinstance(block, Table)]
    found = [block for block in tables if block.title == titles[kind]]
    if not found:
        raise ModelError(f"this model has no {kind}.", hint="Ask for another kind of table.")
    return found[0]


def _coefficients(fit: Fit) -> Any:
    return results.coefficients(summary(fit), summary(fit, standardized=True), fit)


def _plain(table: Table) -> Table:
    def write(text: str) -> str:
        for letter, plain in LETTERS.items():
            text = text.replace(letter, plain)
        return text

    return replace(
        table, title=write(table.title), columns=tuple(map(write, table.columns)),
        rows=tuple(tuple(map(write, row)) for row in table.rows),
        notes=tuple(map(write, table.notes)),
    )  # fmt: skip


def _styled(table: Table, number: int | None) -> "GT":
    try:
        from great_tables import GT
    except ImportError:
        raise NotAvailableError(
            "APA tables need great_tables, which is not installed.",
            hint=installing("report"),
        ) from None
    names = [f"c{k}" for k in range(len(table.columns))]
    made = GT(pd.DataFrame(list(table.rows), columns=names, dtype=str))
    made = made.cols_label(dict(zip(names, table.columns, strict=True)))
    right = [name for name, numeric in zip(names, table.numeric, strict=True) if numeric]
    left = [name for name in names if name not in right]
    made = made.cols_align("left", left) if left else made
    made = made.cols_align("right", right) if right else made
    title = f"{WITHHELD} {table.title}".strip() if table.withheld else table.title
    head = "" if number is None else f"Table {number}"
    if head or title:
        made = made.tab_header(head or title, title if head else None)
    if table.notes:
        made = made.tab_source_note("Note. " + " ".join(table.notes))
    return _ruled(made)


def _ruled(made: "GT") -> "GT":
    """Rules above and below the head and below the body, and no others."""
    ink, none = "#000000", "none"
    return made.tab_options(
        heading_align="left", heading_border_bottom_style=none,
        heading_title_font_weight="bold", heading_title_font_size="100%",
        heading_subtitle_font_size="100%",
        table_border_top_style=none, table_border_bottom_style=none,
        column_labels_border_top_style="solid", column_labels_border_top_color=ink,
        column_labels_border_top_width="1.5px",
        column_labels_border_bottom_style="solid", column_labels_border_bottom_color=ink,
        column_labels_border_bottom_width="1px", column_labels_font_weight="normal",
        table_body_hlines_style=none, table_body_border_top_style=none,
        table_body_border_bottom_style="solid", table_body_border_bottom_color=ink,
        table_body_border_bottom_width="1.5px", source_notes_border_bottom_style=none,
        table_font_names=["Times New Roman", "Times", "serif"], table_font_size="11pt",
        data_row_padding="2px",
    )  # fmt: skip
