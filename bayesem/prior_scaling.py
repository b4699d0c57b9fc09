"""The same model under wider or narrower priors: one place that says what a scaled prior is."""

import math
from collections.abc import Sequence
from dataclasses import replace

from bayesem.errors import PriorError
from bayesem.posterior import Fit
from bayesem.preparation import Prepared
from bayesem.priors import FAMILIES, Prior
from bayesem.refitting import prepared
from bayesem.spec import Spec

__all__ = ["STRUCTURAL", "scaled", "scaled_spec"]

#: The parameters that propositions and rival graphs are about.
STRUCTURAL = ("path", "interaction")

#: Position of the scale among the arguments of families that have one apart from their location.
_SCALE_AT = {
    "normal": 1,
    "truncatednormal": 1,
    "halfnormal": 0,
    "studentt": 2,
    "halfstudentt": 1,
    "cauchy": 1,
    "halfcauchy": 0,
    "laplace": 1,
    "lognormal": 1,
}


def scaled(ready: Prepared | Fit, factor: float, kinds: Sequence[str] = STRUCTURAL) -> Prepared:
    """The model with the priors of some kinds of parameters made wider or narrower.

    Parameters
    ----------
    ready : Prepared or Fit
        Scales of default priors stay as they are there.
    factor : float
        What each prior's standard deviation (or scale) is multiplied by; its location stays.
    kinds : sequence of str
        Variables such as ``path``, ``interaction``, ``loading``, ``intercept``.

    Returns
    -------
    Prepared
        With a note that says so; the same model where no parameter is of these kinds.

    Raises
    ------
    PriorError
        If the factor is not a positive number, or a prior has no scale apart from its location
        (gamma, beta, uniform, ...).
    """
    source = prepared(ready)
    spec = scaled_spec(source.spec, factor, kinds)
    touched = spec is not source.spec and factor != 1
    words = " and ".join(f"{kind}s" for kind in kinds)
    note = (f"priors of {words} are {factor:g} times as wide",) if touched else ()
    text = {p.name: str(p.prior) for p in spec.parameters if p.prior is not None}
    settings = replace(source.settings, prior_text=text, carried=True)
    return replace(source, spec=spec, notes=(*source.notes, *note), settings=settings)


def scaled_spec(spec: Spec, factor: float, kinds: Sequence[str] = STRUCTURAL) -> Spec:
    """As :func:`scaled`, of a specification alone; ``spec`` itself if nothing is of these kinds."""
    real = isinstance(factor, int | float) and not isinstance(factor, bool)
    if not real or not (math.isfinite(factor) and factor > 0):
        raise PriorError(
            f"the factor of the priors' width is {factor!r}.", hint="Use a number above 0."
        )
    known = {p.variable for p in spec.parameters} | {d.variable for d in spec.derived}
    if not known & set(kinds):
        return spec
    return replace(
        spec,
        parameters=tuple(
            replace(p, prior=_wider(p.prior, factor, p.name)) if p.variable in kinds else p
            for p in spec.parameters
        ),
        derived=tuple(
            replace(d, prior=_wider(d.prior, factor, d.name)) if d.variable in kinds else d
            for d in spec.derived
        ),
    )


def _wider(prior: Prior | None, factor: float, name: str) -> Prior | None:
    """The prior about the same location with its scale multiplied."""
    if prior is None or factor == 1:
        return prior
    at = _SCALE_AT.get(prior.family)
    if at is None:
        known = prior.family if prior.family in FAMILIES else "PyMC distribution's"
        raise PriorError(
            f"the {known} prior of `{name}` has no scale apart from its location, so it cannot be "
            "made wider or narrower.",
            hint=f"Families that can: {', '.join(_SCALE_AT)}.",
        )
    args = tuple(a * factor if k == at else a for k, a in enumerate(prior.args))
    return replace(prior, args=args)
