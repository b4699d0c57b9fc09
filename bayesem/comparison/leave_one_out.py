"""Leave-one-out: how well a model predicts a case, or a group of cases, that it has not seen."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.utils import ELPDDataLOO

from bayesem.arrays import Floats, spaced
from bayesem.comparison.importance import Sampled, matched, mcse_of_mean, smoothed
from bayesem.comparison.left_out import LeftOut, score_all
from bayesem.comparison.same_cases import conditional_log_likelihoods
from bayesem.comparison.units import Units, units_of
from bayesem.data import Answers
from bayesem.distribution import Runner
from bayesem.errors import ConvergenceWarning, NotAvailableError
from bayesem.pointwise import case_log_likelihood, compute_log_likelihood, refuse_caseless
from bayesem.posterior import Fit, in_home_units, on_real_line
from bayesem.seeds import check_seed

__all__ = ["Loo", "influences", "loo", "notes_of", "sampled_of"]

WAYS = ("importance sampling", "moment matching", "exact refit", "exact refit, not converged",
        "no refit")  # fmt: skip


@dataclass(kw_only=True, repr=False)
class Loo(ELPDDataLOO):  # type: ignore[misc]
    """ArviZ's result with what it rests on.

    Attributes
    ----------
    way : DataArray of str
        How each unit was left out: ``importance sampling``, ``moment matching``, ``exact refit``,
        ``exact refit, not converged``, or ``no refit`` where one was tried in vain (the unit's part
        is then that of the way before).
    mcse, mcse_i : float, DataArray
        Monte-Carlo standard error of ``elpd`` and of each unit's part (``se`` is that over cases).
    conditional : bool
        Whether the factor scores were taken as known: same cases again, not new cases.
    unit : str
        ``case`` or ``group``.
    notes : tuple of str
    """

    way: Any = None
    mcse: float = float("nan")
    mcse_i: Any = None
    conditional: bool = False
    unit: str = "case"
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def k_bad(self) -> int:
        """Units whose part of the elpd cannot be trusted."""
        return int((self.pareto_k > self.good_k).sum())

    def _header(self) -> str:
        lines = [super()._header(), *self.notes]
        return "\n".join(lines)

    def _footer(self) -> str:
        names, counts = np.unique(self.way.to_numpy(), return_counts=True)
        ways = ", ".join(f"{n} {c}" for n, c in zip(names, counts, strict=True))
        return f"\nMonte-Carlo error of the elpd {self.mcse:.2g}. By {ways}.\n{super()._footer()}"


def loo(
    fit: Fit,
    *,
    by: str | Sequence[Any] | None = None,
    conditional: bool = False,
    moment_match: bool | None = None,
    exact: bool | None = None,
    draws: int | None = None,
    seed: int = 0,
    scheduler: str | None = None,
    workers: int | None = None,
    store: str | Path | None = None,
    progress: bool | Callable[..., Any] = False,
) -> Loo:
    r"""Expected log predictive density of unseen cases, :math:`\sum_i \ln p(y_i | y_{-i})`.

    Factors are integrated out, so a case is a new case. Predictors that the fit conditions on are
    conditioned on. Draws are weighted (Pareto-smoothed importance sampling); a unit whose Pareto k
    is above ``good_k`` (.7, less for few draws) is left out by matched moments, and where that does
    not help by a fit without it. ``way`` says which was taken.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    by : str or sequence, optional
        Groups of cases that are left out together (clusters): a label for each row of the data, or
        one of the model's observed variables.
    conditional : bool
        Take sampled factor scores as known, :math:`p(y_i | \eta_i, \theta)`: the same cases again,
        not new cases. By name only; it is no basis for choosing between graphs.
    moment_match, exact : bool, optional
        Whether to mend large k by matched moments, by refits. By default both where all cases
        share one likelihood of moments, neither where products or other families are integrated
        case by case (there each costs minutes) or ``conditional``.
    draws : int, optional
        Evenly spaced posterior draws to use; all by default.
    seed : int
        Of refits and of sampled scores.
    scheduler, workers, store, progress
        Who runs the refits; see :func:`bayesem.kfold`.

    Returns
    -------
    Loo
        An ArviZ ``ELPDDataLOO``: ``elpd se p elpd_i pareto_k`` and more.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments (there are no cases) or its means are not modelled.

    References
    ----------
    .. [1] Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432.
    .. [2] Merkle, Furr & Rabe-Hesketh (2019), Psychometrika 84, 802-829.
    .. [3] Paananen, Piironen, Buerkner & Vehtari (2021), Statistics and Computing 31, 16.
    """
    refuse_caseless(fit)
    check_seed(seed)
    units = units_of(fit, by)
    cheap = fit.spec.cases is None and not conditional
    moment_match = cheap if moment_match is None else moment_match
    exact = cheap if exact is None else exact
    if conditional and (moment_match or exact):
        raise NotAvailableError(
            "a case cannot be left out exactly where its own factor scores are taken as known.",
            hint="Leave moment_match and exact out, or use the marginal criterion (the default).",
        )
    sampled = sampled_of(fit, units, draws=draws, conditional=conditional, seed=seed)
    found, tree, r_eff = smoothed(sampled, units)
    way = np.full(units.size, WAYS[0], dtype=object)
    moved: dict[int, Floats] = {}
    if moment_match and (found.pareto_k > found.good_k).any():
        found, moved = matched(fit, found, tree, units, r_eff)
        way[list(moved)] = WAYS[1]
    influence = influences(found, sampled, moved)
    mcse_i = mcse_of_mean(influence)
    parts: list[LeftOut] = []
    bad = np.flatnonzero((found.pareto_k > found.good_k).to_numpy())
    if exact and len(bad):
        runner = Runner(seed, None, scheduler, workers, store, progress)
        parts = score_all(fit, units, [np.array([k]) for k in bad], runner)
        _put(found, way, mcse_i, parts)
    together = influence[~np.isin(way, WAYS[2:4])].sum(0)
    mcse = np.sqrt(
        mcse_of_mean(together[None])[0] ** 2 + sum(p.mcse[0] ** 2 for p in parts if not p.failed)
    )
    return _result(fit, found, way, mcse_i, mcse, sampled, units, conditional)


def sampled_of(
    fit: Fit, units: Units, *, draws: int | None = None, conditional: bool = False, seed: int = 0
) -> Sampled:
    """The posterior's draws, thinned within chains, with each unit's log-likelihood."""
    u = on_real_line(fit)
    x = in_home_units(fit)
    chains, length, q = u.shape
    each = length if draws is None else max(1, min(length, -(-draws // chains)))
    kept = spaced(length, each)
    u, x = u[:, kept], x[:, kept]
    if conditional:
        flat = conditional_log_likelihoods(fit, x.reshape(-1, q), seed)
        values = flat.reshape(chains, each, -1)
    elif each == length or "log_likelihood" in fit.draws:
        stored = compute_log_likelihood(fit)["log_likelihood"]["y"]
        values = stored.transpose("chain", "draw", "case").to_numpy()[:, kept]
    else:
        assert isinstance(fit.data, Answers)
        flat = case_log_likelihood(fit.spec, fit.data, u.reshape(-1, q), x.reshape(-1, q))
        values = flat.reshape(chains, each, -1)
    return Sampled(u, units.pooled(values))


def influences(
    found: ELPDDataLOO, sampled: Sampled, moved: Mapping[int, Floats] | None = None
) -> Floats:
    """How far each draw moves each unit's elpd, (unit, chain, draw).

    The elpd of a unit is the log of the likelihood's weighted mean; a draw moves it by its weight
    times its likelihood's relative distance from that mean. ``moved`` holds the likelihoods of
    units whose draws were moved, the first half of each chain; the two halves are strata, so that
    only the spread within them counts.
    """
    unit = found.pareto_k.dims[0]
    log_weights = found.log_weights.transpose(unit, "chain", "draw").to_numpy()
    values = np.moveaxis(sampled.values, -1, 0)
    if moved:
        values = values.copy()
        for k, new in moved.items():
            values[k] = new
    elpd_i = found.elpd_i.to_numpy()[:, None, None]
    relative = np.exp(log_weights + values - elpd_i) - np.exp(log_weights)
    half = values.shape[-1] // 2
    for k in moved or ():
        for part in (slice(None, half), slice(half, None)):
            relative[k][:, part] -= relative[k][:, part].mean()
    return np.asarray(relative * sampled.draws)


def _put(found: ELPDDataLOO, way: np.ndarray, mcse_i: Floats, parts: list[LeftOut]) -> None:
    """Write the refits' answers in the place of the weighted ones."""
    for part in parts:
        k = int(part.units[0])
        if part.failed:
            way[k] = WAYS[4]
            continue
        found.elpd_i.values[k] = part.elpd[0]
        mcse_i[k] = part.mcse[0]
        way[k] = WAYS[3] if part.problem else WAYS[2]
        if not part.problem:
            found.pareto_k.values[k] = 0.0


def _result(
    fit: Fit,
    found: ELPDDataLOO,
    way: np.ndarray,
    mcse_i: Floats,
    mcse: float,
    sampled: Sampled,
    units: Units,
    conditional: bool,  # noqa: FBT001
) -> Loo:
    elpd_i = found.elpd_i.to_numpy()
    top = sampled.values.max((0, 1))
    lppd_i = np.log(np.exp(sampled.values - top).mean((0, 1))) + top
    kept = {f.name: getattr(found, f.name) for f in fields(ELPDDataLOO)}
    dims, coords = found.elpd_i.dims, found.elpd_i.coords
    bad = bool((found.pareto_k > found.good_k).any())
    kept |= {
        "elpd": float(elpd_i.sum()), "se": float(np.sqrt(units.size) * elpd_i.std()),
        "p": float(lppd_i.sum() - elpd_i.sum()), "warning": bad,
        "p_loo_i": xr.DataArray(lppd_i - elpd_i, dims=dims, coords=coords),
    }  # fmt: skip
    if not fit.converged:
        warnings.warn(str(fit.convergence), ConvergenceWarning, stacklevel=3)
    return Loo(
        **kept, way=xr.DataArray(way, dims=dims, coords=coords), mcse=float(mcse),
        mcse_i=xr.DataArray(mcse_i, dims=dims, coords=coords), conditional=conditional,
        unit=units.name, notes=notes_of(fit, units, conditional=conditional),
    )  # fmt: skip


def notes_of(fit: Fit, units: Units, *, conditional: bool = False) -> tuple[str, ...]:
    """What a reader of a result has to know."""
    notes = [] if fit.converged else [str(fit.convergence)]
    if conditional:
        notes.append("CONDITIONAL on sampled factor scores: same cases again, not new cases")
    if units.grouped:
        notes.append(f"left out by group: {units.size} groups")
    if fit.table.fixed_x:
        names = ", ".join(f"`{x}`" for x in fit.table.fixed_x)
        notes.append(f"conditional on {names}, which the model does not explain")
    notes += [n for n in fit.notes if n.startswith("SYNTHETIC")]
    return tuple(notes)
