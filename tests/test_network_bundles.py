"""Interventions alone, together and beyond their sum: against the arithmetic of the paths."""

import numpy as np
import pytest
from fake_fits import fake_fit, normal_grid
from product_fits import product_fit

import bayesem as sem

LINEAR = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a*X
Y ~ b*M + c*X
"""
MODERATED = LINEAR.replace("c*X", "c*F + w*F:M") + "F =~ f1 + f2 + f3\n"


def paths(means: dict[str, float]) -> dict[str, np.ndarray]:
    return {k: normal_grid(m, 0.02, seed=i) for i, (k, m) in enumerate(means.items())}


def fit_of(text: str, means: dict[str, float]):
    post = paths(means)
    return fake_fit(post, post, text=text)


def test_linear_effects_add_up() -> None:
    text = "F =~ f1+f2+f3; X =~ x1+x2+x3; Y =~ y1+y2+y3; Y ~ b*F + c*X; F ~~ 0*X"
    fit = fit_of(text, {"b": 0.3, "c": 0.2})
    found = sem.bundle_effects(fit, "Y", {"one": {"F": 1}, "two": {"X": 2}})
    assert list(found["intervention"]) == ["one", "two", "one + two", "one + two"]
    assert list(found["kind"]) == ["alone", "alone", "together", "beyond the sum"]
    assert found["mean"].tolist() == pytest.approx([0.3, 0.4, 0.7, 0.0], abs=0.003)
    assert np.abs(found.loc[3, ["lower", "upper"]].to_numpy(float)).max() < 1e-12
    assert found.loc[0, "sd"] == pytest.approx(0.02, rel=0.03)


def test_what_lies_beyond_the_sum_is_the_product() -> None:
    """do(X) reaches Y through M, and F moderates that: a * w * x * f, in sds of Y."""
    draws = {"a": 0.5, "b": 0.3, "c": 0.2, "w": 0.15}
    post = paths(draws)
    fit = product_fit(MODERATED, post, shape=(4, 1000))
    found = sem.bundle_effects(fit, "Y", {"X": {"X": 1}, "F": {"F": 1}}).set_index("kind")
    # residual variances are 1: var(M) = 1 + a^2; products add w^2 var(F) var(M)
    var_m = 1 + post["a"] ** 2
    sd = np.sqrt(1 + post["b"] ** 2 * var_m + post["c"] ** 2 + post["w"] ** 2 * var_m)
    expected = post["a"] * post["w"] / sd
    assert found.loc["beyond the sum", "mean"] == pytest.approx(expected.mean(), rel=1e-6)
    low, high = np.quantile(expected, [0.025, 0.975])
    assert found.loc["beyond the sum", "lower"] == pytest.approx(low, rel=1e-6)
    assert found.loc["beyond the sum", "upper"] == pytest.approx(high, rel=1e-6)
    assert found.loc["beyond the sum", "pd"] == 1


def test_it_agrees_with_claims() -> None:
    fit = product_fit(MODERATED, paths({"a": 0.1, "b": 0.3, "c": 0.2, "w": 0.02}), shape=(4, 1000))
    claim = (
        "do(Y | X = 1, F = 1) - do(Y | X = 1, F = 0) > do(Y | X = 0, F = 1) - do(Y | X = 0, F = 0)"
    )
    p = sem.assess({"more": claim}, fit).table.loc[0, "probability"]
    found = sem.bundle_effects(fit, "Y", {"X": {"X": 1}, "F": {"F": 1}})
    assert found["pd"].iloc[-1] == pytest.approx(max(p, 1 - p), abs=1e-12)


@pytest.mark.parametrize(
    ("bundles", "message"),
    [
        ({"one": {"X": 1}}, "fewer than two"),
        ({"one": {"X": 1}, "two": {}}, "`two` sets nothing"),
        ({"one": {"X": 1}, "two": {"X": 2}}, "`X` is set by both one and two"),
        ({"one": {"X": 1}, "two": {"M": "high"}}, "`M` is set to 'high'"),
        ({"one": {"X": 1}, "two": {"Q": 1}}, "`Q` is not a factor"),
    ],
)
def test_what_is_refused(bundles, message: str) -> None:
    fit = fit_of(LINEAR, {"a": 0.3, "b": 0.3, "c": 0.2})
    with pytest.raises(sem.PropositionError, match=message):
        sem.bundle_effects(fit, "Y", bundles)
