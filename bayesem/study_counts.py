"""The part of a study's run that rests on its theme counts: verdicts, and what they lean on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.campaigns.interviews import Interviews, interviews
from bayesem.counts.fit import CountFit, fit_counts
from bayesem.propositions import PropositionSet
from bayesem.robustness.counts import CountSensitivity, count_sensitivity
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
    sensitivity : CountSensitivity
    interviews : Interviews
    """

    fit: CountFit
    verdicts: Verdicts
    sensitivity: CountSensitivity
    interviews: Interviews

    @property
    def shares(self) -> pd.DataFrame:
        """Posterior shares: ``theme level references mean lower upper``."""
        share = self.fit.draws["posterior"]["share"]
        flat = share.transpose("chain", "draw", "theme").to_numpy().reshape(-1, share.sizes["theme"])
        low, high = np.quantile(flat, (0.025, 0.975), axis=0)
        table = pd.DataFrame({
            "theme": share["theme"].to_numpy(), "level": share["level"].to_numpy(),
            "references": [_references(self.fit, str(t)) for t in share["theme"].to_numpy()],
            "mean": flat.mean(0), "lower": low, "upper": high,
        })  # fmt: skip
        return table

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the verdicts has to know."""
        return tuple(f"Theme counts. {note}" for note in self.fit.notes)


def _references(fit: CountFit, name: str) -> int:
    themes = fit.model.themes
    if name in themes:
        return sum(themes[name].values())
    return next(leaves[name] for leaves in themes.values() if name in leaves)


def count_part(study: str, propositions: PropositionSet, sampling: Sampling) -> CountPart:
    """Judge a study's claims on shares, under the base assumptions and under others."""
    sampling.tell(0, 3, "theme counts")
    fit = fit_counts(study, chains=max(sampling.chains, 2), seed=sampling.seed)
    if sampling.save is not None:
        fit.draws.to_netcdf(sampling.save / "counts.nc")
    mine = replace(propositions, items=tuple(p for p in propositions if p.model == fit.model.name))
    verdicts = assess(mine, fit)
    sampling.tell(1, 3, "theme counts under other assumptions")
    leaning = count_sensitivity(mine, fit.model, seed=sampling.seed)
    sampling.tell(2, 3, "how many more interviews would settle a claim")
    return CountPart(fit, verdicts, leaning, interviews(mine, fit.model, seed=sampling.seed))


def awaited(found: Verdicts, propositions: PropositionSet) -> Verdicts:
    """The same verdicts with a row for each claim that waits for answers, in the file's order."""
    known = set(found.table["name"])
    reason = "about a model for survey data: `bayesem template` writes the columns, --data reads them"
    rows: list[dict[str, Any]] = [
        unanswered(p, AWAITED, reason) for p in propositions if p.name not in known
    ]
    if not rows:
        return found
    table = pd.concat([found.table, pd.DataFrame(rows)], ignore_index=True)
    order = [p.name for p in propositions]
    table = table.sort_values("name", key=lambda names: names.map(order.index), kind="stable")
    return replace(found, table=table.reset_index(drop=True))
