"""The engine of campaigns: same numbers on any number of workers, and nothing is lost."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from replicate_functions import SHAPES, WARMED, draw, warm

from bayesem.distribution.engine import random_numbers, run_campaign
from bayesem.errors import DataError, NotAvailableError, SamplingError

R = 12
HERE = Path(__file__).parent


def run(task=None, replicates=R, **more):
    options = {"shapes": SHAPES, "about": {"what": "test"}, "seed": 3, "progress": False}
    return run_campaign(draw, task or {}, replicates, **{**options, **more})


def same(a, b):
    return all(np.array_equal(a.values[k], b.values[k], equal_nan=True) for k in SHAPES)


@pytest.fixture(scope="module")
def alone():
    """The undisturbed run, in this process."""
    return run(workers=0)


def test_numbers_are_those_of_each_replicate_s_own_generator(alone):
    for k in (0, 5, 11):
        rng = np.random.default_rng(np.random.SeedSequence(3).spawn(R)[k])
        rng.standard_normal((40, 40))
        assert alone.values["x"][k] == rng.standard_normal()
    assert alone.done.all()
    assert len(np.unique(alone.values["x"])) == R
    assert str(alone) == "12 of 12 replicates done"


def test_workers_give_the_same_numbers_and_a_killed_one_loses_nothing(alone, tmp_path):
    task = {"kill": (2, 7), "folder": str(tmp_path)}
    found = run(task, workers=2, store=tmp_path / "a.zarr")
    assert (tmp_path / "killed 2").exists()
    assert (tmp_path / "killed 7").exists()
    assert found.done.all()
    assert same(found, alone)


@pytest.mark.slow
def test_a_replicate_that_kills_every_worker_is_reported_and_left_open(alone, tmp_path):
    task = {"kill": (1,), "folder": str(tmp_path), "always": True}
    found = run(task, replicates=4, workers=1, store=tmp_path / "a.zarr")
    assert found.done.tolist() == [True, False, True, True]
    assert found.failures.to_dict("records") == [
        {
            "replicate": 1,
            "seed": "numpy.random.SeedSequence(3, spawn_key=(1,))",
            "error": "each worker that tried it died (was memory short?)",
        }
    ]
    again = run(replicates=4, workers=0, store=tmp_path / "a.zarr")
    assert again.done.all()
    assert np.array_equal(again.values["x"], alone.values["x"][:4])


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_bad_replicate_is_reported_and_does_not_stop_the_rest(alone, workers, tmp_path):
    task = {"bad": (4,), "odd": (5,)}
    found = run(task, workers=workers, store=tmp_path / "a.zarr")
    assert found.failures["replicate"].tolist() == [4, 5]
    assert found.failures["error"].tolist() == [
        "this one is bad.",
        "it returned ['x'], not ['x', 'y']",
    ]
    assert str(found) == "10 of 12 replicates done, 2 failed (16.7%)"
    kept = np.setdiff1d(np.arange(R), [4, 5])
    assert np.array_equal(found.values["y"][kept], alone.values["y"][kept])
    assert np.isnan(found.values["x"][[4, 5]]).all()
    again = run(workers=0, store=tmp_path / "a.zarr")  # what failed stays failed
    assert again.failures.equals(found.failures)


def test_the_seed_in_the_report_makes_the_same_random_numbers():
    text = np.random.SeedSequence(3, spawn_key=(4,))
    assert np.array_equal(text.generate_state(4), random_numbers(3, 4).generate_state(4))


def test_a_stopped_run_is_gone_on_with(alone, tmp_path):
    first = run({"stop": 5}, workers=0, store=tmp_path / "a.zarr")
    assert first.interrupted
    assert first.done.sum() == 5
    assert "stopped before the end" in str(first)
    asked = []
    second = run(workers=0, store=tmp_path / "a.zarr", progress=asked.append)
    assert asked[0].done == 5
    assert len(asked) == 1 + (R - 5)
    assert same(second, alone)
    assert not second.interrupted


def test_a_killed_run_is_gone_on_with(alone, tmp_path):
    """The parent itself is killed while its workers work."""
    store = tmp_path / "a.zarr"
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from replicate_functions import SHAPES, draw\n"
        "from bayesem.distribution.engine import run_campaign\n"
        f"run_campaign(draw, {{'seconds': 0.4}}, {R}, shapes=SHAPES, about={{'what': 'test'}},"
        f" seed=3, workers=2, store={str(store)!r}, progress=False)\n"
    )  # no guard around the main part: workers must not run it
    script = tmp_path / "script.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, str(script)])
    rows = store / "values" / "c"
    deadline = time.monotonic() + 60
    while len(list(rows.glob("*"))) < 3:
        assert process.poll() is None, "the script ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = len(list(rows.glob("*")))
    assert done < R
    asked = []
    second = run(workers=0, store=store, progress=asked.append)
    assert asked[0].done >= 2
    assert same(second, alone)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(tmp_path):
    """Of a run with workers, which end with it."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys, signal; sys.path.insert(0, {str(HERE)!r})\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from replicate_functions import SHAPES, draw\n"
        "from bayesem.distribution.engine import run_campaign\n"
        "def tell(p): print(p.done, flush=True)\n"
        "found = run_campaign(draw, {'seconds': 0.3}, 300, shapes=SHAPES, about={}, seed=3,"
        " workers=2, progress=tell)\n"
        "print(found, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while int(process.stdout.readline()) < 3:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    last = out.splitlines()[-1]
    assert last.endswith("of 300 replicates done, stopped before the end"), err
    assert int(last.split()[0]) >= 3
    assert "Traceback" not in err


def test_more_replicates_later(alone, tmp_path):
    run(workers=0, replicates=4, store=tmp_path / "a.zarr")
    asked = []
    more = run(workers=0, seed=None, store=tmp_path / "a.zarr", progress=asked.append)
    assert more.seed == 3
    assert asked[0].done == 4
    assert same(more, alone)
    fewer = run(workers=0, replicates=2, store=tmp_path / "a.zarr")
    assert np.array_equal(fewer.values["x"], alone.values["x"][:2])


def test_a_store_of_another_campaign_is_refused_by_name(tmp_path):
    store = tmp_path / "a.zarr"
    run(workers=0, replicates=2, store=store)
    with pytest.raises(DataError, match='`what` is "test" there and "other" here'):
        run(workers=0, store=store, about={"what": "other"})
    with pytest.raises(DataError, match="`more` is null there and 1 here"):
        run(workers=0, store=store, about={"what": "test", "more": 1})
    with pytest.raises(DataError, match="`seed` is 3 there and 4 here"):
        run(workers=0, store=store, seed=4)
    with pytest.raises(DataError, match="`shapes` is"):
        run(workers=0, store=store, shapes={"x": ()})
    record = json.loads((store / "zarr.json").read_text())
    record["attributes"]["versions"]["nutpie"] = "0.0.1"
    (store / "zarr.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="`version of nutpie` is"):
        run(workers=0, store=store)


def test_folders_that_are_no_stores_are_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="is there and is no store of a campaign"):
        run(workers=0, store=tmp_path)
    with pytest.raises(DataError, match="is there and is no store of a campaign"):
        run(workers=0, store=tmp_path / "thesis.txt")
    with pytest.raises(DataError, match="there is no folder"):
        run(workers=0, store=tmp_path / "nowhere" / "a.zarr")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicates": 0}, "replicates is 0"),
        ({"workers": -1}, "workers is -1"),
        ({"workers": True}, "workers is True"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(DataError, match=message):
        run(**arguments)


def test_an_address_without_a_scheduler(monkeypatch):
    import distributed

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(SamplingError, match="no Dask scheduler answers at"):
        run(scheduler="tcp://127.0.0.1:1")


def refuse(*_, **__):
    raise OSError("timed out")


def test_a_real_scheduler(alone):
    """One that was started elsewhere, as on a real cluster."""
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster:
        WARMED.clear()
        found = run(scheduler=cluster.scheduler_address, warm=warm)
    assert same(found, alone)
    assert WARMED == [1]


@pytest.mark.parametrize(
    ("package", "arguments", "message"),
    [
        ("distributed", {"workers": 2}, "several workers need Dask, which is not installed"),
        ("zarr", {"workers": 0, "store": "a.zarr"}, "a store needs Zarr, which is not installed"),
    ],
)
def test_what_is_not_installed_is_named(package, arguments, message, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotAvailableError, match=message) as caught:
        run(**arguments)
    assert "uv sync --extra campaigns`" in caught.value.hint


def test_a_bar_is_drawn_on_stderr(capsys):
    run(workers=0, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "replicates" in err
    assert "12/12" in err
