"""The first screen: banners, and a sentence for each verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED, WITHHELD
from bayesem.reporting.blocks import Banner, Blocks, Card, Listing, Table, Text
from bayesem.reporting.deciding import (
    deciding_parts,
    of_factors,
    part_text,
    rules_in_words,
    what_they_do,
)
from bayesem.reporting.describing import slim
from bayesem.reporting.origin import HEAD, by_reading, kind_of_data, restated
from bayesem.reporting.shown import blocks_of
from bayesem.reporting.sizes import size_of
from bayesem.reporting.sources import DIFFERS, said_by_source
from bayesem.reporting.weaknesses import CRITERIA, weakness
from bayesem.reporting.wording import claim_in_words, names_of
from bayesem.reporting.writing import error_text, interval, marked, number, probability
from bayesem.rounding import believed_text, factor_text
from bayesem.verdicts import POOLED, Verdicts

__all__ = ["banners", "cards", "every", "glance", "headline", "rows_that_count"]

BEFORE, AFTER = "before the data", "after the data"
#: Of a claim, and of one that has several parts.
FACTORS = ("Bayes factor", "Bayes factor of the whole")
DECIDES = "decided by"
EXPECTED = "Expected number"
NOT_CONVERGED = "NOT CONVERGED: this report gives no verdict."
SYNTHETIC = "SYNTHETIC DATA: generated, not observed. Nothing here says anything about the world."


def every(fits: Any) -> list[Any]:
    """All fits, in whatever shape they were given."""
    return [fit for mine in by_reading(fits).values() for fit in mine]


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
    said = tuple(restated(fits))
    if said:
        yield Banner(HEAD, said, "rebuilt")


def headline(verdicts: Verdicts) -> Blocks:
    """How many verdicts of which kind, and on what data."""
    fits = every(verdicts.fits)
    if not all(fit.converged for fit in fits):
        return Blocks((Text("No verdict is given: the chains did not converge.", "lead"),))
    rows = rows_that_count(verdicts)
    counts = rows["verdict"].value_counts()
    order = [v for v in (SUPPORTED, REFUTED, NULL, UNDECIDED, WITHHELD) if v in counts]
    order += [v for v in counts.index if v not in order]
    listed = ", ".join(f"{counts[v]} {v}" for v in order)
    notes = tuple(n for n in verdicts.notes if not n.startswith(("SYNTHETIC", "Rule: ")))
    return Blocks((
        Text(f"{_counted(verdicts)}, put to {kind_of_data(fits)}: {listed}.", "lead"),
        Text(" ".join(_conditional(note, verdicts) for note in notes)),
    ))  # fmt: skip


def _counted(verdicts: Verdicts) -> str:
    """How many propositions there are, and how many of them were assessed."""
    total = len(tuple(verdicts.propositions))
    done = verdicts.table["name"].nunique()
    many = "proposition" if total == 1 else "propositions"
    left = f" listed, {done} of them assessed" if done < total else ""
    return f"{total} {many}{left}"


def _conditional(note: str, verdicts: Verdicts) -> str:
    """What a note takes for granted, said."""
    if EXPECTED not in note:
        return note
    parts = verdicts.parts["part"]
    repeated = parts.duplicated().any() or parts.isin(verdicts.table["claim"]).any()
    shared = " Some claims repeat parts of others, so these are fewer findings." if repeated else ""
    start, _, rest = note.partition(EXPECTED)
    return f"{start}If the model and the data are right: {EXPECTED.lower()}{rest}{shared}"


# --- at a glance ----------------------------------------------------------------------------------


def glance(verdicts: Verdicts, sensitivity: Any) -> Blocks:
    """A row for each proposition: verdict, probability before and after, and its main weakness.

    Parameters
    ----------
    verdicts : Verdicts
    sensitivity : Sensitivity or Quote
    """
    found = list(_cards(verdicts, sensitivity))
    rows = tuple(
        (f"{card.name}: {card.verdict.upper()}", _asked(card), card.source,
         *(dict(card.facts).get(key, "").removeprefix("Pr ") for key in (BEFORE, AFTER)),
         _factor(row, verdicts), card.weakness)
        for card, (_, row) in zip(found, rows_that_count(verdicts).iterrows(), strict=True)
    )  # fmt: skip
    heads = ("Verdict", "On the proposition", "Its source says", "Pr before", "Pr after",
             "Bayes factor", "Main weakness")  # fmt: skip
    numeric = (False, False, False, True, True, True, False)
    made = Table("Verdicts at a glance", heads, rows, numeric, tuple(_notes(verdicts)))
    rules = tuple(dict.fromkeys(map(tuple, map(rules_in_words, verdicts.rules.values()))))
    return blocks_of(
        slim(made),
        *(
            Listing(rule, "What the verdicts mean; the first that applies is given:")
            for rule in rules
        ),
    )


def _factor(row: pd.Series, verdicts: Verdicts) -> str:
    """The Bayes factor; of an open claim of several parts also that of the part that decides."""
    if _failed(row):
        return ""
    parts = deciding_parts(row, verdicts) if what_they_do(row) == DECIDES else []
    each = f"\npart: {factor_text(parts[0])}" if len(parts) == 1 else ""
    return f"{factor_text(row)}{each}"


def _asked(card: Card) -> str:
    """The sentence, what was tested for it, and the part that decided."""
    tested = card.words or card.claim
    lines = [card.says, f"Tested: {tested}" if card.says else tested, card.note]
    lines += [f"Decided by {value}" for name, value in card.facts if name == DECIDES]
    return "\n".join(line for line in lines if line)


def _notes(verdicts: Verdicts) -> Iterator[str]:
    fits = every(verdicts.fits)
    if not all(fit.converged for fit in fits):
        return
    sizes = [fit.draws["posterior"].sizes for fit in fits]
    draws = sum(int(size["chain"] * size["draw"]) for size in sizes)
    error = _of_prior(verdicts.fits)
    yield (
        "Pr before, Pr after: probability of the tested claim before the data and after them; "
        f"before: the share of prior draws, whose Monte-Carlo error is at most {error}."
    )
    yield of_factors(draws)
    yield CRITERIA


def _of_prior(fits: Any) -> str:
    """Largest Monte-Carlo error of a prior probability: a reading's fits share its weight."""
    kept = [
        (fit.draws["prior"].sizes["draw"], float(getattr(fit.data, "weight", 1.0)) / len(mine))
        for mine in by_reading(fits).values()
        for fit in mine
        if "prior" in fit.draws.children
    ]
    if not kept:
        return "unknown"
    sizes, weights = np.array(kept, float).T
    return error_text(0.5 * np.sqrt(np.sum(weights**2 / sizes)) / weights.sum())


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
    asked = {p.name: p for p in verdicts.propositions}
    for _, row in rows_that_count(verdicts).iterrows():
        mine = asked[row["name"]]
        card = _card(row, verdicts, sensitivity, claim_in_words(mine.tree, names))
        source = said_by_source(mine.paper, card.verdict)
        note = mine.note if mine.note.startswith("Ours") or DIFFERS in source else ""
        yield replace(card, note=note, source=source)


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
        name, row["verdict"], says, row["claim"], words, _sentence(row),
        tuple(_facts(row, verdicts)), weakness(row, verdicts, sensitivity),
    )  # fmt: skip


def _failed(row: pd.Series) -> bool:
    return bool(row["verdict"] == WITHHELD and str(row["reason"]).startswith("not converged"))


def _facts(row: pd.Series, verdicts: Verdicts) -> Iterator[tuple[str, str]]:
    if pd.notna(row["prior_probability"]):
        yield BEFORE, f"Pr {believed_text(row['prior_probability'])}"
    if pd.notna(row["probability"]):
        yield AFTER, f"Pr {probability(row['probability'])}"
    parts = deciding_parts(row, verdicts)
    if factor_text(row):
        yield FACTORS[len(parts) > 0], factor_text(row)
    if pd.notna(row["mcse"]):
        yield "Monte-Carlo error of Pr after", error_text(row["mcse"])
    size = size_of(row, verdicts)
    if size is not None:
        scale = f", {size.scale}" if size.scale != "raw" else ""
        span = interval(size.lower, size.upper)
        yield f"{size.kind}{scale} [95%]", f"{number(size.mean)} {span}"
    if pd.notna(row["rope_mass"]):
        within = f", within \N{PLUS-MINUS SIGN}{size.rope:g}" if size and size.rope else ""
        yield f"too small to matter{within}", f"Pr {probability(row['rope_mass'])}"
    if parts:
        yield what_they_do(row), "; ".join(map(part_text, parts))


def _sentence(row: pd.Series) -> str:
    if pd.isna(row["probability"]):
        return f"{str(row['reason'])[:1].upper()}{str(row['reason'])[1:]}."
    prior, factor = row["prior_probability"], factor_text(row)
    before = (
        f"Before the data the claim had the probability {believed_text(prior)}, "
        if pd.notna(prior)
        else "No probability before the data can be given; "
    )
    now = probability(row["probability"])
    words = {">": "more than ", "<": "less than "}.get(now[:1], "")
    after = f"after them it has {words}{now.lstrip('<>')}"
    bound = {">": "more than ", "<": "less than "}.get(factor[:1], "")
    ratio = f": the data multiply its odds by {bound}{factor.lstrip('<> ')}" if factor else ""
    meaning = {
        SUPPORTED: "The claim is supported.", REFUTED: "The claim is refuted.",
        NULL: "The difference that it claims is too small to matter.",
        UNDECIDED: "The data do not decide it.",
        WITHHELD: "No verdict yet: the sampling error is too large for one.",
    }.get(row["verdict"], f"It is {row['verdict']}.")  # fmt: skip
    why = f" Why: {marked(row['reason'])}." if row["reason"] else ""
    return f"{meaning} {before}{after}{ratio}.{why}"
