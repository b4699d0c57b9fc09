"""Units scored by a posterior that has not seen them: exact refits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from bayesem.arrays import Floats, Ints
from bayesem.comparison.importance import mcse_of_mean
from bayesem.comparison.units import Units
from bayesem.data import Answers
from bayesem.distribution import Replicates, Runner
from bayesem.pointwise import case_log_likelihood
from bayesem.posterior import Fit, in_home_units, on_real_line
from bayesem.preparation import Prepared, fingerprint
from bayesem.refitting import prepared, refit, subset

__all__ = ["LeftOut", "score_all"]


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What one refit says of the units that it was not given.

    Attributes
    ----------
    units : (unit,) array of int
    elpd : (unit,) array
        Log predictive densities.
    mcse : (unit,) array
        Their Monte-Carlo standard errors.
    together : float
        The Monte-Carlo standard error of their sum: they share the refit's draws.
    problem : str
        Why the refit's chains are not to be believed; empty where they are.
    failed : bool
        Whether there is no refit at all.
    """

    units: Ints
    elpd: Floats
    mcse: Floats
    together: float
    problem: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What all refits share."""

    ready: Prepared
    member: Ints
    parts: tuple[Ints, ...]
    width: int
    draws: int | None
    cores: int | None


def score_all(fit: Fit, units: Units, parts: Sequence[Ints], runner: Runner) -> list[LeftOut]:
    """One refit without each part, which then scores it; in order.

    Parameters
    ----------
    fit : Fit
        Of raw answers; priors keep the scales that they have there.
    units : Units
    parts : sequence of (unit,) array of int
        The units to leave out together.
    runner : Runner

    Raises
    ------
    SamplingError
        If the work was stopped before its end.
    """
    width = max(len(p) for p in parts)
    task = _Task(
        prepared(fit), units.member, tuple(parts), width, runner.draws, runner.cores(len(parts))
    )
    shapes = {"elpd": (width,), "mcse": (width,), "other": (5,)}
    found = runner.run(
        _one, task, len(parts), shapes=shapes, about=_about(fit, units, parts, runner)
    )
    return [_read(found, k, part) for k, part in enumerate(parts)]


def _one(task: _Task, number: int, seed: np.random.SeedSequence) -> dict[str, Any]:
    """Fit without one part and score it; shapes are padded to the largest part."""
    chosen = task.parts[number]
    data = task.ready.data
    assert isinstance(data, Answers)
    inside = np.isin(task.member, chosen)
    whole = int(seed.generate_state(1)[0]) & 0x7FFFFFFF
    again = refit(task.ready, rows=~inside, seed=whole, draws=task.draws, cores=task.cores)
    values = unseen(again, subset(data, inside))
    labels = task.member[inside]
    pooled = np.stack([values[..., labels == k].sum(-1) for k in chosen])
    elpd, relative = predictive_density(pooled)
    table = again.convergence.table
    other = [float(mcse_of_mean(relative.sum(0)[None])[0]), float(again.converged),
             float(table["r_hat"].max()), float(table["ess_bulk"].min()),
             float(table["ess_tail"].min())]  # fmt: skip
    pad = np.full(task.width - len(chosen), np.nan)
    mcse = mcse_of_mean(relative)
    return {"elpd": np.append(elpd, pad), "mcse": np.append(mcse, pad), "other": other}


def _read(found: Replicates, number: int, part: Ints) -> LeftOut:
    size = len(part)
    if not found.done[number]:
        error = found.failures.set_index("replicate")["error"].get(number, "it was not run")
        nothing = np.full(size, np.nan)
        return LeftOut(part, nothing, nothing, float("nan"), f"no refit: {error}", failed=True)
    elpd, mcse = (found.values[name][number, :size] for name in ("elpd", "mcse"))
    together, converged, r_hat, bulk, tail = found.values["other"][number]
    problem = "" if converged else (
        f"NOT CONVERGED: R-hat up to {r_hat:.3f}, bulk ESS {bulk:.0f}, tail ESS {tail:.0f}"
    )  # fmt: skip
    return LeftOut(part, elpd, mcse, float(together), problem)


def _about(fit: Fit, units: Units, parts: Sequence[Ints], runner: Runner) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    s = fit.settings
    members = np.ascontiguousarray(units.member, float).tobytes()
    return {
        "what": "left out", **fingerprint(prepared(fit)), "integrate": s.integrate,
        "draws": runner.draws or s.draws, "tune": s.tune, "chains": s.chains,
        "members": hashlib.sha256(members).hexdigest(),
        "parts": hashlib.sha256(repr([p.tolist() for p in parts]).encode()).hexdigest(),
    }  # fmt: skip


def unseen(fit: Fit, data: Answers) -> Floats:
    """Log-likelihood of other cases at a fit's draws, (chain, draw, case)."""
    u = on_real_line(fit)
    x = in_home_units(fit)
    q = u.shape[-1]
    values = case_log_likelihood(fit.spec, data, u.reshape(-1, q), x.reshape(-1, q))
    return values.reshape(*u.shape[:2], -1)


def predictive_density(values: Floats) -> tuple[Floats, Floats]:
    """Log of the mean density, and each draw's share in it, from (..., chain, draw) logarithms."""
    count = values.shape[-1] * values.shape[-2]
    elpd = logsumexp(values, axis=(-2, -1)) - np.log(count)
    return np.asarray(elpd), np.exp(values - elpd[..., None, None])
