"""A forest to open in a browser: one file, whose numbers stand under the pointer."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from bayesem.errors import DataError, NotAvailableError, installing
from bayesem.figures.paths import Paths
from bayesem.figures.sheet import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY

__all__ = ["write_forest"]

LOOKS = ((BLUE, "circle"), (ORANGE, "square"), (GREEN, "triangle-up"), (PURPLE, "diamond"),
         (SKY, "triangle-down"))  # fmt: skip
ROW = 26  # pixels


def write_forest(target: Path, found: Paths, head: Sequence[str], fits: Sequence[Any]) -> None:
    """Write the forest as one HTML file, plotly's own script inside.

    Raises
    ------
    NotAvailableError
        If plotly is not installed.
    DataError
        If the file cannot be written.
    """
    go = _plotly()
    figure = go.Figure([trace for k in range(len(found.models)) for trace in _traces(go, found, k)])
    rows = len(found.rows)
    figure.update_layout(
        template="plotly_white", height=160 + ROW * (rows + len(_outcomes(found))), width=900,
        title={"text": _title(head, fits), "x": 0.02, "xanchor": "left"}, margin={"l": 10, "t": 90},
        legend={"orientation": "h", "y": -0.02, "yanchor": "top"}, hovermode="closest",
        font={"family": "Arial, Helvetica, sans-serif", "size": 13},
        yaxis={"automargin": True, "zeroline": False} | _ticks(found),
        xaxis={"zeroline": True, "zerolinecolor": GREY, "range": found.span},
    )  # fmt: skip
    if not all(fit.converged for fit in fits):
        figure.add_annotation(text="NOT CONVERGED - no verdict", x=0.5, y=0.5, xref="paper",
                              yref="paper", showarrow=False, textangle=-20, opacity=0.75,
                              font={"color": RED, "size": 40})  # fmt: skip
    page = figure.to_html(include_plotlyjs=True, full_html=True)
    named = page.replace("<head>", f"<head><title>{escape(head[0])}</title>", 1)
    try:
        target.write_text(named, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{str(target)!r} cannot be written: {error}.") from None


def _plotly() -> Any:
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise NotAvailableError(
            "interactive figures need plotly, which is not installed.",
            hint=f"{installing('interactive')} Or write `.pdf`, `.svg` or `.png`.",
        ) from None
    return go


def _title(head: Sequence[str], fits: Sequence[Any]) -> str:
    first, *more = (escape(line) for line in head)
    text = f"<b>{first}</b><br><sup>{'<br>'.join(more)}</sup>"
    marks = {"SYNTHETIC DATA": any(fit.data.synthetic for fit in fits),
             "NOT CONVERGED - no verdict": not all(fit.converged for fit in fits)}  # fmt: skip
    said = ", ".join(mark for mark, holds in marks.items() if holds)
    return f'<span style="color:{RED}"><b>{said}</b></span><br>{text}' if said else text


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
