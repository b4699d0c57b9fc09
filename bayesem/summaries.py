"""Tables of a posterior: one row per parameter, raw or standardised."""

import warnings
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.counts.fit import refuse_counts
from bayesem.data import Moments
from bayesem.decomposition import standardise, standardised_value
from bayesem.errors import ConvergenceWarning
from bayesem.matrices import Matrices
from bayesem.partable import Row
from bayesem.posterior import Fit, cell, label_values
from bayesem.sampling.convergence import stamped

__all__ = ["fit_html", "fit_text", "summary"]

COLUMNS = (
    "lhs", "op", "rhs", "group", "label", "mean", "sd", "lower", "upper", "pd", "r_hat", "ess_bulk",
    "ess_tail",
)  # fmt: skip


def summary(fit: Fit, *, standardized: bool = False, prob: float = 0.95) -> pd.DataFrame:
    """Posterior of every free, fixed and defined parameter.

    Parameters
    ----------
    fit : Fit
    standardized : bool
        lavaan's std.all: every variable, observed or latent, has standard deviation 1.
    prob : float
        Mass of the equal-tailed interval.

    Returns
    -------
    DataFrame
        ``lhs op rhs group label mean sd lower upper pd r_hat ess_bulk ess_tail``; ``~~`` rows hold
        variances and covariances as lavaan's do. ``pd`` is the probability of the more probable
        sign. ``attrs["convergence"]`` is the verdict on the chains, and warns if they failed.
    """
    refuse_counts(fit, "`arviz.summary(fit.draws)` describes their shares.")
    matrices = fit.matrices()
    read: Callable[[Matrices, Row], Floats] = cell
    if standardized:
        matrices, read = standardise(matrices, fit.table), lambda m, row: standardised_value(row, m)
    keys = [(r.lhs, r.op, r.rhs, r.label or "") for r in fit.table.rows]
    values = [read(matrices, r) for r in fit.table.rows]
    labels = label_values(fit.table, matrices, read)
    for d in fit.table.definitions:
        keys.append((d.name, ":=", "", d.name))
        values.append(labels[d.name])
    statistics = _describe(np.stack(values), prob)
    table = pd.DataFrame(keys, columns=["lhs", "op", "rhs", "label"])
    table.insert(3, "group", "")
    table = pd.concat([table, pd.DataFrame(statistics)], axis=1)[list(COLUMNS)]
    return stamped(table, fit)


def _describe(draws: Floats, prob: float) -> dict[str, Floats]:
    """Moments, interval and diagnostics of (quantity, chain, draw)."""
    from arviz_stats.base import array_stats

    flat = draws.reshape(len(draws), -1)
    tail = (1 - prob) / 2
    lower, upper = np.quantile(flat, [tail, 1 - tail], axis=1)
    above = (flat > 0).mean(1)
    out = {
        "mean": flat.mean(1), "sd": flat.std(1, ddof=1), "lower": lower, "upper": upper,
        "pd": np.maximum(above, (flat < 0).mean(1)),
    }  # fmt: skip
    varies = np.ptp(flat, axis=1) > 1e-12 * np.maximum(1, np.abs(out["mean"]))
    out["pd"] = np.where(varies, out["pd"], np.nan)
    out["sd"] = np.where(varies, out["sd"], 0.0)
    for name, function, more in (
        ("r_hat", array_stats.rhat, {}),
        ("ess_bulk", array_stats.ess, {"method": "bulk"}),
        ("ess_tail", array_stats.ess, {"method": "tail", "prob": (0.05, 0.95)}),
    ):
        column = np.full(len(draws), np.nan)
        if varies.any() and draws.shape[2] >= 4:
            column[varies] = function(draws[varies], chain_axis=1, draw_axis=2, **more)
        out[name] = column
    return out


def fit_text(fit: Fit) -> str:
    """What ``print(fit)`` shows."""
    return "\n".join(_lines(fit))


def fit_html(fit: Fit) -> str:
    """What a notebook shows: how the fit went, its paths, and all else on request."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the text says it, in red
        table = summary(fit)
    head = "<br>".join(_html_line(line) for line in _lines(fit))
    chief = table["op"].isin(["~", ":="])
    parts = [f"<p>{head}</p>"]
    if chief.any():
        parts.append(_html_table(table[chief]))
    if not chief.all():
        what = "Everything else" if chief.any() else "All parameters"
        inner = _html_table(table[~chief])
        parts.append(f"<details><summary>{what} ({(~chief).sum()} rows)</summary>{inner}</details>")
    return "".join(parts)


#: A line of a fit that begins so must not be overlooked.
_LOUD = ("NOT CONVERGED", "SYNTHETIC DATA")


def _html_line(line: str) -> str:
    text = escape(line)
    return f'<b style="color:#c00000">{text}</b>' if line.startswith(_LOUD) else text


def _html_table(table: pd.DataFrame) -> str:
    """Three decimals, whole effective sizes, and nothing where there is nothing."""
    shown = table.drop(columns=[c for c in ("group", "label") if not table[c].any()])
    sizes: Any = {c: lambda v: "" if pd.isna(v) else f"{v:.0f}" for c in ("ess_bulk", "ess_tail")}
    return str(shown.to_html(index=False, na_rep="", float_format="{:.3f}".format,
                             formatters=sizes, border=0))  # fmt: skip


def _own_priors(fit: Fit) -> str:
    """Which parameters the user gave priors to."""
    own = [f"`{p.label or p.name}`" for p in fit.spec.parameters if p.prior and p.prior.given]
    shown = ", ".join(own[:4]) + (f" and {len(own) - 4} more" if len(own) > 4 else "")
    return f", own: {shown}" if own else ""


def _lines(fit: Fit) -> Iterator[str]:
    s = fit.settings
    kind = "moments" if isinstance(fit.data, Moments) else "answers"
    name = fit.model.name or "model"
    factors = "1 factor" if len(fit.table.latent) == 1 else f"{len(fit.table.latent)} factors"
    yield (
        f"{name}: {factors}, {len(fit.table.indicators)} observed variables, "
        f"{len(fit.spec.parameters)} free parameters; {fit.n} cases ({kind})"
    )
    yield (
        f"{s.chains} chains of {s.draws} draws after {s.tune} (seed {s.seed}, {s.route}); "
        f"priors: {s.priors}{_own_priors(fit)}"
    )
    yield str(fit.convergence)
    yield from fit.notes
