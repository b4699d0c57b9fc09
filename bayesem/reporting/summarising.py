"""The first screen: banners, and a sentence for each verdict."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED, WITHHELD
from bayesem.reporting.blocks import Banner, Blocks, Card, Table, Text
from bayesem.reporting.weaknesses import weakness
from bayesem.reporting.wording import claim_in_words, names_of
from bayesem.reporting.writing import interval, marked, number, probability
from bayesem.verdict_text import factor_text
from bayesem.verdicts import POOLED, Verdicts

__all__ = ["banners", "cards", "every", "glance", "headline", "rows_that_count"]

BEFORE, AFTER = "before the data", "after the data"
NOT_CONVERGED = "NOT CONVERGED: this report gives no verdict."
SYNTHETIC = "SYNTHETIC DATA: generated, not observed. Nothing here says anything about the world."


def every(fits: Any) -> list[Any]:
    """All fits, in whatever shape they were given."""
    if not isinstance(fits, dict):
        return [fits]
    return [f for v in fits.values() for f in (v if isinstance(v, list | tuple) else (v,))]


# --- banners and headline -------------------------------------------------------------------------


def banners(fits: Any) -> Blocks:
    """What has to be read first: chains that failed, and data that nobody observed."""
    found = list(_banners(every(fits)))
    return Blocks(tuple(found))


def _banners(fits: Sequence[Any]) -> Iterator[Banner]:
    failed = [fit for fit in fits if not fit.converged]
    if failed:
        reasons = dict.fromkeys(r for fit in failed for r in fit.convergence.reasons)
        share = f"{len(failed)} of {len(fits)} fits failed. " if len(fits) > 1 else ""
        yield Banner(
            NOT_CONVERGED,
            (
                f"{share}The chains do not agree with each other, so their draws are no posterior. "
                "Verdicts are withheld, and tables of effects are marked.",
                *reasons,
                "Sample longer, or mend what the reasons name, and report again.",
            ),
        )
    if any(fit.data.synthetic for fit in fits):
        yield Banner(SYNTHETIC, (), "synthetic")


def headline(verdicts: Verdicts) -> Blocks:
    """How many verdicts of which kind, on how many cases, and by which rule."""
    fits = every(verdicts.fits)
    if not all(fit.converged for fit in fits):
        return Blocks((Text("No verdict is given: the chains did not converge.", "lead"),))
    rows = rows_that_count(verdicts)
    counts = rows["verdict"].value_counts()
    order = [v for v in (SUPPORTED, REFUTED, NULL, UNDECIDED, WITHHELD) if v in counts]
    order += [v for v in counts.index if v not in order]
    listed = ", ".join(f"{counts[v]} {v}" for v in order)
    sizes = sorted({int(fit.n) for fit in fits})
    cases = " and ".join(f"{n:,}" for n in sizes)
    made = " SYNTHETIC" if any(fit.data.synthetic for fit in fits) else ""
    many = "proposition" if len(rows) == 1 else "propositions"
    notes = tuple(n for n in verdicts.notes if not n.startswith(("SYNTHETIC", "Rule: ")))
    return Blocks((
        Text(f"Of {len(rows)} {many}, put to{made} data of {cases} cases: {listed}.", "lead"),
        Text(" ".join(notes)),
    ))  # fmt: skip


# --- at a glance ----------------------------------------------------------------------------------


def glance(verdicts: Verdicts, sensitivity: Any) -> Blocks:
    """A row for each proposition: verdict, probability before and after, and its main weakness.

    Parameters
    ----------
    verdicts : Verdicts
    sensitivity : Sensitivity or Quote
    """
    rows = tuple(
        (
            f"{card.name}: {card.verdict.upper()}",
            card.says or card.words or card.claim,
            *(dict(card.facts).get(key, "").removeprefix("Pr ") for key in (BEFORE, AFTER)),
            card.weakness,
        )
        for card in _cards(verdicts, sensitivity)
    )
    heads = ("Verdict", "On the proposition", "Pr before", "Pr after", "Main weakness")
    rules = dict.fromkeys(_rule(rule) for rule in verdicts.rules.values())
    notes = (
        "Pr before, Pr after: probability of the claim before the data and after them.",
        *rules,
    )
    return Blocks((Table("Verdicts at a glance", heads, rows, (False, False, True, True, False),
                         notes),))  # fmt: skip


def _rule(rule: Any) -> str:
    return (
        f"Supported: Pr after of at least {rule.prob:g}, and odds multiplied by at least "
        f"{rule.min_bayes_factor:g}. Refuted: the same for the contrary."
    )


# --- cards ----------------------------------------------------------------------------------------


def rows_that_count(verdicts: Verdicts) -> pd.DataFrame:
    """Rows of a verdict table that stand for the whole: of several readings, the pooled ones."""
    table = verdicts.table
    if "reading" in table and (table["reading"] == POOLED).any():
        return table[table["reading"] == POOLED]
    return table


def cards(verdicts: Verdicts, sensitivity: Any) -> Blocks:
    """A card for each proposition: verdict, prior, posterior, factor, and its main weakness.

    Parameters
    ----------
    verdicts : Verdicts
    sensitivity : Sensitivity or Quote
    """
    return Blocks(tuple(_cards(verdicts, sensitivity)))


def _cards(verdicts: Verdicts, sensitivity: Any) -> Iterator[Card]:
    names = names_of(every(verdicts.fits)[0])
    words = {p.name: claim_in_words(p.tree, names) for p in verdicts.propositions}
    for _, row in rows_that_count(verdicts).iterrows():
        yield _card(row, verdicts, sensitivity, words[row["name"]])


def _card(row: pd.Series, verdicts: Verdicts, sensitivity: Any, words: str) -> Card:
    unread = "reading" in row and row["reading"] not in (POOLED, None)
    name = f"{row['name']} ({row['reading']})" if unread else str(row["name"])
    says = row["says"] if row["says"] != row["claim"] else ""
    if _failed(row):
        return Card(
            name, WITHHELD, says, row["claim"], words,
            "Withheld: the chains did not converge, so nothing is said on this claim.", (),
            "There is no result. The draws must not be read as one.",
        )  # fmt: skip
    return Card(
        name, row["verdict"], says, row["claim"], words, _sentence(row), tuple(_facts(row)),
        weakness(row, verdicts, sensitivity),
    )  # fmt: skip


def _failed(row: pd.Series) -> bool:
    return bool(row["verdict"] == WITHHELD and str(row["reason"]).startswith("not converged"))


def _facts(row: pd.Series) -> Iterator[tuple[str, str]]:
    for head, column in ((BEFORE, "prior_probability"),
                         (AFTER, "probability")):  # fmt: skip
        if pd.notna(row[column]):
            yield head, f"Pr {probability(row[column])}"
    if factor_text(row):
        yield "Bayes factor", factor_text(row)
    if pd.notna(row["mcse"]):
        yield "Monte-Carlo error", f"{row['mcse']:.1g}"
    if pd.notna(row["estimate"]):
        size = f"{number(row['estimate'])} {interval(row['lower'], row['upper'])}"
        yield "difference [95%]", size
    if pd.notna(row["rope_mass"]):
        yield "too small to matter", f"Pr {probability(row['rope_mass'])}"


def _sentence(row: pd.Series) -> str:
    if pd.isna(row["probability"]):
        return str(row["reason"])
    prior, factor = row["prior_probability"], factor_text(row)
    before = (
        f"Before the data the claim had probability {probability(prior)}, "
        if pd.notna(prior)
        else "No probability before the data can be given; "
    )
    after = f"after them it has {probability(row['probability'])}"
    bound = {">": "more than ", "<": "less than "}.get(row["bayes_factor_bound"], "")
    ratio = f": the data multiply its odds by {bound}{factor.lstrip('<> ')}" if factor else ""
    meaning = {
        SUPPORTED: "The claim is supported.", REFUTED: "The claim is refuted.",
        NULL: "The difference that it claims is too small to matter.",
        UNDECIDED: "The data do not decide it.",
        WITHHELD: "No verdict yet: the sampling error is too large for one.",
    }.get(row["verdict"], f"It is {row['verdict']}.")  # fmt: skip
    why = f" Why: {marked(row['reason'])}." if row["reason"] else ""
    return f"{meaning} {before}{after}{ratio}.{why}"
