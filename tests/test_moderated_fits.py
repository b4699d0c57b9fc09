"""Fits with products and other outcomes against other programs, and the three forms against each other."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import LogNormalAFTFitter, WeibullAFTFitter
from statsmodels.api import GLM, Poisson, add_constant, families
from statsmodels.discrete.discrete_model import NegativeBinomial
from zoo import ZOO

import bayesem as sem
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import constrained, pack
from bayesem.kernels.target import target_of
from bayesem.preparation import prepare
from bayesem.sampling.starts import maximum

GOLDEN = Path(__file__).parent / "golden"
ONE = "X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; Y =~ y1 + y2 + y3; Y ~ X + Z + w*X:Z"


@pytest.fixture(scope="module")
def modsem():
    """modsem's data and estimates."""
    data = pd.read_csv(GOLDEN / "modsem_one_interaction.csv.gz")
    return data, json.loads((GOLDEN / "modsem.json").read_text())


def _estimates(reference):
    return {
        (*sorted((r["lhs"], r["rhs"])), r["op"]): (r["est"], r["std.error"])
        for r in reference["estimates"]
        if r["std.error"]
    }


def test_posterior_means_lie_at_lms(modsem):
    """Every posterior mean within half a standard error of LMS, sds within 10%."""
    data, reference = modsem
    fit = sem.fit(ONE, data, seed=1, draws=1000, tune=600, chains=4, progress=False)
    assert fit.converged, fit.convergence
    known, compared = _estimates(reference), 0
    for row in sem.summary(fit).itertuples():
        key = (*sorted((row.lhs, row.rhs)), row.op)
        if row.sd > 0 and key in known:
            estimate, error = known[key]
            assert abs(row.mean - estimate) < 0.5 * error, key
            assert row.sd == pytest.approx(error, rel=0.1), key
            compared += 1
    assert compared == 31


def test_flat_mode_is_lms(modsem):
    """Under flat priors the mode is modsem's maximum, and so is its log-likelihood."""
    data, reference = modsem
    ready = prepare(ONE, data, priors="flat")
    target = target_of(ready.spec, jacobian=False, nodes=16)
    mode = maximum(ready.spec, target=target)
    uniform = log_posteriors(pack(ready.spec, jacobian=False), mode.u[None], False)[0]
    # modsem's own 24 nodes stand on the prior and err by some hundredths at n = 2,000
    assert mode.value - uniform == pytest.approx(reference["log_likelihood"], abs=0.05)


@pytest.mark.parametrize("name", ["product", "product and probit"])
def test_three_forms_have_one_posterior(name):
    """Quadrature, cover and scores: means agree within 4 Monte-Carlo standard errors."""
    specimen = ZOO[name]
    means, errors = {}, {}
    for form in ("quadrature", "cover", "scores"):
        fit = sem.fit(
            specimen.text, specimen.data, seed=3, integrate=form, draws=1000, tune=600, chains=4,
            progress=False, **specimen.arguments,
        )  # fmt: skip
        table = sem.summary(fit)
        table = table[table["sd"] > 0]
        means[form] = table["mean"].to_numpy()
        errors[form] = (table["sd"] / np.sqrt(table["ess_bulk"])).to_numpy()
    for form in ("cover", "scores"):
        z = (means[form] - means["quadrature"]) / np.hypot(errors[form], errors["quadrature"])
        assert np.abs(z).max() < 4.2, form  # of some 40 quantities


RNG = np.random.default_rng(8)
N = 500
FRAME = pd.DataFrame({"a": RNG.normal(2, 1, N), "b": RNG.binomial(1, 0.4, N).astype(float)})
ETA = 0.5 * FRAME["a"] - 0.4 * FRAME["b"] - 0.8
TIME = np.exp(0.6 + ETA + 0.8 * RNG.normal(size=N))
GUMBEL = np.exp(0.6 + ETA) * RNG.exponential(size=N) ** 0.6
LIMIT = np.exp(RNG.normal(1.2, 0.6, N))
FRAME = FRAME.assign(
    probit=(ETA + RNG.normal(size=N) > 0).astype(float),
    logit=(RNG.uniform(size=N) < 1 / (1 + np.exp(-1.5 * ETA))).astype(float),
    count=RNG.poisson(np.exp(0.3 + 0.5 * ETA)).astype(float),
    spread=RNG.poisson(np.exp(0.3 + 0.5 * ETA) * RNG.gamma(1 / 0.7, 0.7, N)).astype(float),
    time=np.minimum(TIME, LIMIT), wait=(TIME > LIMIT).astype(float),
    span=np.minimum(GUMBEL, LIMIT), open=(GUMBEL > LIMIT).astype(float),
)  # fmt: skip
X = add_constant(FRAME[["a", "b"]])


def _aft(fitter, time, waiting):
    data = FRAME[["a", "b"]].assign(t=FRAME[time], e=1 - FRAME[waiting])
    found = fitter.fit(data, "t", "e")
    place = "mu_" if "Log" in type(fitter).__name__ else "lambda_"
    return [found.params_[place][k] for k in ("a", "b", "Intercept")]


CASES = {
    "probit": ("bernoulli", lambda: _glm("probit", families.Binomial(families.links.Probit()))),
    "logit": ("logit", lambda: _glm("logit", families.Binomial())),
    "count": ("poisson", lambda: _in_order(Poisson(FRAME["count"], X).fit(disp=0).params)),
    "spread": (
        "negative_binomial",
        lambda: _in_order(NegativeBinomial(FRAME["spread"], X).fit(disp=0).params),
    ),
    "time": (sem.Lognormal(censored="wait"), lambda: _aft(LogNormalAFTFitter(), "time", "wait")),
    "span": (sem.Weibull(censored="open"), lambda: _aft(WeibullAFTFitter(), "span", "open")),
}


def _glm(name, family):
    return _in_order(GLM(FRAME[name], X, family=family).fit().params)


def _in_order(params):
    return [params["a"], params["b"], params["const"]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("outcome", CASES)
def test_observed_predictors_against_another_program(outcome):
    """The flat mode of each family is statsmodels' or lifelines' maximum-likelihood estimate."""
    family, reference = CASES[outcome]
    ready = prepare(f"{outcome} ~ a + b", FRAME, families={outcome: family}, priors="flat")
    mode = maximum(ready.spec, target=target_of(ready.spec, jacobian=False))
    x = dict(zip(ready.spec.names, constrained(ready.spec, mode.u), strict=True))
    ours = [x[f"{outcome} ~ a"], x[f"{outcome} ~ b"], x[f"{outcome} ~1"]]
    np.testing.assert_allclose(ours, reference(), rtol=2e-3, atol=2e-3)
