"""The documentation's matrix of features and kinds of fit is true, cell by cell."""

import kinds
import pytest
from features import FEATURES, SLOW, cell, says_something, written

WRITTEN = written()


def test_the_page_lists_every_feature():
    assert set(WRITTEN) == {(f, k) for f in FEATURES for k in kinds.KINDS}


CELLS = [
    pytest.param(f, k, marks=[pytest.mark.slow] if (f, k) in SLOW else [])
    for k in kinds.KINDS
    for f in FEATURES
]


@pytest.mark.parametrize(("feature", "kind"), CELLS)
def test_cell(feature, kind):
    found = cell(feature, kind)
    assert found.refusal == WRITTEN[feature, kind]
    if found.refusal is None:
        assert says_something(found.result)
