"""Labels and their constraints: which parameters are one, and what bounds or determines them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayesem.errors import ConstraintError, NotAvailableError
from bayesem.linear import LinearConstraint
from bayesem.partable import ParameterTable, Row, check_kinds

__all__ = ["Plan", "constraint_plan", "merge", "sign_bounds", "variable_of"]

_INF = math.inf


def variable_of(row: Row, table: ParameterTable) -> str:
    """A covariance whose label is shared is sampled as a covariance, otherwise as a correlation."""
    if row.kind != "correlation":
        return row.kind
    shared = row.label is not None and len(table.labels[row.label]) > 1
    return "covariance" if shared else "correlation"


@dataclass(frozen=True, slots=True)
class Plan:
    """Bounds by label, and the labels that other labels determine."""

    bounds: Mapping[str, tuple[float, float]]
    solved: Mapping[str, LinearConstraint]


def merge(table: ParameterTable) -> ParameterTable:
    """Carry out the constraints that say `a == b` or `a == 2`: one label, or one value."""
    rows, left = table.rows, []
    rename: dict[str, str] = {}

    def current(label: str) -> str:
        while label in rename:
            label = rename[label]
        return label

    values: dict[str, float] = {}
    for c in table.constraints:
        total: dict[str, float] = {}
        for k, w in c.form.weights:
            total[current(k)] = total.get(current(k), 0.0) + w
        weights = {k: w for k, w in total.items() if w != 0}
        form = replace(c.form, weights=tuple(weights.items()))
        if not weights:
            _check_holds(c, form.constant)
        elif c.op == "==" and len(weights) == 1:
            ((label, w),) = weights.items()
            value = -form.constant / w
            if values.setdefault(label, value) != value:
                raise ConstraintError(f"`{label}` is set to two different values.", span=c.span)
        elif (
            c.op == "==" and len(weights) == 2 and form.constant == 0 and sum(weights.values()) == 0
        ):
            keep, gone = weights
            rename[gone] = keep
        else:
            left.append(replace(c, form=form))
    rows = tuple(replace(r, label=current(r.label)) if r.label else r for r in rows)
    rows = tuple(_fixed(r, values) for r in rows)
    fixed = {r.label: r.value for r in rows if r.label and r.value is not None}
    left = [_substitute(c, fixed) for c in left]
    aliases = tuple((gone, current(gone)) for gone in rename)
    merged = replace(
        table, rows=rows, constraints=tuple(c for c in left if c.form.weights), aliases=aliases
    )
    for label, rows_of in merged.labels.items():
        check_kinds(label, rows_of)
        if len({r.value for r in rows_of}) > 1:
            raise ConstraintError(
                f"`{rows_of[0].label}` is equal to a parameter that is fixed elsewhere.",
                span=rows_of[0].span,
            )
    return merged


def _check_holds(c: LinearConstraint, constant: float) -> None:
    if not (constant == 0 if c.op == "==" else constant > 0):
        raise ConstraintError("the constraint cannot hold.", span=c.span, hint="Take it out.")


def _fixed(row: Row, values: Mapping[str, float]) -> Row:
    if row.label is None or row.label not in values:
        return row
    value = values[row.label]
    if row.kind in ("residual_sd", "factor_sd") and value < 0:
        raise ConstraintError(f"the variance `{row.label}` is set to {value:g}.", span=row.span)
    if row.value is not None and row.value != value:
        raise ConstraintError(
            f"`{row.label}` is fixed at {row.value:g} and constrained to be {value:g}.",
            span=row.span,
        )
    return replace(row, value=value)


def _substitute(c: LinearConstraint, fixed: Mapping[str, float]) -> LinearConstraint:
    """Labels that are fixed are numbers."""
    constant = c.form.constant + sum(w * fixed[k] for k, w in c.form.weights if k in fixed)
    weights = tuple((k, w) for k, w in c.form.weights if k not in fixed)
    if not weights:
        _check_holds(c, constant)
    return replace(c, form=replace(c.form, weights=weights, constant=constant))


def constraint_plan(table: ParameterTable) -> Plan:
    """Sort the remaining constraints into bounds of one label and systems of several."""
    bounds: dict[str, tuple[float, float]] = {}
    several: list[LinearConstraint] = []
    for c in table.constraints:
        if len(c.form.weights) > 1:
            several.append(_on_sds(c, table))
            continue
        ((label, w),) = c.form.weights
        limit = -c.form.constant / w
        low, high = bounds.get(label, (-_INF, _INF))
        bounds[label] = (max(low, limit), high) if w > 0 else (low, min(high, limit))
        if bounds[label][0] >= bounds[label][1]:
            raise ConstraintError(f"the constraints leave no value for `{label}`.", span=c.span)
    solved: dict[str, LinearConstraint] = {}
    used: set[str] = set()
    for c in several:
        pivot = next(
            (k for k, _ in c.form.weights if k not in used and k not in solved and k not in bounds),
            None,
        )
        if pivot is None:
            raise NotAvailableError(
                "the constraints are too entangled: each needs a label of its own to solve for.",
                span=c.span,
                hint="State the weaker ones as propositions instead.",
            )
        used |= {k for k, _ in c.form.weights}
        solved[pivot] = c
    return Plan(bounds, solved)


def _on_sds(c: LinearConstraint, table: ParameterTable) -> LinearConstraint:
    """Variances are sampled as standard deviations: `v1 > 2*v2` holds between their roots."""
    kinds = {variable_of(table.labels[k][0], table) for k, _ in c.form.weights}
    if not kinds & {"residual_sd", "factor_sd", "correlation", "covariance"}:
        return c
    signs = sorted(np.sign(w) for _, w in c.form.weights)
    if kinds <= {"residual_sd", "factor_sd"} and signs == [-1, 1] and c.form.constant == 0:
        roots = tuple((k, float(np.sign(w) * math.sqrt(abs(w)))) for k, w in c.form.weights)
        return replace(c, form=replace(c.form, weights=roots))
    raise NotAvailableError(
        "constraints between (co)variances are available only between two variances, such as "
        "`v1 > v2` or `v1 == 2*v2`.",
        span=c.span,
        hint="State it as a proposition instead.",
    )


def sign_bounds(row: Row, low: float, high: float) -> tuple[float, float]:
    if all(b in (-_INF, 0.0, _INF) for b in (low, high)):
        return low, high
    raise NotAvailableError(
        f"the covariance `{row.label}` can only be bounded by 0: it is sampled as a correlation.",
        span=row.span,
        hint="Give a prior on the correlation, or state a proposition about it.",
    )
