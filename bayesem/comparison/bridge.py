"""Evidence (marginal likelihood) of a fit by bridge sampling."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayesem.arrays import Floats, spaced
from bayesem.data import Moments
from bayesem.errors import PriorError, SamplingError
from bayesem.kernels.pack import pack
from bayesem.pointwise import casewise_likelihood
from bayesem.posterior import Fit, on_real_line
from bayesem.prior_mass import log_prior_mass
from bayesem.spec import Spec

__all__ = ["LogEvidence", "evidence", "log_densities"]

#: Draws used where every case is integrated by itself; all are where a density is cheap.
CASEWISE_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Log marginal likelihood with its Monte-Carlo error.

    Attributes
    ----------
    log_evidence : float
        Natural logarithm of p(data | model), all constants included.
    mcse : float
        Its standard error.
    halves : (float, float)
        The two estimates that it averages, each from one half of the draws around the other half.
    notes : tuple of str
        What a reader has to know.
    """

    log_evidence: float
    mcse: float
    halves: tuple[float, float] = (math.nan, math.nan)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        text = f"log evidence {self.log_evidence:.2f} (Monte-Carlo error {self.mcse:.2g})"
        return "\n".join([text, *self.notes])


def evidence(fit: Fit, *, draws: int | None = None, seed: int = 0) -> LogEvidence:
    r"""Log marginal likelihood by bridge sampling.

    The posterior on the real line is shifted, scaled and mirrored (a "warp", which takes away mean,
    covariance and skewness) and bridged to a standard normal. Location and scale come from one half
    of every chain, the bridge from the other, and then the other way round. The prior's density is
    normalised: where constraints or positive definiteness cut it, by the admissible share of
    proposals.

    Parameters
    ----------
    fit : Fit
    draws : int, optional
        Evenly spaced posterior draws to use; all by default, 1,000 where cases are integrated one
        by one.
    seed : int

    Returns
    -------
    LogEvidence
        ``log_evidence`` and ``mcse``. Differences between fits *of the same data* are log Bayes
        factors; they depend on the priors of what differs, however much data there are.

    Raises
    ------
    PriorError
        If a prior is improper, or outside the built-in families.
    SamplingError
        If the chains did not converge.
    NotAvailableError
        If the likelihood of a case has neither closed form nor exact quadrature.

    References
    ----------
    .. [1] Meng & Schilling (2002), Warp bridge sampling. *Journal of Computational and Graphical
       Statistics* 11.
    .. [2] Gronau et al. (2017), A tutorial on bridge sampling. *Journal of Mathematical Psychology*
       81, appendix A for the error.
    """
    spec = fit.spec
    _refuse(fit)
    mass, mass_error = log_prior_mass(spec)
    u = on_real_line(fit)
    wanted = draws if draws is not None else CASEWISE_DRAWS if spec.cases is not None else None
    if wanted is not None:
        each = max(20, min(wanted // u.shape[0], u.shape[1]))
        u = u[:, spaced(u.shape[1], each)]
    if u[..., 0].size < 40:
        raise SamplingError("too few draws for a bridge.", hint="Use at least 40 draws.")
    half = u.shape[1] // 2
    rng = np.random.default_rng(seed)
    density = log_densities(spec, u.reshape(-1, u.shape[-1]))
    one = _bridge(density, u[:, :half], u[:, half:], rng)
    two = _bridge(density, u[:, half:], u[:, :half], rng)
    values, errors = np.array([one[0], two[0]]) - mass, np.array([one[1], two[1]])
    error = math.hypot(math.hypot(*errors) / 2, mass_error)
    notes = _notes(fit, values, errors, mass)
    return LogEvidence(float(values.mean()), error, (float(values[0]), float(values[1])), notes)


def _refuse(fit: Fit) -> None:
    if not fit.spec.builtin:
        raise PriorError(
            "evidence needs priors of the built-in families, and one is another PyMC distribution.",
            hint='Write it as text, such as "normal(0, 1)".',
        )
    if not fit.converged:
        raise SamplingError(
            "the chains did not converge, so there is no evidence to be had from them: "
            f"{fit.convergence.reasons[0]}.",
            hint="Mend the fit first (more draws, other priors, a simpler model).",
        )


def _notes(fit: Fit, values: Floats, errors: Floats, mass: float) -> tuple[str, ...]:
    notes = []
    if abs(values[0] - values[1]) > 4 * math.hypot(*errors) + 0.02:
        notes.append(
            f"the two halves of the draws give {values[0]:.2f} and {values[1]:.2f}, further apart "
            "than their errors: sample longer"
        )
    if isinstance(fit.data, Moments):
        notes.append("of the sample covariance matrix" + (" and means" * fit.spec.stats.use_mean))
    elif not fit.spec.stats.use_mean:
        notes.append("up to the flat prior of the means, which every model of these data shares")
    if fit.settings.priors == "blavaan":
        notes.append('priors="blavaan" are for reproduction: no Bayes factor rests on them')
    return tuple(notes)


def log_densities(spec: Spec, around: Floats) -> Callable[[Floats], Floats]:
    """Log of likelihood times prior on the real line, Jacobians included, ready to be called.

    Parameters
    ----------
    spec : Spec
    around : (draw, q) array
        Points of the posterior.

    Returns
    -------
    callable
        From points (draw, q) to (draw,).

    Raises
    ------
    NotAvailableError
        If cases have neither closed form nor exact quadrature.
    """
    from bayesem.kernels.linear import log_posteriors

    array = pack(spec)
    if spec.cases is None:
        return lambda u: np.asarray(log_posteriors(array, u, True))
    likelihood = casewise_likelihood(spec, around)

    def call(u: Floats) -> Floats:
        out = np.asarray(log_posteriors(array, u, False))
        inside = np.isfinite(out)
        out[inside] += likelihood(u[inside]).sum(1)
        return out

    return call


def _bridge(
    density: Callable[[Floats], Floats],
    around: Floats,
    draws: Floats,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Log of the mass of the density at ``draws`` (chain, draw, q), and its standard error."""
    q = draws.shape[-1]
    flat = around.reshape(-1, q)
    centre = flat.mean(0)
    L = _root(np.cov(flat.T).reshape(q, q), len(flat))
    z = np.linalg.solve(L, (draws - centre).reshape(-1, q).T).T
    normal = rng.standard_normal(z.shape)
    both = np.concatenate([z, normal])
    plus, minus = (density(centre + s * both @ L.T) for s in (1.0, -1.0))
    if not np.isfinite(plus[: len(z)]).all():
        raise SamplingError("the density is 0 at a posterior draw.", hint="Sample longer.")
    warped = np.logaddexp(plus, minus) - math.log(2) + np.log(np.abs(np.diag(L))).sum()
    base = -0.5 * (both**2).sum(1) - 0.5 * q * math.log(2 * math.pi)
    ratio = warped - base
    return _solve(ratio[: len(z)].reshape(draws.shape[:2]), ratio[len(z) :])


def _root(S: Floats, count: int) -> Floats:
    """Cholesky factor; with few draws for the dimensions the covariance leans on its diagonal."""
    weight = min(1.0, len(S) / count)
    return np.linalg.cholesky((1 - weight) * S + weight * np.diag(np.diag(S)))


def _solve(posterior: Floats, proposal: Floats) -> tuple[float, float]:
    """Iterate Meng & Wong's bridge from log ratios density / proposal, (chain, draw) and (draw,).

    Draws of a chain are worth less than independent ones; the optimal bridge counts what they are
    worth.
    """
    from arviz_stats.base import array_stats

    l1, l2 = posterior.ravel(), proposal
    worth = float(array_stats.ess(posterior, chain_axis=0, draw_axis=1, method="mean"))
    worth = min(worth, l1.size) if np.isfinite(worth) else posterior.shape[0]
    s1, s2 = worth / (worth + l2.size), l2.size / (worth + l2.size)
    log_z = float(np.median(l1))
    for _ in range(1000):
        top = logsumexp(l2 - np.logaddexp(math.log(s1) + l2, math.log(s2) + log_z)) - math.log(
            l2.size
        )
        low = logsumexp(-np.logaddexp(math.log(s1) + l1, math.log(s2) + log_z)) - math.log(l1.size)
        new = float(top - low)
        if abs(new - log_z) < 1e-10:
            break
        log_z = new
    f1 = np.exp(l2 - log_z - np.logaddexp(math.log(s1) + l2 - log_z, math.log(s2)))
    f2 = np.exp(-np.logaddexp(math.log(s1) + posterior - log_z, math.log(s2)))
    reach = float(array_stats.ess(f2, chain_axis=0, draw_axis=1, method="mean"))
    reach = min(reach, l1.size) if np.isfinite(reach) else posterior.shape[0]
    variance = f1.var() / f1.mean() ** 2 / l2.size + f2.var() / f2.mean() ** 2 / reach
    return log_z, math.sqrt(variance)
