"""Data and fits that several tests share; compiled kernels are shared through the cache on disk."""

import json
from pathlib import Path

import pandas as pd
import pytest
from semopy.examples import holzinger39, political_democracy

from bayesem.fitting import fit
from bayesem.posterior import Fit

DEMOCRACY = """
ind60 =~ x1 + x2 + x3
dem60 =~ y1 + y2 + y3 + y4
dem65 =~ y5 + y6 + y7 + y8
dem60 ~ a*ind60
dem65 ~ b*ind60 + c*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
ac := a*c
whole := ac + b
"""
HOLZINGER = """
visual  =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed   =~ x7 + x8 + x9
"""


@pytest.fixture(scope="session")
def golden() -> dict:
    """Numbers of other programs, with their origin."""
    return json.loads((Path(__file__).parent / "golden" / "reference.json").read_text())["models"]


@pytest.fixture(scope="session")
def democracy_data() -> pd.DataFrame:
    """Political Democracy (Bollen 1989), 75 countries."""
    return political_democracy.get_data()


@pytest.fixture(scope="session")
def holzinger_data() -> pd.DataFrame:
    """Holzinger & Swineford (1939), 301 pupils."""
    return holzinger39.get_data()


@pytest.fixture(scope="session")
def democracy(democracy_data: pd.DataFrame) -> Fit:
    """Political Democracy under the default priors."""
    return fit(DEMOCRACY, democracy_data, seed=1, progress=False)
