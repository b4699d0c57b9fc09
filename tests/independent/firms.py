"""Firms of study B, drawn from a declared truth: a generator that shares no code with ``bayesem``.

The population (graph, values, metric) is in `independent.population`; here firms are drawn from it.
One seed gives the same controls and residuals at every truth, so two truths can be compared on
common random numbers.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from independent import population as pop
from independent.drawing import answers, residuals
from independent.single import single_interaction

__all__ = ["firms", "single_interaction"]

#: Degrees of freedom of skewed dimensions.
CHI_SQUARE = 4


def firms(
    n: int,
    truth: Mapping[str, float] | None = None,
    *,
    propositions: Mapping[str, str] | None = None,
    rounded: bool = False,
    skewed: bool = False,
    omitted_moderator: bool = False,
    outcome: str = "exporting",
    seed: int,
) -> tuple[pd.DataFrame, dict[str, float | bool]]:
    """Draw firms of study B with 55 indicators, controls, and exporting or the wait for it.

    Parameters
    ----------
    n : int
        Firms.
    truth : mapping of str to float, optional
        Label -> value, in the metric of ``identify="unit"``; overrides ``propositions``.
    propositions : mapping of str to str, optional
        ``P1`` ... ``P5`` -> ``"true"`` (default), ``"false"`` (all parts of the claim at 0) or
        ``"reversed"`` (all parts on the wrong side).
    rounded : bool
        Whole numbers 1 to 10, cut off at the ends; INN, LEG and ACC crowd at 10. Otherwise
        unrounded, with mean about 5.5 and sd about 1.8.
    skewed : bool
        Residuals of the dimensions are standardised chi-squares with 4 degrees of freedom.
    omitted_moderator : bool
        EP also depends on 0.2 ECO:DC, which no graph of the study has beside FIN:DC and FIN:INN.
    outcome : {"exporting", "time"}
        ``"exporting"``: a probit of the dimensions. ``"time"``: ``years`` from founding to first
        export is log-normal, each firm has an age at the survey, and it exports if it is older
        than its wait. They are rival accounts of one event, so a sample has the one or the other.
    seed : int

    Returns
    -------
    DataFrame
        ``size`` (log employees), ``sector`` (0/1), ``exporting`` (0/1), the indicators in scale
        points, those of EP, SPEED and ACC missing where exporting = 0; with ``outcome="time"`` also
        ``years`` (of the wait, or of age while waiting) and ``still_waiting`` = 1 - exporting.
        ``attrs["synthetic"]`` is True.
    dict of str to float or bool
        Every label of ``export_strategy.sem`` (with ``outcome="time"``, y1 y2 y3 for d1 ... d5);
        whether ``P1`` ... ``P5`` hold (with ``"time"``, ``P4_time`` for ``P1``); what has no label
        as ``"lhs op rhs"``, where loadings and residual variances are those before rounding.

    Raises
    ------
    ValueError
        On an unknown proposition, state, label or outcome.
    """
    rng = np.random.default_rng(seed)
    labels = pop.declared(outcome, propositions or {}, truth or {})
    left_out = {"EP ~ ECO:DC": pop.OMITTED if omitted_moderator else 0.0}
    controls = _controls(n, rng)
    factors = _factors(controls, labels | left_out, CHI_SQUARE if skewed else None, rng)
    begin = _exporting if outcome == "exporting" else _years
    columns = begin(factors, controls, labels, rng)
    data = pd.concat([controls, columns, _indicators(factors, rounded, rng)], axis=1)
    data.loc[data["exporting"] == 0, _indicator_names(pop.EXPORTERS_ONLY)] = np.nan
    data.attrs["synthetic"] = True
    absent = "years" if outcome == "exporting" else "exporting"
    rest = {key: x for key, x in pop.other_values().items() if not key.startswith(absent)}
    return data, labels | pop.claims(labels) | rest | (left_out if omitted_moderator else {})


def _controls(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """``size`` in log employees, not centred, and ``sector``, which go together."""
    sector = (rng.uniform(size=n) < pop.SECTOR_SHARE).astype(int)
    size = pop.SIZE_FIRST + pop.SIZE_LEAD * sector + pop.SIZE_SD * rng.standard_normal(n)
    return pd.DataFrame({"size": size, "sector": sector})


def _adjustment(name: str, controls: pd.DataFrame) -> np.ndarray:
    """What the controls add to a variable, as deviation from its population mean."""
    return (controls.to_numpy() - pop.control_moments()[0]) @ np.array(pop.CONTROLS[name])


def _predicted(
    name: str,
    factors: Mapping[str, np.ndarray],
    controls: pd.DataFrame,
    values: Mapping[str, float],
) -> np.ndarray:
    """Linear predictor of an outcome, without intercept."""
    out = _adjustment(name, controls)
    for predictor, label in pop.PATHS[name].items():
        out = out + values[label] * np.prod([factors[f] for f in predictor.split(":")], axis=0)
    return out


def _factors(
    controls: pd.DataFrame,
    values: Mapping[str, float],
    degrees: int | None,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """All 20 factors, residual variances 1, drawn in causal order."""
    n = len(controls)
    drawn = residuals(n, pop.DIMENSION_CORRELATION, degrees, rng).T
    factors = {
        name: _adjustment(name, controls) + zeta
        for name, zeta in zip(pop.DIMENSIONS, drawn, strict=True)
    }
    for layer, (name, loading) in pop.LAYERS.items():
        factors[layer] = values.get(loading, loading) * factors[name] + rng.standard_normal(n)
    zetas = {name: rng.standard_normal(n) for name in ("LEG", "INFO")}
    together = residuals(n, pop.TERMINAL_CORRELATION, None, rng).T
    zetas |= dict(zip(pop.TERMINAL, together, strict=True))
    for name in pop.PATHS:
        if name in zetas:
            factors[name] = _predicted(name, factors, controls, values) + zetas[name]
    return factors


def _exporting(
    factors: Mapping[str, np.ndarray],
    controls: pd.DataFrame,
    values: Mapping[str, float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Probit of the dimensions; its residual is independent of all others (ignorable)."""
    chance = pop.EXPORTING_INTERCEPT + _predicted("exporting", factors, controls, values)
    begun = chance + rng.standard_normal(len(controls)) > 0
    return pd.DataFrame({"exporting": begun.astype(int)})


def _years(
    factors: Mapping[str, np.ndarray],
    controls: pd.DataFrame,
    values: Mapping[str, float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Log-normal wait, censored at the firm's age, which is independent of everything."""
    noise, age = rng.standard_normal((2, len(controls)))
    wait = np.exp(_predicted("years", factors, controls, values) + pop.YEARS_SD * noise)
    wait, age = pop.YEARS_MEDIAN * wait, pop.AGE_MEDIAN * np.exp(pop.AGE_SD * age)
    begun = (wait <= age).astype(int)
    years = np.minimum(wait, age)
    return pd.DataFrame({"exporting": begun, "years": years, "still_waiting": 1 - begun})


def _indicator_names(factors: tuple[str, ...]) -> list[str]:
    return [f"{f.lower()}{i + 1}" for f in factors for i in range(pop.MEASURED[f].count)]


def _indicators(
    factors: Mapping[str, np.ndarray],
    rounded: bool,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """All indicators of all firms, in scale points."""
    blocks = [
        answers(factors[f], m.loadings, m.intercepts(rounded=rounded), m.residual_sd, rng)
        for f, m in pop.MEASURED.items()
    ]
    values = np.hstack(blocks)
    if rounded:
        values = np.clip(np.rint(values), 1, 10)
    return pd.DataFrame(values, columns=_indicator_names(tuple(pop.MEASURED)))
