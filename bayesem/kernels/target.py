"""What is sampled, behind one interface: the linear posterior or the casewise one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.kernels import linear
from bayesem.kernels.pack import pack
from bayesem.spec import Spec

__all__ = ["Target", "target_of"]

type Density = Callable[[Floats, Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A compiled log-density with everything that mode search and sampler call.

    Attributes
    ----------
    array : array
        What the kernel reads, without the whitening.
    parameters, scores : int
        Sampled parameters, and sampled scores behind them.
    density : callable
        ``(array, u) -> value, gradient`` on the real line.
    white : callable
        The same in whitened coordinates; its array ends with centre and spread.
    from_white : callable
        Whitened to real line.
    curvature : callable
        ``(array, u, step)`` to the Hessian.
    logp_entry, expand_entry : numba.CFunc
        What nutpie calls.
    whiten : callable
        ``(array, centre, spread)`` to the array that the sampler reads.
    """

    array: Floats
    parameters: int
    scores: int
    density: Density
    white: Density
    from_white: Callable[[Floats, Floats], Floats]
    curvature: Callable[[Floats, Floats, float], Floats]
    logp_entry: Any
    expand_entry: Any
    whiten: Callable[[Floats, Floats, Floats], Floats]
    casewise: bool = False

    @property
    def size(self) -> int:
        """Dimensions that the sampler moves in."""
        return self.parameters + self.scores


def _linear(array: Floats, u: Floats) -> tuple[float, Floats]:
    return linear.log_posterior(array, u, True)  # type: ignore[no-any-return]


def _whiten(array: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.concatenate([array, centre, spread.ravel()])


def target_of(spec: Spec, *, jacobian: bool = True, form: int = 1, nodes: int = 6) -> Target:
    """The target of a specification.

    Parameters
    ----------
    spec : Spec
    jacobian : bool
        As in :func:`bayesem.kernels.pack.pack`.
    form, nodes : int
        How a casewise likelihood is integrated (see :mod:`bayesem.kernels.plan`).
    """
    core, q = pack(spec, jacobian=jacobian), len(spec.parameters)
    if spec.cases is None:
        return Target(
            core, q, 0, _linear, linear.log_posterior_white, linear.from_white, linear.curvature,
            linear.logp_entry, linear.expand_entry, _whiten,
        )  # fmt: skip
    from bayesem.kernels import moderated
    from bayesem.kernels.plan import section

    part = section(spec.table, spec.cases, form=form, nodes=nodes)
    return Target(
        np.concatenate([core, part.array]), q, part.scores * len(part.order),
        moderated.density_of, moderated.white_of, moderated.from_white, moderated.curvature_of,
        moderated.logp_entry, moderated.expand_entry, moderated.whiten, casewise=True,
    )  # fmt: skip
