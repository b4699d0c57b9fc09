"""Verdicts on draws whose probabilities are known, and the rule in its corner cases."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_fits import MEDIATION, fake_fit, moments, normal_grid, shares
from scipy.stats import norm

from bayesem.claim_kinds import kind_of
from bayesem.claims_evaluation import evaluate, normal_form, scope
from bayesem.decision import Evidence, bayes_factor, frechet, judge, overridden, pool
from bayesem.errors import PropositionError
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.statements import expression_text
from bayesem.propositions import Rule, read_propositions
from bayesem.verdicts import Verdicts, assess

RULE = Rule()
PRIOR = {
    "a": normal_grid(0.0, 0.2, seed=11),
    "b": normal_grid(0.0, 0.2, seed=12),
    "c": normal_grid(0.0, 0.2, seed=13),
}
POSTERIOR = {
    "a": normal_grid(0.3, 0.08, seed=1),
    "b": normal_grid(0.3, 0.09, seed=2),
    "c": normal_grid(0.1, 0.085, seed=3),
}
API = ["name", "says", "claim", "probability", "prior_probability", "bayes_factor", "mcse"]
API += ["rope_mass", "attainable", "verdict", "estimate", "lower", "upper"]


def evidence(p, c=0.5, **more):
    return Evidence("comparison", np.array(p), np.array(c), **more)


def one(claim, fit, **rule):
    return assess({"P": claim}, fit, **rule).table.iloc[0]


def only(name, posterior, prior=None):
    """A fit in which one label has these draws and the others are 0."""
    prior = normal_grid(0, 0.3, seed=9) if prior is None else prior
    rest = {k: np.zeros_like(posterior) for k in "abc" if k != name}
    zeros = {k: np.zeros_like(prior) for k in "abc" if k != name}
    return fake_fit({name: posterior, **rest}, {name: prior, **zeros})


@pytest.fixture(scope="module")
def fit():
    return fake_fit(POSTERIOR, PRIOR)


# --- the rule -----------------------------------------------------------------------------------


def test_factor_is_the_ratio_of_odds():
    bf = bayes_factor(evidence(0.9, 0.25))
    assert bf.value == pytest.approx((0.9 / 0.1) / (0.25 / 0.75))
    assert bf.side == 0


@pytest.mark.parametrize(
    ("p", "c", "value", "side"),
    [
        (1.0, 0.5, 3999.0, 1),
        (0.0, 0.5, 1 / 3999, -1),
        (0.8, 0.0, 4 * 999, 1),
        (0.8, 1.0, 4 / 999, -1),
        (1.0, 0.0, 3999 * 999, 1),
        (0.0, 1.0, 1 / 3999 / 999, -1),
    ],
)
def test_factor_is_a_bound_where_draws_agree(p, c, value, side):
    bf = bayes_factor(evidence(p, c, draws=4000, prior_draws=1000))
    assert bf.value == pytest.approx(value)
    assert bf.side == side
    assert np.isnan(bf.mcse)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_factor_is_unknown_where_posterior_and_prior_agree_alike(share):
    certain = evidence(share, share, draws=4000, prior_draws=4000)
    assert np.isnan(bayes_factor(certain).value)
    assert judge(certain, RULE) == "undecided"


def test_error_of_the_factor_by_repetition():
    rng = np.random.default_rng(5)
    p, c, draws = 0.9, 0.4, 2000
    top, base = rng.binomial(draws, p, 40_000) / draws, rng.binomial(draws, c, 40_000) / draws
    simulated = (top / (1 - top) / (base / (1 - base))).std()
    errors = {"mcse": np.sqrt(p * (1 - p) / draws), "prior_mcse": np.sqrt(c * (1 - c) / draws)}
    found = bayes_factor(evidence(p, c, **{k: np.array(v) for k, v in errors.items()})).mcse
    assert found == pytest.approx(simulated, rel=0.03)


@pytest.mark.parametrize(
    ("p", "c", "mass", "verdict"),
    [
        (0.96, 0.5, 0.1, "supported"),
        (0.96, 0.5, 0.96, "practically null"),  # precedes support
        (0.03, 0.5, 0.96, "practically null"),  # and refutation
        (0.96, 0.93, 0.1, "undecided"),  # nearly certain before
        (0.04, 0.5, 0.1, "refuted"),
        (0.04, 0.06, 0.1, "undecided"),  # nearly impossible before
        (0.5, 0.5, np.nan, "undecided"),
        (0.95, 0.5, np.nan, "supported"),
    ],
)
def test_one_comparison(p, c, mass, verdict):
    assert judge(evidence(p, c, rope_mass=np.array(mass)), RULE) == verdict


def conjunction(joint, prior, *parts, kind="all"):
    return Evidence(kind, np.array(joint), np.array(prior), parts=parts)


SURE, OPEN, FALLEN = evidence(0.99), evidence(0.6), evidence(0.01)
NULL = evidence(0.7, rope_mass=np.array(0.97))


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (conjunction(0.98, 0.25, SURE, SURE), "supported"),
        (conjunction(0.94, 0.25, SURE, SURE), "undecided"),
        (conjunction(0.01, 0.25, SURE, FALLEN), "refuted"),
        (conjunction(0.03, 0.25, OPEN, OPEN), "undecided"),
        (conjunction(0.6, 0.25, SURE, NULL), "practically null"),
        (conjunction(0.01, 0.25, FALLEN, NULL), "refuted"),
        (conjunction(0.5, 0.75, FALLEN, OPEN, kind="any"), "undecided"),
        (conjunction(0.02, 0.75, FALLEN, FALLEN, kind="any"), "refuted"),
        (conjunction(0.99, 0.75, FALLEN, SURE, kind="any"), "supported"),
        (conjunction(0.8, 0.75, NULL, OPEN, kind="any"), "undecided"),
        (conjunction(0.8, 0.75, NULL, NULL, kind="any"), "practically null"),
    ],
)
def test_conjunctions_and_disjunctions(claim, verdict):
    assert judge(claim, RULE) == verdict


def near(p, mcse=0.004):
    return evidence(p, mcse=np.array(mcse))


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (near(0.957), "withheld"),
        (near(0.943), "withheld"),
        (near(0.959), "supported"),
        (near(0.941), "undecided"),
        (near(0.055), "withheld"),
        (near(0.041), "refuted"),
        (replace(near(0.7), rope_mass=np.array(0.953), rope_mcse=np.array(0.003)), "withheld"),
        # a threshold that does not matter withholds nothing: the factor rules support out
        (replace(near(0.957), prior=np.array(0.97)), "undecided"),
        # the open part cannot bring back what another part has lost
        (conjunction(0.01, 0.25, near(0.01), near(0.048)), "refuted"),
    ],
)
def test_thresholds_within_two_errors_are_withheld(claim, verdict):
    assert judge(claim, RULE) == verdict


def test_bound_below_the_threshold_withholds():
    """All of 50 draws agree, but before the data 98% did: more draws could settle it."""
    few = evidence(1.0, 0.98, draws=50, mcse=np.array(0.02))
    assert bayes_factor(few).value == pytest.approx(1.0)
    assert judge(few, RULE) == "withheld"


@pytest.mark.parametrize(("error", "verdict"), [(0.001, "undecided"), (0.01, "withheld")])
def test_factor_within_two_errors_of_its_threshold_withholds(error, verdict):
    claim = evidence(0.96, 0.9, prior_mcse=np.array(error))
    bf = bayes_factor(claim)
    wide = np.exp(2 * error / 0.09)
    assert bf.value == pytest.approx(24 / 9)
    assert (bf.lower, bf.upper) == pytest.approx((24 / 9 / wide, 24 / 9 * wide))
    assert judge(claim, RULE) == verdict


@pytest.mark.parametrize(("op", "opposite"), [(">", "<="), ("<", ">="), (">=", "<"), ("<=", ">")])
def test_opposites(op, opposite):
    form = normal_form(parse_claim(f"not a {op} b"), {})
    assert expression_text(form) == f"a {opposite} b"


def test_overridden_rule():
    rule = overridden(RULE, prob=0.9, rope={"path": 0.2}, min_bayes_factor=10)
    assert (rule.prob, rule.rope["path"], rule.rope["indirect"]) == (0.9, 0.2, 0.01)
    assert set(overridden(RULE, rope=0.3).rope.values()) == {0.3}
    with pytest.raises(PropositionError, match="no ROPE for `pth`"):
        overridden(RULE, rope={"pth": 0.1})


def test_mixture_keeps_certainty_exact():
    sure = evidence(1.0, draws=100)
    mixed = pool([sure] * 3, [0.1, 0.2, 0.7])
    assert mixed.probability == 1.0
    # the complement may hide in the part that was looked at least for its weight: 100 / 0.7 draws
    assert bayes_factor(mixed).value == pytest.approx(100 / 0.7 - 1)
    assert frechet([0.9, 0.8, 0.95]) == (pytest.approx(0.65), 0.8)


# --- numbers ------------------------------------------------------------------------------------


def test_columns_and_normal_probabilities(fit):
    verdicts = assess({"P": "a > 0", "Q": "c > 0"}, fit)
    assert list(verdicts.table.columns[:13]) == API
    row = verdicts.table.iloc[1]
    assert row["probability"] == pytest.approx(norm.cdf(0.1 / 0.085), abs=1 / 4000)
    assert row["prior_probability"] == 0.5
    p = row["probability"]
    assert row["bayes_factor"] == pytest.approx(p / (1 - p))
    assert row["bayes_factor_unconstrained"] == pytest.approx(p / 0.5)
    inside = norm.cdf(0.1, 0.1, 0.085) - norm.cdf(-0.1, 0.1, 0.085)
    assert row["rope_mass"] == pytest.approx(inside, abs=1 / 4000)
    assert row["estimate"] == pytest.approx(0.1, abs=1e-6)
    assert row["lower"] == pytest.approx(0.1 - 1.96 * 0.085, abs=2e-3)
    assert row["upper"] == pytest.approx(0.1 + 1.96 * 0.085, abs=2e-3)
    assert row["verdict"] == "undecided"
    assert verdicts.table["verdict"][0] == "supported"


def test_exact_shares(fit):
    made = only("a", shares(0.97) * 0.5)
    row = one("a > 0", made)
    assert row["probability"] == 0.97
    assert row["verdict"] == "supported"
    assert one("a < 0", made)["verdict"] == "refuted"
    assert one("not a > 0", made)["verdict"] == "refuted"


def test_error_counts_effective_draws():
    """Each value repeated ten times in a row: a tenth of the draws count."""
    sticky = np.repeat(normal_grid(0.1, 0.1, draws=400), 10, axis=1)
    p = float((sticky > 0).mean())
    independent = np.sqrt(p * (1 - p) / 16_000)
    found = one("a > 0", only("a", sticky))["mcse"]
    assert found == pytest.approx(independent * np.sqrt(10), rel=0.15)
    loose = normal_grid(0.1, 0.1, draws=4000)
    assert one("a > 0", only("a", loose))["mcse"] == pytest.approx(independent, rel=0.1)


def test_constant_indicator_has_an_error_of_one_draw_and_a_bounded_factor():
    verdicts = assess({"P": "a > 0"}, only("a", normal_grid(0.5, 0.05)))
    row = verdicts.table.iloc[0]
    assert row["mcse"] == 1 / 4000
    assert (row["bayes_factor"], row["bayes_factor_bound"]) == (3999, ">")
    assert "BF > 1,000" in str(verdicts)


@pytest.mark.parametrize(
    ("claim", "size"),
    [
        ("a > b", lambda a, b, c: a - b),
        ("a < b", lambda a, b, c: a - b),
        ("2*a - b^2/4 > -c", lambda a, b, c: 2 * a - b**2 / 4 + c),
        ("ab > c", lambda a, b, c: a * b - c),
        ("whole > 0", lambda a, b, c: a * b + c),
        ("a > b > c", lambda a, b, c: np.minimum(a - b, b - c)),
        ("c < b < a", lambda a, b, c: np.minimum(b - c, a - b)),
        ("max(a, b) > min(c, 0)", lambda a, b, c: np.maximum(a, b) - np.minimum(c, 0)),
        ("abs(c) < a", lambda a, b, c: np.abs(c) - a),
        ("indirect(X -> M -> Y) > 0", lambda a, b, c: a * b),
        ("indirect(X -> Y) > 0", lambda a, b, c: a * b),
        ("total(X -> Y) > 0", lambda a, b, c: a * b + c),
        ("std(a) > 0", lambda a, b, c: a),  # unit variances: standardised is raw
        ("std(total(X -> Y)) > std(ab)", lambda a, b, c: c),
        ("slope(Y ~ X) > 0", lambda a, b, c: c),
        ("slope(Y ~ X | M = 1) > 0", lambda a, b, c: c),
        ("null(std(c))", lambda a, b, c: c),
    ],
)  # fmt: skip
def test_values_of_claims(fit, claim, size):
    draws = size(*(POSTERIOR[k] for k in "abc"))
    row = one(claim, fit)
    assert row["estimate"] == pytest.approx(draws.mean(), abs=1e-12)
    np.testing.assert_allclose(
        row[["lower", "upper"]].astype(float), np.quantile(draws, [0.025, 0.975]), atol=1e-12
    )


@pytest.mark.parametrize(
    ("claim", "truth"),
    [
        ("a > 0 and c > 0", lambda a, b, c: (a > 0) & (c > 0)),
        ("a > 0.3 or c > 0.1", lambda a, b, c: (a > 0.3) | (c > 0.1)),
        ("not (a > 0.3 or c > 0.1)", lambda a, b, c: (a <= 0.3) & (c <= 0.1)),
        ("not (a > b > c)", lambda a, b, c: ~((a > b) & (b > c))),
        ("null(std(c)) and not null(std(a))", lambda a, b, c: (abs(c) < 0.1) & (abs(a) >= 0.1)),
        ("null(indirect(X -> M -> Y) - indirect(X -> Y)) or a > .3", None),
    ],
)
def test_boolean_claims(fit, claim, truth):
    if truth is None:
        with pytest.raises(PropositionError, match="is not standardised"):
            one(claim, fit)
        return
    row = one(claim, fit)
    assert row["probability"] == truth(*(POSTERIOR[k] for k in "abc")).mean()
    assert row["prior_probability"] == truth(*(PRIOR[k] for k in "abc")).mean()
    assert np.isnan(row[["estimate", "lower", "upper"]].astype(float)).all()


def test_earlier_propositions_stand_in_claims(fit):
    claims = {"P1": "a > 0.25", "P2": "b > 0.25", "P3": "P1 and not P2", "P4": "P3"}
    table = assess(claims, fit).table.set_index("name")
    a, b = POSTERIOR["a"], POSTERIOR["b"]
    expected = ((a > 0.25) & (b <= 0.25)).mean()
    assert table.loc["P3", "probability"] == expected
    assert table.loc["P4", "probability"] == expected
    form = normal_form(parse_claim("not P"), {"P": parse_claim("a > 0 and null(std(c))")})
    assert expression_text(form) == "a <= 0 or not null(std(c))"


def test_standardised_scale_of_the_rope():
    """Raw draws ten times the standardised ones: the rope looks at the latter."""
    text = MEDIATION.replace("ab := a*b", "Y ~~ 99*Y").replace("whole := ab + c", "")
    labels = {
        "a": np.zeros((4, 1000)),
        "b": np.zeros((4, 1000)),
        "c": normal_grid(0.5, 0.1, seed=4),
    }
    made = fake_fit(labels, labels, text=text, unit=False)
    row = one("c > 0", made)
    std = labels["c"] / np.sqrt(labels["c"] ** 2 + 99)
    assert row["rope_mass"] == (np.abs(std) < 0.1).mean() == 1.0
    assert row["verdict"] == "practically null"
    assert row["estimate"] == pytest.approx(0.5)
    assert one("std(c) > 0", made)["estimate"] == pytest.approx(std.mean())


@pytest.mark.parametrize(
    ("claim", "width"),
    [
        ("c > 0", 0.1),
        ("c > a", 0.1),
        ("a*b > 0", 0.01),
        ("ab > 0", 0.01),
        ("a*b > c", 0.1),
        ("whole > 0", 0.1),
        ("a*b/2 > 0", 0.01),
        ("a^2 > 0", 0.01),
        ("2*c > 0", 0.1),
        ("indirect(X -> Y) > 0", 0.01),
        ("total(X -> Y) > 0", 0.1),
        ("std(c) > 0.2", 0.1),
        ("slope(Y ~ X) > -0.1", 0.1),
        ("c > 0.2", None),  # a raw parameter against a number: no common scale
        ("a*b/c > 0", None),  # a ratio has no rope
        ("c + 0.1 > a", None),
    ],
)
def test_width_of_the_rope_by_kind(fit, claim, width):
    row = one(claim, fit)
    if width is None:
        assert np.isnan(row["rope_mass"])
        return
    tree = parse_claim(claim)
    at = scope(fit)
    gap = evaluate(tree.left, at) - evaluate(tree.right, at)
    assert row["rope_mass"] == pytest.approx((np.abs(gap) < width).mean(), abs=1e-12)


def test_kinds_of_rows():
    text = "X =~ x1 + l*x2 + x3\nY =~ y1 + y2\nX ~~ r*Y\nX ~~ v*X"
    labels = {k: np.full((2, 50), 0.3) for k in "lrv"}
    table = fake_fit(labels, labels, text=text, unit=False).table
    assert kind_of(parse_claim("l > 0").left, table) == "path"
    assert kind_of(parse_claim("r > 0").left, table) == "correlation"
    assert kind_of(parse_claim("v > 0").left, table) == "no scale"


def test_null_of_a_correlation_uses_its_rope():
    text = "X =~ x1 + x2 + x3\nY =~ y1 + y2\nX ~~ r*Y"
    labels = {"r": normal_grid(0.05, 0.05)}
    made = fake_fit(labels, labels, text=text, unit=False)
    for width in (0.05, 0.2):
        row = one("null(std(r))", made, rope={"correlation": width})
        assert row["probability"] == (np.abs(labels["r"]) < width).mean()


def test_attainable_maximum(fit):
    claims = {"N": "null(std(c))", "B": "a > 0 and N", "C": "a > 0", "O": "a > 0 or N"}
    table = assess(claims, fit).table.set_index("name")
    limit = 2 * norm.cdf(0.1 / 0.085) - 1
    assert table.loc["N", "attainable"] == pytest.approx(limit, abs=1e-3)
    assert table.loc["B", "attainable"] == table.loc["N", "attainable"]
    assert np.isnan(table.loc[["C", "O"], "attainable"]).all()
    assert "cannot pass 0.76 at n = 190" in table.loc["B", "reason"]
    assert "open: `null(std(c))`" in table.loc["B", "reason"]


def test_what_the_model_fixes_gets_no_verdict():
    text = MEDIATION.replace("b*M + c*X", "b*M + c*X + 0*X")  # `c` is kept as the label of a zero
    labels = {"a": POSTERIOR["a"], "b": POSTERIOR["b"], "c": np.zeros((4, 1000))}
    made = fake_fit(labels, {**PRIOR, "c": np.zeros((4, 1000))}, text=text)
    for claim in ("c > 0", "c <= 0", "null(std(c))"):
        row = one(claim, made)
        assert row["verdict"] == "undecided"
        assert row["reason"] == "decided by the model, not by data"


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("null(c)", r"`c` in `null\(c\)` is not standardised"),
        ("null(std(a) - c)", "is not standardised"),
        ("null(total(X -> Y))", "is not standardised"),
        ("null(2)", "names no parameter"),
        ("null(std(a)/std(b))", "has no standardised scale"),
        ("aa > 0", "`aa` is not a label or a defined parameter"),
        ("std(whol) > 0", "Did you mean `whole`"),
        ("total(X -> Z) > 0", "`Z` is not a factor"),
        ("indirect(Y -> M -> X) > 0", "no path Y -> M"),
        ("slope(X ~ Y) > 0", "no path Y -> X"),
        ("(0 - abs(c))^0.5 > 0", r"has no value in 4000 of 4000 draws"),
    ],
)
def test_claims_without_meaning(fit, claim, message):
    with pytest.raises(PropositionError, match=message):
        one(claim, fit)


def test_shares_are_not_of_a_survey(fit):
    with pytest.raises(PropositionError, match="a share of references, and this fit is of a"):
        one("share(trust) > 0.1", fit)


@pytest.mark.parametrize(
    ("claim", "size"),
    [
        ("mean(Y | X = 1) > 0", lambda a, b, c: a * b + c),  # unit variances, means of 0
        ("do(Y | X = 1) > 0", lambda a, b, c: a * b + c),
        ("mean(X | Y = 1) > 0", lambda a, b, c: a * b + c),
        ("do(Y | X = 1, M = 0) > 0", lambda a, b, c: c),
        ("mean(Y) > -1", lambda a, b, c: np.ones_like(a)),
    ],
)
def test_expectations_of_a_linear_model(fit, claim, size):
    draws = size(*(POSTERIOR[k] for k in "abc"))
    assert one(claim, fit)["estimate"] == pytest.approx(draws.mean(), abs=1e-12)


def test_label_of_rows_that_differ_standardised():
    text = MEDIATION.replace("b*M + c*X", "a*M + c*X").replace("ab := a*b", "ab := a*a")
    labels = {"a": POSTERIOR["a"], "c": POSTERIOR["c"]}
    made = fake_fit(labels, labels, text=text, unit=False)
    assert one("a > 0", replace(made, both=fake_fit(labels, labels, text=text).both))["verdict"]
    with pytest.raises(PropositionError, match="stands at `M ~ X`, `Y ~ M`"):
        one("std(a) > 0", made)


# --- several fits -------------------------------------------------------------------------------


def reading(name, weight, mean):
    posterior = {**POSTERIOR, "c": normal_grid(mean, 0.08, seed=7)}
    return fake_fit(posterior, PRIOR, data=moments(reading=name, weight=weight))


def test_readings_are_pooled_by_weight():
    fits = {"T": reading("T", 3.0, 0.25), "B": reading("B", 1.0, 0.0)}
    verdicts = assess({"P": "c > 0", "Q": "a > 0"}, fits)
    table = verdicts.table[verdicts.table["name"] == "P"].set_index("reading")
    assert table["weight"].tolist() == [0.75, 0.25, 1.0]
    one_, two = table.loc["T", "probability"], table.loc["B", "probability"]
    p = 0.75 * one_ + 0.25 * two
    assert table.loc["pooled", "probability"] == pytest.approx(p)
    assert table.loc["pooled", "bayes_factor"] == pytest.approx(p / (1 - p))
    assert table.loc["pooled", "estimate"] == pytest.approx(0.75 * 0.25, abs=1e-6)
    lower = table.loc["pooled", "lower"]
    mixture = 0.75 * norm.cdf(lower, 0.25, 0.08) + 0.25 * norm.cdf(lower, 0, 0.08)
    assert mixture == pytest.approx(0.025, abs=5e-4)
    expected = np.hypot(0.75 * table.loc["T", "mcse"], 0.25 * table.loc["B", "mcse"])
    assert table.loc["pooled", "mcse"] == pytest.approx(expected)
    assert "(pooled)" in str(verdicts)


def test_fits_without_weights_are_not_pooled():
    fits = {"one": fake_fit(POSTERIOR, PRIOR), "two": fake_fit(POSTERIOR, PRIOR)}
    verdicts = assess({"P": "c > 0"}, fits)
    assert verdicts.table["reading"].tolist() == ["one", "two"]
    assert any("no pooled row" in note for note in verdicts.notes)


def test_rebuilt_matrices_of_one_reading_count_together():
    fits = [reading("T", 0.6, mean) for mean in (0.1, 0.2, 0.3)]
    alone = [one("c > 0", fit)["probability"] for fit in fits]
    row = assess({"P": "c > 0"}, {"T": fits}).table.squeeze()
    assert row["probability"] == pytest.approx(np.mean(alone))
    assert row["mcse"] == pytest.approx(np.std(alone, ddof=1) / np.sqrt(3))
    assert row["estimate"] == pytest.approx(0.2, abs=1e-6)
    fits[1] = replace(fits[1], converged=False)
    fits[1] = replace(fits[1], convergence=SimpleNamespace(reasons=("R-hat 1.3 of `c`",)))
    row = assess({"P": "c > 0"}, {"T": fits}).table.squeeze()
    assert row["verdict"] == "withheld"
    assert "R-hat 1.3" in row["reason"]


def test_propositions_on_another_model_are_left_out_by_name(fit, tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(
        'model = "here"\n[P]\nsays = "it works"\nclaim = "a > 0"\n'
        '[Q]\nsays = "so does this"\nclaim = "zz > 0"\nmodel = "there"\n'
    )
    verdicts = assess(read_propositions(path), fit)
    assert verdicts.table["name"].tolist() == ["P"]
    assert any("(there): Q" in note for note in verdicts.notes)


# --- verdicts withheld, and the page ------------------------------------------------------------


def test_nothing_rests_on_chains_that_did_not_converge(fit):
    bad = replace(fit, converged=False, convergence=SimpleNamespace(reasons=("R-hat 1.4",)))
    verdicts = assess({"P": "a > 0", "Q": "a > 0 and b > 0"}, bad)
    assert set(verdicts.table["verdict"]) == {"withheld"}
    assert set(verdicts.parts["verdict"]) == {"withheld"}
    assert verdicts.table["reason"][0] == "not converged: R-hat 1.4"


def test_of_failed_chains_the_page_shows_the_reason_once_and_no_number(fit):
    why = ("R-hat above 1.01 for 2 of 9 quantities (worst `a`: 1.2)",)
    bad = replace(fit, converged=False, convergence=SimpleNamespace(ok=False, reasons=why))
    page = str(assess({"P": "a > 0", "Q": "a > 0 and b > 0"}, bad))
    assert page.count("worst `a`") == 1
    assert page.count("not converged, as above") == 1
    for number in ("Pr ", "BF ", "difference", "Monte-Carlo"):
        assert number not in page


def test_threshold_near_by_asks_for_more_draws():
    row = one("a > 0", only("a", shares(0.952) * 0.5))
    assert row["verdict"] == "withheld"
    assert row["reason"].startswith("more draws needed: probability of `a > 0` 0.952")


def test_preset_for_reproduction_shows_no_factor(fit):
    preset = replace(fit, settings=SimpleNamespace(priors="blavaan"))
    verdicts = assess({"P": "a > 0", "Q": "a < 0", "R": "a > 0 and b > 0"}, preset)
    assert verdicts.table["verdict"].tolist() == ["supported", "refuted", "supported"]
    assert verdicts.table["bayes_factor"].isna().all()
    assert "BF" not in str(verdicts)
    assert any("blavaan" in note for note in verdicts.notes)


def test_improper_prior_leaves_the_probability_alone(fit):
    tree = fit.draws.copy()
    del tree["prior"]
    verdicts = assess({"P": "a > 0", "Q": "null(std(c))"}, replace(fit, draws=tree))
    assert verdicts.table["verdict"].tolist() == ["supported", "undecided"]
    assert verdicts.table["prior_probability"].isna().all()
    assert any("improper" in note for note in verdicts.notes)


def test_multiplicity_is_printed(fit):
    claims = {"P": "a > 0.1", "Q": "b > 0.1", "R": "c > 0"}
    verdicts = assess(claims, fit)
    a, b = POSTERIOR["a"] > 0.1, POSTERIOR["b"] > 0.1
    note = verdicts.notes[-1]
    assert "2 of 3" in note
    assert f"{(1 - a.mean()) + (1 - b.mean()):.2g}" in note
    assert f"hold: {(a & b).mean():.3f}" in note


def test_parts_and_frechet_bounds(fit):
    verdicts = assess({"P": "a > 0.2 and b > 0.2"}, fit)
    parts = verdicts.parts
    assert parts["part"].tolist() == ["a > 0.2", "b > 0.2"]
    p = [(POSTERIOR[k] > 0.2).mean() for k in "ab"]
    assert parts["probability"].tolist() == p
    assert f"{p[0] + p[1] - 1:.3f} to {min(p):.3f}" in " ".join(str(verdicts).split())


def test_synthetic_data_are_named_first():
    made = fake_fit(POSTERIOR, PRIOR, data=moments(synthetic=True))
    verdicts = assess({"P": "a > 0"}, made)
    assert str(verdicts).startswith("SYNTHETIC DATA")
    assert "SYNTHETIC DATA" in verdicts._repr_html_()


def test_page_fits_80_columns_and_escapes(fit, tmp_path):
    path = tmp_path / "p.toml"
    says = "a <b>very</b> long sentence that a paper might well have printed " * 4
    path.write_text(
        f'[a_proposition_with_a_long_name]\nsays = "{says}"\nclaim = "a > 0 and b > 0 and '
        'null(std(c)) and (c > 0 or not c > 0.1) and total(X -> Y) > 0.05"\n'
    )
    fits = {"T": reading("T", 3.0, 0.25), "B": reading("B", 1.0, 0.0)}
    for given in (fit, fits):
        verdicts = assess(read_propositions(path), given)
        assert isinstance(verdicts, Verdicts)
        assert max(len(line) for line in str(verdicts).splitlines()) <= 80
        assert "<b>" not in verdicts._repr_html_()
        assert "null(std(c))" in str(verdicts)


def test_order_of_propositions_and_of_draws_changes_nothing(fit):
    claims = {"P": "a > 0.2", "Q": "a*b > c", "R": "null(std(c))"}
    one_ = assess(claims, fit).table.set_index("name")
    two = assess(dict(reversed(claims.items())), fit).table.set_index("name")
    pd.testing.assert_frame_equal(one_, two.loc[one_.index])


def test_study_without_fits_is_refused():
    with pytest.raises(PropositionError, match="no fits"):
        assess({"P": "a > 0"}, {})
    with pytest.raises(PropositionError, match="cannot be called `pooled`"):
        assess({"P": "a > 0"}, {"pooled": fake_fit(POSTERIOR, PRIOR)})
