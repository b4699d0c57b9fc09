r"""First derivatives of the normal likelihood by its moments, and expected information."""

import numpy as np

from bayesem.arrays import Floats
from bayesem.goodness.discrepancy import Sample
from bayesem.incomplete import expected

__all__ = ["expected_information", "moment_scores"]


def moment_scores(sample: Sample, mu: Floats, Sigma: Floats) -> tuple[Floats, Floats]:
    r"""Derivatives of the log-likelihood by mean and covariance at every draw.

    With the expected sums of completed deviations :math:`t` and of their outer products
    :math:`T`: :math:`d\ell/d\mu = \Sigma^{-1} t` and
    :math:`d\ell/d\Sigma = (\Sigma^{-1} T \Sigma^{-1} - N \Sigma^{-1})/2` (Fisher's identity), which
    for complete data is the usual gradient.

    Returns
    -------
    g : (draw, indicator) array
    G : (draw, indicator, indicator_bis) array
    """
    P = np.linalg.inv(Sigma)
    N = sample.weight
    if sample.complete:
        d = sample.mu - mu
        t, T = N * d, N * (sample.S + d[:, :, None] * d[:, None, :])
    else:
        found = expected(sample.y, mu, Sigma)
        t, T = found.first, found.second
    return (P @ t[..., None])[..., 0], 0.5 * (P @ T @ P - N * P)


def expected_information(sample: Sample, Sigma: Floats, dmu: Floats, dSigma: Floats) -> Floats:
    r"""Fisher's information on parameters with these derivatives of the moments, at one point.

    :math:`\sum_k n_k [tr(P_k\,d_a\Sigma\,P_k\,d_b\Sigma)/2 + d_a\mu' P_k\,d_b\mu]` over patterns k
    of observed cells, P_k the inverse of the observed block with zeros around.

    Parameters
    ----------
    sample : Sample
    Sigma : (indicator, indicator_bis) array
    dmu : (parameter, indicator) array
    dSigma : (parameter, indicator, indicator_bis) array

    Returns
    -------
    (parameter, parameter_bis) array
    """
    seen = ~np.isnan(sample.y)
    patterns, counts = np.unique(seen, axis=0, return_counts=True)
    scale = sample.weight / len(seen)
    q = len(dmu)
    total = np.zeros((q, q))
    for row, n in zip(patterns, counts, strict=True):
        P = np.linalg.inv(Sigma[np.ix_(row, row)])
        d = dSigma if row.all() else dSigma[:, row][:, :, row]
        k = len(P)
        X = (d.reshape(q * k, k) @ P).reshape(q, k, k)
        total += scale * n * 0.5 * X.reshape(q, -1) @ X.mT.reshape(q, -1).T
        if sample.use_mean:
            total += n * dmu[:, row] @ P @ dmu[:, row].T
    return total
