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
from bayesem.data import Answers, Moments, Statistics, read_answers, statistics
from bayesem.errors import (
    ConvergenceWarning,
    DataError,
    ModelError,
    NotAvailableError,
    PriorError,
    did_you_mean,
)
from bayesem.families import read_families
from bayesem.identification import check_identification
from bayesem.model import Model, read_model
from bayesem.outcomes import read_outcomes, with_twins
from bayesem.partable import ParameterTable, parameter_table
from bayesem.posterior import Fit, Settings, named_draws, reserved
from bayesem.priordraws import draw_prior
from bayesem.sampling.convergence import Convergence, diagnose
from bayesem.sampling.ways import FORMS
from bayesem.seeds import check_seed
from bayesem.spec import Spec
from bayesem.specification import specification

__all__ = ["Prepared", "fit", "graph", "prepare"]

#: Draws from the prior behind every prior probability.
PRIOR_DRAWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before sampling."""

    model: Model
    data: Answers | Moments
    table: ParameterTable
    spec: Spec
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def prepare(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    families: Mapping[str, Any] | None = None,
    check: bool = True,
) -> Prepared:
    """Read model and data, write the parameter table and check identification.

    Raises
    ------
    BayesemError
        Naming what is wrong with the model, the data, the priors or the identification.
    """
    model = read_model(model) if not isinstance(model, Model) else model
    notes: list[str] = []
    if isinstance(data, Moments) and data.mean is None and means:
        means = False
        notes.append(
            "only the covariance matrix was given, so the means are not modelled (Wishart)"
        )
    for name, value in (("means", means), ("fixed_x", fixed_x)):
        if not isinstance(value, bool | np.bool_):
            raise ModelError(f"{name} is {value!r}.", hint="Use True or False.")
    _check_names(model, data)
    explained = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    explained = {k: v for k, v in explained.items() if k in model.observed}
    kinds = read_families(families, explained, model.codebook)
    options = {"identify": identify, "means": means, "families": kinds}
    table = parameter_table(model, fixed_x=fixed_x, **options)  # type: ignore[arg-type]
    if table.casewise and isinstance(data, Moments):
        raise NotAvailableError(
            "products of factors and outcomes of other families need answers case by case, and "
            "these are moments.",
            hint="Fit the raw data.",
        )
    kept = _read(model, table, data)
    if isinstance(kept, Answers) and table.fixed_x and _missing_in(kept, table.fixed_x):
        table = parameter_table(model, fixed_x=False, **options)  # type: ignore[arg-type]
        notes.append(
            f"cells are missing in {_quoted(_missing_in(kept, table.phantoms))}, so "
            "the observed predictors are modelled and not conditioned on"
        )
    stats = statistics(kept, table.indicators, means=means)
    notes += _data_notes(kept, stats)
    spread, centre = _codebook_scale(model, table, kept, stats)
    cases = kept if table.casewise and isinstance(kept, Answers) else None
    spec = specification(table, stats, priors=priors, spread=spread, centre=centre, cases=cases)
    if check:
        from bayesem.sampling.starts import rough_point

        check_identification(spec, rough_point(spec))
    return Prepared(model, kept, spec.table, spec, (*notes, *spec.notes))


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
    progress: bool = True,
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
    integrate : {"auto", "quadrature", "cover", "scores"}
        How factors are integrated where products or outcomes of other families need every case: all
        by nodes; the moderators' scores sampled and the rest in closed form; all scores sampled.
        The three have one posterior. The default measures what they cost and says which it took.
    sampler : {"nutpie", "pymc"}
    draws, tune, chains : int
        By chain.
    cores : int, optional
        All that the process may use, by default.
    seed : int, optional
        The same seed gives the same draws, bit for bit.
    progress : bool
        Show a progress bar.

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
    _refuse(
        ordered=ordered, group=group, equal=equal, cluster=cluster,
        cross_loadings=cross_loadings, method_factor=method_factor,
    )  # fmt: skip
    _check_arguments(method, sampler, draws, tune, chains, cores)
    if integrate not in FORMS:
        raise ModelError(f"integrate is {integrate!r}.", hint=f"Use {', '.join(FORMS)}.")
    check_seed(seed)
    clock = _Clock()
    with clock.stage("model"):
        ready = prepare(
            model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
            families=families,
        )  # fmt: skip
    seed = secrets.randbits(31) if seed is None else int(seed)
    settings = Settings(
        ready.spec.preset, identify, ready.table.means, bool(ready.table.fixed_x), draws, tune,
        chains,
        seed, sampler, prior_text=_prior_text(ready.spec), priors_argument=priors,
        integrate=integrate, families=families,
    )  # fmt: skip
    result = _sample(ready, settings, clock, cores=cores, progress=progress)
    if not result.converged:
        warnings.warn(str(result.convergence), ConvergenceWarning, stacklevel=2)
    return result


def graph(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    families: Mapping[str, Any] | None = None,
) -> Any:
    """The model as a PyMC graph, without sampling, to read or to extend inside ``with``.

    Parameters
    ----------
    model, data, identify, means, fixed_x, priors, families
        As in :func:`fit`.

    Returns
    -------
    pymc.Model
    """
    from bayesem.graphs import graph_of

    ready = prepare(
        model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
        families=families,
    )  # fmt: skip
    return graph_of(ready.spec, ready.data)


# -- sampling ------------------------------------------------------------------------------


def _sample(
    ready: Prepared, settings: Settings, clock: _Clock, *, cores: int | None, progress: bool
) -> Fit:
    """Run the chains, once more with help if they need it, and judge them."""
    from bayesem.sampling.run import run_chains

    attempt = 0
    helped: tuple[str, ...] = ()
    while True:
        raw = run_chains(ready, settings, attempt, clock.stage, cores=cores, progress=progress)
        with clock.stage("draws"):
            named = named_draws(ready.spec, raw.x)
        with clock.stage("diagnostics"):
            verdict = diagnose(
                _quantities(ready.spec, named, raw.x), raw.statistics,
                interrupted=raw.interrupted, helped=helped,
            )  # fmt: skip
        if verdict.ok or attempt == 1 or raw.interrupted or not _curable(verdict):
            break
        attempt = 1
        helped = (
            f"sampled again with smaller steps and twice the tuning, because: {verdict.reasons[0]}",
        )
    with clock.stage("draws"):
        tree = _tree(ready, settings, raw, named)
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
    ready: Prepared, settings: Settings, raw: Any, named: Mapping[str, xr.DataArray]
) -> xr.DataTree:
    """All groups of ``fit.draws``."""
    spec = ready.spec
    parameter = {"parameter": list(spec.names)}
    dims = ("chain", "draw", "parameter")
    groups: dict[str, xr.Dataset] = {
        "posterior": _numbered(xr.Dataset(dict(named))),
        "sample_stats": _numbered(
            xr.Dataset({k: (("chain", "draw"), v) for k, v in raw.statistics.items()})
        ),
        "unconstrained_posterior": _numbered(xr.Dataset({"u": (dims, raw.u)}, coords=parameter)),
        "sampled_posterior": _numbered(xr.Dataset({"x": (dims, raw.x)}, coords=parameter)),
    }
    if raw.log_prior is not None:
        groups["log_prior"] = _numbered(
            xr.Dataset({"log_prior": (("chain", "draw"), raw.log_prior)})
        )
    groups |= _prior_groups(spec, settings)
    groups |= _observed(ready)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["inference_library"] = settings.sampler
    return tree


def _prior_groups(spec: Spec, settings: Settings) -> dict[str, xr.Dataset]:
    rng = np.random.default_rng([settings.seed, 1])
    try:
        x = draw_prior(spec, PRIOR_DRAWS, rng)[None]
    except PriorError:
        return {}
    coords = {"parameter": list(spec.names)}
    return {
        "prior": _numbered(xr.Dataset(named_draws(spec, x))),
        "sampled_prior": _numbered(
            xr.Dataset({"x": (("chain", "draw", "parameter"), x)}, coords=coords)
        ),
    }


def _numbered(data: xr.Dataset) -> xr.Dataset:
    return data.assign_coords(
        chain=np.arange(data.sizes["chain"]), draw=np.arange(data.sizes["draw"])
    )


def _observed(ready: Prepared) -> dict[str, xr.Dataset]:
    names = list(ready.table.indicators)
    if isinstance(ready.data, Answers):
        y = xr.Dataset(
            {"y": (("case", "indicator"), ready.data.values)},
            coords={"case": np.arange(ready.data.n), "indicator": names},
        )
        for k, outcome in enumerate(ready.table.outcomes):
            y[outcome.name] = (("case",), ready.data.outcomes[:, k])
            if outcome.family.censored is not None:
                y[f"{outcome.name} censored"] = (("case",), ready.data.censored[:, k])
        constant = xr.Dataset({"n": ready.data.n, "synthetic": ready.data.synthetic})
        return {"observed_data": y, "constant_data": constant}
    cov = ready.data.cov.loc[names, names].to_numpy(float)
    parts: dict[str, Any] = {"S": (("indicator", "indicator_bis"), cov)}
    if ready.data.mean is not None:
        parts["ybar"] = (("indicator",), ready.data.mean.loc[names].to_numpy(float))
    observed = xr.Dataset(parts, coords={"indicator": names, "indicator_bis": names})
    return {"observed_data": observed, "constant_data": xr.Dataset({"n": ready.data.n})}


# -- checks --------------------------------------------------------------------------------


def _refuse(**arguments: Any) -> None:
    texts = {
        "ordered": "ordinal indicators",
        "group": "several groups",
        "equal": "equality across groups",
        "cluster": "two-level data",
        "cross_loadings": "small-variance cross-loadings",
        "method_factor": "a common-method factor",
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


def _check_names(model: Model, data: Any) -> None:
    """Names that collide, and names that are neither a factor nor a column (with their place)."""
    taken = reserved([*model.labels, *(d.name for d in model.definitions)])
    if taken:
        raise ModelError(
            f"the label `{sorted(taken)[0]}` is the name of one of the posterior's own variables.",
            hint="Choose another label.",
        )
    columns, latent = _columns(data), model.factors
    known = {*columns, *latent}
    for statement in model.parsed.statements:
        label = statement.term.label
        if label in known:
            raise ModelError(
                f"`{label}` is a label here, but also the name of a variable.",
                span=statement.term.span,
                hint=f"For a product write `{label}:{statement.term.name}`; else rename the label.",
            )
    for statement in model.parsed.statements:
        for name in (statement.lhs, *statement.term.factors):
            if name and name not in known:
                raise ModelError(
                    f"`{name}` is neither a factor nor a column of the data.",
                    span=statement.term.span if name != statement.lhs else statement.span,
                    hint=did_you_mean(name, [*latent, *columns])
                    or f"The data have: {_listed(columns)}.",
                )
    for factor in latent:
        if factor in columns:
            raise ModelError(
                f"`{factor}` is a factor of the model and also a column of the data.",
                hint="Rename one of them, so that it is clear which is meant.",
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return shown or "no columns"


def _columns(data: Any) -> list[str]:
    if isinstance(data, Moments):
        return [str(c) for c in data.cov.columns]
    if isinstance(data, pd.DataFrame):
        return [str(c) for c in data.columns]
    raise DataError(
        f"data is a {type(data).__name__}, not a DataFrame or Moments.",
        hint="Read the file first: `pandas.read_csv(path)`.",
    )


def _read(model: Model, table: ParameterTable, data: pd.DataFrame | Moments) -> Answers | Moments:
    if isinstance(data, Moments):
        return data
    book = model.codebook
    scaled = [v for v in table.indicators if book is not None and v in book.scaled]
    generated = bool(data.attrs.get("synthetic"))  # generated values know no answer scale
    scale = book.scale if book is not None and scaled and not generated else None
    data = with_twins(data, table)
    answers = read_answers(data, table.indicators, scale=scale, scaled=scaled)
    return read_outcomes(data, answers, table)


def _missing_in(data: Answers, names: Sequence[str]) -> list[str]:
    return [v for v in names if np.isnan(data.values[:, data.names.index(v)]).any()]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _data_notes(data: Answers | Moments, stats: Statistics) -> list[str]:
    if isinstance(data, Moments):
        return [f"reading: {data.reading}"] if data.reading else []
    notes = []
    if data.synthetic:
        notes.append("SYNTHETIC DATA: these rows were generated, not observed")
    if data.missing:
        share = data.missing / data.values.size
        notes.append(
            f"{data.missing} missing cells ({share:.1%}) in {len(stats.n)} patterns, used in full "
            "(assuming they are missing at random)"
        )
    if stats.cases < data.n:
        notes.append(f"{data.n - stats.cases} rows are empty and say nothing")
    return notes


def _codebook_scale(
    model: Model, table: ParameterTable, data: Answers | Moments, stats: Statistics
) -> tuple[Floats, Floats]:
    """Scale and middle of each indicator's priors: the codebook's, else the sample's."""
    spread, centre = stats.scale(), stats.location()
    book = model.codebook
    if book is None or book.scale is None or (isinstance(data, Moments) and data.standardized):
        return spread, centre
    low, high = book.scale
    known = np.array([v in book.scaled for v in table.indicators])
    return np.where(known, (high - low) / 4, spread), np.where(known, (high + low) / 2, centre)


def _prior_text(spec: Spec) -> dict[str, str]:
    return {p.name: str(p.prior) for p in spec.parameters if p.prior is not None}
