"""The first screen: banners, a sentence for each verdict, and what weakens it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED, WITHHELD
from bayesem.reporting.blocks import Banner, Blocks, Card, Listing, Quote, Table, Text
from bayesem.reporting.wording import claim_in_words, names_of
from bayesem.reporting.writing import interval, marked, number, probability
from bayesem.robustness.priors import Sensitivity
from bayesem.verdict_text import factor_text
from bayesem.verdicts import POOLED, Verdicts

__all__ = ["banners", "cards", "doubts", "every", "glance", "headline", "rows_that_count"]

#: Notes of a fit that say how it was computed, or what the banner says.
NO_DOUBTS = ("all factors integrated", "factors integrated", "scores of ", "all factor scores",
             "SYNTHETIC DATA")  # fmt: skip
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
        _weakness(row, verdicts, sensitivity),
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


# --- weaknesses -----------------------------------------------------------------------------------


def _weakness(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> str:
    """The first that applies, worst first."""
    return next(_weaknesses(row, verdicts, sensitivity))


def _weaknesses(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> Iterator[str]:
    if pd.isna(row["probability"]):
        yield "These data cannot bear on it."
    yield from _leanings(row, sensitivity)
    if row["attainable"] < verdicts.rules[row["name"]].prob:
        yield (
            f"At this number of cases its probability cannot pass {number(row['attainable'])}, "
            "whatever the truth."
        )
    mass = row["rope_mass"]
    if row["verdict"] == SUPPORTED and pd.notna(mass) and mass > 0.05:
        yield (
            f"Its size: with probability {probability(mass)} the difference is too small to "
            "matter in practice."
        )
    yield _closest(row, verdicts, sensitivity)


def _leanings(row: pd.Series, sensitivity: Any) -> Iterator[str]:
    """What the sensitivity analysis says on this claim."""
    if not isinstance(sensitivity, Sensitivity):
        return
    name = str(row["name"])
    mine = [s for s in sensitivity.sentences if s.startswith((f"{name} is ", f"{name} ("))]
    if mine:
        yield "It leans on what was assumed: " + " ".join(mine)
    claims = sensitivity.claims[sensitivity.claims["name"] == name]
    pulled = claims[claims["diagnosis"] != ""]
    if len(pulled):
        most = pulled.sort_values("prior", key=abs).iloc[-1]
        way = "more" if most["slope"] > 0 else "less"
        yield (
            f"The prior has a say as well (power-scaling sensitivity {number(most['prior'])}, "
            f"above 0.05): a stronger one would make the claim {way} probable."
        )


def _closest(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> str:
    """Where nothing else speaks against a verdict: how near another one was."""
    rule = verdicts.rules[row["name"]]
    p = row["probability"]
    if row["verdict"] == WITHHELD:
        return (
            "Too few draws: sampling error alone could turn it. More draws of the same posterior "
            "would settle it, without new data."
        )
    if row["verdict"] == UNDECIDED and 1 - rule.prob < p < rule.prob:
        return "These data do not tell. More cases, or better measures, might."
    if row["verdict"] == UNDECIDED:
        return "The data hardly changed what was believed before them."
    tried = (
        "No other prior or threshold of relevance that was tried changes it. "
        if isinstance(sensitivity, Sensitivity)
        else "How far it leans on the prior was not found out. "
    )
    if row["verdict"] == NULL:
        return f"{tried}What counts as too small to matter was chosen, not measured."
    return tried + (_size(row) or "It holds only as far as the model does.")


def _size(row: pd.Series) -> str:
    """How well the size is known, where the sign is."""
    if pd.isna(row["estimate"]) or row["upper"] - row["lower"] < abs(row["estimate"]):
        return ""
    span = interval(row["lower"], row["upper"])
    return f"Its size is known only roughly: 95% interval {span}."


def doubts(
    fit: Any, indices: Any, reliability: Any, validity: Any, comparison: Any = None
) -> Blocks:
    """What weakens all verdicts alike: the model's fit, its measurement, its assumptions.

    Nothing where the chains failed: there is no verdict to weaken.

    Parameters
    ----------
    fit : Fit
    indices, reliability, validity : DataFrame or Quote
        What `bayesem.fit_indices`, `bayesem.reliability` and `bayesem.validity` gave.
    comparison : DataFrame or Quote, optional
        What `bayesem.compare` gave, where there are rivals.
    """
    if not fit.converged:
        return Blocks(())
    notes = [note for note in fit.notes if not note.startswith(NO_DOUBTS)]
    found = [*_misfit(indices), *_measured(reliability, validity), *notes]
    if isinstance(comparison, pd.DataFrame):
        found += [
            f"Rivals: {marked(line)}" for line in comparison.attrs["reading"].splitlines()[:2]
        ]
    found.append(
        "Which way the arrows point, and that nothing outside the model causes both ends of one, "
        "is assumed. These data do not test it."
    )
    return Blocks((Listing(tuple(found), "What weakens them all:"),))


def _misfit(indices: Any) -> Iterator[str]:
    if isinstance(indices, Quote):
        why = marked(indices.said.splitlines()[0])
        yield f"Whether the model fits is not known. In the words of the package: {why}"
        return
    mean = indices["mean"]
    values = ", ".join(f"{name} {number(mean[name])}" for name in indices.index
                       if name in ("PPP", "BRMSEA", "BCFI", "BSRMR"))  # fmt: skip
    poor = [
        *(["PPP"] if not 0.05 <= mean.get("PPP", 0.5) <= 0.95 else []),
        *(["BRMSEA"] if mean.get("BRMSEA", 0) > 0.08 else []),
        *(["BCFI"] if mean.get("BCFI", 1) < 0.90 else []),
        *(["BSRMR"] if mean.get("BSRMR", 0) > 0.10 else []),
    ]
    if poor:
        yield f"The model misses the data ({', '.join(poor)} out of the usual bounds): {values}."
    else:
        yield f"The model's fit is no weakness by the usual bounds: {values}."


def _measured(reliability: Any, validity: Any) -> Iterator[str]:
    if not isinstance(reliability, Quote):
        weak = reliability[reliability["omega_pr"] < 0.5]
        for _, row in weak.iterrows():
            omega = number(row["omega"])
            yield f"{row['factor']} is measured with little reliability: omega {omega}."
    if not isinstance(validity, Quote) and len(validity):
        same = validity[validity["correlation_pr"] < 0.5]
        for _, row in same.iterrows():
            pair = " and ".join(str(v) for v in row.iloc[:2])
            yield (
                f"{pair} can hardly be told apart: their correlation is "
                f"{number(row['correlation'])}."
            )
