"""A population: a value for every parameter of a model, partly stated and partly declared."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bayesem.arithmetic import defined
from bayesem.arrays import VECTORS, Floats
from bayesem.casedraws import expected_value, twins
from bayesem.errors import ConstraintError, ModelError, did_you_mean
from bayesem.families import Family
from bayesem.linear import LinearConstraint
from bayesem.matrices import Matrices, Product, factor_moments, implied_covariance
from bayesem.model import Model
from bayesem.partable import ParameterTable, Row, parameter_table

__all__ = ["population", "row_of"]

LOADING, PATH, INTERACTION = 0.7, 0.3, 0.1
#: Scale of a Weibull's log time, overdispersion of a negative binomial.
SHAPE = 0.5
#: Median of a time and mean of a count where everything else is at its middle.
TYPICAL = 5.0
FACTOR_CORRELATION, RESIDUAL_CORRELATION = 0.3, 0.1

#: How far a declared value is moved beyond an inequality that it breaks.
MARGIN = 0.1

_TERM = re.compile(r"\s*([^\s~=]+)\s*(=~|~~|~)\s*([^\s~=]*)\s*\Z")
_FURTHER = re.compile(r"\s*(\S+)\s+(shape)\s*\Z")


def population(
    model: Model, table: ParameterTable, truth: Mapping[str, float]
) -> tuple[Matrices, dict[str, float]]:
    """Matrices of a population, and its parameters by name.

    Parameters
    ----------
    model : Model
    table : ParameterTable
        In the metric of ``truth``, with the observed predictors modelled.
    truth : mapping of str to float
        Raw values by label or ``"lhs op rhs"``; the rest is declared (see
        :func:`bayesem.simulate`).

    Returns
    -------
    Matrices, dict of str to float

    Raises
    ------
    ModelError
        If ``truth`` names no parameter, contradicts the model, or implies a covariance matrix that
        is not positive definite.
    ConstraintError
        If it breaks a constraint.
    """
    given, claimed = _read(table, truth)
    values = _Declared(model, table, given).all()
    _meet(table, values, given)
    matrices = _matrices(table, values)
    _check(table, matrices)
    matrices = _with_means(table, matrices)
    rows = _own(table)
    labels = {r.label: values[_key(r)] for r in rows if r.label is not None}
    definitions = {k: float(v) for k, v in defined(table.definitions, labels).items()}
    for name, value in claimed.items():
        if not math.isclose(value, definitions[name], rel_tol=1e-9, abs_tol=1e-12):
            raise ModelError(
                f"truth says that `{name}` is {value:g}, and its definition gives "
                f"{definitions[name]:g}.",
                hint="A defined parameter follows from others: state those.",
            )
    return matrices, {r.name: values[_key(r)] for r in rows} | labels | definitions


def _own(table: ParameterTable) -> list[Row]:
    """Parameters, less the moments of outcomes that predict something: those follow."""
    followers = {table.factors[k] for k in twins(table).values()}
    return [r for r in table.rows if r.op not in ("~~", "~1") or not {r.lhs, r.rhs} & followers]


def _key(row: Row) -> str:
    """What equal parameters share."""
    return row.label or row.name


# -- what is stated ------------------------------------------------------------------------


def _read(
    table: ParameterTable, truth: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Values by parameter, and what is said of defined parameters."""
    if not isinstance(truth, Mapping):
        raise ModelError(
            f"truth is a {type(truth).__name__}.", hint='Give a dictionary such as {"a": 0.3}.'
        )
    names = {d.name for d in table.definitions}
    given: dict[str, float] = {}
    claimed: dict[str, float] = {}
    for text, number in truth.items():
        value = _number(text, number)
        if text in names:
            claimed[text] = value
            continue
        row = _row(table, str(text))
        _check_value(row, str(text), value)
        if not math.isclose(given.setdefault(_key(row), value), value, rel_tol=1e-12):
            raise ModelError(
                f"truth gives `{_key(row)}` two values, {given[_key(row)]:g} and {value:g}.",
                hint="Parameters that share a label are equal.",
            )
    return given, claimed


def _number(text: object, value: object) -> float:
    kinds = (int, float, np.integer, np.floating)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise ModelError(f"truth gives `{text}` the value {value!r}.", hint="Give a finite number.")
    return float(value)


def row_of(table: ParameterTable, text: str) -> Row | None:
    """The parameter that a label or ``"lhs op rhs"`` names, if the model has it."""
    if text in table.labels:
        return table.labels[text][0]
    wanted = _spellings(text)
    return next((row for row in _own(table) if row.name in wanted), None)


def _row(table: ParameterTable, text: str) -> Row:
    row = row_of(table, text)
    if row is not None:
        return row
    rows = _own(table)
    known = [*table.labels, *(r.name for r in rows), *(d.name for d in table.definitions)]
    raise ModelError(
        f"truth names `{text}`, which is no label or parameter of the model.",
        hint=did_you_mean(text, known) or 'Parameters are written as "RSC =~ rsc2" or "y ~1".',
        label=text,
    )


def _spellings(text: str) -> set[str]:
    """The names that a parameter written so may have."""
    found = _TERM.match(text)
    if found is None:
        further = _FURTHER.match(text)
        return {" ".join(further.groups())} if further else set()
    lhs, op, rhs = found.groups()
    if op == "~" and rhs in ("1", ""):
        return {f"{lhs} ~1"}
    turned = ":".join(reversed(rhs.split(":")))
    return {f"{lhs} {op} {rhs}", f"{rhs} {op} {lhs}" if op == "~~" else f"{lhs} {op} {turned}"}


def _check_value(row: Row, text: str, value: float) -> None:
    if row.value is not None and not math.isclose(row.value, value, rel_tol=1e-12):
        scale = " to give its factor a scale" if row.marker else ""
        raise ModelError(
            f"truth gives `{text}` the value {value:g}, but it is fixed at {row.value:g}{scale}.",
            hint="Free it in the model or leave it out.",
            label=text,
        )
    if row.op == "~~" and row.lhs == row.rhs and value < 0:
        raise ModelError(
            f"truth gives the variance `{text}` the value {value:g}.", hint="It is at least 0."
        )
    if row.kind == "shape" and value <= 0:
        raise ModelError(f"truth gives `{text}` the value {value:g}.", hint="It is above 0.")


# -- what is declared ----------------------------------------------------------------------


@dataclass(slots=True)
class _Declared:
    """Fills in the values that are not stated, in the order in which they depend on each other."""

    model: Model
    table: ParameterTable
    given: Mapping[str, float]
    values: dict[str, float] = field(default_factory=dict)
    unit: Floats = field(init=False)
    middle: Floats = field(init=False)
    units: Floats = field(init=False)
    exogenous: frozenset[str] = field(init=False)
    outcomes: dict[int, Family] = field(init=False)
    observed: dict[int, Family] = field(init=False)

    def __post_init__(self) -> None:
        self.unit, self.middle = self._answers()
        families = {o.name: o.family for o in self.table.outcomes}
        self.exogenous = frozenset(parameter_table(self.model, families=families).fixed_x)
        self.outcomes = {o.factor: o.family for o in self.table.outcomes}
        self.observed = {k: self.outcomes[self.table.outcomes[o].factor]
                         for o, k in twins(self.table).items()}  # fmt: skip
        self.units = np.ones(len(self.table.factors))
        order = sorted(range(len(self.units)), key=lambda k: self._depth(self.table.factors[k]))
        for k in order:
            self.units[k] = self._factor_unit(k)

    def all(self) -> dict[str, float]:
        """Every parameter's value by its key."""
        rows = _own(self.table)
        self.values = {_key(r): r.value for r in rows if r.value is not None}
        self.values |= dict(self.given)
        last = [r for r in rows if r.kind in ("correlation", "intercept", "factor_mean")]
        for row in (*(r for r in rows if r not in last), *last):
            if _key(row) not in self.values:
                self.values[_key(row)] = float(self._value(row))
        return self.values

    def _answers(self) -> tuple[Floats, Floats]:
        """Unit and middle of each indicator."""
        p = len(self.table.indicators)
        book = self.model.codebook
        if book is None or book.scale is None:
            return np.ones(p), np.zeros(p)
        low, high = book.scale
        known = np.array([v in book.scaled for v in self.table.indicators])
        return np.where(known, (high - low) / 4, 1.0), np.where(known, (high + low) / 2, 0.0)

    def _depth(self, name: str) -> int:
        """How many orders of measurement lie below a factor; observed variables come first."""
        if name not in self.table.latent:
            return 0
        below = [r.rhs for r in self.table.rows if r.op == "=~" and r.lhs == name]
        return 1 + max((self._depth(b) for b in below), default=0)

    def _factor_unit(self, k: int) -> float:
        name = self.table.factors[k]
        if k in self.outcomes:
            return self.outcomes[k].unit
        if k in self.observed:
            return 1.0 if self.observed[k].is_binary else TYPICAL
        if name not in self.table.latent:
            return float(self.unit[self.table.indicators.index(name)])
        variance = self.table.cell("Psi", k, k)
        stated = None if variance is None else self.given.get(_key(variance), variance.value)
        if stated is not None:
            return math.sqrt(stated) or 1.0
        for row in self.table.rows:
            if row.op == "=~" and row.lhs == name and row.value:
                return LOADING * self._below(row) / abs(row.value)
        return 1.0

    def _below(self, row: Row) -> float:
        """The unit of what a loading leads to."""
        return float(self.unit[row.i] if row.matrix == "Lambda" else self.units[row.i])

    def _value(self, row: Row) -> float:
        match row.kind:
            case "loading":
                return LOADING * self._below(row) / float(self.units[row.j])
            case "path":
                return PATH * float(self.units[row.i] / self.units[row.j])
            case "interaction":
                p = self.table.products[row.i]
                return INTERACTION * self.units[p.to] / (self.units[p.first] * self.units[p.second])
            case "shape":
                return SHAPE
            case "factor_sd":
                return float(self.units[row.i]) ** 2
            case "residual_sd":
                s = float(self.units[row.i] if row.matrix == "Psi" else self.unit[row.i])
                return s**2 if row.lhs in self.exogenous else (1 - LOADING**2) * s**2
            case "correlation":
                return self._covariance(row)
            case "intercept":
                return self._intercept(row)
        return 0.0

    def _covariance(self, row: Row) -> float:
        if row.lhs in self.exogenous and row.rhs in self.exogenous:
            return 0.0
        latent = row.lhs in self.table.latent and row.rhs in self.table.latent
        variances = [self.table.cell(row.matrix, k, k) for k in (row.i, row.j)]
        sds = [math.sqrt(self.values[_key(v)]) for v in variances if v is not None]
        return (FACTOR_CORRELATION if latent else RESIDUAL_CORRELATION) * math.prod(sds)

    def _intercept(self, row: Row) -> float:
        """Observed variables have their middle as mean where the factors have mean 0."""
        if row.matrix == "nu":
            return float(self.middle[row.i])
        value = self._centre(row.i)
        for r in self.table.rows:
            if r.matrix == "Beta" and r.i == row.i and r.op == "~":
                value -= self.values[_key(r)] * self._centre(r.j)
        for r in self.table.rows:
            if r.matrix == "omega" and self.table.products[r.i].to == row.i:
                value -= self.values[_key(r)] * self._raw_product(self.table.products[r.i])
        return value

    def _centre(self, k: int) -> float:
        """Middle of an observed variable, or of an outcome's linear predictor; 0 of a factor."""
        if k in self.outcomes:
            family = self.outcomes[k]
            return math.log(TYPICAL) if family.is_time or family.is_count else 0.0
        if k in self.observed:
            family = self.observed[k]
            if family.is_binary:
                return 0.5
            return TYPICAL if family.is_time or family.is_count else 0.0
        name = self.table.factors[k]
        latent = name in self.table.latent
        return 0.0 if latent else float(self.middle[self.table.indicators.index(name)])

    def _raw_product(self, product: Product) -> float:
        """A product where everything is at its middle: 0 unless both parts are observed."""
        return math.prod(self._centre(at) if raw else 0.0 for at, raw in product.parts)


def _meet(table: ParameterTable, values: dict[str, float], given: Mapping[str, float]) -> None:
    """Move declared labels until the constraints hold; what is stated or fixed stays."""
    fixed = {_key(r) for r in table.rows if r.value is not None} | set(given)
    for _ in range(len(table.constraints) + 1):
        broken = [c for c in table.constraints if not _holds(c, values)]
        if not broken:
            return
        for c in broken:
            movable = [(k, w) for k, w in c.form.weights if k not in fixed]
            if movable:
                label, weight = movable[0]
                short = (MARGIN if c.op == ">" else 0.0) - _form(c, values)
                values[label] += short / weight
    raise ConstraintError(
        "the true values break this constraint.",
        span=broken[0].span,
        hint="State values that meet it.",
    )


def _form(c: LinearConstraint, values: Mapping[str, float]) -> float:
    return c.form.constant + sum(w * values[k] for k, w in c.form.weights)


def _holds(c: LinearConstraint, values: Mapping[str, float]) -> bool:
    distance = _form(c, values)
    return abs(distance) <= 1e-9 if c.op == "==" else distance > 0


# -- the population ------------------------------------------------------------------------


def _matrices(table: ParameterTable, values: Mapping[str, float]) -> Matrices:
    p, m = len(table.indicators), len(table.factors)
    out = {
        "Lambda": np.zeros((p, m)), "Beta": np.zeros((m, m)), "Psi": np.zeros((m, m)),
        "Theta": np.zeros((p, p)), "nu": np.zeros(p), "alpha": np.zeros(m),
        "omega": np.zeros(len(table.products)), "shape": np.zeros(len(table.outcomes)),
    }  # fmt: skip
    for name in table.phantoms:
        out["Lambda"][table.indicators.index(name), table.factors.index(name)] = 1
    for row in _own(table):
        value = values[_key(row)]
        if row.matrix in VECTORS:
            out[row.matrix][row.i] = value
            continue
        out[row.matrix][row.i, row.j] = value
        if row.matrix in ("Psi", "Theta"):
            out[row.matrix][row.j, row.i] = value
    return Matrices(**out, products=table.products)


def _with_means(table: ParameterTable, M: Matrices) -> Matrices:
    """Means of outcomes that predict something, from which factors in products deviate."""
    after = twins(table)
    for _ in after:  # one may depend on another
        alpha = M.alpha.copy()
        mean, Phi = factor_moments(M)
        for k, at in after.items():
            j = table.outcomes[k].factor
            alpha[at] = expected_value(table.outcomes[k].family, mean[j], Phi[j, j], M.shape[k])
        M = replace(M, alpha=alpha)
    return M


def _check(table: ParameterTable, matrices: Matrices) -> None:
    """Every covariance matrix of the population must be one."""
    inner = np.eye(len(table.factors)) - matrices.Beta
    if np.linalg.cond(inner) > 1e12:
        raise ModelError(
            "truth gives a feedback loop a gain of 1, so its variables have no finite variance.",
            hint="Make a path of the loop smaller.",
        )
    for M, names, what in (
        (matrices.Psi, table.factors, "residual covariance matrix of the factors"),
        (matrices.Theta, table.indicators, "residual covariance matrix of the indicators"),
    ):
        smallest = np.linalg.eigvalsh(M)[0] if len(M) else 0.0
        if smallest < -1e-10 * max(1.0, float(np.abs(M).max())):
            raise _indefinite(M, names, what, float(smallest))
    # The linear part, given the outcomes that predict something.
    observed = {table.factors[k] for k in twins(table).values()}
    kept = [k for k, name in enumerate(table.indicators) if name not in observed]
    names = tuple(table.indicators[k] for k in kept)
    linear = implied_covariance(matrices.Lambda, matrices.Beta, matrices.Psi, matrices.Theta)
    Sigma = linear[np.ix_(kept, kept)]
    smallest = np.linalg.eigvalsh(Sigma)[0] if kept else 1.0
    if smallest <= 1e-12 * np.trace(Sigma):
        raise _indefinite(Sigma, names, "implied covariance matrix", float(smallest))


def _indefinite(M: Floats, names: tuple[str, ...], what: str, smallest: float) -> ModelError:
    sd = np.sqrt(np.maximum(np.diag(M), 1e-300))
    R = np.abs(M / np.outer(sd, sd) - np.eye(len(M)))
    i, j = np.unravel_index(int(np.argmax(R)), R.shape)
    return ModelError(
        f"truth makes the {what} not positive definite (smallest eigenvalue {smallest:.3g}).",
        hint=f"The largest correlation in it is between `{names[i]}` and `{names[j]}`: "
        "state smaller covariances or larger variances.",
    )
