"""What single cases do to verdicts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.claim_evidence import measure, without_prior
from bayesem.claims_evaluation import (
    Form,
    Scope,
    holds,
    normal_form,
    scope,
    standardised_difference,
)
from bayesem.comparison.importance import efficiency
from bayesem.data import Answers
from bayesem.decision import WITHHELD, Evidence, judge
from bayesem.distribution import Runner
from bayesem.grammar.statements import And, Comparison, Or
from bayesem.pointwise import log_likelihoods, refuse_caseless
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet, Rule, read_propositions
from bayesem.robustness.refits import Cases, Refitted, verdicts_without
from bayesem.sampling.convergence import stamped
from bayesem.seeds import check_seed
from bayesem.verdicts import assess

__all__ = ["influence"]

#: Pareto k above which smoothed weights do not stand for the posterior without a case.
GOOD_K = 0.7


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
    scheduler: str | None = None,
    workers: int | None = None,
    store: str | FilePath | None = None,
    progress: bool | Callable[..., Any] = False,
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
    scheduler, workers, store, progress
        Who runs such refits; see :func:`bayesem.kfold`.

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
    if not isinstance(propositions, PropositionSet):
        propositions = read_propositions(propositions)
    posterior = scope(fit)
    prior = scope(fit, "prior") if "prior" in fit.draws.children else posterior
    claims = list(_claims(fit, propositions, posterior, prior))
    weights = _weights(fit)
    good = min(1 - 1 / np.log10(len(weights.values)), GOOD_K)
    flagged = weights.k > good
    left_out = np.flatnonzero(flagged) if exact else np.array([], int)
    parts = [Cases(np.delete(np.arange(fit.n), case)) for case in left_out]
    runner = Runner(seed, draws, scheduler, workers, store, progress)
    found = verdicts_without(fit, propositions, parts, runner)
    refits = {int(case): part for case, part in zip(left_out, found, strict=True)}
    table = pd.concat(
        [_rows(fit, claim, posterior, weights, flagged, refits) for claim in claims],
        ignore_index=True,
    )
    table = stamped(table, fit)
    table.attrs["notes"] = (*table.attrs["notes"], *_notes(fit, flagged, good, refits))
    return table


def _claims(
    fit: Fit, propositions: PropositionSet, posterior: Scope, prior: Scope
) -> Iterator[_Claim]:
    """What `bayesem.assess` says of the same fit, and the normal forms behind it."""
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
        row: Any = table.loc[p.name]
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
        r_eff = efficiency(np.moveaxis(log[varies].reshape(int(varies.sum()), chains, -1), 0, -1))
        smoothed, k[varies] = array_stats.psislw(log[varies], r_eff=r_eff)
        weights[varies] = np.exp(smoothed - smoothed.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
    weights = np.ascontiguousarray(weights.T)
    return _Weights(weights, weights**2, k)


def _rows(
    fit: Fit,
    claim: _Claim,
    posterior: Scope,
    weights: _Weights,
    flagged: np.ndarray,
    refits: Mapping[int, Refitted],
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
    for case, part in refits.items():
        if part.problem:
            continue
        row: Any = part.table.loc[claim.name]
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


def _notes(
    fit: Fit, flagged: np.ndarray, good: float, refits: Mapping[int, Refitted]
) -> Iterator[str]:
    count = int(flagged.sum())
    if count and refits:
        yield f"{count} cases with Pareto k above {good:.2f} were left out by refits"
        assert isinstance(fit.data, Answers)
        for case, part in refits.items():
            if part.problem:
                yield f"there is no refit without case {fit.data.index[case]}: {part.problem}"
    elif count:
        yield (
            f"{count} cases have a Pareto k above {good:.2f}: what the posterior is without them "
            "is not known from these draws, so their verdicts are withheld; exact=True refits"
        )
