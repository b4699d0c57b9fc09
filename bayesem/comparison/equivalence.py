"""Graphs that no data can tell apart: as many parameters and the same best likelihood."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from bayesem.errors import BayesemError
from bayesem.kernels.target import target_of
from bayesem.posterior import Fit, on_real_line
from bayesem.priors import Prior
from bayesem.sampling.starts import maximum
from bayesem.spec import Spec

__all__ = ["equivalent_pairs"]

#: Largest difference of two maxima that counts as none, in log units.
NEAR = 1e-4


def equivalent_pairs(fits: Mapping[str, Fit]) -> list[tuple[str, str]]:
    """Pairs of fits whose likelihoods have the same maximum with as many parameters.

    That holds for graphs that imply the same distributions (reversed arrows, a mediator that is as
    well a further predictor): predictions and evidence then differ by the priors alone. It is
    looked for where the cases share one likelihood of moments; elsewhere maxima are too dear.

    Parameters
    ----------
    fits : mapping of str to Fit
        Of the same data.
    """
    pairs = [
        (a, b)
        for a, b in combinations(fits, 2)
        if _size(fits[a].spec) == _size(fits[b].spec)
        and fits[a].spec.cases is None
        and fits[b].spec.cases is None
    ]
    best = {name: _best_likelihood(fits[name]) for name in {n for pair in pairs for n in pair}}
    return [(a, b) for a, b in pairs if abs(best[a] - best[b]) < NEAR]


def _size(spec: Spec) -> int:
    return len(spec.parameters)


def _best_likelihood(fit: Fit) -> float:
    """The maximum of the likelihood; not a number where none is found."""
    spec = _flat(fit.spec)
    target = target_of(spec, jacobian=False)
    u = on_real_line(fit)
    try:
        mode = maximum(spec, jacobian=False, start=u.mean((0, 1)), target=target)
    except (BayesemError, np.linalg.LinAlgError):
        return math.nan
    return mode.value if mode.gradient < 1e-3 else math.nan


def _flat(spec: Spec) -> Spec:
    """The same likelihood under priors that say nothing."""
    flat = Prior("flat", ())
    return replace(
        spec,
        parameters=tuple(
            replace(p, prior=None if p.prior is None else flat) for p in spec.parameters
        ),
        derived=tuple(replace(d, prior=None) for d in spec.derived),
        blocks=tuple(replace(b, eta=1.0, full=False) for b in spec.blocks),
    )
