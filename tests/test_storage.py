"""What is saved comes back to the bit, and what is not a saved fit says so."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

from bayesem import storage
from bayesem.data import Answers, Moments
from bayesem.errors import DataError, PriorError
from bayesem.families import Lognormal
from bayesem.fitting import fit
from bayesem.model import read_model
from bayesem.posterior import Fit, Settings
from bayesem.preparation import prepare
from bayesem.sampling.convergence import Convergence
from bayesem.simulation import simulate
from bayesem.storage import load, load_readings, save
from bayesem.summaries import summary

SMALL = {"draws": 40, "tune": 60, "chains": 2, "cores": 1, "progress": False, "seed": 4}
TEXT = "f =~ x1 + x2 + x3 + x4; y ~ b*f; double := 2*b"


def same(a: Fit, b: Fit) -> None:
    pd.testing.assert_frame_equal(summary(a), summary(b), check_exact=True)
    pd.testing.assert_frame_equal(a.convergence.table, b.convergence.table, check_exact=True)
    xr.testing.assert_identical(a.draws, b.draws)
    for x, y in zip(storage_arrays(a), storage_arrays(b), strict=True):
        np.testing.assert_array_equal(x, y)
    assert str(a) == str(b)
    assert a.table == b.table
    assert a.model == b.model
    assert a.settings == b.settings
    assert dict(a.timings) == dict(b.timings)
    assert a.notes == b.notes
    assert a.convergence.help == b.convergence.help


def storage_arrays(fit: Fit) -> list[np.ndarray]:
    M = fit.matrices("prior")
    return [M.Lambda, M.Beta, M.Psi, M.Theta, M.nu, M.alpha]


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_round_trip(democracy: Fit, tmp_path, suffix):
    if suffix == "zarr":
        pytest.importorskip("zarr")
    path = tmp_path / f"fit.{suffix}"
    save(democracy, path)
    back = load(path)
    same(democracy, back)
    assert isinstance(back.data, Answers)
    np.testing.assert_array_equal(back.data.values, democracy.data.values)
    pd.testing.assert_index_equal(back.data.index, democracy.data.index)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    save(back, path)  # replaces what is there
    same(democracy, load(path))


@pytest.fixture(scope="module")
def small():
    """A quick fit with a codebook, missing cells, given priors and named rows."""
    data = simulate(TEXT, 60, seed=2)
    data.index = pd.date_range("2020-01-01", periods=60, name="day")
    data.iloc[3, 1] = data.iloc[9, 4] = np.nan
    priors = {
        "loadings": "normal(0.7, 0.3)",
        "b": pm.Normal.dist(0, 1 / 3),
        "y ~~ y": "gamma(1, 0.5)[var]",
    }
    with pytest.warns(UserWarning, match="NOT CONVERGED"):
        return fit(TEXT, data, priors=priors, identify="unit", **SMALL)


def test_given_priors_missing_cells_and_dates_come_back(small, tmp_path):
    save(small, tmp_path / "a.nc")
    back = load(tmp_path / "a.nc")
    assert back.settings.priors_argument["b"] == f"normal(0.0, {1 / 3!r})"
    assert back.spec.parameters == small.spec.parameters
    pd.testing.assert_index_equal(back.data.index, small.data.index, check_freq=False)
    np.testing.assert_array_equal(back.data.values, small.data.values)
    assert back.data.synthetic
    same(small, replace(back, settings=small.settings))


def test_moments_with_a_codebook_come_back(tmp_path):
    model = read_model("alliance_mediation:no_alliance")
    data = simulate(model, 120, seed=1, answers=True)
    moments = Moments(data.cov(), 120, reading="a reading", weight=0.25, synthetic=True)
    with pytest.warns(UserWarning, match="NOT CONVERGED"):
        done = fit(model, moments, **SMALL)
    save(done, tmp_path / "a.nc")
    back = load(str(tmp_path / "a.nc"))
    same(done, back)
    pd.testing.assert_frame_equal(back.data.cov, done.data.cov, check_exact=True)
    assert (back.data.n, back.data.mean, back.data.reading) == (120, None, "a reading")
    assert (back.data.weight, back.data.synthetic) == (0.25, True)
    assert back.model.codebook == model.codebook
    assert (back.model.name, back.model.variant) == ("alliance_mediation", "no_alliance")


def test_outcomes_and_families_come_back(tmp_path):
    text = "f =~ x1 + x2 + x3; y ~ f; t ~ f + y; z ~ f"
    families = {"y": "bernoulli", "t": Lognormal(censored="waiting"), "z": "normal"}
    data = simulate(text, 40, seed=3, families=families)
    data.loc[2, "t"] = data.loc[2, "waiting"] = np.nan
    data.index = [f"firm {k}" for k in range(40)]
    ready = prepare(text, data, families=families, identify="unit")
    x = np.random.default_rng(1).uniform(0.2, 0.8, (2, 5, len(ready.spec.names)))
    settings = Settings(identify="unit", families=families)
    observed = xr.Dataset({"y": (("case", "indicator"), ready.data.values)})
    coords = {"parameter": list(ready.spec.names)}
    sampled = xr.Dataset({"x": (("chain", "draw", "parameter"), x)}, coords=coords)
    tree = xr.DataTree.from_dict({"sampled_posterior": sampled, "observed_data": observed})
    verdict = Convergence(True, (), pd.DataFrame())
    done = Fit(
        ready.model, ready.data, tree, ready.table, ready.spec, verdict, {}, settings, ready.notes
    )
    save(done, tmp_path / "a.nc")
    back = load(tmp_path / "a.nc")
    assert back.settings == settings
    assert back.table == done.table
    assert back.spec.terms == done.spec.terms
    assert [o.family for o in back.table.outcomes] == [o.family for o in done.table.outcomes]
    np.testing.assert_array_equal(back.data.outcomes, done.data.outcomes)
    np.testing.assert_array_equal(back.data.censored, done.data.censored)
    np.testing.assert_array_equal(back.spec.cases.outcomes, done.data.outcomes)
    assert list(back.data.index) == list(data.index)
    for name in ("Lambda", "Beta", "Psi", "alpha", "omega", "shape"):
        one, two = (getattr(fit.matrices(), name) for fit in (back, done))
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([3, 1, 2], name="id"),
        pd.Index([0.5, 1.5, 2.5]),
        pd.Index(["a", "b", "b"]),
        pd.Index(["a", 2, 3.5], dtype=object),
        pd.RangeIndex(1, 7, 2),
        pd.DatetimeIndex(["2020-01-01", "2021-05-06 07:08", "2022-01-01"]),
    ],
    ids=["integer", "number", "text", "mixed", "range", "time"],
)
def test_row_names_come_back(index):
    record = json.loads(json.dumps(storage._index_record(index)))
    back = storage._index(record)
    assert list(back) == list(index)
    assert back.name == index.name


def test_a_prior_outside_the_families_cannot_be_saved(small, tmp_path):
    prior = {"b": pm.SkewNormal.dist(mu=0, sigma=1, alpha=2)}
    odd = replace(small, settings=replace(small.settings, priors_argument=prior))
    with pytest.raises(PriorError, match="`b` is a PyMC distribution outside"):
        save(odd, tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


# -- files that are not whole, or not ours -------------------------------------------------


def test_names(small, tmp_path):
    with pytest.raises(DataError, match=r"neither \.nc nor \.zarr"):
        save(small, tmp_path / "a.pkl")
    with pytest.raises(DataError, match="no folder"):
        save(small, tmp_path / "missing" / "a.nc")
    with pytest.raises(DataError, match="no file"):
        load(tmp_path / "a.nc")
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / "mine.txt").write_text("keep me")
    with pytest.raises(DataError, match="something else"):
        save(small, tmp_path / "b.zarr")
    assert (tmp_path / "b.zarr" / "mine.txt").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_file_cut_short(small, tmp_path, share):
    path = tmp_path / "a.nc"
    save(small, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cannot be read|not a saved fit"):
        load(path)


def test_files_of_others(tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DataError, match="cannot be read"):
        load(path)
    xr.Dataset({"a": 1}).to_netcdf(path, engine="netcdf4")
    with pytest.raises(DataError, match="not a saved fit"):
        load(path)


def test_a_newer_version(small, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "FORMAT", storage.FORMAT + 1)
    save(small, tmp_path / "a.nc")
    monkeypatch.undo()
    with pytest.raises(DataError, match="newer version, bayesem"):
        load(tmp_path / "a.nc")


def test_a_changed_number(small, tmp_path):
    path = tmp_path / "a.nc"
    save(small, path)
    with netCDF4.Dataset(path, "a") as file:
        file["sampled_posterior"]["x"][0, 0, 0] += 1e-9
    with pytest.raises(DataError, match="checksum"):
        load(path)


def test_a_changed_record(small, tmp_path):
    path = tmp_path / "a.nc"
    save(small, path)
    with netCDF4.Dataset(path, "a") as file:
        file["bayesem_record"]["json"][5] = ord("x")
    with pytest.raises(DataError, match="record"):
        load(path)


def test_a_lost_chunk_of_a_zarr_store(small, tmp_path):
    pytest.importorskip("zarr")
    path = tmp_path / "a.zarr"
    save(small, path)
    (path / "sampled_posterior" / "x" / "0.0.0").unlink()
    with pytest.raises(DataError, match="checksum"):
        load(path)


def test_nothing_is_pickled(small, tmp_path):
    save(small, tmp_path / "a.nc")
    assert b"c__builtin__" not in (tmp_path / "a.nc").read_bytes()
    assert "import pickle" not in Path(storage.__file__).read_text()


def test_a_folder_of_readings_is_put_together(tmp_path):
    cov = simulate(TEXT, 60, seed=2).cov()
    for k, (reading, weight) in enumerate([("T", 0.7), ("D", 0.3), ("T", 0.7)]):
        moments = Moments(cov, 60, None, reading, weight, False, True)
        save(fit(read_model(TEXT), moments, **SMALL), tmp_path / f"{k}.nc")
    found = load_readings(tmp_path)
    assert {name: len(fits) for name, fits in found.items()} == {"T": 2, "D": 1}
    assert found["D"][0].data.weight == 0.3
    save(fit(read_model(TEXT), simulate(TEXT, 60, seed=2), **SMALL), tmp_path / "x.nc")
    with pytest.raises(DataError, match=r"x\.nc' is not of a reading"):
        load_readings(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no fit in the folder") as caught:
        load_readings(tmp_path / "none")
    assert "--save" in caught.value.hint
