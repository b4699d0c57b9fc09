"""Standardised solution, direct, indirect and total effects, and explained variance, draw by draw.

Everything is batched over leading (chain, draw) axes; no function loops over draws. With products
of factors an effect depends on the moderators' values: where nothing else is said, on their means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesem.arrays import VECTORS, Floats
from bayesem.counts.fit import refuse_counts
from bayesem.errors import ModelError
from bayesem.families import NORMAL
from bayesem.implied import Implied, implied, scales, with_responses
from bayesem.matrices import Matrices, total_effects
from bayesem.sampling.convergence import stamped
from bayesem.variables import display_name, edges, links, reach

if TYPE_CHECKING:
    from bayesem.partable import ParameterTable, Row

__all__ = [
    "EffectMatrices",
    "along",
    "blocked",
    "chains",
    "conditional_paths",
    "decompose",
    "edges",
    "effect_draws",
    "effects",
    "explained_draws",
    "linked",
    "r2",
    "rescaled_paths",
    "standardise",
    "standardised_value",
    "summarise",
]

#: More specific chains than this are not listed one by one.
MOST_CHAINS = 5_000


@dataclass(frozen=True, slots=True)
class EffectMatrices:
    """Effects between factors, *on* row *of* column.

    Attributes
    ----------
    direct, indirect, total : (..., factor, factor_bis) arrays
        ``total = direct + indirect``; missing in draws whose feedback loops do not settle.
    """

    direct: Floats
    indirect: Floats
    total: Floats


def standardise(matrices: Matrices, table: "ParameterTable | None" = None) -> Matrices:
    r"""The matrices after every factor and indicator is divided by its own implied sd (std.all).

    Parameters
    ----------
    matrices : Matrices
        Batched over any leading axes, such as (chain, draw).
    table : ParameterTable, optional
        Of a model with outcomes of other families: their linear predictors are then divided by an
        sd that includes what the family adds (`bayesem.implied.scales`).

    Returns
    -------
    Matrices
        :math:`\lambda_{ik}\sqrt{\phi_{kk}/\sigma_{ii}}` and
        :math:`\beta_{kl}\sqrt{\phi_{ll}/\phi_{kk}}`; the coefficient of a product is multiplied
        by the sds of its two parts and divided by the outcome's, never by the product's own [2]_;
        the diagonals of ``Psi`` and ``Theta`` are shares of unexplained variance, intercepts and
        means are in sds. Off-diagonal cells keep the model an identity, so they are covariances of
        standardised variables; lavaan prints residual *correlations* there, and so does
        `standardised_value`. ``shape`` stays as it is.

    References
    ----------
    .. [1] Bollen (1989), *Structural Equations with Latent Variables*, ch. 8.
    .. [2] Wen, Marsh & Hau (2010), *Structural Equation Modeling* 17, 1-22.

    Examples
    --------
    >>> one, zero = np.eye(1), np.zeros((1, 1))
    >>> m = Matrices(np.array([[2.0]]), zero, 4 * one, 9 * one, np.array([5.0]), np.array([0.0]))
    >>> s = standardise(m)
    >>> s.Lambda.tolist(), s.Psi.tolist(), s.Theta.tolist(), s.nu.tolist()
    ([[0.8]], [[1.0]], [[0.36]], [1.0])
    """
    Phi = (matrices if table is None else with_responses(table, matrices)).Phi
    sd_factor = _sds(Phi) if table is None else scales(table, matrices)
    sd_indicator = _sds(
        matrices.Lambda @ Phi @ np.swapaxes(matrices.Lambda, -1, -2) + matrices.Theta
    )
    return replace(
        matrices,
        Lambda=_rescale(matrices.Lambda, sd_indicator, 1 / sd_factor),
        Beta=rescaled_paths(matrices.Beta, sd_factor),
        Psi=_rescale(matrices.Psi, sd_factor, sd_factor),
        Theta=_rescale(matrices.Theta, sd_indicator, sd_indicator),
        nu=matrices.nu / sd_indicator,
        alpha=matrices.alpha / sd_factor,
        omega=_rescale_products(matrices, sd_factor),
    )


def rescaled_paths(Beta: Floats, sd: Floats) -> Floats:
    """Paths between variables that are divided by ``sd`` (..., factor)."""
    return _rescale(Beta, sd, 1 / sd)


def _rescale_products(matrices: Matrices, sd: Floats) -> Floats:
    if not matrices.products:
        return matrices.omega
    to, first, second = (
        sd[..., [getattr(p, k) for p in matrices.products]] for k in ("to", "first", "second")
    )
    return np.asarray(matrices.omega * first * second / to)


def standardised_value(row: "Row", standardised: Matrices) -> Floats:
    """One cell of the standardised solution, as lavaan's std.all column reports it.

    Parameters
    ----------
    row : Row
        A row of the parameter table.
    standardised : Matrices
        What `standardise` returned.

    Returns
    -------
    (...) array
        A covariance comes back as the correlation of the two residuals, a variance as the
        unexplained share, anything else as its cell (the further parameter of an outcome's family
        in its own units).
    """
    if row.matrix in VECTORS:
        vector: Floats = getattr(standardised, row.matrix)
        return vector[..., row.i]
    matrix = _square(standardised, row.matrix)
    cell: Floats = matrix[..., row.i, row.j]
    if row.matrix in ("Psi", "Theta") and row.i != row.j:
        return cell / np.sqrt(matrix[..., row.i, row.i] * matrix[..., row.j, row.j])
    return cell


def decompose(Beta: Floats) -> EffectMatrices:
    r"""Split total effects, :math:`(I-B)^{-1} - I`, into direct (:math:`B`) and indirect ones.

    Parameters
    ----------
    Beta : (..., factor, factor_bis) array
        Paths *to* row *from* column.

    Returns
    -------
    EffectMatrices
        Total and indirect effects of a feedback loop exist only where the loop settles (all
        eigenvalues inside the unit circle, Bollen 1989, p. 381); they are missing in other draws.

    Examples
    --------
    >>> B = np.array([[0, 0, 0], [0.5, 0, 0], [0.25, 0.5, 0]])
    >>> e = decompose(B)
    >>> float(e.total[2, 0]), float(e.indirect[2, 0]), float(e.direct[2, 0])
    (0.5, 0.25, 0.25)
    """
    total = total_effects(Beta) - np.eye(Beta.shape[-1])
    if _has_loop(np.any(Beta != 0, axis=tuple(range(Beta.ndim - 2)))):
        radius = np.abs(np.linalg.eigvals(Beta)).max(-1)
        total = np.where((radius < 1)[..., None, None], total, np.nan)
    return EffectMatrices(Beta, total - Beta, total)


def conditional_paths(
    matrices: Matrices,
    table: "ParameterTable",
    at: Mapping[int, Any] | None = None,
    *,
    model: Implied | None = None,
) -> Floats:
    r"""Paths at stated values of the moderators, (..., factor, factor_bis).

    A product adds :math:`\omega` times the value of one part to the path of the other, and a square
    :math:`2\omega x` to the slope of x: the derivative of the structural equation.

    Parameters
    ----------
    matrices : Matrices
    table : ParameterTable
    at : mapping of int to float or (...) array
        Value by position among the factors: of a latent variable as deviation from its mean (the
        one without products, from which products count), of an observed one as it is. Whatever is
        not named is at its mean.
    model : Implied, optional
        The implied means of these draws, where they are known already.

    Examples
    --------
    >>> from bayesem.model import read_model
    >>> from bayesem.partable import parameter_table
    >>> text = "X =~ x1 + x2; Z =~ z1 + z2; Y =~ y1 + y2; Y ~ X + Z + X:Z"
    >>> table = parameter_table(read_model(text))
    >>> zero = np.zeros((3, 3))
    >>> M = Matrices(np.zeros((6, 3)), zero, np.eye(3), np.eye(6), np.zeros(6), np.zeros(3),
    ...              omega=np.array([0.2]), products=table.products)
    >>> conditional_paths(M, table, {1: 2.0})[2].tolist()
    [0.4, 0.0, 0.0]
    """
    Beta = matrices.Beta
    if not matrices.products:
        return Beta
    model, at, Beta = model or implied(table, matrices), at or {}, Beta.copy()
    for k, product in enumerate(matrices.products):
        for mover, other in ((product.first, product.second), (product.second, product.first)):
            value = at.get(other, (model.mean - model.centre)[..., other])
            Beta[..., product.to, mover] += matrices.omega[..., k] * value
    return Beta


def linked(Beta: Floats, table: "ParameterTable") -> Floats:
    """Paths with those of continuous outcomes to their own observed values, which are 1."""
    found = [(twin, table.outcomes[k]) for twin, k in links(table).items()]
    normal = [(twin, o.factor) for twin, o in found if o.family.code == NORMAL]
    if normal:
        Beta = Beta.copy()
        for twin, outcome in normal:
            Beta[..., twin, outcome] = 1.0
    return Beta


def blocked(table: "ParameterTable") -> np.ndarray:
    """Whose effects pass an outcome of another family, (factor, factor_bis) bool.

    There no product of coefficients is an effect: paths of different scales meet.
    """
    graph = edges(table)
    for twin, k in links(table).items():
        graph[twin, table.outcomes[k].factor] = True
    onward = reach(graph)
    found = np.zeros_like(graph)
    for twin, k in links(table).items():
        if table.outcomes[k].family.code != NORMAL:
            after = onward[:, twin].copy()
            after[twin] = True
            before = onward[table.outcomes[k].factor].copy()
            before[table.outcomes[k].factor] = True
            found |= after[:, None] & before[None]
    return found


def chains(graph: np.ndarray, start: int, end: int) -> Iterator[tuple[int, ...]]:
    """All directed chains between two factors that visit no factor twice.

    Examples
    --------
    >>> graph = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], bool)
    >>> list(chains(graph, 0, 2))
    [(0, 1, 2), (0, 2)]
    """
    useful = _ancestors(graph, end)
    stack: list[tuple[int, ...]] = [(start,)]
    while stack:
        chain = stack.pop()
        if chain[-1] == end and len(chain) > 1:
            yield chain
            continue
        onward = np.flatnonzero(graph[:, chain[-1]] & useful)[::-1]
        stack += [(*chain, int(k)) for k in onward if k not in chain]


def along(Beta: Floats, chain: tuple[int, ...]) -> Floats:
    """Product of the paths along one chain, (...)."""
    steps = [Beta[..., to, source] for source, to in pairwise(chain)]
    return np.prod(np.stack(np.broadcast_arrays(*steps)), axis=0)


def effects(
    fit: Any, *, standardized: bool = False, prob: float = 0.95, paths: bool = True
) -> pd.DataFrame:
    """Direct, indirect and total effects with intervals.

    Parameters
    ----------
    fit : Fit
    standardized : bool
        On the standardised solution (std.all) instead of the reported metric.
    prob : float
        Probability of the central interval.
    paths : bool
        Whether every specific chain gets a row beside the sum of all.

    Returns
    -------
    DataFrame
        ``outcome predictor kind path mean sd lower upper pd``; kind is direct, indirect or total.
        ``path`` is the specific chain (``RSC -> ENA -> EBP``), or ``RSC -> ... -> EBP`` for the
        whole indirect effect.

        With products of factors all effects are slopes where every moderator is at its mean;
        `bayesem.slopes` and `bayesem.conditional_indirect` give them elsewhere. Effects *on* an
        outcome of another family are on its linear predictor. Effects *through* one have no
        product of coefficients and are missing; claims such as ``risk_difference(Y ~ X | 1, -1)``
        and ``do(Y | X = 1)`` integrate over them. ``attrs["notes"]`` says which of these apply.

    Raises
    ------
    ModelError
        If the graph has more chains than can be listed; ``paths=False`` lists none.
    """
    refuse_counts(fit, "Shares have no effects; compare them in claims.")
    table, matrices = fit.table, fit.matrices()
    Beta = linked(conditional_paths(matrices, table), table)
    if standardized:
        Beta = rescaled_paths(Beta, scales(table, matrices))
    found = effect_draws(table, Beta, paths=paths)
    rows = [[*names, *summarise(draws, prob)] for names, draws in found]
    columns = ["outcome", "predictor", "kind", "path", "mean", "sd", "lower", "upper", "pd"]
    out = stamped(pd.DataFrame(rows, columns=columns), fit)
    out.attrs["notes"] = (*out.attrs["notes"], *_effect_notes(table))
    return out


def _effect_notes(table: "ParameterTable") -> Iterator[str]:
    if table.products:
        parts = {at for p in table.products for at, _ in p.parts}
        names = ", ".join(f"`{display_name(table, at)}`" for at in sorted(parts))
        yield f"effects are slopes where the moderators ({names}) are at their means"
    others = [o.name for o in table.outcomes if o.family.code != NORMAL]
    if others:
        names = ", ".join(f"`{name}`" for name in others)
        yield f"effects on {names} are on the linear predictor"
    stop = blocked(table)
    through = [o.name for o in table.outcomes if stop[:, o.factor].any()]
    if through:
        names = ", ".join(f"`{name}`" for name in through)
        yield (
            f"effects through {names} are no product of coefficients and are missing: ask for them "
            "with claims such as `risk_difference(Y ~ X | 1, -1)` or `do(Y | X = 1)`"
        )


def r2(fit: Any, *, prob: float = 0.95) -> pd.DataFrame:
    r"""Explained variance of every predicted factor and every indicator.

    Parameters
    ----------
    fit : Fit
    prob : float
        Probability of the central interval.

    Returns
    -------
    DataFrame
        ``variable kind mean sd lower upper``, kind ``factor`` or ``indicator``:
        :math:`1-\psi_{kk}/\phi_{kk}` and :math:`1-\theta_{ii}/\sigma_{ii}`, products of factors
        included. Of an outcome of another family, the share of its linear predictor's variance
        with the family's own (`bayesem.responses.link_variance`). A factor inside a feedback loop
        has no such share, because its residual is correlated with its predictors; its numbers are
        missing.
    """
    shares = explained_draws(fit.table, fit.matrices())
    rows = [[name, kind, *_spread(share, prob)] for name, kind, share in shares]
    columns = ["variable", "kind", "mean", "sd", "lower", "upper"]
    return stamped(pd.DataFrame(rows, columns=columns), fit)


def explained_draws(
    table: "ParameterTable", matrices: Matrices
) -> Iterator[tuple[str, str, Floats]]:
    """Explained variance of every predicted factor and every indicator, draw by draw.

    Yields
    ------
    str, {"factor", "indicator"}, (...) array
        As `r2` describes them.
    """
    std = standardise(matrices, table)
    graph = edges(table)
    circular = np.diagonal(reach(graph))
    explained = graph.any(1)
    explained[[p.to for p in table.products]] = True
    explained[list(links(table))] = False
    explanation = _explained(table, matrices)
    for k in np.flatnonzero(explained):
        share = np.where(circular[k], np.nan, explanation[..., k])
        yield table.factors[k], "factor", share
    for i, name in enumerate(table.indicators):
        if name not in table.factors:
            yield name, "indicator", 1 - std.Theta[..., i, i]


def _explained(table: "ParameterTable", matrices: Matrices) -> Floats:
    """Share of each factor's variance that is not its residual's nor its family's."""
    Phi = with_responses(table, matrices).Phi
    variance, residual = (np.diagonal(a, axis1=-2, axis2=-1) for a in (Phi, matrices.Psi))
    return np.asarray((variance - residual) / scales(table, matrices) ** 2)


def effect_draws(
    table: "ParameterTable", Beta: Floats, *, paths: bool
) -> Iterator[tuple[list[str], Floats | float]]:
    """Direct, indirect and total effects, draw by draw.

    Yields
    ------
    list of str, (...) array
        Outcome, predictor, kind and path as `effects` names them, and the effect; missing where
        there is no product of coefficients.
    """
    graph, split, stop = edges(table), decompose(Beta), blocked(table)
    products = {p.to for p in table.products}
    outcomes = sorted({r.i for r in table.rows if r.op == "~" and r.matrix == "Beta"} | products)
    predictors = [j for j in range(len(graph)) if j not in {o.factor for o in table.outcomes}]
    onward, budget = reach(graph), MOST_CHAINS
    for i in outcomes:
        for j in (j for j in predictors if j != i and (onward[i, j] or stop[i, j])):
            ends = [display_name(table, i), display_name(table, j)]
            arrow, dots = f"{ends[1]} -> {ends[0]}", f"{ends[1]} -> ... -> {ends[0]}"
            if graph[i, j]:
                yield [*ends, "direct", arrow], Beta[..., i, j]
            through = graph.copy()
            through[i, j] = False
            if stop[i, j] or reach(through)[i, j]:
                for chain in chains(through, j, i) if paths else ():
                    budget = _spend(budget)
                    yield [*ends, "indirect", _chain_text(table, chain)], along(Beta, chain)
                whole = np.nan if stop[i, j] else split.indirect[..., i, j]
                yield [*ends, "indirect", dots], whole
            whole = np.nan if stop[i, j] else split.total[..., i, j]
            yield [*ends, "total", arrow], whole


def _chain_text(table: "ParameterTable", chain: tuple[int, ...]) -> str:
    """A continuous outcome and its observed value are one step for the reader."""
    return " -> ".join(name for name, _ in groupby(display_name(table, k) for k in chain))


def _spend(budget: int) -> int:
    if budget == 0:
        raise ModelError(
            f"the graph has more than {MOST_CHAINS} specific chains.",
            hint="Call with paths=False, or ask for one chain with `indirect(A -> M -> Y)`.",
        )
    return budget - 1


def _spread(draws: Floats, prob: float) -> tuple[float, float, float, float]:
    """Mean, sd and central interval over all draws."""
    lower, upper = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2])
    return float(draws.mean()), float(draws.std(ddof=1)), float(lower), float(upper)


def summarise(draws: Any, prob: float) -> tuple[float, ...]:
    """Mean, sd, central interval and probability of the more probable sign; all may be missing."""
    draws = np.asarray(draws, float)
    if np.isnan(draws).all():
        return (np.nan,) * 5
    pd_ = np.nan if np.isnan(draws).any() else max(np.mean(draws > 0), np.mean(draws < 0))
    return (*_spread(draws, prob), float(pd_))


def _has_loop(graph: np.ndarray) -> bool:
    return bool(np.diagonal(reach(graph)).any())


def _ancestors(graph: np.ndarray, end: int) -> np.ndarray:
    useful: np.ndarray = reach(graph)[end].copy()
    useful[end] = True
    return useful


def _sds(covariance: Floats) -> Floats:
    return np.asarray(np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1)))


def _rescale(matrix: Floats, rows: Floats, columns: Floats) -> Floats:
    """Divide every cell by its row's and its column's scale."""
    return np.asarray(matrix / rows[..., :, None] / columns[..., None, :])


def _square(matrices: Matrices, name: str) -> Floats:
    match name:
        case "Lambda":
            return matrices.Lambda
        case "Beta":
            return matrices.Beta
        case "Psi":
            return matrices.Psi
        case "Theta":
            return matrices.Theta
    raise ModelError(f"`{name}` is not a matrix of the model.")
