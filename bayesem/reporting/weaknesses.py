"""What speaks most against leaning on a verdict, and what weakens all of them alike."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesem.decision import NULL, SUPPORTED, UNDECIDED, WITHHELD
from bayesem.reporting.blocks import Blocks, Listing, Quote
from bayesem.reporting.writing import interval, marked, number, probability
from bayesem.robustness.priors import Sensitivity
from bayesem.verdicts import Verdicts

__all__ = ["doubts", "weakness"]

#: Notes of a fit that say how it was computed, or what the banner says.
NO_DOUBTS = ("all factors integrated", "factors integrated", "scores of ", "all factor scores",
             "SYNTHETIC DATA")  # fmt: skip


def weakness(row: pd.Series, verdicts: Verdicts, sensitivity: Any) -> str:
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
        if _tried(sensitivity)
        else "How far it leans on the prior was not found out. "
    )
    if row["verdict"] == NULL:
        return f"{tried}What counts as too small to matter was chosen, not measured."
    return tried + (_size(row) or "It holds only as far as the model does.")


def _tried(sensitivity: Any) -> bool:
    """Whether the verdicts were looked at under other priors."""
    if not isinstance(sensitivity, Sensitivity):
        return False
    other = sensitivity.table.query("scaled == 'prior' and way != 'as fitted'")
    return len(other) > 0 and not (other["way"] == "not available").any()


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
