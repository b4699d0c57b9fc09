"""A comparison in plain words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["reading"]

#: Difference of elpd below which models predict alike, whatever its standard error says.
SMALL = 4.0
#: Standard errors within which a difference may be chance.
ERRORS = 2.0
#: Bayes factor from which the data are said to favour a model.
DECISIVE = 3.0


def reading(
    table: pd.DataFrame,
    equivalent: Sequence[tuple[str, str]] = (),
    remarks: Sequence[str] = (),
    scales: Sequence[float] = (),
) -> str:
    """Sentences on a table of :func:`bayesem.compare`, one a line.

    Parameters
    ----------
    table : DataFrame
    equivalent : sequence of pairs
        Models that no data can tell apart.
    remarks : sequence of str
        What comes first.
    scales : sequence of float
        Widths of priors that Bayes factors are shown for.
    """
    lines = [*remarks, *_predictions(table), *_evidence(table), *_priors(table, scales)]
    lines += [
        f"`{a}` and `{b}` have the same likelihood at their best and as many parameters: no data "
        "can tell them apart, and what differs here is their priors."
        for a, b in equivalent
    ]
    lines += [
        f"`{name}` is not ranked: its chains did not converge."
        for name, note in table["note"].items()
        if str(note).startswith("withheld")
    ]
    return "\n".join(lines)


def _predictions(table: pd.DataFrame) -> list[str]:
    ranked = table[table["elpd"].notna()]
    if ranked.empty:
        return []
    best, rest = ranked.index[0], ranked.iloc[1:]
    lines = []
    for name, row in rest.iterrows():
        gap, dse = -row["elpd_diff"], row["dse"]
        if gap < SMALL:
            why = f"the difference of {gap:.1f} is less than {SMALL:g}"
        elif gap < ERRORS * dse:
            why = f"the difference of {gap:.1f} is less than twice its standard error of {dse:.1f}"
        else:
            lines.append(
                f"`{best}` predicts better than `{name}`: elpd {gap:.1f} higher (standard error "
                f"{dse:.1f})."
            )
            continue
        lines.append(f"`{best}` and `{name}` cannot be told apart by what they predict: {why}.")
    lines += [
        f"{int(row['k_bad'])} parts of the elpd of `{name}` cannot be trusted (large Pareto k): "
        "use exact=True or K-fold."
        for name, row in ranked.iterrows()
        if row["k_bad"] > 0
    ]
    return lines


def _evidence(table: pd.DataFrame) -> list[str]:
    ranked = table[table["log_evidence"].notna()].sort_values("log_evidence", ascending=False)
    if len(ranked) < 2:
        return []
    best, lines = ranked.index[0], []
    for name, row in ranked.iloc[1:].iterrows():
        gap = float(ranked.loc[best, "log_evidence"] - row["log_evidence"])
        error = float(np.hypot(ranked.loc[best, "evidence_mcse"], row["evidence_mcse"]))
        if abs(gap - np.log(DECISIVE)) < 2 * error:
            what = f"whether the data favour `{best}` over `{name}` is within Monte-Carlo error"
        elif gap < np.log(DECISIVE):
            what = f"the evidence decides little between `{best}` and `{name}`"
        else:
            what = f"the evidence favours `{best}` over `{name}`"
        lines.append(f"{what[0].upper()}{what[1:]}: Bayes factor {_factor(gap)}.")
    lines.append(
        "Bayes factors depend on the priors of what differs between the models, however many the "
        "data; predictions hardly do."
    )
    return lines


def _factor(log: float) -> str:
    value = float(np.exp(min(log, 700.0)))
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}" if value < 1e5 else f"{value:.1g}"


def _priors(table: pd.DataFrame, scales: Sequence[float]) -> list[str]:
    """Whether the favourite, or what is decided, changes with the priors' width."""
    columns = [f"bayes_factor_{s:g}" for s in scales if s != 1]
    shown = table[table["bayes_factor"].notna()]
    if not columns or len(shown) < 2:
        return []
    best = {c: shown[c].idxmax() for c in ["bayes_factor", *columns]}
    if len(set(best.values())) > 1:
        changed = ", ".join(f"`{best[c]}` at {c.rsplit('_', 1)[1]}" for c in columns)
        return [
            "The favourite changes with the width of the structural priors: "
            f"`{best['bayes_factor']}` as they are, {changed}."
        ]
    spread = {
        name: [1 / row[c] for c in ["bayes_factor", *columns]]
        for name, row in shown.iterrows()
        if name != best["bayes_factor"]
    }
    return [
        f"With structural priors {', '.join(f'{s:g}' for s in scales if s != 1)} times as wide, "
        f"the Bayes factor against `{name}` goes from {min(v):.3g} to {max(v):.3g}."
        for name, v in spread.items()
    ]
