"""Political Democracy as a PyMC user would write it: matrices, an MvNormal, no tricks."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

INDICATORS = ["x1", "x2", "x3", "y1", "y2", "y3", "y4", "y5", "y6", "y7", "y8"]
FACTOR = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
FIRST = [0, 3, 7]
OTHER = [1, 2, 4, 5, 6, 8, 9, 10]
PAIRS = [(3, 7), (4, 6), (4, 8), (5, 9), (6, 10), (8, 10)]


def plain_democracy(data: pd.DataFrame) -> pm.Model:
    """The default priors of the package, in its home metric, with an MvNormal over the cases."""
    Y = data[INDICATORS].to_numpy(float)
    s, mean = Y.std(0), Y.mean(0)
    with pm.Model() as model:
        nu = pm.Normal("nu", mean, 2.5 * s)
        first = pm.TruncatedNormal("first", 0.7 * s[FIRST], 0.4 * s[FIRST], lower=0)
        other = pm.Normal("other", 0.7 * s[OTHER], 0.4 * s[OTHER])
        loading = pt.zeros(11)[FIRST].set(first)[OTHER].set(other)
        a, b, c = (pm.Normal(name, 0, 0.5) for name in "abc")
        sd = pm.Gamma("sd", 2, 3 / s)
        r = pm.Uniform("r", -1, 1, shape=6)
        Lambda = pt.zeros((11, 3))[np.arange(11), np.array(FACTOR)].set(loading)
        Beta = pt.zeros((3, 3))[[1, 2, 2], [0, 0, 1]].set(pt.stack([a, b, c]))
        i, j = np.array(PAIRS).T
        R = pt.eye(11)[i, j].set(r)[j, i].set(r)
        pm.Potential("lkj", pt.linalg.slogdet(R)[1])
        Theta = sd[:, None] * R * sd[None, :]
        total = Lambda @ pt.linalg.inv(pt.eye(3) - Beta)
        pm.MvNormal("y", nu, total @ total.T + Theta, observed=Y)
    return model


def sample_plain(model: pm.Model, fit: Any, *, seed: int) -> Any:
    """Compile with nutpie and sample from starts around our own posterior mean."""
    import nutpie

    mean = fit.draws["sampled_posterior"]["x"].mean(("chain", "draw"))
    value = dict(zip(mean["parameter"].to_numpy(), mean.to_numpy(), strict=True))
    starts = _starts(value)
    compiled = nutpie.compile_pymc_model(model, initial_points=starts, jitter_rvs=set())
    begun = time.perf_counter()
    tree = nutpie.sample(
        compiled, draws=1000, tune=1000, chains=4, cores=2, seed=seed, progress_bar=False
    )
    tree.attrs["sampling_seconds"] = time.perf_counter() - begun
    return tree


def _starts(value: dict[str, float]) -> dict[str, np.ndarray]:
    factors = ["ind60", "dem60", "dem65"]
    names = [f"{factors[f]} =~ {v}" for v, f in zip(INDICATORS, FACTOR, strict=True)]
    loading = np.array([value[name] for name in names])
    return {
        "nu": np.array([value[f"{v} ~1"] for v in INDICATORS]),
        "first": loading[FIRST],
        "other": loading[OTHER],
        "a": np.array(value["dem60 ~ ind60"]),
        "b": np.array(value["dem65 ~ ind60"]),
        "c": np.array(value["dem65 ~ dem60"]),
        "sd": np.array([value[f"{v} ~~ {v}"] for v in INDICATORS]),
        "r": np.array([value[f"{INDICATORS[i]} ~~ {INDICATORS[j]}"] for i, j in PAIRS]),
    }
