"""A population: a value for every parameter of a model, partly stated and partly declared."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bayesem.arithmetic import defined
from bayesem.arrays import Floats
from bayesem.errors import ConstraintError, ModelError, did_you_mean
from bayesem.linear import LinearConstraint
from bayesem.matrices import Matrices
from bayesem.model import Model
from bayesem.partable import ParameterTable, Row, parameter_table

__all__ = ["population"]

LOADING, PATH = 0.7, 0.3
FACTOR_CORRELATION, RESIDUAL_CORRELATION = 0.3, 0.1

#: How far a declared value is moved beyond an inequality that it breaks.
MARGIN = 0.1

_TERM = re.compile(r"\s*([^\s~=]+)\s*(=~|~~|~)\s*([^\s~=]*)\s*\Z")


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
    labels = {r.label: values[_key(r)] for r in table.rows if r.label is not None}
    definitions = {k: float(v) for k, v in defined(table.definitions, labels).items()}
    for name, value in claimed.items():
        if not math.isclose(value, definitions[name], rel_tol=1e-9, abs_tol=1e-12):
            raise ModelError(
                f"truth says that `{name}` is {value:g}, and its definition gives "
                f"{definitions[name]:g}.",
                hint="A defined parameter follows from others: state those.",
            )
    return matrices, {r.name: values[_key(r)] for r in table.rows} | labels | definitions


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


def _row(table: ParameterTable, text: str) -> Row:
    if text in table.labels:
        return table.labels[text][0]
    found = _TERM.match(text)
    if found is not None:
        lhs, op, rhs = found.groups()
        wanted = {f"{lhs} {op} {rhs}", f"{rhs} {op} {lhs}" if op == "~~" else ""}
        if op == "~" and rhs in ("1", ""):
            wanted = {f"{lhs} ~1"}
        for row in table.rows:
            if row.name in wanted:
                return row
    known = [*table.labels, *(r.name for r in table.rows), *(d.name for d in table.definitions)]
    raise ModelError(
        f"truth names `{text}`, which is no label or parameter of the model.",
        hint=did_you_mean(text, known) or 'Parameters are written as "RSC =~ rsc2" or "y ~1".',
        label=text,
    )


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

    def __post_init__(self) -> None:
        self.unit, self.middle = self._answers()
        self.exogenous = frozenset(parameter_table(self.model, fixed_x=True).fixed_x)
        self.units = np.ones(len(self.table.factors))
        order = sorted(range(len(self.units)), key=lambda k: self._depth(self.table.factors[k]))
        for k in order:
            self.units[k] = self._factor_unit(k)

    def all(self) -> dict[str, float]:
        """Every parameter's value by its key."""
        rows = self.table.rows
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
        known = np.array([v in book.indicators for v in self.table.indicators])
        return np.where(known, (high - low) / 4, 1.0), np.where(known, (high + low) / 2, 0.0)

    def _depth(self, name: str) -> int:
        """How many orders of measurement lie below a factor; observed variables come first."""
        if name not in self.table.latent:
            return 0
        below = [r.rhs for r in self.table.rows if r.op == "=~" and r.lhs == name]
        return 1 + max((self._depth(b) for b in below), default=0)

    def _factor_unit(self, k: int) -> float:
        name = self.table.factors[k]
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
            case "factor_sd":
                return float(self.units[row.i]) ** 2
            case "residual_sd":
                s = float(self.unit[self.table.indicators.index(row.lhs)])
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
        value = float(self.middle[self.table.indicators.index(row.lhs)])
        if row.matrix == "nu":
            return value
        for r in self.table.rows:
            if r.matrix == "Beta" and r.i == row.i and r.rhs in self.table.phantoms and r.op == "~":
                centre = float(self.middle[self.table.indicators.index(r.rhs)])
                value -= self.values[_key(r)] * centre
        return value


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
    }  # fmt: skip
    for name in table.phantoms:
        out["Lambda"][table.indicators.index(name), table.factors.index(name)] = 1
    for row in table.rows:
        value = values[_key(row)]
        if row.matrix in ("nu", "alpha"):
            out[row.matrix][row.i] = value
            continue
        out[row.matrix][row.i, row.j] = value
        if row.matrix in ("Psi", "Theta"):
            out[row.matrix][row.j, row.i] = value
    return Matrices(**out)


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
        smallest = np.linalg.eigvalsh(M)[0]
        if smallest < -1e-10 * max(1.0, float(np.abs(M).max())):
            raise _indefinite(M, names, what, float(smallest))
    smallest = np.linalg.eigvalsh(matrices.Sigma)[0]
    if smallest <= 1e-12 * np.trace(matrices.Sigma):
        raise _indefinite(
            matrices.Sigma, table.indicators, "implied covariance matrix", float(smallest)
        )


def _indefinite(M: Floats, names: tuple[str, ...], what: str, smallest: float) -> ModelError:
    sd = np.sqrt(np.maximum(np.diag(M), 1e-300))
    R = np.abs(M / np.outer(sd, sd) - np.eye(len(M)))
    i, j = np.unravel_index(int(np.argmax(R)), R.shape)
    return ModelError(
        f"truth makes the {what} not positive definite (smallest eigenvalue {smallest:.3g}).",
        hint=f"The largest correlation in it is between `{names[i]}` and `{names[j]}`: "
        "state smaller covariances or larger variances.",
    )
