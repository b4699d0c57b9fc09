"""What path diagrams say: numbers, styles, stamps, files and refusals."""

import re
import sys
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
from diagram_fits import drawn_fit
from texts import DEMOCRACY

import bayesem as sem
from bayesem.diagrams.dot import diagram_dot
from bayesem.diagrams.estimates import number
from bayesem.partable import parameter_table
from bayesem.simulation import families_of

FAILED = {
    "converged": False,
    "convergence": SimpleNamespace(ok=False, reasons=("R-hat 1.2",), __str__=lambda _: "failed"),
}
MIXED = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nZ =~ z1 + z2 + z3\nY ~ X\nZ ~ Y + X + age\n"
MODERATED = "X =~ x1 + x2 + x3\nW =~ w1 + w2 + w3\nY =~ y1 + y2 + y3\nY ~ X + W + W:X + X:X\n"


def marked(figure, kind):
    [axes] = figure.axes
    found = (*axes.patches, *axes.texts, *axes.lines)
    pairs = ((a, (a.get_gid() or "").split(" ", 1)) for a in found)
    return {parts[1]: a for a, parts in pairs if parts[0] == kind and len(parts) == 2}


def words(figure):
    return "\n".join(t.get_text() for t in (*figure.texts, *figure.axes[0].texts))


@pytest.fixture(scope="module")
def mixed():
    """Paths some of which are sure, and others not."""
    return drawn_fit(MIXED, spread=0.15, draws=400)


@pytest.mark.parametrize("scale", ["std.all", "raw"])
def test_numbers_are_those_of_the_summary(mixed, scale):
    table = sem.summary(mixed, standardized=scale == "std.all", prob=0.9)
    labels = marked(sem.plot_path(mixed, scale=scale, prob=0.9, intervals="all"), "label")
    assert len(labels) > 10
    for row, text in labels.items():
        r = table.iloc[int(row)]
        shown = text.get_text().replace("\n", " ")
        if r["sd"] == 0:
            assert shown == number(r["mean"])
        else:
            wanted = f"{number(r['mean'])} [{number(r['lower'])}, {number(r['upper'])}]"
            assert shown == wanted


def test_lines_are_dashed_where_the_sign_is_not_known(mixed):
    table = sem.summary(mixed, standardized=True)
    lines = marked(sem.plot_path(mixed), "path")
    sure = {row: table.iloc[int(row)]["pd"] >= 0.95 for row in lines}
    assert set(sure.values()) == {True, False}
    for row, line in lines.items():
        assert (line.get_linestyle() == "-") == sure[row], row


def test_width_follows_the_standardised_size_on_both_scales(mixed):
    table = sem.summary(mixed, standardized=True)
    for scale in ("std.all", "raw"):
        lines = marked(sem.plot_path(mixed, scale=scale), "path")
        order = sorted(lines, key=lambda row: abs(table.iloc[int(row)]["mean"]))
        widths = [lines[row].get_linewidth() for row in order]
        assert widths == sorted(widths)
        assert widths[0] < widths[-1]


def test_lists_and_tables_are_bold_where_the_sign_is_known():
    fit = drawn_fit("export_strategy", draws=60)
    table = sem.summary(fit, standardized=True)
    figure = sem.plot_path(fit)
    cells = marked(figure, "tabled")
    assert len(cells) == 28 + 21 + 6
    for row, text in cells.items():
        assert (text.get_weight() == "bold") == (table.iloc[int(row)]["pd"] >= 0.95), row
    assert "Bold in lists and tables" in words(figure)
    listed = marked(sem.plot_path(fit, controls="lists"), "listed")
    assert {t.get_weight() for t in listed.values()} == {"bold", "normal"}
    assert not marked(sem.plot_path(fit, controls="none"), "listed")


def test_covariances_across_layers_are_named_where_they_would_be_a_thicket():
    text = words(sem.plot_path("export_network"))
    assert "RSC and KSC covary with DC, FIN, REG, INN, ECO, RIV." in " ".join(text.split())
    assert "NET covaries with DC, FIN, REG, INN, ECO, RIV." in " ".join(text.split())
    drawn = marked(sem.plot_path("export_network"), "covariance")
    model = sem.read_model("export_network")
    table = parameter_table(model, families=families_of(model, None))
    assert [{table.rows[int(k)].lhs, table.rows[int(k)].rhs} for k in drawn] == [{"RSC", "KSC"}]


def test_failed_chains_are_stamped_and_their_lines_alike():
    fit = drawn_fit(MIXED + "Y ~ age\nX ~ age\nage ~~ age\n", spread=0.15, **FAILED)
    figure = sem.plot_path(fit)
    assert "NOT CONVERGED" in words(figure)
    assert "Pr(sign)" not in words(figure)
    lines = marked(figure, "path")
    assert {(x.get_linestyle(), x.get_linewidth(), x.get_edgecolor()) for x in lines.values()} == {
        (line.get_linestyle(), line.get_linewidth(), line.get_edgecolor())
        for line in [next(iter(lines.values()))]
    }
    assert {t.get_weight() for t in figure.axes[0].texts} == {"normal"}
    assert "NOT CONVERGED" not in words(sem.plot_path(drawn_fit(MIXED)))


def test_generated_data_are_marked(mixed):
    made = replace(mixed, data=SimpleNamespace(synthetic=True))
    assert "SYNTHETIC DATA" in words(sem.plot_path(made))
    assert "SYNTHETIC DATA" not in words(sem.plot_path(mixed))


def test_the_first_part_of_a_product_moderates_the_path_of_the_second():
    fit = drawn_fit(MODERATED)
    figure = sem.plot_path(fit)
    names = {r.name: str(k) for k, r in enumerate(fit.table.rows)}
    [dot] = marked(figure, "dot").values()
    x, y = (v[0] for v in dot.get_data())
    line = marked(figure, "path")[names["Y ~ X"]]._path_original.vertices
    assert any(
        abs((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) < 1e-6
        and min(a[0], b[0]) - 1e-9 <= x <= max(a[0], b[0]) + 1e-9
        for a, b in pairwise(line)
    )
    assert "X:X" in marked(figure, "node")
    assert set(marked(figure, "product")) == {names["Y ~ X:X"]}


def test_r2_stands_in_the_factor(mixed):
    from bayesem.decomposition import r2

    table = r2(mixed).set_index("variable")["mean"]
    figure = sem.plot_path(mixed, r2=True)
    for name in ("Y", "Z"):
        assert marked(figure, "name")[name].get_text() == f"{name}\nR² {number(table[name])}"
    assert marked(figure, "name")["X"].get_text() == "X"


def test_a_model_without_a_fit_shows_its_labels():
    figure = sem.plot_path("alliance_mediation")
    shown = {t.get_text() for t in marked(figure, "label").values()}
    assert shown == {"a1", "a2", "b", "c1", "c2"}
    assert "Structure of the model" in words(figure)
    assert "every two of DC, FIN" in words(sem.plot_path("export_strategy"))
    assert "size and sector lead to DC" in words(sem.plot_path("export_strategy"))


def test_what_the_fit_added_to_the_model_is_not_drawn():
    from bayesem.augmentation import augmented

    fit = drawn_fit(DEMOCRACY)
    more, _ = augmented(fit.model, cross_loadings=0.1, method_factor="CMB")
    table = parameter_table(more)
    assert len(table.rows) > len(fit.table.rows)
    from bayesem.diagrams.elements import diagram_of

    assert "CMB" not in diagram_of(fit.model, table).nodes
    assert len(diagram_of(fit.model, table).edges) == len(diagram_of(fit.model, fit.table).edges)


def test_names_on_the_page_are_written_as_they_are():
    names = {"X": "$\\alpha$ & <b>\"x\"</b>", "Y": "öffentliche Güter"}  # fmt: skip
    figure = sem.plot_path(MIXED, names=names)
    shown = marked(figure, "name")
    assert shown["X"].get_text().replace("\n", " ") == names["X"]
    assert not shown["X"].get_parse_math()
    assert shown["Y"].get_text() == "öffentliche\nGüter"


def test_svg_holds_text_and_escapes_it(tmp_path):
    path = tmp_path / "diagram.svg"
    sem.plot_path(MIXED, path, names={"X": "<b>&"})
    text = path.read_text()
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text
    assert re.search(r"<text[^>]*>x1</text>", text)


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_the_same_diagram_gives_the_same_file(tmp_path, suffix):
    fit = drawn_fit(MODERATED)
    paths = [tmp_path / f"{k}.{suffix}" for k in "ab"]
    for path in paths:
        sem.plot_path(fit, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"path": "figure.gif"}, "ends in none of"),
        ({"scale": "std"}, "`scale` is 'std'"),
        ({"intervals": True}, "`intervals` is True"),
        ({"controls": "beside"}, "`controls` is 'beside'"),
        ({"width": 5}, "`width` is 5"),
        ({"prob": 95}, "`prob` is 95"),
        ({"names": {"X": "a\nb"}}, "calls `X`"),
        ({"names": {"X": " "}}, "calls `X`"),
    ],
)
def test_arguments_are_refused_by_name(more, message):
    with pytest.raises(sem.DataError, match=message):
        sem.plot_path(MIXED, **more)


def test_other_things_are_refused():
    with pytest.raises(sem.ModelError, match=r"no variable of the model.\n.*Did you mean `X`"):
        sem.plot_path(MIXED, names={"x": "exports"})
    with pytest.raises(sem.DataError, match="not of type `int`"):
        sem.plot_path(3)
    with pytest.raises(sem.GrammarError):
        sem.plot_path("Y ~ ~ X")
    with pytest.raises(sem.DataError, match=r"does not fit on a page 3\.5 inches"):
        sem.plot_path("export_strategy", width=3.5)


def test_without_matplotlib_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(sem.NotAvailableError, match=r"--extra figures"):
        sem.plot_path(MIXED)


def test_graphviz_text_has_every_node_and_edge():
    text = diagram_dot(MODERATED)
    assert text.count("shape=ellipse") == 3
    assert text.count("shape=box") == 9
    assert '"W" -> "Y" [label="W:X", style=dashed];' in text
    assert '"X:X" [shape=circle];' in text
    assert '"X" -> "W" [dir=both, constraint=false];' in text
    for brackets in ("{}", "[]"):
        assert text.count(brackets[0]) == text.count(brackets[1])
