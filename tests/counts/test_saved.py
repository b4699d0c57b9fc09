"""A count fit on disk is the same fit."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesem as sem
from bayesem.cli.entry import main
from bayesem.counts.fit import CountFit, fit_counts

CLAIMS = {"P": "share(trust) > 0.1", "Q": "share(bringing) > share(mediation)"}


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
@pytest.mark.parametrize(
    "arguments", [{}, {"prior": 0.7, "design_effect": 2.5, "others": "other"}, {"prior": "tree"}]
)
def test_a_count_fit_comes_back(table, tmp_path, arguments, suffix):
    if suffix == "zarr":
        pytest.importorskip("zarr")
    fit = fit_counts(table, draws=200, seed=3, synthetic=True, **arguments)
    sem.save(fit, tmp_path / f"c.{suffix}")
    back = sem.load(tmp_path / f"c.{suffix}")
    assert isinstance(back, CountFit)
    xr.testing.assert_identical(back.draws, fit.draws)
    assert asdict(back.model) == asdict(fit.model)
    assert back.data == fit.data
    assert back.settings == fit.settings
    assert back.notes == fit.notes
    assert dict(back.timings) == dict(fit.timings)
    assert str(back) == str(fit)
    pd.testing.assert_frame_equal(back.convergence.table, fit.convergence.table, check_exact=True)
    for name in ("themes", "subthemes"):
        assert getattr(back.tree, name) == getattr(fit.tree, name)
    for name in ("theme_of", "top", "within", "counts"):
        np.testing.assert_array_equal(getattr(back.tree, name), getattr(fit.tree, name))
    assert sem.assess(CLAIMS, back).table.equals(sem.assess(CLAIMS, fit).table)


def test_segments_come_back(phased, tmp_path):
    claim = {"P": f"share(mediation | phase = {phased.phases['phase'][0]}) > 0.05"}
    sem.save(phased, tmp_path / "c.nc")
    back = sem.load(tmp_path / "c.nc")
    assert back.tree is None
    assert back.phases == phased.phases
    assert sem.assess(claim, back).table.equals(sem.assess(claim, phased).table)


def test_the_command_judges_it_and_nothing_for_surveys_reads_it(counted, tmp_path, capsys):
    path = tmp_path / "counts.nc"
    sem.save(counted, path)
    assert main(["assess", str(path), "facilitated_alliance", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    mine = sem.assess("facilitated_alliance", counted).table
    assert [row["name"] for row in found["verdicts"]] == mine["name"].tolist()
    assert main(["assess", str(path), "facilitated_alliance"]) == 0
    assert "share(support)" in capsys.readouterr().out
    assert main(["compare", str(path)]) == 2
    assert "these are theme counts" in capsys.readouterr().err
