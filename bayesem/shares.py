"""Shares of posterior draws in which something holds, with their Monte-Carlo errors."""

import numpy as np

from bayesem.arrays import Floats

__all__ = ["shares"]


def shares(truth: np.ndarray) -> tuple[Floats, Floats]:
    """Share of draws in which something holds, and its standard error.

    Parameters
    ----------
    truth : (chain, draw, ...) bool array

    Returns
    -------
    (...) array, (...) array
        The error comes from the effective number of the indicator's draws, at most their number;
        where all draws agree it is one over that number.

    Examples
    --------
    >>> truth = np.tile([True, False], (2, 50))
    >>> p, error = shares(truth)
    >>> float(p), round(float(error), 2)
    (0.5, 0.04)
    """
    from arviz_stats.base import array_stats

    chains, draws = truth.shape[:2]
    total = chains * draws
    flat = truth.reshape(chains, draws, -1)
    p = flat.mean((0, 1))
    error = np.full(p.shape, 1 / total)
    inside = (p > 0) & (p < 1)
    if inside.any():
        some = np.moveaxis(flat[..., inside].astype(float), -1, 0)
        effective = array_stats.ess(some, chain_axis=1, draw_axis=2, method="mean")
        effective = np.where(np.isfinite(effective), np.minimum(effective, total), chains)
        error[inside] = np.sqrt(p[inside] * (1 - p[inside]) / effective)
    return p.reshape(truth.shape[2:]), error.reshape(truth.shape[2:])
