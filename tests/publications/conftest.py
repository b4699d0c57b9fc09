"""One exploration of the alliance study and one honest publication for all tests here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesem.publications import Publication, from_printed, publication, publish, readings
from bayesem.publications.design import standardised
from bayesem.publications.maximum import Maximum, maximum_likelihood


@dataclass(frozen=True, slots=True)
class Honest:
    """A sample, its maximum-likelihood solution, and what is printed of it."""

    S: np.ndarray
    found: Maximum
    printed: Mapping[str, Any]
    known: Publication


@pytest.fixture(scope="session")
def alliance() -> Publication:
    return publication("alliance_mediation")


@pytest.fixture(scope="session")
def table(alliance: Publication) -> pd.DataFrame:
    return readings(alliance).set_index("reading")


@pytest.fixture(scope="session")
def honest(alliance: Publication) -> Honest:
    design, n = alliance.design, 190
    loadings = np.array([value for value, _ in alliance.loadings])
    paths, r = np.array([0.3, 0.42, 0.32, 0.2, 0.3]), np.array([0.44])
    Sigma = standardised(design, loadings, paths, r).Sigma(design)
    rng = np.random.default_rng(20)
    answers = rng.multivariate_normal(np.zeros(21), Sigma, n) * rng.uniform(1, 2.5, 21)
    S = np.cov(answers.T)
    printed = publish(S, n, design)
    return Honest(S, maximum_likelihood(design, S, n), printed, from_printed(printed, n, design))
