"""What is sampled: parameters with bounds and priors, and how they fill the matrices.

A ``Spec`` is the one description from which the PyMC graph, the compiled kernels' arrays, the prior
draws and the posterior's matrices are all made. Each value enters the matrices through terms
``coefficient * v[source] * v[first] * v[second]``, so that a covariance is a correlation times two
standard deviations, and a label's linear constraint is a value derived from others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bayesem.arrays import MATRICES, VECTORS, Floats
from bayesem.data import Answers, Statistics
from bayesem.matrices import Matrices
from bayesem.metric import Scale
from bayesem.partable import ParameterTable
from bayesem.priors import Prior

__all__ = ["Block", "Derived", "Parameter", "Spec", "Term"]

_INF = math.inf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One sampled number.

    Attributes
    ----------
    name : str
        Its coordinate, such as ``RSC =~ rsc2``.
    variable : str
        ``loading path residual_sd factor_sd correlation covariance intercept factor_mean``, or
        ``slack`` for the distance from an inequality constraint.
    lower, upper : float
        Bounds, in home units.
    prior : Prior or None
        None for the members of a correlation block, whose density is the block's, and for slacks.
    """

    name: str
    variable: str
    lower: float
    upper: float
    prior: Prior | None
    label: str | None = None
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A value that is a linear combination of sampled ones: ``constant + sum(weight * x)``."""

    name: str
    variable: str
    constant: float
    weights: tuple[tuple[int, float], ...]
    prior: Prior | None


@dataclass(frozen=True, slots=True)
class Term:
    """``matrix[i, j] += coefficient * v[source] * v[first] * v[second]`` (-1 stands for 1)."""

    matrix: str
    i: int
    j: int
    coefficient: float
    source: int
    first: int = -1
    second: int = -1


@dataclass(frozen=True, slots=True)
class Block:
    """Variables whose residuals are correlated, directly or through each other.

    The correlation matrix R of the block has density proportional to ``det(R) ** (eta - 1)`` where
    it is positive definite, and none elsewhere. ``members`` are (parameter, row, column), sorted by
    the later of their two variables. With ``cube`` the sampler works in coordinates that know no
    wall (:mod:`bayesem.correlations`); without, correlation by correlation.
    """

    matrix: str
    nodes: tuple[int, ...]
    eta: float
    members: tuple[tuple[int, int, int], ...]
    full: bool
    cube: bool = False

    @property
    def log_normaliser(self) -> float:
        """Log of the integral of ``det(R) ** (eta - 1)`` (full blocks; 0 where it is not known)."""
        return _lkj_log_normaliser(len(self.nodes), self.eta) if self.full else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """The sampled model, in home units.

    ``cases`` holds the answers where the likelihood needs them one by one (products of factors,
    outcomes of other families).
    """

    table: ParameterTable
    stats: Statistics
    parameters: tuple[Parameter, ...]
    derived: tuple[Derived, ...]
    terms: tuple[Term, ...]
    blocks: tuple[Block, ...]
    base: Matrices
    scales: tuple[Scale, ...]
    constant: float
    units: Floats
    preset: str
    notes: tuple[str, ...] = ()
    cell_priors: Mapping[str, Prior] = field(default_factory=dict)
    cases: Answers | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates of the sampled parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def priors(self) -> tuple[tuple[int, Prior], ...]:
        """Position and prior of every value that has one of its own, sampled or derived."""
        sampled = [p.prior for p in self.parameters]
        every = enumerate([*sampled, *(d.prior for d in self.derived)])
        return tuple((k, prior) for k, prior in every if prior is not None)

    @property
    def builtin(self) -> bool:
        """Whether every prior is of a built-in family."""
        return all(prior.builtin for _, prior in self.priors)

    def values(self, x: Floats) -> Floats:
        """Sampled values and, behind them, the derived ones: (..., q) to (..., q + derived)."""
        if not self.derived:
            return x
        extra = [
            d.constant + sum((w * x[..., k] for k, w in d.weights), np.zeros(x.shape[:-1]))
            for d in self.derived
        ]
        return np.concatenate([x, np.stack(extra, -1)], -1)

    def matrices(self, x: Floats) -> Matrices:
        """Matrices in home units, batched over the leading axes of ``x`` (..., q)."""
        v = self.values(x)
        lead = x.shape[:-1]
        out = {
            name: np.broadcast_to(
                getattr(self.base, name), (*lead, *getattr(self.base, name).shape)
            ).copy()
            for name in MATRICES
        }
        for t in self.terms:
            value = t.coefficient * v[..., t.source]
            for other in (t.first, t.second):
                if other >= 0:
                    value = value * v[..., other]
            if t.matrix in VECTORS:
                out[t.matrix][..., t.i] += value
            else:
                out[t.matrix][..., t.i, t.j] += value
                if t.matrix in ("Psi", "Theta") and t.i != t.j:
                    out[t.matrix][..., t.j, t.i] += value
        return Matrices(**out, products=self.table.products)


def _lkj_log_normaliser(d: int, eta: float) -> float:
    """Lewandowski, Kurowicka & Joe (2009), eq. 16."""
    from scipy.special import betaln

    total = 0.0
    for k in range(1, d):
        b = eta + (d - k - 1) / 2
        total += (d - k) * ((2 * b - 1) * math.log(2) + float(betaln(b, b)))
    return total
