"""Calibration: the test of ranks, what is drawn, and faults that have to be caught."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesem as sem
from bayesem.campaigns import calibration
from bayesem.campaigns.calibration import LIKELIHOOD, gradient_error, replicate_of, run, task_of
from bayesem.campaigns.replicas import data_at, posterior_of
from bayesem.campaigns.uniformity import band, counts_up_to, rank_p_values
from bayesem.errors import DataError, ModelError, SamplingError
from bayesem.kernels.pack import unconstrained
from bayesem.kernels.target import target_of
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior

LINE = "y ~ b*x + c*z\nd := b - c"
FACTOR = "f =~ x1 + x2 + x3\ny ~ b*f"
FAST = {"draws": 150, "tune": 150, "chains": 2, "highest": 19}
QUIET = {"progress": False, "workers": 0}


def sequence(number, seed=1):
    return np.random.SeedSequence(seed, spawn_key=(number,))


def task(text=LINE, n=12, priors=None, families=None, **more):
    data = sem.simulate(text, n, seed=1, families=families)
    ready = prepare(text, data, priors=priors, families=families)
    return task_of(ready, **{**FAST, **more})


# -- uniformity ----------------------------------------------------------------------------


def test_counts_are_those_of_a_loop():
    ranks = np.random.default_rng(1).integers(0, 10, (40, 3))
    slow = [[(ranks[:, k] <= z).sum() for z in range(9)] for k in range(3)]
    assert counts_up_to(ranks, 9).tolist() == slow


def test_p_values_are_uniform_where_ranks_are():
    rng = np.random.default_rng(2)
    p = rank_p_values(rng.integers(0, 50, (60, 1500)), 49)
    for level in (0.01, 0.05, 0.3):
        se = np.sqrt(level * (1 - level) / 1500)
        assert abs((p <= level).mean() - level) < 4 * se
    lower, upper = 1 / 20_001, 1.0
    assert lower <= p.min() <= p.max() <= upper


@pytest.mark.parametrize("a, b", [(1.4, 1.4), (0.7, 0.7), (1.3, 1.0)])
def test_ranks_that_lean_or_bend_are_found(a, b):
    ranks = np.floor(np.random.default_rng(3).beta(a, b, (500, 20)) * 50).astype(int)
    assert np.median(rank_p_values(ranks, 49)) < 0.01


def test_the_band_holds_a_uniform_sample_as_often_as_it_says():
    z, lower, upper = band(80, 19, 0.05)
    ranks = np.random.default_rng(4).integers(0, 20, (80, 3000))
    shares = counts_up_to(ranks, 19) / 80
    outside = ((shares < lower) | (shares > upper)).any(1).mean()
    assert abs(outside - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 3000) + 0.01  # counts are discrete
    assert np.allclose(z, np.arange(1, 20) / 20)


def test_coverage_of_uniform_ranks_is_exact():
    for highest in (19, 49, 99):
        ranks = np.arange(highest + 1)[:, None]
        for mass in (0.5, 0.9):
            assert calibration._coverage(ranks, highest, mass) == pytest.approx(mass)


# -- what is drawn -------------------------------------------------------------------------


def test_new_data_have_the_cells_predictors_and_moments_of_the_template():
    text = "f =~ x1 + x2 + x3\nf ~ g*z"
    data = sem.simulate(text, 200, seed=1)
    data.loc[:30, "x2"] = np.nan
    ready = prepare(text, data)
    x = draw_prior(ready.spec, 1, np.random.default_rng(5))[0]
    many = [data_at(ready, x, np.random.default_rng(k)).values for k in range(40)]
    names = list(ready.table.indicators)
    assert np.isnan(many[0][:31, names.index("x2")]).all()
    assert not np.isnan(many[0][31:]).any()
    assert np.array_equal(many[0][:, names.index("z")], data["z"])
    M = ready.spec.matrices(x)
    x1, z = names.index("x1"), data["z"].to_numpy()
    slope = M.Beta[0, 1] * M.Lambda[x1, 0]
    found = [np.polyfit(z, y[:, x1], 1)[0] for y in many]
    assert abs(np.mean(found) - slope) < 4 * np.std(found) / np.sqrt(40)


def test_times_are_watched_as_long_as_in_the_template():
    families = {"t": sem.Lognormal(censored="ended")}
    text = "f =~ x1 + x2 + x3\nt ~ b*f"
    data = sem.simulate(text, 150, seed=1, families=families)
    ready = prepare(text, data, families=families)
    x = draw_prior(ready.spec, 1, np.random.default_rng(1))[0]
    new = data_at(ready, x, np.random.default_rng(1))
    was = data["ended"].to_numpy() == 1
    assert not new.censored[~was].any()
    assert (new.outcomes[was, 0] <= data["t"].to_numpy()[was]).all()
    stopped = new.censored[:, 0]
    assert np.array_equal(new.outcomes[stopped, 0], data["t"].to_numpy()[stopped])


def test_moments_are_drawn_as_moments():
    data = sem.simulate(FACTOR, 60, seed=1)
    ready = prepare(FACTOR, sem.Moments(data.cov(), 60))
    x = draw_prior(ready.spec, 1, np.random.default_rng(1))[0]
    new = [data_at(ready, x, np.random.default_rng(k)) for k in range(200)]
    cov = np.mean([m.cov.to_numpy() for m in new], 0)
    error = np.std([m.cov.to_numpy() for m in new], 0) / np.sqrt(200)
    assert (np.abs(cov - ready.spec.matrices(x).Sigma) < 4.5 * error).all()
    assert new[0].n == 60
    assert new[0].mean is None


def test_one_replicate_ranks_the_truth_among_the_draws():
    """Against the same fit, read by hand."""
    of = task()
    found = replicate_of(of, 3, sequence(3))
    rng = np.random.default_rng(sequence(3))
    truth = draw_prior(of.ready.spec, 1, rng)
    data = data_at(of.ready, truth[0], rng)
    seed = int(rng.integers(2**31))
    fit = posterior_of(of.ready, data, draws=150, tune=150, chains=2, seed=seed, form="auto",
                       thresholds=calibration.sound(19))  # fmt: skip
    b = fit.draws["posterior"]["b"].to_numpy().ravel()
    k = of.names.index("y ~ x")
    assert found["mean"][k] == pytest.approx(b.mean())
    assert found["truth"][k] == truth[0][fit.spec.names.index("y ~ x")]
    thinned = b[np.linspace(0, 299, 19).round().astype(int)]
    assert found["rank"][k] == (thinned < found["truth"][k]).sum()
    assert of.names == ("y ~ x", "y ~ z", "y ~~ y", "y ~1", "d", LIKELIHOOD)
    assert found["gradient"] < 1e-6


def test_the_log_likelihood_is_that_of_the_data():
    of = task(FACTOR, 40)
    x = draw_prior(of.ready.spec, 2, np.random.default_rng(1))
    found = dict(calibration._quantities(of, of.ready.spec, x, calibration._real(of.ready.spec, x)))
    M = of.ready.spec.matrices(x)
    y = of.ready.data.values
    for k in range(2):
        dense = stats.multivariate_normal(M.mu[k], M.Sigma[k]).logpdf(y).sum()
        assert found[LIKELIHOOD][k] == pytest.approx(dense)


PRODUCT = "f =~ x1 + x2 + x3\ny ~ b*f + g*z + w*f:z"
OUTCOME = "f =~ x1 + x2 + x3\nd ~ b*f"
KINDS = {
    "missing": (FACTOR, {}, {"missing": 0.2}),
    "interaction": (PRODUCT, {}, {}),
    "probit": (OUTCOME, {"families": {"d": "bernoulli"}}, {}),
    "lognormal": (OUTCOME, {"families": {"d": sem.Lognormal(censored="ended")}}, {}),
    "poisson": (OUTCOME, {"families": {"d": "poisson"}}, {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_replicate(kind):
    """Gradient right at the truth, ranks within their bounds, every quantity a number."""
    text, more, holes = KINDS[kind]
    data = calibration._template(sem.read_model(text), 50, holes.get("missing", 0.0),
                                 more.get("families"), "marker", 1)  # fmt: skip
    of = task_of(prepare(text, data, **more), draws=40, tune=60, chains=2, highest=19)
    found = replicate_of(of, 0, sequence(0))
    assert found["gradient"] < 1e-5
    assert all(0 <= rank <= 19 for rank in found["rank"])
    assert np.isfinite([*found["truth"], *found["mean"], *found["sd"]]).all()
    assert of.names[-1] == LIKELIHOOD
    assert len(of.names) == len({*of.names})


# -- the whole -----------------------------------------------------------------------------


def test_calibrate_is_the_same_in_one_go_and_in_two(tmp_path):
    go = partial(sem.calibrate, LINE, 12, seed=2, **FAST, **QUIET)
    whole = go(replicates=8)
    go(replicates=3, store=tmp_path / "a.zarr")
    again = go(replicates=8, store=tmp_path / "a.zarr")
    pd.testing.assert_frame_equal(whole.table, again.table, check_exact=True)
    assert whole.highest == 19
    assert whole.table["label"].tolist() == ["b", "c", "", "", "", ""]
    assert all(len(line) <= 80 for line in str(whole).splitlines())
    with pytest.raises(DataError, match="`draws` is 150 there and 160 here"):
        go(replicates=8, store=tmp_path / "a.zarr", draws=160)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"replicates": 0}, DataError, "replicates is 0"),
        ({"chains": 1}, DataError, "chains is 1"),
        ({"highest": 400}, DataError, "highest is 400, and a fit has 300 draws"),
        ({"alpha": 2.0}, DataError, "alpha is 2.0"),
        ({"missing": 1.0}, DataError, "missing is 1.0"),
        ({"data": pd.DataFrame({"y": [1.0, 2, 4, 3, 1], "x": [1.0, 3, 2, 4, 1],
                                "z": [1.0, 2, 2, 1, 3]}), "missing": 0.1},
         ModelError, "missing cells are those of the data"),
    ],
)  # fmt: skip
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        sem.calibrate(LINE, **{"data": 12, **FAST, **QUIET, **arguments})


def test_nothing_converged_is_an_error():
    with pytest.raises(SamplingError, match="none of 2 replicates came to a posterior"):
        sem.calibrate(FACTOR, 12, replicates=2, draws=10, tune=2, chains=2, highest=19, seed=1,
                      **QUIET)  # fmt: skip


# -- faults --------------------------------------------------------------------------------

GO = {"alpha": 0.01, "seed": 5, "store": None, "scheduler": None, "workers": 0, "progress": False}


def worst(found):
    return str(found.table.loc[found.table["ecdf_p"].idxmin(), "quantity"])


def test_a_wrong_prior_is_caught():
    """Truths have paths of sd 1 and the fit believes in .25; nothing else is wrong."""
    right, wrong = task(n=6), task(n=6, priors={"paths": "normal(0, 0.25)"})
    found = run(replace(wrong, origin=right.ready.spec), 60, **GO)
    assert not found.ok
    assert worst(found) in ("y ~ x", "y ~ z", "d", LIKELIHOOD)
    assert "NOT CALIBRATED: ranks of" in str(found)


@pytest.mark.slow
def test_a_missing_jacobian_is_caught(monkeypatch):
    """The density of a standard deviation without what its logarithm adds.

    With 4 cases that is .4 posterior sds, .1 of the ranks' range: four standard errors of 150.
    """
    monkeypatch.setattr("bayesem.sampling.forms.target_of", partial(target_of, jacobian=False))
    found = run(task("y ~ b*x", n=4, draws=250, tune=250), 150, **GO)
    assert not found.ok, str(found)
    assert worst(found) == "y ~~ y"


def test_a_wrong_gradient_is_caught(monkeypatch):
    """In the target that the sampler is given, looked at where truths lie."""
    of = task(n=6)
    u = unconstrained(of.ready.spec, draw_prior(of.ready.spec, 1, np.random.default_rng(1))[0])
    assert gradient_error(of.ready.spec, "auto", u) < 1e-6
    right = calibration.target_for

    def wrong(spec, form):
        found = right(spec, form)
        return replace(found, density=bent(found.density))

    monkeypatch.setattr(calibration, "target_for", wrong)
    assert gradient_error(of.ready.spec, "auto", u) > 0.01
    found = run(of, 3, **GO)
    assert not found.ok
    assert found.table["uniform"].all()
    assert "NOT CALIBRATED: the sampler's gradient is off" in str(found)


def bent(evaluate):
    """The gradient's first element is half as large again; the value is right."""

    def wrong(array, u):
        value, gradient = evaluate(array, u)
        gradient = gradient.copy()
        gradient[0] *= 1.5
        return value, gradient

    return wrong


@pytest.mark.slow
def test_a_wrong_gradient_in_the_sampler_is_caught(monkeypatch):
    """Ranks may stay uniform, as acceptance corrects for wrong directions: differences show it."""
    from bayesem.sampling.engine import sample_kernel

    def wrong(spec, **options):
        right = target_of(spec, **options)
        return replace(right, density=bent(right.density), white=bent(right.white))

    monkeypatch.setattr("bayesem.sampling.forms.target_of", wrong)
    monkeypatch.setattr("bayesem.sampling.run.sample_kernel", partial(sample_kernel, private=False))
    of = task(n=6, draws=40, tune=60, highest=9)
    try:
        found = run(of, 2, **GO)
    except SamplingError:  # no chain passes at all
        return
    assert not found.ok
    assert found.gradient > 0.01


@pytest.mark.slow
def test_the_right_one_passes():
    """The very campaigns of the faults, without one."""
    assert run(task(n=6), 60, **GO).ok
    found = run(task("y ~ b*x", n=4, draws=250, tune=250), 150, **GO)
    assert found.ok, str(found)
    assert found.gradient < 1e-6
