"""Theme counts and segments that several tests share."""

import numpy as np
import pandas as pd
import pytest

from bayesem.counts.clustered import fit_segments
from bayesem.counts.fit import CountFit, fit_counts
from bayesem.counts.segments import Segments, generate_segments, read_segments
from bayesem.counts.table import CountModel, count_model

STUDY = "facilitated_alliance"
PHASES = {
    "before": {"trust": 0.2},
    "initiation": {"meeting": 4, "bringing": 4},
    "structure": {"roles": 3},
    "conflict": {"differences": 4, "mediation": 4},
    "stabilisation": {"trust": 4},
}


@pytest.fixture(scope="session")
def table() -> CountModel:
    """The paper's Table 1."""
    return count_model(STUDY)


@pytest.fixture(scope="session")
def counted(table: CountModel) -> CountFit:
    """Table 1 under the default prior."""
    return fit_counts(table, draws=20_000, seed=1)


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """Generated segments of seven informants."""
    return generate_segments(STUDY, phases=PHASES, informants=7, segments=8, seed=1)


@pytest.fixture(scope="session")
def segments(rows: pd.DataFrame) -> Segments:
    return read_segments(rows, STUDY)


@pytest.fixture(scope="session")
def phased(segments: Segments) -> CountFit:
    return fit_segments(segments, seed=1)


def mcse(draws: np.ndarray) -> float:
    """Monte-Carlo error of a mean of independent draws."""
    return float(draws.std() / np.sqrt(draws.size))
