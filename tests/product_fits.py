"""Fits by hand of models with products of factors and outcomes of other families.

Truths are named as in the table (``Y ~ X``, ``Y ~ X:Z``, ``X ~~ X``, ``u shape``) or by label.
"""

import numpy as np
import xarray as xr
from fake_fits import FakeFit, moments
from scipy.special import expit

from bayesem.arithmetic import defined
from bayesem.families import read_families
from bayesem.implied import linear_mean
from bayesem.matrices import Matrices
from bayesem.model import read_model
from bayesem.partable import parameter_table

DEFAULTS = {
    "loading": 0.8, "path": 0.0, "interaction": 0.0, "correlation": 0.0, "intercept": 0.0,
    "factor_mean": 0.0, "factor_sd": 1.0, "residual_sd": 1.0, "shape": 0.5,
}  # fmt: skip


def table_of(text, families=None, identify="unit"):
    model = read_model(text)
    lhs = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    explained = {k: v for k, v in lhs.items() if k in model.observed}
    return model, parameter_table(
        model, identify=identify, families=read_families(families, explained)
    )


def matrices_of(table, truth, shape=(1, 1)):
    """Matrices whose free cells have these values: numbers or (chain, draw) arrays."""
    p, m = len(table.indicators), len(table.factors)
    sizes = {
        "Lambda": (p, m), "Beta": (m, m), "Psi": (m, m), "Theta": (p, p), "nu": (p,),
        "alpha": (m,), "omega": (len(table.products),), "shape": (len(table.outcomes),),
    }  # fmt: skip
    cells = {k: np.zeros((*shape, *size)) for k, size in sizes.items()}
    for name in table.phantoms:
        cells["Lambda"][..., table.indicators.index(name), table.factors.index(name)] = 1
    left = dict(truth)
    for row in table.rows:
        value = row.value
        for key in (row.label, row.name, row.name.replace(" ", "")):
            if value is None and key in truth:
                value = truth[key]
            left.pop(key, None)
        value = DEFAULTS[row.kind] if value is None else value
        index = (row.i,) if row.matrix in ("nu", "alpha", "omega", "shape") else (row.i, row.j)
        cells[row.matrix][(..., *index)] = value
        if row.matrix in ("Psi", "Theta"):
            cells[row.matrix][..., row.j, row.i] = value
    assert not left, left
    return Matrices(**cells, products=table.products)


def product_fit(
    text, truth, *, families=None, identify="unit", shape=(1, 1), prior=None, rows=None, **more
):
    """A fit with these draws; ``rows`` are the sample's observed predictors, by name."""
    model, table = table_of(text, families, identify)
    truths = {"posterior": truth, "prior": truth if prior is None else prior}
    both = {k: matrices_of(table, t, shape) for k, t in truths.items()}
    tree = {}
    for group in truths:
        labels = {}
        for label, found in table.labels.items():
            row = found[0]
            index = (row.i,) if row.matrix in ("nu", "alpha", "omega") else (row.i, row.j)
            labels[label] = getattr(both[group], row.matrix)[(..., *index)]
        values = {**labels, **defined(model.definitions, labels)}
        tree[group] = xr.Dataset({k: (("chain", "draw"), v) for k, v in values.items()})
    if rows is not None:
        n = len(next(iter(rows.values())))
        y = np.full((n, len(table.indicators)), np.nan)
        for name, column in rows.items():
            y[:, table.indicators.index(name)] = column
        tree["observed_data"] = xr.Dataset(
            {"y": (("case", "indicator"), y)}, coords={"indicator": list(table.indicators)}
        )
    return FakeFit(model, table, xr.DataTree.from_dict(tree), both, moments(), **more)


def simulate(table, M, n, rng, *, put=None, x=None):
    """Structural equations, one variable after the other: factors (n, m) and outcomes by name.

    ``M`` are matrices of one draw; ``put`` sets factors by position, ``x`` gives the values of
    observed predictors by position.
    """
    put, x = put or {}, x or {}
    m = len(table.factors)
    zeta = rng.multivariate_normal(np.zeros(m), M.Psi, size=n, method="svd")
    centre = linear_mean(M)
    outcomes = {o.factor: (k, o) for k, o in enumerate(table.outcomes)}
    twins = {
        table.factors.index(f"{o.name} (observed)"): o.factor
        for o in table.outcomes
        if f"{o.name} (observed)" in table.factors
    }
    eta, y = np.full((n, m), np.nan), {}
    todo = list(range(m))
    while todo:
        for j in list(todo):
            needed = set(np.flatnonzero(M.Beta[j])) | ({twins[j]} if j in twins else set())
            needed |= {k for p in table.products if p.to == j for k in (p.first, p.second)}
            if j in put or j in x:
                eta[:, j] = put[j] if j in put else x[j]
            elif needed & set(todo):
                continue
            elif j in twins:
                eta[:, j] = y[twins[j]]
            else:
                eta[:, j] = M.alpha[j] + zeta[:, j] + sum(M.Beta[j, k] * eta[:, k] for k in needed)
                for k, p in enumerate(table.products):
                    if p.to == j:
                        a, b = (eta[:, at] - (0 if raw else centre[at]) for at, raw in p.parts)
                        eta[:, j] += M.omega[k] * a * b
            if j in outcomes:
                k, o = outcomes[j]
                scale = M.shape[k] if M.shape.size else 0.0
                y[j] = draw(o.family.name, eta[:, j], scale, rng)
            todo.remove(j)
    return eta, {o.name: y[f] for f, (_, o) in outcomes.items()}


def draw(family, eta, shape, rng):
    match family:
        case "bernoulli":
            return (eta > 0).astype(float)
        case "logit":
            return (rng.uniform(size=eta.shape) < expit(eta)).astype(float)
        case "lognormal":
            return np.exp(eta)
        case "weibull":
            return np.exp(eta + shape * np.log(rng.exponential(size=eta.shape)))
        case "poisson":
            return rng.poisson(np.exp(eta)).astype(float)
        case "negative_binomial":
            rate = np.exp(eta) * rng.gamma(1 / shape, shape, size=eta.shape)
            return rng.poisson(rate).astype(float)
        case "normal":
            return eta
    raise ValueError(family)
