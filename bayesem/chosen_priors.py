"""Which prior each parameter gets: the user's own, that of its kind, or the preset's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bayesem.arrays import Floats
from bayesem.constraints import variable_of
from bayesem.errors import NotAvailableError, PriorError, did_you_mean
from bayesem.partable import ParameterTable, Row
from bayesem.priors import KINDS, PRESETS, Prior, prior_from

__all__ = ["ChosenPriors", "Units", "chosen_priors"]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What default priors are measured in.

    Attributes
    ----------
    spread, centre : (indicator,) arrays
        Scale s and middle m of each indicator.
    factor : (factor,) array
        Expected standard deviation of each factor, in the units that it is sampled in.
    """

    spread: Floats
    centre: Floats
    factor: Floats
    outcome_centre: Floats
    outcome_sd: Floats

    def sd(self, row: Row, k: int) -> float:
        """Expected residual standard deviation of one side of a covariance."""
        return float(self.factor[k] if row.matrix == "Psi" else 0.7 * self.spread[k])


@dataclass(frozen=True, slots=True, eq=False)
class ChosenPriors:
    """The ``priors`` argument, read.

    Attributes
    ----------
    table : ParameterTable
    preset : str
    by_kind, by_cell : mapping
        As given, by kind and by label or ``"lhs op rhs"``.
    """

    table: ParameterTable
    preset: str
    by_kind: Mapping[str, Any]
    by_cell: Mapping[str, Any]

    def own(self, row: Row) -> Prior | None:
        """The prior that the user gave to this very parameter."""
        rows = self.table.labels[row.label] if row.label else (row,)
        labels = [row.label] if row.label else []
        labels += [gone for gone, kept in self.table.aliases if kept == row.label]
        cells = [key for r in rows for key in (r.name, mirrored(r))]
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
                self.by_cell[keys[0]], variable_of(row, self.table), where=f"`{keys[0]}`"
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
                variable_of(row, self.table),
                where=f"`{row.name}`",
                mark=row.prior_mark,
            )
        except PriorError as error:
            raise PriorError(error.message, hint=error.hint, span=row.span) from None

    def of(self, row: Row, variable: str, units: Units) -> Prior | None:
        own = self.own(row)
        if own is not None:
            return own
        kind = next(k for k, variables in KINDS.items() if variable in variables)
        if kind in self.by_kind and variable != "correlation":
            given = prior_from(self.by_kind[kind], variable, where=f"the {kind}")
            return replace(given, given=False)
        match self.preset:
            case "default":
                return self._default(row, variable, units)
            case "flat":
                return None if variable == "correlation" else Prior("flat", ())
            case _:
                return blavaan(variable)

    def _default(self, row: Row, variable: str, units: Units) -> Prior | None:
        """The weak, scale-aware priors, in the units that the row is sampled in."""
        u = units.factor
        outcome = next((k for k, o in enumerate(self.table.outcomes) if o.name == row.lhs), None)
        match variable:
            case "interaction":
                p = self.table.products[row.i]
                return Prior("normal", (0.0, 0.25 * u[p.to] / (u[p.first] * u[p.second])))
            case "shape":
                return Prior("halfnormal", (1.0,), "sd")
            case "residual_sd" if outcome is not None and row.matrix == "Psi":
                if self.table.outcomes[outcome].family.name == "normal":
                    return Prior("gamma", (2.0, 3.0 / u[row.i]), "sd")
                return Prior("halfnormal", (1.0,), "sd")
            case "intercept" if outcome is not None:
                return Prior(
                    "normal",
                    (float(units.outcome_centre[outcome]), float(units.outcome_sd[outcome])),
                )
            case "intercept":
                k = self._indicator(row)
                return Prior("normal", (float(units.centre[k]), 2.5 * float(units.spread[k])))
            case "loading" if row.matrix == "Lambda" or row.rhs in self.table.phantoms:
                s = float(units.spread[self.table.indicators.index(row.rhs)])
                return Prior("normal", (0.7 * s / u[row.j], 0.4 * s / u[row.j]))
            case "loading":
                return Prior("normal", (u[row.i] / u[row.j], 0.5 * u[row.i] / u[row.j]))
            case "residual_sd":
                s = float(units.spread[self._indicator(row)])
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
                    (0.0, 0.5 * units.sd(row, row.i) * units.sd(row, row.j)),
                    "cov",
                )
        return None

    def _indicator(self, row: Row) -> int:
        return self.table.indicators.index(row.lhs)

    def eta(self, matrix: str) -> float:
        given = self.by_kind.get("correlations")
        if given is not None:
            prior = prior_from(given, "correlation", where="the correlations")
            if prior.family == "lkj":
                return prior.args[0]
            return 1.0
        return 2.0 if self.preset == "default" and matrix == "residual" else 1.0


def chosen_priors(
    table: ParameterTable, merged: ParameterTable, priors: str | Mapping[str, Any] | None
) -> "ChosenPriors":
    """Read the ``priors`` argument of a fit.

    Parameters
    ----------
    table, merged : ParameterTable
        As written, to check names against; and after equal labels became one.
    priors : str or mapping, optional

    Raises
    ------
    PriorError
        If a prior cannot be read, or names no free parameter.
    """
    if priors is None or isinstance(priors, str):
        priors = {"preset": priors or "default"}
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
    if "thresholds" in by_kind:
        raise NotAvailableError(
            "priors of thresholds are not available yet: no model here has any.",
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
        {r.label for r in free if r.label} | {r.name for r in free} | {mirrored(r) for r in free}
    )
    for key in by_cell:
        if key not in every:
            fixed = any(key in (r.label, r.name, mirrored(r)) for r in table.rows)
            what = "a fixed parameter" if fixed else "no kind, label or parameter"
            raise PriorError(
                f"`{key}` in priors is {what}.",
                hint="Free it first."
                if fixed
                else did_you_mean(key, [*KINDS, *sorted(str(e) for e in every)])
                or f'Kinds: {", ".join(KINDS)}; parameters are written as "RSC =~ rsc2".',
            )
    return ChosenPriors(merged, preset, by_kind, by_cell)


def _tidy(key: str) -> str:
    return " ".join(key.split())


def mirrored(row: Row) -> str:
    return f"{row.rhs} {row.op} {row.lhs}" if row.op == "~~" else row.name


def blavaan(variable: str) -> Prior | None:
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
