"""The sampler: reproducible, the same by every route, and honest about chains that disagree."""

import numpy as np
import pandas as pd
import pytest
from texts import DEMOCRACY, HOLZINGER

from bayesem.data import Moments
from bayesem.decomposition import effects, r2
from bayesem.errors import ConvergenceWarning, IdentificationError
from bayesem.fitting import fit
from bayesem.kernels.linear import log_posterior
from bayesem.kernels.pack import pack
from bayesem.kernels.target import target_of
from bayesem.preparation import prepare
from bayesem.sampling import run
from bayesem.sampling.convergence import diagnose
from bayesem.sampling.engine import sample_kernel
from bayesem.sampling.starts import maximum, overdispersed, whitened
from bayesem.scoring import scores
from bayesem.summaries import summary


def _sample(spec, *, private, cores=2, seed=3, draws=300):
    mode = maximum(spec)
    target = target_of(spec)
    model = whitened(target, mode)
    return sample_kernel(
        target,
        model,
        lambda s: overdispersed(target, model, mode, np.random.default_rng(s)),
        draws=draws, tune=300, chains=4, cores=cores, seed=seed, target_accept=0.9, progress=False,
        private=private,
    )  # fmt: skip


def test_public_route_gives_the_same_draws(democracy_data):
    """Should nutpie's private parts change, its public route takes over, draw for draw."""
    spec = prepare(DEMOCRACY, democracy_data).spec
    private, public = (_sample(spec, private=p) for p in (True, False))
    assert (private.route, public.route) == ("kernel", "kernel (public route)")
    np.testing.assert_array_equal(private.u, public.u)


def test_seed_and_cores(democracy_data):
    """The same seed gives the same bits on one core and on two; another seed does not."""
    spec = prepare(DEMOCRACY, democracy_data).spec
    one, two, other = (
        _sample(spec, private=True, cores=c, seed=s, draws=50) for c, s in ((1, 3), (2, 3), (2, 4))
    )
    np.testing.assert_array_equal(one.u, two.u)
    assert not np.array_equal(one.u, other.u)


def test_fit_reproduces(democracy, democracy_data):
    again = fit(DEMOCRACY, democracy_data, seed=1, progress=False)
    pd.testing.assert_frame_equal(summary(again), summary(democracy))


def test_default_fit_converges(democracy):
    assert democracy.converged, democracy.convergence
    assert str(democracy.convergence).startswith("converged")
    assert summary(democracy).attrs["convergence"] == str(democracy.convergence)


def test_raw_data_and_moments_have_one_density(democracy_data):
    """To rounding, at points all over the posterior."""
    names = list(prepare(DEMOCRACY, democracy_data).table.indicators)
    data = democracy_data[names]
    specs = [prepare(DEMOCRACY, d).spec for d in (data, Moments(data.cov(), 75, data.mean()))]
    mode, models = maximum(specs[0]), [pack(s) for s in specs]
    rng = np.random.default_rng(0)
    for _ in range(20):
        u = mode.u + rng.normal(0, 0.1, mode.u.shape)
        (a, g), (b, h) = (log_posterior(m, u, True) for m in models)
        assert a == pytest.approx(b, rel=1e-11)
        np.testing.assert_allclose(g, h, rtol=1e-8, atol=1e-8)


def test_raw_data_and_moments_with_means_are_one_posterior(democracy, democracy_data):
    names = list(democracy.table.indicators)
    data = democracy_data[names]
    same = fit(DEMOCRACY, Moments(data.cov(), 75, data.mean()), seed=1, progress=False)
    a, b = summary(democracy), summary(same)
    mcse = np.sqrt(a["sd"] ** 2 / a["ess_bulk"] + b["sd"] ** 2 / b["ess_bulk"]).fillna(1e-12)
    assert (np.abs(a["mean"] - b["mean"]) <= 4 * mcse).all()


def test_identify_does_not_change_the_standardised_posterior(democracy, democracy_data):
    unit = fit(DEMOCRACY, democracy_data, identify="unit", seed=1, progress=False)
    a, b = (
        summary(f, standardized=True).set_index(["lhs", "op", "rhs"]) for f in (democracy, unit)
    )
    keys = [k for k in a.index if k[1] in ("=~", "~")]
    np.testing.assert_allclose(a.loc[keys, "mean"], b.loc[keys, "mean"], rtol=1e-9)


def test_second_mode_is_named():
    """Two chains elsewhere: the verdict names the quantity, the chains and both log-posteriors."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 500))
    a[2:] += 30
    lp = np.where(np.arange(4)[:, None] < 2, -10.0, -55.0) + rng.normal(size=(4, 500))
    verdict = diagnose({"b": a, "ok": rng.normal(size=(4, 500))}, {"lp": lp})
    assert not verdict.ok
    assert "two modes: `b`" in verdict.reasons[0]
    assert "chains [0, 1]" in verdict.reasons[0]
    assert "-10" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"diverging": np.eye(4, 500, dtype=bool)}, "4 divergent transitions"),
        ({"energy": np.cumsum(np.ones((4, 500)), 1) / 50}, "E-BFMI"),
    ],
)
def test_other_reasons(change, fragment):
    rng = np.random.default_rng(0)
    verdict = diagnose(
        {"b": rng.normal(size=(4, 500))}, {"energy": rng.normal(size=(4, 500))} | change
    )
    assert not verdict.ok
    assert any(fragment in r for r in verdict.reasons)


def test_one_chain_is_no_draw_that_is_no_number():
    draws = np.random.default_rng(0).normal(size=(1, 500))
    assert diagnose({"b": draws}, {}).reasons == (
        "one chain cannot be compared with others; use at least 2",
    )
    lost = np.where(np.arange(500) == 7, np.nan, np.random.default_rng(1).normal(size=(4, 500)))
    assert "`c` is not a number in some draws" in diagnose({"c": lost}, {}).reasons


def test_short_chains_are_not_believed(democracy_data, monkeypatch):
    searched = []
    choose = run.choose
    monkeypatch.setattr(run, "choose", lambda *a: searched.append(a) or choose(*a))
    with pytest.warns(ConvergenceWarning, match="ESS below 400"):
        found = fit(DEMOCRACY, democracy_data, draws=50, tune=200, seed=1, progress=False)
    assert not found.converged
    assert "sampled again" in str(found)
    assert len(searched) == 1  # the second attempt starts from the mode that the first one found
    assert "NOT CONVERGED" in str(found)
    for read in (summary, effects, scores, r2):  # every result says so again
        with pytest.warns(ConvergenceWarning, match="NOT CONVERGED"):
            table = read(found)
        assert table.attrs["convergence"].startswith("NOT CONVERGED")
    assert "NOT CONVERGED" in found._repr_html_()


def test_unusual_prior_is_compiled_and_says_so():
    import pymc as pm

    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    data = pd.DataFrame({"x": x, "y": 0.5 * x + rng.normal(size=80)})
    found = fit(
        "y ~ a*x", data, priors={"a": pm.SkewNormal.dist(0, 1, 3)}, seed=1, progress=False,
        draws=500, tune=500,
    )  # fmt: skip
    assert any("compiled as usual" in note for note in found.notes)
    grid = np.linspace(-0.5, 1.5, 400)
    assert float(found.draws["posterior"]["a"].mean()) == pytest.approx(
        _ridge(data, grid), abs=0.03
    )


def _ridge(data, grid):
    """Posterior mean of the slope under the skew-normal prior, by quadrature (profile likelihood)."""
    from scipy.stats import skewnorm

    x, y = data["x"] - data["x"].mean(), data["y"] - data["y"].mean()
    rss = np.array([((y - b * x) ** 2).sum() for b in grid])
    weight = rss ** (-len(x) / 2) * skewnorm(3).pdf(grid)
    return float((weight * grid).sum() / weight.sum())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (HOLZINGER.replace("=~ x1", "=~ NA*x1"), "scale of `visual`"),
        ("f =~ x1 + x2\ng =~ x7 + x8 + x9\nf ~~ 0*g", "f =~ x2"),
        (HOLZINGER + "x1 ~~ x2 + x3\nx2 ~~ x3\n", "x1 ~~ x2"),
        ("x1 ~ x4 + x7\nx4 ~ x1 + x7", "x1 ~ x4"),
    ],
)
def test_unidentified_parameters_are_named(text, named, holzinger_data):
    with pytest.raises(IdentificationError, match="same direction") as caught:
        prepare(text, holzinger_data)
    assert named in str(caught.value)
