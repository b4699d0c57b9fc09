"""The mode of a model with one parameter freed, for several candidates at once.

Newton's step from the model as it is overshoots where a parameter matters: residual variances and
other loadings give way to it. A few steps of Fisher scoring over all parameters, the prior's
curvature included, end where a new search for the mode would.
"""

from dataclasses import dataclass, replace

import numpy as np

from bayesem.arrays import Floats
from bayesem.goodness.candidates import Candidate, moment_slopes, standardisers
from bayesem.goodness.discrepancy import Sample, discrepancy, implied_moments
from bayesem.goodness.information import expected_information, moment_scores
from bayesem.incomplete import expected
from bayesem.kernels.linear import log_posterior
from bayesem.kernels.pack import constrained
from bayesem.kernels.target import target_of
from bayesem.matrices import Matrices
from bayesem.posterior import Fit, reported_matrices
from bayesem.spec import Spec

__all__ = ["Change", "Freed", "freed", "own_slopes", "prior_information"]

STEP = 1e-4
MOST_STEPS, HALVINGS = 25, 8
#: Gain of the log-posterior below which the search ends.
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Freed:
    """Where each freed model has its mode, (candidate,).

    Attributes
    ----------
    std, std_sd : arrays
        Standardised size and its sd by the curvature there.
    unit : array
        Raw to standardised.
    log_likelihood : array
    settled : bool array
    """

    std: Floats
    std_sd: Floats
    unit: Floats
    log_likelihood: Floats
    settled: np.ndarray


def own_slopes(
    fit: Fit, sample: Sample, u: Floats, change: "Change"
) -> tuple[Matrices, Floats, Floats, Floats, Floats]:
    """Moments at a point, and their derivatives by the model's own parameters.

    Returns
    -------
    M : Matrices
        There, without leading axes.
    mu, Sigma, dmu, dSigma : arrays
        (indicator), (indicator, indicator_bis) and the same behind a parameter axis.
    """
    q = len(u)
    points = u + np.concatenate([np.zeros((1, q)), STEP * np.eye(q), -STEP * np.eye(q)])
    M = change.apply(reported_matrices(fit.spec, constrained(fit.spec, points)))
    mu, Sigma = implied_moments(fit, M, sample)
    dmu, dSigma = ((a[1 : q + 1] - a[q + 1 :]) / (2 * STEP) for a in (mu, Sigma))
    return M.map(lambda a: a[0]), mu[0], Sigma[0], dmu, dSigma


@dataclass(frozen=True, slots=True)
class Change:
    """A candidate's cell, set to a raw value; None changes nothing."""

    candidate: Candidate | None = None
    value: float = 0.0

    def apply(self, M: Matrices) -> Matrices:
        """The matrices (draw, ...) with that cell."""
        c = self.candidate
        if c is None:
            return M
        cells = getattr(M, c.matrix).copy()
        cells[..., c.i, c.j] += self.value
        if c.kind == "correlation":
            cells[..., c.j, c.i] += self.value
        return replace(M, **{c.matrix: cells})


def prior_information(spec: Spec, u: Floats) -> Floats:
    """Curvature of the log-prior on the real line, negated; 0 for priors that are PyMC's."""
    q = len(u)
    if not spec.builtin:
        return np.zeros((q, q))
    array = target_of(spec).array
    up, down = (
        np.stack([log_posterior(array, u + sign * STEP * e, False)[1] for e in np.eye(q)])
        for sign in (1, -1)
    )
    H = (down - up) / (2 * STEP)
    return np.asarray(0.5 * (H + H.T))


def freed(
    fit: Fit, sample: Sample, found: tuple[Candidate, ...], tau: Floats, u: Floats
) -> tuple[Freed, float]:
    """Modes with one candidate freed, and the log-likelihood at the mode without any.

    Parameters
    ----------
    fit : Fit
    sample : Sample
    found : tuple of Candidate
    tau : (candidate,) array
        Sds of the normal priors around 0, on the standardised scale.
    u : (q,) array
        A point amid the posterior, on the real line.
    """
    search = _Search(fit, sample, prior_information(fit.spec, u))
    base = search.climb(None, 1.0, u)
    ends = [search.climb(c, t, base.u) for c, t in zip(found, tau, strict=True)]
    columns = (
        np.array([getattr(e, name) for e in ends])
        for name in ("std", "sd", "unit", "log_likelihood", "settled")
    )
    return Freed(*columns), base.log_likelihood


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    u: Floats
    std: float
    sd: float
    unit: float
    log_likelihood: float
    settled: bool


class _Search:
    """Fisher scoring on the real line, the freed parameter behind the model's own."""

    def __init__(self, fit: Fit, sample: Sample, prior: Floats) -> None:
        self.fit, self.sample, self.prior = fit, sample, prior
        self.array = target_of(fit.spec).array if fit.spec.builtin else None

    def climb(self, c: Candidate | None, tau: float, u: Floats) -> _End:
        """From a point without the candidate to the mode with it."""
        raw, settled = 0.0, False
        for _ in range(MOST_STEPS):
            # the prior is on the standardised scale; within a step that scale stands still
            step, unit = self._step(c, tau, u, raw)
            value = self.value(c, tau / unit, u, raw)[0]
            for k in range(HALVINGS):
                new_u, new_raw = u + step[:-1] / 2**k, raw + step[-1] / 2**k
                new = self.value(c, tau / unit, new_u, new_raw)[0]
                if new >= value - 1e-9:
                    break
            else:
                break
            u, raw = new_u, new_raw
            if new - value < TOLERANCE:
                settled = True
                break
        H, unit = self._curvature(c, tau, u, raw)[:2]
        sd = float(np.sqrt(np.linalg.inv(H)[-1, -1])) * unit
        return _End(u, raw * unit, sd, unit, self.value(c, tau / unit, u, raw)[1], settled)

    def value(self, c: Candidate | None, sd: float, u: Floats, raw: float) -> tuple[float, float]:
        """Log-posterior, the raw candidate N(0, sd**2), and log-likelihood; or minus infinity."""
        M = Change(c, raw).apply(
            reported_matrices(self.fit.spec, constrained(self.fit.spec, u[None]))
        )
        if c is not None and c.kind == "correlation" and abs(raw * self._unit(c, M)) >= 1:
            return -np.inf, -np.inf
        mu, Sigma = implied_moments(self.fit, M, self.sample)
        if not np.isfinite(Sigma).all() or np.linalg.eigvalsh(Sigma[0])[0] <= 0:
            return -np.inf, -np.inf
        s = self.sample
        if s.complete:
            log = -0.5 * float(discrepancy(s.S, s.mu, mu, Sigma, s.weight)[0])
        else:
            log = float(expected(s.y, mu, Sigma).log_likelihood[0])
        prior = 0.0 if self.array is None else float(log_posterior(self.array, u, False)[0])
        return log + prior - 0.5 * (raw / sd) ** 2, log

    def _unit(self, c: Candidate | None, M: Matrices) -> float:
        return 1.0 if c is None else float(standardisers((c,), M).ravel()[0])

    def _curvature(
        self, c: Candidate | None, tau: float, u: Floats, raw: float
    ) -> tuple[Floats, float, Floats, Floats, Floats, Floats]:
        change = Change(c, raw)
        M, mu, Sigma, dmu, dSigma = own_slopes(self.fit, self.sample, u, change)
        unit = self._unit(c, M)
        if c is None:
            more = np.zeros((1, len(mu))), np.zeros((1, *Sigma.shape))
        else:
            here = moment_slopes((c,), M)
            k = self.sample.columns
            more = here[0][:, k], here[1][:, k[:, None], k]
        dmu, dSigma = np.concatenate([dmu, more[0]]), np.concatenate([dSigma, more[1]])
        H = expected_information(self.sample, Sigma, dmu, dSigma)
        H[:-1, :-1] += self.prior
        H[-1, -1] += (unit / tau) ** 2
        return H, unit, mu, Sigma, dmu, dSigma

    def _step(self, c: Candidate | None, tau: float, u: Floats, raw: float) -> tuple[Floats, float]:
        H, unit, mu, Sigma, dmu, dSigma = self._curvature(c, tau, u, raw)
        g, G = moment_scores(self.sample, mu[None], Sigma[None])
        slope = dmu @ g[0] + np.einsum("qij,ij->q", dSigma, G[0])
        if self.array is not None:
            slope[:-1] += log_posterior(self.array, u, False)[1]
        slope[-1] -= raw * (unit / tau) ** 2
        return np.linalg.solve(H, slope), unit
