"""The effective number of parameters, pD, that indices of fit subtract."""

import warnings

from bayesem.comparison.criteria import information_criteria
from bayesem.comparison.leave_one_out import loo
from bayesem.errors import ConvergenceWarning, ModelError, NotAvailableError
from bayesem.posterior import Fit

__all__ = ["KINDS", "effective_parameters"]

KINDS = ("loo", "waic", "dic")
#: Log-likelihoods by draw and case held at once: with more cases, fewer draws serve.
BATCH = 40_000_000


def effective_parameters(fit: Fit, kind: str) -> float:
    """Effective number of parameters.

    Parameters
    ----------
    fit : Fit
    kind : {"loo", "waic", "dic"}

    Raises
    ------
    ModelError
        For another kind.
    NotAvailableError
        For "loo" and "waic" where the means are not modelled.
    """
    if kind not in KINDS:
        raise ModelError(f"p_d is {kind!r}.", hint=f"Use {', '.join(KINDS)}.")
    if kind != "dic" and not fit.spec.stats.use_mean:
        raise NotAvailableError(
            f"p_d={kind!r} needs the likelihood of every case, and the means of this fit are not "
            "modelled.",
            hint='Use p_d="dic".',
        )
    sizes = fit.draws["posterior"].sizes
    few = BATCH // max(fit.n, 1)
    draws = few if few < sizes["chain"] * sizes["draw"] else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the table says it
        if kind == "loo":
            return float(loo(fit, moment_match=False, exact=False, draws=draws).p)
        table = information_criteria(fit, draws=draws)
    return float(table["value"][f"p_{kind}"])
