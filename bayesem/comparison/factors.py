"""Evidence of several fits as Bayes factors, and how these lean on the priors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesem.comparison.bridge import LogEvidence, evidence
from bayesem.distribution import Runner, run_campaign
from bayesem.errors import BayesemError, PriorError, SamplingError
from bayesem.posterior import Fit
from bayesem.preparation import Prepared
from bayesem.prior_scaling import scaled
from bayesem.refitting import sample

__all__ = ["bayes_factors", "evidences", "scaled_evidences"]


def evidences(fits: Mapping[str, Fit]) -> tuple[dict[str, LogEvidence], dict[str, str]]:
    """Evidence of each fit that has one, and why the others have none.

    Parameters
    ----------
    fits : mapping of str to Fit
    """
    found: dict[str, LogEvidence] = {}
    without: dict[str, str] = {}
    for name, fit in fits.items():
        if fit.spec.preset == "blavaan":
            without[name] = (
                'no evidence: the priors "blavaan" are for reproduction, and no Bayes factor rests '
                "on them"
            )
            continue
        try:
            found[name] = evidence(fit)
        except BayesemError as error:
            without[name] = f"no evidence: {error.message}"
    return found, without


def bayes_factors(found: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Against the best, from log evidences and their errors.

    Returns
    -------
    DataFrame
        ``log_evidence evidence_mcse bayes_factor bayes_factor_mcse`` by model; the best has 1.
    """
    table = pd.DataFrame.from_dict(
        dict(found), orient="index", columns=["log_evidence", "evidence_mcse"], dtype=float
    )
    if table.empty:
        return table.assign(bayes_factor=np.nan, bayes_factor_mcse=np.nan)
    log, mcse = table.to_numpy().T
    best = int(np.argmax(log))
    factor = np.exp(log - log[best])
    error = factor * np.hypot(mcse, mcse[best])
    error[best] = 0.0
    return table.assign(bayes_factor=factor, bayes_factor_mcse=error)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    models: tuple[Prepared, ...]
    cores: int | None


def scaled_evidences(
    fits: Mapping[str, Fit], scales: Sequence[float], runner: Runner
) -> dict[float, dict[str, tuple[float, float]]]:
    """Log evidence and error of each fit with the widths of its structural priors scaled.

    Parameters
    ----------
    fits : mapping of str to Fit
    scales : sequence of float
        Factors other than 1.
    runner : Runner
        Who samples the fits again.

    Raises
    ------
    PriorError
        If a factor is not a positive number, or a structural prior cannot be scaled.
    SamplingError
        If the work was stopped, or a fit did not converge.
    """
    work = [(scale, name) for scale in scales for name in fits]
    if not work:
        return {}
    if any(scale == 1 for scale in scales):
        raise PriorError("a factor of 1 scales nothing.", hint="Leave it out.")
    models = tuple(scaled(fits[name], scale) for scale, name in work)
    workers = runner.crew(len(work))
    task = _Task(models, None if workers == 0 and runner.scheduler is None else 1)
    about = {"what": "evidence by prior", "models": [str(m.model) for m in models],
             "priors": [dict(m.settings.prior_text) for m in models]}  # fmt: skip
    done = run_campaign(
        _one, task, len(work), shapes={"log_evidence": (), "mcse": ()}, about=about,
        seed=runner.seed, store=runner.store, scheduler=runner.scheduler, workers=workers,
        progress=runner.progress, what="fits",
    )  # fmt: skip
    if done.interrupted:
        raise SamplingError(f"the fits were stopped: {done}.", hint="Give a `store` to go on with.")
    if len(done.failures):
        scale, name = work[int(done.failures["replicate"].iloc[0])]
        raise SamplingError(
            f"`{name}` with priors {scale:g} times as wide has no evidence: "
            f"{done.failures['error'].iloc[0]}"
        )
    out: dict[float, dict[str, tuple[float, float]]] = {scale: {} for scale in scales}
    for k, (scale, name) in enumerate(work):
        values = (float(done.values["log_evidence"][k]), float(done.values["mcse"][k]))
        out[scale][name] = values
    return out


def _one(task: _Task, number: int, seed: np.random.SeedSequence) -> dict[str, Any]:
    whole = int(seed.generate_state(1)[0]) & 0x7FFFFFFF
    found = evidence(sample(task.models[number], seed=whole, cores=task.cores))
    return {"log_evidence": found.log_evidence, "mcse": found.mcse}
