"""Constraints on labels, as ``sum(coefficient * label) + constant`` equal to or above 0."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bayesem.errors import ConstraintError, did_you_mean
from bayesem.grammar.statements import Binary, Constraint, Expression, Name, Number, Unary
from bayesem.grammar.tokens import Span

__all__ = ["LinearConstraint", "LinearForm", "linear_constraints", "linear_form"]


@dataclass(frozen=True, slots=True)
class LinearForm:
    """A linear expression in labels."""

    weights: tuple[tuple[str, float], ...]
    constant: float

    def scaled(self, factor: float) -> "LinearForm":
        """The form times a number."""
        weights = tuple((k, w * factor) for k, w in self.weights)
        return LinearForm(weights, self.constant * factor)

    def plus(self, other: "LinearForm") -> "LinearForm":
        """The sum of two forms, without labels that cancel."""
        total = dict(self.weights)
        for name, weight in other.weights:
            total[name] = total.get(name, 0.0) + weight
        kept = tuple((k, w) for k, w in total.items() if w != 0)
        return LinearForm(kept, self.constant + other.constant)


@dataclass(frozen=True, slots=True)
class LinearConstraint:
    """``form == 0`` or ``form > 0``."""

    op: Literal["==", ">"]
    form: LinearForm
    span: Span | None = field(default=None, compare=False, repr=False)


def linear_form(node: Expression, span: Span | None) -> LinearForm:
    """An expression as a linear form.

    Raises
    ------
    ConstraintError
        If a label is multiplied by, or divides, another one, or stands inside a function.
    """
    match node:
        case Number(value=value):
            return LinearForm((), value)
        case Name(text=text):
            return LinearForm(((text, 1.0),), 0.0)
        case Unary(operand=operand):
            return linear_form(operand, span).scaled(-1.0)
        case Binary(op="+", left=left, right=right):
            return linear_form(left, span).plus(linear_form(right, span))
        case Binary(op="-", left=left, right=right):
            return linear_form(left, span).plus(linear_form(right, span).scaled(-1.0))
        case Binary(op="*", left=left, right=right):
            return _product(linear_form(left, span), linear_form(right, span), span)
        case Binary(op="/", left=left, right=right):
            divisor = linear_form(right, span)
            if not divisor.weights and divisor.constant != 0:
                return linear_form(left, span).scaled(1 / divisor.constant)
    raise _not_linear(span)


def linear_constraints(
    constraints: Iterable[Constraint], kinds: Mapping[str, str]
) -> tuple[LinearConstraint, ...]:
    """All constraints of a model, checked against the labels that its parameters carry.

    Parameters
    ----------
    constraints : iterable of Constraint
    kinds : mapping of str to str
        The kind of parameter by label.

    Raises
    ------
    ConstraintError
        For an unknown label, a constraint that is not linear, names no label, or cannot hold.
    """
    return tuple(_one(c, kinds) for c in constraints)


def _one(constraint: Constraint, kinds: Mapping[str, str]) -> LinearConstraint:
    span = constraint.span
    left, right = linear_form(constraint.left, span), linear_form(constraint.right, span)
    if constraint.op == "<":
        left, right = right, left
    form = left.plus(right.scaled(-1.0))
    for name, _ in (*left.weights, *right.weights):
        if name not in kinds:
            raise ConstraintError(
                f"`{name}` is not a label of the model.",
                span=span,
                hint=did_you_mean(name, list(kinds)) or "Constraints hold between labels.",
            )
    if not all(math.isfinite(w) for w in (form.constant, *(w for _, w in form.weights))):
        raise ConstraintError(
            "the constraint has a number that is not finite.",
            span=span,
            hint="Write smaller numbers.",
        )
    if not form.weights:
        raise ConstraintError(
            "the constraint restricts nothing: no label is left in it.",
            span=span,
            hint="Compare a label with a number or with another label.",
        )
    return LinearConstraint("==" if constraint.op == "==" else ">", form, span)


def _product(left: LinearForm, right: LinearForm, span: Span | None) -> LinearForm:
    if left.weights and right.weights:
        raise _not_linear(span)
    return right.scaled(left.constant) if not left.weights else left.scaled(right.constant)


def _not_linear(span: Span | None) -> ConstraintError:
    return ConstraintError(
        "the constraint is not linear in the labels.",
        span=span,
        hint="Linear ones work, such as `a == 2*b`, `a > b + 0.1`. For products define a parameter "
        "with `:=` and state a proposition about it.",
    )
