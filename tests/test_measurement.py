"""Reliability and validity: hand computation, another program's estimates, and known populations."""

import time

import numpy as np
import pandas as pd
import kinds
import pytest
from scipy.optimize import minimize
from texts import DEMOCRACY, HOLZINGER

from bayesem.kernels.pack import constrained
from bayesem.matrices import Matrices
from bayesem.measurement import blocks, composites, discrimination, reliability, validity
from bayesem.model import read_model
from bayesem.partable import parameter_table
from bayesem.posterior import cell, reported_matrices
from bayesem.preparation import prepare
from bayesem.sampling.starts import maximum


def _numbers(model, table, matrices, signs=None):
    """Composites and discrimination by factor and by pair, of one set of matrices."""
    found = blocks(model, table)
    signs = signs or tuple(np.ones(len(b.indicators)) for b in found)
    pairs = [(a, b) for k, a in enumerate(found) for b in found[k + 1 :]]
    values = composites(matrices, found, signs)
    names = [b.name for b in found]
    own = {name: dict(zip(names, v.tolist(), strict=True)) for name, v in values.items()}
    between = discrimination(matrices, pairs)
    keys = [(a.name, b.name) for a, b in pairs]
    return own, {name: dict(zip(keys, v.tolist(), strict=True)) for name, v in between.items()}


def _by_hand(loading, phi, theta, items):
    """The same from dictionaries and loops: loadings by factor, Phi, Theta as frames."""
    Sigma = sum(
        phi.loc[k, m] * np.outer(loading[k], loading[m]) for k in loading for m in loading
    ) + theta.to_numpy()  # fmt: skip
    Sigma = pd.DataFrame(Sigma, theta.index, theta.index)
    R = Sigma / np.sqrt(np.outer(np.diag(Sigma), np.diag(Sigma)))
    own, ave = {"omega": {}, "alpha": {}, "ave": {}}, {}
    for k, block in items.items():
        part = Sigma.loc[block, block].to_numpy()
        lam = pd.Series(loading[k], theta.index)[block].to_numpy()
        c = (part.sum() - np.trace(part)) / (len(block) * (len(block) - 1))
        v = np.trace(part) / len(block)
        own["omega"][k] = lam.sum() ** 2 * phi.loc[k, k] / part.sum()
        own["alpha"][k] = len(block) * c / (v + (len(block) - 1) * c)
        ave[k] = np.mean(
            [x**2 * phi.loc[k, k] / s for x, s in zip(lam, np.diag(part), strict=True)]
        )
    own["ave"] = ave
    pair = {"correlation": {}, "htmt": {}, "htmt2": {}, "fornell_larcker": {}}
    names = list(items)
    for a, b in ((a, b) for n, a in enumerate(names) for b in names[n + 1 :]):
        across = [abs(R.loc[i, j]) for i in items[a] for j in items[b]]
        inside = [
            [abs(R.loc[i, j]) for n, i in enumerate(items[k]) for j in items[k][n + 1 :]]
            for k in (a, b)
        ]
        r = phi.loc[a, b] / np.sqrt(phi.loc[a, a] * phi.loc[b, b])
        pair["correlation"][a, b] = r
        pair["htmt"][a, b] = np.mean(across) / np.sqrt(np.mean(inside[0]) * np.mean(inside[1]))
        gm = [np.prod(x) ** (1 / len(x)) for x in (across, *inside)]
        pair["htmt2"][a, b] = gm[0] / np.sqrt(gm[1] * gm[2])
        pair["fornell_larcker"][a, b] = min(ave[a], ave[b]) - r**2
    return own, pair


def _semopy(text, data, factors, items):
    """Loadings, Phi and Theta as semopy estimates them (ML, marker loadings)."""
    from semopy import Model

    fitted = Model(text)
    fitted.fit(data, obj="MLW", solver="SLSQP")
    value, slope = fitted.get_objective("MLW")  # its own solver stops early: climb on
    found = minimize(value, fitted.param_vals, jac=slope, method="BFGS", options={"gtol": 1e-10})
    fitted.param_vals = found.x
    fitted.update_matrices(found.x)
    est = fitted.inspect(mode="list")
    names = [i for block in items.values() for i in block]
    loading = {k: np.zeros(len(names)) for k in factors}
    Beta = pd.DataFrame(0.0, factors, factors)
    Psi, Theta = Beta.copy(), pd.DataFrame(0.0, names, names)
    for row in est.itertuples():
        value = float(row.Estimate)
        if row.op == "~" and row.lval in names:  # semopy prints loadings as regressions
            loading[row.rval][names.index(row.lval)] = value
        elif row.op == "~":
            Beta.loc[row.lval, row.rval] = value
        elif row.op == "~~":
            M = Theta if row.lval in names else Psi
            M.loc[row.lval, row.rval] = M.loc[row.rval, row.lval] = value
    A = np.linalg.inv(np.eye(len(factors)) - Beta.to_numpy())
    return loading, pd.DataFrame(A @ Psi.to_numpy() @ A.T, factors, factors), Theta


@pytest.mark.parametrize(
    ("text", "data"), [(HOLZINGER, "holzinger_data"), (DEMOCRACY, "democracy_data")]
)
def test_equals_hand_computation_on_semopys_estimates(text, data, request):
    """Every quantity to 1e-6: at semopy's maximum, and at ours."""
    data = request.getfixturevalue(data)
    model = read_model(text)
    factors = list(model.factors)
    items = {k: [s.term.name for s in model.parsed.statements if s.op == "=~" and s.lhs == k]
             for k in factors}  # fmt: skip
    plain = "\n".join(
        line.replace("a*", "").replace("b*", "").replace("c*", "")
        for line in text.splitlines() if ":=" not in line
    )  # fmt: skip
    loading, phi, theta = _semopy(plain, data, factors, items)
    expected = _by_hand(loading, phi, theta, items)

    ready = prepare(model, data, priors="flat")
    table = ready.table
    order = [table.indicators.index(i) for i in theta.index]
    Lambda, Theta = np.zeros((len(order), len(factors))), np.zeros((len(order),) * 2)
    for k, name in enumerate(factors):
        Lambda[order, k] = loading[name]
    Theta[np.ix_(order, order)] = theta.to_numpy()
    zero = np.zeros((len(factors),) * 2)
    there = Matrices(Lambda, zero, phi.to_numpy(), Theta, np.zeros(len(order)), zero[0])
    spec = ready.spec
    ours = reported_matrices(spec, constrained(spec, maximum(spec, jacobian=False).u))
    for matrices in (there, ours):
        for found, hand in zip(_numbers(model, table, matrices), expected, strict=True):
            assert found.keys() == hand.keys()
            for name in hand:
                assert found[name] == pytest.approx(hand[name], abs=1e-6), name


def test_htmt_of_a_congeneric_model():
    """With unequal loadings and phi = .60 HTMT is .621 and HTMT2 exactly .600."""
    model = read_model("f =~ a1 + a2 + a3 + a4; g =~ b1 + b2 + b3 + b4")
    table = parameter_table(model, identify="unit")
    L = np.zeros((8, 2))
    L[:4, 0] = L[4:, 1] = [0.9, 0.8, 0.5, 0.4]
    Phi = np.array([[1, 0.6], [0.6, 1]])
    Theta = np.diag(1 - (L**2).sum(1))
    M = Matrices(L, np.zeros((2, 2)), Phi, Theta, np.zeros(8), np.zeros(2))
    _, pair = _numbers(model, table, M)
    assert pair["htmt2"]["f", "g"] == pytest.approx(0.6, abs=1e-12)
    print(pair["htmt"])


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_tables_of_every_kind_of_fit(kind):
    """Means, intervals and probabilities are those of the draws, for every kind of fit."""
    fit = kinds.fit_of(kind)
    table, pairs = reliability(fit, prob=0.9), validity(fit, prob=0.9)
    print(table.T, pairs.T)
