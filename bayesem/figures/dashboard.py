"""All propositions on one sheet: what each rests on, and its verdict."""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.claims_evaluation import Scope, scope
from bayesem.decision import WITHHELD
from bayesem.figures.assessed import check, claim_of, fits_of, numbers_text
from bayesem.figures.densities import draw
from bayesem.figures.interactive.dashboard import Tile, dashboard_figure
from bayesem.figures.interactive.page import write_page
from bayesem.figures.panels import Panel, Reading, panel_of
from bayesem.figures.sheet import (
    BLUE,
    GREEN,
    GREY,
    NARROW,
    ORANGE,
    WIDE,
    legend,
    sheet,
    stamp,
    style,
    target_of,
    written,
)
from bayesem.grammar.statements import And, Or
from bayesem.verdicts import POOLED, Verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_propositions"]

COLOURS = {"supported": BLUE, "refuted": ORANGE, "practically null": GREEN, "undecided": GREY}
#: Inches: a panel's height, that of many, and an average character of its texts at 8 points.
PANEL, LOW, CHARACTER = 1.55, 1.38, 0.062
SMALL = 8.0
EXPLANATION = "Dark: the claim holds. Of several comparisons joined, the one that decides is shown."


def plot_propositions(verdicts: Verdicts, path: str | Path | None = None) -> "Figure":
    """Draw every proposition: posterior and prior of what it compares, and its verdict.

    Each has a panel with its verdict, probability, prior probability and Bayes factor. The
    posterior is dark where the claim holds; the threshold is a line, the prior dashed, the region
    of practical equivalence a grey band. Of a conjunction the least probable comparison is shown
    and of a disjunction the most probable one, which decide; :func:`plot_verdict` shows all. Of
    several readings with weights the mixture is drawn. Where a verdict is withheld because chains
    did not converge, no posterior is shown, and nothing where the data cannot bear on a claim.

    Parameters
    ----------
    verdicts : Verdicts
        From :func:`bayesem.assess`.
    path : str or Path, optional
        As in :func:`plot_verdict`; or ``.html``, where sentence and claim stand under the pointer.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib (or for ``.html`` plotly) is not installed.
    PropositionError
        For what are no verdicts, or verdicts without their propositions and fits.
    DataError
        For a path that cannot be written.
    """
    check(verdicts)
    target = target_of(path, interactive=True)
    groups = [(str(name), rows) for name, rows in verdicts.table.groupby("name", sort=False)]
    fits = {id(f): f for _, rows in groups for *_, mine in fits_of(verdicts, rows) for f in mine}
    every = list(fits.values())
    look = _looker(every)
    shown = [_panel(verdicts, name, rows, look) for name, rows in groups]
    head = [_headline(groups), EXPLANATION]
    tiles = [_tile(name, rows, one) for (name, rows), one in zip(groups, shown, strict=True)]
    more = f"{EXPLANATION} Line: threshold. Band: practically null (ROPE)."
    target = write_page(target, [head[0], more], every, lambda go: dashboard_figure(go, tiles))
    with style():
        figure, axes = _grid(len(groups), head, every)
        for axis, (name, rows), one in zip(axes, groups, shown, strict=True):
            _draw(axis, name, rows, one)
        if any(axis.get_legend_handles_labels()[0] for axis in axes):
            legend(figure, axes)
            _blacken(figure)
        stamp(figure, every)
        return written(figure, target)


# --- what is drawn -------------------------------------------------------------------------------

type _Look = Callable[[Any, str], Scope]


def _looker(fits: Sequence[Any]) -> _Look:
    """Scopes of fits, each made once."""
    known: dict[tuple[int, str], Scope] = {}

    def look(fit: Any, group: str) -> Scope:
        key = (id(fit), group)
        if key not in known:
            known[key] = scope(fit, group)
        return known[key]

    return look


def _panel(verdicts: Verdicts, name: str, rows: Any, look: _Look) -> tuple[Panel | None, int]:
    """The comparison that decides a proposition, and out of how many; None where there is none."""
    fits = fits_of(verdicts, rows)
    every = [fit for *_, mine in fits for fit in mine]
    if rows["probability"].isna().all() or not all(fit.converged for fit in every):
        return None, 0
    form, rule = claim_of(verdicts, name)
    believed = rows["prior_probability"].notna().any() and "prior" in every[0].draws.children
    prior = look(every[0], "prior") if believed else None
    readings: list[Reading] = [
        (reading, weight, tuple(look(fit, "posterior") for fit in mine))
        for reading, weight, mine in fits
    ]
    return _deciding(form, lambda part: panel_of(part, rule, readings, prior))


def _deciding(form: Any, panel: Callable[[Any], Panel]) -> tuple[Panel, int]:
    """Of an `and` the least probable part, of an `or` the most probable one."""
    if not isinstance(form, And | Or):
        return panel(form), 1
    found = [_deciding(part, panel) for part in form.parts]
    choose = min if isinstance(form, And) else max
    return choose((one for one, _ in found), key=_share), sum(count for _, count in found)


def _share(panel: Panel) -> float:
    """How probable a comparison is, over all readings."""
    weights = [1.0 if w is None else w for _, w, _ in panel.posterior]
    each = [panel.claimed(values).mean() for *_, values in panel.posterior]
    return float(np.average(each, weights=weights if sum(weights) else None))


# --- words ---------------------------------------------------------------------------------------


def _headline(groups: Sequence[tuple[str, Any]]) -> str:
    counts = Counter(_verdict(rows)[0] for _, rows in groups)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"{len(groups)} proposition{'s' * (len(groups) > 1)}: {said}"


def _verdict(rows: Any) -> tuple[str, Any | None]:
    """The verdict, and the row whose numbers belong to it; none where readings stay apart."""
    if "reading" in rows:
        pooled = rows[rows["reading"] == POOLED]
        if pooled.empty and len(rows) > 1:
            said = " / ".join(dict.fromkeys(rows["verdict"]))
            return (f"by reading: {said}" if "/" in said else said), None
        rows = pooled if len(pooled) else rows
    row = rows.iloc[0]
    return str(row["verdict"]), row


def _tile(name: str, rows: Any, shown: tuple[Panel | None, int]) -> Tile:
    """A proposition for the page to open in a browser."""
    panel, count = shown
    verdict, row = _verdict(rows)
    numbers = numbers_text(row) if panel is not None and row is not None else ""
    told = "<br>".join(
        escape(line)
        for text in (rows["says"].iloc[0], rows["claim"].iloc[0])
        for line in wrap(str(text or ""), 60)
    )
    label = _reason(rows) if panel is None else _label(panel, count)
    return Tile(name, verdict, numbers, told, panel, label, COLOURS.get(verdict, GREY),
                verdict != WITHHELD)  # fmt: skip


def _label(panel: Panel, count: int) -> str:
    label = panel.title if count == 1 else f"{panel.title} (1\xa0of\xa0{count})"
    return label + ("; standardised" if panel.label.endswith("(standardised)") else "")


def _reason(rows: Any) -> str:
    return "" if rows["probability"].isna().all() else "the chains did not converge"


def _title(rows: Any, panel: Panel | None, room: int) -> list[str]:
    verdict, row = _verdict(rows)
    lines = wrap(verdict, room)
    if panel is not None and row is not None:
        lines += wrap(numbers_text(row), room)
    return lines


# --- panels --------------------------------------------------------------------------------------


def _grid(count: int, head: Sequence[str], fits: Sequence[Any]) -> "tuple[Figure, list[Axes]]":
    columns = count if count <= 3 else 4
    down = -(-count // columns)
    figure = sheet(
        NARROW if count == 1 else WIDE, 0.35 + (PANEL if down <= 4 else LOW) * down, head, fits
    )
    found = figure.subplots(down, columns, squeeze=False).ravel()
    for spare in found[count:]:
        spare.remove()
    return figure, list(found[:count])


def _blacken(figure: "Figure") -> None:
    """The legend is of all panels, whose posteriors have the colours of their verdicts."""
    known = figure.legends[0]
    colours = {"posterior": "black", "all readings": "black", "claim holds": "0.45"}
    for handle, text in zip(known.legend_handles, known.get_texts(), strict=True):
        if text.get_text() in colours:
            handle.set_color(colours[text.get_text()])  # type: ignore[union-attr]


def _draw(axis: "Axes", name: str, rows: Any, shown: tuple[Panel | None, int]) -> None:
    panel, count = shown
    width = axis.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]
    room = int(width / axis.get_gridspec().ncols / CHARACTER) - 2  # type: ignore[union-attr]
    lines = _title(rows, panel, room)
    if panel is None:
        _leave_empty(axis, rows)
    else:
        verdict = _verdict(rows)[0]
        known = verdict != WITHHELD
        draw(axis, panel, colour=COLOURS.get(verdict, GREY), filled=known)
        axis.set_xlabel(_short(_label(panel, count), room), size=SMALL)
        axis.tick_params(axis="x", labelsize=SMALL)
        axis.locator_params(axis="x", nbins=4) if not panel.ratio else None
    axis.set_title("\n".join(["", *lines]), size=SMALL, pad=3, parse_math=False)
    _write_name(axis, name, len(lines), room)


def _short(text: str, room: int) -> str:
    """At most two lines."""
    lines = wrap(text, room)
    if len(lines) <= 2:
        return "\n".join(lines)
    return "\n".join([lines[0], shorten(" ".join(lines[1:]), room, placeholder=" ...")])


def _write_name(axis: "Axes", name: str, lines: int, room: int) -> None:
    """The name in bold on the first line of the title, which is left empty for it."""
    axis.annotate(
        shorten(name, room, placeholder="..."), (0, 1), (0, 3.5 + lines * SMALL * 1.19),
        xycoords="axes fraction", textcoords="offset points", weight="bold", size=SMALL,
        va="baseline", annotation_clip=False, parse_math=False,
    )  # fmt: skip


def _leave_empty(axis: "Axes", rows: Any) -> None:
    """What there is to say where no posterior may be shown."""
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.text(0, 0.9, _reason(rows), transform=axis.transAxes, size=SMALL, va="top", style="italic")
