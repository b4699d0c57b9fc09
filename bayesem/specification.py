"""From parameter table, data and priors to a :class:`~bayesem.spec.Spec`."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayesem.arrays import VECTORS, Floats
from bayesem.augmentation import METHOD_SD, NOTHING, Added
from bayesem.chosen_priors import Units, chosen_priors
from bayesem.constraints import Plan, constraint_plan, merge, sign_bounds, variable_of
from bayesem.data import Answers, Statistics
from bayesem.errors import ConstraintError, PriorError
from bayesem.matrices import Matrices
from bayesem.metric import home_scales
from bayesem.partable import ParameterTable, Row
from bayesem.priors import Prior
from bayesem.spec import Block, Derived, Parameter, Spec, Term

__all__ = ["density_of_fixed_x", "specification"]

_INF = math.inf


def specification(
    table: ParameterTable,
    stats: Statistics,
    *,
    priors: str | Mapping[str, Any] | None = None,
    spread: Floats | None = None,
    centre: Floats | None = None,
    cases: Answers | None = None,
    added: Added = NOTHING,
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
    cases : Answers, optional
        Where the likelihood needs every case.
    added : Added, optional
        Loadings that :func:`bayesem.augmentation.augmented` put into the table.

    Raises
    ------
    PriorError
        If a prior cannot be read, or names no free parameter.
    ConstraintError, NotAvailableError
        If the constraints contradict each other or are of a sort that is not supported.
    """
    spread = stats.scale() if spread is None else spread
    centre = stats.location() if centre is None else centre
    builder = _Builder(table, stats, priors, spread, centre, cases, added)
    return replace(builder.build(), cases=cases)


def density_of_fixed_x(table: ParameterTable, stats: Statistics, base: Matrices) -> float:
    """Log-likelihood of the predictors that are conditioned on, at the moments ``base`` holds."""
    if not table.fixed_x:
        return 0.0
    y = [table.indicators.index(x) for x in table.fixed_x]
    k = [table.factors.index(x) for x in table.fixed_x]
    S0, S = base.Psi[np.ix_(k, k)], stats.covariance()[np.ix_(y, y)]
    if stats.use_mean:
        d = stats.location()[y] - base.alpha[k]
        S = S + np.outer(d, d)
    n = float(stats.n.sum())
    logdet = np.linalg.slogdet(2 * math.pi * S0)[1]
    return float(-0.5 * n * (logdet + np.trace(np.linalg.solve(S0, S))))


class _Builder:
    """Collects parameters and terms while the table is read."""

    def __init__(
        self,
        table: ParameterTable,
        stats: Statistics,
        priors: str | Mapping[str, Any] | None,
        spread: Floats,
        centre: Floats,
        cases: Answers | None = None,
        added: Added = NOTHING,
    ) -> None:
        self.stats, self.spread, self.centre, self.cases = stats, spread, centre, cases
        self.added = added
        self.table = merge(table)
        self.priors = chosen_priors(table, self.table, priors)
        self.preset = self.priors.preset
        home = "factor_sd" not in self.priors.by_kind and self.preset == "default"
        own = [r for r in self.table.rows if self.priors.own(r) is not None]
        self.scales = home_scales(self.table, own) if home else ()
        self.at_home = {s.factor for s in self.scales}
        units = self._units()
        self.units = Units(spread, centre, units, *self._outcome_scales(units))
        self.parameters: list[Parameter] = []
        self.derived: list[Derived] = []
        self.terms: list[Term] = []
        self.index: dict[str, int] = {}
        self.derived_of: dict[str, int] = {}
        self.notes: list[str] = [*added.notes]

    # -- the whole -------------------------------------------------------------------------

    def build(self) -> Spec:
        rows = [self._home(r) for r in self.table.rows]
        plan = constraint_plan(self.table)
        blocks = self._blocks(rows)
        self._declare(rows, plan)
        self._derive(plan)
        base = self._base(rows)
        self._fill(rows)
        return Spec(
            table=self.table, stats=self.stats, parameters=tuple(self.parameters),
            derived=tuple(self.derived), terms=tuple(self.terms),
            blocks=self._with_members(blocks, rows), base=base, scales=self.scales,
            constant=self.stats.constant - density_of_fixed_x(self.table, self.stats, base),
            units=self.units.factor, preset=self.preset, notes=tuple(self.notes),
            cell_priors=self.priors.by_cell,
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
        for outcome, (_, unit) in zip(self.table.outcomes, self._outcome_values(), strict=True):
            units[outcome.factor] = unit
        for k in sorted(range(len(self.table.latent)), key=self._order):
            if k not in self.at_home:
                units[k] = self._unit(k, units)
        return units

    def _outcome_values(self) -> list[tuple[float, float]]:
        """Location and unit of every outcome's linear predictor, for its priors."""
        found = []
        for k, outcome in enumerate(self.table.outcomes):
            family, values = outcome.family, np.zeros(2)
            if self.cases is not None:
                values = self.cases.outcomes[:, k]
                values = values[~np.isnan(values)]
            if family.name == "normal":
                found.append((float(values.mean()), float(values.std()) or 1.0))
            elif family.is_time:
                found.append((float(np.log(np.maximum(values, 1e-300)).mean()), family.unit))
            elif family.is_count:
                found.append((math.log(max(float(values.mean()), 0.1)), family.unit))
            else:
                found.append((0.0, family.unit))
        return found

    def _outcome_scales(self, units: Floats) -> tuple[Floats, Floats]:
        """Centre and sd of the default prior of each outcome's intercept.

        At the mean of the observed predictors it is as wide as the prior says; the intercept itself
        stands at their 0, so their paths' priors widen it.
        """
        centre, sd = np.zeros(len(self.table.outcomes)), np.zeros(len(self.table.outcomes))
        location = self.stats.location()
        for k, ((middle, unit), outcome) in enumerate(
            zip(self._outcome_values(), self.table.outcomes, strict=True)
        ):
            wide = 1.5 * unit if outcome.family.is_binary else 2.5 * unit
            away = sum(
                (0.5 * unit * float(location[self.table.indicators.index(r.rhs)]) / units[r.j]) ** 2
                for r in self.table.rows
                if r.matrix == "Beta" and r.i == outcome.factor and r.rhs in self.table.phantoms
            )
            centre[k], sd[k] = middle, math.sqrt(wide**2 + away)
        return centre, sd

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
    # -- parameters ------------------------------------------------------------------------

    def _declare(self, rows: list[Row], plan: Plan) -> None:
        for row in rows:
            if not row.free:
                continue
            key = self._key(row)
            if key in self.index or row.label in plan.solved:
                continue
            variable = variable_of(row, self.table)
            self._add(row, key, variable, plan)

    def _add(self, row: Row, key: str, variable: str, plan: Plan) -> None:
        lower, upper = _support(variable)
        low, high = plan.bounds.get(row.label or "", (-_INF, _INF))
        if variable in ("residual_sd", "factor_sd"):
            low, high = math.sqrt(max(low, 0.0)), math.sqrt(high) if high > 0 else -1.0
        elif variable == "correlation":
            low, high = sign_bounds(row, low, high)
        lower, upper = max(lower, low), min(upper, high)
        if lower >= upper:
            raise ConstraintError(
                f"the constraints leave no value for `{row.label}`.", span=row.span
            )
        prior, start = self._prior(row, variable), row.start
        if row.name in self.added.small:
            start = 0.0
        elif row.name in self.added.common:
            start = METHOD_SD * self._unit_loading(row)
        lower, upper, prior = self._bounded(row, variable, prior, lower, upper)
        self.index[key] = len(self.parameters)
        self.parameters.append(Parameter(row.name, variable, lower, upper, prior, row.label, start))

    def _key(self, row: Row) -> str:
        """What rows that are one parameter have in common."""
        if row.name not in self.added.common:
            return row.label or row.name
        first = self.added.common[0]
        if row.name != first and self.priors.own(row) is not None:
            raise PriorError(
                f"`{row.name}` is a multiple of `{first}`: the method factor has one loading.",
                hint=f"Put the prior on `{first}`.",
            )
        return first

    def _prior(self, row: Row, variable: str) -> Prior | None:
        """Of an added loading, what the argument says; of any other, what the preset does."""
        if self.priors.own(row) is None:
            if row.name in self.added.small:
                width = self.added.small[row.name] * self._unit_loading(row)
                return Prior("normal", (0.0, width))
            if row.name in self.added.common:
                return Prior("halfnormal", (METHOD_SD * self._unit_loading(row),))
        return self.priors.of(row, variable, self.units)

    def _unit_loading(self, row: Row) -> float:
        """The loading that is 1 when standardised, in the units that the factor is sampled in."""
        scale = self.stats.scale()[self.table.indicators.index(row.rhs)]
        return float(scale / self.units.factor[row.j])

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

    def _derive(self, plan: Plan) -> None:
        """Values solved from constraints: equalities, and inequalities by their slack."""
        for label, constraint in plan.solved.items():
            row = self.table.labels[label][0]
            variable = variable_of(row, self.table)
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
                prior = self.priors.of(row, variable, self.units)
            elif self.priors.own(row) is not None:
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
            "omega": np.zeros(len(self.table.products)),
            "shape": np.zeros(len(self.table.outcomes)),
        }  # fmt: skip
        for name in self.table.phantoms:
            out["Lambda"][self.table.indicators.index(name), self.table.factors.index(name)] = 1
        for row in rows:
            value = self._moment(row) if row.frozen else row.value
            if value is None or value == 0:
                continue
            if row.matrix in VECTORS:
                out[row.matrix][row.i] = value
            else:
                out[row.matrix][row.i, row.j] = value
                if row.matrix in ("Psi", "Theta"):
                    out[row.matrix][row.j, row.i] = value
        return Matrices(**out, products=self.table.products)

    def _moment(self, row: Row) -> float:
        names = self.table.indicators
        if row.op == "~1":
            return (
                float(self.stats.location()[names.index(row.lhs)]) if self.stats.use_mean else 0.0
            )
        return float(self.stats.covariance()[names.index(row.lhs), names.index(row.rhs)])

    def _fill(self, rows: list[Row]) -> None:
        for row in rows:
            if not row.free:
                continue
            source = self.index[self._key(row)]
            variable = variable_of(row, self.table)
            if row.name in self.added.common:
                first = next(r for r in rows if r.name == self.added.common[0])
                ratio = self._unit_loading(row) / self._unit_loading(first)
                self.terms.append(Term(row.matrix, row.i, row.j, ratio, source))
            elif variable in ("residual_sd", "factor_sd"):
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
                single = variable_of(r, self.table) == "correlation"
                plain = plain and single
                if single:
                    members.append((k, nodes.index(r.i), nodes.index(r.j)))
            elementwise = any(
                k < len(self.parameters) and self.parameters[k].prior is not None
                for k, _, _ in members
            )
            latent = matrix == "Psi" and all(n < len(self.table.latent) for n in nodes)
            eta = 1.0 if elementwise else self.priors.eta("factor" if latent else "residual")
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


def _support(variable: str) -> tuple[float, float]:
    if variable in ("residual_sd", "factor_sd", "shape"):
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
