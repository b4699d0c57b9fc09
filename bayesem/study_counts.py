"""The part of a study's run that rests on its theme counts: verdicts, and what they lean on."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bayesem.campaigns.interviews import Interviews, interviews
from bayesem.counts.clustered import fit_segments
from bayesem.counts.co_occurrence import co_occurrence
from bayesem.counts.fit import CountFit, fit_counts
from bayesem.counts.segments import read_segments
from bayesem.propositions import PropositionSet
from bayesem.robustness.counts import CountSensitivity, count_sensitivity
from bayesem.storage import save
from bayesem.study_fits import Sampling
from bayesem.verdicts import Verdicts, assess, unanswered

__all__ = ["AWAITED", "CountPart", "awaited", "count_part"]

#: In the place of a verdict, where a claim is about a survey's model and there are no answers.
AWAITED = "needs survey data"


@dataclass(frozen=True, slots=True, eq=False)
class CountPart:
    """Theme counts, judged.

    Attributes
    ----------
    fit : CountFit
    verdicts : Verdicts
        Claims on shares, those that a table cannot tell included.
    sensitivity : CountSensitivity or None
    interviews : Interviews or None
        None where segments show by themselves how references cluster.
    together : DataFrame or None
        Codes of the same segments, where there are segments (`bayesem.co_occurrence`).
    """

    fit: CountFit
    verdicts: Verdicts
    sensitivity: CountSensitivity | None = None
    interviews: Interviews | None = None
    together: pd.DataFrame | None = None

    @property
    def shares(self) -> pd.DataFrame:
        """Posterior shares: ``theme level references mean lower upper``."""
        return self.fit.shares

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the verdicts has to know."""
        return tuple(f"Theme counts. {note}" for note in self.fit.notes)


def count_part(
    study: str, propositions: PropositionSet, segments: pd.DataFrame | None, sampling: Sampling
) -> CountPart:
    """Judge a study's claims on shares: on its table, or on segments in its place."""
    if segments is not None:
        return _on_segments(study, propositions, segments, sampling)
    sampling.tell(0, 3, "theme counts")
    fit = fit_counts(study, chains=max(sampling.chains, 2), seed=sampling.seed)
    mine = _kept(fit, propositions, sampling)
    verdicts = assess(mine, fit)
    sampling.tell(1, 3, "theme counts under other assumptions")
    leaning = count_sensitivity(mine, fit.model, seed=sampling.seed)
    sampling.tell(2, 3, "how many more interviews would settle a claim")
    return CountPart(fit, verdicts, leaning, interviews(mine, fit.model, seed=sampling.seed))


def _on_segments(
    study: str, propositions: PropositionSet, segments: pd.DataFrame, sampling: Sampling
) -> CountPart:
    sampling.tell(0, 2, "shares by phase")
    found = read_segments(segments, study)
    fit = fit_segments(found, chains=max(sampling.chains, 2), seed=sampling.seed)
    verdicts = assess(_kept(fit, propositions, sampling), fit)
    sampling.tell(1, 2, "codes on the same segments")
    several = bool((found.indicators().sum(axis=1) > 1).any())
    together = co_occurrence(found, seed=sampling.seed) if several else None
    return CountPart(fit, verdicts, together=together)


def _kept(fit: CountFit, propositions: PropositionSet, sampling: Sampling) -> PropositionSet:
    """Keep the draws, if fits are to be kept, and take the claims on shares."""
    if sampling.save is not None:
        save(fit, sampling.save / "counts.nc")
    return replace(propositions, items=tuple(p for p in propositions if p.model == fit.model.name))


def awaited(found: Verdicts, propositions: PropositionSet) -> Verdicts:
    """The same verdicts with a row for each claim that waits for answers, in the file's order."""
    known = set(found.table["name"])
    rows: list[dict[str, Any]] = [
        unanswered(p, AWAITED, "") for p in propositions if p.name not in known
    ]
    if not rows:
        return found
    table = pd.concat([found.table, pd.DataFrame(rows)], ignore_index=True)
    order = [p.name for p in propositions]
    table = table.sort_values("name", key=lambda names: names.map(order.index), kind="stable")
    return replace(found, table=table.reset_index(drop=True))
