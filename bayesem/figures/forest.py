"""Paths of one model, or of several side by side, as a forest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.figures.interactive.forest import forest_figure
from bayesem.figures.interactive.page import write_page
from bayesem.figures.paths import Paths, fits_by_name, paths_of
from bayesem.figures.sheet import (
    BLUE,
    GREEN,
    GREY,
    NARROW,
    ORANGE,
    PURPLE,
    SKY,
    WIDE,
    sheet,
    stamp,
    style,
    target_of,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_forest"]

LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"))
#: Inches: a line of a label, the room between rows, and what one more model adds to a row.
LINE, GAP, MORE = 0.15, 0.05, 0.075
#: Inches of rows that one column holds; labels longer than this many characters are broken.
TALL, LONG = 5.2, 22


def plot_forest(
    fits: Any,
    path: str | Path | None = None,
    *,
    standardized: bool = True,
    prob: float = 0.95,
) -> "Figure":
    """Draw the paths of a model, or of several side by side, equation by equation.

    Marks are posterior means, thick bars 50% and thin ones 95% intervals. Under the name of an
    outcome (bold) stand its predictors; a product of two is written with a cross. A model without a
    path has no mark there; paths that a model fixes at 0 are left out.

    Parameters
    ----------
    fits : Fit or {name: Fit}
        Up to five.
    path : str or Path, optional
        Where to write it: ``.pdf`` or ``.svg`` (vector), ``.png`` (200 dpi), or ``.html``: one file
        to open in a browser, in which the numbers stand under the pointer. It holds plotly itself
        (4.8 MB), so that it needs no network.
    standardized : bool
        lavaan's std.all, else the reported metric.
    prob : float
        Mass of the outer intervals.

    Returns
    -------
    matplotlib.figure.Figure
        Of ``.html``, too.

    Raises
    ------
    NotAvailableError
        If matplotlib (or for ``.html`` plotly) is not installed.
    DataError
        For more models than can be told apart, models without paths, or a path that cannot be
        written.

    Notes
    -----
    The marks and bars are drawn by ``arviz_plots.plot_forest``.
    """
    target = target_of(path, interactive=True)
    known = fits_by_name(fits)
    found = paths_of(known, standardized=standardized, prob=prob)
    head = _head(known, found, standardized=standardized)
    target = write_page(target, head, list(known.values()), lambda go: forest_figure(go, found))
    with style():
        figure = _figure(found, head, known)
        return written(figure, target)


def _head(fits: Mapping[str, Any], found: Paths, *, standardized: bool) -> list[str]:
    what = "Standardised paths" if standardized else "Paths"
    one = next(iter(fits))
    return [
        f"{what}{f' of {one}' if len(fits) == 1 and one else ''}",
        f"Posterior mean, 50% and {100 * found.prob:g}% intervals",
    ]


# --- where rows stand ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """Rows that stand under each other: labels from the top, and at which inch each has its middle.

    ``at`` is of rows, ``heads`` of the outcomes' names (inch and text).
    """

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    at: tuple[float, ...]
    heads: tuple[tuple[float, str], ...]
    height: float


def label_of(predictor: str) -> str:
    """A predictor as it is printed, in lines.

    Examples
    --------
    >>> label_of("FIN:DC"), label_of("access_to_financing:digital_capability")
    ('FIN × DC', 'access_to_financing\\n× digital_capability')
    """
    parts = predictor.split(":")
    text = " \N{MULTIPLICATION SIGN} ".join(parts)
    if len(text) <= LONG:
        return text
    return "\n\N{MULTIPLICATION SIGN} ".join("\n".join(_broken(p)) for p in parts)


def _broken(name: str) -> list[str]:
    """A name in lines of at most so many characters, broken after underscores where it can be."""
    lines = [""]
    for word in name.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > LONG:
            lines.append("")
        lines[-1] += word
    return [line[k : k + LONG] for line in lines for k in range(0, len(line), LONG)]


def _column(found: Paths, rows: Sequence[int]) -> _Column:
    more = MORE * (len(found.models) - 1)
    y, at, heads, labels = 0.0, [], [], []
    for k, j in enumerate(rows):
        outcome, predictor = found.rows[j]
        if k == 0 or found.rows[rows[k - 1]][0] != outcome:
            name = "\n".join(_broken(outcome))
            room = LINE * (1 + name.count("\n")) + 2 * GAP
            heads.append((y + room / 2 + GAP / 2, name))
            y += room
        label = label_of(predictor)
        room = max(LINE * (1 + label.count("\n")), LINE + more) + GAP
        labels.append(label)
        at.append(y + room / 2)
        y += room
    return _Column(tuple(rows), tuple(labels), tuple(at), tuple(heads), y + GAP)


def _columns(found: Paths) -> list[_Column]:
    """One column, or two of about the same height; an equation is not torn apart."""
    every = range(len(found.rows))
    one = _column(found, every)
    breaks = [k + 1 for k, (a, b) in enumerate(pairwise(found.rows)) if a[0] != b[0]]
    if one.height <= TALL or not breaks:
        return [one]
    pairs = [(_column(found, every[:k]), _column(found, every[k:])) for k in breaks]
    return list(min(pairs, key=lambda pair: max(c.height for c in pair)))


# --- drawing -------------------------------------------------------------------------------------


def _figure(found: Paths, head: Sequence[str], fits: Mapping[str, Any]) -> "Figure":
    columns = _columns(found)
    height = max(c.height for c in columns)
    longest = max(len(x) for c in columns for label in c.labels for x in label.split("\n"))
    narrow = len(columns) == 1 and longest <= LONG * 0.75
    below = 0.45 + (len(fits) > 1) * 0.2 * -(-len(fits) // (2 if narrow else 4))
    figure = sheet(NARROW if narrow else WIDE, height + below, head, list(fits.values()))
    axes = figure.subplots(1, len(columns), sharex=True, squeeze=False).ravel()
    for axis, column in zip(axes, columns, strict=True):
        _draw(figure, axis, found.part(column.rows), column)
        axis.set_ylim(height, 0)
    axes[0].set_xlim(*found.span)
    axes[0].locator_params(axis="x", nbins=5)
    if len(fits) > 1:
        _legend(figure, fits, 2 if narrow else 4)
    stamp(figure, list(fits.values()))
    return figure


def _draw(figure: "Figure", axis: "Axes", found: Paths, column: _Column) -> None:
    axis.axvline(0, color=GREY, lw=0.8, zorder=0)
    _marks(figure, axis, found, column.at)
    ticks = [*zip(column.at, column.labels, strict=True), *column.heads]
    axis.set_yticks([y for y, _ in ticks], [text for _, text in ticks])
    for k, tick in enumerate(axis.get_yticklabels()):
        tick.set_fontweight("bold" if k >= len(column.at) else "normal")
        tick.set_linespacing(0.95)
        tick.set_parse_math(False)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def _marks(figure: "Figure", axis: "Axes", found: Paths, at: Sequence[float]) -> None:
    """What ArviZ draws of a forest: means, thick and thin intervals, at heights of our own."""
    import xarray as xr
    from arviz_plots import PlotCollection, plot_forest

    dims, models, rows = ("model", "path"), list(found.models), list(range(len(found.rows)))
    here = {"model": models, "path": rows}
    ends = {**here, "ci_bound": ["lower", "upper"]}

    def dataset(values: Any, *more: str) -> Any:
        coords = ends if more else here
        return xr.Dataset({"value": ((*dims, *more), values)}, coords=coords)

    sample = dataset(found.mean).expand_dims(chain=1, draw=2)
    place = {"plot": (("column",), np.array([axis], object)), "row_index": (("column",), [0]),
             "col_index": (("column",), [0]), "figure": ((), np.array(figure, object))}  # fmt: skip
    collection = PlotCollection(
        sample, xr.DataTree(xr.Dataset(place, coords={"column": ["forest"]})),
        aes={"y": dims} | {key: ["model"] for key in ("color", "facecolor", "marker")},
        backend="matplotlib", color=[c for c, _ in LOOKS], facecolor=[c for c, _ in LOOKS],
        marker=[m for _, m in LOOKS],
    )  # fmt: skip
    shift = MORE * (np.arange(len(models)) - (len(models) - 1) / 2)
    collection.update_aes_from_dataset("y", dataset(np.asarray(at) + shift[:, None]))
    plot_forest(
        xr.DataTree.from_dict({"posterior": sample}), combined=True, labels=[],
        plot_collection=collection, backend="matplotlib",
        stats={"trunk": dataset(found.inner, "ci_bound"), "twig": dataset(found.outer, "ci_bound"),
               "point_estimate": dataset(found.mean)},
        aes_by_visuals={"credible_interval": ["y", "color"],
                        "point_estimate": ["y", "color", "facecolor", "marker"]},
        visuals={"ticklabels": False, "remove_axis": False, "trunk": {"width": 2.4},
                 "twig": {"width": 0.9}, "point_estimate": {"size": 18, "zorder": 3}},
    )  # fmt: skip


def _legend(figure: "Figure", fits: Mapping[str, Any], columns: int) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=mark, ms=4, lw=1.4,
               label=name if fit.converged else f"{name} (not converged)")
        for (colour, mark), (name, fit) in zip(LOOKS, fits.items(), strict=False)
    ]  # fmt: skip
    drawn = figure.legend(handles=handles, loc="outside lower left", ncols=columns,
                          handlelength=1.6, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
    for text in drawn.get_texts():
        text.set_parse_math(False)
