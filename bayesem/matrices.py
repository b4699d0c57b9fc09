"""The matrices of a linear SEM and the moments that they imply."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats

__all__ = ["Matrices", "implied_covariance", "implied_mean", "total_effects"]


@dataclass(frozen=True, slots=True)
class Matrices:
    """Parameter matrices, batched over any leading axes.

    Attributes
    ----------
    Lambda : (..., indicator, factor) array
    Beta : (..., factor, factor_bis) array
        Paths *to* row *from* column; loadings of factors on second-order factors stand here too.
    Psi, Theta : (..., factor, factor_bis), (..., indicator, indicator_bis) arrays
        Residual covariances of factors and of indicators.
    nu, alpha : (..., indicator), (..., factor) arrays
        Intercepts.
    """

    Lambda: Floats
    Beta: Floats
    Psi: Floats
    Theta: Floats
    nu: Floats
    alpha: Floats

    @property
    def A(self) -> Floats:
        """Total effects with the identity, ``inv(I - Beta)``, (..., factor, factor_bis)."""
        return total_effects(self.Beta)

    @property
    def Phi(self) -> Floats:
        """Covariance of the factors, (..., factor, factor_bis)."""
        A = self.A
        return A @ self.Psi @ np.swapaxes(A, -1, -2)

    @property
    def Sigma(self) -> Floats:
        """Covariance of the indicators, (..., indicator, indicator_bis)."""
        return implied_covariance(self.Lambda, self.Beta, self.Psi, self.Theta)

    @property
    def mu(self) -> Floats:
        """Mean of the indicators, (..., indicator)."""
        return implied_mean(self.Lambda, self.Beta, self.nu, self.alpha)


def total_effects(Beta: Any, *, xp: Any = np) -> Any:
    r"""Sum of all path products between factors with the identity, :math:`(I-B)^{-1}`.

    Parameters
    ----------
    Beta : (..., factor, factor_bis) array
    xp : module, default numpy
        Pass ``pytensor.tensor`` to build the graph from this same definition.

    Raises
    ------
    numpy.linalg.LinAlgError
        If ``I - Beta`` is singular: a feedback loop with gain exactly 1.
    """
    return xp.linalg.inv(xp.eye(Beta.shape[-1]) - Beta)


def implied_covariance(Lambda: Any, Beta: Any, Psi: Any, Theta: Any, *, xp: Any = np) -> Any:
    r"""Implied covariance, :math:`\Lambda (I-B)^{-1} \Psi (I-B)^{-\top} \Lambda^\top + \Theta`.

    Parameters
    ----------
    Lambda : (..., indicator, factor) array
        Loadings, in indicator units per factor unit.
    Beta : (..., factor, factor_bis) array
        Paths *to* row *from* column.
    Psi, Theta : (..., factor, factor_bis), (..., indicator, indicator_bis) arrays
        Residual covariances.
    xp : module, default numpy
        Pass ``pytensor.tensor`` to build the graph from this same definition.

    Returns
    -------
    (..., indicator, indicator_bis) array

    References
    ----------
    .. [1] Bollen (1989), *Structural Equations with Latent Variables*, ch. 8.

    Examples
    --------
    >>> L = np.array([[1.0], [0.5]])
    >>> implied_covariance(L, np.zeros((1, 1)), np.eye(1), 0.2 * np.eye(2)).tolist()
    [[1.2, 0.5], [0.5, 0.45]]
    """
    total = Lambda @ total_effects(Beta, xp=xp)
    return total @ Psi @ total.mT + Theta


def implied_mean(Lambda: Any, Beta: Any, nu: Any, alpha: Any, *, xp: Any = np) -> Any:
    r"""Mean the model implies, :math:`\nu + \Lambda (I-B)^{-1} \alpha`, shape (..., indicator)."""
    return nu + (Lambda @ (total_effects(Beta, xp=xp) @ alpha[..., None]))[..., 0]
