"""Tables and figures of a fit: chains, fit, measurement, parameters, effects."""

from typing import Any

from bayesem.reporting.blocks import Blocks, Listing, Quote, Text
from bayesem.reporting.shown import blocks_of, figure, notes_of, table
from bayesem.reporting.writing import arrows, probability, table_of

__all__ = [
    "coefficients",
    "convergence",
    "effects",
    "fit_of_model",
    "measured",
    "misfit",
    "misfit_figure",
]

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


def misfit_figure(drawn: Any) -> Blocks:
    """The map of residual correlations; where residuals were refused, that was said above."""
    if isinstance(drawn, Quote):
        return Blocks(())
    alt = "Map of residual correlations of all pairs of indicators; orange above, blue below 0."
    return figure(drawn, "Residual correlations.", alt)


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
