"""Ranks of a calibration: how far their distribution is from uniform, and how far it may be."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.campaigns.uniformity import band, counts_up_to
from bayesem.errors import DataError, did_you_mean
from bayesem.figures.interactive.page import write_page
from bayesem.figures.interactive.ranks import ranks_figure
from bayesem.figures.sheet import BLUE, GREY, ORANGE, grid, style, target_of, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_ranks"]

#: Lines of quantities that are not uniform are told apart by these.
DASHES = ("-", "--", "-.", ":")


def plot_ranks(
    found: Any, quantities: Sequence[str] = (), path: str | Path | None = None
) -> "Figure":
    """Draw the distribution of ranks less the uniform one, with the band that it should keep to.

    Parameters
    ----------
    found : Calibration
    quantities : sequence of str
        A panel for each of these, by the table's ``quantity``; without any, one panel with all,
        in which those that are not uniform stand out.
    path : str or Path, optional
        Save there, as ``.pdf``, ``.svg`` or ``.png``; or as ``.html``, where every line tells its
        quantity under the pointer.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        For a quantity that the calibration does not have, or a path that cannot be written.
    NotAvailableError
        If matplotlib (or for ``.html`` plotly) is not installed.

    References
    ----------
    .. [1] Säilynoja, Bürkner & Vehtari (2022), Graphical test for discrete uniformity.
       *Statistics and Computing* 32, 32. https://doi.org/10.1007/s11222-022-10090-6
    """
    target = target_of(path, interactive=True)
    names = list(found.table["quantity"])
    for name in quantities:
        if name not in names:
            raise DataError(
                f"there is no quantity `{name}`.", hint=did_you_mean(name, names), label=name
            )
    chosen = [[names.index(q)] for q in quantities] or [list(range(len(names)))]
    verdict = "uniform" if found.table["uniform"].all() else "NOT uniform"
    head = [
        f"Ranks of {len(names)} quantities: {verdict}",
        f"{found.replicates} data sets drawn from the prior",
    ]
    target = write_page(target, head, [], lambda go: _interactive(go, found, [*chain(*chosen)]))
    with style():
        figure, axes = grid(len(chosen), head, [])
        for axis, columns in zip(axes, chosen, strict=True):
            _draw(axis, found, columns, alone=bool(quantities))
        return written(figure, target)


def _interactive(go: Any, found: Any, columns: Sequence[int]) -> Any:
    shares = counts_up_to(found.ranks, found.highest) / len(found.ranks)
    return ranks_figure(go, *_band(found), [(found.table.iloc[k], shares[k]) for k in columns])


def _band(found: Any) -> tuple[Any, Any, Any]:
    return band(len(found.ranks), found.highest, found.alpha / len(found.table))


def _draw(axis: "Axes", found: Any, columns: Sequence[int], *, alone: bool) -> None:
    size, highest = len(found.ranks), found.highest
    z, lower, upper = _band(found)
    axis.fill_between(z, lower - z, upper - z, step="post", color="0.88", lw=0, label="expected")
    axis.axhline(0, color="black", lw=0.6)
    shares = counts_up_to(found.ranks, highest) / size
    bad = 0
    for k in columns:
        row = found.table.iloc[k]
        outside = not row["uniform"]
        colour = ORANGE if outside else BLUE if alone else GREY
        dash = DASHES[bad % len(DASHES)] if outside and not alone else "-"
        label = str(row["quantity"]) if outside or alone else None
        axis.step(z, shares[k] - z, where="post", color=colour, ls=dash, label=label,
                  lw=1.4 if outside or alone else 0.6)  # fmt: skip
        bad += outside
    axis.set_xlim(0, 1)
    axis.set_xlabel("rank of the truth, as a share")
    axis.set_ylabel("ECDF \N{MINUS SIGN} uniform")
    if alone:
        axis.set_title(str(found.table.iloc[columns[0]]["quantity"]))
    elif 0 < bad <= 6:
        axis.legend(fontsize=8)
    reach = float(np.abs([lower - z, upper - z, *(shares[list(columns)] - z)]).max())
    axis.set_ylim(-1.15 * reach, 1.15 * reach)
