"""What speaks most against leaning on a verdict, and what weakens all of them alike."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesem.decision import NULL, UNDECIDED, WITHHELD
from bayesem.reporting.blocks import Blocks, Listing, Quote
from bayesem.reporting.deciding import deciding_parts
from bayesem.reporting.origin import noted, rebuilt
from bayesem.reporting.sizes import size_of
from bayesem.reporting.writing import interval, marked, number, probability
from bayesem.robustness.counts import CountSensitivity
from bayesem.robustness.priors import Sensitivity
from bayesem.verdicts import Verdicts

__all__ = ["CRITERIA", "doubts", "weakness"]

#: Notes of a fit that say how it was computed, or what the banner says.
NO_DOUBTS = ("all factors integrated", "factors integrated", "scores of ", "all factor scores",
             "SYNTHETIC DATA")  # fmt: skip
REBUILT = (
    "The data are rebuilt from printed estimates: the verdicts repeat these, and cannot check them."
)


#: The criteria in order; the first that applies is named, whatever the verdict.
CRITERIA = (
    "Main weakness is the first that applies of: the data cannot bear on the claim; it cannot be "
    "supported at this number of cases; another prior or rope (half or twice as wide) changes the "
    "verdict; power-scaling sensitivity to the prior above 0.05; too few draws; the data do not "
    "tell; the size may be too small to matter (probability above 0.05) or its 95% interval is "
    "wider than the estimate; only signs are tested; it holds as far as the model does. A "
    "claim such as a > 0 tests a sign and not a size: the rope does not change its verdict, and is "
    "shown to judge the size by."
)
SMALL = 0.05  # probability of a size within the rope from which that is said


def weakness(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> str:
    """The first that applies, in the order of `CRITERIA`."""
    return next(_weaknesses(row, verdicts, sensitivity))


def _weaknesses(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> Iterator[str]:
    if pd.isna(row["probability"]):
        yield "These data cannot bear on it."
    if pd.isna(row["probability"]):
        return
    if row["attainable"] < verdicts.rules[row["name"]].prob:
        yield (
            f"It cannot be supported at this number of cases with its rope as it is, whatever the "
            f"truth: its probability cannot pass {row['attainable']:.2f}."
        )
    yield from _leanings(row, sensitivity)
    if row["verdict"] == WITHHELD:
        yield (
            "Too few draws: sampling error alone could turn it. More draws of the same posterior "
            "would settle it, without new data."
        )
    yield from _open(row, verdicts)
    yield from _of_size(row, verdicts)
    yield from _of_signs(row, verdicts)
    if row["verdict"] == NULL:
        yield "What counts as too small to matter was chosen, not measured."
    yield "It holds only as far as the model does."


def _leanings(row: pd.Series, sensitivity: Any) -> Iterator[str]:
    """What the sensitivity analysis says on this claim."""
    if isinstance(sensitivity, CountSensitivity):
        yield from _of_counts(row, sensitivity)
    if not isinstance(sensitivity, Sensitivity):
        return
    name = str(row["name"])
    here = (name, row.get("reading"))
    mine = [one.text for one in sensitivity.leanings if (one.name, one.reading) == here]
    if mine:
        yield "It leans on what was assumed: " + " ".join(mine)
    claims = sensitivity.claims[sensitivity.claims["name"] == name]
    if "reading" in claims and row.get("reading") in set(claims["reading"]):
        claims = claims[claims["reading"] == row["reading"]]
    pulled = claims[claims["diagnosis"] != ""]
    if len(pulled):
        most = pulled.sort_values("prior", key=abs).iloc[-1]
        way = "more" if most["slope"] > 0 else "less"
        yield (
            f"The prior has a say as well (power-scaling sensitivity {number(most['prior'])}, "
            f"above 0.05): a more concentrated one would make the claim {way} probable."
        )


def _of_counts(row: pd.Series, found: CountSensitivity) -> Iterator[str]:
    """Under which other assumptions a verdict on theme counts is another one."""
    mine = found.table[found.table["name"] == row["name"]]
    other = mine[mine["verdict"] != row["verdict"]]
    if len(other):
        each = ", ".join(f"{r['verdict']} ({r['setting']})" for _, r in other.iterrows())
        yield f"It leans on what was assumed: {each}."


def _open(row: pd.Series, verdicts: Verdicts) -> Iterator[str]:
    rule = verdicts.rules[row["name"]]
    if row["verdict"] != UNDECIDED:
        return
    if 1 - rule.prob < row["probability"] < rule.prob:
        yield "These data do not tell. More cases, or better measures, might."
    yield "The data hardly changed what was believed before them."


def _of_size(row: pd.Series, verdicts: Verdicts) -> Iterator[str]:
    """How well the size is known, where the claim has one."""
    size = size_of(row, verdicts)
    if size is None or row["verdict"] == NULL:
        return
    said = []
    if pd.notna(row["rope_mass"]) and row["rope_mass"] > SMALL:
        mass = probability(row["rope_mass"])
        said.append(f"with probability {mass} the {size.kind} is too small to matter")
    if size.relative > 1:
        span = interval(size.lower, size.upper)
        scale = f", {size.scale}" if size.scale != "raw" else ""
        said.append(f"it is known only roughly (95% interval {span}{scale})")
    if said:
        yield f"Its size: {', and '.join(said)}."


def _of_signs(row: pd.Series, verdicts: Verdicts) -> Iterator[str]:
    parts = deciding_parts(row, verdicts)
    if parts:
        least = " and ".join(str(part["part"]) for part in parts)
        yield f"Only as sure as its weakest part ({least}); its parts say nothing of sizes."
    size = size_of(row, verdicts)
    if size is not None and size.sign:
        yield "Only the sign is tested, not the size."


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
    notes = [note for note in noted(fit) if not note.startswith(NO_DOUBTS)]
    first = [REBUILT] if rebuilt(fit) else []
    found = [*first, *_misfit(indices), *_measured(reliability, validity), *notes]
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
        low = reliability[reliability["ave_pr"] < 0.5]
        if len(low):
            each = zip(low["factor"], low["ave"], strict=True)
            listed = ", ".join(f"{name} {number(ave)}" for name, ave in each)
            yield f"Factors that explain less than half of their indicators (AVE): {listed}."
    if not isinstance(validity, Quote) and len(validity):
        same = validity[validity["correlation_pr"] < 0.5]
        for _, row in same.iterrows():
            pair = " and ".join(str(v) for v in row.iloc[:2])
            yield (
                f"{pair} can hardly be told apart: their correlation is "
                f"{number(row['correlation'])}."
            )
