"""Tables and figures of what was found, in the order of the report."""

from typing import Any

import pandas as pd

from bayesem.decision import WITHHELD
from bayesem.figures import plot_verdict
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.shown import blocks_of, figure, notes_of, quoted, table
from bayesem.reporting.summarising import every
from bayesem.reporting.writing import arrows, fixed, marked, probability, table_of
from bayesem.verdict_text import factor_text
from bayesem.verdicts import Verdicts

__all__ = [
    "coefficients",
    "convergence",
    "effects",
    "fit_of_model",
    "leaning",
    "measured",
    "misfit",
    "proposition",
    "rivals",
    "screening",
    "verdict_table",
]  # fmt: skip

WORST = 10
KINDS = {"=~": "Loadings", "~": "Paths", "~~": "Variances and covariances", "~1": "Means",
         ":=": "Defined", "|": "Thresholds"}  # fmt: skip


# --- chains and fit -------------------------------------------------------------------------------


def convergence(fit: Any) -> Blocks:
    """The verdict on the chains, its reasons, and the quantities that mixed worst."""
    worst = fit.convergence.table.sort_values("r_hat", ascending=False).head(WORST)
    frame = worst.rename_axis("quantity").reset_index()
    columns = {"quantity": "Quantity", "r_hat": "R-hat", "ess_bulk": "Bulk ESS",
               "ess_tail": "Tail ESS"}  # fmt: skip
    rule = (
        "Required of every free and claimed quantity: R-hat at most 1.01, bulk and tail effective "
        "sample size at least 400; and no divergence, E-BFMI at least 0.3, one mode.",
    )
    reasons = Listing(tuple(fit.convergence.reasons), "Why:") if fit.convergence.reasons else None
    return blocks_of(
        Text(str(fit.convergence)),
        reasons,
        table_of(frame, f"The {len(frame)} quantities that mixed worst", columns, notes=rule),
    )


def fit_of_model(asked: Any, found: Any, fit: Any) -> Blocks:
    """Posterior predictive p and indices of fit; what was refused is quoted.

    Parameters
    ----------
    asked, found : DataFrame or Quote
        All indices; and those that there are, where some were refused.
    fit : Fit
    """
    if isinstance(found, Quote):
        return Blocks((asked,))
    frame = found.rename_axis("index").reset_index()
    columns = {"index": "Index", "mean": "Mean", "sd": "SD", "interval": "95% interval"}
    made = table(frame, "Fit of the model", columns, fit=fit, notes=(
        "PPP near 0.5 is good, near 0 or 1 bad. BRMSEA, BSRMR: smaller is better; the others: "
        "nearer to 1 is better.",
    ))  # fmt: skip
    refused = asked if isinstance(asked, Quote) else None
    return blocks_of(refused, made, notes_of(found, fit))


def misfit(found: Any, fit: Any) -> Blocks:
    """The pairs of indicators whose correlation the model misses most."""
    if isinstance(found, Quote):
        return Blocks((found,))
    pairs = found[found["op"] == "~~"]
    worst = pairs.reindex(pairs["residual"].abs().sort_values(ascending=False).index).head(WORST)
    columns = {"lhs": "Indicator", "rhs": "with", "observed": "Observed r", "implied": "Implied r",
               "residual": "Residual", "interval": "95% interval", "p": "p"}  # fmt: skip
    outside = int(((pairs["lower"] > 0) | (pairs["upper"] < 0)).sum())
    return table(worst, f"The {len(worst)} largest residual correlations of {len(pairs)}", columns,
                 fit=fit, notes=(
        f"The interval is of the observed less a replicated correlation; it excludes 0 for "
        f"{outside} of {len(pairs)} pairs.",
    ))  # fmt: skip


# --- measurement and structure --------------------------------------------------------------------


def measured(reliability: Any, validity: Any, fit: Any) -> Blocks:
    """Reliability of the factors, and whether they are distinct."""
    return blocks_of(_reliability(reliability, fit), notes_of(reliability, fit),
                     _validity(validity, fit))  # fmt: skip


def _reliability(found: Any, fit: Any) -> Blocks:
    columns = {"factor": "Factor", "omega": "\N{GREEK SMALL LETTER OMEGA}", "omega_i": "95%",
               "omega_pr": "Pr \N{GREATER-THAN OR EQUAL TO} .7",
               "alpha": "\N{GREEK SMALL LETTER ALPHA}", "alpha_i": "95%", "ave": "AVE",
               "ave_i": "95%", "ave_pr": "Pr \N{GREATER-THAN OR EQUAL TO} .5"}  # fmt: skip
    return _with_spans(found, "Reliability of the factors", columns, fit)


def _validity(found: Any, fit: Any) -> Blocks | None:
    if not isinstance(found, Quote) and found.empty:
        return None
    columns = {"first": "Factor", "second": "and", "correlation": "r", "correlation_i": "95%",
               "correlation_pr": "Pr |r| < .85", "htmt2": "HTMT2", "htmt2_i": "95%",
               "fornell_larcker": "AVE \N{MINUS SIGN} r\N{SUPERSCRIPT TWO}",
               "fornell_larcker_pr": "Pr > 0"}  # fmt: skip
    return _with_spans(found, "Whether the factors are distinct", columns, fit)


def _with_spans(found: Any, title: str, columns: dict[str, str], fit: Any) -> Blocks:
    if isinstance(found, Quote):
        return Blocks((found,))
    spans = {
        name: (f"{name[:-2]}_lower", f"{name[:-2]}_upper") for name in columns if name[-2:] == "_i"
    }
    frame = found.copy()
    chances = [c for c in columns if c.endswith("_pr")]
    for column in chances:
        frame[column] = [probability(v) for v in frame[column]]
    notes = [f"{' and '.join(map(str, row[:2]))}: {row.iloc[-1]}" if "first" in frame
             else f"{row.iloc[0]}: {row.iloc[-1]}"
             for _, row in frame.iterrows() if row.iloc[-1]]  # fmt: skip
    return table(frame, title, columns, fit=fit, intervals=spans, notes=notes)


def coefficients(raw: Any, standardized: Any, fit: Any) -> Blocks:
    """Loadings, paths and the rest, raw and standardised side by side, a table by kind."""
    if isinstance(raw, Quote):
        return Blocks((raw,))
    keys = ["lhs", "op", "rhs", "label"]
    both = raw.copy()
    both["std"] = standardized["mean"].to_numpy()
    both["std_lower"], both["std_upper"] = (standardized[c].to_numpy() for c in ("lower", "upper"))
    both["term"] = [" ".join(str(v) for v in row if v) for row in both[keys[:3]].to_numpy()]
    columns = {"term": "Parameter", "label": "Label", "mean": "Mean", "sd": "SD",
               "interval": "95% interval", "pd": "Pr(sign)", "std": "Std.",
               "std_interval": "95% interval, std."}  # fmt: skip
    spans = {"interval": ("lower", "upper"), "std_interval": ("std_lower", "std_upper")}
    both.loc[both["sd"] == 0, ["sd", "lower", "upper"]] = float("nan")
    still = both["std_upper"] - both["std_lower"] < 1e-9
    both.loc[still, ["std_lower", "std_upper"]] = float("nan")
    made = []
    for op, title in KINDS.items():
        rows = both[both["op"] == op]
        if len(rows):
            shown = {k: v for k, v in columns.items() if k != "label" or (rows[k] != "").any()}
            made.append(table(rows, title, shown, fit=fit, intervals=spans, notes=_of_signs()))
    return blocks_of(*made)


def _of_signs() -> tuple[str, ...]:
    return (
        "Pr(sign): probability of the more probable sign. Std.: every variable has standard "
        "deviation 1. What has no interval is fixed.",
    )


def effects(raw: Any, standardized: Any, fit: Any) -> Blocks:
    """Direct, indirect and total effects, raw and standardised."""
    if isinstance(raw, Quote):
        return Blocks((raw,))
    both = raw.copy()
    both["std"] = standardized["mean"].to_numpy()
    both["std_lower"], both["std_upper"] = (standardized[c].to_numpy() for c in ("lower", "upper"))
    both["path"] = [arrows(p) for p in both["path"]]
    columns = {"kind": "Effect", "path": "Along", "mean": "Mean", "sd": "SD",
               "interval": "95% interval", "pd": "Pr(sign)", "std": "Std.",
               "std_interval": "95% interval, std."}  # fmt: skip
    spans = {"interval": ("lower", "upper"), "std_interval": ("std_lower", "std_upper")}
    made = table(both, "Direct, indirect and total effects", columns, fit=fit, intervals=spans)
    return blocks_of(made, notes_of(raw, fit))


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
    cases = found.cases.head(WORST).assign(case=lambda t: t["case"].astype(str))
    return blocks_of(
        table(found.normality, "Normality", normal),
        table(cases, f"The {len(cases)} cases that lie farthest out", far, notes=(
            "p1: probability that a normal case lies farther; p2: that the k-th farthest does. "
            "No case was removed.",)),
        Listing(tuple(found.notes)) if found.notes else None,
    )  # fmt: skip


def misfit_figure(drawn: Any) -> Blocks:
    """The map of residual correlations; where residuals were refused, that was said above."""
    if isinstance(drawn, Quote):
        return Blocks(())
    alt = "Map of residual correlations of all pairs of indicators; orange above, blue below 0."
    return figure(drawn, "Residual correlations.", alt)
