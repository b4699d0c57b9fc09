"""Importance sampling from a mixture of t distributions that adapts to its target (M-PMC).

The centres may move with nuisances that are drawn from their prior, so that a draw fits its own
nuisances; a shift leaves densities as they are.

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
    slopes : (component, dim, nuisance) array
        How the centres move with the nuisances.
    """

    shares: Floats
    centres: Floats
    factors: Floats
    slopes: Floats

    @staticmethod
    def around(modes: Sequence[tuple[Floats, Floats, Floats]], wider: float = 1.3) -> "Mixture":
        """Equal shares, centred at modes and somewhat wider than their covariances say."""
        centres, covariances, slopes = (np.array(part) for part in zip(*modes, strict=True))
        shares = np.full(len(modes), 1 / len(modes))
        return Mixture(shares, centres, wider * np.linalg.cholesky(covariances), slopes)

    def draw(self, nuisances: Floats, rng: np.random.Generator) -> Floats:
        """A point for each row of nuisances, (draw, dim)."""
        draws = len(nuisances)
        which = rng.choice(len(self.shares), draws, p=self.shares)
        raw = rng.standard_normal((draws, self.centres.shape[1]))
        raw = raw / np.sqrt(rng.chisquare(NU, draws) / NU)[:, None]
        centred = np.einsum("nij,nj->ni", self.factors[which], raw)
        return self.centres[which] + centred + self._shift(nuisances)[np.arange(draws), which]

    def log_density(self, points: Floats, nuisances: Floats) -> Floats:
        """Log density at points given their nuisances, (draw,)."""
        return logsumexp(self._log_parts(self._centred(points, nuisances)), axis=1)

    def adapted(self, points: Floats, nuisances: Floats, weight: Floats) -> "Mixture":
        """One step of expectation maximisation on weighted points.

        A component that almost no point supports keeps its place, and each keeps a small share.
        """
        centred = self._centred(points, nuisances)
        parts = self._log_parts(centred)
        own = np.exp(parts - logsumexp(parts, axis=1, keepdims=True)) * weight[:, None]
        d = points.shape[1]
        near = own * (NU + d) / (NU + self._distance(centred))
        supported = own.sum(0) ** 2 > 3 * (d + 1) * (own**2).sum(0)
        centres, factors = self.centres.copy(), self.factors.copy()
        for k in np.flatnonzero(supported):
            move = near[:, k] @ centred[:, k] / near[:, k].sum()
            centres[k] = centres[k] + move
            off = centred[:, k] - move
            scale = (near[:, k, None] * off).T @ off / own[:, k].sum()
            factors[k] = np.linalg.cholesky(scale + 1e-9 * np.eye(d))
        shares = np.maximum(own.sum(0), LEAST_SHARE)
        return Mixture(shares / shares.sum(), centres, factors, self.slopes)

    def _shift(self, nuisances: Floats) -> Floats:
        return np.einsum("kdq,nq->nkd", self.slopes, nuisances)

    def _centred(self, points: Floats, nuisances: Floats) -> Floats:
        return points[:, None, :] - self.centres - self._shift(nuisances)

    def _distance(self, centred: Floats) -> Floats:
        z = np.linalg.solve(self.factors[None], centred[..., None])[..., 0]
        return (z**2).sum(-1)

    def _log_parts(self, centred: Floats) -> Floats:
        d = centred.shape[-1]
        scale = np.log(np.einsum("kii->ki", self.factors)).sum(-1)
        constant = gammaln((NU + d) / 2) - gammaln(NU / 2) - d / 2 * np.log(NU * np.pi)
        spread = (NU + d) / 2 * np.log1p(self._distance(centred) / NU)
        return constant - scale - spread + np.log(self.shares)
