"""Which parameter, if it were free, would mend a model, how large it would be, and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesem.arrays import Floats
from bayesem.errors import ModelError, NotAvailableError
from bayesem.goodness.candidates import (
    Candidate,
    candidates,
    moment_slopes,
    scores,
    standardisers,
)
from bayesem.goodness.discrepancy import (
    Sample,
    discrepancy,
    implied_moments,
    refuse_moments,
    sample_of,
)
from bayesem.goodness.freed import Change, freed, own_slopes, prior_information
from bayesem.goodness.information import expected_information, moment_scores
from bayesem.kernels.pack import constrained
from bayesem.posterior import Fit, on_real_line, reported_matrices
from bayesem.sampling.convergence import stamped
from bayesem.sampling.starts import maximum
from bayesem.simulation import flat_draws

__all__ = ["PRIOR_SD", "ROPE", "modifications"]

#: Sds of the normal priors, around 0, of a freed parameter on the standardised scale.
PRIOR_SD: Mapping[str, float] = {"loading": 0.4, "path": 0.5, "correlation": 0.45}
#: Standardised sizes below which a freed parameter is practically nothing.
ROPE: Mapping[str, float] = {"loading": 0.10, "path": 0.10, "correlation": 0.10}
#: A mode is searched where the log-likelihood is expected to gain at least this.
WORTH = 1.0
#: Share of a candidate's information that is its own; below this no data can tell it.
LEAST_SHARE = 1e-6
COLUMNS = (
    "lhs", "op", "rhs", "mean", "sd", "lower", "upper", "pd", "std", "std_sd", "probability",
    "gain", "mcse", "searched",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Expansion:
    """What the data say of each candidate around 0, on the standardised scale, (candidate,)."""

    score: Floats
    information: Floats
    error: Floats


def modifications(
    fit: Fit,
    *,
    prob: float = 0.95,
    rope: Mapping[str, float] | None = None,
    prior_sd: Mapping[str, float] | None = None,
    searched: int = 12,
) -> pd.DataFrame:
    r"""Where freeing a parameter would mend a model: cross-loadings, residual correlations, paths.

    Each candidate :math:`\psi` is 0 in the model. With a prior :math:`N(0, \tau^2)` on it, its
    posterior after freeing it is found without another fit, by one Newton step from the posterior
    of the model as it is: the mean score over the draws, :math:`\bar s = E[\partial\ell/\partial
    \psi]`, is exactly the slope of the log marginal likelihood at :math:`\psi = 0`, and with the
    information K that the other parameters leave to :math:`\psi` (their priors included),

    .. math:: \psi \mid y \approx N(\bar s / (K + \tau^{-2}),\; 1 / (K + \tau^{-2})).

    One step overshoots where much is to be mended, because residual variances and other loadings
    would give way. For the candidates that gain most the mode of the freed model is therefore
    searched, and mean and sd are those of the normal approximation there. One candidate is freed at
    a time: freeing the first changes what the others would do, so refit and look again.

    Parameters
    ----------
    fit : Fit
        Of raw answers, without products of factors and outcomes of other families.
    prob : float
        Mass of the intervals.
    rope : mapping, optional
        Standardised half-widths of what is practically nothing, by kind ``loading path
        correlation``; 0.10 each by default.
    prior_sd : mapping, optional
        :math:`\tau` on the standardised scale, by kind; 0.4, 0.5 and 0.45 by default, the spread of
        the default priors, around 0.
    searched : int
        For how many candidates, those with the largest gain, the mode is searched.

    Returns
    -------
    DataFrame
        ``lhs op rhs mean sd lower upper pd std std_sd probability gain mcse searched``, most gain
        first.
        ``mean sd lower upper`` are raw, ``std std_sd`` standardised (std.all; of a covariance the
        residual correlation), ``pd`` is the probability of the sign, ``probability`` that of a
        standardised size outside the rope, ``gain`` the expected rise of the log-likelihood (half
        of a modification index, shrunken), ``mcse`` the Monte-Carlo error of ``std`` where that
        rests on the draws, and ``searched`` says where it rests on a search. Candidates that no
        data could tell from the model's own parameters are left out, and named in
        ``attrs["not_identified"]``.

    Raises
    ------
    NotAvailableError
        For moments, products of factors and outcomes of other families.
    ModelError
        For an unknown kind or a width or sd that is not positive.

    References
    ----------
    .. [1] Saris, Satorra & van der Veld (2009), *Structural Equation Modeling* 16, 561-582.
    .. [2] Sörbom (1989), *Psychometrika* 54, 371-384.
    """
    refuse_moments(fit, "modifications")
    _refuse_casewise(fit)
    width, spread = _by_kind(rope, ROPE, "rope"), _by_kind(prior_sd, PRIOR_SD, "prior_sd")
    sample = sample_of(fit)
    u, found, hidden, expansion, unit = _expansion(fit, sample)
    tau = np.array([float(spread[c.kind]) for c in found])
    v = 1 / (expansion.information + tau**-2)
    m, sd, error = v * expansion.score, np.sqrt(v), v * expansion.error
    gain = expansion.score * m - 0.5 * expansion.information * m**2
    strong = np.argsort(-gain)[:searched]
    strong = strong[gain[strong] > WORTH]
    if len(strong):
        ends, base = freed(fit, sample, tuple(found[k] for k in strong), tau[strong], u)
        strong = strong[ends.settled]
        m[strong], sd[strong], unit[strong], gain[strong] = (
            a[ends.settled] for a in (ends.std, ends.std_sd, ends.unit, ends.log_likelihood - base)
        )
        error[strong] = np.nan
    half = norm.ppf(0.5 + prob / 2) * sd
    edge = np.array([width[c.kind] for c in found])
    table = pd.DataFrame({
        "lhs": [c.lhs for c in found], "op": [c.op for c in found], "rhs": [c.rhs for c in found],
        "mean": m / unit, "sd": sd / unit, "lower": (m - half) / unit, "upper": (m + half) / unit,
        "pd": norm.cdf(np.abs(m) / sd), "std": m, "std_sd": sd,
        "probability": norm.sf((edge - m) / sd) + norm.cdf((-edge - m) / sd),
        "gain": gain, "mcse": error, "searched": np.isin(np.arange(len(found)), strong),
    })[list(COLUMNS)]  # fmt: skip
    table = table.sort_values("gain", ascending=False, ignore_index=True)
    table.attrs["not_identified"] = tuple(f"{c.lhs} {c.op} {c.rhs}" for c in hidden)
    return stamped(table, fit)


def _refuse_casewise(fit: Fit) -> None:
    if fit.table.casewise:
        cause = "products of factors" if fit.table.products else "outcomes of other families"
        raise NotAvailableError(
            f"modifications of a model with {cause} are not available: moments do not hold all "
            "that its answers say.",
            hint="See `residuals(fit)` and `predictive_checks(fit)`; free a parameter, fit again "
            "and `compare`.",
        )


def _by_kind(
    given: Mapping[str, float] | None, default: Mapping[str, float], name: str
) -> Mapping[str, float]:
    for kind, value in (given or {}).items():
        if kind not in default:
            raise ModelError(f"{name} names `{kind}`.", hint=f"Kinds are {', '.join(default)}.")
        if not value > 0:
            raise ModelError(f"{name} of `{kind}` is {value!r}.", hint="Use a positive number.")
    return {**default, **(given or {})}


def _expansion(
    fit: Fit, sample: Sample
) -> tuple[Floats, tuple[Candidate, ...], tuple[Candidate, ...], _Expansion, Floats]:
    """Its point, candidates that data can tell and cannot, slopes, and raw to standardised."""
    from arviz_stats.base import array_stats

    every = candidates(fit.table)
    M = flat_draws(fit, None)
    mu, Sigma = implied_moments(fit, M, sample)
    centre = _centre(fit, sample, mu, Sigma)  # on the real line
    own, left, shrunk = _information(fit, sample, every, centre)
    known = left > LEAST_SHARE * own
    found = tuple(c for c, k in zip(every, known, strict=True) if k)
    hidden = tuple(c for c, k in zip(every, known, strict=True) if not k)
    if not found:
        raise NotAvailableError(
            "no fixed parameter of this model could be told from its free ones: it is saturated."
        )
    unit = standardisers(found, M)
    raw = scores(found, M, *moment_scores(sample, mu, Sigma))
    s = raw / unit
    unit = unit.mean(0)
    chains = fit.draws["posterior"].sizes["chain"]
    error = array_stats.mcse(s.T.reshape(len(found), chains, -1), chain_axis=1, draw_axis=2)
    information = shrunk[known] / unit**2
    return centre, found, hidden, _Expansion(s.mean(0), information, np.asarray(error)), unit


def _centre(fit: Fit, sample: Sample, mu: Floats, Sigma: Floats) -> Floats:
    """A point amid the posterior, (q,): the mean on the real line, or the mode.

    Where nothing fixes a factor's direction the chains may have both, and a mean lies between.
    """
    u = on_real_line(fit)
    mean = u.reshape(-1, u.shape[-1]).mean(0)
    M = reported_matrices(fit.spec, constrained(fit.spec, mean[None]))
    here = discrepancy(sample.S, sample.mu, *implied_moments(fit, M, sample), 1.0)
    draws = discrepancy(sample.S, sample.mu, mu, Sigma, 1.0)
    return mean if here[0] < np.median(draws) else maximum(fit.spec).u


def _information(
    fit: Fit, sample: Sample, found: tuple[Candidate, ...], u: Floats
) -> tuple[Floats, Floats, Floats]:
    """Information on each raw candidate, (candidate,).

    Its own; what is left when the model's own parameters are unknown, too; and what is left when
    they are unknown but have their priors.
    """
    q = len(u)
    M, _, Sigma, *slopes = own_slopes(fit, sample, u, Change())
    more = moment_slopes(found, M)
    both = [np.concatenate(pair) for pair in zip(slopes, more, strict=True)]
    I = expected_information(sample, Sigma, both[0], both[1])
    own, cross, inner = np.diag(I)[q:], I[:q, q:], I[:q, :q]

    def left(H: Floats) -> Floats:
        return np.asarray(own - np.einsum("qc,qc->c", cross, np.linalg.pinv(H) @ cross))

    return own, left(inner), left(inner + prior_information(fit.spec, u))
