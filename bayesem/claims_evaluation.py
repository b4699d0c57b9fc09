"""Claims on draws: what a claim's tree is worth in every posterior or prior draw.

A claim is a tree of the grammar's nodes, so nothing in it can run code. Names of earlier
propositions are put in place, ``not`` is pushed inwards, and what remains is a conjunction or
disjunction of comparisons and of ``null(x)``, each of which is true or false in a draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

import numpy as np

from bayesem.arithmetic import FUNCTIONS, OPERATORS, apply_function
from bayesem.arrays import Floats
from bayesem.claim_counts import CountScope, count_scope
from bayesem.claim_kinds import adds_constant, kind_of, raw_part, rope_width
from bayesem.conditional import (
    chain_steps,
    condition_values,
    conditional_slope,
    ends,
    through_outcome,
)
from bayesem.counts.fit import CountFit
from bayesem.decomposition import (
    blocked,
    conditional_paths,
    decompose,
    linked,
    rescaled_paths,
    standardise,
    standardised_value,
)
from bayesem.errors import NotAvailableError, PropositionError, did_you_mean
from bayesem.gcomputation import contrast, covariates, expectation, intervention
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import (
    And,
    Argument,
    Binary,
    Call,
    Chain,
    Comparison,
    Expression,
    LevelsArgument,
    MeanArgument,
    Name,
    Not,
    Number,
    Or,
    PathArgument,
    SlopeArgument,
    Unary,
    expression_text,
)
from bayesem.implied import Implied, implied
from bayesem.matrices import Matrices
from bayesem.propositions import Rule
from bayesem.variables import display_name, locate, moderators, reach, structure

__all__ = [
    "AnyScope",
    "Scope",
    "difference",
    "evaluate",
    "holds",
    "idle_conditions",
    "normal_form",
    "null_value",
    "scope",
    "standardised_difference",
    "unnamed_moderators",
]

#: What a normal form is made of.
type Atom = Comparison | Call | Not
type Form = Atom | And | Or

FLIPPED: Final = {">": "<=", "<": ">=", ">=": "<", "<=": ">"}
COMPARE: Final = {
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
CONTRASTS: Final = ("risk_ratio", "risk_difference", "time_ratio")
INTEGRATED: Final = (*CONTRASTS, "mean", "do")


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Everything a claim can name, in one set of draws.

    Attributes
    ----------
    table : ParameterTable
    draws : mapping of str to (chain, draw) array
        Labels and defined parameters.
    matrices, standardised : Matrices
        Batched over (chain, draw).
    implied : Implied
        Means and sds of the factors.
    rows : (case, x) array or None
        The sample's observed predictors, over which g-computation averages.
    known : dict
        What was computed before, integrals and effects: they are asked for several times.
    """

    table: Any
    draws: Mapping[str, Floats]
    matrices: Matrices
    standardised: Matrices
    implied: Implied
    rows: Floats | None = None
    known: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of chains and draws."""
        return self.matrices.Beta.shape[:-2]


#: What claims can name: parameters of a survey model, or shares of a count model.
type AnyScope = Scope | CountScope


def scope(fit: Any, group: str = "posterior") -> Any:
    """Collect what claims can name from a fit's draws: of theme counts a `CountScope`.

    Parameters
    ----------
    fit : Fit or CountFit
    group : {"posterior", "prior"}

    Raises
    ------
    PropositionError
        If the fit has no such draws.
    """
    if group not in fit.draws.children:
        raise PropositionError(f"the fit has no {group} draws, so it cannot be assessed.")
    if isinstance(fit, CountFit):
        return count_scope(fit, group)
    tree = fit.draws[group]
    draws = {
        str(name): values.transpose("chain", "draw").to_numpy()
        for name, values in tree.data_vars.items()
        if set(values.dims) == {"chain", "draw"}
    }
    matrices = fit.matrices(group)
    return Scope(
        fit.table, draws, matrices, standardise(matrices, fit.table),
        implied(fit.table, matrices), covariates(fit),
    )  # fmt: skip


# --- normal form --------------------------------------------------------------------------------


def normal_form(claim: Any, earlier: Mapping[str, Any], *, negated: bool = False) -> Form:
    """Put earlier propositions in place, push ``not`` inwards and flatten.

    Parameters
    ----------
    claim : Claim
    earlier : mapping of str to Claim
        Propositions that stood before this one.
    negated : bool
        Whether the opposite of the claim is wanted.

    Examples
    --------
    >>> a, zero = Name("a"), Number(0.0)
    >>> both = And((Comparison(">", a, zero), Name("P1")))
    >>> expression_text(normal_form(Not(both), {"P1": Comparison("<", a, zero)}))
    'a <= 0 or a >= 0'
    """
    match claim:
        case Name(text):
            return normal_form(_earlier(claim, earlier), _before(text, earlier), negated=negated)
        case Not(part):
            return normal_form(part, earlier, negated=not negated)
        case Comparison(op, left, right):
            return Comparison(FLIPPED[op], left, right, claim.span) if negated else claim
        case Call("null", _):
            return Not(claim, claim.span) if negated else claim
        case Chain(parts) | And(parts):
            return _joined(Or if negated else And, parts, earlier, negated=negated)
        case Or(parts):
            return _joined(And if negated else Or, parts, earlier, negated=negated)
    raise PropositionError(
        f"`{expression_text(claim)}` is neither true nor false.",
        span=claim.span,
        hint="A claim is a comparison such as `a > 0`, or null(x).",
    )


def _joined(
    join: type[And] | type[Or], parts: Any, earlier: Mapping[str, Any], *, negated: bool
) -> Form:
    flat: list[Any] = []
    for part in parts:
        form = normal_form(part, earlier, negated=negated)
        flat += form.parts if isinstance(form, join) else [form]
    return join(tuple(flat))


def _earlier(name: Name, earlier: Mapping[str, Any]) -> Any:
    if name.text in earlier:
        return earlier[name.text]
    raise PropositionError(
        f"`{name.text}` is neither a comparison nor an earlier proposition.",
        span=name.span,
        hint=did_you_mean(name.text, earlier) or f"Did you mean `{name.text} > 0`?",
        label=name.text,
    )


def _before(name: str, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Propositions that stood before the named one: no proposition can lead back to itself."""
    names = list(earlier)
    return {k: earlier[k] for k in names[: names.index(name)]}


# --- values -------------------------------------------------------------------------------------


def evaluate(node: Expression | Argument, scope: AnyScope, *, std: bool = False) -> Floats:
    """Value of an expression in every draw.

    Parameters
    ----------
    node : Expression
    scope : Scope
    std : bool
        On the standardised solution: every label, effect and definition is read off std.all.

    Returns
    -------
    (chain, draw) array, or a scalar array for a constant

    Raises
    ------
    PropositionError
        For a name or a chain of paths that the model does not have.
    NotAvailableError
        For a function whose capability does not exist yet.
    """
    survey: Any = scope
    match node:
        case Number(value):
            return np.array(value)
        case Name() | Call() if isinstance(scope, CountScope) and scope.has(node):
            return scope.value(node, std=std)
        case Name():
            return _standardised_name(node, survey) if std else _raw_name(node, survey)
        case Unary(_, operand):
            return -evaluate(operand, scope, std=std)
        case Binary(op, left, right):
            with np.errstate(all="ignore"):
                pair = evaluate(left, scope, std=std), evaluate(right, scope, std=std)
                return np.asarray(OPERATORS[op](*pair))
        case Call("std", (inner,)):
            return evaluate(inner, scope, std=True)
        case Call(name, args):
            return _call(name, args, node, survey, std=std)
    raise PropositionError(f"`{expression_text(node)}` has no value.", span=node.span)


def _call(name: str, args: tuple[Any, ...], node: Call, scope: Scope, *, std: bool) -> Floats:
    match name, args:
        case "indirect" | "total", (PathArgument() as path,):
            return _effect(name, path, scope, std=std)
        case "slope", (SlopeArgument() as argument,):
            return _slope(argument, scope, std=std)
    if name in INTEGRATED:
        return _integrated(node, scope, std=std)
    if name == "share":
        raise PropositionError(
            f"`{expression_text(node)}` is a share of references, and this fit is of a survey.",
            span=node.span,
            hint='Put it to theme counts: `fit_counts(...)`, and `model = "counts"` in a file.',
        )
    with np.errstate(all="ignore"):
        values = [evaluate(arg, scope, std=std) for arg in args]
        if name in FUNCTIONS:
            return np.asarray(apply_function(name, values))
    raise PropositionError(f"`{expression_text(node)}` has no value.", span=node.span)


def _raw_name(name: Name, scope: Scope) -> Floats:
    if name.text in scope.draws:
        return scope.draws[name.text]
    for row in scope.table.labels.get(name.text, ()):
        if row.value is not None:
            return np.array(float(row.value))
    raise _unknown(name, scope)


def _standardised_name(name: Name, scope: Scope) -> Floats:
    for definition in scope.table.definitions:
        if definition.name == name.text:
            return evaluate(definition.expression, scope, std=True)
    rows = scope.table.labels.get(name.text, ())
    if not rows:
        raise _unknown(name, scope)
    values = [standardised_value(row, scope.standardised) for row in rows]
    if not all(np.allclose(values[0], other, rtol=1e-8, atol=1e-10) for other in values[1:]):
        listed = ", ".join(f"`{row.name}`" for row in rows)
        raise PropositionError(
            f"`{name.text}` has no single standardised value: it stands at {listed}, which are "
            "equal raw and differ standardised.",
            span=name.span,
            hint="Give the rows labels of their own (with `==` between them) and name one.",
            label=name.text,
        )
    return values[0]


def _unknown(name: Name, scope: Scope) -> PropositionError:
    known = [*scope.table.labels, *(d.name for d in scope.table.definitions)]
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return PropositionError(
        f"`{name.text}` is not a label or a defined parameter of the model.",
        span=name.span,
        hint=did_you_mean(name.text, known) or f"The model has: {listed or 'no labels'}.",
        label=name.text,
    )


def _effect(name: str, path: PathArgument, scope: Scope, *, std: bool) -> Floats:
    """Moderators are at their means, as in `bayesem.effects`."""
    table = scope.table
    if ("effects", std) not in scope.known:
        scope.known["effects", std] = decompose(_paths(scope, std=std))
    split = scope.known["effects", std]
    if len(path.nodes) == 2:
        source = locate(table, path.nodes[0], path.span, predicts=True)
        to = locate(table, path.nodes[1], path.span)
        if blocked(table)[to, source]:
            raise _through(path, source, to, table)
        whole: Floats = split.total if name == "total" else split.indirect
        return whole[..., to, source]
    if name == "total":
        raise PropositionError(
            f"`total({expression_text(path)})` names factors between the ends.",
            span=path.span,
            hint="A total effect has two ends; one chain alone is `indirect(A -> M -> Y)`.",
        )
    steps = [split.direct[..., to, source] for to, source in chain_steps(table, path)]
    product: Floats = np.prod(np.stack(steps), axis=0)
    return product


def _paths(scope: Scope, *, std: bool) -> Floats:
    Beta = conditional_paths(scope.matrices, scope.table, model=scope.implied)
    Beta = linked(Beta, scope.table)
    return rescaled_paths(Beta, scope.implied.sd) if std else Beta


def _through(path: PathArgument, source: int, to: int, table: Any) -> NotAvailableError:
    """Name the outcome that lies between."""
    onward = reach(structure(table))
    between = next(o for o in table.outcomes if onward[o.factor, source] and onward[to, o.factor])
    return through_outcome(between.name, between.family.name, path)


def _slope(argument: SlopeArgument, scope: Scope, *, std: bool) -> Floats:
    """The direct path; factors in sds, observed variables in their own units unless ``std``."""
    to, source = ends(scope.table, argument)
    at = condition_values(scope.implied, argument.conditions, argument.span)
    return conditional_slope(scope.implied, to, source, at, "std" if std else "claim")


def _integrated(node: Call, scope: Scope, *, std: bool) -> Floats:
    """Means and risks by g-computation, which have a scale of their own."""
    if std:
        raise PropositionError(
            f"`{expression_text(node)}` is on its own scale and has no standardised value.",
            span=node.span,
            hint="Compare it as it is.",
        )
    if node not in scope.known:
        with np.errstate(all="ignore"):
            scope.known[node] = _integral(node, scope)
    found: Floats = scope.known[node]
    return found


def _integral(node: Call, scope: Scope) -> Floats:
    match node.name, node.args:
        case "mean", (MeanArgument() as argument,):
            return expectation(argument, scope.implied, scope.rows).value
        case "do", (MeanArgument() as argument,):
            return intervention(argument, scope.implied, scope.rows).value
        case name, (LevelsArgument() as argument,):
            return contrast(name, argument, scope.implied, scope.rows).value
    raise PropositionError(f"`{expression_text(node)}` has no value.", span=node.span)


# --- truth --------------------------------------------------------------------------------------


def holds(atom: Atom, scope: AnyScope, rule: Rule) -> np.ndarray:
    """Whether a comparison or ``null(x)`` is true, in every draw, (chain, draw) bool.

    Raises
    ------
    PropositionError
        If a side has no value in some draw (a logarithm of a negative number, 0/0).
    """
    match atom:
        case Not(part):
            return ~holds(part, scope, rule)  # type: ignore[arg-type]
        case Comparison(op, left, right):
            pair = [_defined(side, evaluate(side, scope)) for side in (left, right)]
            return np.broadcast_to(COMPARE[op](*pair), scope.shape)
        case Call("null", (inner,)):
            width = rope_width(atom, scope.table, rule)
            value = _defined(inner, null_value(atom, scope))
            return np.broadcast_to(np.abs(value) < width, scope.shape)
    raise PropositionError(f"`{expression_text(atom)}` is neither true nor false.", span=atom.span)


def null_value(call: Call, scope: AnyScope) -> Floats:
    """The standardised value that ``null(x)`` looks at, (chain, draw)."""
    inner: Any = call.args[0]
    raw = raw_part(inner, scope.table)
    if raw is not None:
        text = expression_text(raw)
        raise PropositionError(
            f"`{text}` in `{expression_text(call)}` is not standardised, so no rope fits it.",
            span=raw.span or call.span,
            hint=f"Write std({text}).",
        )
    return np.broadcast_to(evaluate(inner, scope), scope.shape)


def difference(claim: Any, earlier: Mapping[str, Any], scope: AnyScope) -> Floats | None:
    """What ``estimate`` reports: left minus right, the smallest gap of a chain, x of ``null(x)``.

    A chain's gaps are positive where they are as claimed. A Boolean combination has none.
    """
    match claim:
        case Name(text):
            return difference(_earlier(claim, earlier), _before(text, earlier), scope)
        case Not(part) if not isinstance(part, Chain):
            return difference(part, earlier, scope)
        case Comparison(_, left, right):
            return np.broadcast_to(evaluate(left, scope) - evaluate(right, scope), scope.shape)
        case Chain(parts):
            gaps = [_gap(part, scope) for part in parts]
            return np.broadcast_to(reduce(np.minimum, gaps), scope.shape)
        case Call("null", _):
            return null_value(claim, scope)
    return None


def _gap(part: Comparison, scope: AnyScope) -> Floats:
    gap = evaluate(part.left, scope) - evaluate(part.right, scope)
    return gap if part.op in (">", ">=") else -gap


def standardised_difference(
    part: Comparison, scope: AnyScope, rule: Rule
) -> tuple[Floats, float] | None:
    """Left minus right on the standardised solution, and the rope's half-width for its kind.

    None where there is no common scale: for variances, ratios, or a raw parameter held against a
    number other than 0.
    """
    kind = kind_of(Binary("-", part.left, part.right), scope.table)
    width = rule.rope.get(kind)
    sides = (part.left, part.right)
    raw = any(raw_part(side, scope.table) is not None for side in sides)
    if width is None or (raw and any(adds_constant(side) for side in sides)):
        return None
    # what is wholly written on the standardised scale is read as written
    values = [evaluate(side, scope, std=raw) for side in sides]
    return np.broadcast_to(values[0] - values[1], scope.shape), width


def _defined(node: Any, value: Floats) -> Floats:
    bad = int(np.isnan(value).sum())
    if bad:
        raise PropositionError(
            f"`{expression_text(node)}` has no value in {bad} of {value.size} draws.",
            span=node.span,
            hint="Look for a logarithm or root of a negative number, 0/0, or an unstable loop.",
        )
    return value


def idle_conditions(node: Any, table: Any) -> list[str]:
    """Slopes whose conditions change nothing, because the equation has no product with them."""
    found = []
    for argument in _slopes(node):
        to, source = ends(table, argument)
        known = moderators(table, to, source)
        names = [name for name, _ in argument.conditions]
        idle = [v for v in names if locate(table, v, predicts=True) not in known]
        if idle:
            text = f"slope({expression_text(argument)})"
            found.append(text if len(idle) == len(names) else f"{', '.join(idle)} in {text}")
    return found


def unnamed_moderators(node: Any, table: Any) -> list[str]:
    """Slopes and effects that a claim leaves at the mean of some moderator, and of which."""
    found = []
    for argument in _slopes(node):
        to, source = ends(table, argument)
        named = {locate(table, name, predicts=True) for name, _ in argument.conditions}
        left = [k for k in moderators(table, to, source) if k not in named]
        if left:
            names = ", ".join(display_name(table, k) for k in left)
            found.append(f"slope({expression_text(argument)}) at the mean of {names}")
    if table.products:
        effects_ = (
            c for c in walk(node) if isinstance(c, Call) and c.name in ("total", "indirect")
        )
        found += [f"{expression_text(c)} at the moderators' means" for c in effects_]
    return list(dict.fromkeys(found))


def _slopes(node: Any) -> list[SlopeArgument]:
    return [part for part in walk(node) if isinstance(part, SlopeArgument)]
