"""From sampled numbers to named quantities."""

import numpy as np
import pytest
from texts import DEMOCRACY, HOLZINGER
from zoo import ZOO

import bayesem as sem
from bayesem.matrices import Matrices
from bayesem.posterior import named_draws, reported_matrices
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior
from bayesem.summaries import summary


@pytest.mark.parametrize(
    "name", ["democracy, unit", "democracy", "holzinger, second order", "mimic"]
)
def test_rescaling_and_reflection_leave_the_moments(name):
    """Sigma and mu do not move; alpha, paths and correlations follow the sign."""
    specimen = ZOO[name]
    spec = prepare(
        specimen.text,
        specimen.data,
        **{**specimen.arguments, "priors": specimen.arguments.get("priors")},
    ).spec
    x = draw_prior(spec, 50, np.random.default_rng(0))
    home, reported = spec.matrices(x), reported_matrices(spec, x)
    np.testing.assert_allclose(home.Sigma, reported.Sigma, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(home.mu, reported.mu, rtol=1e-9, atol=1e-9)


def test_reflection_turns_everything_that_belongs_to_a_factor(holzinger_data):
    """Unit metric, symmetric priors: mirrored draws are one draw after reflection."""
    text = HOLZINGER + "speed ~ visual\nvisual ~ 1\n"
    spec = prepare(text, holzinger_data, identify="unit", priors="blavaan", check=False).spec
    x = draw_prior(spec, 20, np.random.default_rng(1))
    k = spec.table.factors.index("visual")
    mirrored = x.copy()
    touched = {
        r.name for r in spec.table.rows
        if (r.matrix == "Lambda" and r.j == k) or (r.matrix == "alpha" and r.i == k)
        or (r.matrix in ("Beta", "Psi") and (r.i == k) != (r.j == k))
    }  # fmt: skip
    for position, name in enumerate(spec.names):
        if name in touched:
            mirrored[:, position] *= -1
    assert any(" ~1" in name for name in touched)
    a, b = reported_matrices(spec, x), reported_matrices(spec, mirrored)
    for matrix in Matrices.__dataclass_fields__:
        np.testing.assert_allclose(getattr(a, matrix), getattr(b, matrix))
    assert (a.Lambda[:, 0, k] > 0).all()


def test_defined_parameters_may_use_each_other(democracy):
    draws = democracy.draws["posterior"]
    np.testing.assert_allclose(draws["ac"], draws["a"] * draws["c"])
    np.testing.assert_allclose(draws["whole"], draws["a"] * draws["c"] + draws["b"])


def test_definitions_in_any_order(democracy_data):
    text = DEMOCRACY.replace("ac := a*c\nwhole := ac + b\n", "whole := ac + b\nac := a*c\n")
    spec = prepare(text, democracy_data).spec
    named = named_draws(spec, draw_prior(spec, 10, np.random.default_rng(0))[None])
    np.testing.assert_allclose(named["whole"], named["ac"] + named["b"])


def test_equal_labels_stay_claimable(democracy_data):
    """`a == c` makes one parameter of two; both names remain, with one value."""
    spec = prepare(DEMOCRACY + "a == c\n", democracy_data).spec
    named = named_draws(spec, draw_prior(spec, 10, np.random.default_rng(0))[None])
    np.testing.assert_array_equal(named["a"], named["c"])
    assert len(spec.parameters) == 41


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("a > b", lambda d: d["a"] > d["b"]),
        ("a > 0", lambda d: d["a"] > 0),
        ("b < 0.5", lambda d: d["b"] < 0.5),
        ("a == 2*b", lambda d: np.isclose(d["a"], 2 * d["b"])),
        ("a == 1 - c", lambda d: np.isclose(d["a"], 1 - d["c"])),
    ],
)
def test_constraints_hold_in_every_draw(constraint, holds, democracy_data):
    found = sem.fit(
        f"{DEMOCRACY}\n{constraint}\n", democracy_data, seed=1, draws=300, tune=400, progress=False
    )
    for group in ("posterior", "prior"):
        assert bool(holds(found.draws[group]).all())


def test_summary_rows_and_fixed_parameters(democracy):
    table = summary(democracy)
    assert list(table.columns) == [
        "lhs", "op", "rhs", "group", "label", "mean", "sd", "lower", "upper", "pd", "r_hat",
        "ess_bulk", "ess_tail",
    ]  # fmt: skip
    fixed = table[(table["lhs"] == "ind60") & (table["rhs"] == "x1")].iloc[0]
    assert (fixed["mean"], fixed["sd"]) == (1.0, 0.0)
    assert np.isnan(fixed["r_hat"])
    assert len(table) == len(democracy.table.rows) + 2


def test_arviz_takes_the_draws(democracy):
    import arviz as az

    table = az.summary(democracy.draws, var_names=["path", "ac"], round_to="none")
    ours = summary(democracy).set_index(["lhs", "op", "rhs"])
    row = table.loc["path[dem60 ~ ind60]"]
    assert float(row["mean"]) == pytest.approx(ours.loc[("dem60", "~", "ind60"), "mean"])
    assert {"posterior", "prior", "sample_stats", "log_prior", "observed_data"} <= set(
        democracy.draws.children
    )
