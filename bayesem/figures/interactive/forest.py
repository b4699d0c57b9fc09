"""A forest to open in a browser, whose numbers stand under the pointer."""

from html import escape
from typing import Any

from bayesem.figures.interactive.page import tuned
from bayesem.figures.paths import Paths
from bayesem.figures.sheet import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY

__all__ = ["forest_figure"]

LOOKS = ((BLUE, "circle"), (ORANGE, "square"), (GREEN, "triangle-up"), (PURPLE, "diamond"),
         (SKY, "triangle-down"))  # fmt: skip
ROW = 26  # pixels


def forest_figure(go: Any, found: Paths) -> Any:
    """Paths by outcome, a mark and two intervals for each model."""
    figure = go.Figure([trace for k in range(len(found.models)) for trace in _traces(go, found, k)])
    return tuned(
        figure, height=160 + ROW * (len(found.rows) + len(_outcomes(found))),
        legend={"orientation": "h", "y": -0.02, "yanchor": "top"},
        yaxis={"automargin": True, "zeroline": False} | _ticks(found),
        xaxis={"zeroline": True, "zerolinecolor": GREY, "range": found.span},
    )  # fmt: skip


def _outcomes(found: Paths) -> dict[str, int]:
    """Each outcome with the number of its first row."""
    first: dict[str, int] = {}
    for k, (outcome, _) in enumerate(found.rows):
        first.setdefault(outcome, k)
    return first


def _places(found: Paths) -> tuple[list[int], dict[str, int]]:
    """On which line every row stands, and every outcome's name above its rows."""
    outcomes = list(_outcomes(found))
    rows = [k + 1 + outcomes.index(outcome) for k, (outcome, _) in enumerate(found.rows)]
    return rows, {name: rows[k] - 1 for name, k in _outcomes(found).items()}


def _ticks(found: Paths) -> dict[str, Any]:
    rows, heads = _places(found)
    texts = [escape(p.replace(":", " \N{MULTIPLICATION SIGN} ")) for _, p in found.rows]
    names = [f"<b>{escape(name)}</b>" for name in heads]
    return {"tickvals": [*rows, *heads.values()], "ticktext": [*texts, *names],
            "range": [max(rows) + 0.6, -0.6]}  # fmt: skip


def _traces(go: Any, found: Paths, k: int) -> list[Any]:
    """Thin interval with the mark, and the thick interval under it."""
    colour, mark = LOOKS[k]
    rows, _ = _places(found)
    count = len(found.models)
    at = [y + 0.7 * ((k + 0.5) / count - 0.5) for y in rows]
    name = escape(found.models[k]) or "paths"

    def bars(ends: Any, width: float) -> dict[str, Any]:
        high, low = ends[k, :, 1] - found.mean[k], found.mean[k] - ends[k, :, 0]
        return {"type": "data", "symmetric": False, "array": high, "arrayminus": low, "width": 0,
                "thickness": width, "color": colour}  # fmt: skip

    thick = go.Scatter(x=found.mean[k], y=at, mode="markers", marker={"size": 1, "color": colour},
                       error_x=bars(found.inner, 5), hoverinfo="skip", showlegend=False,
                       legendgroup=name)  # fmt: skip
    thin = go.Scatter(
        x=found.mean[k], y=at, mode="markers", name=name, legendgroup=name,
        marker={"size": 9, "color": colour, "symbol": mark}, error_x=bars(found.outer, 1.5),
        text=[_hover(found, k, j) for j in range(len(rows))], showlegend=count > 1,
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    return [thick, thin]


def _hover(found: Paths, k: int, j: int) -> str:
    outcome, predictor = (escape(name) for name in found.rows[j])
    (low, high), mean, above = found.outer[k, j], found.mean[k, j], found.above[k, j]
    of = f"{escape(found.models[k])}<br>" if found.models[k] else ""
    return (
        f"{of}<b>{outcome} on {predictor}</b><br>{mean:.3f} "
        f"[{low:.3f}, {high:.3f}]<br>above 0 in {above:.1%} of the draws"
    )
