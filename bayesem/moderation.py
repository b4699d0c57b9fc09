"""Slopes and indirect effects at the values of moderators.

The slope of a product model's path is linear in the moderator, so nothing here is approximate. In
conditions, a latent variable is given in model-implied sds from its mean and an observed one in its
own units; whatever is not named is at its mean. Slopes are standardised: factors count in sds,
observed variables in their own units.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.conditional import (
    Units,
    chain_steps,
    condition_values,
    conditional_slope,
    ends,
    unit_of,
)
from bayesem.decomposition import conditional_paths, summarise
from bayesem.errors import ModelError, PropositionError
from bayesem.grammar.claims import parse_moderation, parse_path
from bayesem.grammar.statements import expression_text
from bayesem.implied import Implied, implied
from bayesem.sampling.convergence import stamped
from bayesem.variables import display_name, locate, moderators

__all__ = ["conditional_indirect", "johnson_neyman", "moderated_mediation", "slopes"]

NUMBERS = ("mean", "sd", "lower", "upper", "pd")
GRID = 121
HALVINGS = 40


# --- slopes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Moderated:
    """A slope as a straight line over its moderator: ``base + change * value``."""

    outcome: str
    predictor: str
    moderator: str
    base: Floats
    change: Floats
    centre: float
    spread: float

    def at(self, value: float) -> Floats:
        return self.base + self.change * value


def _moderated(fit: Any, text: str, *, standardized: bool) -> _Moderated:
    argument, moderator = parse_moderation(text)
    model = implied(fit.table, fit.matrices())
    to, source = ends(model.table, argument)
    over = locate(model.table, moderator.text, moderator.span, predicts=True)
    known = moderators(model.table, to, source)
    if over not in known:
        names = ", ".join(f"`{display_name(model.table, k)}`" for k in known)
        raise PropositionError(
            f"`{moderator.text}` does not moderate {argument.predictor} -> {argument.outcome}: the "
            "model has no product of the two there.",
            span=moderator.span,
            hint=f"Moderators of this path: {names or 'none'}.",
            label=moderator.text,
        )
    held = condition_values(model, argument.conditions, argument.span)
    units: Units = "claim" if standardized else "raw"
    zero, one = (
        conditional_slope(model, to, source, held | {over: model.deviation(over, value)}, units)
        for value in (0.0, 1.0)
    )
    latent = over < len(model.table.latent)
    centre, spread = (0.0, 1.0) if latent else _observed_range(model, over)
    return _Moderated(
        argument.outcome, argument.predictor, moderator.text, zero, one - zero, centre, spread
    )


def _observed_range(model: Implied, position: int) -> tuple[float, float]:
    return float(model.mean[..., position].mean()), float(model.sd[..., position].mean())


def slopes(
    fit: Any,
    slope: str,
    at: Sequence[float] | None = None,
    *,
    prob: float = 0.95,
    standardized: bool = True,
) -> pd.DataFrame:
    """Slope of a predictor at values of a moderator.

    Parameters
    ----------
    fit : Fit
    slope : str
        ``"EP ~ DC | FIN"``: of EP on DC, at values of FIN. Further moderators are at their means,
        or where the text holds them: ``"EP ~ FIN | DC, INN = 1"``.
    at : sequence of float, optional
        Values of the moderator: sds from its mean for a factor, its own units for an observed
        variable. By default -1, 0 and 1 sd from the mean.
    prob : float
        Probability of the central interval.
    standardized : bool
        Factors in sds (the default) or in the reported metric. Observed variables stay in their own
        units either way, and an outcome of another family is looked at on its linear predictor.

    Returns
    -------
    DataFrame
        ``outcome predictor moderator at mean sd lower upper pd``, a row per value.

    Raises
    ------
    PropositionError
        For a text that cannot be read, or a moderator without a product in that equation.

    References
    ----------
    .. [1] Aiken & West (1991), *Multiple Regression: Testing and Interpreting Interactions*.
    """
    _check_prob(prob)
    line = _moderated(fit, slope, standardized=standardized)
    values = _values(line.moderator, at, line.centre, line.spread)
    names = (line.outcome, line.predictor, line.moderator)
    rows = [[*names, value, *summarise(line.at(value), prob)] for value in values]
    columns = ["outcome", "predictor", "moderator", "at", *NUMBERS]
    return stamped(pd.DataFrame(rows, columns=columns), fit)


def johnson_neyman(
    fit: Any,
    slope: str,
    *,
    prob: float = 0.95,
    low: float | None = None,
    high: float | None = None,
    standardized: bool = True,
) -> pd.DataFrame:
    """Slope over a range of a moderator, and where it differs credibly from 0.

    Parameters
    ----------
    fit : Fit
    slope : str
        As in :func:`slopes`.
    prob : float
        Probability of the central interval.
    low, high : float, optional
        Ends of the range: by default -3 and 3 sds from the mean. In the units of :func:`slopes`.
    standardized : bool
        As in :func:`slopes`.

    Returns
    -------
    DataFrame
        ``at mean sd lower upper pd`` over an even grid. In ``attrs``: ``regions``, a tuple of
        ``(from, to, sign)`` where the interval excludes 0 (ends at ``low`` or ``high`` are the
        range's, not the region's); ``crossing``, the posterior of the value at which the slope is 0
        (``median lower upper``, and ``inside``, the probability that it lies in the range).

    References
    ----------
    .. [1] Johnson & Neyman (1936), *Statistical Research Memoirs* 1, 57-93.
    .. [2] Bauer & Curran (2005), *Multivariate Behavioral Research* 40, 373-400.
    """
    _check_prob(prob)
    line = _moderated(fit, slope, standardized=standardized)
    first = line.centre - 3 * line.spread if low is None else float(low)
    last = line.centre + 3 * line.spread if high is None else float(high)
    if not (np.isfinite([first, last]).all() and first < last):
        raise ModelError(f"low is {first:g} and high is {last:g}.", hint="low lies below high.")
    grid = np.linspace(first, last, GRID)
    rows = [[value, *summarise(line.at(value), prob)] for value in grid]
    out = pd.DataFrame(rows, columns=["at", *NUMBERS])
    out.attrs["slope"] = slope
    out.attrs["regions"] = tuple(_regions(line, grid, prob))
    out.attrs["crossing"] = _crossing(line, first, last, prob)
    return stamped(out, fit)


def _sign(line: _Moderated, value: float, prob: float) -> int:
    """On which side of 0 the whole interval lies; 0 where it holds 0."""
    lower, upper = np.quantile(line.at(value), [(1 - prob) / 2, (1 + prob) / 2])
    return int(lower > 0) - int(upper < 0)


def _regions(line: _Moderated, grid: Floats, prob: float) -> Iterator[tuple[float, float, int]]:
    signs = [_sign(line, value, prob) for value in grid]
    start = float(grid[0])
    for k in range(1, len(grid) + 1):
        if k < len(grid) and signs[k] == signs[k - 1]:
            continue
        stop = float(grid[-1]) if k == len(grid) else _edge(line, grid[k - 1], grid[k], prob)
        if signs[k - 1]:
            yield start, stop, signs[k - 1]
        start = stop


def _edge(line: _Moderated, low: float, high: float, prob: float) -> float:
    """Where the sign of the interval changes between two points."""
    before = _sign(line, low, prob)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _sign(line, middle, prob) == before:
            low = middle
        else:
            high = middle
    return float(high)


def _crossing(line: _Moderated, low: float, high: float, prob: float) -> dict[str, float]:
    with np.errstate(all="ignore"):
        where = -line.base / line.change
    where = where[np.isfinite(where)]
    if not where.size:
        return dict.fromkeys(("median", "lower", "upper", "inside"), np.nan)
    lower, median, upper = np.quantile(where, [(1 - prob) / 2, 0.5, (1 + prob) / 2])
    inside = ((where >= low) & (where <= high)).sum() / line.base.size
    return {
        "median": float(median), "lower": float(lower), "upper": float(upper),
        "inside": float(inside),
    }  # fmt: skip


# --- indirect effects ---------------------------------------------------------------------------


def conditional_indirect(
    fit: Any,
    path: str,
    at: Mapping[str, float | Sequence[float]],
    *,
    prob: float = 0.95,
    standardized: bool = True,
) -> pd.DataFrame:
    """Indirect effect along one chain at values of its moderators.

    Parameters
    ----------
    fit : Fit
    path : str
        ``"A -> M -> Y"``.
    at : mapping of str to float or sequence of float
        Values by moderator, in the units of :func:`slopes`; all combinations are shown. Moderators
        that are not named are at their means.
    prob : float
        Probability of the central interval.
    standardized : bool
        As in :func:`slopes`.

    Returns
    -------
    DataFrame
        ``path``, a column per moderator, ``mean sd lower upper pd``.

    Raises
    ------
    PropositionError
        For a chain that the model does not have, or a moderator of none of its steps.
    NotAvailableError
        For a chain through an outcome of another family, where products of coefficients are no
        effects.
    """
    _check_prob(prob)
    chain = _chain(fit, path)
    if not isinstance(at, Mapping) or not at:
        raise ModelError("at names no moderator.", hint='Give values: {"W": (-1, 0, 1)}.')
    over = {name: _moderator_of(chain, name) for name in at}
    grids = [_values(name, values, 0.0, 1.0) for name, values in at.items()]
    units: Units = "claim" if standardized else "raw"
    rows = []
    for values in product(*grids):
        settings = {
            k: chain.model.deviation(k, value)
            for k, value in zip(over.values(), values, strict=True)
        }
        effect = np.prod(chain.steps_at(settings), axis=0) * chain.unit(units)
        rows.append([chain.text, *values, *summarise(effect, prob)])
    return stamped(pd.DataFrame(rows, columns=["path", *at, *NUMBERS]), fit)


def moderated_mediation(
    fit: Any, path: str, moderator: str, *, prob: float = 0.95, standardized: bool = True
) -> pd.DataFrame:
    r"""Index of moderated mediation: how much an indirect effect changes with a moderator.

    With steps :math:`a_1 + a_3 w` and :math:`b_1 + b_3 w` the indirect effect has the slope
    :math:`a_1 b_3 + a_3 b_1 + 2 a_3 b_3 w` in w. Where one stage only is moderated it is a
    constant, :math:`a_3 b_1` or :math:`a_1 b_3`.

    Parameters
    ----------
    fit : Fit
    path : str
        ``"A -> M -> Y"``.
    moderator : str
    prob : float
        Probability of the central interval.
    standardized : bool
        As in :func:`slopes`; the moderator then counts in sds, too, unless it is observed.

    Returns
    -------
    DataFrame
        ``path moderator kind mean sd lower upper pd``. ``index`` is the slope at the moderator's
        mean; where several stages are moderated, ``change`` says how much that slope grows by one
        unit of the moderator (:math:`2 a_3 b_3`). ``attrs["stages"]`` names the moderated steps.

    Raises
    ------
    PropositionError
        For a chain that the model does not have, or a moderator of none of its steps.
    NotAvailableError
        For a chain through an outcome of another family.

    References
    ----------
    .. [1] Hayes (2015), *Multivariate Behavioral Research* 50, 1-22.
    """
    _check_prob(prob)
    chain = _chain(fit, path)
    over = _moderator_of(chain, moderator)
    model, units = chain.model, "claim" if standardized else "raw"
    latent = over < len(model.table.latent)
    middle = (model.mean - model.centre)[..., over]
    base = chain.steps_at({over: middle})
    change = chain.steps_at({over: middle + 1.0}) - base
    unit = model.sd[..., over] if latent and standardized else 1.0
    whole = chain.unit(units)  # type: ignore[arg-type]
    moved = [k for k, (to, source) in enumerate(chain.steps) if over in chain.known(to, source)]
    rows = [
        [chain.text, moderator, "index",
         *summarise(_derivative(base, change, 1) * whole * unit, prob)]
    ]  # fmt: skip
    if len(moved) > 1:
        second = _derivative(base, change, 2) * whole * unit**2
        rows.append([chain.text, moderator, "change", *summarise(second, prob)])
    out = pd.DataFrame(rows, columns=["path", "moderator", "kind", *NUMBERS])
    out.attrs["stages"] = tuple(
        f"{display_name(model.table, chain.steps[k][1])} -> "
        f"{display_name(model.table, chain.steps[k][0])}"
        for k in moved
    )
    return stamped(out, fit)


def _derivative(base: Floats, change: Floats, order: int) -> Floats:
    """First or second derivative of a product of straight lines (step, ...)."""
    if order == 0:
        return np.asarray(np.prod(base, axis=0))
    total = np.zeros(base.shape[1:])
    for k in range(len(base)):
        rest = [j for j in range(len(base)) if j != k]
        total = total + change[k] * _derivative(base[rest], change[rest], order - 1)
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Chain:
    """A chain of paths in a model: positions (to, source) of each step."""

    text: str
    model: Implied
    steps: tuple[tuple[int, int], ...]

    def known(self, to: int, source: int) -> tuple[int, ...]:
        return moderators(self.model.table, to, source)

    def steps_at(self, settings: Mapping[int, Any]) -> Floats:
        """Paths of the steps, (step, ...)."""
        model = self.model
        paths = conditional_paths(model.matrices, model.table, settings, model=model)
        return np.stack([paths[..., to, source] for to, source in self.steps])

    def unit(self, units: Units) -> Any:
        return unit_of(self.model, self.steps[-1][0], self.steps[0][1], units)


def _chain(fit: Any, path: str) -> _Chain:
    argument = parse_path(path)
    if len(argument.nodes) < 3:
        raise PropositionError(
            "an indirect effect passes at least one variable.",
            span=argument.span,
            hint="Write `A -> M -> Y`; for the direct path use `bayesem.slopes`.",
        )
    table = fit.table
    steps = tuple(chain_steps(table, argument))
    return _Chain(expression_text(argument), implied(table, fit.matrices()), steps)


def _moderator_of(chain: _Chain, name: str) -> int:
    table = chain.model.table
    over = locate(table, name, None, predicts=True)
    known = {k for to, source in chain.steps for k in chain.known(to, source)}
    if over not in known:
        names = ", ".join(f"`{display_name(table, k)}`" for k in sorted(known))
        raise PropositionError(
            f"`{name}` moderates no step of {chain.text}.",
            hint=f"Moderators of this chain: {names or 'none'}.",
            label=name,
        )
    return over


# --- arguments ----------------------------------------------------------------------------------


def _values(name: str, values: Any, centre: float, spread: float) -> list[float]:
    if values is None:
        values = (centre - spread, centre, centre + spread)
    try:
        found = [float(value) for value in np.atleast_1d(np.asarray(values, float))]
    except (TypeError, ValueError):
        found = [np.nan]
    if not found or not np.isfinite(found).all():
        raise ModelError(
            f"the values of `{name}` are {values!r}.", hint="Give finite numbers: (-1, 0, 1)."
        )
    return found


def _check_prob(prob: Any) -> None:
    if isinstance(prob, bool) or not isinstance(prob, int | float) or not 0 < prob < 1:
        raise ModelError(f"prob is {prob!r}.", hint="A probability between 0 and 1, such as 0.95.")
