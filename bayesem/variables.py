"""Which variable a name means, and which lead to which, products and mediating outcomes included.

An outcome of another family stands twice among the factors: its linear predictor, which others
explain, and its observed value (the *twin*), which explains others.
"""

from typing import TYPE_CHECKING

import numpy as np

from bayesem.errors import PropositionError, did_you_mean
from bayesem.families import NORMAL
from bayesem.partable import twin_of

if TYPE_CHECKING:
    from bayesem.grammar.tokens import Span
    from bayesem.partable import ParameterTable

__all__ = [
    "ancestors",
    "display_name",
    "edges",
    "in_own_units",
    "links",
    "locate",
    "moderators",
    "reach",
    "structure",
]


def locate(
    table: "ParameterTable", name: str, span: "Span | None" = None, *, predicts: bool = False
) -> int:
    """Position of a variable among the factors.

    Parameters
    ----------
    table : ParameterTable
    name : str
    span : Span, optional
        Where the name is written.
    predicts : bool
        Whether the variable is looked for as a predictor: an outcome is then its observed value.

    Raises
    ------
    PropositionError
        If the model has no such variable.
    """
    if predicts and twin_of(name) in table.factors:
        return int(table.factors.index(twin_of(name)))
    if name in table.factors:
        return int(table.factors.index(name))
    raise PropositionError(
        f"`{name}` is not a factor, nor an observed variable with a path of its own.",
        span=span,
        hint=did_you_mean(name, table.factors),
        label=name,
    )


def display_name(table: "ParameterTable", position: int) -> str:
    """The user's name of a variable: an outcome has one, however it is looked at."""
    twins = {twin_of(o.name): o.name for o in table.outcomes}
    name = table.factors[position]
    return twins.get(name, name)


def links(table: "ParameterTable") -> dict[int, int]:
    """Which outcome (its number) the observed value at a position belongs to."""
    names = {twin_of(o.name): k for k, o in enumerate(table.outcomes)}
    return {at: names[name] for at, name in enumerate(table.factors) if name in names}


def in_own_units(table: "ParameterTable") -> frozenset[int]:
    """Positions of observed variables: slopes are in their own units, not in sds."""
    observed = {table.factors.index(name) for name in table.phantoms}
    return frozenset(observed | {o.factor for o in table.outcomes if o.family.code == NORMAL})


def structure(table: "ParameterTable") -> np.ndarray:
    """What depends on what at all, (factor, factor_bis) bool: *to* row *from* column.

    Loadings of factors on second-order factors count, products for both parts, and outcomes for
    their own observed values; what is fixed at 0 does not.
    """
    found = _paths(table)
    for row in table.rows:
        if row.matrix == "omega" and row.value != 0:
            p = table.products[row.i]
            found[p.to, [p.first, p.second]] = True
    for twin, k in links(table).items():
        found[twin, table.outcomes[k].factor] = True
    return found


def edges(table: "ParameterTable") -> np.ndarray:
    """Which paths the graph has at the mean of all variables, (factor, factor_bis) bool.

    As in `structure`, but a product is a path of one part only where the mean of the other is not
    its 0: where that is observed, or follows from another product or from an outcome. Only
    continuous outcomes lead to their own observed values.
    """
    found = _paths(table)
    after = reach(structure(table)) | np.eye(len(found), dtype=bool)
    sources = [p.to for p in table.products] + list(links(table))
    moved = after[:, sources].any(1)
    for row in table.rows:
        if row.matrix == "omega" and row.value != 0:
            p = table.products[row.i]
            found[p.to, p.first] |= p.raw_second or moved[p.second]
            found[p.to, p.second] |= p.raw_first or moved[p.first]
    for twin, k in links(table).items():
        found[twin, table.outcomes[k].factor] = table.outcomes[k].family.code == NORMAL
    return found


def _paths(table: "ParameterTable") -> np.ndarray:
    found = np.zeros((len(table.factors),) * 2, bool)
    for row in table.rows:
        if row.matrix == "Beta" and row.value != 0:
            found[row.i, row.j] = True
    return found


def moderators(table: "ParameterTable", to: int, source: int) -> tuple[int, ...]:
    """Positions of the variables that the path between two others depends on."""
    found: list[int] = []
    for row in table.rows:
        if row.matrix == "omega" and row.value != 0 and table.products[row.i].to == to:
            p = table.products[row.i]
            if source in (p.first, p.second):
                found.append(p.second if p.first == source else p.first)
    return tuple(dict.fromkeys(found))


def reach(graph: np.ndarray) -> np.ndarray:
    """Which variables lead to which over one or more paths, same orientation as `edges`."""
    found = graph.copy()
    for k in range(len(graph)):
        found |= found[:, [k]] & found[[k], :]
    return found


def ancestors(graph: np.ndarray, *ends: int) -> set[int]:
    """Some variables and whatever leads to them."""
    return set(ends) | set(np.flatnonzero(reach(graph)[list(ends)].any(0)).tolist())
