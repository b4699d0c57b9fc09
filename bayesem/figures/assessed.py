"""What a figure of verdicts rests on: its rows, its claim, and the fits behind it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bayesem.claims_evaluation import Form, normal_form
from bayesem.errors import PropositionError, did_you_mean
from bayesem.propositions import Proposition, Rule, read_propositions
from bayesem.rounding import believed_text, factor_text
from bayesem.verdict_text import probability_text
from bayesem.verdicts import POOLED, Verdicts

__all__ = ["check", "claim_of", "fits_of", "numbers_text", "rows_of"]

#: Name and weight of a reading, and its fits; a reading without a name is the only one.
type Fits = tuple[str | None, float | None, tuple[Any, ...]]


def check(verdicts: Any) -> None:
    """Refuse whatever cannot be drawn at all."""
    if not isinstance(verdicts, Verdicts):
        raise PropositionError(
            f"verdicts are a {type(verdicts).__name__}.", hint="Give what `sem.assess` returns."
        )
    if verdicts.propositions is None or verdicts.fits is None:
        raise PropositionError(
            "these verdicts come without their propositions and fits.",
            hint="Assess one fit: `sem.assess(propositions, fit)`.",
        )


def rows_of(verdicts: Verdicts, name: str) -> Any:
    """The rows of one proposition, a reading each."""
    rows = verdicts.table[verdicts.table["name"] == name]
    if rows.empty:
        known = list(dict.fromkeys(verdicts.table["name"]))
        hint = did_you_mean(str(name), known) or f"There are: {', '.join(known)}."
        raise PropositionError(f"`{name}` was not assessed.", hint=hint, label=str(name))
    return rows


def claim_of(verdicts: Verdicts, name: str) -> tuple[Form, Rule]:
    """The claim of a proposition, and the rule it was judged by."""
    found = verdicts.propositions
    if isinstance(found, str | Path | Mapping):
        found = read_propositions(found)
    earlier: dict[str, Any] = {}
    for p in (found,) if isinstance(found, Proposition) else found:
        if p.name == name:
            return normal_form(p.tree, earlier), verdicts.rules.get(name, p.rule)
        earlier[p.name] = p.tree
    raise PropositionError(f"`{name}` is not among the propositions.", label=name)


def fits_of(verdicts: Verdicts, rows: Any) -> list[Fits]:
    """Name, weight and fits of every reading that the proposition was put to."""
    if "reading" not in rows:
        fits = verdicts.fits
        return [(None, None, tuple(fits) if isinstance(fits, list | tuple) else (fits,))]
    found: list[Fits] = []
    for name, weight in zip(rows["reading"], rows["weight"], strict=True):
        if name != POOLED:
            fits = verdicts.fits[name]
            mine = tuple(fits) if isinstance(fits, list | tuple) else (fits,)
            found.append((name, None if np.isnan(weight or np.nan) else float(weight), mine))
    return found


def numbers_text(row: Any) -> str:
    """Probability, prior probability and Bayes factor, those that there are."""
    parts = [f"Pr {probability_text(row['probability'])}"]
    if not np.isnan(row["prior_probability"]):
        parts.append(f"prior {believed_text(row['prior_probability'])}")
    factor = factor_text(row)
    if factor:
        parts.append(f"BF {factor}".replace(" ", "\N{NO-BREAK SPACE}"))
    return ", ".join(parts)
