"""The part of a claim that decides its verdict, and the rule by which it does, in words."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED, WITHHELD
from bayesem.reporting.writing import probability
from bayesem.rounding import LARGEST, believed_text, factor_text
from bayesem.verdicts import Verdicts

__all__ = ["deciding_parts", "of_factors", "part_text", "rules_in_words", "what_they_do",
           "wording_of_rule"]  # fmt: skip


def deciding_parts(row: pd.Series, verdicts: Verdicts) -> list[pd.Series]:
    """Parts of a conjunction or disjunction on which its verdict turns; none of a single claim.

    Of a refuted or practically null conjunction: the parts that are. Of any other: the part that is
    least sure. Of a disjunction: the part that is most sure.
    """
    parts = verdicts.parts[verdicts.parts["name"] == row["name"]]
    if "reading" in parts and row.get("reading") is not None:
        parts = parts[parts["reading"] == row["reading"]]
    if len(parts) < 2:
        return []
    every = [part for _, part in parts.iterrows()]
    if parts["joined"].iloc[0] == "or":
        return [max(every, key=lambda p: p["probability"])]
    alike = [p for p in every if p["verdict"] == row["verdict"]]
    if row["verdict"] in (REFUTED, NULL) and alike:
        return alike
    waiting = [p for p in every if p["verdict"] in (UNDECIDED, WITHHELD)]
    chosen = waiting if row["verdict"] in (UNDECIDED, WITHHELD) and waiting else every
    return [min(chosen, key=lambda p: p["probability"])]


def what_they_do(row: pd.Series) -> str:
    """What those parts are to the verdict."""
    return "least sure part" if row["verdict"] == SUPPORTED else "decided by"


def part_text(part: pd.Series) -> str:
    """A part with its own prior, posterior, Bayes factor and verdict."""
    prior = part["prior_probability"]
    before = "" if pd.isna(prior) else f"Pr {believed_text(prior)} before, "
    factor = factor_text(part)
    ratio = f", Bayes factor {factor}" if factor else ""
    return (
        f"{part['part']}: {before}Pr {probability(part['probability'])} after{ratio}; "
        f"{part['verdict']}"
    )


def wording_of_rule(rule: Any) -> str:
    """The rule of `bayesem.decision.judge` as one paragraph."""
    return " ".join(rules_in_words(rule))


def rules_in_words(rule: Any) -> Iterator[str]:
    """Every verdict that there is, and when it is given, worst doubt first."""
    p, q, bf = f"{rule.prob:g}", f"{1 - rule.prob:g}", f"{rule.min_bayes_factor:g}"
    yield (
        "Withheld: the chains did not converge, or a threshold that matters lies within two "
        "Monte-Carlo standard errors."
    )
    yield (
        f"Practically null: the two sides differ by less than the rope, with probability of at "
        f"least {p}. Of several parts: where all must hold, one is so and none is refuted; where "
        "one must, all are so."
    )
    yield (
        f"Supported: the whole claim has probability of at least {p}, and a Bayes factor of at "
        f"least {bf}."
    )
    yield (
        f"Refuted: it has probability of at most {q}, and a Bayes factor of at most 1/{bf}. Of "
        "several parts: where all must hold, one has; where one must, all have."
    )
    yield "Undecided: everything else."
    yield "Not testable: the data cannot bear on the claim."


def of_factors(draws: int) -> str:
    """Why large Bayes factors are bounds."""
    return (
        f"Bayes factors have two digits, and beyond {LARGEST:,.0f} a bound: too few of {draws:,} "
        "draws then speak against the claim (or for it) to tell more."
    )
