"""Screening against what AMOS prints, against direct formulae, and where normality holds."""

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, kstest, multivariate_normal

import bayesem as sem
from bayesem.screening import distances, mardia, screen

MODEL = "spatial =~ x1 + x2 + x3\nverbal =~ x4 + x5 + x6"

# What AMOS 28 prints for its own example, 73 girls of Holzinger & Swineford's Grant-White school
# (User's Guide, tests for normality and outliers; and the FAQ on p2): skew, c.r., kurtosis, c.r.
AMOS = {
    "x1": (-0.406, -1.418, -0.281, -0.490),
    "x2": (-0.131, -0.457, 1.439, 2.510),
    "x3": (0.833, 2.906, 0.127, 0.221),
    "x4": (0.374, 1.305, -0.239, -0.416),
    "x5": (-0.836, -2.915, 0.537, 0.936),
    "x6": (0.575, 2.004, -0.212, -0.370),
}
AMOS_MULTIVARIATE = (3.102, 1.353)
AMOS_CASES = [
    (18.7468824, 0.0046132, 0.2864768),
    (17.2011378, 0.0085718, 0.1299040),
    (13.2641516, 0.0390278, 0.5461262),
    (12.9541160, 0.0437704, 0.3973690),
    (12.7304279, 0.0475222, 0.2662369),
]


@pytest.fixture(scope="module")
def girls(holzinger_data):
    chosen = (holzinger_data["school"] == "Grant-White") & (holzinger_data["sex"] == 2)
    return holzinger_data[chosen]


@pytest.fixture(scope="module")
def holzinger_data():
    from semopy.examples import holzinger39

    return holzinger39.get_data()


def test_equals_what_amos_prints(girls):
    """Every printed digit: distances do not depend on the units of the variables."""
    found = screen(girls, MODEL)
    assert len(girls) == 73
    table = found.normality.set_index("variable")
    columns = ["skewness", "cr_skewness", "kurtosis", "cr_kurtosis"]
    for name, printed in AMOS.items():
        assert table.loc[name, columns].to_numpy(float) == pytest.approx(printed, abs=5.1e-4)
    whole = table.loc["multivariate", ["kurtosis", "cr_kurtosis"]].to_numpy(float)
    assert whole == pytest.approx(AMOS_MULTIVARIATE, abs=5.1e-4)
    for row, (d2, p1, p2) in zip(found.cases.itertuples(), AMOS_CASES, strict=False):
        assert row.d2 == pytest.approx(d2, abs=2e-6)
        assert row.p1 == pytest.approx(p1, abs=1e-7)
        assert row.p2 == pytest.approx(p2, abs=2e-6)


def test_mardias_coefficients_are_their_double_sums(girls):
    """Skewness from all pairs of cases, kurtosis from all cases, as Mardia defines them."""
    y = girls[list(AMOS)].to_numpy(float)
    n, p = y.shape
    c = y - y.mean(0)
    G = c @ np.linalg.inv(c.T @ c / n) @ c.T
    found = mardia(y)
    assert found.loc["skewness", "coefficient"] == pytest.approx((G**3).sum() / n**2, rel=1e-10)
    assert found.loc["kurtosis", "coefficient"] == pytest.approx((np.diag(G) ** 2).mean())
    tail = chi2.sf(n * (G**3).sum() / n**2 / 6, p * (p + 1) * (p + 2) / 6)
    assert found.loc["skewness", "p"] == pytest.approx(tail, rel=1e-8)


def test_p_values_hold_under_normality():
    """500 normal samples: c.r. have the variance they should; Mardia's p is nearly uniform."""
    rng = np.random.default_rng(4)
    L = np.linalg.cholesky(0.5 * np.eye(5) + 0.5)
    tables = [mardia(rng.normal(size=(300, 5)) @ L.T) for _ in range(500)]
    cr = np.array([t.loc["kurtosis", "cr"] for t in tables])
    # the asymptotic standard error is a little too large at n = 300
    assert abs(cr.mean()) < 4 * cr.std() / np.sqrt(500)
    assert 0.85 < cr.std() < 1.05
    p = np.array([t.loc["skewness", "p"] for t in tables])
    assert kstest(p, "uniform").pvalue > 0.001
    skewed = mardia(np.exp(rng.normal(size=(300, 5))))
    assert skewed.loc["skewness", "cr"] > 30  # no underflow in the far tail


def test_distances_of_incomplete_cases(girls):
    """Over the answered cells; the mean is the dimension; EM's moments maximise the likelihood."""
    rng = np.random.default_rng(1)
    y = girls[list(AMOS)].mask(rng.uniform(size=(73, 6)) < 0.15)
    y.iloc[5] = np.nan
    found = screen(y, MODEL)
    assert found.cases["case"].iloc[-1] == girls.index[5]
    assert np.isnan(found.cases["d2"].iloc[-1])
    assert found.cases["answered"].sum() == y.notna().sum().sum()
    # at the maximum, distances sum to the number of answered cells
    assert found.cases["d2"].sum() == pytest.approx(y.notna().sum().sum(), rel=1e-3)
    assert np.isnan(found.mardia.to_numpy()).all()
    assert "EM" in found.notes[0]
    assert "1 rows are empty" in found.notes[1]
    p1 = found.cases["p1"].dropna()
    assert (p1.diff().dropna() >= 0).all()


def test_distances_against_a_density():
    """-2 log density less its constant, case by case."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3))
    S = np.cov(y.T, bias=True)
    log = multivariate_normal(y.mean(0), S).logpdf(y)
    constant = 3 * np.log(2 * np.pi) + np.linalg.slogdet(S)[1]
    assert distances(y) == pytest.approx(-2 * log - constant, abs=1e-9)


def test_the_table_of_the_alliance_study():
    """The same rows and columns as the paper's Table 2, from answers generated for it."""
    data = sem.simulate("alliance_mediation", 190, answers=True, seed=1)
    found = screen(data, "alliance_mediation")
    book = sem.read_model("alliance_mediation").codebook
    printed = [row["indicator"] for row in book.printed["normality"]["rows"]]
    assert set(found.normality["variable"]) == {*printed, "multivariate"}
    assert {"cr_skewness", "cr_kurtosis"} <= set(found.normality.columns)
    assert len(found.cases) == 190


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_of_data(kind):
    """Raw data of any model; moments are refused."""
    text, data = kinds.TEXTS.get(kind, kinds.LINEAR), kinds.data_of(kind)
    families = {"bought": "bernoulli"} if kind == "outcome" else None
    if kind == "moments":
        with pytest.raises(sem.NotAvailableError, match="one by one"):
            screen(data, text)
        return
    found = screen(data, text, families=families)
    assert len(found.cases) == len(data)
    assert ("left out" in " ".join(found.notes)) == (kind == "outcome")
    assert "bought" not in set(found.normality["variable"])


def test_display(girls):
    found = screen(girls, MODEL)
    assert "multivariate" in str(found)
    assert "<table" in found._repr_html_()


def test_refusals(girls):
    with pytest.raises(sem.DataError, match="x9"):
        screen(girls.drop(columns="x9"), MODEL + "+ x9")
    with pytest.raises(sem.DataError, match="not a DataFrame"):
        screen(pd.Series([1.0]), MODEL)
