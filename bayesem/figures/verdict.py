"""What a verdict rests on: prior and posterior of whatever a proposition compares."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import gaussian_kde

from bayesem.arrays import Floats
from bayesem.claims_evaluation import Form, normal_form, scope
from bayesem.errors import PropositionError, did_you_mean
from bayesem.figures.panels import Panel, leaves, panel_of
from bayesem.figures.sheet import (
    BLUE,
    CHARACTER,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    grid,
    legend,
    stamp,
    style,
    target_of,
    written,
)
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import Name
from bayesem.propositions import Proposition, Rule, read_propositions
from bayesem.verdict_text import factor_text, probability_text, rule_text
from bayesem.verdicts import POOLED, Verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_verdict"]

#: Name and weight of a reading, and its fits; a reading without a name is the only one.
type _Fits = tuple[str | None, float | None, tuple[Any, ...]]

READINGS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (SKY, (0, (6, 1))))


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
    rows = _rows(verdicts, name)
    target = target_of(path)
    form, rule = _claim_of(verdicts, name)
    fits = _fits_of(verdicts, rows)
    every = [fit for _, _, mine in fits for fit in mine]
    believed = rows["prior_probability"].notna().any() and "prior" in every[0].draws.children
    prior = scope(every[0], "prior") if believed else None
    readings = [(name, weight, tuple(scope(fit) for fit in mine)) for name, weight, mine in fits]
    panels = [panel_of(part, rule, readings, prior) for part in leaves(form)]
    head = [*_headline(name, rows), *_labels(form, every[0].table)]
    with style():
        figure, axes = grid(len(panels), head, every)
        parts = verdicts.parts[verdicts.parts["name"] == name]
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, panel, _panel_title(panel, parts, axis))
        legend(figure, axes)
        stamp(figure, every)
        return written(figure, target)


# --- what is drawn -------------------------------------------------------------------------------


def _rows(verdicts: Any, name: str) -> Any:
    if not isinstance(verdicts, Verdicts):
        raise PropositionError(
            f"verdicts are a {type(verdicts).__name__}.", hint="Give what `sem.assess` returns."
        )
    rows = verdicts.table[verdicts.table["name"] == name]
    if rows.empty:
        known = list(dict.fromkeys(verdicts.table["name"]))
        hint = did_you_mean(str(name), known) or f"There are: {', '.join(known)}."
        raise PropositionError(f"`{name}` was not assessed.", hint=hint, label=str(name))
    if rows["probability"].isna().all():
        raise PropositionError(
            f"`{name}` is {rows['verdict'].iloc[0]}, so there is nothing to draw.", label=str(name)
        )
    if verdicts.propositions is None or verdicts.fits is None:
        raise PropositionError(
            "these verdicts come without their propositions and fits.",
            hint="Assess one fit: `sem.assess(propositions, fit)`.",
        )
    return rows


def _claim_of(verdicts: Verdicts, name: str) -> tuple[Form, Rule]:
    found = verdicts.propositions
    if isinstance(found, str | Path | Mapping):
        found = read_propositions(found)
    earlier: dict[str, Any] = {}
    for p in (found,) if isinstance(found, Proposition) else found:
        if p.name == name:
            _check_ropes(p.rule, verdicts.notes)
            return normal_form(p.tree, earlier), p.rule
        earlier[p.name] = p.tree
    raise PropositionError(f"`{name}` is not among the propositions.", label=name)


def _check_ropes(rule: Rule, notes: Sequence[str]) -> None:
    """Verdicts keep no rule but in words: under other ropes a figure would show the wrong ones."""
    ropes = rule_text(rule).partition("; ")[2]
    if not any(note.endswith(ropes) for note in notes):
        raise PropositionError(
            "these verdicts were given under other ropes than the propositions' own.",
            hint="Write the ropes into the propositions' file, under [rule], and assess again.",
        )


def _fits_of(verdicts: Verdicts, rows: Any) -> list[_Fits]:
    """Name, weight and fits of every reading that the proposition was put to."""
    if "reading" not in rows:
        fits = verdicts.fits
        return [(None, None, tuple(fits) if isinstance(fits, list | tuple) else (fits,))]
    found: list[_Fits] = []
    for name, weight in zip(rows["reading"], rows["weight"], strict=True):
        if name != POOLED:
            fits = verdicts.fits[name]
            mine = tuple(fits) if isinstance(fits, list | tuple) else (fits,)
            found.append((name, None if np.isnan(weight or np.nan) else float(weight), mine))
    return found


# --- words ---------------------------------------------------------------------------------------


def _headline(name: str, rows: Any) -> list[str]:
    """Name and verdict, then the numbers; of several readings without weights, a line each."""
    if "reading" in rows:
        pooled = rows[rows["reading"] == POOLED]
        if pooled.empty and len(rows) > 1:
            each = [f"{r['reading']}: {r['verdict']}, {_numbers(r)}" for _, r in rows.iterrows()]
            return [name, *each]
        rows = pooled if len(pooled) else rows
    row = rows.iloc[0]
    return [f"{name}: {row['verdict']}", _numbers(row)]


def _labels(form: Form, table: Any) -> Iterator[str]:
    """What the labels of a claim stand for."""
    names = dict.fromkeys(node.text for node in walk(form) if isinstance(node, Name))
    if table is None:  # theme counts
        return
    known = [f"{name}: {table.labels[name][0].name}" for name in names if name in table.labels]
    if known:
        yield ", ".join(text.replace(" ", "\N{NO-BREAK SPACE}") for text in known)


def _numbers(row: Any) -> str:
    parts = [f"Pr {probability_text(row['probability'])}"]
    if not np.isnan(row["prior_probability"]):
        parts.append(f"prior {probability_text(row['prior_probability'])}")
    factor = factor_text(row)
    if factor:
        parts.append(f"BF {factor}".replace(" ", "\N{NO-BREAK SPACE}"))
    return ", ".join(parts)


def _panel_title(panel: Panel, parts: Any, axis: "Axes") -> str:
    lines = wrap(panel.title, _room(axis))
    mine = parts[parts["part"] == panel.title]
    if len(mine) == 1:
        row = mine.iloc[0]
        lines.append(f"Pr {probability_text(row['probability'])}, {row['verdict']}")
    return "\n".join(lines)


def _room(axis: "Axes") -> int:
    """How many characters stand beside each other over a panel."""
    width = axis.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]
    columns = axis.get_gridspec().ncols  # type: ignore[union-attr]
    return int(width / columns / CHARACTER) - 2


# --- panels --------------------------------------------------------------------------------------


def _draw(axis: "Axes", panel: Panel, title: str) -> None:
    axis.set_title(title, pad=3)
    axis.set_xlabel("\n".join(wrap(panel.label, _room(axis))))
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    if panel.rope is not None:
        axis.axvspan(*panel.rope, color="0.9", lw=0, label="practically null (ROPE)", zorder=0)
    if panel.threshold is not None:
        axis.axvline(panel.threshold, color="black", lw=0.8, label="threshold")
    x = _axis_range(panel)
    if panel.prior is not None and np.ptp(panel.prior) > 1e-9:
        y = _density(panel.prior, x, log=panel.ratio)
        axis.plot(x, y, color=GREY, ls=(0, (3, 2)), lw=1.1, label="prior")
    _draw_posteriors(axis, panel, x)
    axis.set_xlim(x[0], x[-1])
    axis.set_ylim(bottom=0)
    if panel.ratio:
        _ratio_axis(axis, x)
    else:
        axis.locator_params(axis="x", nbins=5)


def _draw_posteriors(axis: "Axes", panel: Panel, x: Floats) -> None:
    weights = [w for _, w, _ in panel.posterior]
    pooled = len(weights) > 1 and all(w is not None for w in weights)
    lines = [_density(values, x, log=panel.ratio) for _, _, values in panel.posterior]
    if len(lines) == 1 or pooled:
        mixed = sum((w or 1.0) * y for w, y in zip(weights, lines, strict=True))
        for y in lines if pooled else ():
            axis.plot(x, y, color=BLUE, lw=0.5, alpha=0.5, label="each reading")
        _fill(axis, panel, x, np.asarray(mixed))
        axis.plot(x, mixed, color=BLUE, label="all readings" if pooled else "posterior")
        return
    for k, ((name, _, _), y) in enumerate(zip(panel.posterior, lines, strict=True)):
        colour, dash = READINGS[k % len(READINGS)]
        axis.plot(x, y, color=colour, ls=dash, label=str(name))


def _fill(axis: "Axes", panel: Panel, x: Floats, y: Floats) -> None:
    holds = panel.claimed(x)
    axis.fill_between(x, y, where=holds, color=BLUE, alpha=0.45, lw=0, label="claim holds")
    axis.fill_between(x, y, where=~holds, color=BLUE, alpha=0.12, lw=0)


def _axis_range(panel: Panel) -> Floats:
    """Points that span the posterior, the threshold, the rope, and the prior's middle."""
    change = np.log if panel.ratio else np.asarray
    draws = [change(values) for _, _, values in panel.posterior]
    ends = [np.quantile(values, [0.001, 0.999]) for values in draws]
    marks = [] if panel.threshold is None else [change(panel.threshold)]
    marks += [*(panel.rope or ())]
    low, high = min([*(e[0] for e in ends), *marks]), max([*(e[1] for e in ends), *marks])
    room = max(high - low, 1e-6)
    if panel.prior is not None:
        first, last = np.quantile(change(panel.prior), [0.03, 0.97])
        low, high = max(min(low, first), low - 3 * room), min(max(high, last), high + 3 * room)
    x = np.linspace(low - 0.03 * (high - low), high + 0.03 * (high - low), 401)
    return np.asarray(np.exp(x) if panel.ratio else x)


def _density(values: Floats, x: Floats, *, log: bool) -> Floats:
    """A kernel estimate at x; of the logarithm where the axis is logarithmic."""
    if log:
        values, x = np.log(values), np.log(x)
    sd, iqr = values.std(ddof=1), float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    if sd < 1e-9 * max(1.0, np.abs(values).max()):  # a parameter that the model fixes
        return np.asarray(np.where(np.abs(x - values[0]) == np.abs(x - values[0]).min(), 1.0, 0.0))
    spread = min(sd, iqr / 1.35) if iqr > 0 else sd
    return np.asarray(gaussian_kde(values, 1.06 * spread / sd * len(values) ** -0.2)(x))


def _ratio_axis(axis: "Axes", x: Floats) -> None:
    """A logarithmic axis with plain numbers."""
    axis.set_xscale("log")
    ticks = [t for t in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if x[0] <= t <= x[-1]]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set_xticks([], minor=True)
