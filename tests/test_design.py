"""Design: verdicts of whole studies, against single fits, closed forms and an undisturbed run."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

import bayesem as sem
from bayesem.campaigns import assurance
from bayesem.campaigns.sample_size import needed
from bayesem.campaigns.truths import Drawn, given_truth, truth_from
from bayesem.cli import main
from bayesem.decision import VERDICTS
from bayesem.errors import DataError, ModelError, PropositionError, SamplingError
from bayesem.model import read_model
from bayesem.preparation import prepare
from bayesem.refitting import renew, sample
from bayesem.verdicts import assess

LINE = "y ~ b*x + c*z"
CLAIMS = {"P1": "b > 0", "P2": "b > 0 and c > 0", "P3": "null(std(c))"}
TRUTH = {"b": 0.4, "c": 0.0}
FAST = {"draws": 250, "tune": 200, "chains": 4}
QUIET = {"progress": False, "workers": 0, "seed": 1}


@pytest.fixture(scope="module")
def undisturbed():
    """Two sizes, twelve studies of each."""
    return sem.design(LINE, CLAIMS, TRUTH, n=(20, 80), replicates=12, **FAST, **QUIET)


# -- the size needed -----------------------------------------------------------------------


def test_the_size_of_a_known_curve_is_found():
    n = np.array([50, 100, 200, 400])
    shares = ndtr(-0.8 + 0.11 * np.sqrt(n))
    truth = ((ndtri(0.8) + 0.8) / 0.11) ** 2
    rng = np.random.default_rng(1)
    found = [needed(n, rng.binomial(200, shares), np.full(4, 200), 0.8) for _ in range(80)]
    inside = np.mean([f.lower <= truth <= f.upper for f in found])
    assert abs(inside - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 80)
    assert np.median([f.n for f in found]) == pytest.approx(truth, rel=0.05)
    assert np.mean([f.fit_p < 0.05 for f in found]) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 80)


def test_a_share_that_never_rises_needs_no_finite_size():
    found = needed(np.array([100, 400]), np.array([10, 9]), np.array([200, 200]), 0.8)
    assert found.upper > 1e5
    assert found.n > 400


def test_a_share_that_falls_is_no_smooth_rise():
    found = needed(np.array([100, 200, 400]), np.array([150, 100, 40]), np.full(3, 200), 0.8)
    assert found.fit_p < 0.001


# -- a replicate ---------------------------------------------------------------------------


def test_a_replicate_is_the_verdict_of_a_full_fit(undisturbed):
    """Data, fit and `assess` by hand, with the prior draws that a replicate leaves out."""
    seed = undisturbed.campaign.seed
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    data = sem.simulate(LINE, 80, TRUTH, rng)  # replicate 3 is of the second size
    template = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0)))
    ready = prepare(LINE, sem.simulate(LINE, 1000, TRUTH, template))
    fit = sample(renew(ready, data=data), seed=int(rng.integers(2**31)), cores=1,
                 prior_draws=10_000, **FAST)  # fmt: skip
    table = assess(CLAIMS, fit).table
    values = undisturbed.campaign.values
    assert values["probability"][3] == pytest.approx(table["probability"].to_numpy())
    assert [VERDICTS[int(v)] for v in values["verdict"][3]] == table["verdict"].tolist()


def test_shares_and_errors_are_those_of_the_replicates(undisturbed):
    table = undisturbed.table
    codes = undisturbed.campaign.values["verdict"]
    for k, name in enumerate(CLAIMS):
        for turn, n in enumerate((20, 80)):
            mine = codes[turn::2, k]
            row = table[(table["name"] == name) & (table["n"] == n)].iloc[0]
            assert row["replicates"] == 12
            assert row["supported"] == (mine == VERDICTS.index("supported")).mean()
            assert row["mcse"] == pytest.approx(
                np.sqrt(row["decisive"] * (1 - row["decisive"]) / 12)
            )
            assert row[list(VERDICTS)].sum() == pytest.approx(1)
            assert row["lower"] <= row["decisive"] <= row["upper"]


@pytest.mark.slow
def test_shares_are_those_of_the_normal_approximation():
    """P(b > 0) >= .95 happens when the estimate exceeds 1.645 standard errors (flat prior)."""
    found = sem.design(LINE, {"P1": "b > 0"}, {"b": 0.2, "c": 0.0}, n=(50, 150), replicates=150,
                       **FAST, **QUIET)  # fmt: skip
    for row in found.table.to_dict("records"):
        se = np.sqrt(0.91 / row["n"])  # residual variance by the declared values
        expected = ndtr(0.2 / se - ndtri(0.95))
        assert (
            abs(row["supported"] - expected) < 4 * np.sqrt(expected * (1 - expected) / 150) + 0.03
        )


# -- the same table ------------------------------------------------------------------------


def test_stopped_and_gone_on_with_is_the_same_table(undisturbed, tmp_path):
    go = partial(sem.design, LINE, CLAIMS, TRUTH, n=(20, 80), store=tmp_path / "d.zarr",
                 **FAST, **QUIET)  # fmt: skip
    first = go(replicates=4)
    assert first.table["replicates"].tolist() == [4] * 6
    again = go(replicates=12)
    pd.testing.assert_frame_equal(again.table, undisturbed.table, check_exact=True)
    pd.testing.assert_frame_equal(again.sizes, undisturbed.sizes, check_exact=True)
    with pytest.raises(DataError, match=r"`truth` is .* there and"):
        sem.design(LINE, CLAIMS, {"b": 0.3}, n=(20, 80), replicates=4,
                   store=tmp_path / "d.zarr", **FAST, **QUIET)  # fmt: skip


@pytest.mark.slow
def test_two_workers_and_a_killed_one_give_the_same_table(undisturbed, tmp_path):
    """A worker is killed in mid-run by someone else."""
    import os
    import signal
    import threading
    import time

    import psutil

    def murder():
        me = psutil.Process()
        while not any((tmp_path / "d.zarr" / "values" / "c").glob("*")):
            time.sleep(0.05)
        workers = [p for p in me.children() if "dask" in p.cmdline()]
        killed.append(workers[0].pid)
        os.kill(workers[0].pid, signal.SIGKILL)

    killed: list[int] = []
    thread = threading.Thread(target=murder, daemon=True)
    thread.start()
    found = sem.design(LINE, CLAIMS, TRUTH, n=(20, 80), replicates=12, workers=2, seed=1,
                       progress=False, store=tmp_path / "d.zarr", **FAST)  # fmt: skip
    thread.join(60)
    assert killed
    pd.testing.assert_frame_equal(found.table, undisturbed.table, check_exact=True)


# -- truths --------------------------------------------------------------------------------


def test_truths_from_a_fit_vary_as_its_draws(undisturbed):
    data = sem.simulate(LINE, 40, TRUTH, seed=3)
    fit = sem.fit(LINE, data, draws=250, tune=250, seed=1, progress=False)
    source = truth_from(fit.model, fit, group="posterior", identify="marker", families=None,
                        answers=False)  # fmt: skip
    assert isinstance(source, Drawn)
    slopes = []
    for k in range(300):
        new = source.data(400, np.random.default_rng(k))
        assert list(new.columns) == list(fit.model.observed)
        slopes.append(
            np.linalg.lstsq(
                np.column_stack([np.ones(400), new["x"], new["z"]]), new["y"], rcond=None
            )[0][1]
        )
    b = fit.draws["posterior"]["b"].to_numpy()
    assert abs(np.mean(slopes) - b.mean()) < 4 * np.std(slopes) / np.sqrt(300)
    sampling = np.var(slopes) - b.var()  # the law of total variance
    assert 0 < sampling < 4 / 400


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": ()}, DataError, r"n is \(\)"),
        ({"n": (50, 50)}, DataError, r"n is \(50, 50\)"),
        ({"n": 1}, DataError, "n is 1"),
        ({"assurance": 1.0}, DataError, "assurance is 1.0"),
        ({"replicates": 0}, DataError, "replicates is 0"),
        ({"truth": 3}, ModelError, "truth is a int that cannot be read"),
        ({"truth": {"b": "sometimes"}}, ModelError, "truth is a dict that cannot be read"),
        ({"truth": {"nothing": 1.0}}, ModelError, "nothing"),
        ({"propositions": {"P": "q > 0"}}, PropositionError, "q"),
    ],
)
def test_bad_arguments(arguments, error, message):
    given = {"propositions": CLAIMS, "truth": TRUTH, **arguments}
    with pytest.raises(error, match=message):
        sem.design(LINE, **given, **FAST, **QUIET)


def test_all_failed_is_an_error(monkeypatch):
    def fails(*_, **__):
        raise DataError("no.")

    monkeypatch.setattr(assurance, "posterior_of", fails)
    with pytest.raises(SamplingError, match="none of 2 replicates came to an end"):
        sem.design(LINE, CLAIMS, TRUTH, n=20, replicates=2, **FAST, **QUIET)


def test_propositions_on_another_model_are_named():
    model = read_model("alliance_mediation")
    claims = [
        p for p in sem.read_propositions("alliance_mediation") if p.name in ("H1", "contingent")
    ]
    found = sem.design(model, claims, n=60, replicates=1, draws=20, tune=20, chains=2, **QUIET)
    assert found.table["name"].tolist() == ["H1"]
    assert "about another model, so not judged: contingent" in found.notes
    assert found.table["withheld"].tolist() == [1.0]
    assert "verdict withheld" in str(found)


def test_truths_from_texts():
    assert given_truth([], []) is None
    assert given_truth([], ["P2=false"]) == {"P2": "false"}
    with pytest.raises(ModelError, match="`b` is no value"):
        given_truth(["b"], [])
    with pytest.raises(ModelError, match="not by both"):
        given_truth(["b=1"], ["P2=false"])


# -- what is shown -------------------------------------------------------------------------


def test_page_fits_the_screen(undisturbed):
    text = str(undisturbed)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "SYNTHETIC DATA" in text
    assert "Smallest n for a probability of 0.8" in text


def test_one_size_tells_no_smallest_n():
    found = sem.design(LINE, {"P1": "b > 0"}, {"b": 0.9}, n=60, replicates=2, **FAST, **QUIET)
    assert "P1                   supported: one size alone does not tell" in str(found)
    assert not found.sizes["within"].any()


def test_figures(undisturbed, tmp_path):
    figure = sem.plot_design(undisturbed, tmp_path / "d.png")
    assert (tmp_path / "d.png").stat().st_size > 10_000
    assert [a.get_title(loc="left") for a in figure.axes] == list(CLAIMS)
    top = figure.axes[0].containers[0].lines[0].get_ydata()
    supported = undisturbed.table.query("name == 'P1'")["supported"]
    assert np.array_equal(top, supported)


def test_command(capsys, tmp_path):
    propositions = tmp_path / "p.toml"
    propositions.write_text('model = "m"\n[P1]\nsays = "It rises."\nclaim = "b > 0"\n')
    argv = ["design", "y ~ b*x + c*z", "--propositions", str(propositions), "--truth", "b=0.5",
            "--n", "30,60", "--replicates", "2", "--draws", "300", "--tune", "200", "--workers",
            "0", "--quiet", "--json", "--store", str(tmp_path / "d.zarr")]  # fmt: skip
    code = main(argv)
    found = json.loads(capsys.readouterr().out)
    assert code == (1 if found["not_converged"] else 0)
    assert [r["n"] for r in found["table"]] == [30, 60]
    assert found["seed"] == 1
    assert main(argv) == code  # from the store
    assert json.loads(capsys.readouterr().out)["table"] == found["table"]


def test_calibrate_command(capsys, tmp_path):
    figure = tmp_path / "r.png"
    argv = ["calibrate", "y ~ b*x", "--n", "20", "--replicates", "6", "--draws", "100", "--tune",
            "150", "--workers", "0", "--quiet", "--figure", str(figure)]  # fmt: skip
    code = main(argv)
    out = capsys.readouterr().out
    assert code == (1 if out.startswith("NOT CALIBRATED") else 0)
    assert figure.stat().st_size > 10_000
    assert main(["calibrate", "y ~ b*x", "--missing", "2", "--quiet"]) == 2
    assert "missing is 2.0" in capsys.readouterr().err
