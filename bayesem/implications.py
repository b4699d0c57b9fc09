"""What the priors say before the data: on the answer scale, on explained variance, on effects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Moments
from bayesem.decomposition import (
    conditional_paths,
    effect_draws,
    explained_draws,
    linked,
    rescaled_paths,
    standardise,
    standardised_value,
)
from bayesem.errors import DataError
from bayesem.families import NORMAL
from bayesem.gcomputation import contrast, expectation, intervention
from bayesem.grammar.statements import LevelsArgument, MeanArgument, Number
from bayesem.implied import Implied, implied, implied_moments, scales
from bayesem.matrices import Matrices
from bayesem.model import Model
from bayesem.partable import ParameterTable
from bayesem.posterior import reported_matrices
from bayesem.preparation import Prepared, prepare
from bayesem.priordraws import draw_prior
from bayesem.seeds import check_seed
from bayesem.simulation import check_draws
from bayesem.variables import display_name, edges

__all__ = ["PriorImplications", "prior_implications"]

#: Kinds of parameters whose standardised values are shown.
COEFFICIENTS = ("loading", "path", "interaction", "correlation", "covariance")
SPREAD = ["median", "lower", "upper"]


@dataclass(frozen=True, slots=True, eq=False)
class PriorImplications:
    """What the priors imply, as tables of medians and central intervals over prior draws.

    Attributes
    ----------
    answers : DataFrame
        A row per indicator that is not conditioned on: ``indicator low high mean mean_lower
        mean_upper sd sd_lower sd_upper sample_mean sample_sd mean_outside two_sd_outside``, in the
        indicator's units. ``low`` and ``high`` are the codebook's scale; ``mean_outside`` is the
        share of draws whose implied mean leaves it, ``two_sd_outside`` of those whose mean -2 or
        +2 implied sds does. Missing without a scale, or where means are not modelled.
    explained : DataFrame
        ``variable kind median lower upper``: R2 of every predicted factor and every indicator.
    coefficients : DataFrame
        ``lhs op rhs label median lower upper sd negative``: standardised (std.all) loadings, paths,
        products and correlations; ``negative`` is the share of draws below 0.
    effects : DataFrame
        ``outcome predictor kind path median lower upper sd negative``, standardised.
    outcomes : DataFrame
        ``outcome quantity median lower upper`` of outcomes of other families: expected value, and
        what one direct predictor does to it from one sd below to one above its mean (an observed
        0/1 predictor from 0 to 1).
    draws : int
    prob : float
        Probability between ``lower`` and ``upper``.
    notes : tuple of str
    """

    answers: pd.DataFrame
    explained: pd.DataFrame
    coefficients: pd.DataFrame
    effects: pd.DataFrame
    outcomes: pd.DataFrame
    draws: int
    prob: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        tables = [
            f"<h4>{escape(title)}</h4>{table.round(2).to_html(index=False, na_rep='')}"
            for title, table in _tables(self)
        ]
        return "".join([f"<p>{escape(_headline(self))}</p>", *tables, *map(_paragraph, self.notes)])


def prior_implications(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    priors: str | Mapping[str, Any] | None = None,
    draws: int = 4000,
    prob: float = 0.9,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    families: Mapping[str, Any] | None = None,
    seed: int | None = 0,
) -> PriorImplications:
    """Draw from the priors of a model, and read off what they say before any data.

    Parameters
    ----------
    model, data, priors, identify, means, fixed_x, families
        As in :func:`bayesem.fit`. Of the data only what a prior may know of them is used: the
        scales of default priors, and the moments of observed predictors.
    draws : int
        From the exact joint prior, bounds and positive definiteness included.
    prob : float
        Probability of the central intervals.
    seed : int, optional

    Returns
    -------
    PriorImplications

    Raises
    ------
    PriorError
        If a prior is improper, or a PyMC distribution outside the built-in families.
    DataError
        If ``draws`` or ``prob`` make no sense.

    Notes
    -----
    A quantile over S draws has a standard error of ``sqrt(p (1 - p) / S) / f``, with f the density
    there: with 4,000 draws, a 5% quantile lies between the 4.3% and the 5.7% one.
    """
    check_draws(draws)
    check_seed(seed)
    if not 0 < prob < 1:
        raise DataError(f"prob is {prob!r}.", hint="Use a number between 0 and 1, such as 0.9.")
    ready = prepare(
        model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
        families=families, check=False,
    )  # fmt: skip
    x = draw_prior(ready.spec, int(draws), np.random.default_rng(seed))
    M, table = reported_matrices(ready.spec, x), ready.table
    return PriorImplications(
        _answers(ready, M, prob),
        _explained(table, M, prob),
        _coefficients(table, M, prob),
        _effects(table, M, prob),
        _outcomes(table, M, prob),
        int(draws),
        prob,
        tuple(_notes(ready)),
    )


# -- tables --------------------------------------------------------------------------------


def _answers(ready: Prepared, M: Matrices, prob: float) -> pd.DataFrame:
    """Implied mean and sd of every indicator, and how often they leave the answer scale."""
    table, stats = ready.table, ready.spec.stats
    factor_mean, Phi = implied_moments(table, M)
    mean = M.nu + (M.Lambda @ factor_mean[..., None])[..., 0]
    variance = np.einsum("...ik,...kl,...il->...i", M.Lambda, Phi, M.Lambda)
    sd = np.sqrt(variance + np.diagonal(M.Theta, axis1=-2, axis2=-1))
    if not stats.use_mean:
        mean = np.full_like(mean, np.nan)
    shown = [k for k, name in enumerate(table.indicators) if name not in _held(table)]
    low, high = _scale(ready)
    known = np.isfinite(low) & stats.use_mean
    sample_mean = stats.location() if _has_means(ready) else np.full(len(low), np.nan)
    values = {
        "indicator": list(table.indicators), "low": low, "high": high,
        **dict(zip(("mean", "mean_lower", "mean_upper"), _quantiles(mean, prob), strict=True)),
        **dict(zip(("sd", "sd_lower", "sd_upper"), _quantiles(sd, prob), strict=True)),
        "sample_mean": sample_mean, "sample_sd": stats.scale(),
        "mean_outside": np.where(known, _outside(mean, mean, low, high), np.nan),
        "two_sd_outside": np.where(known, _outside(mean - 2 * sd, mean + 2 * sd, low, high),
                                   np.nan),
    }  # fmt: skip
    return pd.DataFrame(values).iloc[shown].reset_index(drop=True)


def _outside(down: Floats, up: Floats, low: Floats, high: Floats) -> Floats:
    return np.asarray(((down < low) | (up > high)).mean(0))


def _held(table: ParameterTable) -> set[str]:
    """Observed variables that are conditioned on: no prior speaks of them."""
    return set(table.fixed_x)


def _scale(ready: Prepared) -> tuple[Floats, Floats]:
    """The codebook's answer scale by indicator, missing where it has none."""
    names, book = ready.table.indicators, ready.model.codebook
    ends = np.full((2, len(names)), np.nan)
    standardised = isinstance(ready.data, Moments) and ready.data.standardized
    if book is not None and book.scale is not None and not standardised:
        known = np.array([name in book.scaled for name in names])
        ends[:, known] = np.array(book.scale, float)[:, None]
    return ends[0], ends[1]


def _has_means(ready: Prepared) -> bool:
    return not isinstance(ready.data, Moments) or ready.data.mean is not None


def _explained(table: ParameterTable, M: Matrices, prob: float) -> pd.DataFrame:
    rows = [
        [name, kind, *_quantiles(share, prob)] for name, kind, share in explained_draws(table, M)
    ]
    return pd.DataFrame(rows, columns=["variable", "kind", *SPREAD])


def _coefficients(table: ParameterTable, M: Matrices, prob: float) -> pd.DataFrame:
    std = standardise(M, table)
    rows = [
        [r.lhs, r.op, r.rhs, r.label or "", *_described(standardised_value(r, std), prob)]
        for r in table.rows
        if r.free and r.kind in COEFFICIENTS
    ]
    return pd.DataFrame(
        rows, columns=["lhs", "op", "rhs", "label", *SPREAD, "sd", "negative"]
    ).reset_index(drop=True)


def _effects(table: ParameterTable, M: Matrices, prob: float) -> pd.DataFrame:
    Beta = linked(conditional_paths(M, table), table)
    Beta = rescaled_paths(Beta, scales(table, M))
    found = effect_draws(table, Beta, paths=False)
    rows = [[*names, *_described(np.asarray(draws), prob)] for names, draws in found]
    names = ["outcome", "predictor", "kind", "path"]
    return pd.DataFrame(rows, columns=[*names, *SPREAD, "sd", "negative"])


def _outcomes(table: ParameterTable, M: Matrices, prob: float) -> pd.DataFrame:
    model = implied(table, M)
    rows = [
        [outcome.name, quantity, *_quantiles(draws, prob)]
        for outcome in table.outcomes
        if outcome.family.code != NORMAL
        for quantity, draws in _outcome(model, outcome)
    ]
    return pd.DataFrame(rows, columns=["outcome", "quantity", *SPREAD])


def _outcome(model: Implied, outcome: Any) -> Iterator[tuple[str, Floats]]:
    """Base rate (or mean), and ratios by each direct predictor; covariates taken as normal."""
    family, table = outcome.family, model.table
    base = expectation(MeanArgument(outcome.name, ()), model).value
    yield ("probability" if family.is_binary else "mean"), base
    for at in np.flatnonzero(edges(table)[outcome.factor]):
        predictor = display_name(table, int(at))
        high, low = _levels(model, int(at))
        argument = LevelsArgument(outcome.name, predictor, Number(high), Number(low))
        words = f"{predictor} {high:.3g} against {low:.3g}"
        if family.is_binary:
            yield f"risk ratio, {words}", contrast("risk_ratio", argument, model).value
        elif family.is_time:
            yield f"time ratio, {words}", contrast("time_ratio", argument, model).value
        else:
            up, down = (
                intervention(MeanArgument(outcome.name, ((predictor, Number(v)),)), model).value
                for v in (high, low)
            )
            yield f"rate ratio, {words}", up / down


def _levels(model: Implied, at: int) -> tuple[float, float]:
    """A latent variable one sd up and down; an observed one likewise, in its own units."""
    if at < len(model.table.latent):
        return 1.0, -1.0
    if model.table.factors[at] not in model.table.phantoms or _binary(model, at):
        return 1.0, 0.0
    mean, sd = np.median(model.mean[..., at]), np.median(model.sd[..., at])
    return float(mean + sd), float(mean - sd)


def _binary(model: Implied, at: int) -> bool:
    names = {display_name(model.table, at)}
    return any(o.name in names and o.family.is_binary for o in model.table.outcomes)


def _quantiles(draws: Floats, prob: float) -> Any:
    """Median and central interval over the first axis."""
    if np.isnan(draws).any():
        return np.full((3, *draws.shape[1:]), np.nan)
    return np.quantile(draws, [0.5, (1 - prob) / 2, (1 + prob) / 2], axis=0)


def _described(draws: Floats, prob: float) -> list[float]:
    if np.isnan(draws).any():
        return [np.nan] * 5
    spread = [float(q) for q in _quantiles(draws, prob)]
    return [*spread, float(draws.std(ddof=1)), float((draws < 0).mean())]


# -- text ----------------------------------------------------------------------------------


def _notes(ready: Prepared) -> Iterator[str]:
    if not ready.spec.stats.use_mean:
        yield (
            "The means are not modelled, so the priors say nothing about where on the scale "
            "answers lie."
        )
    if not np.isfinite(_scale(ready)[0]).any():
        yield (
            "There is no codebook with an answer scale: compare implied means and sds with the "
            "sample's."
        )
    if ready.table.fixed_x:
        names = ", ".join(f"`{name}`" for name in ready.table.fixed_x)
        yield f"Conditioned on, so without a prior: {names}."
    if ready.spec.preset == "blavaan":
        yield 'Priors "blavaan" are for reproduction: no Bayes factor is shown with them.'


def _tables(found: PriorImplications) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "Answers", found.answers
    yield "Explained variance", found.explained
    yield "Standardised coefficients", found.coefficients
    yield "Standardised effects", found.effects
    if len(found.outcomes):
        yield "Outcomes", found.outcomes


def _headline(found: PriorImplications) -> str:
    return (
        f"What the priors say before the data: medians and {found.prob:.0%} intervals of "
        f"{found.draws:,} prior draws."
    )


def _paragraph(note: str) -> str:
    return f"<p>{escape(note)}</p>"


def _lines(found: PriorImplications) -> Iterator[str]:
    yield _headline(found)
    if len(found.answers):
        yield "\nAnswers"
        yield from _answer_lines(found.answers)
    yield "\nExplained variance (R2)"
    yield from _span_lines(found.explained[found.explained["kind"] == "factor"], ["variable"])
    measured = found.explained[found.explained["kind"] == "indicator"]
    if len(measured):
        yield _range("indicators", measured)
    yield "\nStandardised coefficients"
    loadings = found.coefficients[found.coefficients["op"] == "=~"]
    if len(loadings):
        yield _range("loadings", loadings)
    yield from _span_lines(found.coefficients.drop(loadings.index), ["lhs", "op", "rhs"])
    composite = found.effects[found.effects["kind"] != "direct"]
    if (composite["kind"] == "indirect").any():
        yield "\nStandardised effects"
        yield from _span_lines(composite, ["kind", "path"])
    if len(found.outcomes):
        yield "\nOutcomes"
        yield from _span_lines(found.outcomes, ["outcome", "quantity"])
    yield from ("", *found.notes) if found.notes else ()


def _answer_lines(answers: pd.DataFrame) -> Iterator[str]:
    yield f"  {'':<14}{'mean':>24}  {'sd':>20}  outside the scale"
    for row in answers.to_dict("records"):
        mean, sd = (_span(*(row[f"{name}{end}"] for end in ("", "_lower", "_upper")))
                    for name in ("mean", "sd"))  # fmt: skip
        out = f"mean {row['mean_outside']:.0%}, +-2 sd {row['two_sd_outside']:.0%}"
        out = "" if np.isnan(row["mean_outside"]) else out
        yield f"  {row['indicator'][:14]:<14}{mean:>24}  {sd:>20}  {out}".rstrip()


def _span_lines(table: pd.DataFrame, names: list[str]) -> Iterator[str]:
    for _, row in table.iterrows():
        name = " ".join(str(row[n]) for n in names)
        if np.isnan(row["median"]):
            yield f"  {name[:44]:<44}  no such number"
            continue
        sign = f"  below 0: {row['negative']:.0%}" if "negative" in table else ""
        yield f"  {name[:44]:<44}{_span(row['median'], row['lower'], row['upper']):>20}{sign}"


def _range(name: str, table: pd.DataFrame) -> str:
    """One line for many rows: their median row."""
    middle = table[SPREAD].median()
    words = f"{name} ({len(table)}, typical)"
    sign = f"  below 0: {table['negative'].mean():.1%}" if "negative" in table else ""
    return f"  {words:<44}{_span(*middle):>20}{sign}"


def _span(median: float, lower: float, upper: float) -> str:
    if np.isnan(median):
        return ""
    return f"{median:.2f} [{lower:.2f}, {upper:.2f}]"
