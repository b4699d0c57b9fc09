r"""How much better the saturated model does than a model's draws, :math:`D = 2[\ell_{sat} - \ell]`.

Observed predictors that are conditioned on stay conditioned on in both likelihoods. Where products
of factors or outcomes of other families make the answers non-normal, the same function of sample
and implied moments serves as a measure of misfit, but is no likelihood ratio.
"""

from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import NotAvailableError
from bayesem.implied import with_responses
from bayesem.incomplete import expected, saturated
from bayesem.matrices import Matrices
from bayesem.partable import twin_of
from bayesem.posterior import Fit

__all__ = [
    "Sample",
    "deviance",
    "discrepancy",
    "implied_moments",
    "refuse_moments",
    "replicated",
    "sample_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The continuous answers of a fit as the saturated model sees them.

    Attributes
    ----------
    names : tuple of str
        Continuous indicators; the rows and columns of everything here.
    columns : (indicator,) int array
        Where they stand among the table's indicators.
    held : (indicator,) bool array
        Predictors that are conditioned on.
    y : (case, indicator) array
        Deviations from ``location``; cases without any of these answers are left out.
    location : (indicator,) array
    weight : float
        Cases, less 1 where the means are not modelled: what all likelihoods here count.
    mu, S : (indicator,), (indicator, indicator_bis) arrays
        Saturated estimates: with divisor ``weight`` for complete data, by EM else; ``mu`` counts
        from ``location``.
    log_likelihood : float
        Of the saturated model, given the predictors that are conditioned on.
    """

    names: tuple[str, ...]
    columns: np.ndarray
    held: np.ndarray
    y: Floats
    location: Floats
    weight: float
    use_mean: bool
    mu: Floats
    S: Floats
    log_likelihood: float

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return not bool(np.isnan(self.y).any())

    @property
    def moments(self) -> int:
        """How many moments the model has to meet: those of the held predictors do not count."""

        def count(k: int) -> int:
            return k * (k + 1) // 2 + k * self.use_mean

        return count(len(self.names)) - count(int(self.held.sum()))


def refuse_moments(fit: Fit, what: str) -> None:
    """Refuse fits of moments: no cases, and a rebuilt matrix fits perfectly by construction."""
    if not isinstance(fit.data, Answers):
        raise NotAvailableError(
            f"{what} of a fit of moments say nothing: there are no cases, and a matrix rebuilt "
            "from a publication's estimates fits its model perfectly by construction.",
            hint="Fit the raw answers; compare models of moments by `evidence`.",
        )


def sample_of(fit: Fit) -> Sample:
    """The continuous answers of a fit, with the saturated model's estimates.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments, or has no continuous indicator.
    """
    refuse_moments(fit, "fit indices")
    assert isinstance(fit.data, Answers)
    table, stats = fit.table, fit.spec.stats
    twins = {twin_of(o.name) for o in table.outcomes}
    columns = np.array([k for k, v in enumerate(table.indicators) if v not in twins], np.int64)
    names = tuple(table.indicators[k] for k in columns)
    if not names:
        raise NotAvailableError("the model has no continuous indicators.")
    held = np.array([v in table.fixed_x for v in names], bool)
    location = stats.location()[columns]
    y = fit.data.values[:, columns] - location
    y = y[~np.isnan(y).all(1)]
    found = saturated(y[None])
    less = 0 if stats.use_mean else 1
    weight = float(len(y) - less)
    S = found.Sigma[0] * (len(y) / weight)
    log = float(found.log_likelihood[0])
    if less:  # a flat mean integrated out
        p = len(names)
        logdet = np.linalg.slogdet(S)[1]
        log = -0.5 * weight * (p * np.log(2 * np.pi) + logdet + p) - 0.5 * p * np.log(len(y))
    log -= _held_log_likelihood(y[:, held], weight, use_mean=stats.use_mean)
    return Sample(
        names, columns, held, y, location, weight, stats.use_mean, found.mu[0], S, log
    )  # fmt: skip


def implied_moments(fit: Fit, M: Matrices, sample: Sample) -> tuple[Floats, Floats]:
    """Implied means, from the sample's location, and covariances: (draw, ...)."""
    M = with_responses(fit.table, M) if fit.table.outcomes else M
    k = sample.columns
    Sigma = M.Sigma[..., k[:, None], k]
    if not sample.use_mean:
        return np.broadcast_to(sample.mu, Sigma.shape[:-1]), Sigma
    return M.mu[..., k] - sample.location, Sigma


def discrepancy(S: Floats, mean: Floats, mu: Floats, Sigma: Floats, weight: float) -> Floats:
    r"""Normal discrepancy of sample and implied moments, (...).

    :math:`N[\ln|\Sigma| - \ln|S| + tr(\Sigma^{-1}(S + dd')) - p]`, d the difference of the means.
    """
    d = mean - mu
    P = np.linalg.inv(Sigma)
    logdet = np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(S)[1]
    trace = np.einsum("...ij,...ji->...", P, np.broadcast_to(S, P.shape))
    square = np.einsum("...i,...ij,...j->...", d, P, d)
    return np.asarray(weight * (logdet + trace + square - S.shape[-1]))


def replicated(y: Floats, mu: Floats, Sigma: Floats) -> Floats:
    """Discrepancies (set,) of data sets (set, case, indicator), cells missing or not."""
    best = saturated(y).log_likelihood
    return np.asarray(2 * (best - expected(y, mu, Sigma).log_likelihood))


def deviance(fit: Fit, sample: Sample, M: Matrices) -> Floats:
    """Minus twice the log-likelihood of linear models, given what is conditioned on, (draw,)."""
    mu, Sigma = implied_moments(fit, M, sample)
    if not sample.complete:
        log = expected(sample.y, mu, Sigma).log_likelihood
        return np.asarray(-2 * (log + fit.spec.constant))
    D = discrepancy(sample.S, sample.mu, mu, Sigma, sample.weight)
    p, N = len(sample.names), sample.weight
    own = -0.5 * N * (p * np.log(2 * np.pi) + np.linalg.slogdet(sample.S)[1] + p)
    return np.asarray(D - 2 * own - 2 * fit.spec.constant)


def _held_log_likelihood(x: Floats, weight: float, *, use_mean: bool) -> float:
    """Of the predictors that are conditioned on (never missing), at their own moments."""
    k = x.shape[1]
    if not k:
        return 0.0
    d = x - x.mean(0)
    logdet = np.linalg.slogdet(d.T @ d / weight)[1]
    log = -0.5 * weight * (k * np.log(2 * np.pi) + logdet + k)
    return float(log - (0 if use_mean else 0.5 * k * np.log(len(x))))
