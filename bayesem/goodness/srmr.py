"""Standardised root mean square residual: how far implied moments lie from the sample's."""

import numpy as np

from bayesem.arrays import Floats

__all__ = ["srmr"]


def srmr(
    S: Floats,
    Sigma: Floats,
    means: tuple[Floats, Floats] | None = None,
    held: np.ndarray | None = None,
) -> Floats:
    """Bentler's standardised root mean square residual, (...).

    Residuals are divided by the sample's standard deviations, so that misfit of variances and of
    means counts as well as that of correlations.

    Parameters
    ----------
    S, Sigma : (..., indicator, indicator_bis) arrays
        Of the sample and implied.
    means : pair of (..., indicator) arrays, optional
        Of the sample and implied, where they are modelled.
    held : (indicator,) bool array, optional
        Predictors that are conditioned on: what concerns only them is left out.

    References
    ----------
    .. [1] Bentler (1995), *EQS Structural Equations Program Manual*.

    Examples
    --------
    >>> S = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> round(float(srmr(S, np.eye(2))), 6) == round(0.5 / 3**0.5, 6)
    True
    """
    p = S.shape[-1]
    held = np.zeros(p, bool) if held is None else held
    rows, cols = np.tril_indices(p)
    kept = ~(held[rows] & held[cols])
    rows, cols = rows[kept], cols[kept]
    sd = np.sqrt(np.diagonal(S, axis1=-2, axis2=-1))
    scale = sd[..., rows] * sd[..., cols]
    total, count = (((S - Sigma)[..., rows, cols] / scale) ** 2).sum(-1), len(rows)
    if means is not None:
        total = total + ((((means[0] - means[1]) / sd) ** 2)[..., ~held]).sum(-1)
        count += int((~held).sum())
    return np.asarray(np.sqrt(total / count))
