"""What an expression in a claim is: its kind, its scale, and the rope that fits it."""

from functools import reduce
from typing import Any, Final

from bayesem.errors import PropositionError
from bayesem.grammar.statements import (
    Binary,
    Call,
    MeanArgument,
    Name,
    Number,
    SlopeArgument,
    Unary,
    expression_text,
)
from bayesem.partable import twin_of
from bayesem.propositions import Rule
from bayesem.variables import in_own_units

__all__ = ["adds_constant", "kind_of", "raw_part", "rope_width"]

#: Kinds in the order in which they name a sum: ``a*b + c`` is judged as the path that it adds to.
KINDS: Final = ("path", "correlation", "interaction", "indirect")
#: On scales of their own, which are not the standardised one.
PROBABILITY: Final = "probability"
SHARE: Final = "share"
OWN: Final = (PROBABILITY, SHARE)
CONSTANT: Final = "constant"
NO_SCALE: Final = "no scale"


def rope_width(call: Call, table: Any, rule: Rule) -> float:
    """Half-width of the rope for ``null(x)``, by the kind of x."""
    kind = kind_of(call.args[0], table)
    if kind in rule.rope:
        return rule.rope[kind]
    listed = ", ".join(rule.rope)
    what = {CONSTANT: "names no parameter", NO_SCALE: "has no standardised scale"}.get(
        kind, f"is a {kind}, for which the rule has no rope"
    )
    raise PropositionError(
        f"`{expression_text(call.args[0])}` in null() {what}.",
        span=call.span,
        hint=f"There are ropes for: {listed}.",
    )


def kind_of(node: Any, table: Any) -> str:
    """What an expression is on the standardised scale.

    Returns
    -------
    str
        ``path correlation interaction indirect``, ``probability`` (a risk, a difference of risks,
        the mean of a binary outcome), ``share`` (of a count model), ``constant``, or ``no scale``.
        A loading counts as a path; a product of two or more parameters is indirect; a sum takes the
        kind of its leading member, in the order just given.

    Examples
    --------
    >>> from bayesem.grammar.claims import parse_claim
    >>> kind_of(parse_claim("total(A -> Y) > 0").left, None)
    'path'
    """
    match node:
        case Number():
            return CONSTANT
        case Name(text):
            return _kind_of_name(text, table)
        case Unary(_, operand):
            return kind_of(operand, table)
        case Binary(op, left, right):
            return _kind_of_pair(op, kind_of(left, table), kind_of(right, table), right)
        case Call("indirect", _):
            return "indirect"
        case Call("total" | "slope", _):
            return "path"
        case Call("risk_difference", _):
            return PROBABILITY
        case Call("share", _):
            return SHARE
        case Call("mean" | "do", (MeanArgument(outcome),)):
            binary = {o.name for o in table.outcomes if o.family.is_binary}
            return PROBABILITY if outcome in binary else NO_SCALE
        case Call("std" | "abs" | "min" | "max", args):
            return reduce(_leading, (kind_of(arg, table) for arg in args))
    return NO_SCALE


def _kind_of_name(name: str, table: Any) -> str:
    for definition in table.definitions:
        if definition.name == name:
            return kind_of(definition.expression, table)
    kinds = {row.kind for row in table.labels.get(name, ())} or {NO_SCALE}
    kinds = {"path" if kind == "loading" else kind for kind in kinds}
    return reduce(_leading, (kind if kind in KINDS else NO_SCALE for kind in kinds))


def _kind_of_pair(op: str, left: str, right: str, exponent: Any) -> str:
    if op in "+-":
        return _leading(left, right)
    if NO_SCALE in (left, right):
        return NO_SCALE
    if {left, right} & {*OWN} and (op == "^" or CONSTANT not in (left, right)):
        return NO_SCALE
    if op == "^":
        whole = isinstance(exponent, Number) and exponent.value in (1, 2, 3, 4)
        if left == CONSTANT or not whole:
            return CONSTANT if right == left == CONSTANT else NO_SCALE
        return left if exponent.value == 1 else "indirect"
    if CONSTANT in (left, right):
        return NO_SCALE if op == "/" and left == CONSTANT != right else _leading(left, right)
    return "indirect" if op == "*" else NO_SCALE


def _leading(one: str, other: str) -> str:
    own = next((kind for kind in OWN if kind in (one, other)), None)
    if NO_SCALE in (one, other) or (own is not None and not _alike(one, other)):
        return NO_SCALE
    if own is not None:
        return own
    return next((kind for kind in KINDS if kind in (one, other)), CONSTANT)


def _alike(one: str, other: str) -> bool:
    return one == other or CONSTANT in (one, other)


def raw_part(node: Any, table: Any) -> Any:
    """The first part of an expression that is in raw units, or None."""
    match node:
        case Number() | Call("std" | "risk_difference" | "share", _):
            return None
        case Call("mean" | "do", _) if kind_of(node, table) == PROBABILITY:
            return None
        case Call("slope", (SlopeArgument(outcome, predictor),)):
            own = {table.factors[k] for k in in_own_units(table)}
            observed = {outcome, predictor, twin_of(predictor)} & own
            return node if observed else None
        case Unary(_, operand):
            return raw_part(operand, table)
        case Binary(_, left, right):
            return raw_part(left, table) or raw_part(right, table)
        case Call("abs" | "min" | "max", args):
            return next((raw for arg in args if (raw := raw_part(arg, table))), None)
    return node


def adds_constant(node: Any) -> bool:
    """Whether a number other than 0 is added to, or compared with, what the expression names."""
    match node:
        case Number(value):
            return value != 0
        case Unary(_, operand):
            return adds_constant(operand)
        case Binary("+" | "-", left, right):
            return adds_constant(left) or adds_constant(right)
        case Binary(_, left, right):
            return _is_number(left) and _is_number(right)
        case Call("abs" | "min" | "max", args):
            return any(adds_constant(arg) for arg in args)
    return False


def _is_number(node: Any) -> bool:
    match node:
        case Number():
            return True
        case Unary(_, operand):
            return _is_number(operand)
        case Binary(_, left, right):
            return _is_number(left) and _is_number(right)
    return False
