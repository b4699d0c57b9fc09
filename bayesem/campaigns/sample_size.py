r"""The sample size at which a verdict becomes probable enough, from shares at a few sizes.

The statistic behind a verdict grows like :math:`\sqrt n`, so the share of samples that reach it is
taken as :math:`\Phi(a + b \sqrt n)` with :math:`b \ge 0`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats
from scipy.special import ndtr, ndtri, xlog1py, xlogy

from bayesem.arrays import Floats, Ints

__all__ = ["Needed", "needed"]

#: Points of the grid along either end's probability.
GRID: Final = 250


@dataclass(frozen=True, slots=True)
class Needed:
    """A sample size with its uncertainty.

    Attributes
    ----------
    n, lower, upper : float
        Median and central 95% of what the shares leave possible; infinite where the assurance may
        never be reached.
    fit_p : float
        P-value of the curve against the shares (chi-square); missing with fewer than three sizes.
    """

    n: float
    lower: float
    upper: float
    fit_p: float


def needed(n: Ints, hits: Ints, total: Ints, assurance: float) -> Needed:
    """The smallest n at which a share is expected to reach the assurance.

    All pairs of probabilities at the smallest and the largest n, the first at most the second,
    count alike beforehand; each pair is one curve.

    Parameters
    ----------
    n, hits, total : (size,) arrays
        Two different sizes at least.
    assurance : float

    Examples
    --------
    >>> n = np.array([100, 400])
    >>> shares = ndtr(-1 + 0.1 * np.sqrt(n))
    >>> found = needed(n, (1e5 * shares).astype(int), np.array([100_000, 100_000]), 0.8)
    >>> bool(abs(found.n - ((ndtri(0.8) + 1) / 0.1) ** 2) < 2)
    True
    """
    root = np.sqrt(n.astype(float))
    ends = root.min(), root.max()
    p = (np.arange(GRID) + 0.5) / GRID
    low, high = (ndtri(g) for g in np.meshgrid(p, p, indexing="ij"))
    slope = (high - low) / (ends[1] - ends[0])
    log_weight = np.where(slope >= 0, 0.0, -np.inf)
    for r, k, m in zip(root, hits, total, strict=True):
        share = ndtr(low + slope * (r - ends[0]))
        log_weight = log_weight + xlogy(k, share) + xlog1py(m - k, -share)
    weight = np.exp(log_weight - log_weight.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        at = ends[0] + (ndtri(assurance) - low) / slope
    at = np.where(low >= ndtri(assurance), np.minimum(at, ends[0]), at)
    at = np.where(slope > 0, np.maximum(at, 0.0), np.where(low >= ndtri(assurance), 0.0, np.inf))
    lower, middle, upper = _quantiles(at.ravel() ** 2, weight.ravel(), (0.025, 0.5, 0.975))
    best = np.unravel_index(int(weight.argmax()), weight.shape)
    fitted = ndtr(low[best] + slope[best] * (root - ends[0]))
    return Needed(middle, lower, upper, _fit_p(hits, total, fitted))


def _quantiles(values: Floats, weights: Floats, q: tuple[float, ...]) -> list[float]:
    order = np.argsort(values)
    up_to = np.cumsum(weights[order])
    found = np.searchsorted(up_to, np.asarray(q) * up_to[-1])
    return [float(values[order][min(k, len(values) - 1)]) for k in found]


def _fit_p(hits: Ints, total: Ints, share: Floats) -> float:
    if len(hits) < 3:
        return float("nan")
    share = np.clip(share, 0.5 / total, 1 - 0.5 / total)
    gaps = (hits - total * share) ** 2 / (total * share * (1 - share))
    return float(stats.chi2.sf(gaps.sum(), len(hits) - 2))
