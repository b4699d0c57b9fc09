"""Whether the data ask for a common method factor, or its prior alone answers."""

import numpy as np

from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import pack
from bayesem.sampling.starts import maximum
from bayesem.spec import Spec

__all__ = ["demand", "method_note"]

#: Fall of -2 log-likelihood beyond which a method factor counts as asked for.
ASKED = 3.84


def demand(whole: Spec, plain: Spec) -> float:
    """By how much -2 log-likelihood falls with the method factor, at both posterior modes.

    Parameters
    ----------
    whole, plain : Spec
        The model with and without it, on the same data; without products and other families.
    """
    return 2 * (_log_likelihood(whole) - _log_likelihood(plain))


def method_note(name: str, whole: Spec, plain: Spec) -> str:
    """What a reader has to know: equal loadings within blocks leave the matter to the priors."""
    fall = demand(whole, plain)
    head = f"with `{name}` -2 log-likelihood falls by {fall:.1f}"
    if fall > ASKED:
        return f"{head} for its one parameter"
    return (
        f"{head}, so the data fit as well without it: how it shares the correlations with the "
        "factors is decided by the priors (indicators of a factor whose loadings are alike cannot "
        "tell); read this fit as a check of what a method factor could do"
    )


def _log_likelihood(spec: Spec) -> float:
    array, u = pack(spec), maximum(spec).u[None]
    posterior, prior = (log_posteriors(array, u, flag)[0] for flag in (True, False))
    return float(np.float64(posterior) - prior) + spec.constant
