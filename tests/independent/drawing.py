"""What both generators draw: correlated residuals, normal or skewed, and answers to indicators."""

import numpy as np

__all__ = ["MIDDLE", "SPREAD", "STANDARD_LOADINGS", "answers", "residuals"]

#: Mean and standard deviation of an indicator, in scale points of a 1-10 scale.
MIDDLE, SPREAD = 5.5, 1.8
#: Standardised loadings of a factor's first, second, ... indicator.
STANDARD_LOADINGS = (0.80, 0.72, 0.76, 0.68)


def residuals(
    n: int, correlation: np.ndarray, degrees: int | None, rng: np.random.Generator
) -> np.ndarray:
    """Draw residuals with mean 0, variance 1 and exactly the given population correlations.

    Parameters
    ----------
    n : int
        Cases.
    correlation : (p, p) array
        Positive definite. Where ``degrees`` is given also non-negative, with a positive definite
        elementwise square root.
    degrees : int or None
        None: normal. Otherwise each margin is exactly a standardised chi-square with so many
        degrees of freedom: the sum of squares of that many independent normal vectors whose
        correlations are the square roots of those asked for (the diagonal of a Wishart matrix).
        No copula is involved, so neither margins nor correlations are approximate.
    rng : numpy.random.Generator

    Returns
    -------
    (n, p) array, in standard deviations

    Raises
    ------
    ValueError
        If skewed residuals shall be negatively correlated.
    """
    if degrees is None:
        return rng.standard_normal((n, len(correlation))) @ np.linalg.cholesky(correlation).T
    if np.min(correlation) < 0:
        raise ValueError("chi-square residuals cannot be negatively correlated here")
    root = np.linalg.cholesky(np.sqrt(correlation))
    parts = rng.standard_normal((degrees, n, len(correlation))) @ root.T
    return ((parts**2).sum(axis=0) - degrees) / np.sqrt(2 * degrees)


def answers(
    factor: np.ndarray,
    loadings: np.ndarray,
    intercepts: np.ndarray,
    residual_sd: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw a factor's indicators, ``intercept + loading * factor + residual``, unrounded.

    Parameters
    ----------
    factor : (n,) array
        In the factor's own units.
    loadings : (k,) array
        Scale points per unit of the factor.
    intercepts, residual_sd : (k,) arrays
        Scale points.
    rng : numpy.random.Generator

    Returns
    -------
    (n, k) array, in scale points
    """
    noise = rng.standard_normal((len(factor), len(loadings)))
    return intercepts + np.outer(factor, loadings) + noise * residual_sd
