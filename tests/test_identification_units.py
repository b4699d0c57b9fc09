"""Whether a model is identified does not depend on the units of its columns."""

import numpy as np
import pandas as pd
import pytest

from bayesem.errors import IdentificationError
from bayesem.preparation import prepare

MEASURED = "f =~ x1 + x2 + x3\nsales ~ b*f"


def answers(unit):
    rng = np.random.default_rng(1)
    f = rng.normal(size=80)
    data = pd.DataFrame({f"x{k}": f + rng.normal(size=80) for k in (1, 2, 3)})
    return data.assign(sales=unit * (2 + f + rng.normal(size=80)))


@pytest.mark.parametrize("unit", [1e-6, 1, 1e6, 1e9])
def test_identified_in_any_unit(unit):
    assert len(prepare(MEASURED, answers(unit)).spec.parameters) == 12


@pytest.mark.parametrize("unit", [1e-6, 1, 1e6])
def test_unidentified_in_any_unit(unit):
    with pytest.raises(IdentificationError, match="no data can tell them apart"):
        prepare(f"{MEASURED}\nx1 ~~ x2 + x3\nx2 ~~ x3", answers(unit))
