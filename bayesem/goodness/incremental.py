r"""Indices that compare the discrepancy with that of the independence model, draw by draw.

The draws of the two models come from two independent runs, so which draw of the one stands beside
which of the other is arbitrary. That does not move the mean of BNFI's or BTLI's numerator, but the
spread and the interval of all three depend on it.

References
----------
.. [1] Garnier-Villarreal & Jorgensen (2020), *Psychological Methods* 25, 46-70.
"""

import numpy as np

from bayesem.arrays import Floats

__all__ = ["bcfi", "bnfi", "btli"]


def bcfi(D: Floats, D0: Floats, moments: float) -> Floats:
    """Share of the baseline's noncentrality that the model accounts for, (...).

    Examples
    --------
    >>> float(bcfi(np.array(64.0), np.array(154.0), 54))
    0.9
    """
    baseline = np.maximum(D0 - moments, 0.0)
    return np.asarray(1 - np.maximum(D - moments, 0.0) / np.where(baseline > 0, baseline, np.nan))


def btli(D: Floats, D0: Floats, moments: float, p_d: float, p_d0: float) -> Floats:
    """Tucker and Lewis's index, (...): may exceed 1."""
    ratio = (D - p_d) / (moments - p_d)
    ratio0 = (D0 - p_d0) / (moments - p_d0)
    return np.asarray((ratio0 - ratio) / (ratio0 - 1))


def bnfi(D: Floats, D0: Floats, p_d: float, p_d0: float) -> Floats:
    """Bentler and Bonett's normed index, (...)."""
    return np.asarray(((D0 - p_d0) - (D - p_d)) / (D0 - p_d0))
