"""Rival models side by side: the numbers by a second route, and everything that is refused."""

from dataclasses import replace

import arviz_stats
import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import gaussian_kde, norm

import bayesem as sem
from bayesem.comparison.comparability import check_comparable
from bayesem.comparison.equivalence import equivalent_pairs
from bayesem.comparison.leave_one_out import loo
from bayesem.comparison.ranking import compare
from bayesem.comparison.reading import reading
from bayesem.errors import DataError, ModelError
from bayesem.pointwise import compute_log_likelihood
from bayesem.preparation import prepare
from bayesem.refitting import renew, sample

COLUMNS = ["elpd", "elpd_diff", "dse", "weight", "p", "k_bad", "log_evidence", "bayes_factor"]


def quick(text, data=None, **options):
    """A fit of a few draws, for checks that look at no number."""
    data = kinds.data_of("complete") if data is None else data
    options = {"draws": 60, "tune": 150, "seed": 1, "progress": False} | options
    return sem.fit(text, data, **options)


@pytest.fixture(scope="module")
def rivals():
    """The whole graph; without the direct path; without the mediator's effect."""
    options = {"draws": 1000, "tune": 500, "seed": 4, "progress": False}
    data = kinds.data_of("complete")
    return {
        "full": sem.fit(kinds.LINEAR, data, **options),
        "mediated": sem.fit(kinds.LINEAR.replace("c*X", "0*X"), data, **options),
        "direct": sem.fit(kinds.LINEAR.replace("b*M", "0*M").replace("ab := a*b", ""), data, **options),
    }  # fmt: skip


@pytest.fixture(scope="module")
def table(rivals):
    return compare(rivals)


# -- the numbers -----------------------------------------------------------------------------


def test_columns_and_order(table):
    assert list(table.columns[:8]) == COLUMNS
    assert table.index.name == "model"
    assert table["elpd"].is_monotonic_decreasing
    assert table["elpd_diff"].iloc[0] == 0
    assert table["dse"].iloc[0] == 0
    assert table["weight"].sum() == pytest.approx(1, abs=1e-6)
    assert table.index[-1] == "direct"
    assert (table["note"] == "").all()


def test_differences_and_weights_are_arvizs(table, rivals):
    """ArviZ's own comparison of its own LOO, but for the draws' efficiency that it assumes."""
    trees = {name: compute_log_likelihood(fit) for name, fit in rivals.items()}
    theirs = arviz_stats.compare(trees, round_to="none")
    for name in table.index:
        assert table["elpd"][name] == pytest.approx(theirs["elpd"][name], abs=0.05)
        assert table["elpd_diff"][name] == pytest.approx(theirs["elpd_diff"][name], abs=0.05)
        assert table["dse"][name] == pytest.approx(theirs["dse"][name], abs=0.05)
        assert table["weight"][name] == pytest.approx(theirs["weight"][name], abs=0.05)


def test_weights_by_a_search_in_one_dimension(rivals):
    """Two models: the weight that maximises the stacked log score."""
    two = {name: rivals[name] for name in ("full", "direct")}
    weights = compare(two, evidence=False)["weight"]
    a, b = (loo(fit).elpd_i.to_numpy() for fit in two.values())
    found = minimize_scalar(
        lambda w: -np.logaddexp(np.log(w) + a, np.log1p(-w) + b).sum(),
        bounds=(1e-9, 1 - 1e-9), method="bounded",
    )  # fmt: skip
    assert weights["full"] == pytest.approx(found.x, abs=2e-3)


def test_bayes_factor_by_savage_and_dickey(table, rivals):
    """Full against mediated: posterior over prior density of the direct path at 0."""
    fit = rivals["full"]
    at = fit.spec.names.index("Y ~ X")
    draws = fit.draws["sampled_posterior"]["x"].to_numpy()[..., at].ravel()
    prior = norm(*fit.spec.parameters[at].prior.args).pdf(0)
    # density at 0 by a kernel on 4,000 draws: relative error about 5%
    ratio = np.log(gaussian_kde(draws)(0.0)[0] / prior)
    log_factor = table["log_evidence"]["mediated"] - table["log_evidence"]["full"]
    error = np.hypot(*table["evidence_mcse"][["mediated", "full"]])
    assert abs(log_factor - ratio) < 3 * np.hypot(error, 0.05)
    best = table["log_evidence"].idxmax()
    assert table["bayes_factor"][best] == 1
    assert table["bayes_factor_mcse"][best] == 0
    ratio = np.exp(table["log_evidence"] - table["log_evidence"][best])
    assert table["bayes_factor"].to_numpy() == pytest.approx(ratio.to_numpy())


def test_a_product_against_none():
    """A casewise likelihood beside one of moments: same constants, so the factors are comparable."""
    fit = kinds.fit_of("interaction")
    text = kinds.TEXTS["interaction"].replace(" + w*X:Z", "")
    options = {"draws": 500, "tune": 500, "seed": 3, "progress": False}
    without = sem.fit(text, kinds.data_of("interaction"), **options)
    found = compare({"product": fit, "none": without}, draws=400)
    assert found.index[0] == "product"
    assert found["elpd_diff"]["none"] < -4
    at = next(k for k, p in enumerate(fit.spec.parameters) if p.variable == "interaction")
    draws = fit.draws["sampled_posterior"]["x"].to_numpy()[..., at].ravel()
    # the posterior is far from 0: its normal approximation there, in the tail
    z = draws.mean() / draws.std()
    prior = norm(*fit.spec.parameters[at].prior.args).logpdf(0)
    expected = norm.logpdf(0, draws.mean(), draws.std()) - prior
    log_factor = found["log_evidence"]["none"] - found["log_evidence"]["product"]
    # 2,000 draws: mean and sd have relative errors of 1/sqrt(2000) sds, which z magnifies; skewness
    # of the posterior adds about a tenth of the distance
    assert (
        abs(log_factor - expected) < 4 * (z + z**2 / 2) / np.sqrt(2000) + 0.1 * abs(expected) + 0.2
    )


def test_the_reading(table):
    text = table.attrs["reading"]
    assert "cannot be told apart by what they predict: the difference of" in text
    gap, dse = -table["elpd_diff"]["direct"], table["dse"]["direct"]
    assert gap > 4  # here the standard error decides which sentence it is
    word = "predicts better than" if gap > 2 * dse else "and"
    assert f"`{table.index[0]}` {word} `direct`" in text
    assert "favours `mediated` over `direct`" in text or "favours `full` over `direct`" in text
    assert "Bayes factors depend on the priors" in text


@pytest.mark.slow
def test_wider_priors_move_the_bayes_factor_as_savage_and_dickey_say(rivals):
    two = {name: rivals[name] for name in ("full", "mediated")}
    found = compare(two, prior_scales=(0.5, 1, 2), workers=0)
    fit = rivals["full"]
    at = fit.spec.names.index("Y ~ X")
    from bayesem.prior_scaling import scaled

    for scale in (0.5, 2.0):
        again = sample(scaled(fit, scale), seed=9)
        draws = again.draws["sampled_posterior"]["x"].to_numpy()[..., at].ravel()
        expected = np.log(gaussian_kde(draws)(0.0)[0] / norm(0, 0.5 * scale).pdf(0))
        column = found[f"bayes_factor_{scale:g}"]
        assert np.log(column["mediated"] / column["full"]) == pytest.approx(expected, abs=0.25)
    assert (
        "With structural priors" in found.attrs["reading"]
        or "changes with" in found.attrs["reading"]
    )


def test_folds_in_the_place_of_loo(rivals):
    data = kinds.data_of("complete")
    options = {"draws": 300, "tune": 200, "seed": 1, "progress": False}
    fits = {"x": sem.fit("y1 ~ m1", data, **options), "none": sem.fit("y1 ~ 1", data, **options)}
    found = compare(fits, k=3, evidence=False, workers=0)
    assert found.index[0] == "x"
    assert found["elpd_diff"]["none"] < -4


# -- what a table withholds --------------------------------------------------------------------


def test_moments_by_evidence_only():
    moments = kinds.data_of("moments")
    options = {"draws": 500, "tune": 300, "seed": 4, "progress": False}
    fits = {
        "full": kinds.fit_of("moments"),
        "direct": sem.fit(
            kinds.LINEAR.replace("b*M", "0*M").replace("ab := a*b", ""), moments, **options
        ),
    }
    found = compare(fits)
    assert found["elpd"].isna().all()
    assert found.index[0] == "full"
    assert found["bayes_factor"]["direct"] < 0.01
    assert found.attrs["reading"].startswith("By evidence only: moments know no cases")


def test_blavaans_priors_carry_no_bayes_factor():
    data = kinds.data_of("complete")
    options = {"draws": 400, "tune": 200, "seed": 1, "progress": False, "priors": "blavaan"}
    fits = {"x": sem.fit("y1 ~ x1", data, **options), "none": sem.fit("y1 ~ 1", data, **options)}
    found = compare(fits)
    assert found["elpd"].notna().all()
    assert found[["log_evidence", "bayes_factor"]].isna().all(axis=None)
    assert found["note"].str.contains("no Bayes factor rests on them").all()


def test_flat_priors_carry_none_either():
    options = {"draws": 400, "tune": 200, "priors": "flat"}
    found = compare({"x": quick("y1 ~ x1", **options), "none": quick("y1 ~ 1", **options)})
    assert found["bayes_factor"].isna().all()
    assert found["note"].str.startswith("no evidence: ").all()


def test_chains_that_did_not_converge_are_not_ranked(rivals):
    bad = quick(kinds.LINEAR, draws=30, tune=60, seed=2)
    assert not bad.converged
    with pytest.warns(sem.ConvergenceWarning, match="`bad`: NOT CONVERGED"):
        found = compare({"bad": bad, "full": rivals["full"]}, evidence=False)
    assert list(found.index) == ["full", "bad"]
    assert found.loc["bad", COLUMNS].isna().all()
    assert found["note"]["bad"].startswith("withheld: NOT CONVERGED")
    assert "`bad` is not ranked: its chains did not converge." in found.attrs["reading"]
    assert found["weight"]["full"] == 1


def test_nothing_is_ranked_where_no_fit_converged():
    fits = {k: quick("y1 ~ x1", draws=20, tune=50, seed=k) for k in (1, 2)}
    assert not any(f.converged for f in fits.values())
    with pytest.warns(sem.ConvergenceWarning):
        found = compare({f"m{k}": f for k, f in fits.items()})
    assert found[COLUMNS].isna().all(axis=None)
    assert found.attrs["reading"].count("is not ranked: its chains did not converge.") == 2


def test_conditional_criteria_are_named_and_not_mixed(rivals):
    two = {name: rivals[name] for name in ("full", "mediated")}
    found = compare(two, conditional=True, evidence=False)
    assert found.attrs["reading"].startswith("CONDITIONAL on sampled factor scores: the same cases")
    mixed = {"full": loo(two["full"]), "mediated": loo(two["mediated"], conditional=True)}
    with pytest.raises(ModelError, match="the elpd of `mediated` is conditional on factor scores"):
        compare(two, elpds=mixed, evidence=False)
    grouped = {"full": loo(two["full"]), "mediated": loo(two["mediated"], by=np.arange(200) // 2)}
    with pytest.raises(ModelError, match="200 cases were left out of one, 100 groups of the other"):
        compare(two, elpds=grouped, evidence=False)


# -- what is refused -----------------------------------------------------------------------------


def changed(fit, **options):
    """The same fit with other data, which is all that the refusals look at."""
    ready = renew(fit, **options)
    return replace(fit, data=ready.data, spec=ready.spec, table=ready.table)


@pytest.fixture(scope="module")
def plain():
    return quick(kinds.LINEAR)


def test_different_cases(plain):
    with pytest.raises(
        DataError, match="`a` and `b` cannot be compared: they have 200 and 150 cases"
    ):
        check_comparable({"a": plain, "b": changed(plain, rows=np.arange(150))})


def test_different_answers(plain):
    data = kinds.data_of("complete").copy()
    data.loc[7, "m2"] += 1
    with pytest.raises(DataError, match=r"their answers differ in `m2`\."):
        check_comparable({"a": plain, "b": changed(plain, data=data)})
    data = kinds.data_of("complete").copy()
    data.loc[7, "m2"] = np.nan
    with pytest.raises(DataError, match=r"their answers differ in `m2`\."):
        check_comparable({"a": plain, "b": changed(plain, data=data)})


def test_another_order(plain):
    data = kinds.data_of("complete").iloc[::-1]
    with pytest.raises(DataError, match="if only in the order of the cases"):
        check_comparable({"a": plain, "b": changed(plain, data=data)})


def test_other_columns_and_their_order_do_not_matter(plain):
    data = kinds.data_of("complete")
    data = data[sorted(data.columns, reverse=True)]
    check_comparable({"a": plain, "b": changed(plain, data=data)})


def prepared_fit(text, data, plain, **options):
    """What the refusals read, without sampling."""
    ready = prepare(text, data, **options)
    return replace(plain, data=ready.data, spec=ready.spec, table=ready.table, model=ready.model)


def test_different_indicators(plain):
    text = kinds.LINEAR.replace("m1 + m2 + m3", "m1 + m2")
    other = prepared_fit(text, kinds.data_of("complete"), plain)
    with pytest.raises(DataError, match="`m3` is explained by `a` and not part of `b`"):
        check_comparable({"a": plain, "b": other})


def test_different_conditioning(plain):
    other = prepared_fit(kinds.LINEAR, kinds.data_of("complete"), plain, fixed_x=False)
    with pytest.raises(ModelError, match="`size` is conditioned on in `a` and modelled in `b`"):
        check_comparable({"a": plain, "b": other})


def test_a_predictor_that_only_one_conditions_on_is_no_obstacle(plain):
    other = prepared_fit(kinds.LINEAR.replace(" + size", ""), kinds.data_of("complete"), plain)
    check_comparable({"a": plain, "b": other})


def test_densities_beside_probabilities(plain):
    data = kinds.data_of("outcome")
    text = kinds.TEXTS["outcome"]
    probit = prepared_fit(text, data, plain, families={"bought": "bernoulli"})
    logit = prepared_fit(text, data, plain, families={"bought": "logit"})
    linear = prepared_fit(text, data, plain)
    check_comparable({"a": probit, "b": logit})
    with pytest.raises(ModelError, match="`bought` is 0/1 in `a` and continuous in `b`"):
        check_comparable({"a": probit, "b": linear})


def test_moments_beside_answers(plain):
    moments = prepared_fit(kinds.LINEAR, kinds.data_of("moments"), plain)
    with pytest.raises(DataError, match="`b` rests on moments and the other one on answers"):
        check_comparable({"a": plain, "b": moments})


def test_moments_with_means_beside_moments_without(plain):
    moments = kinds.data_of("moments")
    bare = sem.Moments(moments.cov, moments.n)
    fits = {"a": prepared_fit(kinds.LINEAR, moments, plain)}
    fits["b"] = prepared_fit(kinds.LINEAR, bare, plain)
    with pytest.raises((DataError, ModelError), match="cannot be compared"):
        check_comparable(fits)


def test_means_in_one_only(plain):
    other = prepared_fit(kinds.LINEAR, kinds.data_of("complete"), plain, means=False)
    with pytest.raises(ModelError, match="the means are modelled in `a` only"):
        check_comparable({"a": plain, "b": other})


@pytest.mark.parametrize("fits", [{}, {"a": 1}, [1, 2]])
def test_what_is_no_dictionary_of_fits(fits):
    with pytest.raises(DataError, match=r"compare takes a dictionary of fits|cannot be compared"):
        compare(fits)


# -- what no data can tell apart ---------------------------------------------------------------------


def test_reversed_arrows_are_equivalent(plain):
    measured = "X =~ x1 + x2 + x3\nM =~ m1 + m2 + m3\nY =~ y1 + y2 + y3\n"
    fits = {
        "forward": quick(measured + "M ~ X\nY ~ M"),
        "backward": quick(measured + "X ~ M\nM ~ Y"),
        "collider": quick(measured + "M ~ X + Y\nX ~~ 0*Y"),
        "whole": quick(measured + "M ~ X\nY ~ M + X"),
        "partial": quick(measured + "Y ~ M + X\nX ~~ M"),
    }
    assert equivalent_pairs(fits) == [("forward", "backward"), ("whole", "partial")]


# -- the plain reading, on tables made up ---------------------------------------------------------------


def made_up(**rows):
    columns = [*COLUMNS, "evidence_mcse", "note"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def test_reading_of_made_up_tables():
    clear = made_up(
        a=[-100.0, 0.0, 0.0, 0.9, 5.0, 0.0, -110.0, 1.0, 0.01, ""],
        b=[-120.0, -20.0, 5.0, 0.1, 4.0, 2.0, -113.0, 0.05, 0.01, ""],
        c=[-108.0, -8.0, 5.0, 0.0, 4.0, 0.0, -110.5, 0.6, 0.01, ""],
    )
    text = reading(clear)
    assert "`a` predicts better than `b`: elpd 20.0 higher (standard error 5.0)." in text
    assert "less than twice its standard error of 5.0" in text
    assert "2 parts of the elpd of `b` cannot be trusted" in text
    assert "The evidence favours `a` over `b`: Bayes factor 20.1." in text
    assert "The evidence decides little between `a` and `c`: Bayes factor 1.6." in text
    noisy = clear.assign(evidence_mcse=1.0)
    assert "Whether the data favour `a` over `b` is within Monte-Carlo error" in reading(noisy)
    turned = clear.assign(**{"bayes_factor_0.5": [0.5, 1.0, 0.2], "bayes_factor_2": [1, 0.01, 0.5]})
    assert "The favourite changes with the width" in reading(turned, scales=(0.5, 1, 2))
    kept = clear.assign(**{"bayes_factor_0.5": [1, 0.2, 0.5], "bayes_factor_2": [1, 0.01, 0.5]})
    assert "the Bayes factor against `b` goes from 5 to 100" in reading(kept, scales=(0.5, 1, 2))
    assert "no data can tell them apart" in reading(clear, equivalent=[("a", "c")])
