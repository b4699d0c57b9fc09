r"""Shares by phase where references cluster in informants: a Dirichlet-multinomial hierarchy.

Informant i of phase p has shares of its own, Dirichlet(kappa theta_p), and its references are
multinomial in them. Two references of one informant then have correlation rho = 1/(1 + kappa).
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr
from scipy.special import gammaln
from scipy.stats import beta

from bayesem.arrays import Floats, Ints
from bayesem.counts.fit import CountData, CountFit, CountSettings
from bayesem.counts.segments import Segments
from bayesem.errors import DataError
from bayesem.sampling.convergence import diagnose
from bayesem.seeds import check_seed

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["RHO_PRIOR", "clustered_shares", "fit_segments", "graph_of_segments"]

#: Prior of the intraclass correlation, Beta: mean .2, a design effect of 4 at 16 references.
RHO_PRIOR: Final = (1.0, 4.0)
#: The correlation is drawn from this many equally probable values of its prior.
GRID: Final = 400
CONCENTRATION: Final = 1.0


def fit_segments(
    segments: Segments,
    *,
    draws: int = 2000,
    tune: int = 500,
    chains: int = 4,
    seed: int | None = None,
) -> CountFit:
    """Posterior of shares by phase, references of one informant resembling each other.

    Parameters
    ----------
    segments : Segments
    draws, tune, chains : int
        Of a Gibbs sampler: shares given the tables of a Chinese restaurant are Dirichlet, and the
        tables given the shares are sums of Bernoulli draws.
    seed : int, optional

    Returns
    -------
    CountFit
        ``phase_share`` (chain, draw, phase, theme) by phase, ``share`` their mean weighted by the
        phases' references, ``intraclass`` the correlation of two references of one informant in
        one phase. Claims name a phase as in ``share(trust | phase = conflict)``.

    Raises
    ------
    DataError
        If there is one informant only, so that nothing shows how they differ.

    Notes
    -----
    Priors: shares of a phase are flat, Dirichlet(1, ..., 1), phases independent; the correlation is
    Beta(1, 4), mean .2, the same in all phases. Informants in two phases count as two clusters.

    References
    ----------
    .. [1] Teh, Jordan, Beal & Blei (2006), Hierarchical Dirichlet processes. *JASA* 101, 1566-1581.
       https://doi.org/10.1198/016214506000000302
    """
    check_seed(seed)
    for name, value, least in (("draws", draws, 4), ("tune", tune, 0), ("chains", chains, 2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise DataError(f"{name} is {value!r}.", hint=f"A whole number of at least {least}.")
    if len(segments.informants) < 2:
        raise DataError(
            "all segments come from one informant, so nothing shows how informants differ.",
            hint="Give the segments of two informants or more.",
        )
    rng = np.random.default_rng(seed)
    start = time.perf_counter()
    counts = segments.counts()
    share, rho = clustered_shares(counts, draws=draws, tune=tune, chains=chains, rng=rng)
    size = len(segments.model.subthemes)
    flat = rng.dirichlet(np.full(size, CONCENTRATION), (chains, draws, len(segments.phases)))
    base = rng.beta(*RHO_PRIOR, (chains, draws))
    quantities = {
        f"share({code} | phase = {phase})": share[:, :, p, k]
        for p, phase in enumerate(segments.phases)
        for k, code in enumerate(segments.model.subthemes)
    }
    convergence = diagnose({**quantities, "intraclass": rho}, {})
    weights = counts.sum((1, 2)) / counts.sum()
    tree = {
        "posterior": _dataset(segments, share, rho, weights),
        "prior": _dataset(segments, flat, base, weights),
        "observed_data": xr.Dataset({"references": xr.DataArray(
            counts, dims=("phase", "informant", "subtheme"),
            coords={"phase": list(segments.phases), "informant": list(segments.informants),
                    "subtheme": list(segments.model.subthemes)})}),
    }  # fmt: skip
    settings = CountSettings("flat", 1.0, "left out", "gibbs", draws, tune, chains, seed or 0)
    made = segments.synthetic
    notes = ["SYNTHETIC DATA: these segments were generated."] if made else []
    notes.append(_clustering(rho, counts))
    return CountFit(
        segments.model, CountData(int(counts.sum()), 0, made), xr.DataTree.from_dict(tree), None,
        convergence, settings, {"sampling": time.perf_counter() - start}, tuple(notes),
        {"phase": segments.phases},
    )  # fmt: skip


def _clustering(rho: Floats, counts: Ints) -> str:
    by_cell = counts.sum(-1)
    each = by_cell[by_cell > 0].mean()
    low, high = np.quantile(rho, (0.025, 0.975))
    effects = 1 + (each - 1) * np.array([rho.mean(), low, high])
    return (
        f"References of one informant in one phase correlate by {rho.mean():.2f} "
        f"[{low:.2f}, {high:.2f}]: at {each:.1f} of them, a design effect of {effects[0]:.1f} "
        f"[{effects[1]:.1f}, {effects[2]:.1f}]. Estimated with the shares, prior Beta(1, 4)."
    )


def _dataset(segments: Segments, share: Floats, rho: Floats, weights: Floats) -> xr.Dataset:
    model = segments.model
    by_phase = _with_themes(model, share, ("chain", "draw", "phase", "theme"))
    by_phase = by_phase.assign_coords(phase=list(segments.phases))
    whole = _with_themes(
        model, np.einsum("cdpk,p->cdk", share, weights), ("chain", "draw", "theme")
    )
    correlation = xr.DataArray(rho, dims=("chain", "draw"))
    return xr.Dataset({"share": whole, "phase_share": by_phase, "intraclass": correlation})


def _with_themes(model: Any, share: Floats, dims: tuple[str, ...]) -> xr.DataArray:
    """Shares of sub-themes with those of their themes before them."""
    position = {name: k for k, name in enumerate(model.subthemes)}
    themes = list(model.themes)
    sums = [share[..., [position[n] for n in model.themes[t]]].sum(-1) for t in themes]
    return xr.DataArray(
        np.concatenate([np.stack(sums, -1), share], -1), dims=dims,
        coords={"theme": [*themes, *model.subthemes],
                "level": ("theme", ["theme"] * len(themes) + ["sub-theme"] * len(position))},
    )  # fmt: skip


# --- the sampler ----------------------------------------------------------------------------------


def clustered_shares(
    counts: Ints, *, draws: int, tune: int, chains: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws of shares by group, and of the correlation within a cluster.

    Parameters
    ----------
    counts : (..., group, cluster, category) int array
        Leading axes are problems of their own, each with a correlation of its own.
    draws, tune, chains : int
    rng : numpy.random.Generator

    Returns
    -------
    (chain, draw, ..., group, category) array, (chain, draw, ...) array
    """
    lead = counts.shape[:-3]
    n = np.broadcast_to(counts, (chains, *counts.shape))
    rho_grid = beta.ppf((np.arange(GRID) + 0.5) / GRID, *RHO_PRIOR)
    kappa_grid = 1 / rho_grid - 1
    totals = counts.sum(-1)
    log_weight = gammaln(kappa_grid) - gammaln(kappa_grid + totals[..., None])
    log_weight = np.where(totals[..., None] > 0, log_weight, 0.0).sum((-3, -2))
    at = rng.integers(GRID, size=(chains, *lead))
    theta = rng.dirichlet(np.full(n.shape[-1], 1.0), (chains, *lead, n.shape[-3]))
    shares = np.empty((chains, draws, *theta.shape[1:]))
    rhos = np.empty((chains, draws, *lead))
    for step in range(tune + draws):
        a = kappa_grid[at][..., None, None, None] * theta[..., None, :]
        tables = _tables(np.broadcast_to(a, n.shape), n, rng)
        gamma = rng.standard_gamma(CONCENTRATION + tables.sum(-2))
        theta = gamma / gamma.sum(-1, keepdims=True)
        at = _index(log_weight + np.log(kappa_grid) * tables.sum((-3, -2, -1))[..., None], rng)
        if step >= tune:
            shares[:, step - tune], rhos[:, step - tune] = theta, rho_grid[at]
    return shares, rhos


def _tables(a: Floats, n: Ints, rng: np.random.Generator) -> Ints:
    """Tables that n customers open under concentration a: a sum of Bernoulli(a/(a + i)) draws."""
    inside = np.flatnonzero(n.ravel())
    size, mass = n.ravel()[inside], a.ravel()[inside]
    i = np.arange(1, max(int(size.max(initial=1)), 1))
    new = rng.uniform(size=(len(size), len(i))) * (mass[:, None] + i) < mass[:, None]
    opened = 1 + (new & (i < size[:, None])).sum(1)
    found = np.zeros(n.size, np.int64)
    found[inside] = opened
    return found.reshape(n.shape)


def _index(log_weight: Floats, rng: np.random.Generator) -> Ints:
    """Places drawn by weight along the last axis."""
    weight = np.exp(log_weight - log_weight.max(-1, keepdims=True))
    up_to = weight.cumsum(-1)
    u = rng.uniform(size=up_to.shape[:-1]) * up_to[..., -1]
    return np.asarray((up_to < u[..., None]).sum(-1))


# --- the graph ------------------------------------------------------------------------------------


def graph_of_segments(fit: CountFit) -> "pm.Model":
    """The same model as a PyMC graph, with the informants' own shares integrated out."""
    import pymc as pm

    counts = fit.draws["observed_data"]["references"].to_numpy()
    phase, informant = np.nonzero(counts.sum(-1))
    observed = counts[phase, informant]
    labels: Sequence[str] = fit.model.subthemes
    coords = {"phase": list(fit.phases["phase"]), "subtheme": list(labels)}
    with pm.Model(coords=coords) as model:
        flat = np.full((len(coords["phase"]), len(labels)), CONCENTRATION)
        theta = pm.Dirichlet("phase_share", flat, dims=("phase", "subtheme"))
        rho = pm.Beta("intraclass", *RHO_PRIOR)
        pm.DirichletMultinomial(
            "references", n=observed.sum(-1), a=(1 / rho - 1) * theta[phase], observed=observed
        )
    return model
