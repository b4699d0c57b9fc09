"""Slopes and chains of paths where moderators have stated values: what claims and tables share.

In conditions, a latent variable is given in model-implied sds from its mean and an observed one in
its own units; whatever is not named is at its mean.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesem.arithmetic import evaluate
from bayesem.arrays import Floats
from bayesem.decomposition import conditional_paths
from bayesem.errors import NotAvailableError, PropositionError
from bayesem.families import NORMAL
from bayesem.grammar.statements import Expression, PathArgument, SlopeArgument, expression_text
from bayesem.implied import Implied
from bayesem.variables import display_name, in_own_units, locate, moderators, structure

if TYPE_CHECKING:
    from bayesem.grammar.tokens import Span
    from bayesem.partable import ParameterTable

__all__ = [
    "Units",
    "chain_steps",
    "condition_values",
    "conditional_slope",
    "ends",
    "number",
    "through_outcome",
    "unit_of",
]

#: ``claim``: factors in sds, observed variables in their own units; ``std``: all in sds.
type Units = Literal["claim", "std", "raw"]


def ends(table: "ParameterTable", argument: SlopeArgument) -> tuple[int, int]:
    """Positions of outcome and predictor of a slope that the model has.

    Raises
    ------
    PropositionError
        For a name, a path or a condition that makes no sense in this model.
    """
    to = locate(table, argument.outcome, argument.span)
    source = locate(table, argument.predictor, argument.span, predicts=True)
    if not structure(table)[to, source]:
        raise no_path(table, source, to, argument.span)
    for name, _ in argument.conditions:
        at = locate(table, name, argument.span, predicts=True)
        if at == source and source not in moderators(table, to, source):
            raise PropositionError(
                f"`{expression_text(argument)}` sets the predictor itself, and its slope is the "
                "same everywhere.",
                span=argument.span,
                hint=f"Only with `{name}:{name}` in the model would it depend on `{name}`.",
                label=name,
            )
        if name == argument.outcome:
            raise PropositionError(
                f"`{expression_text(argument)}` sets the outcome.",
                span=argument.span,
                hint="Set moderators.",
                label=name,
            )
    return to, source


def no_path(table: "ParameterTable", source: int, to: int, span: "Span | None") -> PropositionError:
    """The error for a pair with neither a path nor a product between them."""
    one, other = display_name(table, source), display_name(table, to)
    return PropositionError(
        f"the model has no path {one} -> {other}.",
        span=span,
        hint=f"`{other} ~ {one}` would be one.",
    )


def condition_values(
    model: Implied, conditions: tuple[tuple[str, Expression], ...], span: "Span | None"
) -> dict[int, Any]:
    """Values of moderators as :func:`bayesem.decomposition.conditional_paths` takes them."""
    return {
        locate(model.table, name, span, predicts=True): model.deviation(
            locate(model.table, name, span, predicts=True), number(node)
        )
        for name, node in conditions
    }


def number(node: Expression) -> float:
    """The value of a condition, which is arithmetic on numbers."""
    with np.errstate(all="ignore"):
        value = float(evaluate(node, {}))
    if not np.isfinite(value):
        raise PropositionError(
            f"`{expression_text(node)}` is not a finite number.",
            span=node.span,
            hint="A value at which to look is a number such as 1 or -0.5.",
        )
    return value


def conditional_slope(
    model: Implied, to: int, source: int, at: Mapping[int, Any], units: Units = "claim"
) -> Floats:
    """Slope of one variable on another at values of the moderators, (...).

    Parameters
    ----------
    model : Implied
    to, source : int
        Positions among the factors.
    at : mapping of int to value
        As :func:`bayesem.decomposition.conditional_paths` takes it.
    units : {"claim", "std", "raw"}
    """
    paths = conditional_paths(model.matrices, model.table, at, model=model)
    return np.asarray(paths[..., to, source] * unit_of(model, to, source, units))


def unit_of(model: Implied, to: int, source: int, units: Units) -> Any:
    """What an effect of one variable on another is multiplied by to be in these units."""
    own = in_own_units(model.table) if units == "claim" else frozenset()
    if units == "raw":
        return 1.0
    above = 1.0 if source in own else model.sd[..., source]
    return above / (1.0 if to in own else model.sd[..., to])


def chain_steps(table: "ParameterTable", argument: PathArgument) -> Iterator[tuple[int, int]]:
    """Positions (to, source) of every step of a chain that the model has.

    Raises
    ------
    PropositionError
        For a name or a path that the model does not have.
    NotAvailableError
        For a chain through an outcome of another family.
    """
    for name in argument.nodes[1:-1]:
        for outcome in table.outcomes:
            if outcome.name == name and outcome.family.code != NORMAL:
                raise through_outcome(name, outcome.family.name, argument)
    for before, after in pairwise(argument.nodes):
        source = locate(table, before, argument.span, predicts=True)
        to = locate(table, after, argument.span)
        if not structure(table)[to, source]:
            raise no_path(table, source, to, argument.span)
        yield to, source


def through_outcome(name: str, family: str, argument: PathArgument) -> NotAvailableError:
    """The error for a product of coefficients that would be no effect."""
    start, end = argument.nodes[0], argument.nodes[-1]
    return NotAvailableError(
        f"the effect of `{start}` on `{end}` passes `{name}`, which is {family}: products of "
        "coefficients are effects on linear paths only.",
        span=argument.span,
        hint=f"Compare interventions: `do({end} | {start} = 1) - do({end} | {start} = -1)`.",
    )
