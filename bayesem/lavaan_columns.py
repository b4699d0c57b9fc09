"""A posterior as the table that lavaan's users know."""

import warnings

import pandas as pd

from bayesem.errors import ConvergenceWarning
from bayesem.grammar.statements import expression_text
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.summaries import summary

__all__ = ["lavaan_table"]

COLUMNS = {
    "mean": "est", "sd": "se", "lower": "ci.lower", "upper": "ci.upper", "std.all": "std.all",
    "pd": "pd", "r_hat": "rhat", "ess_bulk": "ess_bulk", "ess_tail": "ess_tail",
}  # fmt: skip


def lavaan_table(fit: Fit, *, prob: float = 0.95) -> pd.DataFrame:
    """Posterior in the columns of lavaan's ``parameterEstimates()``.

    Parameters
    ----------
    fit : Fit
    prob : float
        Mass of the equal-tailed credible interval.

    Returns
    -------
    DataFrame
        ``lhs op rhs label est se ci.lower ci.upper std.all``, then ``pd rhat ess_bulk ess_tail``.
        ``est`` is the posterior mean, ``se`` the posterior sd, ``ci`` a credible interval, and
        ``std.all`` the posterior mean of the standardised solution (of draws, not of means).
        lavaan's ``z`` and ``pvalue`` have no counterpart: ``pd`` is the probability of the more
        probable sign. The rows stand in lavaan's order of operators; the expression of a defined
        parameter stands in ``rhs``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        raw = summary(fit, prob=prob)
        raw["std.all"] = summary(fit, standardized=True, prob=prob)["mean"]
    expressions = {d.name: expression_text(d.expression) for d in fit.table.definitions}
    defined = raw["op"] == ":="
    raw.loc[defined, "rhs"] = [expressions[name] for name in raw.loc[defined, "lhs"]]
    table = raw[["lhs", "op", "rhs", "label", *COLUMNS]].rename(columns=COLUMNS)
    table.attrs = {"est": "posterior mean", "se": "posterior sd", "ci": f"{prob:.0%} credible"}
    return stamped(table, fit)
