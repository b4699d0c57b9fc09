"""What the priors imply: against closed forms and a simulation written down once more."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from zoo import ZOO

import bayesem as sem
from bayesem.errors import DataError, PriorError
from bayesem.implications import prior_implications

DRAWS = 20_000
PAIR = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ b*X\n"


def _near(p, expected, draws=DRAWS):
    """Whether a probability read off sorted draws is the expected one, in standard errors."""
    return abs(p - expected) < 4.5 * np.sqrt(expected * (1 - expected) / draws)


def _quantiles_agree(row, cdf, prob=0.9):
    """Each reported quantile, put through the exact distribution function."""
    for name, p in (("median", 0.5), ("lower", (1 - prob) / 2), ("upper", (1 + prob) / 2)):
        assert _near(cdf(row[name]), p), (name, row[name])


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(2, 1.5, (100, 6)), columns=["x1", "x2", "x3", "y1", "y2", "y3"])
    return prior_implications(PAIR, data, draws=DRAWS), data


def test_path_and_explained_variance_have_their_closed_form(pair):
    """b ~ N(0, .5) and unit residuals: standardised b/sqrt(1+b^2), R2 = b^2/(1+b^2)."""
    found, _ = pair
    path = found.coefficients.query("op == '~'").iloc[0]
    _quantiles_agree(path, lambda r: stats.norm.cdf(r / np.sqrt(1 - r**2) / 0.5))
    r2 = found.explained.query("variable == 'Y'").iloc[0]
    _quantiles_agree(r2, lambda r: stats.chi2(1).cdf(r / (1 - r) / 0.25))
    assert _near(path["negative"], 0.5)
    total = found.effects.query("kind == 'total'").iloc[0]
    assert total["median"] == pytest.approx(path["median"], abs=1e-12)


def test_answers_against_a_simulation_of_their_own(pair):
    """Intercept, loading and residual sd drawn from the documented priors, in one plain line."""
    found, data = pair
    rng = np.random.default_rng(99)
    s, m = data["x2"].std(ddof=0), data["x2"].mean()
    loading = rng.normal(0.7 * s, 0.4 * s, 400_000)
    sd = np.sort(np.hypot(loading, rng.gamma(2, s / 3, 400_000)))
    row = found.answers.set_index("indicator").loc["x2"]
    cdf = lambda v: np.searchsorted(sd, v) / len(sd)  # noqa: E731
    _quantiles_agree(
        row[["sd", "sd_lower", "sd_upper"]].set_axis(["median", "lower", "upper"]), cdf
    )
    mean = row[["mean", "mean_lower", "mean_upper"]].set_axis(["median", "lower", "upper"])
    _quantiles_agree(mean, stats.norm(m, 2.5 * s).cdf)
    assert np.isnan(row["mean_outside"])
    assert "no codebook" in str(found)


def test_the_share_that_leaves_the_scale_is_the_priors_tail():
    """Of a mean with prior N(5.5, (2.5 x 2.25)^2) outside 1 to 10: 2 Phi(-.8)."""
    study = "alliance_mediation"
    found = prior_implications(study, sem.simulate(study, 200, seed=1), draws=DRAWS)
    assert set(found.answers["low"]) == {1.0}
    assert set(found.answers["high"]) == {10.0}
    own = found.answers[found.answers["indicator"].str.startswith("rsc")]
    for share in own["mean_outside"]:  # exogenous factors have mean 0, so the intercept decides
        assert _near(share, 2 * stats.norm.cdf(-0.8))
    assert (found.answers["two_sd_outside"] > found.answers["mean_outside"]).all()
    r2 = found.explained.set_index("variable").loc["EBP"]
    # docs/priors.md, from 20,000 draws of other seeds
    assert r2[["lower", "median", "upper"]].tolist() == pytest.approx([0.07, 0.38, 0.72], abs=0.015)
    assert max(len(line) for line in str(found).splitlines()) <= 90


def test_a_probability_and_a_risk_ratio_before_the_data():
    """Probit of one factor: Phi(i / sqrt(1 + b^2)) and Phi(i + b) / Phi(i - b) for +-1 sd."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.normal(size=(80, 3)), columns=["x1", "x2", "x3"])
    data["bought"] = (rng.uniform(size=80) < 0.5).astype(float)
    priors = {"bought ~1": "normal(0, 1)", "bought ~ X": "normal(0.3, 0.5)"}
    found = prior_implications(
        "X =~ x1 + x2 + x3\nX ~~ 1*X\nbought ~ X\n", data, priors=priors, draws=DRAWS,
        identify="unit", families={"bought": "bernoulli"},
    )  # fmt: skip
    i, b = rng.normal(0, 1, 400_000), rng.normal(0.3, 0.5, 400_000)
    expected = {
        "probability": stats.norm.cdf(i / np.sqrt(1 + b**2)),
        "risk ratio, X 1 against -1": stats.norm.cdf(i + b) / stats.norm.cdf(i - b),
    }
    rows = found.outcomes.set_index("quantity")
    assert list(rows.index) == list(expected)
    for name, draws in expected.items():
        ordered = np.sort(draws)
        cdf = lambda v, o=ordered: np.searchsorted(o, v) / len(o)  # noqa: E731
        _quantiles_agree(rows.loc[name], cdf)


def test_a_time_and_a_count_before_the_data():
    """exp(2b) is what two sds of a factor do to a time or a count whose linear predictor is bX."""
    for name, outcome, predictor, word in (
        ("weibull, censored", "years", "Y", "time ratio"),
        ("negative binomial", "visits", "Z", "rate ratio"),
    ):
        z = ZOO[name]
        found = prior_implications(z.text, z.data, draws=1500, **z.arguments)
        rows = found.outcomes.set_index("quantity")
        ratio = rows.loc[f"{word}, {predictor} 1 against -1"]
        assert ratio["lower"] < 0.2 < 1 < 5 < ratio["upper"], outcome
        assert ratio["lower"] * ratio["upper"] == pytest.approx(1, abs=0.25)  # symmetric on the log


@pytest.mark.parametrize("name", ["democracy, covariance", "democracy, moments", "feedback",
                                  "product, missing", "holzinger, second order", "mimic"])  # fmt: skip
def test_every_kind_of_model_and_data(name):
    z = ZOO[name]
    found = prior_implications(z.text, z.data, draws=300, **z.arguments)
    assert found.draws == 300
    assert len(found.coefficients)
    assert ("Conditioned on" in str(found)) == (name in ("feedback", "mimic"))
    assert "<table" in found._repr_html_()
    if name == "democracy, covariance":
        assert found.answers["mean"].isna().all()
        assert "not modelled" in str(found)
    if name == "feedback":  # no R2 inside a loop
        assert found.explained["median"].isna().all()
        assert "no such number" in str(found)


def test_refusals():
    data = ZOO["democracy"].data
    with pytest.raises(PriorError, match="improper"):
        prior_implications(ZOO["democracy"].text, data, priors="flat")
    with pytest.raises(DataError, match="prob is 2"):
        prior_implications(ZOO["democracy"].text, data, prob=2)
    with pytest.raises(DataError, match="draws is 0"):
        prior_implications(ZOO["democracy"].text, data, draws=0)
