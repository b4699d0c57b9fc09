"""A study on answers: which model gets which claim and which sample; with fits that are prior draws."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesem import study_models
from bayesem.errors import ModelError, NotAvailableError, StudyError
from bayesem.generator import generate
from bayesem.model import read_model
from bayesem.posterior import Fit, Settings, named_draws
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior
from bayesem.propositions import read_propositions
from bayesem.sampling.convergence import Convergence
from bayesem.study_models import drawn, split, tasks
from bayesem.study_notes import pooled, together, twins
from bayesem.study_record import record
from bayesem.studying import run_study

STUDY = "export_strategy"
MODELS = ["", "_benchmark", "_quadratic", "_time", "_chain", "_layers", "_moderated", "_mediated",
          "_bundle"]  # fmt: skip


def prior_fit(model, data, seed, sampling, *, ok=True, reasons=()):
    """A fit whose posterior is its prior."""
    ready = prepare(model, data, identify=sampling.identify, check=False)
    x = draw_prior(ready.spec, 40, np.random.default_rng(seed)).reshape(2, 20, -1)
    coords = {"parameter": list(ready.spec.names)}
    sampled = xr.Dataset({"x": (("chain", "draw", "parameter"), x)}, coords=coords)
    named = xr.Dataset(named_draws(ready.spec, x))
    groups = {"posterior": named, "sampled_posterior": sampled}
    tree = xr.DataTree.from_dict({**groups, "prior": named, "sampled_prior": sampled})
    table = pd.DataFrame({"r_hat": [1.0], "ess_bulk": [900.0], "ess_tail": [900.0]}, index=["a"])
    settings = Settings(identify=sampling.identify)
    verdict = Convergence(ok, reasons, table)
    fit = Fit(ready.model, ready.data, tree, ready.table, ready.spec, verdict, {}, settings,
              ready.notes)  # fmt: skip
    return fit, ()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(study_models, "fit_twice", prior_fit)


# -- plans ---------------------------------------------------------------------------------


def test_every_model_that_a_proposition_names_is_a_task():
    every = read_propositions(STUDY)
    found = tasks(STUDY, read_model(STUDY), every, pd.DataFrame())
    assert [t.name for t in found] == [STUDY + m for m in MODELS]
    assert sum(len(t.propositions) for t in found) == len(every)
    assert [p.name for p in found[2].propositions] == ["P2_curvature"]
    assert [p.name for p in found[0].propositions][:4] == ["P1", "P1_performance", "P2", "P2_pure"]


def test_a_variant_gets_what_it_can_be_asked():
    every = read_propositions(STUDY)
    mine, others = split(every, read_model(f"{STUDY}:benchmark"))
    assert [p.name for p in mine] == ["P1_benchmark"]
    assert len(others) == len(every) - 1
    mine, _ = split(every, read_model(f"{STUDY}:moderated"))
    assert {"P1", "network", "ecosystem_moderates"} <= {p.name for p in mine}
    mine, _ = split(every, read_model(f"{STUDY}:time"))
    assert {"P2", "P3", "P4_time"} <= {p.name for p in mine}
    assert not {"P1", "network", "bundle"} & {p.name for p in mine}


def test_one_sample_serves_all_models_but_those_that_need_more():
    every = read_propositions(STUDY)
    plan = tasks(STUDY, read_model(STUDY), every, pd.DataFrame())
    plain = drawn(plan, 80, {}, 1)
    assert plain.apart == (f"{STUDY}_time",)
    samples = {t.name: t.data for t in plain.tasks}
    assert samples[f"{STUDY}_bundle"] is samples[STUDY]
    assert {"years", "still_waiting"} <= set(samples[f"{STUDY}_time"])
    assert plain.truth["P2"] == plain.truth["P2_curvature"] == plain.truth["P4_time"] == "true"
    assert plain.truth["bundle"] == "false"
    assert "P1_benchmark" not in plain.truth
    other = drawn(plan, 80, {"P2": "reversed", "bundle": "true"}, 1)
    assert other.apart == (f"{STUDY}_time", f"{STUDY}_bundle")
    assert other.truth["P2"] == other.truth["P2_curvature"] == "reversed"
    assert other.truth["bundle"] == "true"
    with pytest.raises(StudyError, match="no proposition"):
        drawn(plan, 80, {"P9": "true"}, 1)
    with pytest.raises(StudyError, match="none of the models that are run"):
        drawn(plan[:1], 80, {"bundle": "true"}, 1)


# -- runs ----------------------------------------------------------------------------------


def test_a_run_on_synthetic_answers(quick):
    told = []
    result = run_study(STUDY, n=200, truth={"P2": "reversed"}, progress=told.append)
    assert list(result.fits) == [STUDY + m for m in MODELS]
    assert {one.settings.identify for each in result.fits.values() for one in each} == {"unit"}
    assert [p.what for p in told][:2] == ["drawing 200 synthetic cases", f"{STUDY}, 200 answers"]
    assert [(p.done, p.total) for p in told][1:] == [(k, 9) for k in range(9)]
    page = str(result)
    assert max(map(len, page.splitlines())) <= 80
    text = " ".join(page.split())
    for said in (
        "this runs on 200 SYNTHETIC cases, drawn from the truth that export_strategy.truth.toml "
        "declares (P2 reversed)",
        "9 models are fitted",
        "A sample of its own: export_strategy_time.",
        "Verdicts on SYNTHETIC answers",
        "P2 on export_strategy and P2_curvature on export_strategy_quadratic",
        "exporters only; selection into exporting assumed ignorable given the dimensions and "
        "controls.",
        "SYNTHETIC DATA",
        "All 9 fits converged",
    ):
        assert said in text
    names = list(pooled(result)[0]["name"])
    assert names.index("P2_curvature") == names.index("P2") + 1
    assert twins(result) == (("P2", "P2_curvature"),)
    shared = text.split("exporters only; selection")[0].rsplit(".", 1)[1]
    assert "P2_pure" in shared
    assert "P5" not in shared
    assert text.count("exporters only; selection") == 1
    again = json.loads(json.dumps(record(result), allow_nan=False))
    assert again["synthetic"]["asked"] == {"P2": "reversed"}
    rows = {row["name"]: row for row in again["verdicts"]}
    assert rows["P2"]["declared"] == "reversed"
    assert rows["P4_time"]["model"] == f"{STUDY}_time"
    assert again["fits"][1]["model"] == f"{STUDY}_benchmark"
    assert any(note in again["notes"] for note in together(result))


def test_a_run_on_answers_says_what_it_cannot_fit(quick):
    data = generate(STUDY, 200, seed=2)
    result = run_study(STUDY, data=data)
    assert f"{STUDY}_time" not in result.fits
    assert len(result.fits) == len(MODELS) - 1
    note = next(n for n in result.notes if n.startswith(f"{STUDY}_time could not be fitted"))
    assert "P4_time" in note
    assert "`years`" in note
    assert "200 SYNTHETIC answers" in str(result)
    with pytest.raises(StudyError, match="nothing is drawn"):
        run_study(STUDY, data=data, truth={"P2": "true"})
    with pytest.raises(StudyError, match="nothing is drawn"):
        run_study("alliance_mediation", truth={"H1": "true"})
    with pytest.raises(ModelError, match="neither a factor nor a column"):
        run_study(STUDY, data=data[["size"]])


def test_alone_is_one_variant(quick):
    result = run_study(STUDY, variant="benchmark", n=200, truth={"P1_benchmark": "reversed"})
    assert list(result.fits) == [f"{STUDY}:benchmark"]
    assert list(result.verdicts.table["name"]) == ["P1_benchmark"]
    assert result.synthetic.truth == {"P1_benchmark": "reversed"}
    assert "P2" in {p.name for p in result.elsewhere}
    assert "Not assessed, because about another model" in " ".join(str(result).split())


def test_only_the_models_asked_for_are_fitted(quick):
    result = run_study(STUDY, models=[f"{STUDY}_bundle", STUDY], n=200)
    assert list(result.fits) == [STUDY, f"{STUDY}_bundle"]
    assert {"P2", "bundle"} <= set(result.verdicts.table["name"])
    assert {"P2_curvature", "leverage"} <= {p.name for p in result.elsewhere}
    assert "Not assessed, because about another model" in " ".join(str(result).split())
    with pytest.raises(StudyError, match="`export_strategy_bundel` is no model") as caught:
        run_study(STUDY, models=["export_strategy_bundel"], n=200)
    assert "export_strategy_bundle" in caught.value.hint
    for name in ("alliance_mediation", "facilitated_alliance", "export_strategy:bundle"):
        with pytest.raises(StudyError, match=f"`{name}` has no choice of models here"):
            run_study(name, models=["x"])


def test_a_choice_of_models_leaves_theme_counts_as_they_are(quick):
    name = "facilitated_alliance"
    counted = {p.name for p in read_propositions(name) if p.model == "counts"}
    generated = run_study(name, models=[name], n=200)
    assert sorted(p.name for p in generated.elsewhere) == sorted(counted)
    data = generate(name, 200, seed=1)
    data.attrs["synthetic"] = False
    answered = run_study(name, models=[name], data=data)
    assert answered.elsewhere == ()
    assert counted <= set(answered.verdicts.table["name"])


def test_the_network_and_its_variants_are_fitted_to_one_sample(quick):
    variants = ["contingent", "benchmark", "quadratic", "chain", "moderated", "mediated", "bundle"]
    result = run_study("export_network", n=200)
    assert list(result.fits) == ["export_network", *(f"export_network:{v}" for v in variants)]
    assert result.synthetic.apart == ()
    rows = result.verdicts.table.set_index("name")["model"]
    assert rows["P1"] == rows["F7"] == rows["network"] == "export_network"
    assert rows["ecosystem_mediates"] == "export_network:mediated"


def stop_at(step):
    def tell(progress):
        if progress.total and progress.done == step:
            raise KeyboardInterrupt

    return tell


def test_ctrl_c_keeps_what_is_done(quick, monkeypatch):
    result = run_study(STUDY, n=200, progress=stop_at(2))
    assert list(result.fits) == [STUDY, f"{STUDY}_benchmark"]
    assert result.incomplete.startswith("stopped; not fitted: export_strategy_quadratic, ")
    assert "INCOMPLETE" in str(result)
    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, n=200, progress=stop_at(0))

    def short(*arguments):
        return prior_fit(*arguments, ok=False, reasons=("interrupted after 20 draws",))

    monkeypatch.setattr(study_models, "fit_twice", short)
    result = run_study(STUDY, n=200)
    assert list(result.fits) == [STUDY]
    assert set(result.verdicts.table["verdict"]) == {"withheld"}
    assert "the chains of export_strategy are short; not fitted: " in result.incomplete


def test_a_claim_that_waits_does_not_stop_the_others(quick, monkeypatch):
    def assess(propositions, fit, **more):
        if "P3" in {p.name for p in propositions}:
            raise NotAvailableError("P3 has to wait.")
        return real(propositions, fit, **more)

    real = study_models.assess
    monkeypatch.setattr(study_models, "assess", assess)
    result = run_study(STUDY, n=200, progress=stop_at(1))
    assert not {"P3", "network"} & set(result.verdicts.table["name"])
    assert "P4" in set(result.verdicts.table["name"])
    assert "Not assessed: P3. P3 has to wait." in result.notes
    assert "Not assessed: network. it rests on P3." in result.notes


def test_fits_are_kept_by_model(quick, monkeypatch, tmp_path):
    kept = []
    monkeypatch.setattr(study_models, "keep", lambda one, name, sampling: kept.append(name))
    run_study(STUDY, n=200, save=tmp_path, progress=stop_at(2))
    assert kept == [f"{STUDY}.nc", f"{STUDY}_benchmark.nc"]


def test_verdicts_of_several_models_are_counted_together():
    def one(name, verdict, p):
        table = pd.DataFrame({"name": [name], "verdict": [verdict], "probability": [p]})
        notes = ("Rule: x.", f"Supported claims: {int(verdict == 'supported')} of 1.")
        return SimpleNamespace(table=table, parts=pd.DataFrame({"part": []}), notes=notes, fits=1)

    both = study_models.combined(
        {"m": one("A", "supported", 0.98), "k": one("B", "undecided", 0.6)}
    )
    assert list(both.table["model"]) == ["m", "k"]
    assert both.notes[0] == "Rule: x."
    assert (
        "over all models: 1 of 2. Expected number of false supports among them: 0.02."
        in both.notes[1]
    )
    assert both.notes[2:] == ("m. Supported claims: 1 of 1.", "k. Supported claims: 0 of 1.")
