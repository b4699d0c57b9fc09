"""Standardised solution, direct, indirect and total effects, and explained variance, draw by draw.

Everything is batched over leading (chain, draw) axes; no function loops over draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.errors import ModelError, NotAvailableError
from bayesem.matrices import Matrices, total_effects
from bayesem.sampling.convergence import stamped

if TYPE_CHECKING:
    from bayesem.partable import ParameterTable, Row

__all__ = [
    "EffectMatrices",
    "chains",
    "decompose",
    "edges",
    "effects",
    "r2",
    "standardise",
    "standardised_value",
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


def standardise(matrices: Matrices) -> Matrices:
    r"""The matrices after every factor and indicator is divided by its own implied sd (std.all).

    Parameters
    ----------
    matrices : Matrices
        Batched over any leading axes, such as (chain, draw).

    Returns
    -------
    Matrices
        :math:`\lambda_{ik}\sqrt{\phi_{kk}/\sigma_{ii}}` and
        :math:`\beta_{kl}\sqrt{\phi_{ll}/\phi_{kk}}`; the diagonals of ``Psi`` and ``Theta`` are
        shares of unexplained variance, intercepts and means are in sds. Off-diagonal cells keep
        the model an identity, so they are covariances of standardised variables; lavaan prints
        residual *correlations* there, and so does `standardised_value`.

    References
    ----------
    .. [1] Bollen (1989), *Structural Equations with Latent Variables*, ch. 8.

    Examples
    --------
    >>> one, zero = np.eye(1), np.zeros((1, 1))
    >>> m = Matrices(np.array([[2.0]]), zero, 4 * one, 9 * one, np.array([5.0]), np.array([0.0]))
    >>> s = standardise(m)
    >>> s.Lambda.tolist(), s.Psi.tolist(), s.Theta.tolist(), s.nu.tolist()
    ([[0.8]], [[1.0]], [[0.36]], [1.0])
    """
    Phi = matrices.Phi
    sd_factor = _sds(Phi)
    sd_indicator = _sds(
        matrices.Lambda @ Phi @ np.swapaxes(matrices.Lambda, -1, -2) + matrices.Theta
    )
    return Matrices(
        Lambda=_rescale(matrices.Lambda, sd_indicator, 1 / sd_factor),
        Beta=_rescale(matrices.Beta, sd_factor, 1 / sd_factor),
        Psi=_rescale(matrices.Psi, sd_factor, sd_factor),
        Theta=_rescale(matrices.Theta, sd_indicator, sd_indicator),
        nu=matrices.nu / sd_indicator,
        alpha=matrices.alpha / sd_factor,
    )


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
        unexplained share, anything else as its cell.
    """
    if row.matrix == "nu":
        return standardised.nu[..., row.i]
    if row.matrix == "alpha":
        return standardised.alpha[..., row.i]
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


def edges(table: "ParameterTable") -> np.ndarray:
    """Which paths the graph has, (factor, factor_bis) bool: *to* row *from* column.

    Loadings of factors on second-order factors count; paths fixed at 0 do not.
    """
    found = np.zeros((len(table.factors),) * 2, bool)
    for row in table.rows:
        if row.matrix == "Beta" and row.value != 0:
            found[row.i, row.j] = True
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

    Raises
    ------
    NotAvailableError
        For a model with products of factors, whose effects depend on the moderator's value.
    ModelError
        If the graph has more chains than can be listed; ``paths=False`` lists none.
    """
    refuse_products(fit.table, "effects of a model with products of factors")
    matrices = fit.matrices()
    Beta = (standardise(matrices) if standardized else matrices).Beta
    rows = list(_effect_rows(fit.table, Beta, prob=prob, paths=paths))
    columns = ["outcome", "predictor", "kind", "path", "mean", "sd", "lower", "upper", "pd"]
    return stamped(pd.DataFrame(rows, columns=columns), fit)


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
        :math:`1-\psi_{kk}/\phi_{kk}` and :math:`1-\theta_{ii}/\sigma_{ii}`. A factor inside a
        feedback loop has no such share, because its residual is correlated with its predictors;
        its numbers are missing.
    """
    refuse_products(fit.table, "explained variance of a model with products of factors")
    table, std = fit.table, standardise(fit.matrices())
    graph = edges(table)
    reach = _reach(graph)
    rows = []
    for k, name in enumerate(table.factors):
        if graph[k].any():
            share = 1 - std.Psi[..., k, k]
            rows.append([name, "factor", *_spread(np.where(reach[k, k], np.nan, share), prob)])
    for i, name in enumerate(table.indicators):
        if name not in table.factors:
            rows.append([name, "indicator", *_spread(1 - std.Theta[..., i, i], prob)])
    columns = ["variable", "kind", "mean", "sd", "lower", "upper"]
    return stamped(pd.DataFrame(rows, columns=columns), fit)


def refuse_products(table: "ParameterTable", what: str) -> None:
    """Say that a capability waits for models with products of factors."""
    if any(":" in row.rhs or row.kind == "interaction" for row in table.rows):
        raise NotAvailableError(f"{what} is not available yet.")


def _effect_rows(
    table: "ParameterTable", Beta: Floats, *, prob: float, paths: bool
) -> Iterator[list[Any]]:
    graph, split, names = edges(table), decompose(Beta), table.factors
    outcomes = sorted({r.i for r in table.rows if r.op == "~" and r.matrix == "Beta"})
    reach, budget = _reach(graph), MOST_CHAINS
    for i in outcomes:
        for j in (j for j in range(len(names)) if j != i and reach[i, j]):
            ends = [names[i], names[j]]
            arrow = f"{names[j]} -> {names[i]}"
            if graph[i, j]:
                yield [*ends, "direct", arrow, *_summary(Beta[..., i, j], prob)]
            through = graph.copy()
            through[i, j] = False
            if _reach(through)[i, j]:
                for chain in chains(through, j, i) if paths else ():
                    budget = _spend(budget)
                    label = " -> ".join(names[k] for k in chain)
                    yield [*ends, "indirect", label, *_summary(along(Beta, chain), prob)]
                label = f"{names[j]} -> ... -> {names[i]}"
                yield [*ends, "indirect", label, *_summary(split.indirect[..., i, j], prob)]
            yield [*ends, "total", arrow, *_summary(split.total[..., i, j], prob)]


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


def _summary(draws: Floats, prob: float) -> tuple[float, ...]:
    pd_ = np.nan if np.isnan(draws).any() else max(np.mean(draws > 0), np.mean(draws < 0))
    return (*_spread(draws, prob), float(pd_))


def _reach(graph: np.ndarray) -> np.ndarray:
    """Which factors lead to which over one or more paths, same orientation as `edges`."""
    reach = graph.copy()
    for k in range(len(graph)):
        reach |= reach[:, [k]] & reach[[k], :]
    return reach


def _has_loop(graph: np.ndarray) -> bool:
    return bool(np.diagonal(_reach(graph)).any())


def _ancestors(graph: np.ndarray, end: int) -> np.ndarray:
    useful: np.ndarray = _reach(graph)[end].copy()
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
