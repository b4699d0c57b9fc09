"""Propositions in full, rival models, sensitivity, and cases: what verdicts rest on."""

from dataclasses import replace
from typing import Any

import pandas as pd

from bayesem.decision import WITHHELD
from bayesem.figures import plot_verdict
from bayesem.propositions import Proposition
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.deciding import deciding_parts
from bayesem.reporting.describing import slim
from bayesem.reporting.shown import blocks_of, figure, quoted, table
from bayesem.reporting.sizes import Size, size_of
from bayesem.reporting.summarising import every
from bayesem.reporting.writing import fixed, interval, marked, number, probability, table_of
from bayesem.rounding import believed_text, factor_text
from bayesem.verdicts import Verdicts, assess

__all__ = ["leaning", "proposition", "rivals", "screening", "verdict_rows", "verdict_table"]

FARTHEST = 10
SIZES = (
    "In brackets behind a number: its Monte-Carlo error.",
    "Size: of a claim on one quantity its estimate, of one on two sides their difference, on the "
    "standardised scale, where ropes lie; raw where it says so.",
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
    title = f"{name}: what the verdict rests on. Dashed: prior. Filled: posterior, dark where " \
            "the claim holds."  # fmt: skip
    return blocks_of(_parts(verdicts, name), figure(drawn, title, alt))


def _parts(verdicts: Verdicts, name: str) -> Table | None:
    parts = verdicts.parts[verdicts.parts["name"] == name]
    if len(parts) < 2:
        return None
    frame = parts.assign(
        bf=[factor_text(r) for _, r in parts.iterrows()],
        before=[_believed(p) for p in parts["prior_probability"]],
    )
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = readings | {"part": "Part", "before": "Prior Pr", "probability": "Posterior Pr",
                          "bf": "Bayes factor", "verdict": "Verdict"}  # fmt: skip
    return table_of(frame, f"{name}: its parts, joined by {parts['joined'].iloc[0]}", columns)


def _believed(p: float) -> str:
    return "" if pd.isna(p) else believed_text(p)


def verdict_table(verdicts: Verdicts) -> Blocks:
    """All propositions in one table."""
    return Blocks((verdict_rows(verdicts, "All propositions"),))


def _with_error(text: str, error: float) -> str:
    """A number with its Monte-Carlo error in brackets; a bound has none."""
    bound = text[:1] in ("", "<", ">")
    return text if bound or pd.isna(error) else f"{text} ({float(f'{error:.1g}'):g})"


def verdict_rows(verdicts: Verdicts, title: str) -> Table:
    """Rows of a verdict table; of withheld ones that failed no number is shown."""
    frame = verdicts.table.reset_index(drop=True).copy()
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
    readings = {"reading": "Reading", "weight": "Weight"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "before": "Prior Pr", "after": "Posterior Pr", "bf": "Bayes factor", "size": "Size [95%]",
        "rope": "ROPE", "within": "In ROPE", "verdict": "Verdict",
    }  # fmt: skip
    reasons = (f"{r['name']}: {marked(r['reason'])}." for _, r in frame.iterrows() if r["reason"])
    return table_of(frame, title, columns, notes=(*SIZES, *dict.fromkeys(reasons)))


def _sized(size: Size | None) -> str:
    if size is None:
        return ""
    raw = "" if size.standardised else " (raw)"
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
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "setting": "Under", "verdict": "Verdict", "before": "Prior Pr",
        "probability": "Posterior Pr", "bf": "Bayes factor", "part": "Deciding part", "way": "How",
        "pareto_k": "Pareto k",
    }  # fmt: skip
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["name"]))}
    frame = frame.sort_values("name", key=lambda names: names.map(order), kind="stable")
    said = found.sentences or ("No verdict changes with the ropes and priors that were tried.",)
    moved = frame["moves"] | (
        (frame["way"] == "as fitted") & frame["name"].isin(frame.loc[frame["moves"], "name"])
    )
    return blocks_of(Listing(tuple(said)),
                     table(frame[moved], "Settings under which a verdict changes", columns,
                           notes=found.notes) if moved.any() else None,
                     _unmoved(frame[~moved], columns), slim(_power(found.claims)))  # fmt: skip


def _unmoved(frame: pd.DataFrame, columns: dict[str, str]) -> Blocks:
    made = table(frame, "Other settings: the verdict stands, or is withheld", columns, notes=SIGNS)
    return Blocks(tuple(replace(b, folded=True) if isinstance(b, Table) else b for b in made.items))


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
    return "; ".join(f"{p['part']} ({probability(p['probability'])})" for p in parts)


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


def _power(claims: pd.DataFrame) -> Table:
    frame = claims.copy()
    for column in ("prior", "likelihood"):
        frame[column] = [fixed(3)(v) for v in frame[column]]
    readings = {"reading": "Reading"} if "reading" in frame else {}
    columns = {"name": "Name"} | readings | {
        "prior": "Prior", "likelihood": "Data", "diagnosis": "Diagnosis",
    }  # fmt: skip
    return table_of(frame, "Power-scaling sensitivity of each claim", columns, notes=(
        "Above 0.05 the prior (or the data) moves what the claim compares (of claims joined by and "
        "or or, their probability); where both do, they may disagree.",
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
