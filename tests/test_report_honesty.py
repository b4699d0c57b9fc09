"""What a report says of its data, of deciding parts, sizes, sources and doubts, word for word."""

import ast
from dataclasses import replace
from html import escape

import kinds
import numpy as np
import pandas as pd
import pytest

import bayesem as sem
from bayesem.claim_kinds import kind_of
from bayesem.claims_evaluation import scope
from bayesem.data import Moments
from bayesem.figures.assessed import claim_of
from bayesem.figures.panels import leaves, panel_of
from bayesem.grammar.claims import parse_claim
from bayesem.propositions import Rule, read_propositions
from bayesem.publications import publication
from bayesem.reporting import believed, describing, evidence, methods, origin, results, summarising
from bayesem.reporting.blocks import Links, Table, Verbatim
from bayesem.reporting.deciding import deciding_parts, part_text, wording_of_rule
from bayesem.reporting.markup import markup
from bayesem.reporting.reproducing import reproduce
from bayesem.reporting.sizes import size_of
from bayesem.reporting.sources import said_by_source
from bayesem.reporting.weaknesses import weakness
from bayesem.robustness.priors import Leaning
from bayesem.rounding import factor_text

CLAIMS = {
    "P1": "a > 0",
    "P2": "a > 0 and b < 0",
    "P3": "a > 0 and null(std(c))",
    "P4": "std(a)*std(b) > abs(std(c))",
    "P5": "a < 0 or b > 0",
}


@pytest.fixture(scope="module")
def fit():
    return kinds.fit_of("moments")


@pytest.fixture(scope="module")
def verdicts(fit):
    return sem.assess(read_propositions(CLAIMS), fit)


def row_of(verdicts, name):
    return verdicts.table[verdicts.table["name"] == name].iloc[0]


def words(blocks):
    return "\n".join(markup(block) for block in blocks.items)


# --- data -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rebuilt(fit):
    """A fit that says it is of the study's matrix; only what it says of itself is read."""
    cov = pd.DataFrame(np.eye(3), list("abc"), list("abc"))
    made = Moments(cov, 190, reading="T", weight=0.63, standardized=True)
    return replace(fit, data=made, model=sem.read_model("alliance_mediation"))


def test_rebuilt_data_are_said_to_be_so_first(rebuilt, fit):
    said = words(summarising.banners(rebuilt))
    assert said.startswith('<div class="banner rebuilt"')
    known = publication("alliance_mediation").readings
    assert escape(next(r.assumes for r in known if r.name == "T")) in said
    assert f"one of {len(known)} readings" in said
    assert "Indriastuti" in said
    assert origin.kind_of_data([rebuilt]).startswith("a correlation matrix rebuilt from printed")
    assert not summarising.banners(fit).items
    assert origin.kind_of_data([fit]) == "the covariance matrix of 200 cases"


def test_rebuilt_data_are_said_to_be_so_in_every_section(rebuilt, verdicts):
    for blocks in (describing.data(rebuilt), methods.methods(rebuilt, verdicts.propositions)):
        text = words(blocks)
        assert "rebuilt" in text
        assert escape(origin.assumed(rebuilt)[:40]) in text
        assert "sample's moments" not in text
    nothing = pd.DataFrame()
    measured = results.measured(sem.reliability(kinds.fit_of("moments")), nothing, rebuilt)
    assert "no answers were seen" in words(measured)


def test_readings_that_count_for_nothing_stand_behind_the_others(fit):
    """In the banner those with weight, the heaviest first; in the section on data all of them."""
    study, cov = sem.read_model("alliance_mediation"), fit.data.cov
    weights = {"T-p": 0.002, "B": 0.1, "T": 0.898}
    fits = {
        name: replace(fit, data=Moments(cov, 190, reading=name, weight=w), model=study)
        for name, w in weights.items()
    }
    said = words(summarising.banners(fits))
    assert said.index("Reading T (weight 0.90)") < said.index("Reading B (weight 0.10)")
    assert "Reading T-p" not in said
    assert "each with a weight below .005: T-p." in said
    assert origin.WEIGHTS in said.replace("&#x27;", "'")
    made = describing.readings(fits).items[0]
    assert [row[:3] for row in made.rows] == [
        ("T", "0.90", "1"), ("B", "0.10", "1"), ("T-p", "<.005", "1")
    ]  # fmt: skip
    text = words(methods.methods(fits["T"], read_propositions(CLAIMS), fits))
    assert "T 0.90, B 0.10, and 1 more below .005 each" in text
    assert not describing.readings({"T": fits["T"]}).items


def test_fits_of_one_reading_share_its_weight_in_the_error_of_the_prior(fit):
    """Shares of N draws each: .4, .4 and .2 of the mixture."""
    T, B = (
        replace(fit, data=replace(fit.data, reading=k, weight=w))
        for k, w in (("T", 0.8), ("B", 0.2))
    )
    size = fit.draws["prior"].sizes["draw"]
    error = 0.5 * np.sqrt((0.4**2 + 0.4**2 + 0.2**2) / size)
    said = summarising.glance(sem.assess({"P": "a > 0"}, {"T": [T, T], "B": B}), None)
    assert f"Monte-Carlo error is at most {float(f'{error:.1g}'):g}." in words(said)


def test_what_leans_under_one_reading_is_no_weakness_of_the_mixture(fit):
    """Pr(a > x) is high in the mixture; under the light reading the prior of sd .1 turns it."""
    heavy, light = (
        replace(fit, data=replace(fit.data, reading=name, weight=w))
        for name, w in (("T", 0.998), ("B", 0.002))
    )
    verdicts = sem.assess({"P": "a > 0"}, {"T": heavy, "B": light})
    found = sem.sensitivity(verdicts, prior=(), rope=())
    said = Leaning("P", "B", "P (B, weight <.005) is undecided when the ropes are twice as wide.")
    pooled = Leaning("P", "pooled", "P (pooled) is undecided when the ropes are twice as wide.")
    row = verdicts.table[verdicts.table["reading"] == "pooled"].iloc[0]
    assert "leans" not in weakness(row, verdicts, replace(found, leanings=(said,)))
    assert pooled.text in weakness(row, verdicts, replace(found, leanings=(said, pooled)))
    shown = evidence.leaning(replace(found, leanings=(said,)), verdicts).items[0].items
    assert shown == ("No pooled verdict changes under the settings tried.",)
    shown = evidence.leaning(replace(found, leanings=(said, pooled)), verdicts).items[0].items
    assert shown == (pooled.text,)


# --- verdicts -------------------------------------------------------------------------------------


def test_the_deciding_part_has_its_own_numbers(verdicts, fit):
    alone = sem.assess({"x": "b < 0", "y": "null(std(c))"}, fit).table
    fallen = deciding_parts(row_of(verdicts, "P2"), verdicts)
    assert row_of(verdicts, "P2")["verdict"] == "refuted"
    assert [p["part"] for p in fallen] == ["b < 0"]
    assert fallen[0]["prior_probability"] == alone.iloc[0]["prior_probability"]
    text = part_text(fallen[0])
    assert text.startswith("b < 0: Pr 0.5")
    assert text.endswith("refuted")
    waiting = deciding_parts(row_of(verdicts, "P3"), verdicts)
    assert [p["part"] for p in waiting] == ["null(std(c))"]
    assert waiting[0]["probability"] == alone.iloc[1]["probability"]
    assert [p["part"] for p in deciding_parts(row_of(verdicts, "P5"), verdicts)] == ["b > 0"]
    assert deciding_parts(row_of(verdicts, "P1"), verdicts) == []
    assert "b &lt; 0: Pr 0.5" in words(summarising.cards(verdicts, None))


def test_the_rope_of_figure_table_and_verdict_is_one(verdicts, fit):
    """A difference of an indirect effect and a path is judged as the path."""
    row = row_of(verdicts, "P4")
    form, rule = claim_of(verdicts, "P4")
    panel = panel_of(next(leaves(form)), rule, [(None, None, (scope(fit),))], None)
    size = size_of(row, verdicts)
    claim = parse_claim("std(a)*std(b) - abs(std(c)) > 0")
    assert kind_of(claim.left, fit.table) == "path"
    assert size.rope == panel.rope[1] == rule.rope["path"] == 0.1
    std = sem.summary(fit, standardized=True).set_index("label")
    draws = panel.posterior[0][2]
    assert size.mean == pytest.approx(draws.mean())
    assert row["rope_mass"] == pytest.approx((np.abs(draws) < 0.1).mean())
    one = size_of(row_of(verdicts, "P1"), verdicts)
    assert (one.kind, one.scale, one.sign) == ("estimate", "standardised", True)
    assert one.mean == pytest.approx(std.loc["a", "mean"], abs=1e-6)
    assert one.lower == pytest.approx(std.loc["a", "lower"], abs=0.01)
    table = evidence.verdict_table(verdicts).items[0]
    at = table.columns.index("ROPE")
    assert {r[0]: r[at] for r in table.rows}["P4"] == "\N{PLUS-MINUS SIGN}0.1"


def test_factors_have_no_more_digits_than_draws():
    def written(value, bound=""):
        return factor_text(pd.Series({"bayes_factor": value, "bayes_factor_bound": bound}))

    found = [written(v) for v in (4052.0, 178.4, 1.14, 0.353, 1e-5, float("nan"))]
    assert found == ["> 1,000", "180", "1.1", "0.35", "< 0.001", ""]
    assert written(8236.0, ">") == "> 1,000"
    assert written(399.0, ">") == "> 390"  # a bound is never moved past itself
    assert written(0.0251, "<") == "< 0.026"


@pytest.mark.parametrize(
    ("paper", "verdict", "differs"),
    [("accepted", "supported", False), ("Accepted (p < .05)", "undecided", True),
     ("rejected, p = .051", "supported", True), ("not supported", "refuted", False),
     ("not supported", "undecided", False), ("argued, not tested", "supported", False),
     ("claimed", "practically null", True), ("", "supported", False),
     ("accepted", "withheld", False)],
)  # fmt: skip
def test_verdicts_that_differ_from_the_source_s_are_flagged(paper, verdict, differs):
    said = said_by_source(paper, verdict)
    assert said.startswith(paper)
    assert ("DIFFERS" in said) == differs


def test_weaknesses_state_weaknesses(verdicts):
    said = {name: weakness(row_of(verdicts, name), verdicts, None) for name in CLAIMS}
    assert not [text for text in said.values() if "changes it" in text]
    row = row_of(verdicts, "P3").copy()
    row["attainable"] = 0.781
    cannot = weakness(row, verdicts, None)
    assert "cannot be supported" in cannot
    assert "0.78." in cannot
    wide = row_of(verdicts, "P1").copy()
    wide["rope_mass"] = 0.2
    assert "with probability 0.200 the estimate is too small to matter" in weakness(
        wide, verdicts, None
    )


def test_one_rule_in_the_table_and_in_the_methods(verdicts, fit):
    rule = wording_of_rule(Rule())
    for name in ("Withheld", "Practically null", "Supported", "Refuted", "Undecided"):
        assert f"{name}: " in rule
    assert "at most 0.05, and a Bayes factor of at most 1/3" in rule
    text = words(methods.methods(fit, verdicts.propositions))
    assert rule in text
    for sentence in rule.split(". ")[:4]:
        assert sentence in words(summarising.glance(verdicts, None))


def test_what_is_expected_is_conditional(verdicts):
    said = words(summarising.headline(verdicts))
    assert "If the model and the data are right: expected number of false supports" in said
    assert "Some claims repeat parts of others" in said


# --- tables ---------------------------------------------------------------------------------------


def test_every_free_parameter_has_a_prior(fit):
    table = believed.priors(fit).items[1]
    assert sum(int(r[2]) for r in table.rows) == len(fit.spec.parameters)
    assert "gamma(shape, rate)" in words(believed.priors(fit))


def test_worst_is_worst_by_every_measure_and_once(fit):
    table = fit.convergence.table
    made = next(b for b in results.convergence(fit).items if isinstance(b, Table))
    names = [r[0] for r in made.rows]
    assert len(names) == 10
    assert {table["r_hat"].idxmax(), table["ess_bulk"].idxmin()} <= set(names) | set(
        table.index[table.duplicated(keep=False)]
    )
    assert not table.loc[names].duplicated().any()
    text = words(results.convergence(fit))
    divergences = int(fit.draws["sample_stats"]["diverging"].sum())
    assert f"Divergences: {divergences}." in text


def test_every_fit_that_is_pooled_has_its_row_and_stands_in_the_methods(fit, verdicts):
    failed = replace(fit, convergence=replace(fit.convergence, ok=False, reasons=("R-hat",)))
    fits = {"one": fit, "two": [fit, failed]}
    made = results.convergence(fit, fits).items[-1]
    assert [r[:3] for r in made.rows] == [
        ("1", "one", "yes"), ("2", "two", "yes"), ("3", "two", "NO")
    ]  # fmt: skip
    assert made.rows[0][3] == f"{fit.convergence.table['r_hat'].max():.3f}"
    text = words(methods.methods(fit, verdicts.propositions, fits))
    draws = 3 * fit.settings.chains * fit.settings.draws
    assert "described here is one of 3" in text
    assert "under 2 readings" in text
    assert f"{draws:,} draws in all" in text
    assert "one 0.50, two 0.50" in text
    for alone in (fit, {"one": fit}):
        assert "mixture" not in words(methods.methods(fit, verdicts.propositions, alone))


def test_effects_stand_once_and_variance_is_explained(fit):
    raw, std = sem.effects(fit), sem.effects(fit, standardized=True)
    made = results.effects(raw, std, fit).items[0]
    assert len({r[1:] for r in made.rows}) == len(made.rows) < len(raw)
    assert any(r[0] == "direct = total" for r in made.rows)
    summary = sem.summary(fit, standardized=True)
    blocks = results.coefficients(sem.summary(fit), summary, fit).items
    explained = next(b for b in blocks if b.title.startswith("Explained"))
    left = summary.query("lhs == 'Y' and rhs == 'Y'")["mean"].iloc[0]
    assert dict((r[0], r[1]) for r in explained.rows)["Y"] == f"{1 - left:.3f}"


def test_every_fit_is_sampled_again_from_its_own_file(fit):
    files = {"Fit 1 (NetCDF)": "a.nc", "Fit 2 (NetCDF)": "b.nc", "Propositions": "p.toml"}
    code = next(b for b in reproduce(fit, 0, files).items if isinstance(b, Verbatim)).text
    loop = ast.parse(code).body[-1]
    assert isinstance(loop, ast.For)
    assert ast.literal_eval(loop.iter) == ["a.nc", "b.nc"]
    assert "seed=kept.settings.seed" in code
    alone = next(
        b for b in reproduce(fit, 0, {"Fit (NetCDF)": "a.nc"}).items if isinstance(b, Verbatim)
    )
    assert f"seed={fit.settings.seed}" in alone.text
    assert "for path" not in alone.text


def test_files_are_relative_links_whatever_their_names(fit):
    found = reproduce(fit, 0, {"Fit (NetCDF)": 'javascript:alert(1)/"x y.nc'}).items[-1]
    assert isinstance(found, Links)
    made = markup(found)
    assert 'href="./javascript%3Aalert%281%29/%22x%20y.nc"' in made


def test_the_call_that_is_shown_makes_the_same_draws(fit):
    text = next(
        b.text for b in reproduce(fit, 0, {}).items if hasattr(b, "text") and "sem.fit(" in b.text
    )
    s = fit.settings
    assert f"draws={s.draws}, tune={s.tune}, chains={s.chains}, seed={s.seed}" in text
