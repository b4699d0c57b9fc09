"""Where a model misses the answers: correlations and means, observed against implied."""

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.goodness.discrepancy import Sample, implied_moments, refuse_moments, sample_of
from bayesem.goodness.replicates import replicated_estimates
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.seeds import check_seed

__all__ = ["correlations", "residuals"]

COLUMNS = ("lhs", "op", "rhs", "observed", "implied", "residual", "sd", "lower", "upper", "p")


def residuals(
    fit: Fit, *, prob: float = 0.95, draws: int | None = None, seed: int = 0
) -> pd.DataFrame:
    r"""Residual correlations and means of the indicators, with posterior predictive intervals.

    The residual is what the sample shows less what the model implies. Even where the model is
    right the two differ by sampling error, so the interval is that of the observed less a
    *replicated* correlation, drawn from the model for as many cases: it holds the posterior's
    spread and the sample's. As the data are used twice (to fit and to check), the interval of a
    right model excludes 0 less often than its level says.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    prob : float
        Mass of the equal-tailed intervals.
    draws : int, optional
        Evenly spaced draws; all by default, or 500 where cells are missing, or where products of
        factors or outcomes of other families ask for data sets drawn case by case.
    seed : int
        Of replicated data.

    Returns
    -------
    DataFrame
        ``lhs op rhs observed implied residual sd lower upper p``; ``~~`` rows hold correlations of
        pairs, ``~1`` rows means (``residual sd lower upper`` in sds of the sample). ``implied`` and
        ``residual`` are posterior means, ``sd lower upper`` of the observed less the replicated
        value; ``p`` is the share of replicated values above the observed one, so that values
        near 0 or 1 show misfit. Where cells are missing, ``observed`` is the estimate of the
        saturated normal model by EM, on both sides. Pairs and means of predictors that are
        conditioned on are left out: they are met by construction.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments.

    References
    ----------
    .. [1] Levy (2011), *Structural Equation Modeling* 18, 663-685.
    """
    check_seed(seed)
    refuse_moments(fit, "residuals")
    sample = sample_of(fit)
    M, mu_rep, S_rep = replicated_estimates(fit, sample, draws=draws, seed=seed)
    mu, Sigma = implied_moments(fit, M, sample)
    parts = [_pairs(sample, Sigma, S_rep, prob)]
    if sample.use_mean:
        parts.append(_means(sample, mu, mu_rep, prob))
    table = pd.concat(parts, ignore_index=True)
    table.attrs["replicated"] = len(S_rep)
    return stamped(table, fit)


def correlations(S: Floats) -> Floats:
    """Correlation matrices of covariance matrices (..., indicator, indicator_bis)."""
    sd = np.sqrt(np.diagonal(S, axis1=-2, axis2=-1))
    return np.asarray(S / (sd[..., :, None] * sd[..., None, :]))


def _pairs(sample: Sample, Sigma: Floats, S_rep: Floats, prob: float) -> pd.DataFrame:
    rows, cols = np.tril_indices(len(sample.names), -1)
    kept = ~(sample.held[rows] & sample.held[cols])
    rows, cols = rows[kept], cols[kept]
    observed, implied, new = (correlations(C)[..., rows, cols] for C in (sample.S, Sigma, S_rep))
    names = np.array(sample.names, object)
    return _table(names[cols], "~~", names[rows], observed, implied, new, np.ones(len(rows)), prob)


def _means(sample: Sample, mu: Floats, mu_rep: Floats, prob: float) -> pd.DataFrame:
    kept = ~sample.held
    names = np.array(sample.names, object)[kept]
    observed, implied, new = (m[..., kept] for m in (sample.mu, mu, mu_rep))
    unit = np.sqrt(np.diag(sample.S))[kept]
    table = _table(names, "~1", np.array([""] * len(names), object), observed, implied, new, unit,
                   prob)  # fmt: skip
    table[["observed", "implied"]] += sample.location[kept][:, None]
    return table


def _table(
    lhs: np.ndarray, op: str, rhs: np.ndarray, observed: Floats, implied: Floats, new: Floats,
    unit: Floats, prob: float,
) -> pd.DataFrame:  # fmt: skip
    tail = (1 - prob) / 2
    gap = (observed - new) / unit
    lower, upper = np.quantile(gap, [tail, 1 - tail], axis=0)
    middle = implied.mean(0)
    return pd.DataFrame({
        "lhs": lhs, "op": op, "rhs": rhs, "observed": observed, "implied": middle,
        "residual": (observed - middle) / unit, "sd": gap.std(0, ddof=1),
        "lower": lower, "upper": upper, "p": (new > observed).mean(0),
    })[list(COLUMNS)]  # fmt: skip
