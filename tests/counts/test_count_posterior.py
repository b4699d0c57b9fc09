"""The posterior of theme counts against its closed form, enumeration, and NUTS on the graph."""

from itertools import product
from math import lgamma

import numpy as np
import pytest
from scipy import stats
from scipy.special import betainc, gammaln

from bayesem.counts.fit import fit_counts
from bayesem.counts.table import count_model
from bayesem.counts.tree import draw_shares, tree_of
from bayesem.verdicts import assess

RNG = np.random.default_rng
TREE = {"a": {"x": 3, "y": 1, "z": 5}, "b": {"u": 2, "v": 4}, "c": {"w": 6}}


def probability(claim, fit):
    row = assess({"P": claim}, fit).table.iloc[0]
    return row["probability"], row["mcse"], row["prior_probability"]


def close(draws, mean, variance):
    """Mean and variance of independent draws are the exact ones to four Monte-Carlo errors."""
    size = draws.size
    fourth = ((draws - mean) ** 4).mean()
    assert abs(draws.mean() - mean) < 4 * np.sqrt(variance / size)
    assert abs(draws.var() - variance) < 4 * np.sqrt((fourth - variance**2) / size)


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("prior", ["flat", "jeffreys"])
def test_sub_themes_have_dirichlet_moments(table, d, prior):
    fit = fit_counts(table, design_effect=d, prior=prior, draws=10_000, seed=3)
    each = 1.0 if prior == "flat" else 0.5
    alpha = table.counts / d + each
    share = fit.draws["posterior"]["share"]
    total = alpha.sum()
    for name, a in zip(table.subthemes, alpha, strict=True):
        draws = share.sel(theme=name).to_numpy()
        close(draws, a / total, a * (total - a) / total**2 / (total + 1))


def test_themes_are_sums(counted):
    share = counted.draws["posterior"]["share"]
    for theme, leaves in counted.model.themes.items():
        np.testing.assert_allclose(
            share.sel(theme=theme), share.sel(theme=list(leaves)).sum("theme"), atol=1e-12
        )
    level = share["level"].to_numpy()
    np.testing.assert_allclose(share[..., level == "sub-theme"].sum("theme"), 1.0, atol=1e-12)
    np.testing.assert_allclose(share[..., level == "theme"].sum("theme"), 1.0, atol=1e-12)


def test_the_tree_prior_factorises():
    """Share of a sub-theme: a product of independent betas, whose moments multiply."""
    model = count_model(TREE)
    fit = fit_counts(model, prior="tree", draws=20_000, seed=5)
    share = fit.draws["posterior"]["share"]
    a, A = 1 + 9, 3 + 21  # theme a: concentration 1 of 3, 9 references of 21
    b, B = 1 + 3, 3 + 9  # sub-theme x within it
    first = a / A * b / B
    second = a * (a + 1) / A / (A + 1) * b * (b + 1) / B / (B + 1)
    close(share.sel(theme="x").to_numpy(), first, second - first**2)
    prior = fit.draws["prior"]["share"]
    close(prior.sel(theme="w").to_numpy(), 1 / 3, (1 / 3) * (2 / 3) / 4)
    assert float(prior.sel(theme="x").mean()) == pytest.approx(1 / 9, abs=0.002)


def test_a_flat_tree_is_one_dirichlet():
    """Node by node or at once, the flat tree has the same distribution: all moments to order two."""
    tree = tree_of(count_model(TREE))
    assert tree.is_flat
    alpha = tree.within + tree.counts
    exact_cov = (np.diag(alpha) * alpha.sum() - np.outer(alpha, alpha)) / (
        alpha.sum() ** 2 * (alpha.sum() + 1)
    )
    top = RNG(1).dirichlet(tree.top + tree.counts @ tree.members, 200_000)
    parts = [
        top[:, [k]] * RNG(2 + k).dirichlet(alpha[tree.theme_of == k], 200_000)
        for k in range(len(tree.themes))
    ]
    by_node = np.concatenate(parts, 1)
    at_once = draw_shares(tree, (200_000,), RNG(9))
    for draws in (by_node, at_once):
        np.testing.assert_allclose(np.cov(draws.T), exact_cov, atol=1e-4)
        np.testing.assert_allclose(draws.mean(0), alpha / alpha.sum(), atol=1e-3)


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize(
    ("left", "right", "n", "m", "k", "l"),
    [
        ("bringing", "mediation", 9, 7, 1, 1),
        ("initiation", "mediation", 20, 7, 2, 1),
        ("relations", "work", 35, 32, 2, 2),
    ],
)
def test_contrasts_are_incomplete_betas(table, d, left, right, n, m, k, l):
    """Pr(x > y) of two parts of a Dirichlet is that of a beta above one half."""
    fit = fit_counts(table, design_effect=d, draws=20_000, seed=2)
    p, error, base = probability(f"share({left}) > share({right})", fit)
    exact = 1 - betainc(k + n / d, l + m / d, 0.5)
    assert abs(p - exact) < 4 * error
    assert abs(base - (1 - betainc(k, l, 0.5))) < 4 * np.sqrt(0.25 / 80_000)


def test_the_study_s_probabilities(counted):
    """Against a simulation of its own kind: normal approximations nowhere, gammas by their cdf."""
    names = counted.model.subthemes
    u = RNG(4).uniform(size=(400_000, 9))
    gamma = stats.gamma.ppf(u, counted.model.counts + 1)
    most = gamma.argmax(1) == names.index("support")
    others = ", ".join(f"share({name})" for name in names if name != "support")
    p, error, base = probability(f"share(support) > max({others})", counted)
    assert abs(p - most.mean()) < 4 * np.hypot(error, np.sqrt(0.25 / 400_000))
    assert base == pytest.approx(1 / 9, abs=0.006)
    p, error, _ = probability("share(work) > 2/9", counted)
    assert abs(p - (1 - betainc(34, 87, 2 / 9))) < 4 * error


def test_order_of_three_by_enumeration():
    """With whole concentrations, Pr(x > y > z) is a finite sum over negative binomial races."""
    counts = {"t": {"x": 5, "y": 3, "z": 2}}
    a, b, c = 6, 4, 3
    total = 0.0
    for i, j in product(range(a), range(b + a)):
        # gamma(a) > gamma(b): fewer than a events of rate 1 before b; each term is a gamma again
        log = lgamma(b + i) - lgamma(b) - lgamma(i + 1) - (b + i) * np.log(2)
        shape, rate = b + i, 2.0
        if j >= shape:
            continue
        more = gammaln(c + j) - gammaln(c) - gammaln(j + 1)
        more += j * np.log(rate / (rate + 1)) + c * np.log(1 / (rate + 1))
        total += np.exp(log + more)
    fit = fit_counts(counts, draws=50_000, seed=1)
    p, error, base = probability("share(x) > share(y) > share(z)", fit)
    assert abs(p - total) < 4 * error
    assert base == pytest.approx(1 / 6, abs=0.004)


def test_ropes_are_of_shares(counted):
    """The mass inside the rope, and the attainable maximum of a null at these counts."""
    found = assess("facilitated_alliance", counted).table.set_index("name")
    x, y = RNG(6).gamma(10, size=400_000), RNG(7).gamma(8, size=400_000)
    rest = RNG(8).gamma(121 - 18, size=400_000)
    inside = (np.abs(x - y) / (x + y + rest) < 0.02).mean()
    assert found.loc["N2", "rope_mass"] == pytest.approx(inside, abs=0.006)
    null = assess({"P": "null(share(bringing) - share(mediation))"}, counted, rope={"share": 0.02})
    sd = np.sqrt((10 * 111 + 8 * 113 + 2 * 10 * 8) / 121**2 / 122)
    attainable = 2 * stats.norm.cdf(0.02 / sd) - 1
    assert null.table["attainable"][0] == pytest.approx(attainable, abs=0.01)
    assert null.table["probability"][0] == pytest.approx(inside, abs=0.006)


def test_one_seed_gives_the_same_draws(table):
    one, same, other = (fit_counts(table, draws=10, seed=s) for s in (1, 1, 2))
    assert one.draws["posterior"].equals(same.draws["posterior"])
    assert not one.draws["posterior"].equals(other.draws["posterior"])


@pytest.mark.parametrize(("d", "prior"), [(1, "tree"), (2.5, "flat")])
def test_the_graph_has_the_closed_form_s_density(d, prior):
    """The graph's log-density against Dirichlet densities, at points, without sampling."""
    tree = tree_of(count_model(TREE), design_effect=d, prior=prior)
    fit = fit_counts(TREE, design_effect=d, prior=prior, draws=4, seed=1)
    logp = fit.graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    points, expected = [], []
    for seed in range(4):
        rng, point, value = RNG(seed), {}, 0.0
        nodes = {"theme_share": (tree.top, tree.counts @ tree.members)}
        for k, theme in enumerate(tree.themes[:2]):
            mine = tree.theme_of == k
            nodes[f"within_{theme}"] = (tree.within[mine], tree.counts[mine])
        for name, (alpha, n) in nodes.items():
            share = rng.dirichlet(alpha)
            x = np.log(share) - np.log(share).mean()
            total = x[:-1] + 0  # the simplex transform's own coordinates
            point[f"{name}_simplex__"] = total
            value += stats.dirichlet.logpdf(share, alpha + n)
        points.append(logp(point))
        expected.append(value)
    np.testing.assert_allclose(np.diff(points), np.diff(expected), rtol=1e-8)


@pytest.mark.slow
def test_nuts_on_the_graph_agrees(table):
    exact = fit_counts(table, draws=20_000, prior="tree", design_effect=2, seed=1)
    nuts = fit_counts(table, draws=2000, prior="tree", design_effect=2, method="nuts", seed=1)
    assert nuts.converged
    for name in exact.draws["posterior"]["theme"].to_numpy():
        a, b = (f.draws["posterior"]["share"].sel(theme=name).to_numpy() for f in (exact, nuts))
        assert abs(a.mean() - b.mean()) < 4 * a.std() / np.sqrt(2000)
        assert b.std() == pytest.approx(a.std(), rel=0.06)
