"""Information criteria against another program, and against formulae written out."""

import json
from pathlib import Path

import kinds
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from texts import DEMOCRACY, HOLZINGER

import bayesem as sem
from bayesem.comparison.criteria import (
    information_criteria,
    log_likelihood_at_mean,
    total_log_likelihoods,
)
from bayesem.comparison.importance import mcse_of_mean, smoothed
from bayesem.comparison.leave_one_out import influences, loo, sampled_of
from bayesem.comparison.units import units_of
from bayesem.errors import NotAvailableError
from bayesem.pointwise import log_likelihoods

GOLDEN = Path(__file__).parents[1] / "golden" / "blavaan_criteria.json"
CASES = {
    "a_HS_means": (HOLZINGER, "holzinger_data", "marker"),
    "a_HS_stdlv_means": (HOLZINGER, "holzinger_data", "unit"),
    "b_PD_means": (DEMOCRACY, "democracy_data", "marker"),
    "HS0_null_means": (
        "\n".join(f"x{k} ~~ x{k}" for k in range(1, 10)),
        "holzinger_data",
        "marker",
    ),
    "PD0_null_means": (
        "\n".join(
            f"{v} ~~ {v}" for v in [*(f"x{k}" for k in (1, 2, 3)), *(f"y{k}" for k in range(1, 9))]
        ),
        "democracy_data",
        "marker",
    ),
}


@pytest.mark.parametrize(
    "case", ["HS0_null_means", *(pytest.param(c, marks=pytest.mark.slow) for c in CASES if c != "HS0_null_means")]
)  # fmt: skip
def test_against_blavaan(case, request):
    """Each number within 3.5 combined Monte-Carlo errors; blavaan's from its effective draws.

    Standard errors over cases have divisor n here (ArviZ) and n - 1 there (loo for R).
    """
    text, data, identify = CASES[case]
    fit = sem.fit(text, request.getfixturevalue(data), identify=identify, priors="blavaan",
                  draws=2000, seed=21, progress=False)  # fmt: skip
    assert fit.converged
    reference = json.loads(GOLDEN.read_text())["models"][case]
    found = information_criteria(fit)
    theirs = np.sqrt(8000 / reference["median_ess"])
    gaps = {
        name: abs(found["value"][name] - reference[name])
        / (found["mcse"][name] * np.hypot(1, theirs))
        for name in ("waic", "p_waic", "looic", "p_loo", "p_dic", "dic")
    }
    assert max(gaps.values()) < 3.5, gaps
    _standard_errors(fit, found, reference, theirs)
    assert found["value"]["k_bad"] == 0


def _standard_errors(fit, found, reference, theirs):
    units = units_of(fit, None)
    sampled = sampled_of(fit, units)
    plain = smoothed(sampled, units)[0]
    away = plain.elpd_i.to_numpy() - plain.elpd_i.to_numpy().mean()
    moves = (away[:, None, None] * influences(plain, sampled)).sum(0) / np.sqrt((away**2).sum())
    error = 2 * float(mcse_of_mean(moves[None])[0]) * np.hypot(1, theirs)
    shrink = np.sqrt((fit.n - 1) / fit.n)
    for name in ("se_waic", "se_loo"):
        assert abs(found["value"][name] - shrink * reference[name]) < 3.5 * error, name


@pytest.mark.parametrize("kind", ["complete", "missing", "interaction", "outcome"])
def test_waic_written_out(kind):
    fit = kinds.fit_of(kind)
    values = log_likelihoods(fit)
    found = information_criteria(fit)["value"]
    lppd, spread = 0.0, 0.0
    for i in range(fit.n):
        column = values[:, i]
        lppd += np.log(np.mean(np.exp(column)))
        spread += np.sum((column - column.mean()) ** 2) / (len(column) - 1)
    assert found["p_waic"] == pytest.approx(spread)
    assert found["waic"] == pytest.approx(-2 * (lppd - spread))
    plain = loo(fit, moment_match=False, exact=False)
    assert found["looic"] == pytest.approx(-2 * plain.elpd)
    assert found["p_loo"] == pytest.approx(plain.p)
    assert ("dic" in found.index) == (kind in ("complete", "missing"))


@pytest.mark.parametrize("kind", ["complete", "missing"])
def test_dic_written_out(kind):
    """The sum over cases equals the kernel's total, and the mean's density is scipy's."""
    fit = kinds.fit_of(kind)
    by_case = log_likelihoods(fit).sum(1)
    assert total_log_likelihoods(fit).ravel() == pytest.approx(by_case, abs=1e-7)
    M = fit.matrices()
    mean = {
        k: getattr(M, k).mean((0, 1)) for k in ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha")
    }
    A = np.linalg.inv(np.eye(len(mean["Beta"])) - mean["Beta"])
    LA = mean["Lambda"] @ A
    Sigma, mu = LA @ mean["Psi"] @ LA.T + mean["Theta"], mean["nu"] + LA @ mean["alpha"]
    at = list(fit.table.indicators).index("size")
    total = 0.0
    for row in fit.data.values:
        seen = ~np.isnan(row)
        total += multivariate_normal(mu[seen], Sigma[np.ix_(seen, seen)]).logpdf(row[seen])
        total -= multivariate_normal(mu[at], Sigma[at, at]).logpdf(row[at])
    assert log_likelihood_at_mean(fit) == pytest.approx(total, abs=1e-6)
    found = information_criteria(fit)["value"]
    assert found["p_dic"] == pytest.approx(2 * (total - by_case.mean()))
    assert found["dic"] == pytest.approx(found["Dbar"] + found["p_dic"])
    assert found["Dhat"] == pytest.approx(-2 * total)


def test_stated_errors_are_those_of_chains():
    """Four chains give four values: their spread against the stated error, over five measures."""
    fit = kinds.fit_of("complete")
    values = log_likelihoods(fit).reshape(4, 500, -1)
    stated = information_criteria(fit)["mcse"]
    waic = [np.log(np.exp(v).mean(0)).sum() - v.var(0, ddof=1).sum() for v in values]
    p = [v.var(0, ddof=1).sum() for v in values]
    for name, each in (("elpd_waic", waic), ("p_waic", p)):
        # a chi-square with 3 degrees of freedom, at the 0.1% points
        ratio = 3 * np.var(each, ddof=1) / (4 * stated[name] ** 2)
        assert 0.024 < ratio < 16.3, name


def test_moments_have_a_dic_only():
    found = information_criteria(kinds.fit_of("moments"))
    assert list(found.index) == ["logl", "Dbar", "Dhat", "p_dic", "dic"]
    assert any("no WAIC and LOO: this fit rests on moments" in n for n in found.attrs["notes"])
    raw = information_criteria(kinds.fit_of("complete"))
    # moments with means say as much as the same complete data (both of the same 200 rows)
    gap = abs(found["value"]["dic"] - raw["value"]["dic"])
    assert gap < 4 * np.hypot(found["mcse"]["dic"], raw["mcse"]["dic"])


def test_casewise_models_have_no_dic_and_say_so():
    found = information_criteria(kinds.fit_of("interaction"))
    assert "dic" not in found.index
    assert any(note.startswith("no DIC: products of factors") for note in found.attrs["notes"])


def test_conditional_criteria_by_name():
    found = information_criteria(kinds.fit_of("complete"), conditional=True)
    assert found.attrs["conditional"]
    assert any("same cases again, not new cases" in note for note in found.attrs["notes"])
    assert "dic" not in found.index
    marginal = information_criteria(kinds.fit_of("complete"))
    # scores of 3 factors for 200 cases are parameters now
    assert found["value"]["p_waic"] > marginal["value"]["p_waic"] + 200
    with pytest.raises(NotAvailableError, match="this fit rests on moments"):
        information_criteria(kinds.fit_of("moments"), conditional=True)
