"""Tables and figures of a fit: chains, fit, measurement, parameters, effects."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.origin import by_reading, rebuilt
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
RESTATED = (
    "These numbers follow from the printed estimates out of which the matrix was rebuilt, and from "
    "the priors; no answers were seen."
)
KINDS = {"=~": "Loadings", "~": "Paths", "~~": "Variances and covariances", "~1": "Means",
         ":=": "Defined", "|": "Thresholds"}  # fmt: skip


# --- chains and fit -------------------------------------------------------------------------------


def convergence(fit: Any, fits: Any = None) -> Blocks:
    """The verdict on the chains, its reasons, the quantities that mixed worst; a row for each fit.

    Parameters
    ----------
    fit : Fit
    fits : {name: Fit or list of Fit}, optional
        All of several readings.
    """
    frame = _worst(fit.convergence.table)
    columns = {"quantity": "Quantity", "r_hat": "R-hat", "ess_bulk": "Bulk ESS",
               "ess_tail": "Tail ESS"}  # fmt: skip
    rule = (
        "Worst by R-hat, bulk or tail ESS. Required of every free and claimed quantity: R-hat at "
        "most 1.01, bulk and tail effective sample size at least 400; and no divergence, E-BFMI "
        "at least 0.3, one mode.",
    )
    reasons = Listing(tuple(fit.convergence.reasons), "Why:") if fit.convergence.reasons else None
    many = isinstance(fits, Mapping) and len(fits) > 1
    lead = "Of the fit whose tables are shown: " if many else ""
    return blocks_of(
        Text(" ".join((f"{lead}{fit.convergence}.", *_observed(fit)))),
        reasons,
        table_of(frame, f"The {len(frame)} quantities that mixed worst", columns, notes=rule),
        _of_each(fits) if isinstance(fits, Mapping) else None,
    )


def _of_each(fits: Mapping[str, Any]) -> Table:
    """The worst of every fit that verdicts are pooled from."""
    rows, number = [], 0
    for name, mine in by_reading(fits).items():
        for fit in mine:
            number += 1
            table, count = fit.convergence.table, _divergences(fit)
            rows.append((
                str(number), str(name), "yes" if fit.converged else "NO",
                f"{table['r_hat'].max():.3f}", f"{table['ess_bulk'].min():,.0f}",
                f"{table['ess_tail'].min():,.0f}", "" if count is None else str(count),
            ))  # fmt: skip
    columns = ("Fit", "Reading", "Converged", "R-hat", "Bulk ESS", "Tail ESS", "Divergences")
    made = Table("The worst of each fit", columns, tuple(rows), (True, False, False, *[True] * 4))
    return replace(made, folded=len(rows) > WORST)


def _worst(table: pd.DataFrame) -> pd.DataFrame:
    """Those that are among the worst by any measure; one of several names of the same quantity."""
    kept = table[~table.duplicated()]
    ranks = [kept["r_hat"].rank(ascending=False), kept["ess_bulk"].rank(), kept["ess_tail"].rank()]
    order = pd.concat(ranks, axis=1).min(axis=1).sort_values(kind="stable").index[:WORST]
    return kept.loc[order].rename_axis("quantity").reset_index()


def _divergences(fit: Any) -> int | None:
    """How many there were, where the sampler tells."""
    if "sample_stats" not in fit.draws.children or "diverging" not in fit.draws["sample_stats"]:
        return None
    return int(fit.draws["sample_stats"]["diverging"].sum())


def _observed(fit: Any) -> Iterator[str]:
    """Divergences and the lowest E-BFMI, where the sampler tells them."""
    if "sample_stats" not in fit.draws.children:
        return
    stats, count = fit.draws["sample_stats"], _divergences(fit)
    if count is not None:
        yield f"Divergences: {count}."
    if "energy" in stats:
        energy = stats["energy"].to_numpy().astype(float)
        each = (np.diff(energy, axis=1) ** 2).mean(1) / energy.var(1)
        yield f"Lowest E-BFMI of a chain: {each.min():.2f}."


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
    first = Text(RESTATED) if rebuilt(fit) else None
    return blocks_of(first, _reliability(reliability, fit), notes_of(reliability, fit),
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
    variance = (both["op"] == "~~") & (both["lhs"] == both["rhs"])
    both.loc[variance, "pd"] = float("nan")  # its sign is no question
    still = both["std_upper"] - both["std_lower"] < 1e-9
    both.loc[still, ["std_lower", "std_upper"]] = float("nan")
    made = []
    for op, title in KINDS.items():
        rows = both[both["op"] == op]
        if len(rows):
            shown = {k: v for k, v in columns.items() if k != "label" or (rows[k] != "").any()}
            notes = (*_of_signs(), *_of_units(fit))
            made.append(table(rows, title, shown, fit=fit, intervals=spans, notes=notes))
    return blocks_of(*made, _explained(standardized, fit))


def _explained(standardized: Any, fit: Any) -> Blocks | None:
    """R2 of predicted factors: 1 less their standardised residual variance."""
    if isinstance(standardized, Quote):
        return None
    own = (standardized["op"] == "~~") & (standardized["lhs"] == standardized["rhs"])
    predicted = set(standardized.loc[standardized["op"] == "~", "lhs"]) & set(fit.table.latent)
    rows = standardized[own & standardized["lhs"].isin(predicted)]
    if rows.empty:
        return None
    frame = pd.DataFrame({"factor": rows["lhs"], "mean": 1 - rows["mean"],
                          "lower": 1 - rows["upper"], "upper": 1 - rows["lower"]})  # fmt: skip
    columns = {"factor": "Factor", "mean": "R\N{SUPERSCRIPT TWO}", "interval": "95% interval"}
    return table(frame, "Explained variance of predicted factors", columns, fit=fit)


def _of_units(fit: Any) -> tuple[str, ...]:
    if not (rebuilt(fit) and fit.data.standardized):
        return ()
    return (
        "Means and SDs are in units of the rebuilt matrix, whose variables have standard deviation "
        "1, and not in those of the printed estimates.",
    )


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
    both = _distinct(both)
    columns = {"kind": "Effect", "path": "Along", "mean": "Mean", "sd": "SD",
               "interval": "95% interval", "pd": "Pr(sign)", "std": "Std.",
               "std_interval": "95% interval, std."}  # fmt: skip
    spans = {"interval": ("lower", "upper"), "std_interval": ("std_lower", "std_upper")}
    made = table(both, "Direct, indirect and total effects", columns, fit=fit, intervals=spans)
    return blocks_of(made, notes_of(raw, fit))


def _distinct(both: pd.DataFrame) -> pd.DataFrame:
    """Effects without those that another row has: a sum of one path, a total that is direct."""
    keys = both[["outcome", "predictor"]].assign(
        **{name: both[name].round(9) for name in ("mean", "sd", "lower", "upper")}
    )
    group = keys.groupby(list(keys), sort=False).ngroup()
    named = both["kind"].groupby(group).agg(lambda kinds: " = ".join(dict.fromkeys(kinds)))
    kept = both[~group.duplicated()].copy()
    kept["kind"] = named.loc[group[kept.index]].to_numpy()
    return kept
