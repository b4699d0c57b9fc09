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
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from bayesem.carrying.regressions import regressions
from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.carrying.text import REFUSED, WITHOUT, notes_on, wide_text
from bayesem.carrying.weighting import Evidence, Weighted, counter, piece, spread, weigh
from bayesem.claim_counts import speaks_of_counts
from bayesem.claim_evidence import measure, without_prior
from bayesem.claims_evaluation import Scope, scope
from bayesem.concerning import concerns
from bayesem.decision import WITHHELD, bayes_factor, judge
from bayesem.decision import Evidence as Found
from bayesem.errors import NotAvailableError, PropositionError
from bayesem.posterior import Fit
from bayesem.verdicts import claims_of

__all__ = ["Carried", "carry"]

TOGETHER: Final = "together"
COLUMNS: Final = ["name", "claim", "evidence", "relevance", "probability", "prior_probability",
                  "bayes_factor", "mcse", "attainable", "verdict", "pareto_k", "ess"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Verdicts without and with the evidence of other studies.

    Attributes
    ----------
    table : DataFrame
        A row per proposition, evidence and relevance: ``name claim evidence relevance probability
        prior_probability bayes_factor mcse attainable verdict pareto_k ess``. The first rows are
        ``without``; several pieces of evidence are shown each alone and ``together``.
        ``bayes_factor`` is of all that a row rests on, against the model's prior, ``mcse`` holds
        the error of counts' factors too, and ``attainable`` is the largest probability that a
        ``null(x)`` can reach under these weights. A row whose ``pareto_k`` is above 0.7 has no
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
        return "\n\n".join([wide_text(self.table), *self.notes])


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
    sets = {name: [piece(one, fit, posterior)] for name, one in evidence.items()}
    if len(sets) > 1:
        sets[TOGETHER] = [one for pieces in sets.values() for one in pieces]
    weighted = [Weighted(WITHOUT, 0.0)]
    weighted += [weigh(name, pieces, r) for name, pieces in sets.items() for r in powers]
    rows = [
        row
        for item in claims_of(propositions)
        if concerns(item, fit)
        for row in _judged(item, fit, posterior, prior, weighted)
    ]
    if not rows:
        raise PropositionError("no proposition is about this model.", hint="Give others.")
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Carried(table, _carried_paths(evidence, fit), tuple(notes_on(fit, evidence, table)))


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


# --- verdicts -------------------------------------------------------------------------------------


def _judged(
    item: Any, fit: Fit, posterior: Scope, prior: Scope | None, weighted: Sequence[Weighted]
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
            item.form, posterior, prior or posterior, item.rule,
            counted=counter(one), spread=spread(one),
        )  # fmt: skip
        found = _worth(found if prior is not None else without_prior(found), one.size)
        yield {
            **said,
            "probability": float(found.probability),
            "prior_probability": float(found.prior),
            "bayes_factor": float(bayes_factor(found).value),
            "mcse": float(found.mcse),
            "verdict": str(judge(found, item.rule)) if fit.converged else WITHHELD,
            "attainable": float(found.attainable),
            "ess": min(one.size, float(np.prod(posterior.shape))),
        }


def _worth(found: Found, size: float) -> Found:
    """The same where draws are worth fewer: a factor on which all agree is bounded by these."""
    parts = tuple(_worth(part, size) for part in found.parts)
    return replace(found, draws=min(found.draws, size), parts=parts)


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
