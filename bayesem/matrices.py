"""The matrices of an SEM and the moments that they imply."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from bayesem.arrays import Floats

__all__ = [
    "Matrices",
    "Product",
    "factor_moments",
    "implied_covariance",
    "implied_mean",
    "total_effects",
]


@dataclass(frozen=True, slots=True)
class Product:
    """One product of two factors in one equation, ``eta[to] += omega * first * second``.

    A latent part counts as a deviation from its implied mean, so that the main effects are slopes
    at the mean whatever the covariates are; an observed part counts as it is (``raw``), so that
    they hold at its 0.
    """

    to: int
    first: int
    second: int
    raw_first: bool = False
    raw_second: bool = False

    @property
    def parts(self) -> tuple[tuple[int, bool], tuple[int, bool]]:
        """Position and rawness of both parts."""
        return (self.first, self.raw_first), (self.second, self.raw_second)


def _none() -> Floats:
    return np.zeros(0)


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
    omega : (..., product) array
        Coefficients of the products of factors.
    shape : (..., outcome) array
        Further parameters of outcomes (see :mod:`bayesem.families`).
    products : tuple of Product
        Which products ``omega`` belongs to.
    """

    Lambda: Floats
    Beta: Floats
    Psi: Floats
    Theta: Floats
    nu: Floats
    alpha: Floats
    omega: Floats = field(default_factory=_none)
    shape: Floats = field(default_factory=_none)
    products: tuple[Product, ...] = ()

    def map(self, change: Callable[[Floats], Floats]) -> "Matrices":
        """The same matrices after a change of the leading axes of each."""
        arrays: dict[str, Any] = {
            f.name: change(getattr(self, f.name))
            for f in fields(self)
            if f.name != "products" and not (f.name in ("omega", "shape") and self._lacks(f.name))
        }
        return replace(self, **arrays)

    def _lacks(self, name: str) -> bool:
        return bool(getattr(self, name).shape[-1] == 0)

    @property
    def A(self) -> Floats:
        """Total effects with the identity, ``inv(I - Beta)``, (..., factor, factor_bis)."""
        return total_effects(self.Beta)

    @property
    def Phi(self) -> Floats:
        """Covariance of the factors, products included, (..., factor, factor_bis)."""
        return factor_moments(self)[1]

    @property
    def factor_mean(self) -> Floats:
        """Mean of the factors, products included, (..., factor)."""
        return factor_moments(self)[0]

    @property
    def Sigma(self) -> Floats:
        """Covariance of the indicators, (..., indicator, indicator_bis)."""
        if not self.products:
            return implied_covariance(self.Lambda, self.Beta, self.Psi, self.Theta)
        return self.Lambda @ self.Phi @ np.swapaxes(self.Lambda, -1, -2) + self.Theta

    @property
    def mu(self) -> Floats:
        """Mean of the indicators, (..., indicator)."""
        if not self.products:
            return implied_mean(self.Lambda, self.Beta, self.nu, self.alpha)
        return self.nu + (self.Lambda @ self.factor_mean[..., None])[..., 0]


def factor_moments(M: Matrices) -> tuple[Floats, Floats]:
    r"""Mean and covariance of the factors where products of normal ones enter.

    With :math:`p_k = (u_a + s_a)(u_b + s_b)`, u deviations from the mean and s the mean of a raw
    part (0 for a latent one): :math:`E p_k = s_a s_b + \phi_{ab}`,
    :math:`Cov(p_k, u_c) = s_a \phi_{bc} + s_b \phi_{ac}` and, of two products, the two cross
    products of covariances and the four of means.

    Parameters
    ----------
    M : Matrices
        Batched over leading axes. The parts of a product must not depend on another product.

    Returns
    -------
    (..., factor) array, (..., factor, factor_bis) array
    """
    A = M.A
    mean = (A @ M.alpha[..., None])[..., 0]
    Phi = A @ M.Psi @ np.swapaxes(A, -1, -2)
    if not M.products:
        return mean, Phi
    first, second = ([p.parts[k] for p in M.products] for k in (0, 1))
    s1, s2 = (
        np.where([raw for _, raw in part], mean[..., [at for at, _ in part]], 0.0)
        for part in (first, second)
    )
    a, b = ([at for at, _ in part] for part in (first, second))
    expected = s1 * s2 + Phi[..., a, b]
    with_factors = s1[..., None, :] * Phi[..., :, b] + s2[..., None, :] * Phi[..., :, a]

    def block(rows: list[int], cols: list[int]) -> Floats:
        return np.asarray(Phi[..., rows, :][..., cols])

    def outer(x: Floats, y: Floats) -> Floats:
        return x[..., :, None] * y[..., None, :]

    together = (
        block(a, a) * block(b, b) + block(a, b) * block(b, a)
        + outer(s1, s1) * block(b, b) + outer(s1, s2) * block(b, a)
        + outer(s2, s1) * block(a, b) + outer(s2, s2) * block(a, a)
    )  # fmt: skip
    T = A[..., :, [p.to for p in M.products]] * M.omega[..., None, :]
    cross = with_factors @ np.swapaxes(T, -1, -2)
    Phi = Phi + cross + np.swapaxes(cross, -1, -2) + T @ together @ np.swapaxes(T, -1, -2)
    return mean + (T @ expected[..., None])[..., 0], Phi


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
