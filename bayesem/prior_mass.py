"""How much mass the prior's density, as it is sampled, has: the constant that evidence needs.

Where priors are cut by constraints, by each other or by positive definiteness, the sampled density
is a product of normalised densities times "admissible", and its mass is the share of proposals that
are. Draws and density are two routes to the same prior, see :mod:`bayesem.priordraws`.
"""

import math

import numpy as np

from bayesem.errors import PriorError
from bayesem.priordraws import acceptance, block_acceptance, block_log_mass
from bayesem.spec import Spec

__all__ = ["log_prior_mass"]


def log_prior_mass(spec: Spec, *, size: int = 200_000, seed: int = 0) -> tuple[float, float]:
    """Log of the integral of the prior's density as the kernels compute it.

    Parameters
    ----------
    spec : Spec
    size : int
        Proposals, by which each share is estimated.
    seed : int

    Returns
    -------
    float, float
        The logarithm, and its standard error; (0, 0) where every proposal is admissible.

    Raises
    ------
    PriorError
        If a prior is improper or outside the built-in families, or next to nothing is admissible.
    """
    rng = np.random.default_rng(seed)
    shares = [(acceptance(spec, size, rng), size)]
    value, variance = 0.0, 0.0
    for block in spec.blocks:
        if block.full:
            continue
        known = block_log_mass(spec, block, size, rng)
        if known is not None:
            value, variance = value + known[0], variance + known[1] ** 2
            continue
        columns = [k for k, _, _ in block.members]
        value += math.log(2) * sum(spec.parameters[k].prior is None for k in columns)
        if block.cube:
            shares.append((block_acceptance(spec, block, size, rng), size))
    for d in spec.derived:
        for k, weight in d.weights:
            if spec.parameters[k].variable == "slack":
                value -= math.log(abs(weight))
    for share, count in shares:
        if share * count < 100:
            raise PriorError(
                "the priors and constraints leave almost no admissible parameter values.",
                hint="Look for a prior that contradicts a constraint or the positive definiteness "
                "of a residual covariance matrix.",
            )
        value += math.log(share)
        variance += (1 - share) / (share * count)
    return value, math.sqrt(variance)
