"""Which codes stand on the same segments: odds ratios and lifts with their posteriors."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.counts.clustered import clustered_shares
from bayesem.counts.segments import Segments
from bayesem.errors import DataError, did_you_mean
from bayesem.sampling.convergence import diagnose
from bayesem.seeds import check_seed
from bayesem.shares import shares

__all__ = ["co_occurrence"]

#: Cells of the fourfold table: both, the first alone, the second alone, neither.
CELLS = ((1, 1), (1, 0), (0, 1), (0, 0))


def co_occurrence(
    segments: Segments,
    pairs: Iterable[tuple[str, str]] | None = None,
    *,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    seed: int | None = None,
) -> pd.DataFrame:
    """Whether two codes stand on one segment more often than their frequencies make them.

    Parameters
    ----------
    segments : Segments
    pairs : iterable of (str, str), optional
        Sub-themes; by default all pairs.
    draws, tune, chains : int
    seed : int, optional

    Returns
    -------
    DataFrame
        A row per pair: ``first second both only_first only_second neither odds_ratio lower upper
        lift lift_lower lift_upper probability mcse bayes_factor``. ``odds_ratio`` and ``lift`` (the
        joint share over the product of the two) are posterior medians with 95% intervals;
        ``probability`` is that of an odds ratio above 1, .5 beforehand, and ``bayes_factor`` its
        odds. ``attrs["synthetic"]``, ``attrs["convergence"]``, ``attrs["notes"]``.

    Raises
    ------
    DataError
        For a code that no theme has, a pair of one code, or segments with one code each.

    Notes
    -----
    The four cells of a pair are shares as in :func:`bayesem.fit_segments`: informants differ in
    them, and by how much is estimated by pair. Segments without any code are not in the table,
    which by itself makes codes avoid each other: an odds ratio below 1 is weak evidence.
    """
    check_seed(seed)
    wide = segments.indicators()
    chosen = _pairs(segments, pairs)
    if not (wide.sum(axis=1) > 1).any():
        raise DataError(
            "no segment has two codes, so nothing shows which codes go together.",
            hint="Code a segment with all that it speaks of: one row per code.",
        )
    informant = wide.index.get_level_values("informant")
    counts = np.stack([_cells(wide, informant, segments.informants, *pair) for pair in chosen])
    rng = np.random.default_rng(seed)
    share, _ = clustered_shares(counts[:, None], draws=draws, tune=tune, chains=chains, rng=rng)
    share = share[..., 0, :]  # (chain, draw, pair, cell)
    log_odds = np.log(share[..., 0]) + np.log(share[..., 3]) - np.log(share[..., 1:3]).sum(-1)
    first, second = share[..., 0] + share[..., 1], share[..., 0] + share[..., 2]
    lift = share[..., 0] / (first * second)
    p, error = shares(log_odds > 0)
    convergence = diagnose(
        {f"{a} and {b}": log_odds[..., k] for k, (a, b) in enumerate(chosen)}, {}
    )
    table = pd.DataFrame(chosen, columns=["first", "second"])
    cells = counts.sum(1)
    for k, name in enumerate(("both", "only_first", "only_second", "neither")):
        table[name] = cells[:, k]
    for name, low, high, values in (
        ("odds_ratio", "lower", "upper", np.exp(log_odds)),
        ("lift", "lift_lower", "lift_upper", lift),
    ):
        table[name], table[low], table[high] = _interval(values)
    with np.errstate(divide="ignore"):
        table = table.assign(probability=p, mcse=error, bayes_factor=p / (1 - p))
    table.attrs = {
        "synthetic": segments.synthetic,
        "convergence": str(convergence),
        "notes": ("SYNTHETIC DATA: these segments were generated.",) * segments.synthetic,
    }
    return table


def _interval(values: Floats) -> tuple[Floats, Floats, Floats]:
    middle, low, high = np.quantile(values, (0.5, 0.025, 0.975), axis=(0, 1))
    return middle, low, high


def _cells(
    wide: pd.DataFrame, informant: pd.Index, informants: tuple[str, ...], a: str, b: str
) -> Ints:
    """Segments by informant and cell."""
    x, y = wide[a].to_numpy(), wide[b].to_numpy()
    inside = np.stack([(x == i) & (y == j) for i, j in CELLS], -1)
    return np.stack([inside[informant == name].sum(0) for name in informants])


def _pairs(segments: Segments, pairs: Iterable[tuple[str, str]] | None) -> list[tuple[str, str]]:
    known = segments.model.subthemes
    chosen = list(combinations(known, 2)) if pairs is None else [tuple(pair) for pair in pairs]
    for pair in chosen:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise DataError(f"{pair!r} is no pair of codes.", hint='Give ("conflict", "trust").')
        for name in pair:
            if name not in known:
                hint = did_you_mean(str(name), known) or f"There are {', '.join(known)}."
                raise DataError(f"`{name}` is no sub-theme.", hint=hint, label=str(name))
    if not chosen:
        raise DataError("there are no pairs.", hint="Leave `pairs` out for all of them.")
    return chosen  # type: ignore[return-value]
