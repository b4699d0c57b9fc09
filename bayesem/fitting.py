"""From model and data to a posterior: the one road that every fit takes."""

import secrets
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.arrays import Floats
from bayesem.common_method import method_note
from bayesem.data import Moments
from bayesem.errors import (
    ConvergenceWarning,
    ModelError,
    NotAvailableError,
    PriorError,
)
from bayesem.model import Model
from bayesem.observed import numbered, observed_groups
from bayesem.posterior import Fit, Settings, named_draws
from bayesem.preparation import Prepared, prepare
from bayesem.prior_density import log_prior_by_kind
from bayesem.priordraws import draw_prior
from bayesem.sampling.convergence import Convergence, Thresholds, diagnose
from bayesem.sampling.ways import FORMS, Tell
from bayesem.seeds import check_seed
from bayesem.spec import Spec

__all__ = ["Clock", "fit", "graph", "sample"]

#: Draws from the prior behind every prior probability.
PRIOR_DRAWS = 10_000


@dataclass(slots=True)
class Clock:
    """Seconds by stage; each stage is told of as it begins."""

    seconds: dict[str, float] = field(default_factory=dict)
    tell: Tell | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        if self.tell is not None:
            self.tell(name, 0, 0)
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def fit(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    ordered: Sequence[str] = (),
    families: Mapping[str, Any] | None = None,
    group: str | None = None,
    equal: Sequence[str] = (),
    cluster: str | None = None,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    identify: str = "marker",
    means: bool = True,
    cross_loadings: float | None = None,
    method_factor: str | None = None,
    method: str = "nuts",
    integrate: str = "auto",
    sampler: str = "nutpie",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    seed: int | None = None,
    progress: bool | Tell = True,
) -> Fit:
    """Sample the posterior of a structural equation model.

    Parameters
    ----------
    model : Model or str
        A model, a shipped study's name, a path to a ``.sem`` file, or model text.
    data : DataFrame or Moments
        One row per case, NaN where an answer is missing (used in full, by pattern); or moments.
    families : mapping of str to str or Family, optional
        Outcomes that are not continuous: ``{"exporting": "bernoulli", "years":
        sem.Lognormal(censored="still_waiting")}``. Known: ``bernoulli`` (probit), ``logit``,
        ``lognormal``, ``weibull``, ``poisson``, ``negative_binomial``; a study's codebook says it
        for its own columns.
    fixed_x : bool
        Condition on observed predictors; with missing cells in them they are modelled.
    priors : str or mapping, optional
        ``"default"``, ``"blavaan"``, or priors by kind (``loadings paths intercepts factor_means
        residual_sd factor_sd correlations``), label or ``"lhs op rhs"``, as text in PyMC's
        parameterisation or PyMC distributions. A prior on ``a ~~ b`` is on the correlation, on ``a
        ~~ a`` on the standard deviation, unless marked ``[cov]``, ``[var]`` or ``[prec]``. A prior
        by kind is in home units (factor variance 1); one by label or cell in the reported metric.
    identify : {"marker", "unit"}
        What gives a factor its scale in everything that is reported.
    means : bool
        Model the intercepts.
    cross_loadings : float, optional
        Free every loading on another factor of first order that the text does not mention, with a
        normal prior around 0 of this sd on the standardised scale, such as 0.08. They are
        identified by these priors, not by the data alone.
    method_factor : str, optional
        Name of a common method factor, such as ``"CMB"``: it moves the answers to all continuous
        indicators of first-order factors alike, in units of their sds, with a half-normal(0.3)
        prior of its one standardised loading, and is uncorrelated with all other factors.
    integrate : {"auto", "quadrature", "cover", "scores"}
        How factors are integrated where products or outcomes of other families need every case: all
        by nodes; the moderators' scores sampled and the rest in closed form; all scores sampled.
        The three have one posterior. The default counts what they cost and says which it took.
    sampler : {"nutpie", "pymc"}
    draws, tune, chains : int
        By chain.
    cores : int, optional
        All that the process may use, by default.
    seed : int, optional
        The same seed gives the same draws, bit for bit.
    progress : bool or callable
        Show a progress bar, or call this with the stage, how much of it is done, and of how much
        (0 where that is unknown); while sampling, from another thread.

    Returns
    -------
    Fit

    Raises
    ------
    BayesemError
        One clear error: what is wrong, where, and what to do.
    NotAvailableError
        For an argument whose capability does not exist yet.
    """
    _refuse(ordered=ordered, group=group, equal=equal, cluster=cluster)
    _check_arguments(method, sampler, draws, tune, chains, cores)
    if integrate not in FORMS:
        raise ModelError(f"integrate is {integrate!r}.", hint=f"Use {', '.join(FORMS)}.")
    check_seed(seed)
    clock = Clock(tell=None if isinstance(progress, bool) else progress)
    with clock.stage("model"):
        ready = prepare(
            model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
            families=families, cross_loadings=cross_loadings, method_factor=method_factor,
        )  # fmt: skip
        if method_factor is not None and not ready.table.casewise:
            plain = prepare(
                model, data, identify=identify, means=means, fixed_x=fixed_x,
                priors=_without(priors, method_factor), families=families,
                cross_loadings=cross_loadings, check=False,
            )  # fmt: skip
            note = method_note(method_factor, ready.spec, plain.spec)
            ready = replace(ready, notes=(*ready.notes, note))
    seed = secrets.randbits(31) if seed is None else int(seed)
    settings = replace(
        ready.settings, draws=draws, tune=tune, chains=chains, seed=seed, sampler=sampler,
        integrate=integrate,
    )  # fmt: skip
    result = sample(ready, settings, clock, cores=cores, progress=progress)
    if not result.converged:
        warnings.warn(str(result.convergence), ConvergenceWarning, stacklevel=2)
    return result


def _without(priors: str | Mapping[str, Any] | None, factor: str) -> str | Mapping[str, Any] | None:
    """The priors of a model that lacks a factor."""
    if not isinstance(priors, Mapping):
        return priors
    return {k: v for k, v in priors.items() if str(k).split()[0] != factor}


def graph(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    families: Mapping[str, Any] | None = None,
    cross_loadings: float | None = None,
    method_factor: str | None = None,
) -> Any:
    """The model as a PyMC graph, without sampling, to read or to extend inside ``with``.

    Parameters
    ----------
    model, data, identify, means, fixed_x, priors, families, cross_loadings, method_factor
        As in :func:`fit`.

    Returns
    -------
    pymc.Model
    """
    from bayesem.graphs import graph_of

    ready = prepare(
        model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
        families=families, cross_loadings=cross_loadings, method_factor=method_factor,
    )  # fmt: skip
    return graph_of(ready.spec, ready.data)


# -- sampling ------------------------------------------------------------------------------


def sample(
    ready: Prepared,
    settings: Settings,
    clock: Clock | None = None,
    *,
    cores: int | None = None,
    progress: bool | Tell = False,
    prior_draws: int = PRIOR_DRAWS,
    thresholds: Thresholds | None = None,
) -> Fit:
    """Run the chains, once more with help if they need it, and judge them.

    Parameters
    ----------
    ready : Prepared
    settings : Settings
    clock : Clock, optional
        To go on with.
    cores : int, optional
    progress : bool or callable
    prior_draws : int
        Of the ``prior`` group; none for 0.
    thresholds : Thresholds, optional
        What the chains must pass.
    """
    from bayesem.sampling.run import run_chains

    clock = clock or Clock()
    attempt = 0
    helped: tuple[str, ...] = ()
    chosen = None
    while True:
        raw = run_chains(
            ready, settings, attempt, clock.stage, cores=cores, progress=progress, chosen=chosen
        )
        with clock.stage("draws"):
            named = named_draws(ready.spec, raw.x)
        with clock.stage("diagnostics"):
            verdict = diagnose(
                _quantities(ready.spec, named, raw.x), raw.statistics,
                interrupted=raw.interrupted, helped=helped, thresholds=thresholds or Thresholds(),
            )  # fmt: skip
        if verdict.ok or attempt == 1 or raw.interrupted or not _curable(verdict):
            break
        attempt, chosen = 1, raw.chosen
        helped = (
            f"sampled again with smaller steps and twice the tuning, because: {verdict.reasons[0]}",
        )
    with clock.stage("draws"):
        tree = _tree(ready, settings, raw, named, prior_draws)
    settings = replace(settings, route=raw.route)
    notes = (*ready.notes, *raw.notes)
    return Fit(
        ready.model, ready.data, tree, ready.table, ready.spec, verdict, dict(clock.seconds),
        settings, notes,
    )  # fmt: skip


def _curable(verdict: Convergence) -> bool:
    """Whether smaller steps and longer tuning may mend what is wrong."""
    return any(
        word in reason
        for reason in verdict.reasons
        for word in ("divergent", "R-hat", "two modes", "E-BFMI", "ESS")
    )


def _quantities(spec: Spec, named: Mapping[str, xr.DataArray], x: Floats) -> dict[str, Floats]:
    """Every free and claimed quantity as (chain, draw)."""
    out: dict[str, Floats] = {}
    for name, array in named.items():
        values = array.to_numpy()
        if values.ndim == 2:
            out[name] = values
            continue
        for k, coordinate in enumerate(array[array.dims[-1]].to_numpy()):
            out[f"{coordinate}"] = values[..., k]
    for scale in spec.scales:
        k = spec.names.index(scale.row.name)
        out[f"{scale.row.name} (unit variance)"] = x[..., k]
    return out


def _tree(
    ready: Prepared,
    settings: Settings,
    raw: Any,
    named: Mapping[str, xr.DataArray],
    prior_draws: int,
) -> xr.DataTree:
    """All groups of ``fit.draws``."""
    spec = ready.spec
    parameter = {"parameter": list(spec.names)}
    dims = ("chain", "draw", "parameter")
    groups: dict[str, xr.Dataset] = {
        "posterior": numbered(xr.Dataset(dict(named))),
        "sample_stats": numbered(
            xr.Dataset({k: (("chain", "draw"), v) for k, v in raw.statistics.items()})
        ),
        "unconstrained_posterior": numbered(xr.Dataset({"u": (dims, raw.u)}, coords=parameter)),
        "sampled_posterior": numbered(xr.Dataset({"x": (dims, raw.x)}, coords=parameter)),
    }
    by_kind = log_prior_by_kind(spec, raw.x)
    groups["log_prior"] = numbered(
        xr.Dataset({kind: (("chain", "draw"), value) for kind, value in by_kind.items()})
    )
    if prior_draws:
        groups |= _prior_groups(spec, settings, prior_draws)
    groups |= observed_groups(ready.table, ready.data)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["inference_library"] = settings.sampler
    return tree


def _prior_groups(spec: Spec, settings: Settings, size: int) -> dict[str, xr.Dataset]:
    rng = np.random.default_rng([settings.seed, 1])
    try:
        x = draw_prior(spec, size, rng)[None]
    except PriorError:
        return {}
    coords = {"parameter": list(spec.names)}
    return {
        "prior": numbered(xr.Dataset(named_draws(spec, x))),
        "sampled_prior": numbered(
            xr.Dataset({"x": (("chain", "draw", "parameter"), x)}, coords=coords)
        ),
    }


# -- checks --------------------------------------------------------------------------------


def _refuse(**arguments: Any) -> None:
    texts = {
        "ordered": "ordinal indicators",
        "group": "several groups",
        "equal": "equality across groups",
        "cluster": "two-level data",
    }
    for name, value in arguments.items():
        given = value is not None if np.ndim(value) == 0 else len(value) > 0
        if given and not (isinstance(value, Mapping) and not value):
            raise NotAvailableError(
                f"`{name}` ({texts[name]}) is not available yet.", hint="Leave it out."
            )


def _check_arguments(
    method: str, sampler: str, draws: int, tune: int, chains: int, cores: int | None
) -> None:
    if method != "nuts":
        raise NotAvailableError(f"method={method!r} is not available yet.", hint='Use "nuts".')
    if sampler not in ("nutpie", "pymc"):
        raise ModelError(f"sampler is {sampler!r}.", hint='Use "nutpie" or "pymc".')
    for name, value, least in (("draws", draws, 4), ("tune", tune, 1), ("chains", chains, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ModelError(
                f"{name} is {value!r}.", hint=f"Use a whole number of at least {least}."
            )
    whole = isinstance(cores, int | np.integer) and not isinstance(cores, bool)
    if cores is not None and not (whole and cores >= 1):
        raise ModelError(f"cores is {cores!r}.", hint="Use a whole number of at least 1.")
