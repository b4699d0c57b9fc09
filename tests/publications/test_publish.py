"""What is printed of a covariance matrix, by textbook formulas and by lavaan's numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from bayesem.model import read_model
from bayesem.publications import publish
from bayesem.publications.design import design_of

GOLDEN = json.loads((Path(__file__).parent / "golden" / "holzinger.json").read_text())
TEXT = """
    visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9
    textual ~ a*visual
    speed ~ b*textual + c*visual
"""


def test_fit_indices_are_lavaans_with_the_other_divisor() -> None:
    n, df, df0 = GOLDEN["n"], 24, 36
    chisq = GOLDEN["fit"]["chisq"] * (n - 1) / n
    baseline = GOLDEN["fit"]["baseline.chisq"] * (n - 1) / n
    fit = publish(np.array(GOLDEN["cov"]), n, design_of(read_model(TEXT)), digits=6)["fit"]
    assert fit["chisq"] == pytest.approx(chisq, abs=2e-6)
    assert fit["cmin_df"] == pytest.approx(chisq / df, abs=1e-6)
    ratio = baseline / df0
    assert fit["tli"] == pytest.approx((ratio - chisq / df) / (ratio - 1), abs=1e-6)
    assert fit["cfi"] == pytest.approx(1 - (chisq - df) / (baseline - df0), abs=1e-6)
    assert fit["rmsea"] == pytest.approx(np.sqrt((chisq - df) / (df * (n - 1))), abs=1e-6)
    assert fit["agfi"] == pytest.approx(1 - 45 / 24 * (1 - fit["gfi"]), abs=2e-6)


def test_numbers_are_rounded_as_printed(honest) -> None:
    printed, found = honest.printed, honest.found
    loadings = [row["est"] for row in printed["loadings"]["rows"]]
    np.testing.assert_array_equal(loadings, np.round(found.solution.loadings, 2))
    estimates, errors = found.parameters[found.paths], found.errors[found.paths]
    for row, estimate, error in zip(
        printed["regression_weights"]["rows"], estimates, errors, strict=True
    ):
        assert row["est"] == round(float(estimate), 3)
        assert row["cr"] == round(float(estimate / error), 3)
        p = 2 * norm.sf(abs(estimate / error))
        assert row["p"] == ("***" if p < 0.001 else pytest.approx(round(p, 3)))
    assert {"***"} < {row["p"] for row in printed["regression_weights"]["rows"]}


def test_only_what_a_paper_prints(honest) -> None:
    assert set(honest.printed) == {"loadings", "regression_weights", "fit"}
    keys = {key for row in honest.printed["regression_weights"]["rows"] for key in row}
    assert keys == {"lhs", "op", "rhs", "est", "cr", "p"}
