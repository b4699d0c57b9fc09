"""One fit as a page of 80 columns, and as plain values."""

import warnings
from collections.abc import Iterator, Mapping
from itertools import groupby
from textwrap import wrap
from typing import Any

import pandas as pd

from bayesem.counts.fit import CountFit
from bayesem.errors import ConvergenceWarning
from bayesem.posterior import Fit
from bayesem.study_record import rows_of
from bayesem.summaries import summary
from bayesem.verdicts import Verdicts

__all__ = ["fit_page", "fit_record", "timings_text", "verdicts_page", "verdicts_record"]

WIDTH, NAME = 80, 35
HEADS = {
    "=~": "Loadings", "~": "Paths", "~~": "Variances and covariances", "~1": "Intercepts and means",
    ":=": "Defined",
}  # fmt: skip
NUMBERS = (("mean", 8), ("sd", 7), ("lower", 8), ("upper", 8), ("pd", 5), ("R-hat", 6))
DOUBT = "NOT CONVERGED: no conclusion rests on these numbers."
#: What the clock calls its stages, and what a reader does.
STAGES = {
    "model": "model", "mode": "starts", "libraries": "libraries", "sampling": "sampling",
    "draws": "tables", "diagnostics": "checks",
}  # fmt: skip


def fit_page(fit: Fit, *, standardized: bool = False) -> str:
    """One fit: what it is, whether it converged, and its parameters with 95% intervals."""
    lines = [line for text in str(fit).splitlines() for line in wrap(text, WIDTH)]
    lines += _cut_short(fit)
    table = _quiet_summary(fit, standardized=standardized)
    table = table.assign(first=table["op"].map(list(HEADS).index)).sort_values(
        "first", kind="stable"
    )
    for op, rows in groupby(table.to_dict("records"), key=lambda row: str(row["op"])):
        lines += ["", *_section(op, rows)]
    scale = "standardised (std.all); " if standardized else ""
    said = (
        f"{scale}mean, sd and 95% interval of the posterior; pd: probability of the more probable "
        "sign. A number without an sd is fixed."
    )
    doubt = [] if fit.converged else [DOUBT]
    return "\n".join([*lines, "", *wrap(said[0].upper() + said[1:], WIDTH), *doubt])


def fit_record(fit: Fit, *, standardized: bool = False) -> dict[str, Any]:
    """The page's content at full precision; a missing number is None."""
    s = fit.settings
    return {
        "model": fit.model.name,
        "text": str(fit.model),
        "n": fit.n,
        "converged": fit.converged,
        "convergence": str(fit.convergence),
        "standardized": standardized,
        "parameters": rows_of(_quiet_summary(fit, standardized=standardized).drop(columns="group")),
        "settings": {
            "identify": s.identify, "priors": s.priors, "prior_text": dict(s.prior_text),
            "draws": s.draws, "drawn": drawn(fit), "tune": s.tune, "chains": s.chains,
            "seed": s.seed, "sampler": s.sampler,
        },
        "notes": list(fit.notes),
        "seconds": dict(fit.timings),
    }  # fmt: skip


def verdicts_page(verdicts: Verdicts, fit: Fit | CountFit) -> str:
    """Verdicts, and whether the chains behind them converged."""
    said = [str(fit.convergence)] if fit.converged else [DOUBT]  # the verdicts say why
    notes = [*said, *_cut_short(fit), *fit.notes]
    return "\n".join([str(verdicts), "", *(line for n in notes for line in wrap(n, WIDTH))])


def verdicts_record(verdicts: Verdicts, fit: Fit | CountFit) -> dict[str, Any]:
    """Verdicts at full precision."""
    return {
        "model": fit.model.name,
        "n": fit.n,
        "converged": fit.converged,
        "convergence": str(fit.convergence),
        "verdicts": rows_of(verdicts.table),
        "parts": rows_of(verdicts.parts),
        "notes": [*verdicts.notes, *fit.notes],
    }


def timings_text(timings: Mapping[str, float]) -> str:
    """Seconds by stage, in one line, without what took next to none.

    Examples
    --------
    >>> timings_text({"model": 0.01, "mode": 0.5, "sampling": 3.0})
    '3.5 s: starts 0.5, sampling 3.0'
    """
    parts = [
        f"{STAGES.get(k, k)} {seconds:.1f}" for k, seconds in timings.items() if seconds > 0.05
    ]
    return f"{sum(timings.values()):.1f} s: {', '.join(parts)}"


def drawn(fit: Fit | CountFit) -> int:
    """Draws of each chain that there are: fewer than asked for where the run was stopped."""
    return int(fit.draws["posterior"].sizes["draw"])


def _cut_short(fit: Fit | CountFit) -> list[str]:
    if drawn(fit) == fit.settings.draws:
        return []
    return [f"STOPPED after {drawn(fit):,} of {fit.settings.draws:,} draws of each chain."]


def _quiet_summary(fit: Fit, *, standardized: bool) -> pd.DataFrame:
    """The table without its warning: the page says itself that the chains failed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return summary(fit, standardized=standardized)


def _section(op: str, rows: Any) -> Iterator[str]:
    heads = "".join(head.rjust(width) for head, width in NUMBERS)
    yield f"{HEADS[op]:<{NAME}}{heads}"
    for row in rows:
        yield from _line(row)


def _line(row: Mapping[str, Any]) -> Iterator[str]:
    """A parameter's name and numbers; a long name has lines of its own."""
    name = f"{row['lhs']} {row['op']} {row['rhs']}".strip()
    name = row["lhs"] if row["op"] == ":=" else name
    label = f" ({row['label']})" if row["label"] and row["op"] != ":=" else ""
    *before, last = wrap(
        f"{name}{label}", WIDTH, initial_indent="  ", subsequent_indent="    ",
        break_on_hyphens=False,
    )  # fmt: skip
    if len(last) > NAME - 1:
        before, last = [*before, last], ""
    yield from before
    yield f"{last:<{NAME}}{_numbers(row)}".rstrip()


def _numbers(row: Mapping[str, Any]) -> str:
    if row["sd"] == 0:
        return _cell(row["mean"], NUMBERS[0][1])
    cells = [_cell(row[key], width) for key, width in NUMBERS[:4]]
    pd_, r_hat = row["pd"], row["r_hat"]
    cells.append(("" if pd.isna(pd_) else f"{pd_:.2f}".removeprefix("0")).rjust(NUMBERS[4][1]))
    cells.append(("" if pd.isna(r_hat) else f"{r_hat:.3f}").rjust(NUMBERS[5][1]))
    return "".join(cells)


def _cell(value: float, width: int) -> str:
    """Three decimals, or as many as leave a space before the number."""
    texts = [f"{value:.{places}f}" for places in (3, 2, 1, 0)]
    return next((t for t in texts if len(t) < width), f"{value:.0e}").rjust(width)
