"""Several interventions, each alone and all together: what they add up to, and by how much more.

``do``-style contrasts of :mod:`bayesem.gcomputation` in one table. Together less each alone, plus
neither as often as is left over, is what the interventions do beyond their sum; it is 0 unless
products of factors, or an outcome that is not continuous, lie between.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.errors import PropositionError
from bayesem.gcomputation import covariates, intervention
from bayesem.grammar.statements import MeanArgument, Number, Unary
from bayesem.implied import Implied, implied
from bayesem.variables import in_own_units, locate

__all__ = ["bundle_effects"]

COLUMNS = ["intervention", "kind", "mean", "sd", "lower", "upper", "pd"]
TOGETHER, BEYOND = "together", "beyond the sum"


def bundle_effects(
    fit: Any,
    outcome: str,
    bundles: Mapping[str, Mapping[str, float]],
    *,
    prob: float = 0.95,
) -> pd.DataFrame:
    """What interventions do to an outcome, each alone, all together, and beyond their sum.

    Parameters
    ----------
    fit : Fit
    outcome : str
    bundles : mapping of str to mapping of str to float
        By name what each sets for everybody: ``{"finance": {"FIN": 1}, "facilitation": {"BRIDGE":
        1}}``. Factors are set in sds from their means, observed variables in their own units; a
        variable stands in one bundle. They are compared with the same variables at 0.
    prob : float
        Of the interval.

    Returns
    -------
    DataFrame
        ``intervention kind mean sd lower upper pd``: a row for each bundle alone, one ``together``,
        one ``beyond the sum``. A factor's outcome is in its own sds; an observed one on its scale.

    Raises
    ------
    PropositionError
        For fewer than two bundles, a variable in two of them, or one that does not lead to the
        outcome.
    """
    _check(bundles, prob)
    model, rows = implied(fit.table, fit.matrices()), covariates(fit)
    none = {v: 0.0 for each in bundles.values() for v in each}

    def expected(chosen: Mapping[str, float]) -> Floats:
        found = intervention(_argument(outcome, {**none, **chosen}), model, rows).value
        return np.asarray(found / _unit(model, outcome))

    base = expected({})
    alone = {name: expected(each) - base for name, each in bundles.items()}
    whole = expected({v: x for each in bundles.values() for v, x in each.items()}) - base
    beyond = whole - sum(alone.values())
    names = " + ".join(bundles)
    gains = [(name, "alone", gain) for name, gain in alone.items()]
    gains += [(names, TOGETHER, whole), (names, BEYOND, beyond)]
    return pd.DataFrame([_row(n, k, g, prob) for n, k, g in gains], columns=COLUMNS)


def _check(bundles: Mapping[str, Mapping[str, float]], prob: float) -> None:
    if not isinstance(bundles, Mapping) or len(bundles) < 2:
        raise PropositionError(
            "fewer than two interventions are given.",
            hint='As in {"finance": {"FIN": 1}, "facilitation": {"BRIDGE": 1}}.',
        )
    if not 0 < prob < 1:
        raise PropositionError(f"prob is {prob!r}.", hint="It lies between 0 and 1: 0.95.")
    seen: dict[str, str] = {}
    for name, each in bundles.items():
        if not isinstance(each, Mapping) or not each:
            raise PropositionError(f"`{name}` sets nothing.", hint='As in {"FIN": 1}.')
        for variable, value in each.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise PropositionError(f"`{variable}` is set to {value!r}.", hint="Give a number.")
            if variable in seen:
                raise PropositionError(
                    f"`{variable}` is set by both {seen[variable]} and {name}.",
                    hint="Leave it in one of them.",
                    label=variable,
                )
            seen[variable] = name


def _argument(outcome: str, conditions: Mapping[str, float]) -> MeanArgument:
    values = tuple((k, _number(v)) for k, v in conditions.items())
    return MeanArgument(outcome, values)


def _number(value: float) -> Number | Unary:
    return Number(float(value)) if value >= 0 else Unary("-", Number(float(-value)))


def _unit(model: Implied, outcome: str) -> Floats | float:
    """The sd of a factor; other outcomes have a scale of their own."""
    at = locate(model.table, outcome)
    latent = at < len(model.table.latent) and at not in in_own_units(model.table)
    return model.sd[..., at] if latent else 1.0


def _row(name: str, kind: str, gain: Floats, prob: float) -> list[Any]:
    flat = gain.ravel()
    low, high = np.quantile(flat, [(1 - prob) / 2, (1 + prob) / 2])
    above = float((flat > 0).mean())
    still = bool(np.ptp(flat) == 0)
    pd_ = np.nan if still else max(above, float((flat < 0).mean()))
    return [name, kind, float(flat.mean()), float(flat.std(ddof=1)), float(low), float(high), pd_]
