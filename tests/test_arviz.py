"""ArviZ's functions on fits: every one that takes a tree, or the reason why it makes no sense.

``fit.draws`` is a tree with the groups that ArviZ knows. The answers ``y`` are one matrix (case,
indicator), and the log-likelihood is one number a case; functions that hold predictions against
single observations take one variable, which ``predictive(fit, variable="x1")`` brings.
"""

import inspect
import warnings

import arviz as az
import arviz_plots as azp
import kinds
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from scipy import stats
from test_scoring import at
from zoo import ZOO

from bayesem.errors import DataError, NotAvailableError
from bayesem.fitting import fit as fit_model
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import constrained, pack
from bayesem.pointwise import case_log_likelihood, compute_log_likelihood
from bayesem.refitting import subset
from bayesem.simulation import predictive
from bayesem.storage import load, save

mpl.use("Agg")
PATH = {"var_names": ["path"]}
X1 = {"coords": {"indicator": "x1"}}

#: On ``fit.draws`` itself.
DRAWS = {
    "plot_autocorr": PATH, "plot_bf": {"var_names": ["b"]}, "plot_convergence_dist": PATH,
    "plot_dgof": PATH, "plot_dgof_dist": {"var_names": ["ab"]}, "plot_dist": PATH,
    "plot_energy": {}, "plot_ess": PATH, "plot_ess_evolution": PATH, "plot_forest": PATH,
    "plot_mcse": PATH, "plot_pair": PATH, "plot_pair_focus": {**PATH, "focus_var": "b"},
    "plot_parallel": PATH, "plot_prior_posterior": PATH,
    "plot_psense_dist": {"var_names": ["ab"]}, "plot_psense_quantities": {"var_names": ["ab"]},
    "plot_rank": PATH, "plot_rank_dist": PATH, "plot_ridge": PATH, "plot_trace": PATH,
    "plot_trace_dist": PATH,
    # replicated data: all indicators at once, or the one that coords name
    "plot_ppc_dist": {"num_samples": 20}, "plot_ppc_tstat": {}, "plot_ppc_pit": X1,
    "plot_ppc_interval": X1,
    # numbers
    "bayes_factor": {"var_names": ["b"]}, "bfmi": {}, "ci_in_rope": {**PATH, "rope": (-0.1, 0.1)},
    "convert_to_dataset": {}, "convert_to_datatree": {}, "diagnose": {},
    "ess": {}, "eti": PATH, "extract": {}, "get_unconstrained_samples": {}, "hdi": PATH,
    "kde": PATH, "loo": {}, "mcse": {}, "mean": PATH, "median": PATH, "mode": PATH, "std": PATH,
    "var": PATH, "iqr": PATH, "mad": PATH, "histogram": PATH, "qds": PATH,
    "psense": PATH, "psense_summary": PATH, "rhat": {}, "summary": {}, "thin": {},
    "rhat_nested": {"superchain_ids": [0, 0, 1, 1]}, "loo_subsample": {"observations": 50},
}  # fmt: skip

#: On ``predictive(fit, variable=...)``.
VARIABLE = {
    "plot_lm": {"x": "size", "y": "x1"}, "plot_loo_interval": {}, "plot_loo_pit": {},
    "plot_ppc_dist_pit": {}, "loo_expectations": {}, "loo_metrics": {}, "loo_pit": {},
    "loo_r2": {"var_name": "x1"}, "loo_score": {}, "metrics": {}, "loo_influence": {},
}  # fmt: skip

#: On fits of other kinds of outcome, or on results; each has a test of its own below.
ELSEWHERE = {
    "plot_compare", "plot_khat", "plot_loo_pava", "plot_ppc_censored", "plot_ppc_pava",
    "plot_ppc_pava_residuals", "plot_ppc_rootogram", "loo_moment_match", "compare",
    "generate_survival_curves", "kaplan_meier", "loo_i",
}  # fmt: skip

#: What makes no sense on a fit, and why.
NOT = {
    "plot_ecdf_pit": "takes the ranks of simulation-based calibration, which no single fit has",
    "bayesian_r2": "takes one predicted mean and sd; an SEM has `bayesem.decomposition.r2`",
    "residual_r2": "takes one predicted mean; an SEM has `bayesem.decomposition.r2`",
    "loo_approximate_posterior": "corrects Laplace or variational draws; these are from NUTS",
    "loo_kfold": "needs ArviZ's own refitting wrapper; `sem.kfold` does it",
    "reloo": "needs ArviZ's own refitting wrapper; `sem.loo` refits where k is bad",
    "lfo_cv": "leaves the future out; cases have no order in time",
    "update_subsample": "continues a `loo_subsample` result",
    "weight_predictions": "mixes several trees; takes a list",
    "kl_divergence": "compares two trees' densities pairwise in few dimensions",
    "wasserstein": "compares two trees",
    "combine_plots": "takes plots", "ecdf": "ArviZ has not written it for trees yet",
    "get_log_likelihood": "reads a group",
    "explode_dataset_dims": "takes a Dataset",
    "kde2d": "takes two arrays", "hexbin": "takes two arrays", "histogram2d": "takes two arrays",
    "dataset_to_dataarray": "takes a Dataset", "dataset_to_dataframe": "takes a Dataset",
    "references_to_dataset": "takes reference values", "xarray_sel_iter": "takes a Dataset",
    "xarray_to_ndarray": "takes a Dataset", "xarray_var_iter": "takes a Dataset",
    "dict_to_dataset": "takes a dictionary", "from_dict": "takes a dictionary",
    "from_netcdf": "reads a file; `sem.load` does", "load_arviz_data": "reads examples",
}  # fmt: skip


@pytest.fixture(scope="module")
def complete():
    """With log-likelihood and replicated data."""
    fit = kinds.fit_of("complete")
    compute_log_likelihood(fit)
    predictive(fit, extend=True, draws=400)
    return fit


@pytest.fixture(scope="module")
def view(complete):
    """40 cases will do: what ArviZ does for each takes its time."""
    tree = predictive(complete, variable="x1", draws=400)
    return tree.map_over_datasets(lambda d: d.isel(case=slice(40)) if "case" in d.dims else d)


@pytest.fixture(autouse=True)
def _closed():
    """Nothing stays open; messages of ArviZ about its own defaults are none of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    mpl.pyplot.close("all")


def _function(name):
    return getattr(azp if name.startswith("plot_") else az, name)


def _draw(function, tree, **arguments):
    options = {"backend": "matplotlib"} if function.__name__.startswith("plot_") else {}
    return function(tree, **options, **arguments)


def test_every_function_is_in_the_catalogue():
    plots = {n for n in dir(azp) if n.startswith("plot_")} - {"plot_collection", "plot_matrix"}
    takes = {
        n for n in dir(az)
        if inspect.isfunction(getattr(az, n)) and not n.startswith(("_", "plot_"))
        and next(iter(inspect.signature(getattr(az, n)).parameters), "")
        in ("data", "dt", "idata", "compare_dict", "obj")
    }  # fmt: skip
    named = set(DRAWS) | set(VARIABLE) | ELSEWHERE | set(NOT)
    assert plots | takes <= named, sorted((plots | takes) - named)


@pytest.mark.parametrize("name", DRAWS)
def test_on_the_draws_themselves(complete, name):
    found = _draw(_function(name), complete.draws, **DRAWS[name])
    assert name == "diagnose" or found is not None


@pytest.mark.parametrize("name", VARIABLE)
def test_on_one_variable(view, name):
    assert _draw(_function(name), view, **VARIABLE[name]) is not None


# -- results, other kinds of data and of outcomes ------------------------------------------


def test_comparison_and_pareto_k(complete):
    smaller = fit_model(
        kinds.LINEAR.replace(" + c*X", ""), kinds.data_of("complete"), draws=250, tune=300, seed=4,
        progress=False,
    )  # fmt: skip
    compute_log_likelihood(smaller)
    table = az.compare({"full": complete.draws, "mediated": smaller.draws})
    assert set(table.index) == {"full", "mediated"}
    whole = az.loo(complete.draws, pointwise=True)
    assert az.loo_i(3, complete.draws).elpd == pytest.approx(float(whole.elpd_i[3]), abs=1e-9)
    azp.plot_compare(table, backend="matplotlib")
    azp.plot_khat(whole, backend="matplotlib")


def test_moment_matching_on_the_unconstrained_draws(complete):
    """Given as ``upars``: left alone, ArviZ takes the posterior's variables, labels twice."""
    spec, array = complete.spec, pack(complete.spec)

    def like(upars, values):
        return xr.DataArray(values.reshape(upars.sizes["chain"], -1), dims=("chain", "draw"))

    def points(upars):
        values = upars.transpose("chain", "draw", ...).to_numpy()
        return np.ascontiguousarray(values.reshape(-1, values.shape[-1]))

    def posterior(upars):
        return like(upars, log_posteriors(array, points(upars), True))

    def unit(upars, i):
        u = points(upars)
        one = subset(complete.data, [int(i)])
        return like(upars, case_log_likelihood(spec, one, u, constrained(spec, u)))

    plain = az.loo(complete.draws, pointwise=True)
    worst = float(np.sort(plain.pareto_k)[-2])
    matched = az.loo_moment_match(
        complete.draws, plain, log_prob_upars_fn=posterior, log_lik_i_upars_fn=unit,
        upars=complete.draws["unconstrained_posterior"]["u"], k_threshold=worst, pointwise=True,
    )  # fmt: skip
    assert matched.pareto_k.max() <= plain.pareto_k.max() + 1e-9
    assert matched.elpd == pytest.approx(plain.elpd, abs=0.05)


def test_missing_cells_leave_their_cases_out():
    fit = kinds.fit_of("missing")
    compute_log_likelihood(fit)
    tree = predictive(fit, variable="m2", draws=200)
    seen = ~np.isnan(kinds.data_of("missing")["m2"].to_numpy())
    assert tree["posterior_predictive"]["m2"].shape == (4, 50, seen.sum())
    np.testing.assert_array_equal(tree["observed_data"]["case"], np.flatnonzero(seen))
    for name in ("plot_loo_pit", "plot_ppc_pit", "plot_ppc_dist", "plot_ppc_interval"):
        _draw(_function(name), tree)
    predictive(fit, extend=True, draws=40)
    azp.plot_ppc_tstat(fit.draws, t_stat="mean", backend="matplotlib")


def test_an_interaction():
    fit = kinds.fit_of("interaction")
    compute_log_likelihood(fit)
    azp.plot_forest(fit.draws, var_names=["interaction", "w"], backend="matplotlib")
    assert {"interaction", "path"} <= set(az.psense(fit.draws).data_vars)
    _draw(azp.plot_loo_pit, predictive(fit, variable="y1", draws=200))


def test_a_binary_outcome():
    fit = kinds.fit_of("outcome")
    compute_log_likelihood(fit)
    tree = predictive(fit, variable="bought", draws=200)
    assert tree["posterior_predictive"]["bought"].dtype.kind == "i"
    assert tree["observed_data"]["bought"].dtype.kind == "i"
    for name in ("plot_ppc_pava", "plot_loo_pava", "plot_loo_pit"):
        _draw(_function(name), tree)
    rate = tree["posterior_predictive"]["bought"].mean(("chain", "draw"))
    azp.plot_ppc_pava_residuals(tree, x_var=rate.rename("rate"), backend="matplotlib")
    predictive(fit, extend=True, draws=40)
    azp.plot_ppc_pava(fit.draws, var_names="bought", backend="matplotlib")


@pytest.mark.parametrize(
    ("name", "variable", "functions"),
    [
        ("poisson", "visits", ["plot_ppc_rootogram", "plot_ppc_dist", "plot_ppc_tstat"]),
        ("weibull, censored", "years", ["plot_ppc_censored", "kaplan_meier",
                                        "generate_survival_curves"]),
    ],
)  # fmt: skip
def test_counts_and_times(name, variable, functions):
    """At made-up draws: ArviZ finds discrete values by type, and events in ``constant_data``."""
    ready = ZOO[name].prepared()
    x = [0.3 if p.variable == "correlation" else 0.5 for p in ready.spec.parameters]
    fit = at(ready, np.array(x), 120)
    fit.draws["posterior"] = xr.DataTree(
        xr.Dataset({"lp": (("chain", "draw"), np.zeros((1, 120)))},
                   {"chain": [0], "draw": np.arange(120)})
    )  # fmt: skip
    tree = predictive(fit, variable=variable)
    for function in functions:
        more = {"var_names": [variable]} if function in functions[1:] else {}
        _draw(_function(function), tree, **more)
    if variable == "years":
        event = tree["constant_data"]["years"].to_numpy()
        np.testing.assert_array_equal(event, 1 - ZOO[name].data["waiting"])


def test_moments_have_no_cases_and_keep_the_rest():
    fit = kinds.fit_of("moments")
    with pytest.raises(NotAvailableError, match="there are no cases"):
        compute_log_likelihood(fit)
    with pytest.raises(DataError, match="no cases to replicate one variable of"):
        predictive(fit, variable="x1")
    assert float(az.psense(fit.draws, var_names=["b"], group="prior")["b"]) >= 0
    azp.plot_rank(fit.draws, var_names=["path"], backend="matplotlib")
    predictive(fit, extend=True, draws=100)
    assert fit.draws["posterior_predictive"]["S"].shape == (4, 25, 10, 10)
    azp.plot_ppc_tstat(fit.draws, var_names="ybar", backend="matplotlib")


# -- the numbers are the right ones --------------------------------------------------------


def test_replicated_draws_stand_at_their_own_parameters(complete):
    """Means of new cases about each draw's own implied mean are standard normal, not wider."""
    predictive(complete, extend=True)
    y = complete.draws["posterior_predictive"]["y"]
    assert y.dims == ("chain", "draw", "case", "indicator")
    M, x1 = complete.matrices(), complete.table.indicators.index("x1")
    x = y.sel(indicator="x1").mean("case").to_numpy()
    z = (x - M.mu[..., x1]) / np.sqrt(M.Sigma[..., x1, x1] / 200)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    np.testing.assert_array_equal(y["draw"], complete.draws["posterior"]["draw"])
    predictive(complete, extend=True, draws=400)
    assert complete.draws["posterior_predictive"]["draw"].to_numpy()[[0, -1]].tolist() == [0, 499]


def test_leave_one_out_pit_of_an_indicator(complete):
    """Against the normal distribution function at each draw, weighted by 1/likelihood."""
    tree = predictive(complete, variable="y3")
    found = az.loo_pit(tree)["y3"].to_numpy()
    M, k = complete.matrices(), complete.table.indicators.index("y3")
    size = complete.data.values[:, complete.table.indicators.index("size")]
    A = M.A
    f, s = (complete.table.factors.index(n) for n in ("Y", "size"))
    shift = M.Lambda[..., k, f] * A[..., f, s]
    mean = M.mu[..., k, None] + shift[..., None] * (size - size.mean())
    inner = M.Psi.copy()
    inner[..., s, :] = inner[..., :, s] = 0
    sd = np.sqrt(M.Lambda[..., k, f] ** 2 * (A @ inner @ A.mT)[..., f, f] + M.Theta[..., k, k])
    inside = stats.norm.cdf((complete.data.values[:, k] - mean) / sd[..., None])
    weight = np.exp(-complete.draws["log_likelihood"]["y"].to_numpy())
    weight /= weight.sum((0, 1))
    expected = (weight * inside).sum((0, 1))
    effective = 1 / (weight**2).sum((0, 1))
    z = (found - expected) / np.sqrt(expected * (1 - expected) / effective)
    assert np.abs(z).max() < 4.5
    assert 0.5 < (z**2).mean() < 1.5


def test_all_groups_are_saved(complete, tmp_path):
    save(complete, tmp_path / "fit.nc")
    again = load(tmp_path / "fit.nc")
    groups = {"log_prior", "log_likelihood", "posterior_predictive", "observed_data",
              "constant_data", "unconstrained_posterior", "prior", "sample_stats"}  # fmt: skip
    assert groups <= set(again.draws.children)
    for group in groups:
        xr.testing.assert_identical(
            again.draws[group].to_dataset(), complete.draws[group].to_dataset()
        )
    assert az.psense_summary(again.draws, var_names=["ab"]).index[0] == "ab"


def test_refusals(complete):
    with pytest.raises(DataError, match="neither an indicator nor an outcome"):
        predictive(complete, variable="x9")
    with pytest.raises(DataError, match="one variable"):
        predictive(complete, variable="x1", extend=True)
    with pytest.raises(DataError, match="posterior has 2000"):
        predictive(complete, extend=True, draws=2001)
