"""A study from its files to verdicts: pooling, honesty about chains, interruption, the page."""

import json

import numpy as np
import pytest

from bayesem.errors import NotAvailableError, StudyError
from bayesem.simulation import simulate
from bayesem.study_notes import pooled
from bayesem.study_record import record
from bayesem.studying import run_study

STUDY = "alliance_mediation"


@pytest.fixture(scope="module")
def two():
    """Two readings on one matrix each."""
    return run_study(STUDY, only=("T", "D"), matrices=1, draws=400, tune=500)


@pytest.fixture(scope="module")
def short():
    """Chains that are far too short."""
    return run_study(STUDY, only=("T",), matrices=1, draws=10, tune=20)


def by_reading(result, reading):
    table = result.verdicts.table
    return table[table["reading"] == reading].set_index("name")


def test_pooled_probability_is_the_weighted_mean(two):
    weights = two.readings.set_index("reading")["weight"]
    weights = weights / weights.sum()
    expected = sum(weights[r] * by_reading(two, r)["probability"] for r in ("T", "D"))
    rows, over = pooled(two)
    np.testing.assert_allclose(rows.set_index("name")["probability"], expected, atol=1e-12)
    assert over == "pooled over 2 readings by weight"


def test_verdicts_on_the_likeliest_reading(two):
    found = by_reading(two, "T")["verdict"]
    assert two.converged
    assert not two.incomplete
    assert found["H1"] == found["H2a"] == found["M2"] == "supported"
    assert found["only_through"] == "undecided"
    assert by_reading(two, "T").loc["H2b", "probability"] == pytest.approx(0.99, abs=0.02)
    assert by_reading(two, "T").loc["only_through", "attainable"] == pytest.approx(0.77, abs=0.03)


def test_propositions_about_another_model_are_named(two):
    assert [p.name for p in two.elsewhere] == ["contingent", "sharing_strengthens"]
    assert "contingent" not in set(two.verdicts.table["name"])
    assert "which need raw answers" in " ".join(str(two).split())


def test_page_fits_eighty_columns(two, short):
    for result in (two, short):
        assert max(map(len, str(result).splitlines())) <= 80


def test_page_says_what_it_rests_on(two):
    page = " ".join(str(two).split())
    for said in (
        "rejected, p = 0.051 beside CR = 2.417",
        "only_through cannot be supported at this number of cases",
        "Fit indices are not reported",
        "The correlation of RSC and KSC is not printed.",
        "T: c1.p printed 0.051, implied 0.015",
        'Priors "default"',
        "All 2 fits converged",
        "Expected number of false supports",
    ):
        assert said in page


def test_without_convergence_no_verdict_is_shown(short):
    assert not short.converged
    assert set(short.verdicts.table["verdict"]) == {"withheld"}
    page = str(short)
    assert "1 of 1 fits did NOT converge" in page
    assert "fitted again with twice the draws" in page
    matrix = page.split("== Probability of each claim")[1].split("==")[1]
    assert "+" not in matrix.split("Marks")[0]


def test_record_is_json(two, short):
    for result in (two, short):
        again = json.loads(json.dumps(record(result), allow_nan=False))
        assert again["converged"] is result.converged
        assert [row["name"] for row in again["verdicts"]][:3] == ["H1", "H2a", "H2b"]
    assert again["fits"][0]["reasons"]
    assert len(record(two)["by_reading"]) == 18


def test_same_seed_same_verdicts(short):
    again = run_study(STUDY, only=("T",), matrices=1, draws=10, tune=20)
    first, second = (r.verdicts.table["probability"].to_numpy() for r in (short, again))
    np.testing.assert_array_equal(first, second)


def stop_at(step):
    """A progress report during which someone presses Ctrl-C."""

    def tell(progress):
        if progress.total and progress.done == step:
            raise KeyboardInterrupt

    return tell


def test_interruption_keeps_what_is_done():
    result = run_study(
        STUDY, only=("T", "D"), matrices=1, draws=10, tune=20, progress=stop_at(1)
    )  # fmt: skip
    assert list(result.fits) == ["T"]
    assert "stopped with 1 fits left" in result.incomplete
    assert "INCOMPLETE" in str(result)
    assert record(result)["incomplete"] == result.incomplete


def test_interruption_before_anything_is_done():
    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, only=("T",), matrices=1, draws=10, tune=20, progress=stop_at(0))


def test_answers_and_variant():
    data = simulate(STUDY, 200, seed=2, answers=True)
    result = run_study(STUDY, data=data, variant="no_alliance", draws=10, tune=20)
    assert result.readings is None
    assert result.model.variant == "no_alliance"
    assert "200 SYNTHETIC answers" in str(result)
    assert len(record(result)["verdicts"]) == 9


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "alliance_mediaton"}, StudyError, "There is no study"),
        ({"name": "f =~ x1 + x2"}, StudyError, "is not the name of a study"),
        ({"name": f"{STUDY}:no_alliance", "variant": "x"}, StudyError, "names a variant already"),
        ({"name": STUDY, "only": ("Q",)}, StudyError, "no reading `Q`"),
        ({"name": STUDY, "matrices": 0}, StudyError, "matrices is 0"),
        ({"name": STUDY, "variant": "contingent"}, NotAvailableError, "products of factors"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        run_study(**arguments)
