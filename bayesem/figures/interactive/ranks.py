"""Ranks of a calibration to open in a browser, where every line tells its quantity."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.figures.interactive.page import tuned
from bayesem.figures.sheet import GREY, ORANGE

__all__ = ["ranks_figure"]


def ranks_figure(
    go: Any, z: Floats, lower: Floats, upper: Floats, lines: Sequence[tuple[Any, Floats]]
) -> Any:
    """Each quantity's distribution of ranks less the uniform one, over the band expected of it.

    Parameters
    ----------
    go : module
    z, lower, upper : array
        Shares of ranks, and the band of the distribution there.
    lines : sequence of (row, array)
        Of the calibration's table, and how many ranks lie up to each z, as a share.
    """
    step = {"shape": "hv"}
    band = go.Scatter(
        x=[*z, *z[::-1]], y=[*(upper - z), *(lower - z)[::-1]], fill="toself", mode="lines",
        fillcolor="#e0e0e0", line={"width": 0}, name="expected", hoverinfo="skip",
    )  # fmt: skip
    traces = [band]
    for row, share in sorted(lines, key=lambda one: not one[0]["uniform"]):  # those that fail last
        bad = not row["uniform"]
        told = (f"<b>{escape(str(row['quantity']))}</b><br>ECDF p {row['ecdf_p']:.4f}<br>"
                f"90% intervals cover {row['coverage_90']:.2f}<extra></extra>")  # fmt: skip
        traces.append(
            go.Scatter(
                x=z,
                y=share - z,
                mode="lines",
                hovertemplate=told,
                showlegend=bad,
                name=escape(str(row["quantity"])),
                line={**step, "color": ORANGE if bad else GREY, "width": 2 if bad else 0.8},
            )
        )
    figure = go.Figure(traces)
    return tuned(
        figure, height=560, margin={"l": 70, "t": 100},
        xaxis={"title": {"text": "rank of the truth, as a share"}, "range": [0, 1]},
        yaxis={"title": {"text": "ECDF \N{MINUS SIGN} uniform"},
               "range": _reach(lower - z, upper - z, *(s - z for _, s in lines))},
    )  # fmt: skip


def _reach(*values: Floats) -> list[float]:
    far = 1.15 * max(float(np.abs(v).max()) for v in values)
    return [-far, far]
