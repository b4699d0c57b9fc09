"""Effects against Wright's tracing rules and power series; std.all against its definition."""

from itertools import pairwise

import numpy as np
import pytest
from fake_fits import FakeFit, fake_fit, matrices_of, normal_grid

from bayesem.decomposition import (
    chains,
    decompose,
    edges,
    effects,
    r2,
    standardise,
    standardised_value,
)
from bayesem.errors import ModelError
from bayesem.matrices import Matrices
from bayesem.model import read_model
from bayesem.partable import Row, parameter_table

rng = np.random.default_rng(20260)


def random_matrices(m=4, per_factor=3, batch=(2, 5)):
    """A recursive model with correlated residuals and means."""
    p = m * per_factor
    Lambda = np.zeros((*batch, p, m))
    for k in range(m):
        Lambda[..., k * per_factor : (k + 1) * per_factor, k] = rng.uniform(
            0.5, 2, (*batch, per_factor)
        )
    Beta = np.tril(rng.normal(0, 0.6, (*batch, m, m)), -1)
    root = rng.normal(0, 1, (*batch, m, m)) + 2 * np.eye(m)
    noise = rng.normal(0, 0.3, (*batch, p, p)) + np.eye(p)
    return Matrices(
        Lambda,
        Beta,
        root @ root.swapaxes(-1, -2),
        noise @ noise.swapaxes(-1, -2),
        rng.normal(size=(*batch, p)),
        rng.normal(size=(*batch, m)),
    )


def traced_correlation(Beta, Psi, i, j):
    """Wright's rules for standardised variables: back from i, at most one covariance, on to j.

    Sum over all pairs of directed chains that start at the two ends of one double-headed arrow
    (a variance counts as an arrow from a variable to itself).
    """
    m = len(Beta)

    def into(target):
        found = [((target,), 1.0)]
        for chain, weight in found:
            for source in range(m):
                if Beta[chain[0], source] != 0:
                    found.append(((source, *chain), weight * Beta[chain[0], source]))
        return found

    return sum(
        left * Psi[one[0], other[0]] * right for one, left in into(i) for other, right in into(j)
    )


def test_standardised_moments_are_correlations():
    raw = random_matrices()
    std = standardise(raw)
    sd = np.sqrt(np.einsum("...ii->...i", raw.Sigma))
    correlation = raw.Sigma / sd[..., :, None] / sd[..., None, :]
    np.testing.assert_allclose(std.Sigma, correlation, atol=1e-12)
    np.testing.assert_allclose(np.einsum("...ii->...i", std.Phi), 1, atol=1e-12)
    np.testing.assert_allclose(std.mu, raw.mu / sd, atol=1e-12)


def test_standardised_solution_ignores_units():
    raw = random_matrices()
    unit = rng.uniform(0.2, 5, 12)
    scale = rng.uniform(0.2, 5, 4)
    other = Matrices(
        raw.Lambda * unit[:, None] / scale,
        raw.Beta * scale[:, None] / scale,
        raw.Psi * scale[:, None] * scale,
        raw.Theta * unit[:, None] * unit,
        raw.nu * unit,
        raw.alpha * scale,
    )
    for name in ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha"):
        one, two = getattr(standardise(raw), name), getattr(standardise(other), name)
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


def test_correlations_by_tracing_rules():
    std = standardise(random_matrices(batch=(1, 2)))
    Phi = std.Phi
    for d in range(2):
        for i in range(4):
            for j in range(4):
                traced = traced_correlation(std.Beta[0, d], std.Psi[0, d], i, j)
                assert traced == pytest.approx(Phi[0, d, i, j], abs=1e-12)


def test_total_effect_is_the_sum_over_chains():
    Beta = random_matrices(m=5).Beta
    split = decompose(Beta)
    graph = np.any(Beta != 0, axis=(0, 1))
    for i in range(5):
        for j in range(5):
            products = [
                np.prod([Beta[..., to, source] for source, to in pairwise(chain)], axis=0)
                for chain in chains(graph, j, i)
                if i != j
            ]
            np.testing.assert_allclose(split.total[..., i, j], np.sum(products, axis=0), atol=1e-12)
            indirect = [x for x, c in zip(products, chains(graph, j, i), strict=True) if len(c) > 2]
            np.testing.assert_allclose(
                split.indirect[..., i, j], np.sum(indirect, axis=0), atol=1e-12
            )


def test_chains_of_a_full_graph_are_counted_by_powers_of_two():
    graph = np.tril(np.ones((7, 7), bool), -1)
    found = list(chains(graph, 0, 6))
    assert len(found) == len(set(found)) == 2**5
    assert (0, 6) in found


def test_feedback_is_a_power_series_and_missing_where_it_explodes():
    Beta = np.zeros((2, 2, 2))
    Beta[:, 0, 1] = 0.5
    Beta[:, 1, 0] = [0.8, 2.5]  # gains .4 and 1.25
    split = decompose(Beta)
    series = sum(np.linalg.matrix_power(Beta[0], k) for k in range(1, 80))
    np.testing.assert_allclose(split.total[0], series, atol=1e-10)
    assert np.isnan(split.total[1]).all()
    assert np.array_equal(split.direct, Beta)


def test_covariance_row_is_standardised_as_a_residual_correlation():
    raw = random_matrices()
    row = Row("F2", "~~", "F3", "Psi", 2, 3, "correlation")
    expected = raw.Psi[..., 2, 3] / np.sqrt(raw.Psi[..., 2, 2] * raw.Psi[..., 3, 3])
    np.testing.assert_allclose(standardised_value(row, standardise(raw)), expected, atol=1e-12)
    share = Row("x1", "~~", "x1", "Theta", 0, 0, "residual_sd")
    np.testing.assert_allclose(
        standardised_value(share, standardise(raw)),
        raw.Theta[..., 0, 0] / raw.Sigma[..., 0, 0],
        atol=1e-12,
    )


@pytest.fixture(scope="module")
def fit():
    labels = {
        "a": normal_grid(0.4, 0.05, seed=1),
        "b": normal_grid(0.3, 0.05, seed=2),
        "c": normal_grid(-0.2, 0.1, seed=3),
    }
    return fake_fit(labels, labels)


def test_effects_table(fit):
    table = effects(fit)
    columns = ["outcome", "predictor", "kind", "path", "mean", "sd", "lower", "upper", "pd"]
    assert list(table.columns) == columns
    assert table["path"].tolist() == [
        "X -> M",
        "X -> M",
        "X -> Y",
        "X -> M -> Y",
        "X -> ... -> Y",
        "X -> Y",
        "M -> Y",
        "M -> Y",
    ]
    a, b, c = (fit.draws["posterior"][k].to_numpy() for k in "abc")
    for path, kind, draws in (
        ("X -> M -> Y", "indirect", a * b),
        ("X -> ... -> Y", "indirect", a * b),
        ("X -> Y", "direct", c),
        ("X -> Y", "total", a * b + c),
    ):
        row = table[(table["path"] == path) & (table["kind"] == kind)].squeeze()
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["sd"] == pytest.approx(draws.std(ddof=1))
        assert row["lower"] == pytest.approx(np.quantile(draws, 0.025))
        assert row["upper"] == pytest.approx(np.quantile(draws, 0.975))
        assert row["pd"] == pytest.approx(max((draws > 0).mean(), (draws < 0).mean()))


def test_standardised_effects_use_implied_sds(fit):
    labels = {k: fit.draws["posterior"][k].to_numpy() for k in "abc"}
    raw = fake_fit(labels, labels, unit=False)
    table = effects(raw, standardized=True)
    a, b, c = (labels[k] for k in "abc")
    sd_m = np.sqrt(a**2 + 1)
    sd_y = np.sqrt((a * b + c) ** 2 + b**2 + 1)
    expected = (c / sd_y).mean()
    direct = table[(table["path"] == "X -> Y") & (table["kind"] == "direct")].squeeze()
    assert direct["mean"] == pytest.approx(expected)
    through = table[table["path"] == "X -> M -> Y"].squeeze()
    assert through["mean"] == pytest.approx((a / sd_m * (b * sd_m / sd_y)).mean())


def test_second_order_loadings_are_no_effects_but_carry_them():
    text = """
    F1 =~ x1 + x2
    F2 =~ x3 + x4
    S =~ F1 + F2
    Z =~ z1 + z2
    Y =~ y1 + y2
    S ~ a*Z
    Y ~ b*F1
    """
    labels = {"a": np.full((2, 10), 0.5), "b": np.full((2, 10), 0.4)}
    made = fake_fit(labels, labels, text=text, unit=False)
    table = effects(made)
    assert set(table["outcome"]) == {"S", "Y"}
    assert "Z -> S -> F1 -> Y" in set(table["path"])
    assert table.loc[table["path"] == "Z -> S -> F1 -> Y", "mean"].item() == pytest.approx(
        0.5 * 0.8 * 0.4
    )


def test_r2_is_the_explained_share(fit):
    table = r2(fit).set_index("variable")
    a, b, c = (fit.draws["posterior"][k].to_numpy() for k in "abc")
    assert table.loc["M", "mean"] == pytest.approx((a**2).mean())
    explained = b**2 + c**2 + 2 * a * b * c  # b'Phi b with unit variances
    assert table.loc["Y", "mean"] == pytest.approx(explained.mean())
    assert table.loc["x1", "kind"] == "indicator"
    reliability = fit.both["posterior"].Lambda[0, 0, 0, 0] ** 2
    assert table.loc["x1", "mean"] == pytest.approx(reliability / (reliability + 0.5))
    assert "X" not in table.index


def test_r2_is_missing_inside_a_loop():
    text = "F =~ x1 + x2 + x3\nG =~ y1 + y2 + y3\nF ~ a*G + c*z\nG ~ b*F + d*w"
    labels = {k: np.full((2, 10), 0.3) for k in "abcd"}
    table = r2(fake_fit(labels, labels, text=text, unit=False)).set_index("variable")
    assert np.isnan(table.loc[["F", "G"], "mean"]).all()
    assert table.loc["x1", "mean"] > 0


def test_paths_fixed_at_zero_are_no_edges():
    table = parameter_table(read_model("F =~ x1+x2\nG =~ y1+y2\nG ~ 0*F"), identify="unit")
    assert not edges(table).any()


def test_too_many_chains_are_refused_and_can_be_left_out():
    m = 16
    names = [f"o{k}" for k in range(m)]
    lines = [f"{names[k]} ~ {' + '.join(names[:k])}" for k in range(1, m)]
    table = parameter_table(read_model("\n".join(lines)), identify="unit", means=False)
    shape = {"none": np.zeros((1, 4))}
    both = {"posterior": matrices_of(table, shape, unit=False)}
    made = FakeFit(read_model("\n".join(lines)), table, None, both, None)
    with pytest.raises(ModelError, match="more than 5000 specific chains"):
        effects(made)
    assert len(effects(made, paths=False)) > 0
