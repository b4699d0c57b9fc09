"""Verdicts of one fit's propositions where the model is fitted to other cases."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.arrays import Ints
from bayesem.data import Answers
from bayesem.decision import VERDICTS, WITHHELD
from bayesem.distribution import Runner
from bayesem.errors import BayesemError, DataError
from bayesem.posterior import Fit
from bayesem.preparation import Prepared, fingerprint
from bayesem.propositions import PropositionSet
from bayesem.refitting import prepared, renew, sample
from bayesem.verdicts import assess

__all__ = ["COLUMNS", "Cases", "Refitted", "verdicts_without"]

#: What a refit says of each proposition, beside the verdict.
COLUMNS = ("probability", "mcse", "estimate", "lower", "upper")


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Which cases a refit rests on; ``data`` are the fit's own where None."""

    rows: Ints
    data: Answers | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Refitted:
    """What one refit says.

    Attributes
    ----------
    table : DataFrame
        ``probability mcse estimate lower upper verdict`` by name of the proposition; missing and
        withheld where there is no refit.
    converged : bool
    problem : str
        Why there is no refit; empty where there is one.
    """

    table: pd.DataFrame
    converged: bool
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What all refits share; ``prior`` are the groups of prior draws of the first fit."""

    ready: Prepared
    parts: tuple[Cases, ...]
    propositions: PropositionSet
    names: tuple[str, ...]
    prior: dict[str, xr.Dataset]
    draws: int | None
    cores: int | None


def verdicts_without(
    fit: Fit, propositions: PropositionSet, parts: Sequence[Cases], runner: Runner
) -> list[Refitted]:
    """Verdicts of a refit to each set of cases, with the priors and prior draws of the fit.

    Raises
    ------
    DataError
        If some cases cannot carry the model.
    SamplingError
        If the work was stopped before its end.
    """
    if not parts:
        return []
    for part in parts:
        _renewed(prepared(fit), part)
    names = tuple(assess(propositions, fit).table["name"])
    groups = [g for g in ("prior", "sampled_prior") if g in fit.draws.children]
    task = _Task(
        prepared(fit), tuple(parts), propositions, names,
        {g: fit.draws[g].to_dataset() for g in groups}, runner.draws, runner.cores(len(parts)),
    )  # fmt: skip
    shapes = {"table": (len(names), len(COLUMNS)), "verdict": (len(names),), "converged": ()}
    found = runner.run(_one, task, len(parts), shapes=shapes, about=_about(fit, task))
    errors = found.failures.set_index("replicate")["error"]
    out = []
    for k in range(len(parts)):
        table = pd.DataFrame(found.values["table"][k], index=names, columns=list(COLUMNS))
        table.index.name = "name"
        done = bool(found.done[k])
        codes = found.values["verdict"][k]
        table["verdict"] = [VERDICTS[int(c)] for c in codes] if done else WITHHELD
        problem = "" if done else str(errors.get(k, "it was not run"))
        out.append(Refitted(table, done and bool(found.values["converged"][k]), problem))
    return out


def _renewed(ready: Prepared, part: Cases) -> Prepared:
    try:
        with_data = renew(ready, data=part.data) if part.data is not None else ready
        return renew(with_data, rows=part.rows)
    except BayesemError as error:
        total = ready.data.n if part.data is None else part.data.n
        raise DataError(
            f"{len(part.rows)} of {total} cases cannot be fitted: {error.message}", hint=error.hint
        ) from error


def _one(task: _Task, number: int, seed: np.random.SeedSequence) -> dict[str, Any]:
    """One refit."""
    ready = _renewed(task.ready, task.parts[number])
    whole = int(seed.generate_state(1)[0] >> 1)
    again = sample(ready, draws=task.draws, seed=whole, cores=task.cores)
    for group, values in task.prior.items():
        again.draws[group] = xr.DataTree(values)
    table = assess(task.propositions, again).table.set_index("name").loc[list(task.names)]
    return {
        "table": table[list(COLUMNS)].to_numpy(float),
        "verdict": [VERDICTS.index(v) for v in table["verdict"]],
        "converged": float(again.converged),
    }


def _about(fit: Fit, task: _Task) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    s = fit.settings
    digest = hashlib.sha256()
    for part in task.parts:
        digest.update(np.asarray(part.rows, np.int64).tobytes())
        if part.data is not None:
            digest.update(np.ascontiguousarray(part.data.values).tobytes())
            digest.update(np.ascontiguousarray(part.data.outcomes, float).tobytes())
    return {
        "what": "verdicts without cases", **fingerprint(task.ready), "integrate": s.integrate,
        "draws": task.draws or s.draws, "tune": s.tune, "chains": s.chains, "fit seed": s.seed,
        "claims": {p.name: [p.claim, repr(p.rule)] for p in task.propositions},
        "cases": digest.hexdigest(),
    }  # fmt: skip
