r"""Are ranks uniform: a simultaneous test of their distribution function, and what it allows.

Ranks 0 to L of R independent replicates are uniform if the procedure is calibrated. At each point
:math:`z_k = (k + 1)/(L + 1)` the number of ranks up to k is then binomial; the test looks at the
point where that number is least probable,

.. math:: \gamma = 2 \min_k \min\{F(N_k), 1 - F(N_k - 1)\},

and its p-value is the share of simulated uniform samples with a smaller :math:`\gamma` [1]_.
"""

from functools import cache
from typing import Final

import numpy as np
from scipy import stats

from bayesem.arrays import Floats, Ints

__all__ = ["band", "counts_up_to", "rank_p_values"]

#: Simulated uniform samples behind a p-value.
SIMULATIONS: Final = 20_000
#: Numbers held at once.
BATCH: Final = 5_000_000


def counts_up_to(ranks: Ints, highest: int) -> Ints:
    """Ranks of at most 0, 1, ..., ``highest - 1``, (..., highest), counted over the first axis.

    Examples
    --------
    >>> counts_up_to(np.array([0, 2, 2, 3]), 3).tolist()
    [1, 1, 3]
    """
    below = np.arange(highest)
    return np.asarray((ranks[..., None] <= below).sum(0))


def rank_p_values(ranks: Ints, highest: int) -> Floats:
    """P-values of the simultaneous test, one by quantity.

    Parameters
    ----------
    ranks : (replicate, quantity) array
        From 0 to ``highest``.
    highest : int

    Returns
    -------
    (quantity,) array
        Never 0: at least one in the number of simulated samples.

    References
    ----------
    .. [1] Säilynoja, Bürkner & Vehtari (2022), Graphical test for discrete uniformity and its
       applications in goodness-of-fit evaluation and multiple sample comparison. *Statistics and
       Computing* 32, 32. https://doi.org/10.1007/s11222-022-10090-6
    """
    size = len(ranks)
    seen = _gamma(counts_up_to(ranks, highest), size)
    null = _null(size, highest)
    return (1 + np.searchsorted(null, seen * (1 + 1e-12), side="right")) / (1 + len(null))


def band(size: int, highest: int, level: float) -> tuple[Floats, Floats, Floats]:
    """Simultaneous limits of the share of ranks up to each point.

    Parameters
    ----------
    size : int
        Replicates.
    highest : int
    level : float
        Probability that some point lies outside although all is well.

    Returns
    -------
    z, lower, upper : (highest,) arrays
    """
    z = np.arange(1, highest + 1) / (highest + 1)
    gamma = float(np.quantile(_null(size, highest), level, method="lower"))
    return z, stats.binom.ppf(gamma / 2, size, z) / size, stats.binom.isf(gamma / 2, size, z) / size


@cache
def _table(size: int, highest: int) -> Floats:
    """Twice the smaller tail probability of each count at each point, (count, point)."""
    z = np.arange(1, highest + 1) / (highest + 1)
    count = np.arange(size + 1)[:, None]
    below, above = stats.binom.cdf(count, size, z), stats.binom.sf(count - 1, size, z)
    return np.asarray(2 * np.minimum(below, above))


def _gamma(counts: Ints, size: int) -> Floats:
    """The least probable point of each sample, (...)."""
    table = _table(size, counts.shape[-1])
    return np.asarray(table[counts, np.arange(counts.shape[-1])].min(-1))


@cache
def _null(size: int, highest: int) -> Floats:
    """The statistic of uniform samples, sorted."""
    rng = np.random.default_rng(20220324)
    step = max(1, BATCH // (highest + 1))
    parts = []
    for at in range(0, SIMULATIONS, step):
        some = min(step, SIMULATIONS - at)
        cells = rng.multinomial(size, np.full(highest + 1, 1 / (highest + 1)), some)
        parts.append(_gamma(np.cumsum(cells, 1)[:, :-1], size))
    return np.sort(np.concatenate(parts))
