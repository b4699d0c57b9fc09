"""Importance sampling from a mixture of t distributions that adapts to its target (M-PMC).

Reference: Cappe, Douc, Guillin, Marin & Robert (2008), Adaptive importance sampling in general
mixture classes, Statistics and Computing 18, 447-459.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from bayesem.arrays import Floats

__all__ = ["Mixture"]

NU = 5.0
LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A mixture of multivariate t distributions with 5 degrees of freedom.

    Attributes
    ----------
    shares : (component,) array
    centres : (component, dim) array
    factors : (component, dim, dim) array
        Cholesky factors of the scale matrices.
    """

    shares: Floats
    centres: Floats
    factors: Floats

    @staticmethod
    def around(modes: Sequence[tuple[Floats, Floats]], wider: float = 1.3) -> "Mixture":
        """Equal shares, centred at modes and somewhat wider than their covariances say."""
        centres = np.array([mode for mode, _ in modes])
        factors = wider * np.linalg.cholesky(np.array([cov for _, cov in modes]))
        return Mixture(np.full(len(modes), 1 / len(modes)), centres, factors)

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        """Points, (draw, dim)."""
        which = rng.choice(len(self.shares), draws, p=self.shares)
        raw = rng.standard_normal((draws, self.centres.shape[1]))
        raw = raw / np.sqrt(rng.chisquare(NU, draws) / NU)[:, None]
        return self.centres[which] + np.einsum("nij,nj->ni", self.factors[which], raw)

    def log_density(self, points: Floats) -> Floats:
        """Log density at points, (draw,)."""
        return logsumexp(self._log_parts(points), axis=1)

    def adapted(self, points: Floats, weight: Floats) -> "Mixture":
        """One step of expectation maximisation on weighted points.

        A component that almost no point supports keeps its place, and each keeps a small share.
        """
        parts = self._log_parts(points)
        own = np.exp(parts - logsumexp(parts, axis=1, keepdims=True)) * weight[:, None]
        d = points.shape[1]
        near = own * (NU + d) / (NU + self._distance(points))
        supported = own.sum(0) ** 2 > 3 * (d + 1) * (own**2).sum(0)
        centres, factors = self.centres.copy(), self.factors.copy()
        for k in np.flatnonzero(supported):
            centres[k] = near[:, k] @ points / near[:, k].sum()
            off = points - centres[k]
            scale = (near[:, k, None] * off).T @ off / own[:, k].sum()
            factors[k] = np.linalg.cholesky(scale + 1e-9 * np.eye(d))
        shares = np.maximum(own.sum(0), LEAST_SHARE)
        return Mixture(shares / shares.sum(), centres, factors)

    def _distance(self, points: Floats) -> Floats:
        centred = points[:, None, :] - self.centres
        z = np.linalg.solve(self.factors[None], centred[..., None])[..., 0]
        return (z**2).sum(-1)

    def _log_parts(self, points: Floats) -> Floats:
        d = points.shape[1]
        scale = np.log(np.einsum("kii->ki", self.factors)).sum(-1)
        constant = gammaln((NU + d) / 2) - gammaln(NU / 2) - d / 2 * np.log(NU * np.pi)
        spread = (NU + d) / 2 * np.log1p(self._distance(points) / NU)
        return constant - scale - spread + np.log(self.shares)
