"""Codes of missing answers among answers on a scale are refused; answers never are."""

import numpy as np
import pandas as pd
import pytest

from bayesem.errors import DataError
from bayesem.preparation import prepare

MODEL = "f =~ x1 + x2 + x3\ny ~ f"


def survey(low=1, high=7, **cells):
    """Sixty cases with whole answers from ``low`` to ``high``; some cells replaced."""
    rng = np.random.default_rng(1)
    f = rng.normal(size=60)
    middle, spread = (low + high) / 2, (high - low) / 5
    data = pd.DataFrame({f"x{i}": middle + spread * (f + rng.normal(size=60)) for i in (1, 2, 3)})
    data = data.round().clip(low, high).assign(y=f + rng.normal(size=60))
    for column, code in cells.items():
        data.loc[[5, 9], column] = code
    return data


@pytest.mark.parametrize("code", [-1, -8, -9, -99, -999, 77, 88, 99, 999, 9999])
def test_a_code_among_answers_is_refused(code):
    with pytest.raises(DataError, match=f"`x2` holds {code} .row 5 and 1 more") as caught:
        prepare(MODEL, survey(x2=code))
    assert f"na_values={{'x2': [{code}]}}" in caught.value.hint


def test_several_codes_are_named_together():
    data = survey(x2=-99)
    data.loc[20, "x2"] = -9
    with pytest.raises(DataError, match="x2") as caught:
        prepare(MODEL, data)
    assert "na_values={'x2': [-99, -9]}" in caught.value.hint


def test_every_column_with_codes_is_named():
    with pytest.raises(DataError, match=r"`x1` holds 99 .* So do `x3`") as caught:
        prepare(MODEL, survey(x1=99, x3=-9))
    assert "na_values=dict.fromkeys(['x1', 'x3'], [99, -9])" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        survey(x2=np.nan),
        survey(low=0, high=10),
        survey(low=-3, high=3),
        survey(low=-1, high=1),
        survey(low=0, high=100, x2=99),  # percentages
        survey(low=60, high=120, x2=99),
        survey(y=-99),  # no indicator: an amount may be anything
    ],
    ids=["missing", "0-10", "-3 to 3", "-1 to 1", "percentages", "scores", "an outcome"],
)
def test_answers_are_no_codes(data):
    assert prepare(MODEL, data).data.n == 60


def test_decimals_are_no_scale():
    data = survey()
    data["x2"] = data["x2"] + 0.25
    data.loc[5, "x2"] = 99
    assert prepare(MODEL, data).data.values.max() == 99
