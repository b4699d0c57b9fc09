"""One small fit of every kind of model and data, shared by all tests of a process.

``complete``, ``missing``, ``interaction``, ``outcome`` (a 0/1 outcome) and ``moments``.
"""

from functools import cache

import numpy as np
import pandas as pd

from bayesem.data import Moments
from bayesem.fitting import fit
from bayesem.posterior import Fit

KINDS = ("complete", "missing", "interaction", "outcome", "moments")
LINEAR = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a*X + size
Y ~ b*M + c*X
ab := a*b
"""
TEXTS = {
    "interaction": """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ b*X + c*Z + w*X:Z
X ~~ Z
""",
    "outcome": """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
bought ~ b*X + c*Z
X ~~ Z
""",
}
CLAIMS = {
    "complete": {"P1": "a > 0 and b > 0", "P2": "ab > c"},
    "interaction": {"P1": "b > 0", "P2": "w > 0"},
    "outcome": {"P1": "b > 0", "P2": "b > c"},
}
for _same in ("missing", "moments"):
    CLAIMS[_same] = CLAIMS["complete"]


@cache
def data_of(kind: str) -> pd.DataFrame | Moments:
    """The data of a kind; raw ones are generated and labelled so."""
    rng = np.random.default_rng(20)
    n = 200
    size = rng.normal(size=n)
    X, Z = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T
    M = 0.5 * X + 0.3 * size + rng.normal(0, 0.8, n)
    Y = 0.4 * M + 0.2 * X + rng.normal(0, 0.8, n)
    if kind == "interaction":
        Y = 0.4 * X + 0.3 * Z + 0.35 * X * Z + rng.normal(0, 0.7, n)
    columns = {
        f"{name}{k}": 4 + w * f + rng.normal(0, 0.6, n)
        for name, f in zip("xzmy", (X, Z, M, Y), strict=True)
        for k, w in ((1, 1.0), (2, 0.8), (3, 0.9))
    }
    columns |= {"size": size, "bought": (0.8 * X - 0.4 * Z + rng.normal(size=n) > 0).astype(float)}
    data = pd.DataFrame(columns)
    data.attrs["synthetic"] = True
    if kind == "missing":
        holes = rng.uniform(size=data.shape) < 0.08
        holes[:, data.columns.get_loc("size")] = False
        return data.mask(holes)
    if kind == "moments":
        names = [c for c in data if c[0] in "xmy"] + ["size"]
        return Moments(data[names].cov(), n, data[names].mean())
    return data


@cache
def fit_of(kind: str) -> Fit:
    """A converged fit of the kind, 4 x 500 draws."""
    families = {"bought": "bernoulli"} if kind == "outcome" else None
    return fit(
        TEXTS.get(kind, LINEAR), data_of(kind), families=families, draws=500, tune=500, seed=3,
        progress=False,
    )  # fmt: skip
