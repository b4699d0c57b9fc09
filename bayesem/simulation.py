"""Data that a model would produce: at a stated truth, under its priors, and under a posterior.

Cases are drawn as the model says they come about (factor residuals, factors, indicators), so
observed predictors that are conditioned on can simply keep their values.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.arrays import Floats, Ints, spaced
from bayesem.casedraws import draw_factors, median_time, observed_columns, twins
from bayesem.data import Answers, Moments
from bayesem.errors import DataError, ModelError, did_you_mean
from bayesem.families import Family, Normal, read_families
from bayesem.matrices import Matrices, implied_covariance
from bayesem.model import Model, read_model
from bayesem.observed import as_observed, numbered, observed_groups, outcome_variable
from bayesem.partable import ParameterTable, parameter_table
from bayesem.posterior import Fit, named_draws
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior
from bayesem.seeds import check_seed
from bayesem.spec import Spec
from bayesem.truth import population

__all__ = [
    "check_draws",
    "flat_draws",
    "predictive",
    "prior_predictive",
    "replicate",
    "replicated_moments",
    "simulate",
    "square_root",
]

#: Numbers held at once while cases are drawn.
BATCH = 4_000_000

#: Numbers of replicated data that are kept at most (4 GB).
MOST_KEPT = 500_000_000

#: Standard deviation of the log of the time at which an observation ends.
LIMIT_SD = 0.5


def simulate(
    model: Model | str,
    n: int,
    truth: Mapping[str, float] | None = None,
    seed: int | np.random.Generator | None = None,
    *,
    identify: str = "marker",
    answers: bool = False,
    families: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Draw synthetic answers from a model at known parameter values.

    Parameters
    ----------
    model : Model or str
    n : int
        Cases; more than there are observed variables.
    truth : mapping of str to float, optional
        Raw values in the metric of ``identify``, by label or ``"lhs op rhs"``; ``~~`` takes
        variances and covariances. Whatever is not named gets a declared value. With s the unit of
        an indicator (1, or a quarter of the codebook's answer scale), m its middle (0, or the
        scale's), and u the unit of a factor (its sd where ``truth`` or the model fixes that, else
        0.7 s of its marker over the marker's loading):

        - loadings 0.7 s/u, paths 0.3 u/u (an observed variable's unit is s), coefficients of
          products 0.1 u/(u u);
        - residual variances 0.51 s**2, (residual) variances of factors u**2;
        - correlations 0.3 between factors and 0.1 between other residuals;
        - observed exogenous predictors are independent with mean m and variance s**2 (standard
          normal without a codebook);
        - free factor means 0, and intercepts such that every observed variable has mean m where the
          factors have mean 0;
        - of other families: unit and variance as if s were 1 (of a logit 1.8), linear predictors
          around 0 if binary and around log 5 for times and counts, ``"years shape"`` 0.5 (scale of
          a Weibull's log time, overdispersion of a negative binomial). Where the outcome itself
          predicts something its unit is 1 if binary, else 5.

        Labels under a constraint that these values break are moved to meet it.
    seed : int or numpy.random.Generator, optional
    identify : {"marker", "unit"}
        The metric of ``truth``. The declared values describe the same population in both.
    answers : bool
        Round to the codebook's answer scale and cut off at its ends. Rounded answers no longer have
        exactly the covariances of ``truth``.
    families : mapping of str to str or Family, optional
        As in :func:`bayesem.fit`. Times with a censoring column are observed up to an independent
        limit, log-normal with an sd of 0.5 of its log and a median twice that of the time at the
        mean of its linear predictor.

    Returns
    -------
    DataFrame
        One row per case; censoring columns stand last. ``attrs["synthetic"]`` is True;
        ``attrs["truth"]`` holds the raw value of every parameter by its name, and of every label
        and defined parameter, and can be given back as ``truth``.

    Raises
    ------
    ModelError
        For a truth that names no parameter, contradicts the model, or implies a covariance matrix
        that is not positive definite.
    DataError
        If ``n`` is too small.

    Examples
    --------
    >>> data = simulate("f =~ x1 + x2 + x3; y ~ b*f", 200, {"b": 0.5}, seed=1)
    >>> data.shape, data.attrs["truth"]["b"], data.attrs["synthetic"]
    ((200, 4), 0.5, True)
    """
    model = model if isinstance(model, Model) else read_model(model)
    kinds = families_of(model, families)
    table = parameter_table(model, identify=identify, fixed_x=False, families=kinds)  # type: ignore[arg-type]
    _check_n(n, len(model.observed))
    if not isinstance(seed, np.random.Generator):
        check_seed(seed)
    scale = _scale(model, table, answers=answers)
    matrices, named = population(model, table, truth or {})
    rng = np.random.default_rng(seed)
    if table.casewise:
        data = _structural(model, table, matrices, int(n), rng)
    else:
        L = np.linalg.cholesky(matrices.Sigma)
        values = matrices.mu + rng.standard_normal((int(n), len(table.indicators))) @ L.T
        data = pd.DataFrame(values, columns=list(table.indicators))
    if scale is not None:
        low, high, columns = scale
        data[columns] = (low + (data[columns] - low).round()).clip(low, high)
    data.attrs.update({"synthetic": True, "truth": named})
    return data


def families_of(model: Model, families: Mapping[str, Any] | None) -> dict[str, Family]:
    """Families of a model's outcomes: those given, and those of its codebook."""
    explained = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    inside = {k: v for k, v in explained.items() if k in model.observed}
    return read_families(families, inside, model.codebook)


def _structural(
    model: Model, table: ParameterTable, M: Matrices, n: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Cases where products or other families enter, so that moments do not suffice."""
    zeta = rng.standard_normal((n, len(table.factors))) @ square_root(M.Psi)
    eta, outcomes = draw_factors(table, M, zeta, rng)
    y = M.nu + eta @ M.Lambda.T
    y += rng.standard_normal(y.shape) @ square_root(M.Theta)
    columns = dict(zip(table.indicators, y.T, strict=True))
    limits = {
        o.name: median_time(o.family, M.factor_mean[o.factor], M.shape[k])
        * 2 * np.exp(LIMIT_SD * rng.standard_normal(n))
        for k, o in enumerate(table.outcomes) if o.family.censored
    }  # fmt: skip
    columns |= observed_columns(table, outcomes, limits)
    flags = [o.family.censored for o in table.outcomes if o.family.censored is not None]
    for name in {*flags} & {*model.observed}:
        raise ModelError(
            f"`{name}` says which times are censored, and the model uses it, too.",
            hint="Take it out of the model.",
        )
    return pd.DataFrame(columns)[[*model.observed, *dict.fromkeys(flags)]]


def prior_predictive(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    draws: int = 500,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    families: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> xr.DataTree:
    """Draw parameters from their exact joint prior, and data from the parameters.

    Parameters
    ----------
    model, data, identify, means, fixed_x, priors, families
        As in :func:`bayesem.fit`. The data say how many cases there are, which cells are missing,
        what the conditioned predictors are, and how wide the default priors are.
    draws : int
    seed : int, optional

    Returns
    -------
    xarray.DataTree
        ``prior``, named as in a fit, and ``prior_predictive``: ``y`` (chain, draw, case, indicator)
        for answers, and each outcome of another family (chain, draw, case) under its own name (see
        :func:`predictive`); ``S`` (divisor n - 1) and, where means are modelled, ``ybar`` for
        moments. Without modelled means, the sample's stand in for the means that have no prior.

    Raises
    ------
    PriorError
        If a prior is improper or outside the built-in families.
    """
    check_draws(draws)
    check_seed(seed)
    ready = prepare(
        model, data, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
        families=families, check=False,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    x = draw_prior(ready.spec, int(draws), rng)
    replicated = replicate(ready.spec, ready.data, ready.spec.matrices(x), rng, about=False)
    prior = numbered(xr.Dataset(named_draws(ready.spec, x[None])))
    return xr.DataTree.from_dict({"prior": prior, "prior_predictive": replicated})


def predictive(
    fit: Fit,
    *,
    draws: int | None = None,
    seed: int = 0,
    variable: str | None = None,
    extend: bool = False,
) -> xr.DataTree:
    """Draw data sets like the observed one from the posterior.

    Parameters
    ----------
    fit : Fit
    draws : int, optional
        Data sets, from draws of the posterior that are evenly spaced over all chains: 200 by
        default; with ``variable`` or ``extend`` from every draw by default, and evenly spaced
        within each chain otherwise.
    seed : int
    variable : str, optional
        Only this indicator or outcome, by case, under its own name, without the cases in which it
        is missing. Where ``fit.draws`` has a ``log_likelihood``, that comes along under the same
        name, so that ``arviz.plot_loo_pit`` and the like hold the variable against its prediction
        from all other cases.
    extend : bool
        Put the group ``posterior_predictive`` into ``fit.draws`` (in the place of an earlier one)
        and return that; chains and draws are numbered as there.

    Returns
    -------
    xarray.DataTree
        ``posterior_predictive``, ``observed_data`` and ``constant_data``, as ArviZ's predictive
        checks take them. Answers: ``y`` (chain, draw, case, indicator), missing where the observed
        cell is. Moments: ``S`` (divisor n - 1), drawn by Wishart, and ``ybar`` where means are
        modelled. Observed predictors that were conditioned on keep their values or moments.

        Each outcome of another family is a variable of its own, named like it (``"y (outcome)"``
        for one called ``y``, ``case`` or ``indicator``), (chain, draw, case), missing where the
        observed one is. Times are those of the event, not cut off where the observation ended;
        ``constant_data`` says under the same name whose event was seen. Where an outcome predicts
        something, what follows is drawn from its new value.

    Raises
    ------
    DataError
        If the posterior has fewer draws, the result would not fit into memory, or there is no such
        variable.
    """
    check_seed(seed)
    if extend and variable is not None:
        raise DataError(
            "extend=True takes whole data sets, and `variable` asks for one variable.",
            hint="Leave one of the two out.",
        )
    rng = np.random.default_rng(seed)
    groups = observed_groups(fit.table, fit.data)
    if not extend and variable is None:
        matrices = flat_draws(fit, 200 if draws is None else draws)
        replicated = replicate(fit.spec, fit.data, matrices, rng, about=True)
        return xr.DataTree.from_dict({"posterior_predictive": replicated, **groups})
    chosen = _within_chains(fit, draws)
    if variable is not None:
        return _of_variable(fit, variable, chosen, rng, groups)
    _check_memory(fit, len(chosen))
    M = fit.matrices().map(lambda a: a[:, chosen].reshape(-1, *a.shape[2:]))
    replicated = replicate(fit.spec, fit.data, M, rng, about=True)
    fit.draws["posterior_predictive"] = xr.DataTree(_by_chain(replicated, fit, chosen))
    return fit.draws


def _within_chains(fit: Fit, draws: int | None) -> Ints:
    """Positions of evenly spaced draws, the same in every chain."""
    chains, each = (fit.draws["posterior"].sizes[dim] for dim in ("chain", "draw"))
    if draws is None:
        return np.arange(each)
    check_draws(draws)
    if draws > chains * each:
        raise _too_many(draws, chains * each)
    return spaced(each, max(1, round(draws / chains)))


def _check_memory(fit: Fit, each: int) -> None:
    if not isinstance(fit.data, Answers):
        return
    numbers = fit.draws["posterior"].sizes["chain"] * each * fit.data.n
    numbers *= len(fit.table.indicators) + len(fit.table.outcomes)
    if numbers > MOST_KEPT:
        raise DataError(
            f"replicated data of {numbers / fit.data.n:.3g} numbers for each of {fit.data.n} cases "
            f"would take {numbers * 8 / 2**30:.0f} GB.",
            hint="Ask for fewer draws=, or for one variable=.",
        )


def _by_chain(replicated: xr.Dataset, fit: Fit, chosen: Ints) -> xr.Dataset:
    """From one long chain to the posterior's chains and draws."""
    posterior = fit.draws["posterior"]
    index = {"chain": posterior["chain"].to_numpy(), "draw": posterior["draw"].to_numpy()[chosen]}
    shape = tuple(len(v) for v in index.values())
    parts = {
        name: (array.dims, array.to_numpy().reshape(*shape, *array.shape[2:]))
        for name, array in replicated.data_vars.items()
    }
    coords = {k: v for k, v in replicated.coords.items() if k not in index}
    return xr.Dataset(parts, coords={**coords, **index}, attrs=replicated.attrs)


def _of_variable(
    fit: Fit, name: str, chosen: Ints, rng: np.random.Generator, groups: Mapping[str, xr.Dataset]
) -> xr.DataTree:
    """One variable's replicates, observed values and, if known, case-wise log-likelihood."""
    if not isinstance(fit.data, Answers):
        raise DataError(
            "this fit rests on moments: there are no cases to replicate one variable of.",
            hint="Leave `variable` out, or fit the raw data.",
        )
    seen = _one(fit.table, groups["observed_data"], name)
    kept = np.flatnonzero(~np.isnan(seen.to_numpy()))
    chains = fit.draws["posterior"].sizes["chain"]
    parts, every = [], fit.matrices()
    for chain in range(chains):  # few data sets at a time: of each only one variable stays
        for part in _chunks(len(chosen), fit.data.values.size):
            M = every.map(lambda a, at=(chain, chosen[part]): a[at])  # type: ignore[misc]
            whole = replicate(fit.spec, fit.data, M, rng, about=True)
            parts.append(_one(fit.table, whole, name).isel(case=kept, chain=0).to_numpy())
    values = np.concatenate(parts).reshape(chains, len(chosen), len(kept))
    family = next((o.family for o in fit.table.outcomes if o.name == name), Normal())
    values, seen = as_observed(family, values), seen[kept]
    seen = seen.copy(data=as_observed(family, seen.to_numpy()))
    posterior = fit.draws["posterior"].isel(draw=chosen).to_dataset()
    index = {k: posterior[k] for k in ("chain", "draw")} | {"case": seen["case"]}
    dims = ("chain", "draw", "case")
    tree = {
        "posterior": posterior,
        "posterior_predictive": xr.Dataset({name: (dims, values)}, coords=index),
        "observed_data": xr.Dataset({name: seen}),
        "constant_data": groups["constant_data"].isel(case=kept),
    }
    if "log_likelihood" in fit.draws.children:
        known = fit.draws["log_likelihood"]["y"].isel(draw=chosen, case=kept)
        tree["log_likelihood"] = xr.Dataset({name: known})
    return xr.DataTree.from_dict(tree)


def _one(table: ParameterTable, data: xr.Dataset, name: str) -> xr.DataArray:
    """An indicator's or an outcome's values."""
    outcomes = {o.name: outcome_variable(o.name) for o in table.outcomes}
    if name in outcomes:
        return data[outcomes[name]]
    if name in table.indicators:
        return data["y"].sel(indicator=name, drop=True)
    known = [*table.indicators, *outcomes]
    raise DataError(
        f"`{name}` is neither an indicator nor an outcome of the model.",
        hint=did_you_mean(name, known) or f"The model has: {', '.join(known[:12])}.",
        label=name,
    )


def flat_draws(fit: Fit, draws: int | None) -> Matrices:
    """Matrices (draw, ...) of evenly spaced posterior draws; all of them for None."""
    matrices = fit.matrices().map(lambda a: a.reshape(-1, *a.shape[2:]))
    total = len(matrices.nu)
    if draws is None:
        return matrices
    check_draws(draws)
    if draws > total:
        raise _too_many(draws, total)
    chosen = spaced(total, draws)
    return matrices.map(lambda a: a[chosen])


def square_root(covariance: Floats) -> Floats:
    """Symmetric root of positive semidefinite matrices (..., k, k)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.mT


# -- replicated data -----------------------------------------------------------------------


def replicate(
    spec: Spec, data: Answers | Moments, M: Matrices, rng: np.random.Generator, *, about: bool
) -> xr.Dataset:
    """New data for each of the matrices (draw, ...), with the cases and missing cells of ``data``.

    ``about`` lets means that are not modelled vary about the sample's, as their flat prior implies.
    """
    names = list(spec.table.indicators)
    held = _held(spec.table)
    if isinstance(data, Answers):
        y, z = _cases(spec, data, M, rng, held, about=about)
        parts: dict[str, Any] = {"y": (("chain", "draw", "case", "indicator"), y[None])}
        for k, outcome in enumerate(spec.table.outcomes):
            drawn = as_observed(outcome.family, z[None, ..., k])
            parts[outcome_variable(outcome.name)] = (("chain", "draw", "case"), drawn)
        coords: dict[str, Any] = {"case": np.arange(data.n), "indicator": names}
    else:
        S, ybar = replicated_moments(spec, data, M, rng)
        parts = {"S": (("chain", "draw", "indicator", "indicator_bis"), S[None])}
        coords = {"indicator": names, "indicator_bis": names}
        if ybar is not None:
            parts["ybar"] = (("chain", "draw", "indicator"), ybar[None])
    out = numbered(xr.Dataset(parts, coords=coords))
    out.attrs["held_fixed"] = ", ".join(names[k] for k in held[0])
    return out


def _held(table: ParameterTable) -> tuple[Ints, Ints]:
    """Positions of conditioned predictors among the indicators and among the factors.

    Outcomes that predict something are conditioned on in the likelihood; new data have new ones.
    """
    new = {table.factors[k] for k in twins(table).values()}
    names = [x for x in table.fixed_x if x not in new]
    rows = [table.indicators.index(x) for x in names]
    inner = [table.factors.index(x) for x in names]
    return np.array(rows, np.int64), np.array(inner, np.int64)


def _cases(
    spec: Spec,
    data: Answers,
    M: Matrices,
    rng: np.random.Generator,
    held: tuple[Ints, Ints],
    *,
    about: bool,
) -> tuple[Floats, Floats]:
    """Answers (draw, case, indicator) and outcomes (draw, case, outcome)."""
    out = np.empty((len(M.nu), *data.values.shape))
    more = np.empty((*out.shape[:2], len(spec.table.outcomes)))
    each = data.n * (2 * out.shape[2] + 2 * M.Beta.shape[-1] + more.shape[2])
    for part in _chunks(len(out), each):
        some = M.map(lambda a, part=part: a[part])  # type: ignore[misc]
        out[part], more[part] = _generate(spec, data.values, some, rng, held, about=about)
    out[:, np.isnan(data.values)] = np.nan
    if more.size:
        more[:, np.isnan(data.outcomes)] = np.nan
    return out, more


def _generate(
    spec: Spec,
    values: Floats,
    M: Matrices,
    rng: np.random.Generator,
    held: tuple[Ints, Ints],
    *,
    about: bool,
) -> tuple[Floats, Floats]:
    where, inner = held
    size, n = len(M.nu), len(values)
    zeta = rng.standard_normal((size, n, M.Psi.shape[-1])) @ square_root(M.Psi)
    base = np.zeros(values.shape[1]) if spec.stats.use_mean else spec.stats.location()
    if len(where):
        zeta[..., inner] = values[:, where] - base[where] - M.alpha[:, None, inner]
    eta, outcomes = draw_factors(spec.table, M, zeta, rng)
    y = M.nu[:, None] + eta @ M.Lambda.mT
    y += rng.standard_normal((size, n, values.shape[1])) @ square_root(M.Theta)
    y += base
    if about and not spec.stats.use_mean:
        y += _normal(_residual_covariance(M, inner) / spec.stats.cases, rng)[:, None]
    y[..., where] = values[:, where]
    return y, outcomes


def replicated_moments(
    spec: Spec, data: Moments, M: Matrices, rng: np.random.Generator
) -> tuple[Floats, Floats | None]:
    """Moments of data sets that a linear model would produce, without drawing their cases.

    Parameters
    ----------
    spec : Spec
    data : Moments
        The number of cases, and the moments of predictors that are conditioned on.
    M : Matrices
        (draw, ...), in the metric of the data.
    rng : numpy.random.Generator

    Returns
    -------
    S : (draw, indicator, indicator_bis) array
        Divisor n - 1, drawn by Wishart.
    ybar : (draw, indicator) array or None
        Where the means are modelled and known.
    """
    where, inner = _held(spec.table)
    names = list(spec.table.indicators)
    rest = np.setdiff1d(np.arange(len(names)), where)
    Q = _residual_covariance(M, inner)
    W = np.zeros_like(Q)
    df = data.n - 1
    W[:, rest[:, None], rest] = _wishart(Q[:, rest[:, None], rest], df - len(where), rng)
    if len(where):
        fixed = df * data.cov.loc[names, names].to_numpy(float)[np.ix_(where, where)]
        slopes = _slopes(M, Q, fixed, rest, inner, rng)
        both = np.swapaxes(slopes @ fixed, 1, 2)
        W[:, rest[:, None], rest] += slopes @ fixed @ slopes.mT
        W[:, where[:, None], rest] = both
        W[:, rest[:, None], where] = both.mT
        W[:, where[:, None], where] = fixed
    if data.mean is None or not spec.stats.use_mean:
        return W / df, None
    ybar = M.mu + _normal(Q / data.n, rng)
    ybar[:, where] = data.mean.loc[names].to_numpy(float)[where]
    return W / df, ybar


def _residual_covariance(M: Matrices, inner: Ints) -> Floats:
    """Covariance of the indicators given the predictors that are conditioned on."""
    Psi = M.Psi.copy()
    Psi[:, inner] = 0
    Psi[:, :, inner] = 0
    return np.asarray(implied_covariance(M.Lambda, M.Beta, Psi, M.Theta))


def _slopes(
    M: Matrices, Q: Floats, fixed: Floats, rest: Ints, inner: Ints, rng: np.random.Generator
) -> Floats:
    """Sample regressions of the others on the held ones, matrix normal, (draw, rest, held)."""
    true = (M.Lambda @ M.A)[:, rest[:, None], inner]
    noise = square_root(Q[:, rest[:, None], rest]) @ rng.standard_normal(true.shape)
    return np.asarray(true + noise @ square_root(np.linalg.inv(fixed)))


def _wishart(Q: Floats, df: int, rng: np.random.Generator) -> Floats:
    """Bartlett's decomposition, (draw, k, k)."""
    size, k = Q.shape[:2]
    T = np.tril(rng.standard_normal((size, k, k)), -1)
    T[:, np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df - np.arange(k), (size, k)))
    L = square_root(Q) @ T
    return np.asarray(L @ L.mT)


def _normal(covariance: Floats, rng: np.random.Generator) -> Floats:
    """One normal vector for each matrix, (draw, k)."""
    z = rng.standard_normal(covariance.shape[:2])
    return np.asarray((square_root(covariance) @ z[..., None])[..., 0])


def _chunks(total: int, each: int) -> Iterator[slice]:
    step = max(1, BATCH // max(each, 1))
    return (slice(k, k + step) for k in range(0, total, step))


# -- checks --------------------------------------------------------------------------------


def _check_n(n: int, p: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n <= p:
        raise DataError(
            f"n is {n!r}; {p} observed variables need at least {p + 1} cases.",
            hint="With fewer the sample covariance matrix is singular.",
        )


def _too_many(draws: int, total: int) -> DataError:
    return DataError(
        f"{draws} draws were asked for, and the posterior has {total}.",
        hint=f"Use draws={total} or fewer.",
    )


def check_draws(draws: int) -> None:
    """Refuse a number of draws that is none."""
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise DataError(f"draws is {draws!r}.", hint="Use a whole number of at least 1.")


def _scale(
    model: Model, table: ParameterTable, *, answers: bool
) -> tuple[float, float, list[str]] | None:
    """Lowest and highest answer and the columns that are answers, if they are to be rounded."""
    if not answers:
        return None
    book = model.codebook
    columns = [v for v in table.indicators if book is not None and v in book.scaled]
    if book is None or book.scale is None or not columns:
        raise ModelError(
            "answers=True needs an answer scale, and the model has no codebook with one.",
            hint="Write `scale = [1, 7]` under [study] in the codebook beside the model.",
        )
    return *book.scale, columns
