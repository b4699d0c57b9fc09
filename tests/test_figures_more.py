"""Forests, dashboards and surfaces: what stands on them is what the tables say."""

import base64
import json
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_fits import fake_fit, moments, normal_grid
from matplotlib.colors import to_hex
from matplotlib.transforms import Bbox
from product_fits import product_fit

import bayesem as sem
from bayesem.figures import plot_forest, plot_propositions, plot_slopes, plot_surface, plot_verdict
from bayesem.figures.forest import label_of
from bayesem.figures.response import response

MODERATED = """
X =~ x1 + x2 + x3
W =~ w1 + w2 + w3
Y =~ y1 + y2 + y3
Y ~ a*X + b*W + c*X:W
"""
CURVED = MODERATED + "Y ~ d*X:X + e*W:W\n"
FAILED = {
    "converged": False,
    "convergence": SimpleNamespace(ok=False, reasons=("R-hat 1.2",), __str__=lambda _: "failed"),
}
PARTIAL = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a*X
Y ~ b*M + 0*X
"""
CLAIMS = {
    "both": "a > 0 and b > c",
    "either": "c > 0.2 or a < 0",
    "null": "null(std(c))",
    "below": "a < 0",
}


def mediation(a=0.4, b=0.3, c=0.05, se=0.08, *, text=None, **more):
    truth = dict(a=a, b=b, c=c) if text is None else dict(a=a, b=b)
    posterior = {k: normal_grid(v, se, seed=i) for i, (k, v) in enumerate(truth.items())}
    prior = {k: normal_grid(0, 0.5, seed=i + 9) for i, k in enumerate(truth)}
    return fake_fit(posterior, prior, **({} if text is None else {"text": text}), **more)


def moderated(text=MODERATED, shape=(2, 200), **truth):
    given = {"a": 0.2, "b": 0.1, "c": 0.2} | truth
    draws = {k: normal_grid(v, 0.1, *shape, seed=i) for i, (k, v) in enumerate(given.items())}
    return product_fit(text, draws, shape=shape)


def synthetic(fit):
    return replace(fit, data=SimpleNamespace(synthetic=True))


def texts(figure):
    found = [t.get_text() for t in figure.texts]
    for axis in figure.axes:
        found += [t.get_text() for t in axis.texts]
        found += [axis.get_title(loc="left"), axis.get_xlabel(), axis.get_ylabel()]
        found += [t.get_text() for t in axis.get_yticklabels()]
    return "\n".join(found).replace("\xa0", " ")


def boxes(figure):
    """Extents of every text that is seen, in pixels."""
    figure.draw_without_rendering()
    beyond = set()  # ticks outside of the axis are not drawn, but have texts
    for axis in figure.axes:
        for one, (low, high) in (
            (axis.xaxis, axis.get_xlim()),
            (axis.yaxis, sorted(axis.get_ylim())),
        ):
            ticks = one.get_major_ticks()
            beyond |= {t.label1 for t in ticks if not low <= t.get_loc() <= high}
    seen = [t for t in figure.findobj(lambda a: a.__class__.__name__ in ("Text", "Annotation"))
            if t.get_visible() and t.get_text().strip() and t not in beyond]  # fmt: skip
    return [(t.get_text(), _inked(t)) for t in seen]


def _inked(text):
    """The extent without the empty first line that a panel's name stands on."""
    box, lines = text.get_window_extent(), text.get_text().split("\n")
    empty = 0 if lines[0] else box.height / len(lines)
    return Bbox.from_extents(box.x0, box.y0, box.x1, box.y1 - empty)


def assert_clear(figure):
    """No text lies on another, and none leaves the sheet."""
    found = [(text, box.shrunk(0.97, 0.8)) for text, box in boxes(figure)]
    for k, (text, box) in enumerate(found):
        for other, theirs in found[:k]:
            assert not box.overlaps(theirs), (text, other)
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y0 >= -1, text


# --- forests ------------------------------------------------------------------------------------


def drawn(axis):
    """Mean and ends of the outer and inner intervals by row and model, from top to bottom."""
    marks = sorted(
        (y, x, to_hex(c.get_facecolor()[0]))
        for c in axis.collections
        for x, y in np.asarray(c.get_offsets())
        if np.isfinite(x)
    )
    bars = {}
    for one in axis.get_lines():
        y = np.asarray(one.get_ydata(), float)
        if len(set(y)) == 1:  # the line at 0 stands upright
            bars.setdefault(round(y[0], 6), []).append((one.get_linewidth(), *one.get_xdata()))
    return [(x, colour, [b[1:] for b in sorted(bars[round(y, 6)])]) for y, x, colour in marks]


@pytest.mark.parametrize("standardized", [True, False])
def test_forest_is_the_summary(standardized):
    fit = mediation(unit=False)
    table = sem.summary(fit, standardized=standardized)
    rows = table[table["op"] == "~"]
    half = sem.summary(fit, standardized=standardized, prob=0.5)
    half = half[half["op"] == "~"]
    [axis] = plot_forest(fit, standardized=standardized).axes
    marks = drawn(axis)
    assert len(marks) == len(rows) == 3
    for (mean, _, (outer, inner)), (_, row), (_, mid) in zip(
        marks, rows.iterrows(), half.iterrows(), strict=True
    ):
        assert mean == pytest.approx(row["mean"], abs=1e-12)
        assert outer == pytest.approx((row["lower"], row["upper"]), abs=1e-12)
        assert inner == pytest.approx((mid["lower"], mid["upper"]), abs=1e-12)


def test_outer_intervals_are_the_callers():
    table = sem.summary(mediation(), standardized=True, prob=0.8)
    row = table[table["op"] == "~"].iloc[0]
    figure = plot_forest(mediation(), prob=0.8)
    (_, _, (outer, _)), *_ = drawn(figure.axes[0])
    assert outer == pytest.approx((row["lower"], row["upper"]), abs=1e-12)
    assert "80% intervals" in texts(figure)


def test_models_stand_side_by_side_and_a_missing_path_has_no_mark():
    fits = {"with a direct path": mediation(), "without": mediation(text=PARTIAL)}
    figure = plot_forest(fits)
    [axis] = figure.axes
    colours = [colour for _, colour, _ in drawn(axis)]
    assert len(colours) == 5
    assert [colours.count(c) for c in ("#0072b2", "#d55e00")] == [3, 2]
    labels = [t.get_text() for t in axis.get_yticklabels()]
    assert labels == ["X", "M", "X", "M", "Y"]  # predictors, then outcomes
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(fits)


def test_each_row_stands_at_its_label():
    [axis] = plot_forest(mediation()).axes
    at = dict(
        zip(axis.get_yticks()[:3], [t.get_text() for t in axis.get_yticklabels()], strict=False)
    )
    heights = sorted(y for c in axis.collections for _, y in c.get_offsets())
    assert heights == pytest.approx(sorted(at))


def test_products_are_written_with_a_cross_and_long_names_in_lines():
    assert "X × W" in texts(plot_forest(moderated()))
    long = "an_uncommonly_long_name_of_a_factor"
    assert label_of(f"{long}:W").split("\n") == ["an_uncommonly_long_", "name_of_a_factor", "× W"]
    assert max(map(len, label_of("x" * 60).split("\n"))) <= 22


def long_names():
    text = PARTIAL.replace("0*X", "c*X")
    names = {"X": "relational_social_capital_of_firms", "M": "export_network_access",
             "Y": "export_business_performance_overall"}  # fmt: skip
    return re.sub(r"\b[XMY]\b", lambda m: names[m[0]], text)


def many(outcomes=8, predictors=6):
    names = [f"F{k}" for k in range(predictors)] + [f"O{k}" for k in range(outcomes)]
    measured = "\n".join(f"{n} =~ {n.lower()}a + {n.lower()}b + {n.lower()}c" for n in names)
    paths = "\n".join(
        f"O{k} ~ " + " + ".join(f"p{k}{j}*F{j}" for j in range(predictors)) for k in range(outcomes)
    )
    labels = {f"p{k}{j}": normal_grid(0.05 * (k - j), 0.02, 1, 50)
              for k in range(outcomes) for j in range(predictors)}  # fmt: skip
    return fake_fit(labels, labels, text=f"{measured}\n{paths}", unit=False)


@pytest.mark.parametrize(
    "make",
    [mediation, moderated, many, lambda: mediation(text=long_names())],
    ids=["few", "product", "many", "long"],
)
def test_texts_of_a_forest_are_clear_of_each_other(make):
    figure = plot_forest(synthetic(make()))
    assert figure.get_figwidth() in (3.5, 7)
    assert figure.get_figheight() < 9.5
    assert_clear(figure)


def test_many_paths_fill_two_columns_and_all_are_there():
    figure = plot_forest(many())
    assert len(figure.axes) == 2
    assert sum(len(drawn(axis)) for axis in figure.axes) == 48
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_five_models_and_no_more():
    fits = {f"model {k}": mediation(a=0.1 * k) for k in range(6)}
    with pytest.raises(sem.DataError, match=r"6 models cannot be told apart"):
        plot_forest(fits)
    del fits["model 5"]
    assert_clear(plot_forest(fits))


def test_forests_of_failed_and_generated_fits_are_marked():
    figure = plot_forest({"good": mediation(), "bad": replace(synthetic(mediation()), **FAILED)})
    assert "NOT CONVERGED - no verdict" in texts(figure)
    assert "SYNTHETIC DATA" in texts(figure)
    assert "bad (not converged)" in [t.get_text() for t in figure.legends[0].get_texts()]
    assert "NOT CONVERGED" not in texts(plot_forest(mediation()))


def test_what_is_no_fit_or_has_no_paths_is_refused():
    with pytest.raises(sem.DataError, match="a fit is a str"):
        plot_forest("a")
    with pytest.raises(sem.DataError, match="no fits"):
        plot_forest({})
    with pytest.raises(sem.DataError, match="no paths"):
        plot_forest(fake_fit({"l": normal_grid(1, 0.1)}, {"l": normal_grid(1, 0.1)},
                             text="f =~ x1 + l*x2 + x3"))  # fmt: skip
    with pytest.raises(sem.DataError, match="prob is 95"):
        plot_forest(mediation(), prob=95)


# --- for a browser ------------------------------------------------------------------------------


def test_html_holds_the_numbers_and_needs_no_network(tmp_path):
    path = tmp_path / "forest.html"
    fit = mediation()
    plot_forest({"<b>one</b> & two": fit}, path)
    page = path.read_text()
    assert "<script src" not in page
    assert len(page) > 3e6  # plotly itself
    data = plotted(page)
    row = sem.summary(fit, standardized=True)
    row = row[row["op"] == "~"].iloc[0]
    hover = data[1]["text"][0]
    assert f"{row['mean']:.3f} [{row['lower']:.3f}, {row['upper']:.3f}]" in hover
    assert "&lt;b&gt;one" in hover
    assert "<b>one</b>" not in json.dumps(data)
    assert "<title>Standardised paths of &lt;b&gt;one" in page


def test_html_is_marked_too(tmp_path):
    path = tmp_path / "forest.html"
    plot_forest(replace(synthetic(mediation()), **FAILED), path)
    assert "SYNTHETIC DATA, NOT CONVERGED - no verdict" in path.read_text()


def plotted(page):
    """The traces of a page, read from its script."""
    found = re.search(r"Plotly.newPlot\(\s*\"[^\"]+\",\s*(\[.*?\])\s*,\s*\{\"", page, re.S)
    return json.loads(found[1])


def numbers(entry):
    """An array as plotly writes it: a list, or bytes in base 64 with their type and shape."""
    if isinstance(entry, list):
        return np.asarray(entry, float)
    values = np.frombuffer(base64.b64decode(entry["bdata"]), entry["dtype"])
    return (
        values.reshape([int(n) for n in str(entry["shape"]).split(",")])
        if "shape" in entry
        else values
    )


def test_a_surface_for_a_browser_has_the_means_and_their_intervals(tmp_path):
    path, fit = tmp_path / "surface.html", moderated()
    plot_surface(fit, "Y ~ X | W", path)
    page = path.read_text()
    assert "<script src" not in page
    surface, _, ring = plotted(page)
    found = response(fit, "Y ~ X | W")
    x, w, mean = (numbers(surface[k]) for k in "xyz")
    at = found.height(x[9], w[14]).ravel()
    np.testing.assert_allclose(mean[14, 9], at.mean(), atol=1e-9)
    low, high, said = surface["customdata"][14][9]
    np.testing.assert_allclose([low, high], np.quantile(at, [0.025, 0.975]), atol=1e-9)
    assert not said
    assert surface["customdata"][0][0][2] == "<br>extrapolated"
    # 95% of a normal with unit sds: its widest point is the same whatever the correlation
    for side in (numbers(ring["x"]), numbers(ring["y"])):
        np.testing.assert_allclose(side.max(), np.sqrt(-2 * np.log(0.05)), rtol=1e-3)


def test_slopes_for_a_browser_have_a_line_at_every_stop(tmp_path):
    path, fit = tmp_path / "slopes.html", moderated()
    plot_slopes(fit, "Y ~ X | W", path)
    page = path.read_text()
    traces = plotted(page)
    shown = [t.get("visible", True) for t in traces]
    assert len(traces) == 3 + 3 * 17
    assert sum(shown) == 6
    found = response(fit, "Y ~ X | W")
    last = traces[-2]  # the line at 2 sds above
    x, y = numbers(last["x"]), numbers(last["y"])
    np.testing.assert_allclose(y[0], found.height(x[0], 2.0).mean(), atol=1e-9)
    at = numbers(traces[-1]["x"])[0]
    slope = sem.slopes(fit, "Y ~ X | W", at=[at]).iloc[0]
    np.testing.assert_allclose(numbers(traces[-1]["y"])[0], slope["mean"], atol=1e-6)


def test_a_dashboard_for_a_browser_tells_sentence_and_claim(tmp_path):
    path, fit = tmp_path / "dashboard.html", mediation()
    file = tmp_path / "claims.toml"
    file.write_text('[P]\nsays = "Sales <b>rise</b>."\nclaim = "a > 0 and null(std(c))"\n')
    verdicts = sem.assess(sem.read_propositions(file), fit)
    plot_propositions(verdicts, path)
    page = path.read_text()
    assert "<script src" not in page
    prior, holds, fails, posterior, *legend = plotted(page)
    assert [(entry["name"], entry["line"]["dash"]) for entry in legend] == [
        ("prior", "dash"), ("posterior", "solid"),
    ]  # fmt: skip
    assert [prior["name"], posterior["name"]] == ["prior", "posterior"]
    assert "Sales &lt;b&gt;rise" in posterior["hovertemplate"]
    assert "a &gt; 0 and null(std(c))" in posterior["hovertemplate"]
    [axis] = plot_propositions(verdicts).axes
    printed = {line.get_label(): line.get_ydata() for line in axis.get_lines()}
    for trace in (prior, posterior):
        np.testing.assert_allclose(numbers(trace["y"]), printed[trace["name"]])
    dark, light = numbers(holds["y"]), numbers(fails["y"])
    np.testing.assert_allclose(dark + light, numbers(posterior["y"]))
    x = numbers(posterior["x"])
    assert (np.abs(x[dark > 0]) < 0.1).all()  # null(c) decides, with its rope of .1


def test_readings_on_a_dashboard_for_a_browser_are_told_apart(tmp_path):
    path = tmp_path / "dashboard.html"
    fits = {"one": mediation(), "other": mediation(a=0.3)}
    plot_propositions(sem.assess({"P": "a > 0"}, fits), path)
    traces = plotted(path.read_text())
    lines = {t["name"]: (t["line"]["color"], t["line"]["dash"]) for t in traces if "name" in t}
    assert list(lines) == ["prior", "one", "other"]
    assert len(set(lines.values())) == 3
    assert [t["name"] for t in traces if t.get("showlegend", True)] == list(lines)


def test_a_dashboard_for_a_browser_withholds_too(tmp_path):
    path = tmp_path / "dashboard.html"
    plot_propositions(sem.assess(CLAIMS, replace(mediation(), **FAILED)), path)
    page = path.read_text()
    assert "NOT CONVERGED - no verdict" in page
    assert all(trace.get("name") is None for trace in plotted(page))
    assert not re.search(r"Pr [\d.>]|BF |: supported|: refuted", page.split("newPlot")[-1])


def test_ranks_for_a_browser_name_every_quantity(tmp_path):
    rng = np.random.default_rng(1)
    ranks = rng.integers(0, 100, (200, 3))
    ranks[:, 1] //= 2  # the truth lies below all draws too often
    table = pd.DataFrame({"quantity": ["a", "b<", "c"], "uniform": [True, False, True],
                          "ecdf_p": [0.5, 0.0, 0.7], "coverage_90": [0.9, 0.5, 0.91]})  # fmt: skip
    found = SimpleNamespace(table=table, ranks=ranks, highest=99, alpha=0.01, replicates=200)
    sem.plot_ranks(found, path=tmp_path / "ranks.html")
    band, *lines = plotted((tmp_path / "ranks.html").read_text())
    assert [line["name"] for line in lines] == ["a", "c", "b&lt;"]
    assert [line["showlegend"] for line in lines] == [False, False, True]
    share = numbers(lines[2]["y"]) + numbers(lines[2]["x"])
    at = np.searchsorted(numbers(lines[2]["x"]), 0.5)
    assert share[at] == pytest.approx((ranks[:, 1] < 50).mean(), abs=0.03)
    assert np.abs(numbers(lines[2]["y"])).max() > np.abs(numbers(band["y"])).max()


def test_other_figures_have_no_html_and_plotly_is_asked_for(tmp_path, monkeypatch):
    path = tmp_path / "figure.html"
    verdicts = sem.assess({"P": "a > 0"}, mediation())
    with pytest.raises(sem.NotAvailableError, match=r"no interactive form.*\n.*plot_forest"):
        plot_verdict(verdicts, "P", path)
    assert not path.exists()
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(sem.NotAvailableError, match=r"plotly.*\n.*--extra interactive"):
        plot_forest(mediation(), path)


# --- dashboards ---------------------------------------------------------------------------------


def test_every_proposition_has_a_panel_with_the_tables_numbers():
    verdicts = sem.assess(CLAIMS, mediation())
    figure = plot_propositions(verdicts)
    assert len(figure.axes) == len(CLAIMS)
    for axis, (_, row) in zip(figure.axes, verdicts.table.iterrows(), strict=True):
        title = axis.get_title(loc="left").replace("\xa0", " ").replace("\n", " ")
        assert axis.texts[0].get_text() == row["name"]
        assert title.strip().startswith(row["verdict"])
        assert f"prior {row['prior_probability']:.2f}" in title
        assert "BF" in title
    counts = verdicts.table["verdict"].value_counts()
    assert all(f"{n} {verdict}" in figure.texts[0].get_text() for verdict, n in counts.items())


def test_of_a_conjunction_the_least_probable_part_is_shown():
    labels = [
        axis.get_xlabel().replace("\xa0", " ")
        for axis in plot_propositions(sem.assess(CLAIMS, mediation())).axes
    ]
    assert labels == ["b > c (1 of 2)", "c > 0.2 (1 of 2)", "null(std(c))", "a < 0"]
    fit = mediation(a=0.1, b=0.9)
    assert plot_propositions(sem.assess(CLAIMS, fit)).axes[0].get_xlabel() == "a > 0 (1\xa0of\xa02)"


def test_posterior_on_a_dashboard_is_the_verdict_figures_own():
    verdicts = sem.assess({"P": "c > 0"}, mediation())
    one, two = (draw.axes[0].get_lines() for draw in (
        plot_propositions(verdicts), plot_verdict(verdicts, "P")))  # fmt: skip
    for a, b in zip(one, two, strict=True):
        assert a.get_label() == b.get_label()
        assert np.array_equal(a.get_xydata(), b.get_xydata())


def test_withheld_for_failed_chains_shows_no_posterior_and_no_number():
    figure = plot_propositions(sem.assess(CLAIMS, replace(mediation(), **FAILED)))
    assert not any(axis.get_lines() or axis.collections for axis in figure.axes)
    written = texts(figure)
    assert "4 withheld" in written
    assert "NOT CONVERGED - no verdict" in written
    assert not re.search(r"Pr |BF|supported|refuted", written)


def test_withheld_for_monte_carlo_error_is_not_filled():
    fit = mediation(c=0.1315)  # Pr(c > 0) is about .95
    verdicts = sem.assess({"P": "c > 0"}, fit)
    assert verdicts.table["verdict"].tolist() == ["withheld"]
    [axis] = plot_propositions(verdicts).axes
    assert not axis.collections
    assert "posterior" in [g.get_label() for g in axis.get_lines()]


def test_what_cannot_be_tested_has_an_empty_panel():
    verdicts = sem.assess({"P": "a > 0", "Q": "c > 0"}, mediation())
    table = verdicts.table.copy()
    table.loc[1, ["probability", "verdict"]] = [np.nan, "not testable"]
    figure = plot_propositions(replace(verdicts, table=table))
    assert not figure.axes[1].get_lines()
    assert "not testable" in texts(figure)


def test_readings_are_mixed_by_weight_or_named_apart():
    weighted = {n: mediation(a=a, data=moments(reading=n, weight=w))
                for n, a, w in (("T", 0.5, 3.0), ("D", 0.1, 1.0))}  # fmt: skip
    [axis] = plot_propositions(sem.assess({"P": "a > 0"}, weighted)).axes
    assert "all readings" in [g.get_label() for g in axis.get_lines()]
    apart = {"first": mediation(a=0.5), "second": mediation(a=-0.5)}
    [axis] = plot_propositions(sem.assess({"P": "a > 0"}, apart)).axes
    assert (
        axis.get_title(loc="left").replace("\n", " ").strip() == "by reading: supported / refuted"
    )
    assert [g.get_label() for g in axis.get_lines()][-2:] == ["first", "second"]


def test_two_dozen_propositions_fit_on_a_page():
    claims = {f"proposition_number_{k:02d}": f"std(a) + {k} * std(b) > abs(std(c)) and a > {k / 20}"
              for k in range(23)}  # fmt: skip
    figure = plot_propositions(sem.assess(claims, synthetic(mediation())))
    assert len(figure.axes) == 23
    assert figure.get_figheight() < 9.5
    assert_clear(figure)
    assert "SYNTHETIC DATA" in texts(figure)


def test_dashboards_of_something_else_are_refused():
    with pytest.raises(sem.PropositionError, match="FakeFit"):
        plot_propositions(mediation())
    verdicts = sem.assess({"P": "a > 0"}, mediation())
    with pytest.raises(sem.PropositionError, match="without their propositions"):
        plot_propositions(replace(verdicts, propositions=None))


# --- surfaces -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [MODERATED, CURVED])
def test_surface_is_the_mean_of_the_equation(text):
    curves = {"d": 0.1, "e": -0.15} if text == CURVED else {}
    fit = moderated(text, **curves)
    found = response(fit, "Y ~ X | W")
    x, w = np.array([-2.0, 0.3, 1.7]), np.array([-1.0, 0.0, 2.2])
    beta = {"d": 0.0, "e": 0.0} | {
        k: fit.draws["posterior"][k].to_numpy() for k in "abc" + "".join(curves)
    }
    sd = found.model.sd[..., found.to]
    for i, b in enumerate(w):
        for j, a in enumerate(x):
            height = beta["a"] * a + beta["b"] * b + beta["c"] * a * b
            height = height + beta["d"] * a**2 + beta["e"] * b**2
            assert found.heights(x, w)[i, j] == pytest.approx((height / sd).mean(), abs=1e-9)
            assert found.height(a, b).mean() == pytest.approx((height / sd).mean(), abs=1e-9)


def test_contours_stand_where_the_surface_has_their_level():
    fit = moderated()
    [axis] = plot_surface(fit, "Y ~ X | W").axes
    found = response(fit, "Y ~ X | W")
    lines = [c for c in axis.collections if getattr(c, "labelTexts", None)]
    assert len(lines) == 1
    checked = 0
    for level, path in zip(lines[0].levels, lines[0].get_paths(), strict=True):
        for x, w in path.vertices[:: max(1, len(path.vertices) // 5)]:
            assert found.height(x, w).mean() == pytest.approx(level, abs=0.01)
            checked += 1
    assert checked > 10


def test_ellipses_hold_their_share_of_the_cases():
    """Of a normal distribution with the implied correlation, by drawing from it."""
    fit = moderated(MODERATED + "X ~~ r*W\n", r=0.5)
    [axis] = plot_surface(fit, "Y ~ X | W").axes
    ellipses = [c for c in axis.collections if len(getattr(c, "levels", ())) == 2 and not c.filled]
    assert len(ellipses) == 1
    cases = np.random.default_rng(1).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 20_000)
    shares = [path.contains_points(cases).mean() for path in ellipses[0].get_paths()]
    assert shares == pytest.approx([0.5, 0.95], abs=0.02)


def test_surface_says_its_units_and_its_marks():
    figure = plot_surface(replace(synthetic(moderated()), **FAILED), "Y ~ X | W")
    written = texts(figure)
    assert figure.get_figwidth() == 3.5
    for part in ("X (sd from its mean)", "W (sd from its mean)", "Y (sd)", "NOT CONVERGED",
                 "SYNTHETIC DATA", "Y over X and W"):  # fmt: skip
        assert part in written


def test_a_surface_needs_a_product():
    with pytest.raises(sem.PropositionError, match="does not moderate"):
        plot_surface(moderated(), "Y ~ W | Y")
    with pytest.raises(sem.DataError, match="no folder"):
        plot_surface(None, "Y ~ X | W", "missing/figure.pdf")


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"), [(".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")]
)
def test_vector_and_screen(tmp_path, suffix, start):
    path = tmp_path / f"figure{suffix}"
    for draw in (lambda: plot_forest(mediation(), path),
                 lambda: plot_propositions(sem.assess({"P": "a > 0"}, mediation()), path),
                 lambda: plot_surface(moderated(), "Y ~ X | W", path)):  # fmt: skip
        draw()
        assert path.read_bytes().startswith(start)
        path.unlink()


def test_names_are_not_read_as_formulae(tmp_path):
    fits = {"cost_$x^2$": mediation(), "a_{b": mediation()}
    plot_forest(fits, tmp_path / "f.svg")
    assert "cost_$x^2$" in (tmp_path / "f.svg").read_text()


def test_without_matplotlib_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (lambda: plot_forest(mediation()),
                 lambda: plot_propositions(sem.assess({"P": "a > 0"}, mediation())),
                 lambda: plot_surface(moderated(), "Y ~ X | W")):  # fmt: skip
        with pytest.raises(sem.NotAvailableError, match=r"--extra figures"):
            draw()
