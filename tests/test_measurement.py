"""Reliability and validity: hand computation, another program's estimates, and known populations."""

from dataclasses import replace

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from texts import DEMOCRACY, HOLZINGER

from bayesem.errors import ConvergenceWarning, ModelError
from bayesem.fitting import fit
from bayesem.kernels.pack import constrained
from bayesem.matrices import Matrices
from bayesem.measurement import blocks, composites, discrimination, reliability, signs, validity
from bayesem.model import read_model
from bayesem.partable import parameter_table
from bayesem.posterior import reported_matrices
from bayesem.preparation import prepare
from bayesem.sampling.starts import maximum
from bayesem.shares import shares
from bayesem.truth import population


def _numbers(model, table, matrices, weights=None):
    """Composites and discrimination by factor and by pair, of one set of matrices."""
    found = blocks(model, table)
    weights = weights or tuple(np.ones(len(b.indicators)) for b in found)
    pairs = [(a, b) for k, a in enumerate(found) for b in found[k + 1 :]]
    values = composites(matrices, found, weights)
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
    assert round(pair["htmt"]["f", "g"], 3) == 0.621


def _population(text, truth, **options):
    model = read_model(text)
    table = parameter_table(model, identify="unit", means=True, **options)
    return model, table, population(model, table, truth)[0]


def _covariance(M):
    return M.Lambda @ M.Phi @ M.Lambda.T + M.Theta


def test_second_order():
    """Omega is hierarchical: over all indicators below; AVE is of the loadings on factors."""
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\ng =~ A + B + C\n"
    text += "h =~ h1 + h2 + h3\ng ~~ 0.4*h\n"
    truth = {"g =~ A": 1.5, "g =~ B": 1.0, "g =~ C": 0.6, "A =~ a1": 0.5, "A =~ a2": 0.4}
    model, table, M = _population(text, truth)
    own, pair = _numbers(model, table, M)
    S, f = _covariance(M), table.factors.index
    below = [table.indicators.index(f"{v}{k}") for v in "abc" for k in (1, 2, 3)]
    g = sum(
        M.Lambda[i, f(k)] * M.Beta[f(k), f("g")] for k in "ABC" for i in below
    )  # variance of g is 1
    assert own["omega"]["g"] == pytest.approx(g**2 / S[np.ix_(below, below)].sum(), abs=1e-12)
    std = [M.Beta[f(k), f("g")] / np.sqrt(M.Phi[f(k), f(k)]) for k in "ABC"]
    assert own["ave"]["g"] == pytest.approx(np.mean(np.square(std)), abs=1e-12)
    # the sum's own correlation with g, by drawing: a second route to omega
    rng = np.random.default_rng(0)
    n = 400_000
    gs = rng.normal(size=n)
    total = np.zeros(n)
    for k in "ABC":
        sub = M.Beta[f(k), f("g")] * gs + np.sqrt(M.Psi[f(k), f(k)]) * rng.normal(size=n)
        for i in below:
            if M.Lambda[i, f(k)]:
                total += M.Lambda[i, f(k)] * sub + np.sqrt(M.Theta[i, i]) * rng.normal(size=n)
    r2 = np.corrcoef(total, gs)[0, 1] ** 2
    error = 2 * np.sqrt(r2) * (1 - r2) / np.sqrt(n)
    assert abs(own["omega"]["g"] - r2) < 4 * error
    # pairs: g with h, by its factors' correlations; never with what measures it
    found = blocks(model, table)
    from bayesem.measurement import _pairs

    names = [(a.name, b.name) for a, b in _pairs(found)]
    assert ("g", "h") in names
    assert not {("A", "g"), ("B", "g"), ("C", "g")} & {*names}
    h = [table.indicators.index(f"h{k}") for k in (1, 2, 3)]
    L, D = M.Lambda[h] @ M.Phi, np.sqrt(np.diag(S))[h]
    sub = [f(k) for k in "ABC"]
    sd = np.sqrt(np.diag(M.Phi))[sub]
    between = np.abs(L[:, sub] / D[:, None] / sd).mean()
    inside = []
    for C in (S[np.ix_(h, h)], M.Phi[np.ix_(sub, sub)]):
        R = np.abs(C / np.sqrt(np.outer(np.diag(C), np.diag(C))))
        inside.append(R[np.tril_indices(3, -1)].mean())
    assert pair["htmt"]["g", "h"] == pytest.approx(between / np.sqrt(np.prod(inside)), abs=1e-12)


def test_cross_loadings_and_residual_correlations():
    """Only the factor's own part is reliable; shared indicators stay out of HTMT."""
    text = "X =~ x1 + x2 + x3\nM =~ m1 + m2 + m3 + x3\nx1 ~~ 0.2*x2\nX ~~ 0.5*M\n"
    model, table, M = _population(text, {"M =~ x3": 0.3})
    own, pair = _numbers(model, table, M)
    S, at = _covariance(M), table.indicators.index
    block = [at(v) for v in ("x1", "x2", "x3")]
    part = S[np.ix_(block, block)]
    assert own["omega"]["X"] == pytest.approx(M.Lambda[block, 0].sum() ** 2 / part.sum(), abs=1e-12)
    plain = replace(M, Theta=np.diag(np.diag(M.Theta)))
    assert own["omega"]["X"] < _numbers(model, table, plain)[0]["omega"]["X"] - 0.02
    R = np.abs(S / np.sqrt(np.outer(np.diag(S), np.diag(S))))
    x, m = [at("x1"), at("x2")], [at("m1"), at("m2"), at("m3")]
    inner = R[np.ix_(m, m)][np.tril_indices(3, -1)]
    across = R[np.ix_(x, m)]
    expected = across.mean() / np.sqrt(R[x[0], x[1]] * inner.mean())
    assert pair["htmt"]["X", "M"] == pytest.approx(expected, abs=1e-12)
    log = np.log(across).mean() - 0.5 * (np.log(R[x[0], x[1]]) + np.log(inner).mean())
    assert pair["htmt2"]["X", "M"] == pytest.approx(np.exp(log), abs=1e-12)


def test_reverse_coded_indicators_change_nothing():
    """A negative loading gets the weight -1; HTMT does not see it; correlations keep their sign."""
    text = "X =~ x1 + x2 + x3\nM =~ m1 + m2 + m3\nX ~~ -0.5*M\n"
    model, table, M = _population(text, {})
    flip = np.diag([-1.0 if v == "x2" else 1.0 for v in table.indicators])
    turned = replace(M, Lambda=flip @ M.Lambda, Theta=flip @ M.Theta @ flip)
    found = blocks(model, table)
    weights = signs(turned, found)
    assert [w.tolist() for w in weights] == [[1, -1, 1], [1, 1, 1]]
    assert _numbers(model, table, turned, weights) == _numbers(model, table, M)
    raw = _numbers(model, table, turned)[0]["omega"]["X"]
    assert raw < _numbers(model, table, M)[0]["omega"]["X"] - 0.3
    pair = _numbers(model, table, M)[1]
    assert pair["correlation"]["X", "M"] == pytest.approx(-0.5)
    assert pair["htmt"]["X", "M"] == pytest.approx(0.5)


def test_indicators_that_stand_among_the_factors():
    """An indicator that also predicts something has its loading in Beta: the numbers are its own."""
    text = "X =~ x1 + x2 + x3\ny ~ 0.4*x1\n"
    truth = {"X =~ x1": 0.8, "X =~ x2": 0.7, "X =~ x3": 0.6, "x1 ~~ x1": 0.3, "x2 ~~ x2": 0.5,
             "x3 ~~ x3": 0.6}  # fmt: skip
    model, table, M = _population(text, truth)
    own, _ = _numbers(model, table, M)
    lam, theta = np.array([0.8, 0.7, 0.6]), np.array([0.3, 0.5, 0.6])
    S = np.outer(lam, lam) + np.diag(theta)
    assert own["omega"]["X"] == pytest.approx(lam.sum() ** 2 / S.sum(), abs=1e-12)
    assert own["alpha"]["X"] == pytest.approx(1.5 * (1 - np.trace(S) / S.sum()), abs=1e-12)
    assert own["ave"]["X"] == pytest.approx((lam**2 / np.diag(S)).mean(), abs=1e-12)


def test_products_count_in_the_covariance():
    """Omega of an outcome of a product: squared correlation of its sum with it, by drawing."""
    truth = {"b": 0.4, "c": 0.3, "w": 0.6}
    model, table, M = _population(kinds.TEXTS["interaction"], truth)
    omega = _numbers(model, table, M)[0]["omega"]["Y"]
    rng, n = np.random.default_rng(1), 400_000
    f = table.factors.index
    X, Z = (rng.normal(size=(n, 2)) @ np.linalg.cholesky(M.Psi[:2, :2]).T).T
    Y = 0.4 * X + 0.3 * Z + 0.6 * X * Z + np.sqrt(M.Psi[f("Y"), f("Y")]) * rng.normal(size=n)
    rows = [table.indicators.index(f"y{k}") for k in (1, 2, 3)]
    total = sum(M.Lambda[i, f("Y")] * Y + np.sqrt(M.Theta[i, i]) * rng.normal(size=n) for i in rows)
    r2 = np.corrcoef(total, Y)[0, 1] ** 2
    assert abs(omega - r2) < 4 * 3 * np.sqrt(r2) * (1 - r2) / np.sqrt(n)  # heavier than normal
    without = _numbers(model, table, replace(M, products=(), omega=np.zeros(0)))[0]["omega"]["Y"]
    assert omega - without > 0.005


def test_single_indicators_are_missing_with_a_reason(democracy_data):
    """Neither a number nor an error: a note."""
    text = "ind =~ x1 + x2 + x3\none =~ y1\ny1 ~~ 0.5*y1\none ~ ind\nx1 ~ y8"
    found = fit(text, democracy_data, draws=200, tune=300, chains=2, seed=1, progress=False)
    table = reliability(found).set_index("factor")
    assert table.loc["one", ["omega", "alpha", "ave", "omega_pr"]].isna().all()
    assert "single indicator" in table.loc["one", "note"]
    assert table.loc["ind", ["omega", "alpha", "ave"]].notna().all()
    pairs = validity(found).iloc[0]
    assert np.isnan([pairs["htmt"], pairs["htmt2"], pairs["fornell_larcker"]]).all()
    assert "single indicator measures one" in pairs["note"]
    assert 0 < pairs["correlation"] < 1
    assert "y8" in table.attrs["notes"][-1]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_tables_of_every_kind_of_fit(kind):
    """Draw by draw as by hand; means, intervals and probabilities are those of the draws."""
    fit = kinds.fit_of(kind)
    table = reliability(fit, prob=0.9).set_index("factor")
    pairs = validity(fit, prob=0.9).set_index(["first", "second"])
    found = blocks(fit.model, fit.table)
    names = fit.table.indicators
    items = {b.name: [names[i] for i in b.indicators] for b in found}
    M = fit.matrices().map(lambda a: a.reshape(-1, *a.shape[2:]))
    chosen = np.arange(0, len(M.nu), 97)
    by_draw = composites(M, found, tuple(np.ones(len(b.indicators)) for b in found))
    between = discrimination(M, [(a, b) for k, a in enumerate(found) for b in found[k + 1 :]])
    for d in chosen:
        one = M.map(lambda a, d=d: a[d])
        Phi = pd.DataFrame(one.Phi, fit.table.factors, fit.table.factors)
        Theta = pd.DataFrame(one.Theta, names, names)
        loading = {k: one.Lambda[:, j] for j, k in enumerate(fit.table.factors)}
        own, pair = _by_hand(loading, Phi, Theta, items)
        for name, values in own.items():
            assert by_draw[name][d] == pytest.approx([*values.values()], abs=1e-10)
        for name, values in pair.items():
            assert between[name][d] == pytest.approx([*values.values()], abs=1e-10)
    least = {"omega": 0.7, "alpha": 0.7, "ave": 0.5}
    for name, cut in least.items():
        _check_columns(table, name, by_draw[name], by_draw[name] >= cut)
    for name in ("correlation", "htmt", "htmt2"):
        _check_columns(pairs, name, between[name], np.abs(between[name]) < 0.85)
    gap = between["fornell_larcker"]
    _check_columns(pairs, "fornell_larcker", gap, gap > 0)
    assert (table["note"] == "").all()
    assert table.attrs["convergence"] == str(fit.convergence)


def _check_columns(table, name, draws, passed):
    assert table[name].to_numpy() == pytest.approx(draws.mean(0), abs=1e-12)
    ends = np.quantile(draws, [0.05, 0.95], axis=0)
    found = table[[f"{name}_lower", f"{name}_upper"]].to_numpy().T
    assert found == pytest.approx(ends, abs=1e-12)
    assert table[f"{name}_pr"].to_numpy() == pytest.approx(passed.mean(0), abs=1e-12)
    assert (table[f"{name}_mcse"] > 0).all()


def test_probabilities_carry_arvizs_error():
    """The batched share against ArviZ, one column at a time."""
    from arviz import ess

    rng = np.random.default_rng(5)
    noise = rng.normal(size=(4, 500, 3))
    walk = noise.copy()
    for t in range(1, 500):
        walk[:, t] = 0.7 * walk[:, t - 1] + noise[:, t]
    truth = walk > np.array([0.0, 1.0, 100.0])
    p, error = shares(truth)
    assert p == pytest.approx(truth.mean((0, 1)))
    for k in range(2):
        expected = np.sqrt(
            p[k] * (1 - p[k]) / float(ess(truth[..., k].astype(float), method="mean"))
        )
        assert error[k] == pytest.approx(expected, rel=1e-10)
    assert error[2] == 1 / 2000


def test_a_fit_that_did_not_converge_says_so():
    fit = kinds.fit_of("complete")
    failed = replace(fit, convergence=replace(fit.convergence, ok=False, reasons=("two modes",)))
    for function in (reliability, validity):
        with pytest.warns(ConvergenceWarning, match="two modes"):
            table = function(failed)
        assert "two modes" in table.attrs["convergence"]


def test_refusals():
    with pytest.raises(ModelError, match="prob is 95"):
        reliability(kinds.fit_of("complete"), prob=95)
