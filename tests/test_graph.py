"""The PyMC graph as a user meets it: dims, predictive sampling, and room to extend it."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from zoo import ZOO

import bayesem as sem

FAST = {"mode": "FAST_COMPILE"}


def _graph(name):
    specimen = ZOO[name]
    return sem.graph(specimen.text, specimen.data, **specimen.arguments)


def test_named_dimensions_and_one_variable_per_kind():
    graph = _graph("democracy, unit")
    names = {rv.name for rv in graph.free_RVs}
    assert names == {"loading", "path", "residual_sd", "correlation", "intercept"}
    assert graph.named_vars_to_dims["loading"] == ("loadings",)
    assert graph.named_vars_to_dims["Lambda"] == ("indicator", "factor")
    assert list(graph.coords["paths"]) == ["dem60 ~ ind60", "dem65 ~ ind60", "dem65 ~ dem60"]
    assert {"a", "b", "c", "ac", "whole"} <= set(graph.named_vars)


def test_each_matrix_depends_only_on_what_it_holds():
    graph = _graph("democracy")
    from pytensor.graph.traversal import ancestors

    def parents(name):
        return {v.name for v in ancestors([graph[name]]) if v in graph.free_RVs}

    assert parents("Lambda") == {"unit_loading"}
    assert parents("Beta") == {"unit_path"}
    assert parents("Theta") == {"residual_sd", "correlation"}
    assert parents("nu") == {"intercept"}


def test_marker_metric_is_a_rescaling_of_home(democracy):
    """Deterministics of the graph at one draw equal the fit's own draws."""
    graph = democracy.graph
    draw = democracy.draws["sampled_posterior"]["x"][0, 0]
    given = {rv: _pick(graph, rv, draw) for rv in graph.free_RVs}
    wanted = ["loading", "path", "factor_sd", "a", "ac"]
    values = pytensor.function(
        [], [graph[w] for w in wanted], givens=[(rv, pt.constant(v)) for rv, v in given.items()],
        mode="FAST_COMPILE", on_unused_input="ignore",
    )()  # fmt: skip
    for name, value in zip(wanted, values, strict=True):
        np.testing.assert_allclose(value, democracy.draws["posterior"][name][0, 0], rtol=1e-10)


def _pick(graph, rv, draw):
    coords = list(graph.coords[graph.named_vars_to_dims[rv.name][0]])
    return draw.sel(parameter=coords).to_numpy()


@pytest.mark.parametrize("name", ["democracy", "mimic"])
def test_posterior_predictive_has_the_implied_moments(name):
    """pm.sample_posterior_predictive at one fixed point of the parameters, many data sets."""
    specimen = ZOO[name]
    ready = specimen.prepared()
    graph = _graph(name)
    from bayesem.kernels.pack import constrained
    from bayesem.sampling.starts import maximum

    x = constrained(ready.spec, maximum(ready.spec).u)
    draw = xr.DataArray(x, dims="parameter", coords={"parameter": list(ready.spec.names)})
    size = 300
    dims = {rv.name: graph.named_vars_to_dims[rv.name][0] for rv in graph.free_RVs}
    points = {}
    for rv in graph.free_RVs:
        value = _pick(graph, rv, draw)
        repeated = np.broadcast_to(value, (1, size, *value.shape))
        points[rv.name] = (("chain", "draw", dims[rv.name]), repeated)
    coords = {dim: list(graph.coords[dim]) for dim in dims.values()}
    with graph:
        y = pm.sample_posterior_predictive(
            xr.DataTree.from_dict({"posterior": xr.Dataset(points, coords=coords)}), var_names=["y"],
            random_seed=1, progressbar=False, compile_kwargs=FAST,
        )["posterior_predictive"]["y"].to_numpy()[0]  # fmt: skip
    M = ready.spec.matrices(x)
    names = list(ready.table.indicators)
    fixed = [names.index(v) for v in ready.table.fixed_x]
    free = [k for k in range(len(names)) if k not in fixed]
    observed = ready.data.values
    assert (y[:, :, fixed] == observed[:, fixed]).all()
    rows = y[:, :, free].reshape(-1, len(free))
    Sigma = M.Sigma
    slope = np.linalg.solve(Sigma[np.ix_(fixed, fixed)], Sigma[np.ix_(fixed, free)]) if fixed else 0
    shift = (observed[:, fixed] - M.mu[fixed]) @ slope if fixed else 0
    centred = rows - np.tile(M.mu[free] + shift * np.ones((len(observed), 1)), (size, 1))
    cov = Sigma[np.ix_(free, free)] - (Sigma[np.ix_(free, fixed)] @ slope if fixed else 0)
    sd = np.sqrt(np.diag(cov))
    z = centred.mean(0) / (sd / np.sqrt(len(rows)))
    assert np.abs(z).max() < 4.5
    error = (np.cov(centred.T) - cov) / np.outer(sd, sd)
    assert np.abs(error).max() < 4.5 * np.sqrt(2 / len(rows))


def test_graph_can_be_extended():
    """A further outcome on a factor's path, inside `with`; the density is the sum of both."""
    graph = _graph("democracy, unit")
    before = graph.compile_logp(mode="FAST_COMPILE")
    point = graph.initial_point()
    alone = float(before(point))
    with graph:
        extra = pm.Normal("extra", graph["a"], 1.0, observed=0.3)
    after = graph.compile_logp(mode="FAST_COMPILE")
    a = point["path"][list(graph.coords["paths"]).index("dem60 ~ ind60")]
    expected = -0.5 * np.log(2 * np.pi) - 0.5 * (0.3 - a) ** 2
    assert float(after(point)) - alone == pytest.approx(expected, abs=1e-6)
    assert extra in graph.observed_RVs


def test_graphviz_is_legible():
    pytest.importorskip("graphviz")
    source = pm.model_to_graphviz(_graph("democracy")).source
    for words in ("unit_loading", "Truncated", "LKJBlocks", "LinearSEM", "indicator (11)"):
        assert words in source
