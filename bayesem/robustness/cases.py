"""What single cases, and the selection of cases, do to verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.claim_evidence import measure, without_prior
from bayesem.claims_evaluation import (
    Form,
    Scope,
    holds,
    normal_form,
    scope,
    standardised_difference,
)
from bayesem.data import Answers
from bayesem.decision import WITHHELD, Evidence, judge
from bayesem.errors import BayesemError, DataError, NotAvailableError
from bayesem.grammar.statements import And, Comparison, Or
from bayesem.pointwise import log_likelihoods, refuse_caseless
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet, Rule, read_propositions
from bayesem.refitting import renew, sample
from bayesem.sampling.convergence import stamped
from bayesem.screening import observed_values, tail_probabilities
from bayesem.seeds import check_seed
from bayesem.simulation import predictive
from bayesem.verdicts import assess

__all__ = ["influence", "selection"]

#: Pareto k above which smoothed weights do not stand for the posterior without a case.
GOOD_K = 0.7


# --- single cases -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    """A proposition of the fitted model, with what the whole posterior says on it."""

    name: str
    form: Form
    rule: Rule
    evidence: Evidence
    probability: float
    verdict: str


def influence(
    fit: Fit,
    propositions: Any,
    *,
    exact: bool = False,
    draws: int | None = None,
    seed: int = 0,
    cores: int | None = None,
) -> pd.DataFrame:
    r"""Probability and verdict of every proposition without each case in turn.

    The posterior without case i is that with it, weighted by :math:`1/p(y_i|\theta)`; the weights
    are Pareto-smoothed. Where the smoothed tail is too heavy (k > 0.7, or less for few draws) they
    do not stand for that posterior: such cases are flagged, their verdicts withheld, and ``exact``
    fits the model without each of them instead.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    propositions : PropositionSet, {name: claim}, study or path
        Those that speak of another model are left out.
    exact : bool
        Refit without each flagged case, with the same priors.
    draws : int, optional
        By chain, of such refits; the fit's by default.
    seed : int
        Of such refits.
    cores : int, optional

    Returns
    -------
    DataFrame
        ``name case probability without change mcse verdict verdict_without moves pareto_k flagged
        refitted``, a row per proposition and case, within a proposition by the size of the change.
        ``probability`` rests on all cases and ``without`` on all but this one, with its
        Monte-Carlo error ``mcse``; ``moves`` is whether both verdicts are given and differ.
        ``case`` is the data's own row name.

    Raises
    ------
    NotAvailableError
        If there are no cases (moments), or the means are not modelled.
    PropositionError
        For a claim that cannot be read or that names what the model does not have.

    References
    ----------
    .. [1] Vehtari, Gelman & Gabry (2017), *Statistics and Computing* 27, 1413-1432.
    .. [2] Vehtari et al. (2024), *Journal of Machine Learning Research* 25 (72).
    """
    refuse_caseless(fit)
    check_seed(seed)
    posterior = scope(fit)
    prior = scope(fit, "prior") if "prior" in fit.draws.children else posterior
    claims = list(_claims(fit, propositions, posterior, prior))
    weights = _weights(fit)
    good = min(1 - 1 / np.log10(len(weights.values)), GOOD_K)
    flagged = weights.k > good
    refits = _refits(fit, np.flatnonzero(flagged) if exact else np.array([], int),
                     propositions, draws, seed, cores)  # fmt: skip
    table = pd.concat(
        [_rows(fit, claim, posterior, weights, flagged, refits) for claim in claims],
        ignore_index=True,
    )
    table = stamped(table, fit)
    table.attrs["notes"] = (*table.attrs["notes"], *_influence_notes(flagged, good, exact=exact))
    return table


def _claims(fit: Fit, propositions: Any, posterior: Scope, prior: Scope) -> Iterator[_Claim]:
    """What `bayesem.assess` says of the same fit, and the normal forms behind it."""
    if not isinstance(propositions, PropositionSet):
        propositions = read_propositions(propositions)
    table = assess(propositions, fit).table.set_index("name")
    earlier: dict[str, Any] = {}
    for p in propositions:
        form = normal_form(p.tree, earlier)
        earlier[p.name] = p.tree
        if p.name not in table.index:
            continue
        evidence, _, _ = measure(form, posterior, prior, p.rule)
        if "prior" not in fit.draws.children or fit.settings.priors == "blavaan":
            evidence = without_prior(evidence)
        row = table.loc[p.name]
        yield _Claim(p.name, form, p.rule, evidence, float(row["probability"]), str(row["verdict"]))


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """Of draws without each case: (draw, case) arrays whose columns sum to 1, and Pareto k."""

    values: Floats
    squares: Floats
    k: Floats


def _weights(fit: Fit) -> _Weights:
    from arviz_stats.base import array_stats

    log = log_likelihoods(fit).T
    varies = np.ptp(log, axis=1) > 0  # a case without answers weighs nothing
    weights = np.full(log.shape, 1 / log.shape[1])
    k = np.zeros(len(log))
    if varies.any():
        chains = fit.draws["posterior"].sizes["chain"]
        ratios = -log[varies].reshape(int(varies.sum()), chains, -1)
        smoothed, k[varies] = array_stats.psislw(log[varies], r_eff=_efficiency(ratios))
        weights[varies] = np.exp(smoothed - smoothed.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
    weights = np.ascontiguousarray(weights.T)
    return _Weights(weights, weights**2, k)


def _efficiency(log: Floats) -> float:
    """Effective draws per draw of the raw weights, (case, chain, draw), averaged over cases."""
    from arviz_stats.base import array_stats

    if log.shape[1] < 2:
        return 1.0
    raw = np.exp(log - log.max((1, 2), keepdims=True))
    return float(array_stats.ess(raw, chain_axis=1, draw_axis=2, method="mean").mean()
                 / (log.shape[1] * log.shape[2]))  # fmt: skip


def _rows(
    fit: Fit,
    claim: _Claim,
    posterior: Scope,
    weights: _Weights,
    flagged: np.ndarray,
    refits: Mapping[int, pd.DataFrame],
) -> pd.DataFrame:
    """One proposition without each case."""
    assert isinstance(fit.data, Answers)
    evidence = _reweighted(claim.form, claim.evidence, posterior, claim.rule, weights)
    without = np.array(evidence.probability, float)
    mcse = np.broadcast_to(evidence.mcse, without.shape).copy()
    verdict = judge(evidence, claim.rule).astype(object)
    verdict = np.broadcast_to(verdict, without.shape).copy()
    if not fit.converged:
        verdict[:] = WITHHELD
    verdict[flagged] = WITHHELD
    refitted = np.zeros(len(without), bool)
    for case, table in refits.items():
        row: Any = table.loc[claim.name]
        without[case], mcse[case], verdict[case] = row["probability"], row["mcse"], row["verdict"]
        refitted[case] = True
    given = (verdict != WITHHELD) & (claim.verdict != WITHHELD)
    table = pd.DataFrame({
        "name": claim.name, "case": fit.data.index, "probability": claim.probability,
        "without": without, "change": without - claim.probability, "mcse": mcse,
        "verdict": claim.verdict, "verdict_without": verdict,
        "moves": given & (verdict != claim.verdict), "pareto_k": weights.k, "flagged": flagged,
        "refitted": refitted,
    })  # fmt: skip
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def _reweighted(
    form: Form, evidence: Evidence, posterior: Scope, rule: Rule, weights: _Weights
) -> Evidence:
    """The evidence under each column of weights: every share is a weighted one."""
    truth = _truth(form, posterior, rule)
    probability, mcse = _share(truth, weights, evidence.mcse)
    mass, mass_error = evidence.rope_mass, evidence.rope_mcse
    if isinstance(form, Comparison) and np.isfinite(mass).all():
        gap = standardised_difference(form, posterior, rule)
        if gap is not None:
            mass, mass_error = _share(np.abs(gap[0]) < gap[1], weights, evidence.rope_mcse)
    parts = form.parts if isinstance(form, And | Or) else ()
    return replace(
        evidence, probability=probability, mcse=mcse, rope_mass=mass, rope_mcse=mass_error,
        parts=tuple(
            _reweighted(part, found, posterior, rule, weights)  # type: ignore[arg-type]
            for part, found in zip(parts, evidence.parts, strict=True)
        ),
    )  # fmt: skip


def _truth(form: Form, posterior: Scope, rule: Rule) -> np.ndarray:
    if isinstance(form, And | Or):
        joined = np.logical_and if isinstance(form, And) else np.logical_or
        return np.asarray(joined.reduce([_truth(p, posterior, rule) for p in form.parts]))  # type: ignore[arg-type]
    return holds(form, posterior, rule)


def _share(truth: np.ndarray, weights: _Weights, plain_error: Floats) -> tuple[Floats, Floats]:
    """Weighted share of draws (case,) and its error: that of independent draws, times what the
    chains' autocorrelation adds to the error of the plain share."""
    inside = truth.reshape(-1).astype(float)
    total, mean = len(inside), inside.mean()
    p = inside @ weights.values if mean < 1 else np.ones(weights.values.shape[1])
    plain = np.sqrt(mean * (1 - mean) / total)
    stretch = max(float(plain_error) / plain, 1.0) if plain > 0 else 1.0
    squares = inside @ weights.squares
    spread = squares * (1 - p) ** 2 + (weights.squares.sum(0) - squares) * p**2
    agree = mean in (0, 1)
    return p, np.where(agree, 1 / total, stretch * np.sqrt(np.maximum(spread, 0)))


def _refits(
    fit: Fit, cases: Ints, propositions: Any, draws: int | None, seed: int, cores: int | None
) -> dict[int, pd.DataFrame]:
    """Verdicts by exact refits without single cases."""
    assert isinstance(fit.data, Answers)
    every = np.arange(fit.data.n)
    return {
        int(case): _verdicts(fit, propositions, np.delete(every, case), None, draws,
                             _seed(seed, int(case)), cores)[0]
        for case in cases
    }  # fmt: skip


def _influence_notes(flagged: np.ndarray, good: float, *, exact: bool) -> Iterator[str]:
    count = int(flagged.sum())
    if count and exact:
        yield f"{count} cases with Pareto k above {good:.2f} were left out by refits"
    elif count:
        yield (
            f"{count} cases have a Pareto k above {good:.2f}: what the posterior is without them "
            "is not known from these draws, so their verdicts are withheld; exact=True refits"
        )


# --- selections ---------------------------------------------------------------------------------


def selection(
    fit: Fit,
    propositions: Any,
    *,
    keep: Sequence[float] = (1.0, 0.9, 0.77),
    by: str = "mahalanobis",
    simulated: int = 1,
    draws: int | None = None,
    seed: int = 0,
    cores: int | None = None,
) -> pd.DataFrame:
    """What keeping only the cases nearest to the centroid does to verdicts.

    The model is fitted again, with the same priors, to the nearest cases at several shares; and the
    same is done to data drawn from the fitted model, in which no case is wrong. What changes there,
    the selection itself has done.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    propositions : PropositionSet, {name: claim}, study or path
    keep : sequence of float
        Shares of the cases (0.77 is about what 190 of 246 are), or, above 1, numbers of cases. All
        cases come first whether asked for or not.
    by : {"mahalanobis"}
        Cases far out by their squared distance, as :func:`bayesem.screen` gives it, go first.
    simulated : int
        Data sets drawn from the posterior.
    draws : int, optional
        By chain, of the refits; the fit's by default.
    seed : int
        Of simulated data and refits.
    cores : int, optional

    Returns
    -------
    DataFrame
        ``data share n name probability change mcse verdict estimate lower upper converged``.
        ``data`` is ``observed`` or ``simulated 1`` and so on; ``change`` is that of the probability
        against all cases of the same data.

    Raises
    ------
    NotAvailableError
        If there are no cases (moments), or censored times would have to be drawn.
    DataError
        If a share is none, or too few cases are left.
    """
    refuse_caseless(fit)
    check_seed(seed)
    assert isinstance(fit.data, Answers)
    if by != "mahalanobis":
        raise NotAvailableError(f"by={by!r} is not available.", hint='Use by="mahalanobis".')
    counts = _counts(fit, keep)
    sources = [("observed", fit.data), *_drawn(fit, simulated, seed)]
    rows = []
    for number, (label, data) in enumerate(sources):
        nearest = _nearest(fit, data)
        whole: pd.Series | None = None
        for n in counts:
            if number == 0 and n == fit.data.n:
                table, converged = assess(propositions, fit).table.set_index("name"), fit.converged
            else:
                at = np.sort(nearest[:n])
                table, converged = _verdicts(
                    fit, propositions, at, data, draws, _seed(seed, number, n), cores
                )
            whole = table["probability"] if whole is None else whole
            table = table.reset_index().assign(
                data=label, share=n / fit.data.n, n=n, converged=converged,
                change=table["probability"].to_numpy() - whole.to_numpy(),
            )  # fmt: skip
            rows.append(table)
    columns = ["data", "share", "n", "name", "probability", "change", "mcse", "verdict",
               "estimate", "lower", "upper", "converged"]  # fmt: skip
    return stamped(pd.concat(rows, ignore_index=True)[columns], fit)


def _counts(fit: Fit, keep: Sequence[float]) -> list[int]:
    """Numbers of cases to keep, all first."""
    assert isinstance(fit.data, Answers)
    n, p, found = fit.data.n, len(fit.table.indicators), []
    for share in np.atleast_1d(np.asarray(keep, float)):
        count = round(share * n) if share <= 1 else int(share)
        if not 0 < count <= n or (share > 1 and share != count):
            raise DataError(
                f"keep has {share:g}, and there are {n} cases.",
                hint="Use shares between 0 and 1, or whole numbers of cases.",
            )
        if count <= p:
            raise DataError(
                f"keep leaves {count} of {n} cases for {p} observed variables.",
                hint="Keep more.",
            )
        found.append(count)
    return sorted({n, *found}, reverse=True)


def _nearest(fit: Fit, data: Answers) -> Ints:
    """Positions of the cases, nearest first; those without answers last."""
    _, values = observed_values(fit.table, data)
    p1 = tail_probabilities(values)
    return np.argsort(np.where(np.isnan(p1), -1.0, p1), kind="stable")[::-1]


def _drawn(fit: Fit, count: int, seed: int) -> Iterator[tuple[str, Answers]]:
    """Data sets from draws of the posterior, as answers."""
    assert isinstance(fit.data, Answers)
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
        raise DataError(f"simulated is {count!r}.", hint="Use a whole number of data sets.")
    if count == 0:
        return
    if any(o.family.censored for o in fit.table.outcomes):
        raise NotAvailableError(
            "data with censored times cannot be drawn from a fit: nothing says when observation "
            "would have ended.",
            hint="Use simulated=0.",
        )
    drawn = predictive(fit, draws=int(count), seed=seed)["posterior_predictive"]
    y = drawn["y"].to_numpy()[0]
    others = [str(name) for name in drawn.data_vars if name != "y"]
    for k in range(int(count)):
        more = [drawn[name].to_numpy()[0, k] for name in others]
        outcomes = np.stack(more, -1) if more else fit.data.outcomes
        yield (
            f"simulated {k + 1}",
            replace(fit.data, values=y[k], outcomes=outcomes, synthetic=True),
        )


def _verdicts(
    fit: Fit,
    propositions: Any,
    rows: Ints,
    data: Answers | None,
    draws: int | None,
    seed: int,
    cores: int | None,
) -> tuple[pd.DataFrame, bool]:
    """Verdicts of a refit to some rows, against the prior draws of the first fit."""
    try:
        ready = renew(renew(fit, data=data) if data is not None else fit, rows=rows)
    except BayesemError as error:
        raise DataError(
            f"{len(rows)} of {fit.n} cases cannot be fitted: {error.message}", hint=error.hint
        ) from error
    again = sample(ready, draws=draws, seed=seed, cores=cores)
    for group in ("prior", "sampled_prior"):
        if group in fit.draws.children:
            again.draws[group] = fit.draws[group].copy()
    return assess(propositions, again).table.set_index("name"), again.converged


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0] >> 1)
