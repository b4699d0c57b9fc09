"""What is sampled: parameters with bounds and priors, and how they fill the matrices.

A ``Spec`` is the one description from which the PyMC graph, the compiled kernels' arrays, the prior
draws and the posterior's matrices are all made. Each value enters the matrices through terms
``coefficient * v[source] * v[first] * v[second]``, so that a covariance is a correlation times two
standard deviations, and a label's linear constraint is a value derived from others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Statistics
from bayesem.errors import ConstraintError, NotAvailableError, PriorError, did_you_mean
from bayesem.linear import LinearConstraint
from bayesem.matrices import Matrices
from bayesem.metric import Scale, home_scales
from bayesem.partable import ParameterTable, Row, check_kinds
from bayesem.priors import KINDS, PRESETS, Prior, prior_from

__all__ = ["Block", "Derived", "Parameter", "Spec", "Term", "specification"]

_INF = math.inf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One sampled number.

    Attributes
    ----------
    name : str
        Its coordinate, such as ``RSC =~ rsc2``.
    variable : str
        ``loading path residual_sd factor_sd correlation covariance intercept factor_mean``, or
        ``slack`` for the distance from an inequality constraint.
    lower, upper : float
        Bounds, in home units.
    prior : Prior or None
        None for the members of a correlation block, whose density is the block's, and for slacks.
    """

    name: str
    variable: str
    lower: float
    upper: float
    prior: Prior | None
    label: str | None = None
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A value that is a linear combination of sampled ones: ``constant + sum(weight * x)``."""

    name: str
    variable: str
    constant: float
    weights: tuple[tuple[int, float], ...]
    prior: Prior | None


@dataclass(frozen=True, slots=True)
class Term:
    """``matrix[i, j] += coefficient * v[source] * v[first] * v[second]`` (-1 stands for 1)."""

    matrix: str
    i: int
    j: int
    coefficient: float
    source: int
    first: int = -1
    second: int = -1


@dataclass(frozen=True, slots=True)
class Block:
    """Variables whose residuals are correlated, directly or through each other.

    The correlation matrix R of the block has density proportional to ``det(R) ** (eta - 1)`` where
    it is positive definite, and none elsewhere. ``members`` are (parameter, row, column), sorted by
    the later of their two variables. With ``cube`` the sampler works in coordinates that know no
    wall (:mod:`bayesem.correlations`); without, correlation by correlation.
    """

    matrix: str
    nodes: tuple[int, ...]
    eta: float
    members: tuple[tuple[int, int, int], ...]
    full: bool
    cube: bool = False

    @property
    def log_normaliser(self) -> float:
        """Log of the integral of ``det(R) ** (eta - 1)`` (full blocks; 0 where it is not known)."""
        return _lkj_log_normaliser(len(self.nodes), self.eta) if self.full else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """The sampled model, in home units."""

    table: ParameterTable
    stats: Statistics
    parameters: tuple[Parameter, ...]
    derived: tuple[Derived, ...]
    terms: tuple[Term, ...]
    blocks: tuple[Block, ...]
    base: Matrices
    scales: tuple[Scale, ...]
    constant: float
    units: Floats
    preset: str
    notes: tuple[str, ...] = ()
    cell_priors: Mapping[str, Prior] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates of the sampled parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def priors(self) -> tuple[tuple[int, Prior], ...]:
        """Position and prior of every value that has one of its own, sampled or derived."""
        sampled = [p.prior for p in self.parameters]
        every = enumerate([*sampled, *(d.prior for d in self.derived)])
        return tuple((k, prior) for k, prior in every if prior is not None)

    @property
    def builtin(self) -> bool:
        """Whether every prior is of a built-in family."""
        return all(prior.builtin for _, prior in self.priors)

    def values(self, x: Floats) -> Floats:
        """Sampled values and, behind them, the derived ones: (..., q) to (..., q + derived)."""
        if not self.derived:
            return x
        extra = [
            d.constant + sum((w * x[..., k] for k, w in d.weights), np.zeros(x.shape[:-1]))
            for d in self.derived
        ]
        return np.concatenate([x, np.stack(extra, -1)], -1)

    def matrices(self, x: Floats) -> Matrices:
        """Matrices in home units, batched over the leading axes of ``x`` (..., q)."""
        v = self.values(x)
        lead = x.shape[:-1]
        out = {
            name: np.broadcast_to(
                getattr(self.base, name), (*lead, *getattr(self.base, name).shape)
            ).copy()
            for name in ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha")
        }
        for t in self.terms:
            value = t.coefficient * v[..., t.source]
            for other in (t.first, t.second):
                if other >= 0:
                    value = value * v[..., other]
            if t.matrix in ("nu", "alpha"):
                out[t.matrix][..., t.i] += value
            else:
                out[t.matrix][..., t.i, t.j] += value
                if t.matrix in ("Psi", "Theta") and t.i != t.j:
                    out[t.matrix][..., t.j, t.i] += value
        return Matrices(**out)


def specification(
    table: ParameterTable,
    stats: Statistics,
    *,
    priors: str | Mapping[str, Any] | None = None,
    spread: Floats | None = None,
    centre: Floats | None = None,
) -> Spec:
    """Turn a parameter table, data and priors into what is sampled.

    Parameters
    ----------
    table : ParameterTable
    stats : Statistics
        Of the table's indicators, in their order.
    priors : str or mapping, optional
        A preset, or priors by kind, label or ``"lhs op rhs"``; ``{"preset": "blavaan", ...}``
        starts from another preset.
    spread, centre : (indicator,) arrays, optional
        Scale s_i and location m_i of each indicator's default priors; the sample's by default.

    Raises
    ------
    PriorError
        If a prior cannot be read, or names no free parameter.
    ConstraintError, NotAvailableError
        If the constraints contradict each other or are of a sort that is not supported.
    """
    spread = stats.scale() if spread is None else spread
    centre = stats.location() if centre is None else centre
    return _Builder(table, stats, priors, spread, centre).build()


class _Builder:
    """Collects parameters and terms while the table is read."""

    def __init__(
        self,
        table: ParameterTable,
        stats: Statistics,
        priors: str | Mapping[str, Any] | None,
        spread: Floats,
        centre: Floats,
    ) -> None:
        self.stats, self.spread, self.centre = stats, spread, centre
        self.preset, self.by_kind, self.by_cell = _read_priors(table, priors)
        self.table = _merge(table)
        home = "factor_sd" not in self.by_kind and self.preset == "default"
        own = [r for r in self.table.rows if self._own(r) is not None]
        self.scales = home_scales(self.table, own) if home else ()
        self.at_home = {s.factor for s in self.scales}
        self.units = self._units()
        self.parameters: list[Parameter] = []
        self.derived: list[Derived] = []
        self.terms: list[Term] = []
        self.index: dict[str, int] = {}
        self.derived_of: dict[str, int] = {}
        self.notes: list[str] = []

    # -- the whole -------------------------------------------------------------------------

    def build(self) -> Spec:
        rows = [self._home(r) for r in self.table.rows]
        plan = _constraint_plan(self.table)
        blocks = self._blocks(rows)
        self._declare(rows, plan)
        self._derive(plan)
        base = self._base(rows)
        self._fill(rows)
        return Spec(
            table=self.table, stats=self.stats, parameters=tuple(self.parameters),
            derived=tuple(self.derived), terms=tuple(self.terms),
            blocks=self._with_members(blocks, rows), base=base, scales=self.scales,
            constant=self.stats.constant - self._fixed_x_density(), units=self.units,
            preset=self.preset, notes=tuple(self.notes), cell_priors=self.by_cell,
        )  # fmt: skip

    def _home(self, row: Row) -> Row:
        """The row as it is sampled: markers free, variances of home factors 1."""
        for scale in self.scales:
            if row is scale.row:
                return replace(row, value=None)
            if row.matrix == "Psi" and row.i == row.j == scale.factor:
                return replace(row, value=1.0)
        return row

    # -- scales ----------------------------------------------------------------------------

    def _units(self) -> Floats:
        """The expected standard deviation of each factor in the units it is sampled in."""
        units = np.ones(len(self.table.factors))
        for k, name in enumerate(self.table.factors):
            if name in self.table.phantoms:
                units[k] = self.spread[self.table.indicators.index(name)]
        for k in sorted(range(len(self.table.latent)), key=self._order):
            if k not in self.at_home:
                units[k] = self._unit(k, units)
        return units

    def _order(self, k: int) -> int:
        name = self.table.factors[k]
        below = [
            r for r in self.table.rows if r.op == "=~" and r.lhs == name and r.matrix == "Beta"
        ]
        return 1 + max((self._order(r.i) for r in below if r.rhs in self.table.latent), default=0)

    def _unit(self, k: int, units: Floats) -> float:
        variance = self.table.cell("Psi", k, k)
        if variance is not None and variance.value is not None:
            return math.sqrt(variance.value) if variance.value > 0 else 1.0
        name = self.table.factors[k]
        for r in self.table.rows:
            if r.op == "=~" and r.lhs == name and r.value:
                share = self.spread[r.i] if r.matrix == "Lambda" else units[r.i]
                return 0.7 * float(share) / abs(r.value)
        return 1.0

    # -- priors ----------------------------------------------------------------------------

    def _own(self, row: Row) -> Prior | None:
        """The prior that the user gave to this very parameter."""
        rows = self.table.labels[row.label] if row.label else (row,)
        labels = [row.label, *(gone for gone, kept in self.table.aliases if kept == row.label)]
        cells = [key for r in rows for key in (r.name, _mirrored(r))]
        keys = [key for key in dict.fromkeys([*labels, *cells]) if key in self.by_cell]
        if len(keys) > 1:
            raise PriorError(
                f"`{keys[0]}` and `{keys[1]}` in priors are one parameter.",
                hint="One parameter has one prior: leave one of the two out.",
            )
        written = [r for r in rows if r.prior is not None and r.value is None]
        if keys and written:
            raise PriorError(
                f"`{keys[0]}` has a prior in the model's text and another one in priors.",
                hint="One parameter has one prior: leave one of the two out.",
                span=written[0].span,
            )
        if keys:
            return prior_from(
                self.by_cell[keys[0]], _variable(row, self.table), where=f"`{keys[0]}`"
            )
        return self._written(written)

    def _written(self, rows: list[Row]) -> Prior | None:
        """The prior in the model's text, at whichever of the rows of one parameter it stands."""
        if not rows:
            return None
        row = rows[0]
        if len({(r.prior, r.prior_mark) for r in rows}) > 1:
            raise PriorError(
                f"`{row.name}` and `{rows[-1].name}` are one parameter with two different priors.",
                hint="One parameter has one prior: leave one of the two out.",
                span=rows[-1].span,
            )
        try:
            return prior_from(
                row.prior,
                _variable(row, self.table),
                where=f"`{row.name}`",
                mark=row.prior_mark,
            )
        except PriorError as error:
            raise PriorError(error.message, hint=error.hint, span=row.span) from None

    def _prior(self, row: Row, variable: str) -> Prior | None:
        own = self._own(row)
        if own is not None:
            return own
        kind = next(k for k, variables in KINDS.items() if variable in variables)
        if kind in self.by_kind and variable != "correlation":
            given = prior_from(self.by_kind[kind], variable, where=f"the {kind}")
            return replace(given, given=False)
        match self.preset:
            case "default":
                return self._default(row, variable)
            case "flat":
                return None if variable == "correlation" else Prior("flat", ())
            case _:
                return _blavaan(variable)

    def _default(self, row: Row, variable: str) -> Prior | None:
        """The weak, scale-aware priors, in the units that the row is sampled in."""
        u = self.units
        match variable:
            case "intercept":
                k = self._indicator(row)
                return Prior("normal", (float(self.centre[k]), 2.5 * float(self.spread[k])))
            case "loading" if row.matrix == "Lambda" or row.rhs in self.table.phantoms:
                s = float(self.spread[self.table.indicators.index(row.rhs)])
                return Prior("normal", (0.7 * s / u[row.j], 0.4 * s / u[row.j]))
            case "loading":
                return Prior("normal", (u[row.i] / u[row.j], 0.5 * u[row.i] / u[row.j]))
            case "residual_sd":
                s = float(self.spread[self._indicator(row)])
                return Prior("gamma", (2.0, 3.0 / s), "sd")
            case "factor_sd":
                return Prior("gamma", (2.0, 3.0 / u[row.i]), "sd")
            case "path":
                count = sum(
                    r.matrix == "Beta" and r.op == "~" and r.i == row.i for r in self.table.rows
                )
                sd = 0.5 * math.sqrt(3 / max(count, 3))
                return Prior("normal", (0.0, sd * u[row.i] / u[row.j]))
            case "factor_mean":
                return Prior("normal", (0.0, u[row.i]))
            case "covariance":
                return Prior(
                    "normal",
                    (0.0, 0.5 * self._sd_scale(row, row.i) * self._sd_scale(row, row.j)),
                    "cov",
                )
        return None

    def _indicator(self, row: Row) -> int:
        return self.table.indicators.index(row.lhs)

    def _sd_scale(self, row: Row, k: int) -> float:
        return float(self.units[k] if row.matrix == "Psi" else 0.7 * self.spread[k])

    def _eta(self, matrix: str) -> float:
        given = self.by_kind.get("correlations")
        if given is not None:
            prior = prior_from(given, "correlation", where="the correlations")
            if prior.family == "lkj":
                return prior.args[0]
            return 1.0
        return 2.0 if self.preset == "default" and matrix == "residual" else 1.0

    # -- parameters ------------------------------------------------------------------------

    def _declare(self, rows: list[Row], plan: "_Plan") -> None:
        for row in rows:
            if not row.free:
                continue
            key = row.label or row.name
            if key in self.index or row.label in plan.solved:
                continue
            variable = _variable(row, self.table)
            self._add(row, key, variable, plan)

    def _add(self, row: Row, key: str, variable: str, plan: "_Plan") -> None:
        lower, upper = _support(variable)
        low, high = plan.bounds.get(row.label or "", (-_INF, _INF))
        if variable in ("residual_sd", "factor_sd"):
            low, high = math.sqrt(max(low, 0.0)), math.sqrt(high) if high > 0 else -1.0
        elif variable == "correlation":
            low, high = _sign_bounds(row, low, high)
        lower, upper = max(lower, low), min(upper, high)
        if lower >= upper:
            raise ConstraintError(
                f"the constraints leave no value for `{row.label}`.", span=row.span
            )
        prior = self._prior(row, variable)
        lower, upper, prior = self._bounded(row, variable, prior, lower, upper)
        self.index[key] = len(self.parameters)
        self.parameters.append(
            Parameter(row.name, variable, lower, upper, prior, row.label, row.start)
        )

    def _bounded(
        self, row: Row, variable: str, prior: Prior | None, lower: float, upper: float
    ) -> tuple[float, float, Prior | None]:
        if prior is not None and prior.family == "lkj":
            raise PriorError(
                f"lkj is a prior of whole blocks, not of `{row.name}` alone.",
                hint='Use priors={"correlations": "lkj(2)"}, or "beta(2, 2)" for one correlation.',
            )
        if self._is_sign(row) and prior is not None and not prior.given:
            lower = max(lower, 0.0)
        if prior is not None and prior.mark in (None, "sd", "cor"):
            low, high = prior.support
            lower, upper = max(lower, low), min(upper, high)
            if lower >= upper:
                raise PriorError(
                    f"the prior {prior} of `{row.name}` has no mass where the parameter can be.",
                    hint="Check the bounds and the constraints.",
                )
            prior = prior.truncated(lower, upper)
        return lower, upper, prior

    def _is_sign(self, row: Row) -> bool:
        """Whether this loading fixes the direction of its factor under the default priors."""
        if row.op != "=~" or self.preset != "default":
            return False
        k = self.table.factors.index(row.lhs)
        if k in self.at_home:
            return any(s.row.name == row.name for s in self.scales)
        mine = [r for r in self.table.rows if r.op == "=~" and r.lhs == row.lhs]
        return not any(r.value for r in mine) and row.name == next(r.name for r in mine if r.free)

    def _derive(self, plan: "_Plan") -> None:
        """Values solved from constraints: equalities, and inequalities by their slack."""
        for label, constraint in plan.solved.items():
            row = self.table.labels[label][0]
            variable = _variable(row, self.table)
            weights = dict(constraint.form.weights)
            pivot = weights.pop(label)
            combined: dict[int, float] = {}
            constant = -constraint.form.constant / pivot
            for other, w in weights.items():
                constant += self._accumulate(combined, other, -w / pivot)
            prior = None
            if constraint.op == ">":
                slack = len(self.parameters)
                self.parameters.append(Parameter(f"slack of {label}", "slack", 0.0, _INF, None))
                combined[slack] = combined.get(slack, 0.0) + 1 / pivot
                prior = self._prior(row, variable)
            elif self._own(row) is not None:
                raise PriorError(
                    f"`{label}` is determined by a constraint, so it cannot have a prior.",
                    hint="Put the prior on the labels on the other side.",
                    span=constraint.span,
                )
            self.derived_of[label] = len(self.derived)
            self.derived.append(
                Derived(row.name, variable, constant, tuple(combined.items()), prior)
            )
        shift = len(self.parameters)
        for label, position in self.derived_of.items():
            self.index[label] = shift + position

    def _accumulate(self, into: dict[int, float], label: str, weight: float) -> float:
        if label in self.derived_of:
            known = self.derived[self.derived_of[label]]
            for k, w in known.weights:
                into[k] = into.get(k, 0.0) + weight * w
            return weight * known.constant
        k = self.index[label]
        into[k] = into.get(k, 0.0) + weight
        return 0.0

    # -- matrices --------------------------------------------------------------------------

    def _base(self, rows: list[Row]) -> Matrices:
        p, m = len(self.table.indicators), len(self.table.factors)
        out = {
            "Lambda": np.zeros((p, m)), "Beta": np.zeros((m, m)), "Psi": np.zeros((m, m)),
            "Theta": np.zeros((p, p)), "nu": np.zeros(p), "alpha": np.zeros(m),
        }  # fmt: skip
        for name in self.table.phantoms:
            out["Lambda"][self.table.indicators.index(name), self.table.factors.index(name)] = 1
        for row in rows:
            value = self._moment(row) if row.frozen else row.value
            if value is None or value == 0:
                continue
            if row.matrix in ("nu", "alpha"):
                out[row.matrix][row.i] = value
            else:
                out[row.matrix][row.i, row.j] = value
                if row.matrix in ("Psi", "Theta"):
                    out[row.matrix][row.j, row.i] = value
        return Matrices(**out)

    def _moment(self, row: Row) -> float:
        names = self.table.indicators
        if row.op == "~1":
            return (
                float(self.stats.location()[names.index(row.lhs)]) if self.stats.use_mean else 0.0
            )
        return float(self.stats.covariance()[names.index(row.lhs), names.index(row.rhs)])

    def _fixed_x_density(self) -> float:
        """Log-likelihood of the predictors that are conditioned on, at their own moments."""
        if not self.table.fixed_x:
            return 0.0
        where = [self.table.indicators.index(x) for x in self.table.fixed_x]
        S = self.stats.covariance()[np.ix_(where, where)]
        n = float(self.stats.n.sum())
        logdet = np.linalg.slogdet(S)[1]
        return float(-0.5 * n * (len(where) * (math.log(2 * math.pi) + 1) + logdet))

    def _fill(self, rows: list[Row]) -> None:
        for row in rows:
            if not row.free:
                continue
            source = self.index[row.label or row.name]
            variable = _variable(row, self.table)
            if variable in ("residual_sd", "factor_sd"):
                self.terms.append(Term(row.matrix, row.i, row.i, 1.0, source, source))
            elif variable == "correlation":
                self._covariance_term(row, rows, source)
            else:
                self.terms.append(Term(row.matrix, row.i, row.j, 1.0, source))

    def _covariance_term(self, row: Row, rows: list[Row], source: int) -> None:
        coefficient, sds = 1.0, []
        for k in (row.i, row.j):
            variance = _find(rows, row.matrix, k)
            if variance.free:
                sds.append(self.index[variance.label or variance.name])
            else:
                fixed = self._moment(variance) if variance.frozen else variance.value
                coefficient *= math.sqrt(fixed or 0.0)
        first, second = (*sds, -1, -1)[:2]
        self.terms.append(Term(row.matrix, row.i, row.j, coefficient, source, first, second))

    # -- correlation blocks ----------------------------------------------------------------

    def _blocks(self, rows: list[Row]) -> list[tuple[str, tuple[int, ...]]]:
        found = []
        for matrix in ("Psi", "Theta"):
            pairs = [
                (r.i, r.j)
                for r in rows
                if r.matrix == matrix and r.i != r.j and (r.free or (r.value or 0) != 0)
            ]
            found += [(matrix, nodes) for nodes in _components(pairs)]
        return found

    def _with_members(
        self, blocks: list[tuple[str, tuple[int, ...]]], rows: list[Row]
    ) -> tuple[Block, ...]:
        out = []
        for matrix, nodes in blocks:
            inside = [
                r for r in rows if r.matrix == matrix and r.i != r.j and r.i in nodes and r.free
            ]
            if not inside:
                continue
            members, plain = [], True
            for r in inside:
                k = self.index[r.label or r.name]
                single = _variable(r, self.table) == "correlation"
                plain = plain and single
                if single:
                    members.append((k, nodes.index(r.i), nodes.index(r.j)))
            elementwise = any(
                k < len(self.parameters) and self.parameters[k].prior is not None
                for k, _, _ in members
            )
            latent = matrix == "Psi" and all(n < len(self.table.latent) for n in nodes)
            eta = 1.0 if elementwise else self._eta("factor" if latent else "residual")
            full = plain and not elementwise and len(members) == len(nodes) * (len(nodes) - 1) // 2
            members.sort(key=lambda e: (max(e[1:]), min(e[1:])))
            cube = plain and len(nodes) > 2 and self._on_cube(matrix, nodes, members)
            out.append(Block(matrix, nodes, eta, tuple(members), full, cube))
        return tuple(out)

    def _on_cube(
        self, matrix: str, nodes: tuple[int, ...], members: list[tuple[int, int, int]]
    ) -> bool:
        """Whether the block is nothing but distinct, unbounded correlations and zeros."""
        sources = [k for k, _, _ in members]
        fixed = any(
            r.matrix == matrix and r.i != r.j and r.value and r.i in nodes for r in self.table.rows
        )
        free = all(
            k < len(self.parameters)
            and (self.parameters[k].lower, self.parameters[k].upper) == (-1.0, 1.0)
            and getattr(self.parameters[k].prior, "mark", None) != "cov"
            for k in sources
        )
        return free and not fixed and len(set(sources)) == len(sources)


# -- reading priors ------------------------------------------------------------------------


def _read_priors(
    table: ParameterTable, priors: str | Mapping[str, Any] | None
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if priors is None:
        return "default", {}, {}
    if isinstance(priors, str):
        priors = {"preset": priors}
    if not isinstance(priors, Mapping):
        raise PriorError(
            f"priors is a {type(priors).__name__}.", hint="Give a preset's name or a dictionary."
        )
    given = dict(priors)
    for key in given:
        if not isinstance(key, str):
            raise PriorError(
                f"priors has the key {key!r}.",
                hint=f'Kinds: {", ".join(KINDS)}; parameters are written as "RSC =~ rsc2".',
            )
    preset = given.pop("preset", "default")
    if preset not in PRESETS:
        raise PriorError(
            f"{preset!r} is not a preset of priors.",
            hint=f"{did_you_mean(str(preset), PRESETS)} Known: {', '.join(PRESETS)}.".strip(),
        )
    by_kind = {k: v for k, v in given.items() if k in KINDS}
    for kind in ("interactions", "thresholds"):
        if kind in by_kind:
            raise NotAvailableError(
                f"priors of {kind} are not available yet: no model here has any.",
                hint="Leave them out.",
            )
    for kind, source in by_kind.items():  # also where the model has no such parameter
        read = prior_from(source, KINDS[kind][0], where=f"the {kind}")
        if kind == "correlations" and (read.family != "lkj" or read.mark == "cov"):
            raise PriorError(
                f"the prior of all correlations is {source}, not an lkj.",
                hint='Use "lkj(2)" for all, or name each one: {"f ~~ g": "beta(2, 2)"}.',
            )
    by_cell = {_tidy(k): v for k, v in given.items() if k not in KINDS}
    free = [r for r in table.rows if r.free]
    every = (
        {r.label for r in free if r.label} | {r.name for r in free} | {_mirrored(r) for r in free}
    )
    for key in by_cell:
        if key not in every:
            fixed = any(key in (r.label, r.name, _mirrored(r)) for r in table.rows)
            what = "a fixed parameter" if fixed else "no kind, label or parameter"
            raise PriorError(
                f"`{key}` in priors is {what}.",
                hint="Free it first."
                if fixed
                else did_you_mean(key, [*KINDS, *sorted(str(e) for e in every)])
                or f'Kinds: {", ".join(KINDS)}; parameters are written as "RSC =~ rsc2".',
            )
    return preset, by_kind, by_cell


def _tidy(key: str) -> str:
    return " ".join(key.split())


def _mirrored(row: Row) -> str:
    return f"{row.rhs} {row.op} {row.lhs}" if row.op == "~~" else row.name


def _blavaan(variable: str) -> Prior | None:
    """The defaults of blavaan 0.4-8 (target "stan")."""
    match variable:
        case "intercept":
            return Prior("normal", (0.0, 32.0))
        case "loading" | "path" | "factor_mean":
            return Prior("normal", (0.0, 10.0))
        case "residual_sd" | "factor_sd":
            return Prior("gamma", (1.0, 0.5), "sd")
        case "covariance":
            return Prior("normal", (0.0, 10.0), "cov")
    return None


# -- labels and constraints ----------------------------------------------------------------


def _variable(row: Row, table: ParameterTable) -> str:
    """A covariance whose label is shared is sampled as a covariance, otherwise as a correlation."""
    if row.kind != "correlation":
        return row.kind
    shared = row.label is not None and len(table.labels[row.label]) > 1
    return "covariance" if shared else "correlation"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Bounds by label, and the labels that other labels determine."""

    bounds: Mapping[str, tuple[float, float]]
    solved: Mapping[str, LinearConstraint]


def _merge(table: ParameterTable) -> ParameterTable:
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


def _constraint_plan(table: ParameterTable) -> _Plan:
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
    return _Plan(bounds, solved)


def _on_sds(c: LinearConstraint, table: ParameterTable) -> LinearConstraint:
    """Variances are sampled as standard deviations: `v1 > 2*v2` holds between their roots."""
    kinds = {_variable(table.labels[k][0], table) for k, _ in c.form.weights}
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


def _sign_bounds(row: Row, low: float, high: float) -> tuple[float, float]:
    if all(b in (-_INF, 0.0, _INF) for b in (low, high)):
        return low, high
    raise NotAvailableError(
        f"the covariance `{row.label}` can only be bounded by 0: it is sampled as a correlation.",
        span=row.span,
        hint="Give a prior on the correlation, or state a proposition about it.",
    )


def _support(variable: str) -> tuple[float, float]:
    if variable in ("residual_sd", "factor_sd"):
        return 0.0, _INF
    if variable == "correlation":
        return -1.0, 1.0
    return -_INF, _INF


def _find(rows: list[Row], matrix: str, k: int) -> Row:
    return next(r for r in rows if r.matrix == matrix and r.i == r.j == k)


def _components(pairs: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    groups: list[set[int]] = []
    for pair in pairs:
        touching = [g for g in groups if g & set(pair)]
        groups = [g for g in groups if not g & set(pair)] + [set(pair).union(*touching)]
    return sorted(tuple(sorted(g)) for g in groups)


def _lkj_log_normaliser(d: int, eta: float) -> float:
    """Lewandowski, Kurowicka & Joe (2009), eq. 16."""
    from scipy.special import betaln

    total = 0.0
    for k in range(1, d):
        b = eta + (d - k - 1) / 2
        total += (d - k) * ((2 * b - 1) * math.log(2) + float(betaln(b, b)))
    return total
