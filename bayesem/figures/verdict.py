"""What a verdict rests on: prior and posterior of whatever a proposition compares."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from bayesem.claims_evaluation import Form, scope
from bayesem.errors import PropositionError
from bayesem.figures.assessed import check, claim_of, fits_of, numbers_text, rows_of
from bayesem.figures.densities import draw
from bayesem.figures.panels import Panel, leaves, panel_of
from bayesem.figures.sheet import grid, legend, letters, stamp, style, target_of, written
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import Name
from bayesem.verdict_text import probability_text
from bayesem.verdicts import POOLED, Verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_verdict"]


def plot_verdict(verdicts: Verdicts, name: str, path: str | Path | None = None) -> "Figure":
    """Draw what a verdict rests on: prior and posterior of what the proposition compares.

    Each comparison of a conjunction or disjunction has a panel. The posterior is filled dark where
    the claim holds, so that the dark share is its probability there; the threshold is a line, the
    region of practical equivalence a grey band. Where there is such a region the axis is the
    standardised one. Ratios stand on a logarithmic axis. Of several readings each has a line; where
    they carry weights, the readings are thin and their mixture is filled.

    Parameters
    ----------
    verdicts : Verdicts
        From :func:`bayesem.assess`.
    name : str
        Of the proposition.
    path : str or Path, optional
        Where to write it: ``.pdf`` or ``.svg`` (vector), or ``.png`` (200 dpi).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    PropositionError
        For a proposition that was not assessed.
    DataError
        For a path that cannot be written.

    Notes
    -----
    Densities are kernel estimates; the width is 1.06 n^(-1/5) times the smaller of sd and IQR/1.35.
    """
    check(verdicts)
    rows = _drawable(rows_of(verdicts, name), name)
    target = target_of(path)
    form, rule = claim_of(verdicts, name)
    fits = fits_of(verdicts, rows)
    every = [fit for _, _, mine in fits for fit in mine]
    believed = rows["prior_probability"].notna().any() and "prior" in every[0].draws.children
    prior = scope(every[0], "prior") if believed else None
    readings = [(name, weight, tuple(scope(fit) for fit in mine)) for name, weight, mine in fits]
    panels = [panel_of(part, rule, readings, prior) for part in leaves(form)]
    head = [*_headline(name, rows), *_labels(form, every[0].table)]
    with style():
        parts = verdicts.parts[verdicts.parts["name"] == name]
        wide = letters(len(panels))
        above = [_panel_title(panel, parts, wide) for panel in panels]
        below = [wrap(panel.label, wide) for panel in panels]
        deep = max(len(a) + len(b) for a, b in zip(above, below, strict=True))
        figure, axes = grid(len(panels), head, every, deep)
        for axis, panel, title, label in zip(axes, panels, above, below, strict=True):
            draw(axis, panel)
            axis.set_title("\n".join(title), pad=3, parse_math=False)
            axis.set_xlabel("\n".join(label), parse_math=False)
        legend(figure, axes)
        stamp(figure, every)
        return written(figure, target)


def _drawable(rows: Any, name: str) -> Any:
    if rows["probability"].isna().all():
        raise PropositionError(
            f"`{name}` is {rows['verdict'].iloc[0]}, so there is nothing to draw.", label=str(name)
        )
    return rows


# --- words ---------------------------------------------------------------------------------------


def _headline(name: str, rows: Any) -> list[str]:
    """Name and verdict, then the numbers; of several readings without weights, a line each."""
    if "reading" in rows:
        pooled = rows[rows["reading"] == POOLED]
        if pooled.empty and len(rows) > 1:
            each = (row for _, row in rows.iterrows())
            return [name, *(f"{r['reading']}: {r['verdict']}, {numbers_text(r)}" for r in each)]
        rows = pooled if len(pooled) else rows
    row = rows.iloc[0]
    return [f"{name}: {row['verdict']}", numbers_text(row)]


def _labels(form: Form, table: Any) -> Iterator[str]:
    """What the labels of a claim stand for."""
    names = dict.fromkeys(node.text for node in walk(form) if isinstance(node, Name))
    if table is None:  # theme counts
        return
    known = [f"{name}: {table.labels[name][0].name}" for name in names if name in table.labels]
    if known:
        yield ", ".join(text.replace(" ", "\N{NO-BREAK SPACE}") for text in known)


def _panel_title(panel: Panel, parts: Any, wide: int) -> list[str]:
    lines = wrap(panel.title, wide)
    mine = parts[parts["part"] == panel.title]
    if len(mine) == 1:
        row = mine.iloc[0]
        lines.append(f"Pr {probability_text(row['probability'])}, {row['verdict']}")
    return lines
