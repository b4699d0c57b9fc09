"""Figures for a paper: what a verdict rests on, and a slope over its moderator.

Widths are a journal's, 3.5 or 7 inches, so that text stands at 9 points where the figure is
printed at its size. Colours are Okabe and Ito's, which colour-blind readers tell apart, and no
colour alone carries a meaning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import gaussian_kde

from bayesem.arrays import Floats
from bayesem.claim_kinds import rope_width
from bayesem.claims_evaluation import (
    FLIPPED,
    Form,
    Scope,
    evaluate,
    normal_form,
    null_value,
    scope,
    standardised_difference,
)
from bayesem.conditional import condition_values, conditional_slope
from bayesem.errors import DataError, NotAvailableError, PropositionError, did_you_mean
from bayesem.grammar.claims import parse_moderation
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import (
    And,
    Binary,
    Call,
    Comparison,
    Name,
    Not,
    Or,
    expression_text,
)
from bayesem.implied import implied
from bayesem.moderation import johnson_neyman
from bayesem.propositions import Proposition, Rule, read_propositions
from bayesem.variables import in_own_units, locate, moderators
from bayesem.verdict_text import factor_text, probability_text
from bayesem.verdicts import POOLED, Verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_slopes", "plot_verdict"]

BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY, RED = "#666666", "#C00000"
READINGS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (SKY, (0, (6, 1))))
NARROW, WIDE = 3.5, 7.0
LINE = 0.17  # inches from one line of text to the next
CHARACTER = 0.07  # inches of an average one at 9 points
TYPES = (".pdf", ".svg", ".png")
RATIOS = ("risk_ratio", "time_ratio")
STYLE = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "xtick.labelsize": 9,
    "ytick.labelsize": 9, "legend.fontsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlelocation": "left", "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "lines.linewidth": 1.4,
    "pdf.fonttype": 42, "svg.fonttype": "none", "legend.frameon": False,
    "axes.unicode_minus": True, "mathtext.default": "regular",
}  # fmt: skip


# --- verdicts -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """What one comparison of a claim looks like.

    Attributes
    ----------
    title, label : str
        The part as written, and what stands on the axis.
    posterior : tuple of (name, weight, draws)
        By reading; a reading without a name is the only one.
    prior : array or None
    threshold : float or None
        Where the claim begins to hold; None for ``null(x)``, which holds inside the rope.
    rope : (float, float) or None
    above, inside : bool
        On which side of the threshold the claim holds, or whether it does inside the rope.
    ratio : bool
        Whether the axis is logarithmic.
    """

    title: str
    label: str
    posterior: tuple[tuple[str | None, float | None, Floats], ...]
    prior: Floats | None
    threshold: float | None
    rope: tuple[float, float] | None
    above: bool = True
    inside: bool = True
    ratio: bool = False

    def claimed(self, x: Floats) -> np.ndarray:
        """Where on the axis the claim holds."""
        if self.threshold is None:
            low, high = self.rope or (0.0, 0.0)
            return ((x > low) & (x < high)) == self.inside
        return (x > self.threshold) == self.above


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
    target = _target(path)
    form, rule = _claim_of(verdicts, name)
    fits = _fits_of(verdicts, rows)
    panels = [_panel(part, rule, fits) for part in _leaves(form)]
    if rows["prior_probability"].isna().all():
        panels = [replace(panel, prior=None) for panel in panels]
    every = [fit for _, _, mine in fits for fit in mine]
    head = [*_headline(name, rows), *_labels(form, every[0].table)]
    with _style():
        figure, axes = _grid(len(panels), head, every)
        parts = verdicts.parts[verdicts.parts["name"] == name]
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, panel, _panel_title(panel, parts, axis))
        _legend(figure, axes, panels)
        _stamp(figure, every)
        return _written(figure, target)


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
            return normal_form(p.tree, earlier), p.rule
        earlier[p.name] = p.tree
    raise PropositionError(f"`{name}` is not among the propositions.", label=name)


type _Reading = tuple[str | None, float | None, tuple[Any, ...]]


def _fits_of(verdicts: Verdicts, rows: Any) -> list[_Reading]:
    """Name, weight and fits of every reading that the proposition was put to."""
    if "reading" not in rows:
        fits = verdicts.fits
        return [(None, None, tuple(fits) if isinstance(fits, list | tuple) else (fits,))]
    found: list[_Reading] = []
    for name, weight in zip(rows["reading"], rows["weight"], strict=True):
        if name != POOLED:
            fits = verdicts.fits[name]
            mine = tuple(fits) if isinstance(fits, list | tuple) else (fits,)
            found.append((name, None if np.isnan(weight or np.nan) else float(weight), mine))
    return found


def _leaves(form: Any) -> Iterator[Any]:
    if not isinstance(form, And | Or):
        yield form
        return
    for part in form.parts:
        yield from _leaves(part)


def _panel(part: Any, rule: Rule, fits: Sequence[_Reading]) -> _Panel:
    """One comparison on every fit; all are put on the axis that suits the first."""
    scopes = [(n, w, [scope(fit) for fit in mine]) for n, w, mine in fits]
    first = fits[0][2][0]
    prior = scope(first, "prior") if "prior" in first.draws.children else None
    every = [s for _, _, mine in scopes for s in mine] + ([prior] if prior else [])
    view = _null_view(part, rule, every[0]) or _comparison_view(part, rule, every)
    return _Panel(
        expression_text(part), view.label,
        tuple((n, w, np.concatenate([view.values(s).ravel() for s in mine]))
              for n, w, mine in scopes),
        view.values(prior).ravel() if prior else None,
        view.threshold, view.rope, view.above, view.inside, view.ratio,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """How a comparison is laid on an axis."""

    part: Any
    rule: Rule
    label: str
    threshold: float | None
    rope: tuple[float, float] | None
    standard: bool
    above: bool = True
    inside: bool = True
    ratio: bool = False

    def values(self, scope: Scope) -> Floats:
        """What stands on the axis, in every draw."""
        if self.threshold is None:
            call = self.part.part if isinstance(self.part, Not) else self.part
            return null_value(call, scope)
        if self.standard:
            found = standardised_difference(self.part, scope, self.rule)
            assert found is not None
            return found[0] + self.threshold
        return _raw(self.part, scope)


def _null_view(part: Any, rule: Rule, scope: Scope) -> _View | None:
    call = part.part if isinstance(part, Not) else part
    if not isinstance(call, Call):
        return None
    width = rope_width(call, scope.table, rule)
    label = expression_text(call.args[0])
    return _View(part, rule, label, None, (-width, width), True, inside=call is part)


def _comparison_view(part: Comparison, rule: Rule, scopes: Sequence[Scope]) -> _View:
    part = _turned(part, scopes[0])
    above = part.op in (">", ">=")
    bound = _constant(part.right, scopes[0])
    left = expression_text(part.left)
    label = left if bound is not None else expression_text(Binary("-", part.left, part.right))
    at = 0.0 if bound is None else bound
    found = [standardised_difference(part, s, rule) for s in scopes]
    gaps = [_raw(part, s) - at for s in scopes]
    known = [(f[0], f[1], gap) for f, gap in zip(found, gaps, strict=True) if f is not None]
    # the rope is on the standardised axis, which serves only where it tells the same truth
    if len(known) == len(scopes) and all(np.array_equal(d > 0, g > 0) for d, _, g in known):
        width = known[0][1]
        written = all(np.allclose(d, g) for d, _, g in known)
        label += "" if written else " (standardised)"
        return _View(part, rule, label, at, (at - width, at + width), True, above)
    ratio = isinstance(part.left, Call) and part.left.name in RATIOS and at > 0
    return _View(part, rule, label, at, None, False, above, ratio=ratio)


def _turned(part: Comparison, scope: Scope) -> Comparison:
    """With what varies on the left: ``0 < a`` becomes ``a > 0``."""
    if _constant(part.left, scope) is None or _constant(part.right, scope) is not None:
        return part
    return Comparison(_MIRRORED[part.op], part.right, part.left, part.span)


#: ``a > b`` is ``b < a``.
_MIRRORED = {op: (">" if "<" in op else "<") + op[1:] for op in FLIPPED}


def _constant(node: Any, scope: Scope) -> float | None:
    value = np.asarray(evaluate(node, scope))
    return float(value) if value.ndim == 0 else None


def _raw(part: Comparison, scope: Scope) -> Floats:
    """The left side where the right one is a number, else left minus right."""
    left = evaluate(part.left, scope)
    gap = left if _constant(part.right, scope) is not None else left - evaluate(part.right, scope)
    return np.broadcast_to(gap, scope.shape)


# --- drawing of panels --------------------------------------------------------------------------


def _draw(axis: "Axes", panel: _Panel, title: str) -> None:
    axis.set_title(title, pad=3)
    axis.set_xlabel("\n".join(wrap(panel.label, _room(axis))))
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    if panel.rope is not None:
        axis.axvspan(*panel.rope, color="0.9", lw=0, label="practically null (ROPE)", zorder=0)
    if panel.threshold is not None:
        axis.axvline(panel.threshold, color="black", lw=0.8, label="threshold")
    x = _axis_range(panel)
    if panel.prior is not None and np.ptp(panel.prior) > 0:
        y = _density(panel.prior, x, log=panel.ratio)
        axis.plot(x, y, color=GREY, ls=(0, (3, 2)), lw=1.1, label="prior")
    _draw_posteriors(axis, panel, x)
    axis.set_xlim(x[0], x[-1])
    axis.set_ylim(bottom=0)
    if panel.ratio:
        _ratio_axis(axis, x)


def _draw_posteriors(axis: "Axes", panel: _Panel, x: Floats) -> None:
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


def _fill(axis: "Axes", panel: _Panel, x: Floats, y: Floats) -> None:
    holds = panel.claimed(x)
    axis.fill_between(x, y, where=holds, color=BLUE, alpha=0.45, lw=0, label="claim holds")
    axis.fill_between(x, y, where=~holds, color=BLUE, alpha=0.12, lw=0)


def _axis_range(panel: _Panel) -> Floats:
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
    if not sd > 0:  # a parameter that the model fixes
        return np.asarray(np.where(np.abs(x - values[0]) == np.abs(x - values[0]).min(), 1.0, 0.0))
    spread = min(sd, iqr / 1.35) if iqr > 0 else sd
    return np.asarray(gaussian_kde(values, 1.06 * spread / sd * len(values) ** -0.2)(x))


def _ratio_axis(axis: "Axes", x: Floats) -> None:
    """A logarithmic axis with plain numbers."""
    axis.set_xscale("log")
    ticks = [t for t in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if x[0] <= t <= x[-1]]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set_xticks([], minor=True)


def _panel_title(panel: _Panel, parts: Any, axis: "Axes") -> str:
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


# --- the sheet ----------------------------------------------------------------------------------


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
    known = [f"{name}: {table.labels[name][0].name}" for name in names if name in table.labels]
    if known:
        yield ", ".join(known)


def _numbers(row: Any) -> str:
    parts = [f"Pr {probability_text(row['probability'])}"]
    if not np.isnan(row["prior_probability"]):
        parts.append(f"prior {probability_text(row['prior_probability'])}")
    factor = factor_text(row)
    return ", ".join([*parts, f"BF {factor}"] if factor else parts)


def _grid(count: int, head: Sequence[str], fits: Sequence[Any]) -> "tuple[Figure, list[Axes]]":
    """A sheet with the headline and one axes by panel."""
    columns = 1 if count == 1 else 2 if count in (2, 4) else 3
    width = NARROW if count == 1 else WIDE
    down = -(-count // columns)
    figure = _sheet(width, 0.45 + 1.95 * down, head, fits)
    grid = figure.subplots(down, columns, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return figure, list(grid[:count])


def _sheet(width: float, height: float, head: Sequence[str], fits: Sequence[Any]) -> "Figure":
    """An empty figure with text on top; generated data are marked in its corner."""
    from matplotlib.figure import Figure

    synthetic = any(fit.data.synthetic for fit in fits)
    lines = [line for text in head for line in wrap(text, int(width / CHARACTER))]
    fits_beside = len(lines[0]) * CHARACTER + 1.2 < width
    top = (len(lines) + (synthetic and not fits_beside)) * LINE + 0.06
    figure = Figure((width, height + top), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, height / (height + top)), w_pad=0.06, h_pad=0.04, wspace=0.04)
    for k, line in enumerate(lines):
        y = 1 - (0.05 + LINE * (k + (synthetic and not fits_beside))) / (height + top)
        figure.text(0.06 / width, y, line, va="top", weight="bold" if k == 0 else "normal")
    if synthetic:
        figure.text(1 - 0.06 / width, 1 - 0.05 / (height + top), "SYNTHETIC DATA",
                    color=RED, weight="bold", ha="right", va="top")  # fmt: skip
    return figure


def _legend(figure: "Figure", axes: "Sequence[Axes]", panels: Sequence[_Panel]) -> None:
    """One legend under all panels."""
    known = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        known |= {k: h for h, k in zip(handles, labels, strict=True) if k not in known}
    columns = 2 if figure.get_figwidth() == NARROW else 5
    figure.legend(list(known.values()), list(known), loc="outside lower left", ncols=columns,
                  handlelength=1.6, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip


def _stamp(figure: "Figure", fits: Sequence[Any]) -> None:
    """Say across the figure that its chains failed."""
    if all(fit.converged for fit in fits):
        return
    width = figure.get_figwidth()
    figure.text(0.5, 0.5, "NOT CONVERGED - no verdict", color=RED, alpha=0.75, weight="bold",
                size=4.2 * width, ha="center", va="center", rotation=20, zorder=10)  # fmt: skip


def _style() -> Any:
    return _matplotlib().rc_context(STYLE)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise NotAvailableError(
            "figures need matplotlib, which is not installed.", hint="Install `bayesem[figures]`."
        ) from None
    return matplotlib


def _target(path: str | Path | None) -> Path | None:
    """The path, refused before any work where it cannot be written."""
    _matplotlib()
    if path is None:
        return None
    target = Path(path)
    if target.suffix not in TYPES:
        raise DataError(
            f"{str(path)!r} ends in none of {', '.join(TYPES)}.",
            hint="Use `.pdf` for a journal, `.png` for a screen.",
        )
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {str(target.parent)!r} to save in.", hint="Create it.")
    return target


def _written(figure: "Figure", target: Path | None) -> "Figure":
    if target is not None:
        plain = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
        try:
            figure.savefig(target, dpi=200, metadata=plain.get(target.suffix))
        except OSError as error:
            raise DataError(f"{str(target)!r} cannot be written: {error}.") from None
    return figure


# --- slopes -------------------------------------------------------------------------------------


def plot_slopes(fit: Any, slope: str, path: str | Path | None = None) -> "Figure":
    """Draw a slope over its moderator, and the lines that it stands for.

    On the left the slope with its central 95% interval, from 2 sds below the moderator's mean to 2
    above; the band under it marks where the interval excludes 0 (Johnson and Neyman). On the right
    what the outcome's equation says over the predictor where the moderator is 1 sd below its mean,
    at it, and 1 sd above, all else at its mean: a rise or fall from where both are at their means.
    Factors count in sds, and observed variables in their own units. Curves in the
    equation show as curves.

    Parameters
    ----------
    fit : Fit
    slope : str
        ``"EP ~ DC | FIN"``, as :func:`bayesem.slopes` takes it.
    path : str or Path, optional
        As in :func:`plot_verdict`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    PropositionError
        For a text that cannot be read, or a moderator without a product in that equation.
    DataError
        For a path that cannot be written.

    References
    ----------
    .. [1] Johnson & Neyman (1936), *Statistical Research Memoirs* 1, 57-93.
    .. [2] Aiken & West (1991), *Multiple Regression: Testing and Interpreting Interactions*.
    """
    target = _target(path)
    surface = _surface(fit, slope)
    low, high = (surface.centre[1] + k * surface.spread[1] for k in (-2, 2))
    table = johnson_neyman(fit, slope, low=low, high=high)
    with _style():
        figure = _sheet(WIDE, 2.7, [_region_text(surface, table)], [fit])
        left, right = figure.subplots(1, 2)
        _draw_slope(left, surface, table)
        _draw_lines(right, surface)
        _stamp(figure, [fit])
        return _written(figure, target)


@dataclass(frozen=True, slots=True, eq=False)
class _Surface:
    """An outcome over a predictor and its moderator, in the units of claims.

    ``at`` holds further moderators; ``centre`` and ``spread`` are of predictor and moderator, 0 and
    1 for factors.
    """

    model: Any
    outcome: str
    names: tuple[str, str]
    to: int
    sources: tuple[int, int]
    at: Mapping[int, Any]
    centre: tuple[float, float]
    spread: tuple[float, float]

    def slope(self, which: int, values: tuple[float, float]) -> Floats:
        """Slope on predictor (0) or moderator (1) where the two have these values."""
        source = self.sources[which]
        known = moderators(self.model.table, self.to, source)
        here = {k: self.model.deviation(k, v) for k, v in zip(self.sources, values, strict=True)}
        at = {k: v for k, v in {**self.at, **here}.items() if k in known}
        return conditional_slope(self.model, self.to, source, at)

    def height(self, x: float, w: float) -> Floats:
        """The outcome less its value where both are at their means.

        The equation is of second degree, so that a slope halfway gives the rise exactly.
        """
        x0, w0 = self.centre
        rise = (w - w0) * self.slope(1, (x0, (w0 + w) / 2))
        return rise + (x - x0) * self.slope(0, ((x0 + x) / 2, w))


def _surface(fit: Any, text: str) -> _Surface:
    argument, moderator = parse_moderation(text)
    model = implied(fit.table, fit.matrices())
    table = model.table
    to = locate(table, argument.outcome, argument.span)
    source = locate(table, argument.predictor, argument.span, predicts=True)
    over = locate(table, moderator.text, moderator.span, predicts=True)
    latent = len(table.latent)
    centre, spread = (
        tuple(0.0 if k < latent else float(moment[..., k].mean()) for k in (source, over))
        if j == 0
        else tuple(1.0 if k < latent else float(moment[..., k].mean()) for k in (source, over))
        for j, moment in enumerate((model.mean, model.sd))
    )
    return _Surface(
        model, argument.outcome, (argument.predictor, moderator.text), to, (source, over),
        condition_values(model, argument.conditions, argument.span), centre, spread,
    )  # type: ignore[arg-type]  # fmt: skip


def _region_text(surface: _Surface, table: Any) -> str:
    """Where the interval excludes 0, in words."""
    x, w = surface.names
    low, high = table["at"].iloc[0], table["at"].iloc[-1]
    found = []
    for start, stop, sign in table.attrs["regions"]:
        word = "positive" if sign > 0 else "negative"
        where = {
            (True, True): "throughout",
            (True, False): f"below {stop:.2f}",
            (False, True): f"above {start:.2f}",
        }.get((start == low, stop == high), f"from {start:.2f} to {stop:.2f}")
        found.append(f"{word} {where}")
    said = "; ".join(found) or "0 lies inside the 95% interval throughout"
    return f"{surface.outcome} on {x} by {w}: {said}".replace(" -", " \N{MINUS SIGN}")


def _draw_slope(axis: "Axes", surface: _Surface, table: Any) -> None:
    x, w = surface.names
    for start, stop, _ in table.attrs["regions"]:
        axis.axvspan(start, stop, color="0.9", lw=0, zorder=0)
    axis.axhline(0, color="black", lw=0.8)
    axis.fill_between(table["at"], table["lower"], table["upper"], color=BLUE, alpha=0.3, lw=0)
    axis.plot(table["at"], table["mean"], color=BLUE)
    axis.set_xlim(table["at"].iloc[0], table["at"].iloc[-1])
    axis.set_xlabel(_unit(surface, w, surface.sources[1]))
    axis.set_ylabel(f"slope of {surface.outcome} on {x}")
    axis.set_title("Slope with 95% interval; shaded: excludes 0")


def _draw_lines(axis: "Axes", surface: _Surface) -> None:
    grid = surface.centre[0] + np.linspace(-2, 2, 21) * surface.spread[0]
    looks = ((-1, ORANGE, (0, (4, 1.5))), (0, GREY, (0, (1, 1))), (1, BLUE, "-"))
    for k, colour, dash in looks:
        w = surface.centre[1] + k * surface.spread[1]
        draws = np.stack([surface.height(x, w).ravel() for x in grid])
        middle, (low, high) = draws.mean(1), np.quantile(draws, [0.025, 0.975], axis=1)
        if k:
            axis.fill_between(grid, low, high, color=colour, alpha=0.13, lw=0)
        name = "at its mean" if k == 0 else f"{k:+d} sd".replace("-", "\N{MINUS SIGN}")
        axis.plot(grid, middle, color=colour, ls=dash, label=f"{surface.names[1]} {name}")
    axis.set_xlim(grid[0], grid[-1])
    axis.set_xlabel(_unit(surface, surface.names[0], surface.sources[0]))
    own = surface.to in in_own_units(surface.model.table)
    axis.set_ylabel(surface.outcome + ("" if own else " (sd)"))
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], loc="best", handlelength=2.2)
    axis.set_title(f"{surface.outcome} over {surface.names[0]}; 95% bands at ±1 sd")


def _unit(surface: _Surface, name: str, position: int) -> str:
    own = position in in_own_units(surface.model.table)
    return name if own else f"{name} (sd from its mean)"
