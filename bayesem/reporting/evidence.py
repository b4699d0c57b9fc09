"""Propositions in full, rival models, sensitivity, and cases: what verdicts rest on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.decision import WITHHELD
from bayesem.figures import plot_verdict
from bayesem.propositions import Proposition
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.deciding import deciding_parts
from bayesem.reporting.describing import slim
from bayesem.reporting.shown import blocks_of, figure, quoted, table
from bayesem.reporting.sizes import Size, size_of
from bayesem.reporting.summarising import every, rows_that_count
from bayesem.reporting.writing import (
    error_text,
    fixed,
    interval,
    marked,
    number,
    probability,
    table_of,
)
from bayesem.rounding import believed_text, factor_text, share_text
from bayesem.verdicts import POOLED, Verdicts, assess

__all__ = ["leaning", "proposition", "rivals", "screening", "verdict_rows", "verdict_table"]

FARTHEST = 10
SIZES = (
    "In brackets behind a number: its Monte-Carlo error.",
    "Size: of a claim on one quantity its estimate, of one on two sides their difference, on the "
    "standardised scale, where ropes lie, or of shares as they are; raw where it says so.",
    "ROPE: the half-width that the verdict used, by the kind of what is compared; a sum or "
    "difference of several kinds has the first of: path, correlation, interaction, indirect.",
)
SIGNS = (
    "A claim on a sign alone does not change with the rope, but where it is practically null.",
)


# --- propositions ---------------------------------------------------------------------------------


def proposition(verdicts: Verdicts, name: str) -> Blocks:
    """One proposition in full: its parts, and prior and posterior as a figure."""
    if not all(fit.converged for fit in every(verdicts.fits)):
        return Blocks((Text(f"{name}: withheld, because the chains did not converge."),))
    drawn = quoted(plot_verdict, verdicts, name)
    alt = f"Prior and posterior density of what {name} compares, with its threshold."
    title = (
        f"{name}: what the verdict rests on. Grey and dashed: prior. Filled: posterior, dark where "
        f"the claim holds.{_thin(verdicts)}"
    )
    return blocks_of(_parts(verdicts, name), figure(drawn, title, alt))


def _thin(verdicts: Verdicts) -> str:
    """Which readings the thin lines are of."""
    names = set(verdicts.weights) - set(verdicts.light)
    return f" Thin: readings {', '.join(sorted(names))}." if names else ""


def _parts(verdicts: Verdicts, name: str) -> Table | None:
    parts = verdicts.parts[verdicts.parts["name"] == name]
    if len(parts) < 2:
        return None
    if "reading" in parts:
        parts = _pooled_first(parts[~parts["reading"].isin(verdicts.light)])
    frame = parts.assign(
        bf=[factor_text(r) for _, r in parts.iterrows()],
        before=[_believed(p) for p in parts["prior_probability"]],
    )
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = readings | {"part": "Part", "before": "Prior Pr", "probability": "Posterior Pr",
                          "bf": "Bayes factor", "verdict": "Verdict"}  # fmt: skip
    return table_of(frame, f"{name}: its parts, joined by {parts['joined'].iloc[0]}", columns)


def _pooled_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the mixture before those of its readings, the order as it was otherwise."""
    return rows.iloc[np.argsort(rows["reading"] != POOLED, kind="stable")]


def _believed(p: float) -> str:
    return "" if pd.isna(p) else believed_text(p)


def verdict_table(verdicts: Verdicts) -> Blocks:
    """All propositions in one table; of several readings the pooled ones, and all folded away."""
    whole = verdict_rows(verdicts, "All propositions")
    pooled = rows_that_count(verdicts)
    if len(pooled) == len(verdicts.table):
        return Blocks((whole,))
    first = verdict_rows(verdicts, "All propositions, readings pooled", pooled)
    return Blocks((first, replace(whole, title="All propositions, by reading", folded=True)))


def _with_error(text: str, error: float) -> str:
    """A number with its Monte-Carlo error in brackets; a bound has none."""
    bound = text[:1] in ("", "<", ">")
    return text if bound or pd.isna(error) else f"{text} ({error_text(error)})"


def verdict_rows(verdicts: Verdicts, title: str, rows: pd.DataFrame | None = None) -> Table:
    """Rows of a verdict table, or some of them; of those that failed no number is shown."""
    frame = (verdicts.table if rows is None else rows).reset_index(drop=True).copy()
    failed = (frame["verdict"] == WITHHELD) & frame["reason"].str.startswith("not converged")
    sizes = [None if bad else size_of(row, verdicts)
             for bad, (_, row) in zip(failed, frame.iterrows(), strict=True)]  # fmt: skip
    frame = frame.assign(
        bf=[_with_error(factor_text(r), r["bayes_factor_mcse"]) for _, r in frame.iterrows()],
        before=[_believed(p) for p in frame["prior_probability"]],
        after=[_with_error(probability(r["probability"]), r["mcse"]) for _, r in frame.iterrows()],
        rope=[f"\N{PLUS-MINUS SIGN}{s.rope:g}" if s and s.rope else "" for s in sizes],
        within=[probability(mass) for mass in frame["rope_mass"]],
        size=[_sized(s) for s in sizes],
    )
    frame.loc[failed, ["bf", "before", "after", "within"]] = ""
    several = "reading" in frame and frame["reading"].nunique() > 1
    readings = {"reading": "Reading", "share": "Weight"} if several else {}
    frame["share"] = [share_text(w) for w in frame.get("weight", ())] or ""
    columns = {"name": "Name"} | readings | {
        "verdict": "Verdict", "before": "Prior Pr", "after": "Posterior Pr", "bf": "Bayes factor",
        "size": "Size [95%]", "rope": "ROPE", "within": "In ROPE",
    }  # fmt: skip
    notes = SIZES if several else (*SIZES, *_reasons(frame))
    if several:
        frame["why"] = [marked(reason) for reason in frame["reason"]]
        columns["why"] = "Remark"
    return slim(table_of(frame, title, columns, notes=notes))


def _reasons(frame: pd.DataFrame) -> Iterator[str]:
    for _, row in frame.iterrows():
        if row["reason"]:
            yield f"{row['name']}: {marked(row['reason'])}."


def _sized(size: Size | None) -> str:
    if size is None:
        return ""
    raw = " (raw)" if size.scale == "raw" else ""
    return f"{number(size.mean)} {interval(size.lower, size.upper)}{raw}"


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
        before=[_believed(p) for p in found.table["prior_probability"]],
        part=_decided(found.table, verdicts),
    )
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["name"]))}
    frame = frame.sort_values("name", key=lambda names: names.map(order), kind="stable")
    said = _sentences(found, verdicts)
    lost = (frame["verdict"] == WITHHELD) & (frame["verdict_as_fitted"] != WITHHELD)
    other = frame[(frame["moves"] | lost) & (frame["way"] != "as fitted")]
    heavy = other[~other["reading"].isin(verdicts.light)] if verdicts.light else other
    title = "Settings under which a verdict changes, or is withheld"
    if len(heavy) < len(other):
        title += " (readings of a weight below .005: see all settings)"
    return blocks_of(
        Listing(tuple(said)),
        slim(_settings(heavy, title, found.notes)) if len(heavy) else None,
        replace(slim(_settings(frame, "All settings", SIGNS)), folded=True),
        *_power(found.claims),
    )  # fmt: skip


def _sentences(found: Any, verdicts: Verdicts) -> tuple[str, ...]:
    """What changes: first of the mixture, then of readings that have weight."""
    leanings = [one for one in found.leanings if one.reading not in verdicts.light]
    kept = (*(one.text for one in leanings), *found.pulls)
    if not verdicts.weights:
        return kept or ("No verdict changes with the ropes and priors that were tried.",)
    changed = any(one.reading == POOLED for one in leanings)
    first = () if changed else ("No pooled verdict changes under the settings tried.",)
    return (*first, *kept)


def _settings(frame: pd.DataFrame, title: str, notes: Sequence[str]) -> Table:
    """A row per claim and setting, the verdict beside that as fitted."""
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "setting": "Under", "verdict": "Verdict", "verdict_as_fitted": "As fitted",
        "before": "Prior Pr", "probability": "Posterior Pr", "bf": "Bayes factor",
        "rope_mass": "In ROPE", "part": "Deciding part", "way": "How", "pareto_k": "Pareto k",
    }  # fmt: skip
    return table_of(frame, title, columns, notes=notes)


def _decided(table: pd.DataFrame, verdicts: Verdicts) -> list[str]:
    """The deciding part of each row; under scaled priors it is not kept by part."""
    known = {1.0: verdicts}
    for factor in table.loc[table["scaled"] == "rope", "factor"].unique():
        known[factor] = assess(_wider(verdicts, factor), verdicts.fits)
    found = []
    for _, row in table.iterrows():
        asked = row["way"] == "as fitted" or row["scaled"] == "rope"
        found.append(_part_of(row, known[row["factor"]]) if asked else "")
    return found


def _part_of(row: pd.Series, verdicts: Verdicts) -> str:
    parts = deciding_parts(row, verdicts)
    return "; ".join(map(_with_factor, parts))


def _with_factor(part: pd.Series) -> str:
    """A part with its probability and, where there is one, its Bayes factor."""
    factor = factor_text(part)
    ratio = f", BF {factor}" if factor else ""
    return f"{part['part']} ({probability(part['probability'])}{ratio})"


def _wider(verdicts: Verdicts, factor: float) -> tuple[Proposition, ...]:
    """The same propositions, with ropes so many times as wide."""
    rules = {p.name: verdicts.rules.get(p.name, p.rule) for p in verdicts.propositions}
    return tuple(
        replace(p, rule=replace(rules[p.name], rope={
            kind: width * factor for kind, width in rules[p.name].rope.items()}))
        for p in verdicts.propositions
    )  # fmt: skip


def _setting(row: pd.Series) -> str:
    if row["way"] == "as fitted":
        return "as fitted"
    what = "ropes" if row["scaled"] == "rope" else "priors"
    return f"{what} \N{MULTIPLICATION SIGN} {row['factor']:g}"


def _power(claims: pd.DataFrame) -> Iterator[Table]:
    """Sensitivities: pooled ones and whatever is pulled at, and behind them all."""
    frame = claims.copy()
    for column in ("prior", "likelihood"):
        frame[column] = [fixed(3)(v) for v in frame[column]]
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "quantity": "Of its", "prior": "Prior", "likelihood": "Data", "diagnosis": "Diagnosis",
    }  # fmt: skip
    title = "Power-scaling sensitivity of each claim"
    pulled = frame["diagnosis"] != ""
    first = _pooled_first(frame[(frame["reading"] == POOLED) | pulled]) if readings else frame
    yield slim(table_of(first, title, columns, notes=(
        "Above 0.05 (before rounding) the prior, or the data, moves what the claim compares; of "
        "claims joined by and or or, their probability, which is another scale. Where both do, "
        "prior and data may conflict.",
    )))  # fmt: skip
    if len(first) < len(frame):
        yield replace(slim(table_of(frame, f"{title}, by reading", columns)), folded=True)


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
