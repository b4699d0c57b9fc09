"""Fits made by hand from draws that are known, for tests of whatever reads fits."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from bayesem.arithmetic import defined
from bayesem.data import Moments
from bayesem.matrices import Matrices
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table

MEDIATION = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a*X
Y ~ b*M + c*X
ab := a*b
whole := ab + c
"""


@dataclass(frozen=True)
class FakeFit:
    """The part of a fit that verdicts and effects read."""

    model: Model
    table: ParameterTable
    draws: xr.DataTree
    both: dict
    data: object
    n: int = 190
    converged: bool = True
    notes: tuple = ()
    convergence: object = field(default_factory=lambda: SimpleNamespace(ok=True, reasons=()))
    settings: object = field(default_factory=lambda: SimpleNamespace(priors="default"))

    def matrices(self, group="posterior"):
        return self.both[group]


def normal_grid(mean, sd, chains=4, draws=1000, seed=0):
    """Draws whose distribution function is the normal one to within 1/S, in random order."""
    size = chains * draws
    values = norm.ppf((np.arange(size) + 0.5) / size)
    return mean + sd * np.random.default_rng(seed).permutation(values).reshape(chains, draws)


def shares(share, chains=4, draws=1000, seed=0):
    """Draws of 1 and -1, exactly this share of them 1, in random order."""
    size = chains * draws
    values = np.where(np.arange(size) < round(share * size), 1.0, -1.0)
    return np.random.default_rng(seed).permutation(values).reshape(chains, draws)


def moments(n=190, **more):
    names = [f"{k}{i}" for k in "xmy" for i in (1, 2, 3)]
    cov = pd.DataFrame(np.eye(9) + 0.3, index=names, columns=names)
    return Moments(cov, n, **more)


def fake_fit(posterior, prior, *, text=MEDIATION, data=None, unit=True, **more):
    """A fit whose labels have these draws; ``unit`` gives every factor an implied variance of 1."""
    model = read_model(text)
    table = parameter_table(model, identify="unit", means=False)
    both = {
        "posterior": matrices_of(table, posterior, unit=unit),
        "prior": matrices_of(table, prior, unit=unit),
    }
    tree = {}
    for group, labels in (("posterior", posterior), ("prior", prior)):
        values = {**labels, **defined(model.definitions, labels)}
        tree[group] = xr.Dataset({k: (("chain", "draw"), v) for k, v in values.items()})
    draws = xr.DataTree.from_dict(tree)
    return FakeFit(model, table, draws, both, moments() if data is None else data, **more)


def matrices_of(table, labels, *, unit=True, loading=0.8):
    """Matrices from the draws of labels; what has none is fixed, .8 or 1 or 0."""
    shape = next(iter(labels.values())).shape
    p, m = len(table.indicators), len(table.factors)
    cells = {
        "Lambda": np.zeros((*shape, p, m)),
        "Beta": np.zeros((*shape, m, m)),
        "Psi": np.zeros((*shape, m, m)),
        "Theta": np.zeros((*shape, p, p)),
    }
    for row in table.rows:
        if row.matrix not in cells:
            continue
        default = {"loading": loading, "path": 0.0, "correlation": 0.0}.get(row.kind, 1.0)
        value = default if row.value is None else row.value
        value = labels.get(row.label, value) if row.value is None else value
        cells[row.matrix][..., row.i, row.j] = value
        if row.matrix in ("Psi", "Theta"):
            cells[row.matrix][..., row.j, row.i] = value
    for i in range(p):
        phantom = table.indicators[i] in table.factors
        if phantom:
            cells["Lambda"][..., i, table.factors.index(table.indicators[i])] = 1.0
        cells["Theta"][..., i, i] = 0.0 if phantom else 0.5
    if unit:
        unit_variances(cells["Beta"], cells["Psi"])
    return Matrices(**cells, nu=np.zeros((*shape, p)), alpha=np.zeros((*shape, m)))


def unit_variances(Beta, Psi):
    """Residual variances that give factors a variance of 1; factors stand in causal order."""
    m = Beta.shape[-1]
    for k in range(m):
        if not np.any(Beta[..., k, :]):
            continue
        Psi[..., k, k] = 0.0
        A = np.linalg.inv(np.eye(m) - Beta)
        explained = (A @ Psi @ A.swapaxes(-1, -2))[..., k, k]
        Psi[..., k, k] = 1 - explained
