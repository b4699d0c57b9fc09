"""The network's figure: columns in causal order, few crossings, numbers that touch nothing."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import bayesem as sem
from bayesem.diagrams import network as drawn
from bayesem.diagrams.columns import layered
from bayesem.diagrams.curves import spline
from bayesem.diagrams.labels import roomiest
from bayesem.diagrams.layers import ranks
from bayesem.diagrams.network_drawing import Drawing
from bayesem.diagrams.network_graph import NOBODY, graph_of

matplotlib = pytest.importorskip("matplotlib")
NETWORK = sem.read_model("export_network")
GRAPH = graph_of(NETWORK)


# --- layout -------------------------------------------------------------------------------------


def test_causes_stand_left_of_effects() -> None:
    column = ranks(GRAPH.nodes, GRAPH.edges, late=True)
    assert all(column[cause] < column[effect] for cause, effect in GRAPH.edges)
    assert [column[n] for n in ("BRIDGE", "RSC", "NET", "INFO", "SPEED")] == [0, 1, 2, 3, 4]
    assert column["FIN"] == column["EP"] - 1  # as late as its effects allow


def test_a_circle_still_has_columns() -> None:
    column = ranks("abc", [("a", "b"), ("b", "c"), ("c", "a")], late=True)
    assert [column[n] for n in "abc"] == [0, 1, 2]
    assert layered("abc", [("a", "b"), ("b", "c"), ("c", "a")]).bends["c", "a"] == ()


def test_nothing_stands_on_anything() -> None:
    sizes = {"EP": 2.5, "NET": 1.4}
    found = layered(GRAPH.nodes, GRAPH.edges, sizes)
    points = list(found.at.items())
    points += [(f"{e}{k}", at) for e, bends in found.bends.items() for k, at in enumerate(bends)]
    half = {n: sizes.get(n, 1.0) / 2 for n in GRAPH.nodes}
    for (one, (x, y)), (other, (u, v)) in combinations(points, 2):
        if x == u:
            assert abs(y - v) >= half.get(one, 0.225) + half.get(other, 0.225) - 1e-9
    assert all(half.get(n, 0) <= y <= found.height - half.get(n, 0) for n, (_, y) in points)


def test_arrows_of_two_columns_need_not_cross() -> None:
    found = layered("abxy", [("a", "y"), ("b", "x")])
    assert (found.at["a"][1] - found.at["b"][1]) * (found.at["y"][1] - found.at["x"][1]) > 0


def test_a_curve_passes_its_stops_and_leaves_level() -> None:
    stops = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0)]
    found = np.array(spline(stops))
    assert all(np.abs(found - s).sum(1).min() < 1e-12 for s in stops)
    assert found[1, 1] - found[0, 1] < 0.15 * found[1, 0]
    assert found[-2, 1] - found[-1, 1] < 0.15 * (found[-1, 0] - found[-2, 0])


def test_a_number_keeps_clear_of_boxes_and_ends() -> None:
    own = np.array(spline([(0.0, 0.0), (2.0, 0.0)]))
    x, y = roomiest(own, [], [(1.0, 0.0, 0.3, 0.3)], (0.1, 0.05))
    assert abs(x - 1.0) >= 0.4 - 1e-9
    assert 0.19 <= x <= 1.81
    assert y == 0


# --- figure -------------------------------------------------------------------------------------


def test_what_is_drawn() -> None:
    assert set(GRAPH.nodes) == {*NETWORK.factors, "exporting"}
    assert len(GRAPH.edges) == 34
    assert set(GRAPH.moderations) == {
        ("FIN", ("DC", "EP")), ("FIN", ("INN", "EP")), ("FIN", ("NET", "EP")),
        ("ECO", ("NET", "EP")), ("RIV", ("INN", "COMP")), ("DIS", ("MED", "STAB")),
        ("SHARED", ("DIS", "STAB")),
    }  # fmt: skip
    assert GRAPH.whose.studies == ("alliance_mediation", "export_strategy", "facilitated_alliance")
    assert GRAPH.letters(GRAPH.whose.variables["NET"]) == "A B C"
    assert GRAPH.look(()) == NOBODY
    assert len({GRAPH.look((s,)) for s in GRAPH.whose.studies}) == 3  # colour and line differ


def test_lower_orders_are_left_out_and_outcomes_stay() -> None:
    graph = graph_of(sem.read_model("export_strategy"))
    assert "DINF" not in graph.nodes
    assert {"DC", "exporting"} <= set(graph.nodes)
    assert ("size", "EP") not in graph.edges


def test_the_bare_graph(tmp_path: Path) -> None:
    path = tmp_path / "network.png"
    figure = sem.plot_network("export_network", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert figure.get_figwidth() == 7
    words = [t.get_text() for t in figure.axes[0].texts]
    assert {*NETWORK.factors, "A B C"} <= set(words)
    assert not any("." in w for w in words)
    listed = [t.get_text() for t in figure.legends[0].get_texts()]
    assert listed == [
        "A  alliance_mediation", "B  export_strategy", "C  facilitated_alliance", "no study's",
        "moderates a path",
    ]  # fmt: skip


def test_a_fit_puts_its_numbers_on_the_paths(monkeypatch, tmp_path: Path) -> None:
    """Every path and product carries its mean; none lies on a box or on another number."""
    rng = np.random.default_rng(0)
    keys = [(y, x) for x, y in GRAPH.edges]
    keys += [(y, *sorted((m, x))) for m, (x, y) in GRAPH.moderations]
    values = {k: (m := float(rng.uniform(-0.5, 0.5)), m - 0.1, m + 0.1) for k in keys}
    monkeypatch.setattr(drawn, "values_of", lambda fitted: values)
    seen: list[Drawing] = []
    original = drawn.draw

    def keep(drawing: Drawing) -> None:
        seen.append(drawing)
        original(drawing)

    monkeypatch.setattr(drawn, "draw", keep)
    figure = sem.plot_network(NETWORK, tmp_path / "n.svg")
    numbers = [t for t in figure.axes[0].texts if "." in t.get_text()]
    assert len(numbers) == len(values) == 41
    assert not any(t.get_text().startswith(("0", "-")) for t in numbers)
    labels = seen[0].taken[len(GRAPH.nodes) :]
    boxes = seen[0].taken[: len(GRAPH.nodes)]
    for x, y, w, h in labels:
        assert not any(abs(x - u) < w + a and abs(y - v) < h + b for u, v, a, b in boxes)
    hits = sum(
        abs(x - u) < w + a and abs(y - v) < h + b
        for (x, y, w, h), (u, v, a, b) in combinations(labels, 2)
    )
    assert hits == 0


def test_a_path_that_cannot_be_written_is_refused_first() -> None:
    with pytest.raises(sem.DataError, match="ends in none of"):
        sem.plot_network("export_network", "x.gif")
