r"""Indices of approximate fit that rest on the noncentrality of the discrepancy, draw by draw.

With :math:`D(\theta) = 2[\ell_{sat} - \ell(\theta)]`, :math:`p^*` moments and an effective number
of parameters :math:`p_D`, the degrees of freedom are :math:`p^* - p_D` and the noncentrality is
:math:`D - p^*`, not below 0: :math:`D - p_D` takes the place of maximum likelihood's chi-square.

References
----------
.. [1] Garnier-Villarreal & Jorgensen (2020), *Psychological Methods* 25, 46-70.
.. [2] Hoofs, van de Schoot, Jansen & Kant (2018), *Educational and Psychological Measurement* 78,
   537-568.
"""

import numpy as np

from bayesem.arrays import Floats

__all__ = ["adjusted_gamma_hat", "brmsea", "gamma_hat", "mc", "noncentrality"]


def noncentrality(D: Floats, moments: float) -> Floats:
    """How far a discrepancy lies above what the moments alone lead to, (...), at least 0."""
    return np.maximum(D - moments, 0.0)


def brmsea(nc: Floats, df: float, n: float, groups: int = 1) -> Floats:
    """Root mean square error of approximation: misfit per degree of freedom, (...).

    Examples
    --------
    >>> float(brmsea(np.array(50.0), 20.0, 250.0))
    0.1
    """
    return np.asarray(np.sqrt(nc / (df * n)) * np.sqrt(groups))


def gamma_hat(nc: Floats, variables: float, n: float) -> Floats:
    """Population goodness of fit, (...); 1 is perfect.

    Examples
    --------
    >>> float(gamma_hat(np.array(0.0), 9, 301.0))
    1.0
    """
    return np.asarray(variables / (variables + 2 * nc / n))


def adjusted_gamma_hat(gamma: Floats, moments: float, df: float) -> Floats:
    """Gamma hat with a penalty for parameters, (...)."""
    return np.asarray(1 - moments / df * (1 - gamma))


def mc(nc: Floats, n: float) -> Floats:
    """McDonald's centrality, (...); 1 is perfect."""
    return np.asarray(np.exp(-0.5 * nc / n))
