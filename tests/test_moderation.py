"""Slopes and effects of product models against structural equations, differences and Hayes."""

from dataclasses import replace

import numpy as np
import pytest
from fake_fits import normal_grid
from product_fits import matrices_of, product_fit, simulate, table_of
from scipy.stats import norm

from bayesem import (
    conditional_indirect,
    johnson_neyman,
    moderated_mediation,
    slopes,
)
from bayesem.claims_evaluation import evaluate, idle_conditions, scope, unnamed_moderators
from bayesem.decomposition import (
    blocked,
    conditional_paths,
    edges,
    effects,
    r2,
    standardise,
    standardised_value,
)
from bayesem.errors import ModelError, NotAvailableError, PropositionError
from bayesem.grammar.claims import parse_claim, parse_moderation, parse_path
from bayesem.implied import implied, linear_mean, scales
from bayesem.variables import locate
from bayesem.verdicts import assess

TEXT = """
A =~ a1 + a2 + a3
W =~ w1 + w2 + w3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
A ~ g*size
A ~~ r*W
M ~ a*A + aw*W + x*A:W
Y ~ b*M + c*A + d*W + w*A:W + q*A:A + s*size + k*A:size
"""
TRUTH = {
    "g": 0.4, "r": 0.3, "a": 0.5, "aw": 0.2, "x": 0.25, "b": 0.4, "c": 0.3, "d": 0.1, "w": 0.2,
    "q": 0.15, "s": 0.2, "k": 0.1, "size ~1": 2.0, "size ~~ size": 1.5,
}  # fmt: skip

#: Both stages moderated by the same factor.
BOTH = """
A =~ a1 + a2 + a3
W =~ w1 + w2 + w3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
A ~~ r*W
M ~ a1_*A + a2_*W + a3_*A:W
Y ~ b1_*M + b2_*W + b3_*M:W + c*A
"""
STAGES = {
    "a1_": 0.5,
    "a2_": 0.2,
    "a3_": 0.3,
    "b1_": 0.4,
    "b2_": 0.1,
    "b3_": 0.25,
    "c": 0.2,
    "r": 0.3,
}


def spread(truth, shape=(4, 250), sd=0.05, seed=1):
    rng = np.random.default_rng(seed)
    return {k: v + sd * rng.standard_normal(shape) for k, v in truth.items() if "~" not in k}


@pytest.fixture(scope="module")
def fit():
    many = spread(TRUTH)
    return product_fit(TEXT, TRUTH | many, shape=(4, 250))


@pytest.fixture(scope="module")
def both():
    many = spread(STAGES)
    return product_fit(BOTH, many, shape=(4, 250))


def values(fit, claim):
    return evaluate(parse_claim(f"{claim} > 0").left, scope(fit))


def equation(M, table, name, levels):
    """The structural equation of one factor at known values of all, without its residual."""
    to = table.factors.index(name)
    centre = linear_mean(M)
    out = M.alpha[..., to] + sum(M.Beta[..., to, k] * v for k, v in levels.items())
    for k, p in enumerate(table.products):
        if p.to == to:
            one, other = (levels[at] - (0 if raw else centre[..., at]) for at, raw in p.parts)
            out = out + M.omega[..., k] * one * other
    return out


# --- slopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "moved", "held"),
    [
        ("slope(Y ~ A)", "A", {}),
        ("slope(Y ~ A | W = 1)", "A", {"W": 1}),
        ("slope(Y ~ A | W = -2, size = 3)", "A", {"W": -2, "size": 3}),
        ("slope(Y ~ A | A = 1.5)", "A", {"A": 1.5}),
        ("slope(Y ~ A | size = 0)", "A", {"size": 0}),
        ("slope(Y ~ W | A = 1)", "W", {"A": 1}),
        ("slope(Y ~ M)", "M", {}),
    ],
)
def test_slopes_are_derivatives_of_the_structural_equation(fit, claim, moved, held):
    """Differences of the equation with everything else at its mean, factors in implied sds."""
    M, table = fit.matrices(), fit.table
    model = implied(table, M)
    names = table.factors
    mean = {k: M.factor_mean[..., k] for k in range(len(names)) if names[k] != "Y"}
    sd = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))
    for name, value in held.items():
        k = names.index(name)
        mean[k] = mean[k] + value * sd[..., k] if name in table.latent else value
    k, h = names.index(moved), 1e-4
    up, down = (equation(M, table, "Y", mean | {k: mean[k] + e * h}) for e in (1, -1))
    y = names.index("Y")
    expected = (up - down) / (2 * h) * sd[..., k] / sd[..., y]
    np.testing.assert_allclose(values(fit, claim), expected, rtol=1e-7)
    np.testing.assert_allclose(values(fit, f"std({claim})"), expected, rtol=1e-7)
    assert model.sd[0, 0, y] == pytest.approx(sd[0, 0, y])


def test_slopes_on_observed_variables_are_in_their_own_units(fit):
    M, table = fit.matrices(), fit.table
    to, size, a = (table.factors.index(v) for v in ("Y", "size", "A"))
    sd = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))
    expected = (M.Beta[..., to, size] + M.omega[..., 3] * sd[..., a]) / sd[..., to]
    np.testing.assert_allclose(values(fit, "slope(Y ~ size | A = 1)"), expected)
    np.testing.assert_allclose(
        values(fit, "std(slope(Y ~ size | A = 1))"), expected * sd[..., size]
    )


def test_slopes_table(fit):
    table = slopes(fit, "Y ~ A | W", at=(-1, 0, 1))
    assert list(table.columns) == [
        "outcome", "predictor", "moderator", "at", "mean", "sd", "lower", "upper", "pd",
    ]  # fmt: skip
    assert table["at"].tolist() == [-1, 0, 1]
    for _, row in table.iterrows():
        draws = values(fit, f"slope(Y ~ A | W = {row['at']})")
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["lower"] == pytest.approx(np.quantile(draws, 0.025))
        assert row["upper"] == pytest.approx(np.quantile(draws, 0.975))
        assert row["pd"] == pytest.approx(max((draws > 0).mean(), (draws < 0).mean()))
    assert table.attrs["convergence"]
    held = slopes(fit, "Y ~ A | W, size = 0, A = 1", at=[0.5])
    draws = values(fit, "slope(Y ~ A | W = 0.5, size = 0, A = 1)")
    assert held["mean"].item() == pytest.approx(draws.mean())
    raw = slopes(fit, "Y ~ A | W", at=[0], standardized=False)
    M = fit.matrices()
    expected = M.Beta[..., 3, 0] + M.omega[..., 3] * M.factor_mean[..., 4]
    assert raw["mean"].item() == pytest.approx(expected.mean())


def test_an_observed_moderator_is_looked_at_around_its_mean(fit):
    table = slopes(fit, "Y ~ A | size")
    np.testing.assert_allclose(table["at"], 2 + np.sqrt(1.5) * np.array([-1, 0, 1]))
    draws = values(fit, "slope(Y ~ A | size = 2)")
    assert table["mean"][1] == pytest.approx(draws.mean())


def test_slopes_do_not_depend_on_the_units_of_factors(fit):
    s = np.array([2.0, 0.5, 3.0, 0.7, 1.0])
    M = fit.matrices()
    to, a, b = ([getattr(p, k) for p in M.products] for k in ("to", "first", "second"))
    other = replace(
        M, Lambda=M.Lambda / s, Beta=M.Beta * s[:, None] / s, Psi=M.Psi * s[:, None] * s,
        alpha=M.alpha * s, omega=M.omega * s[to] / (s[a] * s[b]),
    )  # fmt: skip
    twin = replace(fit, both={"posterior": other, "prior": other})
    for claim in ("slope(Y ~ A | W = 1, size = 3)", "std(w)", "std(total(A -> Y))"):
        if claim != "std(w)":
            np.testing.assert_allclose(values(twin, claim), values(fit, claim), rtol=1e-10)
    one, two = standardise(M), standardise(other)
    for name in ("Lambda", "Beta", "Psi", "alpha", "omega"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-12)
    index = moderated_mediation(fit, "A -> M -> Y", "W")["mean"].item()
    assert moderated_mediation(twin, "A -> M -> Y", "W")["mean"].item() == pytest.approx(index)


def test_marker_and_unit_metric_agree():
    """The same population written with marker loadings of 1 instead of factor variances of 1."""
    text = (
        "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nX ~~ r*Z\nY ~ a*X + b*Z + w*X:Z"
    )
    unit = product_fit(text, {"r": 0.3, "a": 0.4, "b": 0.2, "w": 0.25})
    s = 0.8  # every loading is .8 there, so a factor's marker unit is 1/.8 of its sd
    marker = product_fit(
        text,
        {"r": 0.3 * s**2, "a": 0.4, "b": 0.2, "w": 0.25 / s, "X ~~ X": s**2, "Z ~~ Z": s**2,
         "Y ~~ Y": s**2} | {f"{f} =~ {f.lower()}{i}": 1.0 for f in "XYZ" for i in (2, 3)},
        identify="marker",
    )  # fmt: skip
    np.testing.assert_allclose(marker.matrices().Sigma, unit.matrices().Sigma, atol=1e-12)
    for claim in ("slope(Y ~ X | Z = 1)", "std(w)", "std(total(X -> Y))"):
        np.testing.assert_allclose(values(marker, claim), values(unit, claim))


# --- the standardised solution ------------------------------------------------------------------


def test_interactions_are_standardised_as_wen_marsh_and_hau_do(fit):
    """w sd(A) sd(W)/sd(Y), with the outcome's sd from a simulated population."""
    one = product_fit(TEXT, TRUTH)
    eta, _ = simulate(
        one.table, one.matrices().map(lambda a: a[0, 0]), 1_000_000, np.random.default_rng(3)
    )
    sd = dict(zip(one.table.factors, eta.std(0), strict=True))
    expected = 0.2 * sd["A"] * sd["W"] / sd["Y"]
    assert values(one, "std(w)")[0, 0] == pytest.approx(expected, rel=0.005)
    quadratic = 0.15 * sd["A"] ** 2 / sd["Y"]
    assert values(one, "std(q)")[0, 0] == pytest.approx(quadratic, rel=0.005)
    row = next(r for r in fit.table.rows if r.label == "w")
    assert row.kind == "interaction"
    std = standardise(fit.matrices())
    np.testing.assert_allclose(standardised_value(row, std), values(fit, "std(w)"))
    np.testing.assert_allclose(np.einsum("...ii->...i", std.Phi), 1, atol=1e-12)
    np.testing.assert_allclose(
        std.Sigma, std.Lambda @ std.Phi @ std.Lambda.swapaxes(-1, -2) + std.Theta
    )


def test_explained_variance_holds_products():
    one = product_fit(TEXT, TRUTH, shape=(1, 2))
    M = one.matrices().map(lambda a: a[0, 0])
    eta, _ = simulate(one.table, M, 1_000_000, np.random.default_rng(4))
    table = r2(one).set_index("variable")
    for name in ("M", "Y"):
        k = one.table.factors.index(name)
        assert table.loc[name, "mean"] == pytest.approx(1 - 1 / eta[:, k].var(), abs=0.003)
    assert "W" not in table.index


def test_a_factor_that_only_a_product_explains_has_explained_variance():
    text = "X =~ x1+x2+x3\nZ =~ z1+z2+z3\nY =~ y1+y2+y3\nX ~~ r*Z\nY ~ w*X:Z"
    fit = product_fit(text, {"w": 0.5, "r": 0.4}, shape=(1, 2))
    share = 0.25 * (1 + 0.16)
    assert r2(fit).set_index("variable").loc["Y", "mean"] == pytest.approx(share / (1 + share))


@pytest.mark.parametrize(
    ("family", "added"),
    [("bernoulli", 0.0), ("logit", np.pi**2 / 3), ("weibull", 0.25 * np.pi**2 / 6)],
)
def test_linear_predictors_are_standardised_with_what_the_family_adds(family, added):
    """Against the variance of the latent response that each family stands for, simulated."""
    truth = {"a": 0.7} | ({"u shape": 0.5} if family == "weibull" else {})
    fit = product_fit("X =~ x1 + x2 + x3\nu ~ a*X", truth, families={"u": family}, shape=(1, 2))
    rng = np.random.default_rng(7)
    x = rng.standard_normal(1_000_000)
    noise = {
        "bernoulli": rng.standard_normal(x.size),
        "logit": rng.logistic(size=x.size),
        "weibull": 0.5 * np.log(rng.exponential(size=x.size)),
    }[family]
    sd = np.std(0.7 * x + noise)
    residual = 1.0 if family == "bernoulli" else 0.0
    assert scales(fit.table, fit.matrices())[0, 0, -1] == pytest.approx(
        np.sqrt(0.49 + residual + added)
    )
    assert values(fit, "std(a)")[0, 0] == pytest.approx(0.7 / sd, rel=0.005)
    assert r2(fit).set_index("variable").loc["u", "mean"] == pytest.approx(0.49 / sd**2, rel=0.005)


def test_counts_are_standardised_with_the_log_variance_of_a_count():
    truth = {"a": 0.5, "u ~1": 1.0, "u shape": 0.3}
    fit = product_fit(
        "X =~ x1 + x2 + x3\nu ~ a*X", truth, families={"u": "negative_binomial"}, shape=(1, 2)
    )
    mean = np.exp(1 + 0.125)
    expected = np.sqrt(0.25 + np.log(1 + 1 / mean + 0.3))
    assert scales(fit.table, fit.matrices())[0, 0, -1] == pytest.approx(expected)


# --- Johnson and Neyman -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line():
    """Normal draws of a slope c + w * W with known moments; W and A have sd 1."""
    text = "A =~ a1+a2+a3\nW =~ w1+w2+w3\nY =~ y1+y2+y3\nA ~~ 0*W\nY ~ c*A + d*W + w*A:W"
    c, w = normal_grid(0.05, 0.06, seed=3), normal_grid(0.15, 0.05, seed=4)
    return product_fit(text, {"c": c, "w": w, "d": 0.0}, shape=c.shape), c, w


def test_johnson_neyman_regions_solve_the_quadratic(line):
    """In the reported metric the interval's ends are m + s x -+ 1.96 sqrt(v): a quadratic in x."""
    fit, c, w = line
    table = johnson_neyman(fit, "Y ~ A | W", standardized=False)
    assert list(table.columns) == ["at", "mean", "sd", "lower", "upper", "pd"]
    assert table["at"].iloc[[0, -1]].tolist() == [-3, 3]
    z, r = norm.ppf(0.975), np.cov(c.ravel(), w.ravel())
    p = [w.mean() ** 2 - z**2 * r[1, 1], 2 * (c.mean() * w.mean() - z**2 * r[0, 1]),
         c.mean() ** 2 - z**2 * r[0, 0]]  # fmt: skip
    low, high = sorted(np.roots(p).real)
    regions = table.attrs["regions"]
    assert [sign for *_, sign in regions] == [-1, 1]
    assert regions[0][0] == -3
    assert regions[1][1] == 3
    assert regions[0][1] == pytest.approx(low, abs=0.08)
    assert regions[1][0] == pytest.approx(high, abs=0.08)
    for start, stop, sign in regions:  # the interval excludes 0 inside and holds it outside
        for value, inside in (
            (start, True),
            (stop, True),
            (stop + 0.02, False),
            (start - 0.02, False),
        ):
            if -3 <= value <= 3 and value not in (start, stop):
                ends = np.quantile(c + w * value, [0.025, 0.975])
                assert (np.sign(ends) == sign).all() == inside
    crossing = table.attrs["crossing"]
    assert crossing["median"] == pytest.approx(np.median(-c / w))
    assert crossing["inside"] == pytest.approx((np.abs(c / w) <= 3).mean())


def test_johnson_neyman_without_and_with_one_region(line):
    fit, _, _ = line
    whole = johnson_neyman(fit, "Y ~ A | W", low=1.5, high=3)
    assert whole.attrs["regions"] == ((1.5, 3.0, 1),)
    none = johnson_neyman(fit, "Y ~ A | W", low=-0.1, high=0.1)
    assert none.attrs["regions"] == ()
    with pytest.raises(ModelError, match="low is 2 and high is 1"):
        johnson_neyman(fit, "Y ~ A | W", low=2, high=1)


# --- indirect effects ---------------------------------------------------------------------------


def test_conditional_indirect_effects(both):
    table = conditional_indirect(both, "A -> M -> Y", {"W": (-1, 0, 1)}, standardized=False)
    assert list(table.columns) == ["path", "W", "mean", "sd", "lower", "upper", "pd"]
    M = both.matrices()
    d = {k: both.draws["posterior"][k].to_numpy() for k in STAGES}
    for at, mean in zip(table["W"], table["mean"], strict=True):
        w = at * np.sqrt(M.Phi[..., 1, 1])
        expected = (d["a1_"] + d["a3_"] * w) * (d["b1_"] + d["b3_"] * w)
        assert mean == pytest.approx(expected.mean())
    std = conditional_indirect(both, "A -> M -> Y", {"W": 1})
    sd = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))
    unit = sd[..., 0] / sd[..., 3]
    w = sd[..., 1]
    expected = (d["a1_"] + d["a3_"] * w) * (d["b1_"] + d["b3_"] * w) * unit
    assert std["mean"].item() == pytest.approx(expected.mean())


def test_indirect_effects_are_differences_of_interventions(both):
    """E(Y) when M follows A one unit higher, W set: the structural equations, solved."""
    M, table = both.matrices(), both.table
    a, w, m = (table.factors.index(v) for v in "AWM")
    model = implied(table, M)
    for at in (-1.0, 1.0):
        level = model.level(w, at)
        base = {a: np.zeros_like(level), w: level, m: np.zeros_like(level)}
        step = equation(M, table, "M", base | {a: np.ones_like(level)}) - equation(
            M, table, "M", base
        )
        moved = equation(M, table, "Y", base | {m: step}) - equation(M, table, "Y", base)
        found = conditional_indirect(both, "A -> M -> Y", {"W": at}, standardized=False)
        assert found["mean"].item() == pytest.approx(moved.mean())


def test_index_of_moderated_mediation(both):
    d = {k: both.draws["posterior"][k].to_numpy() for k in STAGES}
    table = moderated_mediation(both, "A -> M -> Y", "W", standardized=False).set_index("kind")
    index = d["a1_"] * d["b3_"] + d["a3_"] * d["b1_"]
    assert table.loc["index", "mean"] == pytest.approx(index.mean())
    assert table.loc["index", "lower"] == pytest.approx(np.quantile(index, 0.025))
    assert table.loc["change", "mean"] == pytest.approx((2 * d["a3_"] * d["b3_"]).mean())
    attrs = moderated_mediation(both, "A -> M -> Y", "W").attrs
    assert attrs["stages"] == ("A -> M", "M -> Y")


def test_the_index_is_a_derivative(both):
    """Of the conditional indirect effect, in standardised units, by differences."""
    h = 1e-3
    up, here, down = (
        conditional_indirect(both, "A -> M -> Y", {"W": e * h})["mean"].item() for e in (1, 0, -1)
    )
    table = moderated_mediation(both, "A -> M -> Y", "W").set_index("kind")
    assert table.loc["index", "mean"] == pytest.approx((up - down) / (2 * h), rel=1e-6)
    assert table.loc["change", "mean"] == pytest.approx((up - 2 * here + down) / h**2, rel=1e-4)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("first", lambda d: d["a3_"] * d["b1_"]), ("second", lambda d: d["a1_"] * d["b3_"])],
)
def test_index_of_one_stage(stage, expected):
    text = BOTH.replace(" + b3_*M:W" if stage == "first" else " + a3_*A:W", "")
    kept = {k: v for k, v in STAGES.items() if k != ("b3_" if stage == "first" else "a3_")}
    many = spread(kept)
    fit = product_fit(text, many, shape=(4, 250))
    table = moderated_mediation(fit, "A -> M -> Y", "W", standardized=False)
    assert table["kind"].tolist() == ["index"]
    assert table["mean"].item() == pytest.approx(expected(many).mean())
    assert table["sd"].item() == pytest.approx(expected(many).std(ddof=1))
    assert table.attrs["stages"] == (("A -> M",) if stage == "first" else ("M -> Y",))


def test_observed_moderator_and_mediator():
    """A continuous observed mediator that a product explains is an outcome, and still linear."""
    text = "A =~ a1+a2+a3\nY =~ y1+y2+y3\nm ~ p*A + t*ties + x*A:ties\nY ~ b*m + c*A"
    many = spread({"p": 0.5, "t": 0.1, "x": 0.2, "b": 0.4, "c": 0.3})
    fit = product_fit(text, many | {"ties ~1": 3.0, "ties ~~ ties": 4.0}, shape=(4, 250))
    table = moderated_mediation(fit, "A -> m -> Y", "ties", standardized=False)
    assert table["mean"].item() == pytest.approx((many["x"] * many["b"]).mean())
    found = conditional_indirect(fit, "A -> m -> Y", {"ties": (0, 5)}, standardized=False)
    expected = [((many["p"] + many["x"] * v) * many["b"]).mean() for v in (0, 5)]
    np.testing.assert_allclose(found["mean"], expected)
    at_mean = ((many["p"] + many["x"] * 3) * many["b"]).mean()
    listed = effects(fit)
    row = listed[listed["path"] == "A -> m -> Y"].squeeze()
    assert row["mean"] == pytest.approx(at_mean)
    total = listed[(listed["path"] == "A -> Y") & (listed["kind"] == "total")]["mean"].item()
    assert total == pytest.approx(at_mean + many["c"].mean())
    assert not listed["mean"].isna().any()
    np.testing.assert_allclose(values(fit, "indirect(A -> m -> Y)").mean(), at_mean)


# --- effects at the moderators' means -----------------------------------------------------------


def test_total_effects_are_derivatives_at_the_means(fit):
    """Y of the deterministic equations as A moves, its causes and its partners at their means."""
    M, table = fit.matrices(), fit.table
    names = table.factors
    mean = {k: M.factor_mean[..., k] for k in range(len(names))}
    a, m = names.index("A"), names.index("M")
    h, ends = 1e-4, []
    for e in (1, -1):
        levels = mean | {a: mean[a] + e * h}
        shift = equation(M, table, "M", {k: levels[k] for k in levels if k != m})
        rest = equation(M, table, "M", {k: mean[k] for k in mean if k != m})
        levels[m] = mean[m] + shift - rest
        ends.append(equation(M, table, "Y", levels))
    expected = (ends[0] - ends[1]) / (2 * h)
    np.testing.assert_allclose(values(fit, "total(A -> Y)"), expected, rtol=1e-6)
    listed = effects(fit)
    total = listed[(listed["path"] == "A -> Y") & (listed["kind"] == "total")]["mean"].item()
    assert total == pytest.approx(expected.mean())
    assert "moderators (`A`, `W`, `size`) are at their means" in listed.attrs["notes"][0]
    sd = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))
    std = effects(fit, standardized=True)
    total = std[(std["path"] == "A -> Y") & (std["kind"] == "total")]["mean"].item()
    assert total == pytest.approx((expected * sd[..., a] / sd[..., names.index("Y")]).mean())


def test_direct_and_indirect_sum_to_total(fit, both):
    for made in (fit, both):
        table = effects(made)
        for (y, x), rows in table.groupby(["outcome", "predictor"]):
            parts = rows[(rows["kind"] == "direct") | rows["path"].str.contains(r"\.\.\.")]
            total = rows[rows["kind"] == "total"]["mean"].item()
            assert parts["mean"].sum() == pytest.approx(total, abs=1e-12), (y, x)


def test_values_of_moderators_add_to_both_parts():
    _, table = table_of(TEXT)
    M = matrices_of(table, TRUTH)
    a, w, y = (table.factors.index(v) for v in "AWY")
    Beta = conditional_paths(M, table, {w: 2.0, a: 3.0})
    assert Beta[0, 0, y, w] == pytest.approx(0.1 + 0.2 * 3)
    assert Beta[0, 0, y, a] == pytest.approx(0.3 + 0.2 * 2 + 2 * 0.15 * 3 + 0.1 * 2.0)


def test_a_nested_moderator_is_at_its_own_mean(both):
    """M depends on A:W, so its mean is not the one without products, from which M:W counts."""
    M = both.matrices()
    shift = both.draws["posterior"]["a3_"].to_numpy() * M.Phi[..., 0, 1]
    expected = M.Beta[..., 3, 1] + M.omega[..., 1] * shift
    paths = conditional_paths(M, both.table)
    np.testing.assert_allclose(paths[..., 3, 1], expected)
    assert edges(both.table)[3, 1]


MEDIATED = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nu ~ a*X\nY ~ b*u + c*X\nv ~ d*Y"


@pytest.fixture(scope="module")
def through():
    many = spread({"a": 0.8, "b": 0.5, "c": 0.3, "d": 0.4})
    return product_fit(MEDIATED, many, families={"u": "bernoulli", "v": "logit"}, shape=(4, 250))


def test_effects_through_an_outcome_are_missing_and_say_so(through):
    table = effects(through).set_index(["path", "kind"])
    assert np.isnan(table.loc[("X -> Y", "total"), "mean"])
    assert np.isnan(table.loc[("X -> ... -> Y", "indirect"), "mean"])
    assert table.loc[("X -> Y", "direct"), "mean"] == pytest.approx(0.3, abs=0.01)
    assert table.loc[("u -> Y", "total"), "mean"] == pytest.approx(0.5, abs=0.01)
    assert table.loc[("u -> Y -> v", "indirect"), "mean"] == pytest.approx(0.2, abs=0.01)
    assert table.loc[("X -> u", "total"), "mean"] == pytest.approx(0.8, abs=0.01)
    assert "risk_difference" in table.attrs["notes"][-1]
    stop = blocked(through.table)
    x, y, v = (through.table.factors.index(k) for k in ("X", "Y", "v"))
    assert stop[y, x]
    assert stop[v, x]
    assert not stop[v, y]


@pytest.mark.parametrize(
    "claim",
    ["total(X -> Y)", "indirect(X -> Y)", "indirect(X -> u -> Y)", "total(X -> v)", "indirect(X -> u -> Y -> v)"],
)  # fmt: skip
def test_claims_on_effects_through_an_outcome_are_refused(through, claim):
    with pytest.raises(NotAvailableError, match="passes `u`, which is bernoulli") as caught:
        values(through, claim)
    assert "do(" in str(caught.value)


def test_an_outcome_is_its_observed_value_where_it_predicts(through):
    b = through.draws["posterior"]["b"].to_numpy()
    model = implied(through.table, through.matrices())
    y = through.table.factors.index("Y")
    np.testing.assert_allclose(values(through, "slope(Y ~ u)"), b / model.sd[..., y])
    np.testing.assert_allclose(values(through, "total(u -> Y)"), b)
    assert locate(through.table, "u") != locate(through.table, "u", predicts=True)
    with pytest.raises(NotAvailableError, match="passes `u`"):
        conditional_indirect(through, "X -> u -> Y", {"X": 1})


# --- what is said about claims ------------------------------------------------------------------


def test_conditions_are_idle_only_without_a_product(fit):
    table = fit.table

    def idle(claim):
        return idle_conditions(parse_claim(f"{claim} > 0"), table)

    assert idle("slope(Y ~ A | W = 1)") == []
    assert idle("slope(Y ~ A | M = 1)") == ["slope(Y ~ A | M = 1)"]
    assert idle("slope(Y ~ A | W = 1, M = 1)") == ["M in slope(Y ~ A | W = 1, M = 1)"]
    assert idle("slope(M ~ A | W = 1)") == []
    assert idle("slope(M ~ A | size = 1)") == ["slope(M ~ A | size = 1)"]


def test_claims_name_the_moderators_that_they_leave_at_their_means(fit):
    def left(claim):
        return unnamed_moderators(parse_claim(f"{claim} > 0"), fit.table)

    assert left("slope(Y ~ A | W = 1)") == ["slope(Y ~ A | W = 1) at the mean of A, size"]
    assert left("slope(Y ~ A | W = 1, A = 0, size = 2)") == []
    assert left("slope(Y ~ M)") == []
    assert left("total(A -> Y)") == ["total(A -> Y) at the moderators' means"]
    row = assess({"P": "slope(Y ~ A | W = 1, M = 0) > 0"}, fit).table.iloc[0]
    assert "at the mean of A, size" in row["reason"]
    assert "M in slope(Y ~ A | W = 1, M = 0): no product, so the condition is idle" in row["reason"]


def test_interactions_have_a_rope_of_their_own(fit):
    row = assess({"P": "w > 0"}, fit).table.iloc[0]
    assert row["rope_mass"] == (np.abs(values(fit, "std(w)")) < 0.05).mean()
    null = assess({"P": "null(std(w))"}, fit).table.iloc[0]
    assert null["probability"] == row["rope_mass"]
    null = assess({"P": "null(slope(Y ~ A | W = -1, A = 0, size = 2))"}, fit).table.iloc[0]
    draws = values(fit, "slope(Y ~ A | W = -1, A = 0, size = 2)")
    assert null["probability"] == (np.abs(draws) < 0.1).mean()


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("slope(Y ~ Q)", "`Q` is not a factor"),
        ("slope(Y ~ A | Q = 1)", "`Q` is not a factor"),
        ("slope(M ~ size)", "no path size -> M"),
        ("slope(A ~ Y)", "no path Y -> A"),
        ("slope(M ~ A | A = 1)", "sets the predictor itself"),
        ("slope(Y ~ A | Y = 1)", "sets the outcome"),
        ("indirect(A -> W -> Y)", "no path A -> W"),
        ("total(A -> Q)", "`Q` is not a factor"),
        ("slope(Y ~ A | W = 1/0)", "not a finite number"),
    ],
)
def test_claims_that_make_no_sense(fit, claim, message):
    with pytest.raises(PropositionError, match=message):
        values(fit, claim)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Y ~ A", "`|`, as in `Y ~ A | W`"),
        ("Y ~ A | W = 1", "looked at over a range"),
        ("Y ~ A | W, W = 1", "looked at and held"),
        ("Y ~ A | M", "`M` does not moderate A -> Y"),
        ("M ~ A | size", "Moderators of this path: `W`"),
        ("Y ~ A | W, A", "Expected `=`"),
        ("Y ~ A | W or X", "Expected `,` or the end"),
        ("Y ~ A | Q", "`Q` is not a factor"),
        ("", "The text is empty"),
        (3, "3 is no text"),
    ],
)
def test_slopes_that_cannot_be_read(fit, text, message):
    with pytest.raises(PropositionError) as caught:
        slopes(fit, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: slopes(f, "Y ~ A | W", at=["a"]), ModelError, "the values of `W` are"),
        (lambda f: slopes(f, "Y ~ A | W", at=[]), ModelError, "the values of `W` are"),
        (lambda f: slopes(f, "Y ~ A | W", prob=2), ModelError, "prob is 2"),
        (lambda f: conditional_indirect(f, "A -> M -> Y", {}), ModelError, "names no moderator"),
        (lambda f: conditional_indirect(f, "A -> Y", {"W": 1}), PropositionError, "at least one"),
        (lambda f: conditional_indirect(f, "A -> M -> Y", {"M": 1}), PropositionError, "`M` moderates no step"),
        (lambda f: moderated_mediation(f, "A -> M -> Y", "size"), PropositionError, "moderates no step"),
        (lambda f: moderated_mediation(f, "A -> M", "W"), PropositionError, "at least one"),
        (lambda f: moderated_mediation(f, "A -> M -> A", "W"), PropositionError, "passes `A` twice"),
    ],
)  # fmt: skip
def test_calls_that_make_no_sense(fit, call, error, message):
    with pytest.raises(error) as caught:
        call(fit)
    assert message in str(caught.value)


def test_standalone_texts_point_at_what_is_wrong():
    with pytest.raises(PropositionError) as caught:
        parse_moderation("Y ~ A | W = 1")
    assert "<slope>:1:11" in str(caught.value)
    with pytest.raises(PropositionError) as caught:
        parse_path("A -> M ->")
    assert "<path>:1:10" in str(caught.value)
