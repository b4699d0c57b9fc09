"""Shares of themes and sub-themes, side by side under several design effects."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.counts.fit import CountFit
from bayesem.errors import DataError
from bayesem.figures.sheet import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDE,
    legend,
    sheet,
    stamp,
    style,
    target_of,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_shares"]

LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))
ROW = 0.32  # inches


def plot_shares(fits: CountFit | Sequence[CountFit], path: str | Path | None = None) -> "Figure":
    """Draw the share of every theme and sub-theme with its 95% interval.

    Parameters
    ----------
    fits : CountFit or sequence of CountFit
        Up to three of the same table, under different design effects, say.
    path : str or Path, optional
        Save there, as ``.pdf``, ``.svg`` or ``.png``.

    Returns
    -------
    matplotlib.figure.Figure
        Marks are posterior means, bars 95% intervals, crosses the observed shares; the dotted line
        is an equal share of the sub-themes. Themes are bold; their own bars are sums.

    Raises
    ------
    DataError
        For more fits than can be told apart, fits of other tables, or a path that cannot be
        written.
    NotAvailableError
        If matplotlib is not installed.
    """
    target = target_of(path)
    several = (fits,) if isinstance(fits, CountFit) else tuple(fits)
    _check(several)
    rows = _rows(several[0])
    head = [_headline(several[0]), "Posterior mean and 95% interval"]
    with style():
        figure = sheet(WIDE, 0.9 + ROW * len(rows), head, several)
        axis = figure.subplots()
        for k, fit in enumerate(several):
            _draw(axis, fit, rows, k, len(several))
        _observed(axis, several[0], rows)
        axis.set_yticks(range(len(rows)), [label for _, label, _ in rows])
        for tick, (_, _, theme) in zip(axis.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("bold" if theme else "normal")
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_xlim(left=0)
        axis.set_xlabel("share of the references")
        legend(figure, [axis])
        stamp(figure, several)
        return written(figure, target)


def _check(fits: Sequence[Any]) -> None:
    if not fits or not all(isinstance(fit, CountFit) for fit in fits):
        raise DataError("shares are drawn of count fits.", hint="Give what `fit_counts` returns.")
    if len(fits) > len(LOOKS):
        raise DataError(f"{len(fits)} fits cannot be told apart.", hint="Give three at most.")
    names = {tuple(fit.draws["posterior"]["theme"].to_numpy()) for fit in fits}
    if len(names) > 1:
        raise DataError("the fits are of different themes.", hint="Give fits of one table.")


def _headline(fit: CountFit) -> str:
    where = f" ({fit.model.where})" if fit.model.where else ""
    return f"Theme counts{where}: {fit.n} references"


def _rows(fit: CountFit) -> list[tuple[str, str, bool]]:
    """Name, label, and whether it is a theme, from top to bottom."""
    known = list(fit.draws["posterior"]["theme"].to_numpy())
    rows: list[tuple[str, str, bool]] = []
    for theme, leaves in fit.model.themes.items():
        if len(leaves) > 1:
            rows.append((theme, _label(fit, theme), True))
        rows += [(name, _label(fit, name), False) for name in leaves]
    rows += [(str(name), str(name), False) for name in known if name == "other"]
    return rows


def _label(fit: CountFit, name: str) -> str:
    text = fit.model.texts.get(name, name)
    return fill(text, 36)


def _draw(axis: "Axes", fit: CountFit, rows: Sequence[Any], k: int, of: int) -> None:
    colour, mark = LOOKS[k]
    share = fit.draws["posterior"]["share"]
    values = np.stack([share.sel(theme=name).to_numpy().ravel() for name, _, _ in rows])
    low, high = np.quantile(values, (0.025, 0.975), axis=1)
    mean = values.mean(1)
    at = np.arange(len(rows)) + 0.24 * (k - (of - 1) / 2)
    axis.errorbar(mean, at, xerr=[mean - low, high - mean], fmt=mark, color=colour, ms=4, lw=1.2,
                  label=_name(fit))  # fmt: skip


def _name(fit: CountFit) -> str:
    if fit.tree is None:
        return "informants modelled"
    s = fit.settings
    more = "" if s.priors == "flat" else f", prior {s.priors}"
    return f"design effect {s.design_effect:g}{more}"


def _observed(axis: "Axes", fit: CountFit, rows: Sequence[Any]) -> None:
    observed = fit.draws["observed_data"]["references"]
    if "phase" in observed.dims:
        observed = observed.sum(("phase", "informant"))
    n = {str(k): int(v) for k, v in zip(observed["subtheme"].to_numpy(), observed, strict=True)}
    n |= {t: sum(n[name] for name in leaves) for t, leaves in fit.model.themes.items()}
    total = int(observed.sum())
    values = [n[name] / total for name, _, _ in rows]
    axis.plot(values, range(len(rows)), "x", color="black", ms=5, zorder=5, label="observed")
    axis.axvline(1 / observed.size, color=GREY, lw=0.8, ls=":", label="equal share")
