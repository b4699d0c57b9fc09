"""Influence of cases and of their selection against refits and against plain arithmetic."""

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import bayesem as sem
from bayesem.pointwise import log_likelihoods
from bayesem.refitting import refit
from bayesem.robustness.cases import influence
from bayesem.robustness.selection import selection
from bayesem.screening import distances

CLAIMS = {"P1": "a > 0 and b > 0", "P2": "ab > c", "P3": "P1 and not P2", "P4": "null(std(c))"}


@pytest.fixture(scope="module")
def fit():
    return kinds.fit_of("complete")


@pytest.fixture(scope="module")
def table(fit):
    return influence(fit, CLAIMS)


def test_equals_plain_weights(fit, table):
    """Where k is small, smoothing hardly matters: raw weights, one case and claim at a time."""
    log = log_likelihoods(fit)
    draws = {k: fit.draws["posterior"][k].to_numpy().ravel() for k in ("a", "b", "c", "ab")}
    truth = {
        "P1": (draws["a"] > 0) & (draws["b"] > 0),
        "P2": draws["ab"] > draws["c"],
    }
    truth["P3"] = truth["P1"] & ~truth["P2"]
    for name, holds in truth.items():
        rows = table[(table.name == name) & (table.pareto_k < 0.2)]
        assert len(rows) > 50
        for row in rows.head(40).itertuples():
            w = np.exp(-log[:, row.case])
            assert row.without == pytest.approx((w * holds).sum() / w.sum(), abs=2e-3)
            assert row.probability == pytest.approx(holds.mean(), abs=1e-12)
            assert row.change == pytest.approx(row.without - row.probability, abs=1e-12)


def test_columns_and_order(fit, table):
    assert len(table) == 4 * 200
    assert list(table.columns) == [
        "name", "case", "probability", "without", "change", "mcse", "verdict", "verdict_without",
        "moves", "pareto_k", "flagged", "refitted",
    ]  # fmt: skip
    for _, rows in table.groupby("name"):
        assert (rows["change"].abs().diff().dropna() <= 0).all()
    verdicts = sem.assess(CLAIMS, fit).table.set_index("name")["verdict"]
    assert table.groupby("name")["verdict"].first().to_dict() == verdicts.to_dict()
    moved = table[table.moves]
    assert (moved["verdict"] != moved["verdict_without"]).all()
    assert not (table[["verdict", "verdict_without"]] == "withheld").any(axis=1)[table.moves].any()


def test_equals_refits_without_the_case(fit, table):
    """The two most influential cases on P2, by sampling again: within 4 standard errors."""
    for row in table[table.name == "P2"].head(2).itertuples():
        assert not row.flagged
        again = refit(fit, rows=np.delete(np.arange(200), row.case), seed=5, draws=1000)
        theirs = sem.assess({"P2": CLAIMS["P2"]}, again).table.iloc[0]
        error = np.hypot(row.mcse, theirs["mcse"])
        assert abs(row.without - theirs["probability"]) < 4 * error


@pytest.fixture(scope="module")
def planted():
    """A regression whose slope rests on one case."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)})
    data.index = [f"firm {k}" for k in range(40)]
    data.loc["firm 7"] = [7.0, 9.0]
    return sem.fit("y ~ b*x", data, seed=1, progress=False, draws=500, tune=500)


def test_a_planted_case_moves_the_verdict(planted):
    """Its weights fail, so its verdict is withheld; the refit finds that the claim is open."""
    found = influence(planted, {"P1": "b > 0"})
    first = found.set_index("case").loc["firm 7"]
    assert first["verdict"] == "supported"
    assert first["flagged"]
    assert (first["verdict_without"], first["moves"], first["refitted"]) == (
        "withheld", False, False,
    )  # fmt: skip
    assert "exact=True" in found.attrs["notes"][-1]
    found = influence(planted, {"P1": "b > 0"}, exact=True, seed=4)
    first = found.iloc[0]
    assert (first["case"], first["refitted"], first["moves"]) == ("firm 7", True, True)
    assert first["verdict_without"] == "undecided"
    kept = planted.data.values[planted.data.index != "firm 7"]
    y, x = (kept[:, planted.data.names.index(v)] for v in "yx")
    slope, error = _least_squares(x, y)
    from scipy.stats import norm

    assert first["without"] == pytest.approx(norm.cdf(slope / error), abs=0.03)


def _least_squares(x, y):
    b = np.cov(x, y)[0, 1] / x.var(ddof=1)
    e = (y - y.mean()) - b * (x - x.mean())
    return b, np.sqrt((e @ e) / (len(x) - 2) / ((x - x.mean()) ** 2).sum())


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_of_fit(kind):
    """Every likelihood by case; moments are refused."""
    fit, claims = kinds.fit_of(kind), kinds.CLAIMS[kind]
    if kind == "moments":
        for call in (influence, selection):
            with pytest.raises(sem.NotAvailableError, match="no cases"):
                call(fit, claims)
        return
    found = influence(fit, claims)
    assert len(found) == len(claims) * 200
    assert found["without"].between(0, 1).all()
    assert np.isfinite(found["mcse"]).all()
    # leaving out one case of 200 moves no probability by more than a large part of its own spread
    assert found.loc[~found.flagged, "change"].abs().max() < 0.35
    assert found["change"].abs().max() > 0 or set(found["probability"]) == {1.0}


def test_selection_refits_to_the_nearest(fit):
    """The cases kept are the nearest; probabilities are those of a refit to them."""
    found = selection(
        fit, kinds.CLAIMS["complete"], keep=(0.8,), simulated=1, draws=300, seed=2, workers=0
    )
    assert found.groupby(["data", "n"], sort=False).size().to_dict() == {
        ("observed", 200): 2, ("observed", 160): 2, ("simulated 1", 200): 2, ("simulated 1", 160): 2,
    }  # fmt: skip
    whole = found[(found.data == "observed") & (found.n == 200)]
    table = sem.assess(kinds.CLAIMS["complete"], fit).table
    assert whole["probability"].tolist() == table["probability"].tolist()
    assert (whole["change"] == 0).all()
    y = fit.data.values
    d = y - y.mean(0)
    d2 = np.einsum("ij,jk,ik->i", d, np.linalg.inv(np.cov(y.T, bias=True)), d)
    rows = np.sort(np.argsort(d2)[:160])
    again = refit(fit, rows=rows, draws=1000, seed=8)
    part = found[(found.data == "observed") & (found.n == 160)].set_index("name")
    theirs = sem.assess(kinds.CLAIMS["complete"], again).table.set_index("name")
    error = np.hypot(part["mcse"], theirs["mcse"])
    assert (np.abs(part["probability"] - theirs["probability"]) < 4 * error).all()
    assert (part["change"] == part["probability"] - whole.set_index("name")["probability"]).all()


def test_selection_by_distance_keeps_the_shape_of_a_normal_covariance():
    """Where all is normal, the nearest cases have c times the covariance: paths are as before."""
    rng = np.random.default_rng(1)
    n, p, share = 200_000, 4, 0.77
    S = 0.4 * np.ones((p, p)) + 0.6 * np.eye(p)
    y = rng.normal(size=(n, p)) @ np.linalg.cholesky(S).T
    kept = y[np.argsort(distances(y))[: int(share * n)]]
    c = chi2.cdf(chi2.ppf(share, p), p + 2) / share
    assert np.cov(kept.T) == pytest.approx(c * S, abs=0.01)
    assert 0.6 < c < 0.7


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"keep": (0.0,)}, sem.DataError, "keep has 0"),
        ({"keep": (300,)}, sem.DataError, "there are 200 cases"),
        ({"keep": (12.5,)}, sem.DataError, "keep has 12.5"),
        ({"keep": (5,)}, sem.DataError, "keep leaves 5 of 200"),
        ({"by": "leverage"}, sem.NotAvailableError, "by='leverage'"),
        ({"simulated": -1}, sem.DataError, "simulated is -1"),
    ],
)
def test_refusals(fit, options, error, match):
    with pytest.raises(error, match=match):
        selection(fit, kinds.CLAIMS["complete"], **{"simulated": 0, "draws": 10, **options})


def test_a_selection_that_is_stopped_goes_on(fit, tmp_path):
    """From its store, to the table of a run that was not stopped; on processes, to the same one."""
    options = {"keep": (0.9, 0.8), "simulated": 0, "draws": 200, "seed": 3}
    claims = kinds.CLAIMS["complete"]
    whole = selection(fit, claims, **options, workers=0)
    store = tmp_path / "s.zarr"

    def stop(progress):
        if progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(sem.SamplingError, match="1 of 2 replicates done"):
        selection(fit, claims, **options, workers=0, store=store, progress=stop)
    again = selection(fit, claims, **options, workers=2, store=store)
    pd.testing.assert_frame_equal(again, whole)


def test_a_refit_that_fails_is_reported(planted, monkeypatch):
    """Its verdicts stay withheld."""
    from bayesem.robustness import refits

    def failing(*_, **__):
        raise sem.SamplingError("no start was found.", hint="")

    monkeypatch.setattr(refits, "sample", failing)
    found = influence(planted, {"P1": "b > 0"}, exact=True, workers=0)
    first = found.set_index("case").loc["firm 7"]
    assert (first["verdict_without"], first["refitted"]) == ("withheld", False)
    assert "no refit without case firm 7" in found.attrs["notes"][-1]
    assert "no start was found" in found.attrs["notes"][-1]
