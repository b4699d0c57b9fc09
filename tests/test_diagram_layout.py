"""Layout of path diagrams: nothing overlaps, and every parameter stands on the page once.

Boxes are measured by matplotlib's renderer, not taken from the layout that is tested.
"""

import re
from collections import Counter
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from diagram_fits import drawn_fit
from matplotlib.transforms import Bbox
from zoo import ZOO

from bayesem import studies
from bayesem.diagrams import plot_path
from bayesem.diagrams.layers import crossings, ordered, ranks, spread

SHIPPED = sorted(p.stem for p in studies.find("alliance_mediation").model_path.parent.glob("*.sem"))
TEXTS = {s.text: (name, s.arguments.get("families")) for name, s in reversed(ZOO.items())}
MORE = {
    "one factor": "f =~ x1 + x2 + x3 + x4",
    "five factors": "\n".join(f"f{k} =~ a{k} + b{k} + c{k}" for k in range(5)),
    "two second orders": "\n".join(
        [
            *(f"f{k} =~ a{k} + b{k} + c{k}" for k in range(6)),
            "g =~ f0 + f1 + f2",
            "h =~ f3 + f4 + f5",
            "h ~ g",
        ]
    ),
    "bifactor": "g =~ x1 + x2 + x3 + x4 + x5 + x6\ns =~ x1 + x2 + x3\nt =~ x4 + x5 + x6",
    "chain": "b ~ a\nc ~ b\nd ~ c\ne ~ d\nf ~ e + a\ng ~ f + b\nh ~ g\ni ~ h + a",
    "product without a path": "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\n"
    "Y ~ X\nX ~ Z\nY ~ Z:Z\nV =~ v1 + v2\nV ~ X:Z + Y",
    "long names": "a_factor_with_a_very_long_name =~ an.indicator.with.a.long.name + x2 + x3\n"
    "another_long_factor_name =~ y1 + y2 + y3\n"
    "another_long_factor_name ~ a_factor_with_a_very_long_name + size_of_the_enterprise",
    "letters": "größe =~ ä1 + ä2 + ä3\nΔ.x =~ д1 + д2 + д3\nΔ.x ~ größe",
    "longest": f"{'f' * 200} =~ {'x' * 200} + y + z\nw ~ {'f' * 200}",
}
ALWAYS = {
    "alliance_mediation", "facilitated_alliance", "export_strategy_chain", "democracy", "mimic",
    "quadratics and a chain", "mediating probit", "feedback", *MORE,
}  # fmt: skip
CASES = (
    [(name, name, None, {}) for name in SHIPPED]
    + [(name, text, kinds, {}) for text, (name, kinds) in TEXTS.items()]
    + [(name, text, None, {}) for name, text in MORE.items()]
    + [
        (f"{name}, {next(iter(more))}", name, None, more)
        for name, more in (
            ("alliance_mediation", {"width": 3.5}),
            ("alliance_mediation", {"intervals": "all"}),
            ("alliance_mediation", {"residuals": True, "r2": True}),
            ("facilitated_alliance", {"indicators": False}),
            ("export_strategy", {"controls": "lists"}),
            ("export_strategy", {"controls": "arrows", "indicators": False}),
        )
    ]
)


def pad(box, by):
    return Bbox.from_extents(box.x0 + by, box.y0 + by, box.x1 - by, box.y1 - by)


def case(values):
    """The rest of the zoo and of the shipped variants, which resemble these, is slow."""
    usual = values[3] or values[0] in ALWAYS
    return pytest.param(values, id=values[0], marks=[] if usual else [pytest.mark.slow])


@pytest.fixture(scope="module", params=[case(c) for c in CASES])
def drawn(request):
    """A fit, its figure, and what stands on it by its mark: kind, name and box in pixels."""
    _, source, families, more = request.param
    fit = drawn_fit(source, families=families)
    figure = plot_path(fit, **more)
    figure.set_dpi(200)  # as files are
    figure.draw_without_rendering()
    [axes] = figure.axes
    found: dict[str, dict[str, object]] = {}
    for artist in (*axes.patches, *axes.texts, *axes.lines):
        kind, _, name = (artist.get_gid() or "").partition(" ")
        if kind:
            assert name not in found.setdefault(kind, {}) or kind in ("legend", "tie"), (kind, name)
            found[kind][name] = artist
    return SimpleNamespace(fit=fit, figure=figure, axes=axes, found=found, more=more)


def boxes(drawn, *kinds):
    return {
        (kind, name): artist.get_window_extent()
        for kind in kinds
        for name, artist in drawn.found.get(kind, {}).items()
    }


def test_nodes_and_lists_do_not_overlap(drawn):
    found = boxes(drawn, "node", "list")
    assert len(found) >= 2
    for (a, box), (b, other) in combinations(found.items(), 2):
        assert not pad(box, 0.5).overlaps(pad(other, 0.5)), (a, b)


def test_labels_are_clear_of_nodes_and_of_each_other(drawn):
    nodes, labels = boxes(drawn, "node", "list", "dot"), boxes(drawn, "label")
    for a, box in labels.items():
        for b, other in nodes.items():
            assert not box.overlaps(other), (a, b)
    for (a, box), (b, other) in combinations(labels.items(), 2):
        assert not box.overlaps(other), (a, b)


def test_names_stand_inside_their_nodes(drawn):
    nodes, names = boxes(drawn, "node"), boxes(drawn, "name")
    assert {n for _, n in nodes} == {n for _, n in names}
    for (_, name), text in names.items():
        node = nodes["node", name]
        assert node.x0 <= text.x0, name
        assert text.x1 <= node.x1, name
        assert node.y0 <= text.y0, name
        assert text.y1 <= node.y1, name


def test_nothing_leaves_the_page(drawn):
    page = drawn.figure.bbox
    texts = [t.get_window_extent() for t in (*drawn.axes.texts, *drawn.figure.texts)]
    for box in [*texts, *(p.get_window_extent() for p in drawn.axes.patches)]:
        assert box.x0 >= page.x0
        assert box.x1 <= page.x1
        assert box.y0 >= page.y0
        assert box.y1 <= page.y1


def expected(fit, *, indicators=True, residuals=False, **_):
    """Rows that a diagram has to show, from the table alone."""
    rows = fit.table.rows
    wanted = {
        k
        for k, r in enumerate(rows)
        if r.op in ("=~", "~", "~~") and r.lhs != r.rhs and r.value != 0 and not r.frozen
    }
    if not indicators:
        paths = [r for r in rows if r.op == "~"]
        used = {v for r in paths for v in (r.lhs, *r.rhs.split(":"))}
        gone = {r.rhs for r in rows if r.op == "=~"} - set(fit.table.latent) - used
        wanted = {k for k in wanted if not gone & {rows[k].lhs, rows[k].rhs}}
    if residuals:
        explained = {r.lhs for r in rows if r.op == "~"}
        explained |= {r.rhs for r in rows if r.op == "=~"}
        wanted |= {k for k, r in enumerate(rows)
                   if r.op == "~~" and r.lhs == r.rhs and r.lhs in explained and r.value != 0}  # fmt: skip
    return wanted


def test_every_parameter_is_shown_once(drawn):
    kinds = ("loading", "path", "moderation", "product", "covariance", "residual")
    shown = Counter(int(n) for k in (*kinds, "listed", "tabled") for n in drawn.found.get(k, {}))
    assert set(shown) == expected(drawn.fit, **drawn.more)
    assert set(shown.values()) <= {1}
    lines = {n for k in kinds for n in drawn.found.get(k, {})}
    assert lines == set(drawn.found.get("label", {}))


def test_lines_join_the_nodes_of_their_parameter(drawn):
    """Each end lies at the outline of its node: within two pixels of its box."""
    nodes = {n: b for (_, n), b in boxes(drawn, "node").items()}
    for kind in ("loading", "path", "covariance"):
        for row, patch in drawn.found.get(kind, {}).items():
            r = drawn.fit.table.rows[int(row)]
            ends = (r.rhs, r.lhs) if kind == "path" else (r.lhs, r.rhs)
            points = drawn.axes.transData.transform(patch._path_original.vertices)
            near = [pad(nodes[n], -2) for n in ends]
            assert {near[0].contains(*p) for p in points[[0, -1]]} >= {True}, r.name
            matched = all(b.contains(*p) for b, p in zip(near, points[[0, -1]], strict=True))
            turned = all(b.contains(*p) for b, p in zip(near, points[[-1, 0]], strict=True))
            assert matched or (kind == "covariance" and turned), r.name


def test_a_moderation_ends_on_the_path_that_it_acts_on(drawn):
    rows = drawn.fit.table.rows
    paths = {(r.lhs, r.rhs): k for k, r in enumerate(rows) if r.op == "~" and ":" not in r.rhs}
    for row, dot in drawn.found.get("dot", {}).items():
        r = rows[int(row)]
        point = np.ravel(dot.get_xydata())
        far = []
        for part in r.rhs.split(":"):
            k = paths.get((r.lhs, part))
            patch = drawn.found["path"].get(str(k))
            far += [distance(point, patch._path_original.vertices)] if patch else []
        assert min(far) < 1e-6, r.name


def distance(point, line):
    """From a point to a polyline."""
    a, b = line[:-1], line[1:]
    step = b - a
    t = np.clip(((point - a) * step).sum(1) / np.maximum((step**2).sum(1), 1e-12), 0, 1)
    return np.linalg.norm(a + t[:, None] * step - point, axis=1).min()


def test_pages_are_as_wide_as_a_journal_prints(drawn):
    width, smallest = drawn.figure.get_figwidth(), min(t.get_fontsize() for t in drawn.axes.texts)
    if drawn.more.get("controls") != "lists":  # these make a page wider once type is at its least
        assert width in (pytest.approx(3.5), pytest.approx(7.0))
    assert width < 7.2
    assert smallest >= 5.25 - 1e-9
    enormous = "f" * 200 in drawn.fit.model.variables
    assert enormous or drawn.figure.get_figheight() <= 10.2 or smallest == pytest.approx(5.25)


def test_most_labels_stand_on_their_lines(drawn):
    """A label may leave its line only where nothing on it is free."""
    from matplotlib.path import Path

    away = []
    for row, text in drawn.found.get("label", {}).items():
        [patch] = [drawn.found[k][row] for k in drawn.found
                   if k not in ("label", "dot", "legend", "node", "name") and row in drawn.found[k]]  # fmt: skip
        line = Path(drawn.axes.transData.transform(patch._path_original.vertices))
        if not line.intersects_bbox(pad(text.get_window_extent(), -3), filled=False):
            away.append(row)
    assert len(away) <= max(1, 0.05 * len(drawn.found.get("label", {})))


# --- layers ---------------------------------------------------------------------------------------


def test_every_line_leads_to_a_later_layer():
    rng = np.random.default_rng(1)
    for _ in range(50):
        n = int(rng.integers(2, 12))
        names = [f"v{k}" for k in range(n)]
        pairs = [(names[a], names[b]) for a, b in combinations(range(n), 2) if rng.random() < 0.3]
        found = ranks(names, pairs)
        assert all(found[a] < found[b] for a, b in pairs)
        assert all(found[n] == max(found.values()) for n in {b for _, b in pairs} - {a for a, _ in pairs})  # fmt: skip


def test_circles_have_layers_too():
    found = ranks(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")])
    assert sorted(found.values()) == [0, 1, 2]


def test_order_reduces_crossings():
    """Against every order of the second layer, where the first is free, too."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        layers = [[f"a{k}" for k in range(5)], [f"b{k}" for k in range(5)]]
        pairs = [(a, b) for a in layers[0] for b in layers[1] if rng.random() < 0.3]
        after = ordered(layers, pairs)
        assert [sorted(layer) for layer in after] == layers
        assert crossings(after, pairs) <= crossings(layers, pairs)
    tree = [(f"a{k}", f"b{j}") for k, j in ((0, 4), (1, 3), (2, 2), (3, 1), (4, 0))]
    assert crossings(ordered(layers, tree), tree) == 0


def test_crossings_are_counted_pair_by_pair():
    rng = np.random.default_rng(3)
    layers = [[f"a{k}" for k in range(6)], [f"b{k}" for k in range(6)]]
    pairs = [(f"a{i}", f"b{j}") for i, j in rng.integers(0, 6, (12, 2))]
    place = {n: k for layer in layers for k, n in enumerate(layer)}
    slow = sum(
        (place[a] - place[c]) * (place[b] - place[d]) < 0
        for (a, b), (c, d) in combinations(pairs, 2)
    )
    assert crossings(layers, pairs) == slow


def test_spread_is_the_least_squares_solution():
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    for _ in range(20):
        n = int(rng.integers(1, 7))
        want, apart = rng.uniform(0, 5, n), rng.uniform(0.2, 1, n - 1)
        found = np.array(spread(want, [1.0] * n, apart, 0.5, 6.5))
        limits = [{"type": "ineq", "fun": lambda v, a=apart: np.diff(v) - a}] if n > 1 else []
        best = minimize(lambda v, w=want: ((v - w) ** 2).sum(), np.linspace(0.5, 6.5, n),
                        bounds=[(0.5, 6.5)] * n, constraints=limits, method="SLSQP")  # fmt: skip
        assert found == pytest.approx(best.x, abs=1e-3)


def test_text_of_labels_has_two_decimals(drawn):
    for text in drawn.found.get("label", {}).values():
        for token in re.split(r"[\s\[\],]+", text.get_text().strip("[] \n")):
            assert re.fullmatch(r"−?\d*\.?\d+", token), text.get_text()
