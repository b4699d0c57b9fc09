"""Whether the chains can be believed: one verdict, with its reasons, stored in every fit."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.errors import ConvergenceWarning

__all__ = ["Convergence", "Thresholds", "diagnose", "stamped"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a fit must pass to be believed."""

    r_hat: float = 1.01
    ess: float = 400
    bfmi: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """The verdict on a fit's chains.

    Attributes
    ----------
    ok : bool
    reasons : tuple of str
        Why not, in plain words; empty where ``ok``.
    table : DataFrame
        ``r_hat ess_bulk ess_tail`` by quantity.
    help : tuple of str
        What the sampler was helped with before this verdict.
    """

    ok: bool
    reasons: tuple[str, ...]
    table: pd.DataFrame
    help: tuple[str, ...] = ()

    def __str__(self) -> str:
        helped = f" (after help: {'; '.join(self.help)})" if self.help else ""
        if self.ok and self.table.empty:
            return f"converged{helped}: nothing was free to vary"
        if self.ok:
            worst = self.table
            return (
                f"converged{helped}: R-hat at most {worst['r_hat'].max():.3f}, bulk ESS at least "
                f"{worst['ess_bulk'].min():,.0f}, tail ESS at least {worst['ess_tail'].min():,.0f}"
            )
        return f"NOT CONVERGED{helped}: " + "; ".join(self.reasons)


def stamped(table: pd.DataFrame, fit: Any, *, level: int = 3) -> pd.DataFrame:
    """A result with the verdict on its chains: in ``attrs`` always, as a warning where they failed.

    Parameters
    ----------
    table : DataFrame
        What was read off the fit.
    fit : Fit
    level : int
        How many callers up the warning points.
    """
    table.attrs["convergence"] = str(fit.convergence)
    table.attrs["notes"] = tuple(fit.notes)
    if not fit.converged:
        warnings.warn(str(fit.convergence), ConvergenceWarning, stacklevel=level)
    return table


def diagnose(
    quantities: Mapping[str, Floats],
    statistics: Mapping[str, np.ndarray],
    *,
    thresholds: Thresholds = Thresholds(),
    interrupted: bool = False,
    helped: Sequence[str] = (),
) -> Convergence:
    """Judge the chains.

    Parameters
    ----------
    quantities : mapping of str to (chain, draw) array
        Every free and claimed quantity, after reflection.
    statistics : mapping of str to (chain, draw) array
        ``diverging``, ``energy``, ``lp`` and ``reached_max_treedepth`` where known.
    thresholds : Thresholds
    interrupted : bool
        Whether the run was stopped early.
    helped : sequence of str
        What was done before.
    """
    table = _table(quantities)
    reasons = []
    if interrupted:
        reasons.append("sampling was interrupted")
    if next(iter(quantities.values())).shape[0] < 2:  # R-hat is no number then
        reasons.append("one chain cannot be compared with others; use at least 2")
    elif table["r_hat"].isna().any():
        lost = table.index[table["r_hat"].isna()][0]
        reasons.append(f"`{lost}` is not a number in some draws")
    reasons += _mode_reasons(quantities, statistics, table, thresholds)
    reasons += _table_reasons(table, thresholds)
    reasons += _statistic_reasons(statistics, thresholds)
    return Convergence(not reasons, tuple(reasons), table, tuple(helped))


def _table(quantities: Mapping[str, Floats]) -> pd.DataFrame:
    """R-hat and effective sizes, all quantities at once."""
    from arviz_stats.base import array_stats

    names = list(quantities)
    stacked = np.stack([quantities[n] for n in names])
    constant = np.ptp(stacked.reshape(len(names), -1), axis=1) == 0
    kept = stacked[~constant]
    r_hat = array_stats.rhat(kept, chain_axis=1, draw_axis=2)
    bulk = array_stats.ess(kept, chain_axis=1, draw_axis=2, method="bulk")
    tail = array_stats.ess(kept, chain_axis=1, draw_axis=2, method="tail", prob=(0.05, 0.95))
    index = [n for n, c in zip(names, constant, strict=True) if not c]
    return pd.DataFrame({"r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail}, index=index)


def _table_reasons(table: pd.DataFrame, t: Thresholds) -> list[str]:
    reasons = []
    for column, bad, limit, word in (
        ("r_hat", table["r_hat"] > t.r_hat, t.r_hat, "R-hat"),
        ("ess_bulk", table["ess_bulk"] < t.ess, t.ess, "bulk ESS"),
        ("ess_tail", table["ess_tail"] < t.ess, t.ess, "tail ESS"),
    ):
        if bad.any():
            worst = str(table[column].idxmax() if column == "r_hat" else table[column].idxmin())
            side = "above" if column == "r_hat" else "below"
            reasons.append(
                f"{word} {side} {limit:g} for {int(bad.sum())} of {len(table)} quantities "
                f"(worst `{worst}`: {_beyond(float(table[column][worst]), limit)})"
            )
    return reasons


def _beyond(value: float, limit: float) -> str:
    """A number with as many digits as tell it from the limit that it passed.

    Examples
    --------
    >>> _beyond(1.3123, 1.01), _beyond(1.010004, 1.01), _beyond(399.98, 400)
    ('1.312', '1.010004', '399.98')
    """
    texts = (f"{value:.{digits}g}" for digits in range(4, 18))
    return next((text for text in texts if float(text) != limit), f"{value:.17g}")


def _mode_reasons(
    quantities: Mapping[str, Floats],
    statistics: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    t: Thresholds,
) -> list[str]:
    """Name a second mode: chains whose draws do not overlap."""
    suspects = table.index[table["r_hat"] > max(1.1, t.r_hat)]
    best: tuple[float, str, Floats] | None = None
    for name in suspects:
        draws = quantities[name]
        centres, spread = draws.mean(1), draws.std(1).mean()
        gap = _largest_gap(centres) / max(float(spread), 1e-300)
        if gap > 3 and (best is None or gap > best[0]):
            best = (gap, name, centres)
    if best is None:
        return []
    _, name, centres = best
    order = np.argsort(centres)
    cut = int(np.argmax(np.diff(centres[order]))) + 1
    low, high = sorted(order[:cut].tolist()), sorted(order[cut:].tolist())
    text = (
        f"two modes: `{name}` is near {centres[low].mean():.3g} in chains {low} and near "
        f"{centres[high].mean():.3g} in chains {high}"
    )
    if "lp" in statistics:
        lp = statistics["lp"].mean(1)
        text += f" (mean log-posterior {lp[low].mean():.1f} against {lp[high].mean():.1f})"
    return [text]


def _largest_gap(centres: Floats) -> float:
    return float(np.diff(np.sort(centres)).max()) if len(centres) > 1 else 0.0


def _statistic_reasons(statistics: Mapping[str, np.ndarray], t: Thresholds) -> list[str]:
    reasons = []
    divergent = int(np.sum(statistics.get("diverging", 0)))
    if divergent:
        reasons.append(f"{divergent} divergent transition{'s' if divergent > 1 else ''}")
    if "energy" in statistics:
        from arviz_stats.base import array_stats

        bfmi = array_stats.bfmi(np.asarray(statistics["energy"], float))
        if bfmi.min() < t.bfmi:
            reasons.append(f"E-BFMI of {bfmi.min():.2f}, below {t.bfmi:g}")
    return reasons
