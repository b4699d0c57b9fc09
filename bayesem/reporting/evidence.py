"""Propositions in full, rival models, sensitivity, and cases: what verdicts rest on."""

from typing import Any

import pandas as pd

from bayesem.decision import WITHHELD
from bayesem.figures import plot_verdict
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.shown import blocks_of, figure, quoted, table
from bayesem.reporting.summarising import every
from bayesem.reporting.writing import fixed, marked, probability, table_of
from bayesem.verdict_text import factor_text
from bayesem.verdicts import Verdicts

__all__ = ["leaning", "proposition", "rivals", "screening", "verdict_rows", "verdict_table"]

FARTHEST = 10


# --- propositions ---------------------------------------------------------------------------------


def proposition(verdicts: Verdicts, name: str) -> Blocks:
    """One proposition in full: its parts, and prior and posterior as a figure."""
    if not all(fit.converged for fit in every(verdicts.fits)):
        return Blocks((Text(f"{name}: withheld, because the chains did not converge."),))
    drawn = quoted(plot_verdict, verdicts, name)
    alt = f"Prior and posterior density of what {name} compares, with its threshold."
    title = f"{name}: what the verdict rests on. Dashed: prior. Filled: posterior, dark where " \
            "the claim holds."  # fmt: skip
    return blocks_of(_parts(verdicts, name), figure(drawn, title, alt))


def _parts(verdicts: Verdicts, name: str) -> Table | None:
    parts = verdicts.parts[verdicts.parts["name"] == name]
    if len(parts) < 2:
        return None
    frame = parts.assign(bf=[factor_text(r) for _, r in parts.iterrows()])
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = readings | {"part": "Part", "prior_probability": "Prior Pr",
                          "probability": "Posterior Pr", "bf": "Bayes factor",
                          "verdict": "Verdict"}  # fmt: skip
    return table_of(frame, f"{name}: its parts, joined by {parts['joined'].iloc[0]}", columns)


def verdict_table(verdicts: Verdicts) -> Blocks:
    """All propositions in one table."""
    return Blocks((verdict_rows(verdicts.table, "All propositions"),))


def _with_error(text: str, error: float) -> str:
    """A number with its Monte-Carlo error in brackets."""
    return f"{text} ({error:.1g})" if text and not pd.isna(error) else text


def verdict_rows(rows: pd.DataFrame, title: str) -> Table:
    """Rows of a verdict table; of withheld ones that failed no number is shown."""
    frame = rows.reset_index(drop=True).copy()
    frame["bf"] = [_with_error(factor_text(r), r["bayes_factor_mcse"]) for _, r in frame.iterrows()]
    failed = (frame["verdict"] == WITHHELD) & frame["reason"].str.startswith("not converged")
    numbers = ["prior_probability", "probability", "mcse", "estimate", "lower", "upper",
               "rope_mass"]  # fmt: skip
    frame[numbers] = frame[numbers].astype(float)
    frame.loc[failed, numbers] = float("nan")
    frame.loc[failed, "bf"] = ""
    pairs = zip(frame["probability"], frame["mcse"], strict=True)
    frame["after"] = [_with_error(probability(p), e) for p, e in pairs]
    readings = {"reading": "Reading", "weight": "Weight"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "prior_probability": "Prior Pr", "after": "Posterior Pr", "bf": "Bayes factor",
        "rope_mass": "In ROPE",
        "estimate": "Difference", "interval": "95% interval", "verdict": "Verdict",
    }  # fmt: skip
    spans = {"interval": ("lower", "upper")}
    reasons = (f"{r['name']}: {marked(r['reason'])}." for _, r in frame.iterrows() if r["reason"])
    notes = ("In brackets: Monte-Carlo errors.", *dict.fromkeys(reasons))
    return table_of(frame, title, columns, intervals=spans, notes=notes)


# --- rivals, sensitivity, screening ---------------------------------------------------------------


def rivals(found: Any) -> Blocks:
    """Rival models: predictions, weights, evidence, and a reading in words."""
    if isinstance(found, Quote):
        return Blocks((found,))
    frame = found.rename_axis("model").reset_index()
    every_column = {"model": "Model", "elpd": "elpd", "elpd_diff": "Diff.", "dse": "SE of diff.",
                    "weight": "Weight", "k_bad": "Bad k", "log_evidence": "log evidence",
                    "bayes_factor": "Bayes factor"}  # fmt: skip
    shown = {k: v for k, v in every_column.items() if k == "model" or frame[k].notna().any()}
    made = table(frame, "Rival models of the same data", shown)
    text = tuple(found.attrs["reading"].splitlines())
    notes = tuple(f"{name}: {note}" for name, note in found["note"].items() if note)
    return blocks_of(made, Listing((*text, *notes)))


def leaning(found: Any, verdicts: Verdicts) -> Blocks:
    """What becomes of the verdicts under other priors and other ropes."""
    if isinstance(found, Quote):
        return Blocks((found,))
    if not all(fit.converged for fit in every(verdicts.fits)):
        return Blocks((Text("Withheld: the chains did not converge."),))
    frame = found.table.assign(
        setting=[_setting(r) for _, r in found.table.iterrows()],
        bf=[factor_text(r) for _, r in found.table.iterrows()],
    )
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "setting": "Under", "verdict": "Verdict", "prior_probability": "Prior Pr",
        "probability": "Posterior Pr", "bf": "Bayes factor", "way": "How", "pareto_k": "Pareto k",
    }  # fmt: skip
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["name"]))}
    frame = frame.sort_values("name", key=lambda names: names.map(order), kind="stable")
    said = found.sentences or ("No verdict changes with the ropes and priors that were tried.",)
    return blocks_of(Listing(tuple(said)), table(frame, "Verdicts under other priors and ropes",
                     columns, notes=found.notes), _power(found.claims))  # fmt: skip


def _setting(row: pd.Series) -> str:
    if row["way"] == "as fitted":
        return "as fitted"
    what = "ropes" if row["scaled"] == "rope" else "priors"
    return f"{what} \N{MULTIPLICATION SIGN} {row['factor']:g}"


def _power(claims: pd.DataFrame) -> Table:
    frame = claims.copy()
    for column in ("prior", "likelihood"):
        frame[column] = [fixed(3)(v) for v in frame[column]]
    columns = {"name": "Name", "prior": "Prior", "likelihood": "Data", "diagnosis": "Diagnosis"}
    return table_of(frame, "Power-scaling sensitivity of each claim", columns, notes=(
        "Above 0.05 the prior (or the data) moves the claim; where both do, they may disagree.",
    ))  # fmt: skip


def screening(found: Any) -> Blocks:
    """Cases that lie farthest out, and how far answers are from normal."""
    if isinstance(found, Quote):
        return Blocks((found,))
    normal = {"variable": "Variable", "n": "n", "skewness": "Skewness", "cr_skewness": "CR",
              "kurtosis": "Kurtosis", "cr_kurtosis": "CR of kurtosis"}  # fmt: skip
    far = {"case": "Case", "d2": "d\N{SUPERSCRIPT TWO}", "p1": "p1", "p2": "p2",
           "answered": "Cells answered"}  # fmt: skip
    cases = found.cases.head(FARTHEST).assign(case=lambda t: t["case"].astype(str))
    return blocks_of(
        table(found.normality, "Normality", normal),
        table(cases, f"The {len(cases)} cases that lie farthest out", far, notes=(
            "p1: probability that a normal case lies farther; p2: that the k-th farthest does. "
            "No case was removed.",)),
        Listing(tuple(found.notes)) if found.notes else None,
    )  # fmt: skip
