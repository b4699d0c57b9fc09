"""Figures: what stands on them is what the verdicts and slopes say."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fake_fits import fake_fit, moments, normal_grid
from matplotlib.colors import to_hex
from product_fits import product_fit
from scipy.stats import norm

import bayesem as sem
from bayesem.claims_evaluation import normal_form, scope
from bayesem.figures import plot_slopes, plot_verdict
from bayesem.figures.densities import axis_range, density
from bayesem.figures.panels import leaves, panel_of
from bayesem.grammar.claims import parse_claim
from bayesem.propositions import Rule

MODERATED = """
X =~ x1 + x2 + x3
W =~ w1 + w2 + w3
Y =~ y1 + y2 + y3
Y ~ a*X + b*W + c*X:W
"""
CURVED = MODERATED + "Y ~ d*X:X + e*W:W\n"
RISK = "X =~ x1 + x2 + x3\nu ~ b*X\n"
FAILED = {
    "converged": False,
    "convergence": SimpleNamespace(ok=False, reasons=("R-hat 1.2",), __str__=lambda _: "failed"),
}


def mediation(a=0.4, b=0.3, c=0.05, se=0.08, **more):
    posterior = {
        k: normal_grid(v, se, seed=i) for i, (k, v) in enumerate(dict(a=a, b=b, c=c).items())
    }
    prior = {k: normal_grid(0, 0.5, seed=i + 9) for i, k in enumerate("abc")}
    return fake_fit(posterior, prior, **more)


def moderated(text=MODERATED, **truth):
    shape = (4, 500)
    given = {"a": 0.2, "b": 0.1, "c": 0.2} | truth
    draws = {k: normal_grid(v, 0.1, *shape, seed=i) for i, (k, v) in enumerate(given.items())}
    return product_fit(text, draws, shape=shape)


def texts(figure):
    axes = [
        t.get_text()
        for axis in figure.axes
        for t in (axis.title, axis.xaxis.label, axis.yaxis.label)
    ]
    left = [axis.get_title(loc="left") for axis in figure.axes]
    return "\n".join([*(t.get_text() for t in figure.texts), *axes, *left]).replace("\xa0", " ")


def line(axis, label):
    return next(x for x in axis.get_lines() if x.get_label() == label)


def panels(claim, fit, rule=None):
    readings = [(None, None, (scope(fit),))]
    parts = leaves(normal_form(parse_claim(claim), {}))
    return [panel_of(p, rule or Rule(), readings, scope(fit, "prior")) for p in parts]


# --- verdicts -----------------------------------------------------------------------------------


def test_title_carries_the_tables_numbers():
    verdicts = sem.assess({"P": "a > 0 and b > 0"}, mediation())
    row = verdicts.table.iloc[0]
    written = texts(plot_verdict(verdicts, "P"))
    assert "P: supported" in written
    assert f"prior {row['prior_probability']:.2f}" in written
    assert "a: M ~ X, b: Y ~ M" in written


def test_a_panel_for_every_part_of_a_claim():
    verdicts = sem.assess({"P": "a > 0 and b > 0", "Q": "P and (c > 0 or a > b)"}, mediation())
    assert len(plot_verdict(verdicts, "P").axes) == 2
    figure = plot_verdict(verdicts, "Q")
    assert [axis.get_title(loc="left").split("\n")[0] for axis in figure.axes] == [
        "a > 0", "b > 0", "c > 0", "a > b"
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "width"), [(1, 3.5), (2, 7), (3, 7), (5, 7)])
def test_width_is_a_journals(count, width):
    claim = " and ".join(["a > 0", "b > 0", "c > 0", "a > b", "a > c"][:count])
    figure = plot_verdict(sem.assess({"P": claim}, mediation()), "P")
    assert figure.get_figwidth() == width
    assert len(figure.axes) == count


def test_posterior_and_prior_are_their_densities():
    figure = plot_verdict(sem.assess({"P": "a > 0"}, mediation()), "P")
    x, y = line(figure.axes[0], "posterior").get_data()
    assert np.abs(y - norm.pdf(x, 0.4, 0.08)).max() < 0.03 * norm.pdf(0, 0, 0.08)
    x, y = line(figure.axes[0], "prior").get_data()
    assert np.trapezoid(y, x) == pytest.approx(
        norm.cdf(x[-1], 0, 0.5) - norm.cdf(x[0], 0, 0.5), abs=0.02
    )


def test_dark_area_is_the_probability():
    fit = mediation(c=0.05)
    verdicts = sem.assess({"P": "c > 0"}, fit)
    [panel] = panels("c > 0", fit)
    x = np.linspace(-1, 1, 4001)
    y = density(panel.posterior[0][2], x, log=False)
    share = np.trapezoid(np.where(panel.claimed(x), y, 0), x)
    assert share == pytest.approx(verdicts.table["probability"].iloc[0], abs=0.01)


def test_rope_stands_on_the_standardised_axis():
    fit = mediation()
    [panel] = panels("a > 0", fit, Rule(rope={"path": 0.15}))
    assert panel.rope == (-0.15, 0.15)
    raw = mediation(unit=False)  # implied sds differ from 1, so raw and standardised do, too
    [panel] = panels("b > 0", raw)
    assert panel.label == "b (standardised)"
    assert not np.allclose(panel.posterior[0][2], raw.draws["posterior"]["b"].to_numpy().ravel())


def test_no_rope_where_the_standardised_axis_could_tell_otherwise():
    [panel] = panels("b > c", mediation(b=0.1, c=0.08, unit=False))
    assert panel.rope is None
    assert panel.label == "b - c"
    [panel] = panels("a > 0.2", mediation())
    assert (panel.rope, panel.threshold, panel.label) == (None, 0.2, "a")


def test_threshold_is_the_claims_own_number_and_either_side_may_hold_it():
    [one], [other] = panels("std(a) > 0.3", mediation()), panels("0.3 < std(a)", mediation())
    assert one.threshold == other.threshold == 0.3
    assert one.rope == other.rope == pytest.approx((0.2, 0.4))
    assert one.above
    assert other.above
    assert np.array_equal(one.posterior[0][2], other.posterior[0][2])
    [below] = panels("a < 0", mediation())
    assert not below.above


def test_null_holds_inside_the_rope():
    [panel] = panels("null(std(c))", mediation())
    assert (panel.threshold, panel.rope) == (None, (-0.1, 0.1))
    assert panel.claimed(np.array([-0.2, 0, 0.2])).tolist() == [False, True, False]
    [panel] = panels("not null(std(c))", mediation())
    assert panel.claimed(np.array([-0.2, 0, 0.2])).tolist() == [True, False, True]


def test_ratios_stand_on_a_logarithmic_axis():
    shape = (4, 500)
    draws = {"b": normal_grid(0.5, 0.1, *shape)}
    fit = product_fit(RISK, draws, families={"u": "bernoulli"}, shape=shape,
                      prior={"b": normal_grid(0, 0.5, *shape)})  # fmt: skip
    figure = plot_verdict(sem.assess({"P": "risk_ratio(u ~ X | 1, -1) > 2"}, fit), "P")
    assert figure.axes[0].get_xscale() == "log"
    assert line(figure.axes[0], "threshold").get_xdata()[0] == 2
    x, y = line(figure.axes[0], "posterior").get_data()
    assert np.trapezoid(y, np.log(x)) == pytest.approx(1, abs=0.02)


def test_every_draw_alike_is_drawn_too():
    fit = mediation(se=0.0)
    [panel] = panels("c > 0", fit)
    y = density(panel.posterior[0][2], axis_range(panel), log=False)
    assert y.max() == 1
    assert (y > 0).sum() < 3
    plot_verdict(sem.assess({"P": "c > 0"}, fit), "P")


def test_readings_are_lines_and_the_mixture_is_filled():
    fits = {
        name: mediation(a=a, data=moments(reading=name, weight=w))
        for name, a, w in (("T", 0.5, 3.0), ("D", 0.1, 1.0))
    }
    figure = plot_verdict(sem.assess({"P": "a > 0"}, fits), "P")
    x, y = line(figure.axes[0], "all readings").get_data()
    expected = 0.75 * norm.pdf(x, 0.5, 0.08) + 0.25 * norm.pdf(x, 0.1, 0.08)
    assert np.abs(y - expected).max() < 0.03 * norm.pdf(0, 0, 0.08)
    assert len([g for g in figure.axes[0].get_lines() if g.get_label() == "each reading"]) == 2


def test_readings_without_weights_are_told_apart():
    fits = {"first": mediation(a=0.5), "second": [mediation(a=0.1), mediation(a=0.2)]}
    figure = plot_verdict(sem.assess({"P": "a > 0"}, fits), "P")
    assert (
        line(figure.axes[0], "first").get_linestyle()
        != line(figure.axes[0], "second").get_linestyle()
    )
    assert "first: supported, Pr >.999" in texts(figure)


def test_synthetic_data_are_marked_in_red_and_others_not():
    fit = mediation()
    made = replace(fit, data=SimpleNamespace(synthetic=True))
    for one, count in ((fit, 0), (made, 1)):
        figure = plot_verdict(sem.assess({"P": "a > 0"}, one), "P")
        marks = [t for t in figure.texts if t.get_text() == "SYNTHETIC DATA"]
        assert len(marks) == count
        assert all(to_hex(t.get_color()) == "#c00000" for t in marks)


@pytest.mark.parametrize("name", ["P", "a_name_that_leaves_no_room"])
def test_texts_on_top_do_not_overlap(name):
    made = replace(mediation(), data=SimpleNamespace(synthetic=True))
    figure = plot_verdict(sem.assess({name: "a > 0 "}, made), name)
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.texts]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:k])
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def test_failed_chains_are_stamped_across():
    figure = plot_verdict(sem.assess({"P": "a > 0"}, replace(mediation(), **FAILED)), "P")
    assert "NOT CONVERGED - no verdict" in texts(figure)
    assert "P: withheld" in texts(figure)
    assert "NOT CONVERGED" not in texts(plot_verdict(sem.assess({"P": "a > 0"}, mediation()), "P"))


def test_priors_that_nobody_believes_are_not_drawn():
    fit = mediation(settings=SimpleNamespace(priors="blavaan"))
    figure = plot_verdict(sem.assess({"P": "a > 0"}, fit), "P")
    assert "prior" not in [g.get_label() for g in figure.axes[0].get_lines()]
    assert "BF" not in texts(figure)


# --- slopes -------------------------------------------------------------------------------------


def test_slope_and_region_are_johnson_neymans():
    fit = moderated()
    table = sem.johnson_neyman(fit, "Y ~ X | W", low=-2, high=2)
    left, _ = plot_slopes(fit, "Y ~ X | W").axes
    x, y = left.get_lines()[-1].get_data()
    assert np.array_equal(x, table["at"])
    assert np.array_equal(y, table["mean"])
    [(start, stop, _)] = table.attrs["regions"]
    [band] = left.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((start, stop))


def test_title_says_where_the_slope_differs_from_0():
    assert "Y on X by W: positive above" in texts(plot_slopes(moderated(), "Y ~ X | W"))
    assert "positive throughout" in texts(plot_slopes(moderated(a=3.0), "Y ~ X | W"))
    assert "0 lies inside" in texts(plot_slopes(moderated(a=0.0, c=0.0), "Y ~ X | W"))


@pytest.mark.parametrize("text", [MODERATED, CURVED])
def test_lines_are_the_equation(text):
    """Against the equation written out, in sds of the outcome."""
    curves = {"d": 0.1, "e": -0.15} if text == CURVED else {}
    fit = moderated(text, **curves)
    right = plot_slopes(fit, "Y ~ X | W").axes[1]
    beta = {k: fit.draws["posterior"][k].to_numpy() for k in "abc" + "".join(curves)}
    beta = {"d": 0.0, "e": 0.0} | beta
    variance = implied_variance(fit)
    for w in (-1, 0, 1):
        label = "W at its mean" if w == 0 else f"W {w:+d} sd".replace("-", "−")
        x, y = line(right, label).get_data()
        for at, found in zip(x, y, strict=True):
            height = beta["a"] * at + beta["b"] * w + beta["c"] * at * w
            height = height + beta["d"] * at**2 + beta["e"] * w**2
            assert found == pytest.approx((height / np.sqrt(variance)).mean(), abs=1e-10)


def implied_variance(fit):
    from bayesem.implied import implied

    return implied(fit.table, fit.matrices()).sd[..., fit.table.factors.index("Y")] ** 2


def test_further_moderators_are_held_where_the_text_says():
    three = MODERATED + "V =~ v1 + v2 + v3\nY ~ g*V + h*X:V\n"
    fit = moderated(three, g=0.1, h=0.3)
    zero, one = (plot_slopes(fit, t).axes[0].get_lines()[-1].get_ydata()
                 for t in ("Y ~ X | W", "Y ~ X | W, V = 1"))  # fmt: skip
    assert (one - zero > 0.1).all()


def test_observed_moderators_keep_their_units():
    text = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ a*X + b*age + c*X:age\n"
    shape = (4, 500)
    draws = {k: normal_grid(0.2, 0.1, *shape, seed=i) for i, k in enumerate("abc")}
    fit = product_fit(text, draws, shape=shape)
    left, _ = plot_slopes(fit, "Y ~ X | age").axes
    assert left.get_xlabel() == "age"


def test_slopes_of_failed_chains_are_stamped():
    fit = replace(moderated(), **FAILED)
    assert "NOT CONVERGED" in texts(plot_slopes(fit, "Y ~ X | W"))


# --- files and refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"), [(".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")]
)
def test_files_by_suffix(tmp_path, suffix, start):
    path = tmp_path / f"figure{suffix}"
    plot_verdict(sem.assess({"P": "a > 0"}, mediation()), "P", path)
    assert path.read_bytes().startswith(start)


def test_the_same_figure_gives_the_same_file(tmp_path):
    verdicts = sem.assess({"P": "a > 0"}, mediation())
    for name in ("one.pdf", "two.pdf"):
        plot_verdict(verdicts, "P", tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_paths_are_refused_before_any_work(tmp_path):
    verdicts = sem.assess({"P": "a > 0"}, mediation())
    with pytest.raises(sem.DataError, match=r"ends in none of .pdf, .svg, .png"):
        plot_verdict(verdicts, "P", tmp_path / "figure.gif")
    with pytest.raises(sem.DataError, match="no folder"):
        plot_slopes(None, "Y ~ X | W", tmp_path / "missing" / "figure.pdf")


def test_without_matplotlib_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(sem.NotAvailableError, match=r"matplotlib.*\n.*--extra figures"):
        plot_verdict(sem.assess({"P": "a > 0"}, mediation()), "P")
    with pytest.raises(sem.NotAvailableError, match="matplotlib"):
        plot_slopes(moderated(), "Y ~ X | W")


def test_unknown_propositions_are_refused():
    verdicts = sem.assess({"P_one": "a > 0"}, mediation())
    with pytest.raises(sem.PropositionError, match=r"was not assessed.\n.*Did you mean `P_one`"):
        plot_verdict(verdicts, "P_on")
    with pytest.raises(sem.PropositionError, match="DataFrame"):
        plot_verdict(verdicts.table, "P_one")
    with pytest.raises(sem.PropositionError, match="without their propositions"):
        plot_verdict(replace(verdicts, propositions=None), "P_one")


def test_the_rope_drawn_is_the_one_that_was_judged_by():
    figure = plot_verdict(sem.assess({"P": "a > 0"}, mediation(), rope=0.3), "P")
    [band] = [p for p in figure.axes[0].patches if "ROPE" in p.get_label()]
    assert (band.get_x(), band.get_width()) == pytest.approx((-0.3, 0.6))


def test_a_moderator_without_a_product_is_refused():
    with pytest.raises(sem.PropositionError, match="does not moderate"):
        plot_slopes(moderated(), "Y ~ W | Y")
