"""How probable a decisive verdict is, over the sample size."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.figures.sheet import BLUE, GREEN, GREY, ORANGE, grid, legend, style, target_of, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_design"]

LOOKS = {
    "supported": (BLUE, "o", "-"),
    "refuted": (ORANGE, "s", "--"),
    "practically null": (GREEN, "^", ":"),
}


def plot_design(found: Any, path: str | Path | None = None) -> "Figure":
    """Draw the shares of each decisive verdict over n, a panel by proposition.

    Bars are 95% Monte-Carlo intervals (Wilson) of the shares; the grey line is the assurance asked
    for, and the mark on it the smallest n for it with its 95% interval, where the sizes tried
    tell it.

    Parameters
    ----------
    found : Design
    path : str or Path, optional
        Save there, as ``.pdf``, ``.svg`` or ``.png``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        For a path that cannot be written.
    NotAvailableError
        If matplotlib is not installed.
    """
    target = target_of(path)
    names = list(found.sizes["name"])
    per = int(found.table["replicates"].min())
    head = ["Probability of a decisive verdict", f"SYNTHETIC DATA: {per} or more samples a point"]
    with style():
        figure, axes = grid(len(names), head, [])
        for axis, name in zip(axes, names, strict=True):
            _draw(axis, found, name)
        legend(figure, axes)
        return written(figure, target)


def _draw(axis: "Axes", found: Any, name: str) -> None:
    from scipy.stats import binomtest

    rows = found.table[(found.table["name"] == name) & (found.table["replicates"] > 0)]
    n = rows["n"].to_numpy()
    axis.axhline(found.assurance, color=GREY, lw=0.8)
    for k, (verdict, (colour, mark, dash)) in enumerate(LOOKS.items()):
        share = rows[verdict].to_numpy()
        hits = np.round(share * rows["replicates"]).astype(int)
        ends = [binomtest(h, m).proportion_ci(method="wilson")
                for h, m in zip(hits, rows["replicates"], strict=True)]  # fmt: skip
        gaps = np.abs(np.array([[p - e.low, e.high - p] for p, e in zip(share, ends, strict=True)]))
        at = n * (1 + 0.012 * (k - 1))  # side by side
        axis.errorbar(at, share, gaps.T, color=colour, marker=mark, ls=dash, ms=4, lw=1.2,
                      elinewidth=0.8, label=verdict)  # fmt: skip
    need = found.sizes.set_index("name").loc[name]
    if need["within"]:
        ends = np.clip([need["lower"], need["upper"]], n.min(), n.max())
        axis.plot(ends, [found.assurance] * 2, color="black", lw=2.2)
        axis.plot(need["n"], found.assurance, "D", color="black", ms=4)
        axis.annotate(f"n = {need['n']:.0f}", (need["n"], found.assurance), (3, -11),
                      textcoords="offset points")  # fmt: skip
    axis.set_ylim(-0.03, 1.03)
    axis.set_xticks(n)
    axis.set_title(name)
    axis.set_xlabel("n")
