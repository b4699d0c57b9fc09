"""A study's factors as one graph, in columns by causal order: which study each part comes from."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesem.diagrams.columns import layered
from bayesem.diagrams.network_drawing import Drawing, draw, frame
from bayesem.diagrams.network_graph import NOBODY, ROW, Graph, graph_of, sizes, step_of, values_of
from bayesem.figures.sheet import PURPLE, WIDE, sheet, stamp, style, target_of, written
from bayesem.model import Model, read_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_network"]


def plot_network(fit: Any, path: str | Path | None = None) -> "Figure":
    """Draw the factors of a model as one graph, causes left of effects.

    Parameters
    ----------
    fit : Fit, Model or str
        Of a fit every path carries its standardised posterior mean, grey where the central 95%
        interval includes 0; of a model, or a study's name, the bare graph is drawn.
    path : str or Path, optional
        As in :func:`bayesem.plot_verdict`.

    Returns
    -------
    matplotlib.figure.Figure
        A product of two factors is an arrow from the first onto the other's path, ended by a dot.
        Where the study's propositions include other studies', boxes and lines say whose each part
        is, by letter, shape, line and colour. Indicators, factors below others, observed predictors
        and covariances are not drawn.

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    DataError
        For a path that cannot be written.
    """
    target = target_of(path)
    model = _model(fit)
    fitted = [] if model is fit or isinstance(fit, str) else [fit]
    graph = graph_of(model)
    layout = layered(graph.nodes, graph.edges, sizes(graph))
    with style():
        figure = sheet(WIDE, layout.height * ROW + 0.75, [_headline(model, fitted)], fitted)
        axis = figure.subplots()
        drawing = Drawing(axis, graph, layout, values_of(fitted), step_of(layout))
        frame(drawing)
        draw(drawing)
        _legend(figure, graph, bool(fitted))
        stamp(figure, fitted)
        return written(figure, target)


def _model(fit: Any) -> Model:
    if isinstance(fit, str):
        return read_model(fit)
    return fit if isinstance(fit, Model) else fit.model  # type: ignore[no-any-return]


def _headline(model: Model, fitted: Sequence[Any]) -> str:
    name = model.name or "model"
    if not fitted:
        return f"{name}: factors and paths"
    return f"{name}: standardised posterior means, n = {fitted[0].n}"


def _legend(figure: "Figure", graph: Graph, fitted: object) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=graph.look((s,))[0], ls=graph.look((s,))[1], lw=1.2,
               label=f"{'ABCDEFGH'[k]}  {s}")
        for k, s in enumerate(graph.whose.studies)
    ]  # fmt: skip
    if graph.whose.studies:
        handles.append(Line2D([], [], color=NOBODY[0], ls=NOBODY[1], lw=1.2, label="no study's"))
    if graph.moderations:
        handles.append(
            Line2D([], [], color=PURPLE, lw=0.8, marker="o", ms=4, label="moderates a path")
        )
    if fitted:
        handles.append(
            Line2D([], [], ls="none", marker="$.0$", color="0.45", ms=8,
                   label="grey number: 95% interval includes 0")
        )  # fmt: skip
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8,
                      handlelength=2.6, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
