"""Which part of a model a question is about, and whether its answer has a closed form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import NotAvailableError
from bayesem.families import NORMAL
from bayesem.implied import Implied
from bayesem.variables import ancestors, display_name, links, reach, structure

if TYPE_CHECKING:
    from bayesem.partable import ParameterTable

__all__ = ["Plan", "Question", "plan_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Of which variable, and under what.

    Attributes
    ----------
    target : int
        Position among the factors.
    put : mapping of int to (...) array
        Variables that are set, in their own units.
    given : mapping of int to (...) array
        Variables that are known, in their own units.
    rows : (case, x) array, optional
        Observed predictors to average over, in the order of ``x``; without them they are taken as
        normal with the model's moments.
    x : tuple of int
        Their positions.
    """

    target: int
    put: Mapping[int, Floats] = field(default_factory=dict)
    given: Mapping[int, Floats] = field(default_factory=dict)
    rows: Floats | None = None
    x: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The part of the graph that a question is about; positions in ``nodes`` unless it says so.

    Attributes
    ----------
    nodes : tuple of int
        Positions among the factors: those that matter to the target come first, causes before
        effects and the target last of them; then those that matter to what is given only.
    size : int
        How many matter to the target.
    graph : (size, size) bool array
    products : tuple of (int, int, int, int)
        Number of the product, and positions of its outcome and its two parts.
    twins : mapping of int to (int, int)
        Observed values of outcomes that have to be drawn: the outcome's number and the position of
        its linear predictor.
    equal : tuple of (int, int)
        Observed values that are their linear predictors.
    x : tuple of (int, int)
        Positions of observed predictors, and their columns in the rows.
    ordered : bool
        Whether there is no feedback.
    nested : bool
        Whether a part of a product depends on another product.
    outcome : int
        The number of the target among the outcomes, where that is asked.
    """

    nodes: tuple[int, ...]
    size: int
    graph: np.ndarray
    products: tuple[tuple[int, int, int, int], ...]
    twins: Mapping[int, tuple[int, int]]
    equal: tuple[tuple[int, int], ...]
    x: tuple[tuple[int, int], ...]
    ordered: bool
    nested: bool
    outcome: int = -1

    @property
    def target(self) -> int:
        """Position of the target."""
        return self.size - 1


def plan_of(model: Implied, question: Question) -> Plan:
    """What matters to a question.

    Raises
    ------
    NotAvailableError
        If what is given is not jointly normal with the rest.
    """
    table = model.table
    graph = structure(table)
    graph[list(question.put)] = False
    for known in question.given:
        _check_given(model, graph, known)
    mine = ancestors(graph, question.target)
    first = _sorted(graph, mine, question.target)
    others = ancestors(graph, *question.given) - mine if question.given else set()
    at = {k: j for j, k in enumerate((*first, *sorted(others)))}
    products = tuple(_products(table, question, at))
    twins, equal = _observed_values(table, question, at)
    local = graph[np.ix_(first, first)]
    after = reach(local) | np.eye(len(first), dtype=bool)
    fed = [to for _, to, _, _ in products]
    parts = [part for _, _, *both in products for part in both]
    return Plan(
        tuple(at), len(first), local, products, twins, equal,
        tuple((at[k], c) for c, k in enumerate(question.x) if k in at and k not in question.put),
        not np.diagonal(reach(local)).any(), bool(after[np.ix_(parts, fed)].any()),
    )  # fmt: skip


def _products(
    table: "ParameterTable", question: Question, at: Mapping[int, int]
) -> Iterator[tuple[int, int, int, int]]:
    """The products on the way to the target."""
    fixed = {row.i for row in table.rows if row.matrix == "omega" and row.value == 0}
    for k, p in enumerate(table.products):
        if p.to in at and p.to not in question.put and k not in fixed:
            yield k, at[p.to], at[p.first], at[p.second]


def _observed_values(
    table: "ParameterTable", question: Question, at: Mapping[int, int]
) -> tuple[dict[int, tuple[int, int]], tuple[tuple[int, int], ...]]:
    """Observed values of outcomes that have to be drawn, and those that are their predictors."""
    drawn, equal = {}, []
    for twin, k in links(table).items():
        if twin in at and twin not in question.put:
            outcome = table.outcomes[k]
            if outcome.family.code == NORMAL:
                equal.append((at[twin], at[outcome.factor]))
            else:
                drawn[at[twin]] = (k, at[outcome.factor])
    return drawn, tuple(equal)


def _check_given(model: Implied, graph: np.ndarray, at: int) -> None:
    """What is known must be jointly normal with what is not."""
    table = model.table
    above = ancestors(graph, at)
    odd = {p.to for p in table.products} | {
        t for t, k in links(table).items() if table.outcomes[k].family.code != NORMAL
    }
    if above & odd:
        name = display_name(table, at)
        why = "products of factors" if above & {p.to for p in table.products} else "an outcome"
        raise NotAvailableError(
            f"`mean(...)` given `{name}` is not available: `{name}` depends on {why}, so it is "
            "not jointly normal with the other variables.",
            hint=f"`do(... | {name} = 1)` sets it instead.",
        )


def _sorted(graph: np.ndarray, nodes: set[int], target: int) -> tuple[int, ...]:
    """Causes before effects, the target last; any order where there is feedback."""
    above = reach(graph)
    rest = sorted(nodes - {target}, key=lambda k: (int(above[k, sorted(nodes)].sum()), k))
    return (*rest, target)
