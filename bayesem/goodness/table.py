"""Posterior predictive p and indices of approximate fit, as one table."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, spaced
from bayesem.errors import ConvergenceWarning, ModelError, NotAvailableError
from bayesem.goodness import incremental, noncentrality
from bayesem.goodness.baseline import check_baseline, independence
from bayesem.goodness.discrepancy import Sample, deviance, implied_moments, sample_of
from bayesem.goodness.effective import effective_parameters
from bayesem.goodness.ppp import posterior_predictive
from bayesem.goodness.replicates import draws_of, replicated_estimates
from bayesem.goodness.srmr import srmr
from bayesem.matrices import Matrices
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.seeds import check_seed
from bayesem.simulation import flat_draws

__all__ = ["INDICES", "fit_indices"]

INDICES = (
    "PPP", "BRMSEA", "BGammaHat", "adjBGammaHat", "BMc", "BCFI", "BTLI", "BNFI", "BSRMR",
)  # fmt: skip
#: Those that need no chi-square against the saturated normal model.
FREE = ("PPP", "BSRMR")
INCREMENTAL = ("BCFI", "BTLI", "BNFI")
PAIRED = (
    "BCFI, BTLI and BNFI pair draws of two independent runs: their spread and interval, unlike "
    "their mean, depend on that arbitrary pairing"
)


def fit_indices(
    fit: Fit,
    *,
    p_d: str = "loo",
    baseline: Fit | None = None,
    indices: Sequence[str] | None = None,
    prob: float = 0.95,
    draws: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Global fit: posterior predictive p and indices of approximate fit, with intervals.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    p_d : {"loo", "waic", "dic"}
        Which effective number of parameters is subtracted.
    baseline : Fit, optional
        For BCFI, BTLI and BNFI; by default all indicators independent, fitted to the same cells
        under the same priors.
    indices : sequence of str, optional
        Which ones; all by default. Models with products of factors or outcomes of other families
        have ``("PPP", "BSRMR")`` only.
    prob : float
        Mass of the equal-tailed intervals.
    draws : int, optional
        Data sets to replicate for PPP where they are drawn case by case (500 by default).
    seed : int
        Of replicated data and of the baseline's chains.

    Returns
    -------
    DataFrame
        Indexed ``PPP BRMSEA BGammaHat adjBGammaHat BMc BCFI BTLI BNFI BSRMR``, columns ``mean sd
        lower upper``. PPP is one probability and has no interval. ``attrs`` hold ``ppp`` (its
        Monte-Carlo error and how it was found), ``p_d`` (which one), ``p_d_value``, ``moments``,
        ``df``, ``chisq`` (the mean discrepancy), ``baseline`` (the same of the baseline), ``bsrmr``
        (``at_mean`` of the implied moments, comparable with maximum likelihood's; the mean for
        data ``replicated`` from the model, and ``p``, the share of these above the observed),
        ``notes`` and ``convergence``.

    Raises
    ------
    NotAvailableError
        For moments; or, by name, for the indices that rest on a chi-square, where products of
        factors or outcomes of other families leave no saturated normal model.
    DataError
        If the baseline was fitted to other data.

    References
    ----------
    .. [1] Garnier-Villarreal & Jorgensen (2020), *Psychological Methods* 25, 46-70.
    .. [2] Gelman, Meng & Stern (1996), *Statistica Sinica* 6, 733-807.
    """
    check_seed(seed)
    chosen = _chosen(fit, indices)
    sample = sample_of(fit)
    M = flat_draws(fit, None)
    rows: dict[str, Floats] = {}
    attrs: dict[str, object] = {"p_d": p_d, "moments": sample.moments}
    notes: tuple[str, ...] = ()
    if set(chosen) - set(FREE):
        rows, more, notes = _chi_square_based(fit, sample, M, chosen, p_d, baseline, seed)
        attrs |= more
    if "BSRMR" in chosen:
        rows["BSRMR"], attrs["bsrmr"] = _srmr(fit, sample, M, seed)
    table = pd.DataFrame(
        [_described(rows[k], prob) if k in rows else [np.nan] * 4 for k in chosen],
        index=pd.Index(chosen, name="index"), columns=["mean", "sd", "lower", "upper"],
    )  # fmt: skip
    if "PPP" in chosen:
        found = posterior_predictive(fit, sample, draws=draws, seed=seed)
        table.loc["PPP", "mean"] = found.value
        attrs["ppp"] = {"mcse": found.mcse, "how": found.how}
    table = stamped(table, fit)
    table.attrs |= attrs
    table.attrs["notes"] = (*table.attrs["notes"], *notes)
    return table


def _chosen(fit: Fit, indices: Sequence[str] | None) -> list[str]:
    asked = list(INDICES) if indices is None else [k for k in INDICES if k in indices]
    unknown = sorted(set(indices or ()) - set(INDICES))
    if unknown:
        raise ModelError(f"`{unknown[0]}` is no index.", hint=f"There are {', '.join(INDICES)}.")
    refused = [k for k in asked if k not in FREE]
    if fit.table.casewise and refused:
        cause = "products of factors" if fit.table.products else "outcomes of other families"
        raise NotAvailableError(
            f"{', '.join(refused)} compare a model with the saturated normal one, which a model "
            f"with {cause} is not nested in.",
            hint='Ask for indices=("PPP", "BSRMR"): they need no chi-square.',
        )
    return asked


def _described(values: Floats, prob: float) -> list[float]:
    tail = (1 - prob) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail])
    return [float(values.mean()), float(values.std(ddof=1)), float(lower), float(upper)]


def _chi_square_based(
    fit: Fit,
    sample: Sample,
    M: Matrices,
    chosen: Sequence[str],
    p_d: str,
    baseline: Fit | None,
    seed: int,
) -> tuple[dict[str, Floats], dict[str, object], tuple[str, ...]]:
    """Indices of the noncentrality, draw by draw; what they rest on; what to know about them."""
    D = deviance(fit, sample, M) + 2 * sample.log_likelihood
    subtracted = effective_parameters(fit, p_d)
    moments, n, p = sample.moments, sample.weight, len(sample.names)
    df = moments - subtracted
    attrs: dict[str, object] = {"chisq": float(D.mean()), "p_d_value": subtracted, "df": df}
    if df <= 0:
        raise NotAvailableError(
            f"{moments} moments against {subtracted:.1f} effective parameters leave no degrees of "
            "freedom to judge misfit by.",
            hint='Ask for indices=("PPP", "BSRMR").',
        )
    nc = noncentrality.noncentrality(D, moments)
    gamma = noncentrality.gamma_hat(nc, p, n)
    rows = {
        "BRMSEA": noncentrality.brmsea(nc, df, n),
        "BGammaHat": gamma,
        "adjBGammaHat": noncentrality.adjusted_gamma_hat(gamma, moments, df),
        "BMc": noncentrality.mc(nc, n),
    }
    if not set(chosen) & set(INCREMENTAL):
        return rows, attrs, ()
    D0, p_d0, verdict = _baseline(fit, sample, p_d, baseline, seed)
    attrs["baseline"] = {"chisq": float(D0.mean()), "p_d_value": p_d0, "convergence": verdict}
    size = min(len(D), len(D0))
    D, D0 = D[spaced(len(D), size)], D0[spaced(len(D0), size)]
    rows |= {
        "BCFI": incremental.bcfi(D, D0, moments),
        "BTLI": incremental.btli(D, D0, moments, subtracted, p_d0),
        "BNFI": incremental.bnfi(D, D0, subtracted, p_d0),
    }
    return rows, attrs, (PAIRED,)


def _baseline(
    fit: Fit, sample: Sample, p_d: str, given: Fit | None, seed: int
) -> tuple[Floats, float, str]:
    """The baseline's discrepancy by draw, its effective parameters, and whether it converged."""
    if given is not None:
        check_baseline(sample, sample_of(given))
    base = independence(fit, sample, seed=seed) if given is None else given
    if not base.converged:
        warnings.warn(f"the baseline: {base.convergence}", ConvergenceWarning, stacklevel=5)
    own = sample_of(base)
    D0 = deviance(base, own, flat_draws(base, None)) + 2 * sample.log_likelihood
    return D0, effective_parameters(base, p_d), str(base.convergence)


def _srmr(fit: Fit, sample: Sample, M: Matrices, seed: int) -> tuple[Floats, dict[str, float]]:
    """By draw; at the mean of the implied moments; and what it is for replicated data."""

    def of(S: Floats, mean: Floats, mu: Floats, Sigma: Floats) -> Floats:
        return srmr(S, Sigma, (mean, mu) if sample.use_mean else None, sample.held)

    mu, Sigma = implied_moments(fit, M, sample)
    values = of(sample.S, sample.mu, mu, Sigma)
    draws = draws_of(fit, None)
    some, mu_rep, S_rep = replicated_estimates(fit, sample, draws=draws, seed=seed)
    moments = implied_moments(fit, some, sample)
    new = of(S_rep, mu_rep, *moments)
    more = {
        "at_mean": float(of(sample.S, sample.mu, mu.mean(0), Sigma.mean(0))),
        "replicated": float(new.mean()),
        "p": float((new > of(sample.S, sample.mu, *moments)).mean()),
    }
    return values, more
