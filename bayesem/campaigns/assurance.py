"""How large a sample must be, so that propositions get a decisive verdict.

Every replicate is a study as it would be done: data of n cases, a fit by chains, the verdict rule.
Only what a verdict does not need is left out. Prior probabilities are computed once, as the prior
does not change with the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from bayesem.arrays import Ints
from bayesem.campaigns.replicas import (
    check_counts,
    chosen_seed,
    form_of,
    posterior_of,
    warm_up,
)
from bayesem.campaigns.sample_size import needed
from bayesem.campaigns.truths import Drawn, Truth, truth_from
from bayesem.claim_evidence import measure, without_prior
from bayesem.claims_evaluation import Form, scope
from bayesem.concerning import concerns
from bayesem.data import Moments
from bayesem.decision import VERDICTS, WITHHELD, Evidence, judge, overridden
from bayesem.distribution import Replicates, run_campaign
from bayesem.errors import DataError, PropositionError, SamplingError
from bayesem.model import Model, read_model
from bayesem.preparation import Prepared, fingerprint, prepare
from bayesem.propositions import Rule
from bayesem.refitting import sample
from bayesem.sampling.convergence import Thresholds
from bayesem.verdicts import claims_of

__all__ = ["Design", "design"]

#: Cases of the sample that fixes the widths of default priors.
TEMPLATE: Final = 1000
PRIOR_DRAWS: Final = 10_000
DECISIVE: Final = ("practically null", "supported", "refuted")
COLUMNS: Final = ["name", "n", "replicates", "decisive", "mcse", "lower", "upper",
                  "supported", "refuted", "practically null", "undecided", "withheld"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """How probable verdicts are, by sample size.

    Attributes
    ----------
    table : DataFrame
        A row per proposition and n: ``name n replicates decisive mcse lower upper supported refuted
        "practically null" undecided withheld``. Verdicts are shares of the replicates that came to
        an end; where chains did not converge the verdict is withheld. ``decisive`` is the sum of
        the first three, ``mcse`` its binomial standard error, ``lower`` and ``upper`` its 95%
        interval (Wilson).
    sizes : DataFrame
        A row per proposition: ``name verdict assurance n lower upper within fit_p``: the smallest n
        at which ``verdict``, the most frequent decisive one, has the stated probability, with its
        95% interval. ``within`` is False where that n lies outside the sizes tried, so that it is a
        direction and no answer; ``fit_p`` is small where the shares do not rise smoothly.
    assurance : float
    failures : DataFrame
        ``replicate seed error``.
    not_converged : float
        Share of replicates.
    campaign : Replicates
    notes : tuple of str
    """

    table: pd.DataFrame
    sizes: pd.DataFrame
    assurance: float
    failures: pd.DataFrame
    not_converged: float
    campaign: Replicates
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from bayesem.campaigns.pages import design_page

        return design_page(self)


@dataclass(frozen=True, slots=True, eq=False)
class Claimed:
    """A proposition, its rule, and what the prior says on it."""

    name: str
    form: Form
    rule: Rule
    prior: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What every replicate of a design shares."""

    ready: Prepared
    truth: Truth
    claims: tuple[Claimed, ...]
    n: tuple[int, ...]
    draws: int
    tune: int
    chains: int
    form: str


def design(
    model: Model | str,
    propositions: Any,
    truth: Any = None,
    *,
    n: Sequence[int] | int = (100, 200, 400),
    replicates: int = 200,
    assurance: float = 0.8,
    draw_from: str = "posterior",
    answers: bool = False,
    prob: float | None = None,
    rope: Mapping[str, float] | float | None = None,
    min_bayes_factor: float | None = None,
    draws: int = 800,
    tune: int = 400,
    chains: int = 4,
    families: Mapping[str, Any] | None = None,
    priors: str | Mapping[str, Any] | None = None,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    seed: int | None = None,
    store: str | Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Any = True,
) -> Design:
    """How probable a decisive verdict on each proposition is at each sample size.

    Parameters
    ----------
    model : Model or str
        What is fitted.
    propositions : PropositionSet, iterable of Proposition, {name: claim}, study or path
    truth : mapping or Fit, optional
        What the data come from. Values by label or ``"lhs op rhs"`` in the metric of ``identify``,
        as :func:`bayesem.simulate` takes them. Or states, ``{"P2": "false"}``, of a study that
        declares a truth, whose declared population is the default there. Or a fit: each replicate
        then has a truth of its own, one of the fit's draws, so that what is not known counts as
        such (assurance in the strict sense).
    n : int or sequence of int
        Sample sizes to try.
    replicates : int
        Of each size. The Monte-Carlo standard error of a share is at most .5 over its root.
    assurance : float
        Probability that the smallest sample size is wanted for.
    draw_from : {"posterior", "prior"}
        Which draws of a fit.
    answers : bool
        Round to the codebook's answer scale, as respondents do.
    prob, rope, min_bayes_factor : optional
        As in :func:`bayesem.assess`.
    draws, tune, chains : int
        Of each fit. Fewer draws leave more verdicts withheld near a threshold.
    families, priors, identify, means, fixed_x
        As in :func:`bayesem.fit`. Widths of default priors that come from the data are those of a
        sample of 1,000 from the truth.
    seed, store, scheduler, workers, progress
        As in :func:`bayesem.distribution.run_campaign`.

    Returns
    -------
    Design

    Raises
    ------
    PropositionError
        If no proposition is about this model, or one cannot be read.
    SamplingError
        If no replicate came to an end.
    DataError, ModelError, NotAvailableError
        See :func:`bayesem.simulate` and :func:`bayesem.distribution.run_campaign`.

    References
    ----------
    .. [1] O'Hagan, Stevens & Campbell (2005), Assurance in clinical trial design. *Pharmaceutical
       Statistics* 4, 187-201. https://doi.org/10.1002/pst.175
    """
    sizes = _sizes(n)
    check_counts(replicates=(replicates, 1), draws=(draws, 4), tune=(tune, 1), chains=(chains, 2))
    if isinstance(assurance, bool) or not 0 < assurance < 1:
        raise DataError(f"assurance is {assurance!r}.", hint="Use a probability, such as 0.8.")
    seed = chosen_seed(seed, store)
    model = model if isinstance(model, Model) else read_model(model)
    source = truth_from(
        model, truth, group=draw_from, identify=identify, families=families, answers=answers
    )
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0)))
    ready = prepare(
        model, source.data(max(TEMPLATE, *sizes), rng), identify=identify, means=means,
        fixed_x=fixed_x, priors=priors, families=families,
    )  # fmt: skip
    rules = {"prob": prob, "rope": rope, "min_bayes_factor": min_bayes_factor}
    form = form_of(ready)
    claims, idle = _claims(ready, propositions, form, rules)
    task = Task(ready, source, claims, sizes, draws, tune, chains, form)
    return _judged(
        task, _run(task, replicates, seed, store, scheduler, workers, progress), assurance, idle
    )


def _run(
    task: Task,
    replicates: int,
    seed: int,
    store: str | Path | None,
    scheduler: str | None,
    workers: int | None,
    progress: Any,
) -> Replicates:
    about = {
        "campaign": "design", "truth": task.truth.about(), **fingerprint(task.ready),
        "n": list(task.n), "draws": task.draws, "tune": task.tune, "chains": task.chains,
        "integrate": task.form, "claims": {c.name: c.prior.text for c in task.claims},
        "rules": {c.name: _rule(c.rule) for c in task.claims},
    }  # fmt: skip
    size = len(task.claims)
    shapes: dict[str, tuple[int, ...]] = {"verdict": (size,), "probability": (size,)}
    shapes |= dict.fromkeys(("converged", "r_hat", "ess", "divergences"), ())
    return run_campaign(
        replicate_of, task, replicates * len(task.n), shapes=shapes, about=about, seed=seed,
        store=store, scheduler=scheduler, workers=workers,
        warm=partial(warm_up, task.ready, task.form), progress=progress, what="design",
    )  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    return {"prob": rule.prob, "rope": dict(rule.rope), "min_bayes_factor": rule.min_bayes_factor}


# -- one replicate -------------------------------------------------------------------------


def replicate_of(task: Task, number: int, seed: np.random.SeedSequence) -> dict[str, Any]:
    """Data, fit, verdicts; sizes take turns, so that more replicates can follow later."""
    rng = np.random.default_rng(seed)
    data = task.truth.data(task.n[number % len(task.n)], rng)
    fit = posterior_of(
        task.ready, data, draws=task.draws, tune=task.tune, chains=task.chains,
        seed=int(rng.integers(2**31)), form=task.form,
    )  # fmt: skip
    posterior = scope(fit)
    found = [_evidence(claim, posterior) for claim in task.claims]
    verdicts = [
        str(judge(evidence, claim.rule)) if fit.converged else WITHHELD
        for evidence, claim in zip(found, task.claims, strict=True)
    ]
    table, statistics = fit.convergence.table, fit.draws["sample_stats"]
    return {
        "verdict": [VERDICTS.index(v) for v in verdicts],
        "probability": [float(evidence.probability) for evidence in found],
        "converged": fit.converged,
        "r_hat": table["r_hat"].max(),
        "ess": min(table["ess_bulk"].min(), table["ess_tail"].min()),
        "divergences": float(statistics["diverging"].sum()),
    }


def _evidence(claim: Claimed, posterior: Any) -> Evidence:
    """The posterior's evidence with what is known of the prior put in."""
    found, _, _ = measure(claim.form, posterior, posterior, claim.rule)
    return _with_prior(found, claim.prior)


def _with_prior(found: Evidence, prior: Evidence) -> Evidence:
    parts = tuple(_with_prior(a, b) for a, b in zip(found.parts, prior.parts, strict=True))
    return replace(
        found, prior=prior.prior, prior_mcse=prior.prior_mcse, prior_draws=prior.prior_draws,
        by_model=found.by_model and prior.by_model, parts=parts,
    )  # fmt: skip


# -- what is claimed -----------------------------------------------------------------------


def _claims(
    ready: Prepared, propositions: Any, form: str, rules: Mapping[str, Any]
) -> tuple[tuple[Claimed, ...], tuple[str, ...]]:
    """Propositions on this model with their prior evidence, and names of the others."""
    free = Thresholds(r_hat=np.inf, ess=0, bfmi=0)
    fit = sample(ready, draws=40, tune=20, chains=2, seed=0, cores=1, integrate=form,
                 prior_draws=PRIOR_DRAWS, thresholds=free)  # fmt: skip
    known = "prior" in fit.draws.children and ready.settings.priors != "blavaan"
    prior = scope(fit, "prior") if known else scope(fit)
    claims, idle = [], []
    for item in claims_of(propositions):
        if not concerns(item, fit):
            idle.append(item.name)
            continue
        rule = overridden(item.rule, **rules)
        evidence, _, _ = measure(item.form, prior, prior, rule)
        claims.append(
            Claimed(item.name, item.form, rule, evidence if known else without_prior(evidence))
        )
    if not claims:
        raise PropositionError(
            "no proposition is about this model.", hint="Give the model that they name."
        )
    return tuple(claims), tuple(idle)


def _sizes(n: Any) -> tuple[int, ...]:
    given = (n,) if isinstance(n, int | np.integer) else tuple(n)
    for value in given:
        check_counts(n=(value, 2))
    if not given or len({*given}) < len(given):
        raise DataError(f"n is {n!r}.", hint="Give different sample sizes: (100, 200, 400).")
    return tuple(sorted(int(v) for v in given))


# -- all replicates ------------------------------------------------------------------------


def _judged(task: Task, campaign: Replicates, assurance: float, idle: tuple[str, ...]) -> Design:
    if not campaign.done.any():
        first = "" if campaign.failures.empty else f" The first: {campaign.failures['error'][0]}"
        raise SamplingError(f"none of {campaign.total} replicates came to an end.{first}")
    turns = np.arange(campaign.total) % len(task.n)
    rows = []
    for k, claim in enumerate(task.claims):
        for turn, n in enumerate(task.n):
            chosen = campaign.done & (turns == turn)
            codes = campaign.values["verdict"][chosen, k].astype(np.int64)
            rows.append({"name": claim.name, "n": n, **_shares(codes)})
    table = pd.DataFrame(rows)[COLUMNS]
    sizes = pd.DataFrame([_needed(c.name, table, assurance) for c in task.claims])
    unsound = float(np.mean(campaign.values["converged"][campaign.done] != 1))
    return Design(
        table, sizes, assurance, campaign.failures, unsound, campaign,
        tuple(_notes(task, campaign, unsound, idle)),
    )  # fmt: skip


def _shares(codes: Ints) -> dict[str, Any]:
    total = len(codes)
    shares = {v: float(np.mean(codes == k)) if total else np.nan for k, v in enumerate(VERDICTS)}
    hits = int(np.isin(codes, [VERDICTS.index(v) for v in DECISIVE]).sum())
    p = hits / total if total else np.nan
    lower, upper = (np.nan, np.nan)
    if total:
        lower, upper = stats.binomtest(hits, total).proportion_ci(0.95, method="wilson")
    return {"replicates": total, "decisive": p, "mcse": np.sqrt(p * (1 - p) / max(total, 1)),
            "lower": lower, "upper": upper, **shares}  # fmt: skip


def _needed(name: str, table: pd.DataFrame, assurance: float) -> dict[str, Any]:
    """The smallest n for the most frequent decisive verdict."""
    mine = table[(table["name"] == name) & (table["replicates"] > 0)]
    weights = mine[list(DECISIVE)].mul(mine["n"], axis=0).sum()
    verdict = str(weights.idxmax()) if weights.max() > 0 else "none"
    row = {"name": name, "verdict": verdict, "assurance": assurance}
    if verdict == "none" or len(mine) < 2:
        return {**row, "n": np.nan, "lower": np.nan, "upper": np.nan, "within": False,
                "fit_p": np.nan}  # fmt: skip
    n, total = mine["n"].to_numpy(), mine["replicates"].to_numpy()
    hits = (mine[verdict] * total).round().to_numpy().astype(np.int64)
    found = needed(n, hits, total, assurance)
    within = bool(n.min() <= found.n <= n.max())
    return {**row, "n": np.ceil(found.n), "lower": np.ceil(found.lower),
            "upper": np.ceil(found.upper), "within": within, "fit_p": found.fit_p}  # fmt: skip


def _notes(task: Task, campaign: Replicates, unsound: float, idle: tuple[str, ...]) -> list[str]:
    notes = ["SYNTHETIC DATA from the stated truth: where the truth differs, so do the shares"]
    if isinstance(task.truth, Drawn):
        notes.append(f"each replicate's truth is a draw from the {task.truth.group} of a fit")
    if isinstance(task.ready.data, Moments):
        notes.append("data are moments; means are modelled where the fit's were")
    if unsound:
        notes.append(f"chains of {unsound:.1%} of the fits did not converge: verdict withheld")
    if len(campaign.failures):
        share = len(campaign.failures) / campaign.total
        notes.append(f"{len(campaign.failures)} replicates ({share:.1%}) failed and do not count")
    if campaign.interrupted:
        notes.append("stopped before the end; what was done until then is shown")
    if idle:
        notes.append(f"about another model, so not judged: {', '.join(idle)}")
    return notes
