"""How a model with products or outcomes is integrated: which factors are early, late, or sampled.

See :mod:`bayesem.kernels.cases` for what the parts mean.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bayesem.families import NORMAL
from bayesem.partable import ParameterTable

__all__ = ["Split", "cover_of", "split"]


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of factors and indicators by their part in the integral.

    Attributes
    ----------
    late : tuple of int
        Factors that depend on a product, and linear predictors of outcomes.
    into : tuple of int
        Early factors that late ones depend on.
    tied : tuple of int
        Early factors whose residuals are correlated with those of late ones.
    copies : tuple of int
        Positions in ``into`` of early factors that load on late indicators.
    early_y, late_y : tuple of int
        Indicators of early factors only, and of late ones.
    cover : tuple of (int, bool)
        Position in ``into`` of one factor of each product, and whether it is observed; the latent
        ones come first.
    products : tuple of (int, int, int, bool)
        Position of the outcome in ``late``, of the one part in ``cover``, of the other in ``into``,
        and whether that other is observed.
    reason : str
        Why the late factors cannot be integrated in closed form given the cover; empty if they can.
    """

    late: tuple[int, ...]
    into: tuple[int, ...]
    tied: tuple[int, ...]
    copies: tuple[int, ...]
    early_y: tuple[int, ...]
    late_y: tuple[int, ...]
    cover: tuple[tuple[int, bool], ...]
    products: tuple[tuple[int, int, int, bool], ...]
    reason: str = ""

    @property
    def dimensions(self) -> int:
        """How many latent scores have to be integrated by nodes or sampled."""
        return sum(not raw for _, raw in self.cover)


def split(table: ParameterTable) -> Split:
    """Sort the factors of a model.

    Parameters
    ----------
    table : ParameterTable
    """
    Beta = _nonzero(table, "Beta", len(table.factors))
    Psi = _symmetric(table, "Psi", len(table.factors))
    Theta = _symmetric(table, "Theta", len(table.indicators))
    Lambda = np.zeros((len(table.indicators), len(table.factors)), bool)
    for name in table.phantoms:
        Lambda[table.indicators.index(name), table.factors.index(name)] = True
    for r in table.rows:
        if r.matrix == "Lambda" and r.value != 0:
            Lambda[r.i, r.j] = True
    outcomes = [o.factor for o in table.outcomes]
    late = sorted(_closed({*outcomes, *(p.to for p in table.products)}, Beta))
    early = [k for k in range(len(table.factors)) if k not in late]
    tied = _component([k for k in early if Psi[k, late].any()], Psi[np.ix_(early, early)], early)
    late_y = _closed(np.flatnonzero(Lambda[:, late].any(1)).tolist(), Theta)
    early_y = [k for k in range(len(table.indicators)) if k not in late_y]
    crossing = [k for k in early if Lambda[sorted(late_y), k].any()]
    parts = {at for p in table.products for at, _ in p.parts}
    reason = _reason(table, parts & set(late))
    into = sorted(
        {k for k in early if Beta[late, k].any() or Beta[tied, k].any()}
        | set(tied) | set(crossing) | (parts - set(late))
    )  # fmt: skip
    cover = cover_of(table)
    products = []
    for p in table.products if not reason else ():
        (x, _), (b, raw) = p.parts if p.parts[0] in cover else p.parts[::-1]
        products.append((late.index(p.to), [at for at, _ in cover].index(x), into.index(b), raw))
    return Split(
        tuple(late), tuple(into), tuple(tied), tuple(into.index(k) for k in crossing),
        tuple(early_y), tuple(sorted(late_y)),
        tuple((into.index(k), raw) for k, raw in cover) if not reason else (), tuple(products),
        reason,
    )  # fmt: skip


def cover_of(table: ParameterTable) -> tuple[tuple[int, bool], ...]:
    """The fewest latent factors, with observed ones, that have a part in every product.

    Returns
    -------
    tuple of (int, bool)
        Position among the factors and whether it is observed; latent ones first.
    """
    raw = {at for p in table.products for at, observed in p.parts if observed}
    pairs = [(p.first, p.second) for p in table.products if not {p.first, p.second} & raw]
    names = sorted({k for pair in pairs for k in pair})
    chosen: tuple[int, ...] = ()
    for size in range(len(names) + 1):
        found = [c for c in combinations(names, size) if all(set(c) & set(p) for p in pairs)]
        if found:
            chosen = found[0]
            break
    observed = {
        next(at for at, is_raw in p.parts if is_raw)
        for p in table.products
        if {p.first, p.second} & raw
    }
    return (*((k, False) for k in chosen), *((k, True) for k in sorted(observed)))


def _reason(table: ParameterTable, nested: set[int]) -> str:
    others = [o for o in table.outcomes if o.family.code != NORMAL]
    if len(others) > 1:
        names = ", ".join(f"`{o.name}`" for o in others)
        return f"{names} depend on each other given the answers"
    if nested:
        return f"`{table.factors[min(nested)]}` is part of a product and depends on another one"
    return ""


def _nonzero(table: ParameterTable, matrix: str, size: int) -> np.ndarray:
    out = np.zeros((size, size), bool)
    for r in table.rows:
        if r.matrix == matrix and r.value != 0:
            out[r.i, r.j] = True
    return out


def _symmetric(table: ParameterTable, matrix: str, size: int) -> np.ndarray:
    out = _nonzero(table, matrix, size)
    out |= out.T
    np.fill_diagonal(out, False)
    return out


def _closed(start: Iterable[int], edges: np.ndarray) -> set[int]:
    """Whatever can be reached: ``edges[to, source]``."""
    reached = set(start)
    while True:
        more = set(np.flatnonzero(edges[:, sorted(reached)].any(1)).tolist()) if reached else set()
        if more <= reached:
            return reached
        reached |= more


def _component(start: list[int], edges: np.ndarray, names: list[int]) -> list[int]:
    inside = _closed([names.index(k) for k in start], edges)
    return sorted(names[k] for k in inside)
