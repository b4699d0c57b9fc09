"""Data and fits that several tests share; compiled kernels are shared through the cache on disk."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from semopy.examples import holzinger39, political_democracy
from texts import DEMOCRACY

from bayesem.fitting import fit
from bayesem.posterior import Fit

# No test depends on the machine's speed.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


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
