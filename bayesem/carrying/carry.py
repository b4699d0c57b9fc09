r"""Verdicts with another study's evidence, beside those without, by how relevant it is declared.

A likelihood counts with a power between 0 (as if it were not there) and 1 (as if the other study
had drawn from the same population): a power prior with a fixed power [1]_. Draws are weighted by
it, the weights smoothed by a Pareto tail [2]_, and where that tail is too long for weights to stand
for a posterior (k above 0.7), nothing is shown.

References
----------
.. [1] Ibrahim & Chen (2000), Power prior distributions for regression models, *Statistical
   Science* 15, 46-60.
.. [2] Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling, *Journal
   of Machine Learning Research* 25(72).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.carrying.regressions import regressions
from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.claim_counts import speaks_of_counts
from bayesem.claim_evidence import Counted, measure, without_prior
from bayesem.claims_evaluation import Scope, holds, normal_form, scope
from bayesem.decision import WITHHELD, bayes_factor, judge
from bayesem.errors import NotAvailableError, PropositionError
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.statements import And, Or
from bayesem.posterior import Fit
from bayesem.propositions import Rule
from bayesem.robustness.reweighting import GOOD_K
from bayesem.shares import shares
from bayesem.verdicts import claims_of, concerns

__all__ = ["Carried", "carry"]

REFUSED: Final = "refused"
WITHOUT: Final = "without"
TOGETHER: Final = "together"
#: Fewer different weights than this are not smoothed.
FEW: Final = 20
COLUMNS: Final = ["name", "claim", "evidence", "relevance", "probability", "prior_probability",
                  "bayes_factor", "mcse", "verdict", "pareto_k", "ess"]  # fmt: skip

type Evidence = PathEvidence | OrderEvidence


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Verdicts without and with the evidence of other studies.

    Attributes
    ----------
    table : DataFrame
        A row per proposition, evidence and relevance: ``name claim evidence relevance probability
        prior_probability bayes_factor mcse verdict pareto_k ess``. The first rows are ``without``;
        several pieces of evidence are shown each alone and ``together``. ``bayes_factor`` is of all
        that a row rests on, against the model's prior. A row whose ``pareto_k`` is above 0.7 has no
        numbers, and its verdict is ``refused``.
    paths : DataFrame
        What is carried of paths: ``evidence path label mean sd here_mean here_sd``, standardised,
        the last two in the receiving fit, without the evidence.
    notes : tuple of str
        What is assumed.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    notes: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        return "\n\n".join([_wide(self.table), *self.notes])


@dataclass(frozen=True, slots=True, eq=False)
class _Weighted:
    """Draws under some evidence: their weights, how long their tail is, and what to call it."""

    evidence: str
    relevance: float
    weights: Floats | None
    k: float


def carry(
    fit: Fit,
    propositions: Any,
    evidence: Mapping[str, Evidence],
    *,
    relevance: Sequence[float] = (0.25, 0.5, 1.0),
) -> Carried:
    """Judge propositions without and with the evidence of other studies.

    Parameters
    ----------
    fit : Fit
        Of the model that receives the evidence.
    propositions : as :func:`bayesem.assess` takes them
    evidence : mapping of str to PathEvidence or OrderEvidence
        By the name that the table shall give it.
    relevance : sequence of float
        Powers of the other studies' likelihoods, above 0 and at most 1: how much of their evidence
        is taken to bear on this population. They are declared, not estimated.

    Returns
    -------
    Carried

    Raises
    ------
    PropositionError
        If there is no evidence, a relevance is no such number, or the model lacks a factor.
    NotAvailableError
        For paths that are not standardised.
    """
    powers = _powers(relevance)
    _check(fit, evidence)
    posterior = scope(fit)
    prior = scope(fit, "prior") if "prior" in fit.draws.children else None
    logs = {name: _log_factor(one, fit, posterior) for name, one in evidence.items()}
    sets = dict(logs)
    if len(logs) > 1:
        sets[TOGETHER] = np.sum(list(logs.values()), axis=0)
    weighted = [_Weighted(WITHOUT, 0.0, None, 0.0)]
    weighted += [_weights(name, log, r) for name, log in sets.items() for r in powers]
    rows = [
        row
        for item in claims_of(propositions)
        if concerns(item, fit)
        for row in _judged(item, fit, posterior, prior, weighted)
    ]
    if not rows:
        raise PropositionError("no proposition is about this model.", hint="Give others.")
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Carried(table, _carried_paths(evidence, fit), tuple(_notes(fit, evidence, table)))


def _powers(relevance: Sequence[float]) -> tuple[float, ...]:
    if isinstance(relevance, int | float):
        relevance = (relevance,)
    for r in relevance:
        if isinstance(r, bool) or not isinstance(r, int | float) or not 0 < r <= 1:
            raise PropositionError(
                f"a relevance is {r!r}.",
                hint="It lies above 0 (0 is shown anyway: without) and at most at 1.",
            )
    if not relevance:
        raise PropositionError("there is no relevance.", hint="Declare some: (0.25, 0.5, 1).")
    return tuple(sorted({float(r) for r in relevance}))


def _check(fit: Any, evidence: Any) -> None:
    if not isinstance(evidence, Mapping) or not evidence:
        raise PropositionError(
            "there is no evidence to carry over.", hint='Give some: {"A": path_evidence(...)}.'
        )
    for name, one in evidence.items():
        if not isinstance(one, PathEvidence | OrderEvidence):
            raise PropositionError(
                f"the evidence `{name}` is a {type(one).__name__}.",
                hint="Make it with path_evidence(...) or order_evidence(...).",
            )
        if isinstance(one, PathEvidence) and not one.standardized:
            raise NotAvailableError(
                f"the paths of `{name}` are not standardised, and raw ones are not carried over: "
                "they are in units of the answers of their own study.",
                hint="Use path_evidence(...).",
            )
        if name in (WITHOUT, TOGETHER):
            raise PropositionError(f"evidence cannot be called `{name}`.", hint="Rename it.")
    if "posterior" not in fit.draws.children:
        raise PropositionError("the fit has no posterior draws.", hint="Give a whole fit.")


# --- weights --------------------------------------------------------------------------------------


def _log_factor(one: Evidence, fit: Fit, posterior: Scope) -> Floats:
    """Log-likelihood of the evidence at every draw, up to a constant, (chain, draw)."""
    if isinstance(one, OrderEvidence):
        return np.asarray(one.log_factor * _holds(one.claim, posterior))
    gap = regressions(fit.table, posterior.matrices, one.equations) - one.mean
    precision = np.linalg.inv(one.covariance)
    return np.asarray(-0.5 * np.einsum("...i,ij,...j->...", gap, precision, gap))


def _holds(claim: str, posterior: Scope) -> Floats:
    """Whether a claim is true in every draw, as 1 and 0."""
    form = normal_form(parse_claim(claim), {})
    return _true(form, posterior).astype(float)


def _true(form: Any, posterior: Scope) -> np.ndarray:
    if isinstance(form, And | Or):
        joined = np.logical_and if isinstance(form, And) else np.logical_or
        return np.asarray(joined.reduce([_true(part, posterior) for part in form.parts]))
    return holds(form, posterior, Rule())


def _weights(name: str, log: Floats, power: float) -> _Weighted:
    """Smoothed weights (chain, draw) that sum to 1, and their Pareto k."""
    from arviz_stats.base import array_stats

    ratio = power * log.ravel()
    if len(np.unique(ratio)) < FEW:  # of orders alone: bounded weights have no tail
        smoothed, k = ratio, 0.0
    else:
        smoothed, k = array_stats.psislw(-ratio)
    raw = np.exp(smoothed - smoothed.max())
    weights = (raw / raw.sum()).reshape(log.shape)
    return _Weighted(name, power, weights if k <= GOOD_K else None, float(k))


def _counter(weights: Floats | None) -> Counted:
    """Weighted shares; their error is that of independent draws, times what autocorrelation adds to
    the error of the plain share."""
    if weights is None:
        return shares
    squared = weights**2

    def counted(truth: np.ndarray) -> tuple[Floats, Floats]:
        plain, error = shares(truth)
        size = truth.shape[0] * truth.shape[1]
        independent = np.sqrt(np.maximum(plain * (1 - plain), 1 / size) / size)
        stretch = np.maximum(error / independent, 1.0)
        p, squares = (np.tensordot(w, truth, axes=2) for w in (weights, squared))
        p = np.where(plain == 1, 1.0, np.where(plain == 0, 0.0, np.clip(p, 0, 1)))
        spread = squares * (1 - p) ** 2 + np.maximum(squared.sum() - squares, 0) * p**2
        return np.asarray(p), np.asarray(np.maximum(stretch * np.sqrt(spread), 1 / size))

    return counted


# --- verdicts -------------------------------------------------------------------------------------


def _judged(
    item: Any, fit: Fit, posterior: Scope, prior: Scope | None, weighted: Sequence[_Weighted]
) -> Iterator[dict[str, Any]]:
    if speaks_of_counts(item.form):
        return
    for one in weighted:
        said = {"name": item.name, "claim": item.claim, "evidence": one.evidence,
                "relevance": one.relevance, "pareto_k": one.k}  # fmt: skip
        if one.weights is None and one.evidence != WITHOUT:
            yield {**said, "verdict": REFUSED}
            continue
        found, _, _ = measure(
            item.form, posterior, prior or posterior, item.rule, counted=_counter(one.weights)
        )
        found = found if prior is not None else without_prior(found)
        yield {
            **said,
            "probability": float(found.probability),
            "prior_probability": float(found.prior),
            "bayes_factor": float(bayes_factor(found).value),
            "mcse": float(found.mcse),
            "verdict": str(judge(found, item.rule)) if fit.converged else WITHHELD,
            "ess": _effective(one.weights, posterior.shape),
        }


def _effective(weights: Floats | None, shape: tuple[int, ...]) -> float:
    return float(np.prod(shape)) if weights is None else float(1 / (weights**2).sum())


def _carried_paths(evidence: Mapping[str, Evidence], fit: Fit) -> pd.DataFrame:
    tables = []
    for name, one in evidence.items():
        if isinstance(one, PathEvidence):
            here = regressions(fit.table, fit.matrices(), one.equations)
            more = {"here_mean": here.mean((0, 1)), "here_sd": here.std((0, 1))}
            tables.append(one.table.assign(evidence=name, **more))
    columns = ["evidence", "path", "label", "mean", "sd", "here_mean", "here_sd"]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)[columns]


# --- what is said ---------------------------------------------------------------------------------


def _notes(fit: Fit, evidence: Mapping[str, Evidence], table: pd.DataFrame) -> Iterator[str]:
    if fit.data.synthetic or any(one.synthetic for one in evidence.values()):
        yield "SYNTHETIC DATA: these verdicts say what the procedure finds, nothing on the world."
    for name, one in evidence.items():
        yield _path_note(name, one) if isinstance(one, PathEvidence) else _order_note(name, one)
    yield (
        "A relevance is declared, not estimated: the power that a study's likelihood counts with. "
        "0 is without it; 1 takes its population for this one."
    )
    refused = table[table["verdict"] == REFUSED]
    pairs = zip(refused["evidence"], refused["relevance"], strict=True)
    for name, r in dict.fromkeys(pairs):
        yield (
            f"{name} at relevance {r:g} is refused: the draws lie too far from what it says for "
            f"weights to reach it (Pareto k above {GOOD_K:g}). Use more draws, a smaller "
            "relevance, or ask whether the two studies agree at all."
        )


def _path_note(name: str, one: PathEvidence) -> str:
    paths = ", ".join(f"{y} ~ {' + '.join(xs)}" for y, xs in one.equations)
    assumed = f" Assumed: {', '.join(one.assumes)}." if one.assumes else ""
    return (
        f"{name}: the standardised paths of {one.study} (n = {one.n}), {paths}, as regressions "
        f"among these factors alone; normal, its own prior taken out.{assumed}"
    )


def _order_note(name: str, one: OrderEvidence) -> str:
    return (
        f"{name}: {one.study} ({one.n} references) favours `{one.counted}` by a factor of "
        f"{np.exp(one.log_factor):.2g}, taken as evidence for `{one.claim}`. Assumed: what is "
        "talked of more does more."
    )


def _wide(table: pd.DataFrame) -> str:
    """Probabilities (with a mark for the verdict) side by side."""
    marks = {"supported": "+", "refuted": "-", "practically null": "0", WITHHELD: "?"}
    cells = [
        "refused" if v == REFUSED else f"{p:.3f}{marks.get(v, ' ')}"
        for p, v in zip(table["probability"], table["verdict"], strict=True)
    ]
    heads = [
        e if e == WITHOUT else f"{e} {r:g}"
        for e, r in zip(table["evidence"], table["relevance"], strict=True)
    ]
    wide = table.assign(cell=cells, head=heads)
    names, order = (list(dict.fromkeys(wide[k])) for k in ("name", "head"))
    shown = wide.pivot(index="name", columns="head", values="cell").loc[names, order]
    shown.index.name = shown.columns.name = None
    return str(shown.to_string())
