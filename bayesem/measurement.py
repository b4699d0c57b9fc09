r"""Reliability and validity of the measured factors, draw by draw, from the implied covariances.

A factor's *block* is every indicator to which the model's own text gives a loading on it that is
not 0; loadings that `cross_loadings` or `method_factor` added to the model do not make an indicator
a member. Indicators with a negative mean loading count as reverse coded: they enter composites with
the weight -1, as whoever adds the answers up would turn them round.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.errors import ModelError
from bayesem.implied import with_responses
from bayesem.matrices import Matrices
from bayesem.model import Model
from bayesem.partable import ParameterTable, Row
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.shares import shares

__all__ = ["Block", "blocks", "composites", "discrimination", "reliability", "signs", "validity"]

#: The usual cut-offs: omega and alpha (Nunnally 1978), AVE (Fornell & Larcker 1981).
LEAST: Final[Mapping[str, float]] = MappingProxyType({"omega": 0.7, "alpha": 0.7, "ave": 0.5})

#: Largest absolute correlation, HTMT and HTMT2 of factors that count as different (Kline 2016).
MOST: Final[Mapping[str, float]] = MappingProxyType(
    {"correlation": 0.85, "htmt": 0.85, "htmt2": 0.85}
)


type Cell = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """What measures a factor.

    Attributes
    ----------
    name : str
    factor : int
        Its position among the factors.
    parts : tuple of int
        What it is measured by directly: positions in the indicators with the factors behind them.
    cells : tuple of (str, int, int)
        Matrix and cell of the loading of each of them.
    indicators : tuple of int
        All indicators below it; the same as ``parts`` for a factor of first order.
    below : frozenset of int
        Factors that measure it, directly or through each other.
    """

    name: str
    factor: int
    parts: tuple[int, ...]
    cells: tuple[Cell, ...]
    indicators: tuple[int, ...]
    below: frozenset[int]


# --- tables -------------------------------------------------------------------------------------


def reliability(fit: Fit, *, prob: float = 0.95) -> pd.DataFrame:
    r"""Omega, alpha and average variance extracted of every factor, with intervals.

    All three are functions of the covariance matrix that the parameters imply, so they exist for
    raw answers, with missing cells or without, and for moments alike. With weights w of 1 (-1 for
    reverse-coded indicators) over the block of factor k:

    - :math:`\omega = (w^\top\lambda_k)^2\phi_{kk} / w^\top\Sigma w`, the share of the composite's
      variance that the factor itself explains. Residual correlations, cross-loadings and a method
      factor count in the denominator only, so they never pass for reliability.
    - :math:`\alpha = \frac{p}{p-1}\left(1 - \sum_i\sigma_{ii} / w^\top\Sigma w\right)`.
    - AVE, the mean of the squared standardised loadings.

    For a factor of second order omega and alpha are of the sum of all indicators below it (omega is
    the hierarchical one, a product of both orders' loadings), and AVE is of its loadings on what
    measures it directly.

    Parameters
    ----------
    fit : Fit
    prob : float
        Mass of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        A row per factor of the model's text: ``factor``, and for each of ``omega alpha ave`` the
        posterior mean under its own name, ``_lower`` and ``_upper``, the probability ``_pr`` that
        it passes its cut-off (omega >= .7, alpha >= .7, AVE >= .5; also in ``attrs["cutoffs"]``)
        and ``_mcse``, the Monte-Carlo error of that probability. ``reversed`` names the
        indicators taken as reverse coded; ``note`` says why a number is missing (a single
        indicator cannot tell what is reliable in it) or what it is of.

    References
    ----------
    .. [1] McDonald (1999), *Test Theory*, ch. 6.
    .. [2] Fornell & Larcker (1981), *Journal of Marketing Research* 18, 39-50.
    .. [3] Zinbarg et al. (2005), *Psychometrika* 70, 123-133 (omega hierarchical).

    Examples
    --------
    >>> reliability(fit)[["factor", "omega", "omega_pr"]]  # doctest: +SKIP
    """
    _check_prob(prob)
    matrices = with_responses(fit.table, fit.matrices())
    found = blocks(fit.model, fit.table)
    weights = signs(matrices, found)
    values = composites(matrices, found, weights)
    table = pd.DataFrame({"factor": [block.name for block in found]})
    for name, draws in values.items():
        table = table.join(_described(name, draws, draws >= LEAST[name], prob))
    names = fit.table.indicators
    table["reversed"] = [
        ", ".join(names[i] for i, w in zip(block.indicators, mine, strict=True) if w < 0)
        for block, mine in zip(found, weights, strict=True)
    ]
    table["note"] = [_reliability_note(block) for block in found]
    table = stamped(table, fit)
    table.attrs["cutoffs"] = dict(LEAST)
    table.attrs["notes"] = (*table.attrs["notes"], *_left_out(fit))
    return table


def validity(fit: Fit, *, prob: float = 0.95) -> pd.DataFrame:
    r"""Whether factors are distinct: correlations, HTMT, HTMT2 and the Fornell-Larcker criterion.

    With r the implied correlations of what measures two factors, HTMT is the mean :math:`|r|`
    between the blocks over the geometric mean of the two mean :math:`|r|` within, HTMT2 the same
    with geometric means throughout. HTMT is exact only for equal loadings: congeneric blocks with
    a factor correlation of .60 can have an HTMT of .621, while HTMT2 is .600. Both take absolute
    values, so they do not see the sign of a correlation nor which items are reverse coded.

    Parameters
    ----------
    fit : Fit
    prob : float
        Mass of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        A row per pair of factors of which neither measures the other: ``first second``, and for
        each of ``correlation htmt htmt2 fornell_larcker`` the posterior mean under its own name,
        ``_lower``, ``_upper``, ``_pr`` and ``_mcse``. ``correlation`` has its sign;
        ``correlation_pr`` is the probability that it is below .85 in absolute value, ``htmt_pr``
        and ``htmt2_pr`` that the ratio is. ``fornell_larcker`` is the smaller AVE less the squared
        correlation, and its ``_pr`` the probability that this is above 0. ``note`` says why a
        number is missing. Indicators of both factors are left out of HTMT and HTMT2. A factor of
        second order is measured by its factors, whose correlations count.

    References
    ----------
    .. [1] Henseler, Ringle & Sarstedt (2015), *J. Acad. Mark. Sci.* 43, 115-135.
    .. [2] Roemer, Schuberth & Henseler (2021), *Industrial Management & Data Systems* 121 (HTMT2).
    .. [3] Fornell & Larcker (1981), *Journal of Marketing Research* 18, 39-50.
    """
    _check_prob(prob)
    matrices = with_responses(fit.table, fit.matrices())
    found = blocks(fit.model, fit.table)
    pairs = list(_pairs(found))
    table = pd.DataFrame([(a.name, b.name) for a, b in pairs], columns=["first", "second"])
    values = discrimination(matrices, pairs)
    for name, draws in values.items():
        passed = np.abs(draws) < MOST[name] if name in MOST else draws > 0
        table = table.join(_described(name, draws, passed, prob))
    table["note"] = [_validity_note(a, b) for a, b in pairs]
    table = stamped(table, fit)
    table.attrs["cutoffs"] = {**MOST, "fornell_larcker": 0.0}
    table.attrs["notes"] = (*table.attrs["notes"], *_left_out(fit))
    return table


# --- blocks -------------------------------------------------------------------------------------


def blocks(model: Model, table: ParameterTable) -> tuple[Block, ...]:
    """What measures each factor of a model's text, in the text's order.

    Parameters
    ----------
    model : Model
        As the user wrote it.
    table : ParameterTable
        Of the model that was fitted, whatever was added to it.
    """
    p = len(table.indicators)
    cells: dict[str, dict[int, Cell]] = {name: {} for name in model.factors}
    for row in _loadings(model, table):
        inside = row.rhs in table.indicators
        at = table.indicators.index(row.rhs) if inside else p + table.factors.index(row.rhs)
        cells[row.lhs][at] = (row.matrix, row.i, row.j)
    measured = {name: list(mine) for name, mine in cells.items()}
    return tuple(
        Block(
            name,
            table.factors.index(name),
            tuple(mine),
            tuple(mine.values()),
            tuple(_below(name, measured, table)),
            frozenset(_factors_below(name, measured, table)),
        )
        for name, mine in cells.items()
    )


def _loadings(model: Model, table: ParameterTable) -> Iterator[Row]:
    """The loadings in the text that are not fixed at 0."""
    written = {(s.lhs, s.term.name) for s in model.parsed.statements if s.op == "=~"}
    for row in table.rows:
        if row.op == "=~" and (row.lhs, row.rhs) in written and row.value != 0:
            yield row


def _below(name: str, measured: Mapping[str, list[int]], table: ParameterTable) -> list[int]:
    p, found = len(table.indicators), list[int]()
    for at in measured[name]:
        found += [at] if at < p else _below(table.factors[at - p], measured, table)
    return list(dict.fromkeys(found))


def _factors_below(
    name: str, measured: Mapping[str, list[int]], table: ParameterTable
) -> Iterator[int]:
    p = len(table.indicators)
    for at in measured[name]:
        if at >= p:
            yield at - p
            yield from _factors_below(table.factors[at - p], measured, table)


def _pairs(found: tuple[Block, ...]) -> Iterator[tuple[Block, Block]]:
    for k, first in enumerate(found):
        for second in found[k + 1 :]:
            if first.factor not in second.below and second.factor not in first.below:
                yield first, second


# --- numbers ------------------------------------------------------------------------------------


def composites(
    matrices: Matrices, found: tuple[Block, ...], weights: tuple[Floats, ...]
) -> dict[str, Floats]:
    """Omega, alpha and AVE of blocks, each (..., block); missing for a single indicator.

    Parameters
    ----------
    matrices : Matrices
        Batched over leading axes.
    found : tuple of Block
    weights : tuple of (indicator,) arrays
        Of the indicators of each block in its composite.
    """
    Sigma, Phi = matrices.Sigma, matrices.Phi
    out = {name: np.full((*Sigma.shape[:-2], len(found)), np.nan) for name in LEAST}
    for k, (block, w) in enumerate(zip(found, weights, strict=True)):
        if len(block.parts) > 1:
            out["ave"][..., k] = (_standardised(matrices, Sigma, Phi, block) ** 2).mean(-1)
        p = len(block.indicators)
        if p < 2:
            continue
        inner = _square(Sigma, block.indicators)
        whole = np.einsum("i,...ij,j->...", w, inner, w)
        own = _through(matrices, block, found) @ w
        out["omega"][..., k] = own**2 * Phi[..., block.factor, block.factor] / whole
        single = np.einsum("...ii,i->...", inner, w**2)
        out["alpha"][..., k] = p / (p - 1) * (1 - single / whole)
    return out


def discrimination(matrices: Matrices, pairs: list[tuple[Block, Block]]) -> dict[str, Floats]:
    """Correlation, HTMT, HTMT2 and the Fornell-Larcker gap of pairs, each (..., pair)."""
    Sigma, Phi = matrices.Sigma, matrices.Phi
    R = np.abs(_correlations(_joint(matrices, Sigma, Phi)))
    shape = (*Sigma.shape[:-2], len(pairs))
    names = ("correlation", "htmt", "htmt2", "fornell_larcker")
    out = {name: np.full(shape, np.nan) for name in names}
    between = _correlations(Phi)
    for k, (a, b) in enumerate(pairs):
        phi = between[..., a.factor, b.factor]
        out["correlation"][..., k] = phi
        own = [part for part in a.parts if part not in b.parts]
        other = [part for part in b.parts if part not in a.parts]
        if min(len(own), len(other)) > 1:
            out["htmt"][..., k] = _ratio(R, own, other)
            out["htmt2"][..., k] = np.exp(_ratio(R, own, other, log=True))
        if min(len(a.parts), len(b.parts)) > 1:
            aves = [(_standardised(matrices, Sigma, Phi, x) ** 2).mean(-1) for x in (a, b)]
            out["fornell_larcker"][..., k] = np.minimum(*aves) - phi**2
    return out


def _ratio(R: Floats, first: list[int], second: list[int], *, log: bool = False) -> Floats:
    """Mean correlation between blocks over the geometric mean of those within; or its log."""
    values = np.log(np.maximum(R, 1e-300)) if log else R
    between = values[..., first, :][..., second].mean((-2, -1))
    within = [
        _square(values, block)[..., *np.tril_indices(len(block), -1)].mean(-1)
        for block in (first, second)
    ]
    if log:
        return np.asarray(between - (within[0] + within[1]) / 2)
    return np.asarray(between / np.sqrt(within[0] * within[1]))


def _standardised(matrices: Matrices, Sigma: Floats, Phi: Floats, block: Block) -> Floats:
    """Standardised loadings of what measures a factor directly, (..., part)."""
    p, k = Sigma.shape[-1], block.factor
    variance = [Sigma[..., at, at] if at < p else Phi[..., at - p, at - p] for at in block.parts]
    ratio = Phi[..., k, k, None] / np.stack(variance, -1)
    return np.asarray(_direct(matrices, block) * np.sqrt(ratio))


def _direct(matrices: Matrices, block: Block) -> Floats:
    """Raw loadings of what measures a factor directly, (..., part)."""
    return np.stack([getattr(matrices, name)[..., i, j] for name, i, j in block.cells], -1)


def _through(matrices: Matrices, block: Block, found: tuple[Block, ...]) -> Floats:
    """Raw loadings of all indicators below a factor on it, over all chains of loadings, (..., p).

    Paths between factors are no loadings: they do not count.
    """
    p = matrices.Lambda.shape[-2]
    by_factor = {other.factor: other for other in found}
    direct = _direct(matrices, block)
    out = np.zeros((*direct.shape[:-1], len(block.indicators)))
    for k, at in enumerate(block.parts):
        if at < p:
            out[..., block.indicators.index(at)] += direct[..., k]
            continue
        inner = by_factor[at - p]
        where = [block.indicators.index(i) for i in inner.indicators]
        out[..., where] += direct[..., k, None] * _through(matrices, inner, found)
    return out


def signs(matrices: Matrices, found: tuple[Block, ...]) -> tuple[Floats, ...]:
    """Weight of each indicator in its block's composite: the sign of its mean loading, 1 or -1."""
    means = [_through(matrices, b, found).reshape(-1, len(b.indicators)).mean(0) for b in found]
    return tuple(np.where(mean < 0, -1.0, 1.0) for mean in means)


def _joint(matrices: Matrices, Sigma: Floats, Phi: Floats) -> Floats:
    """Covariance of the indicators with the factors behind them."""
    cross = matrices.Lambda @ Phi
    top = np.concatenate([Sigma, cross], -1)
    return np.concatenate([top, np.concatenate([np.swapaxes(cross, -1, -2), Phi], -1)], -2)


def _correlations(covariance: Floats) -> Floats:
    sd = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    with np.errstate(invalid="ignore", divide="ignore"):  # an observed value may depend on nothing
        return np.asarray(covariance / sd[..., :, None] / sd[..., None, :])


def _square(matrix: Floats, block: Sequence[int]) -> Floats:
    return np.asarray(matrix[..., list(block), :][..., list(block)])


# --- text ---------------------------------------------------------------------------------------


def _described(name: str, draws: Floats, passed: np.ndarray, prob: float) -> pd.DataFrame:
    """Mean, interval and probability of passing, of (chain, draw, row)."""
    missing = np.isnan(draws).all((0, 1))
    flat = np.where(missing, 0.0, draws).reshape(-1, draws.shape[-1])
    lower, upper = np.quantile(flat, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    share, error = shares(passed)
    columns = {"": flat.mean(0), "_lower": lower, "_upper": upper, "_pr": share, "_mcse": error}
    return pd.DataFrame({f"{name}{k}": np.where(missing, np.nan, v) for k, v in columns.items()})


def _check_prob(prob: float) -> None:
    if not 0 < prob < 1:
        raise ModelError(f"prob is {prob!r}.", hint="Use a number between 0 and 1, such as 0.95.")


def _reliability_note(block: Block) -> str:
    if len(block.indicators) < 2:
        return "a single indicator: nothing in the data tells its reliability"
    if block.below:
        return "second order: omega and alpha of the sum of all its indicators"
    return ""


def _validity_note(first: Block, second: Block) -> str:
    shared = set(first.parts) & set(second.parts)
    short = [b.name for b in (first, second) if len(b.parts) < 2]
    if short:
        return f"no HTMT and no AVE: a single indicator measures {' and '.join(short)}"
    if min(len(set(b.parts) - shared) for b in (first, second)) < 2:
        return "no HTMT: fewer than two indicators belong to one factor alone"
    return "indicators of both factors are left out of HTMT" if shared else ""


def _left_out(fit: Fit) -> tuple[str, ...]:
    """Variables among the factors that have no block of their own."""
    names = [*fit.table.phantoms, *(o.name for o in fit.table.outcomes)]
    added = [name for name in fit.table.latent if name not in fit.model.factors]
    notes = []
    if names:
        notes.append(f"left out, because observed: {', '.join(dict.fromkeys(names))}")
    if added:
        notes.append(f"left out, because a method factor: {', '.join(added)}")
    return tuple(notes)
