"""Means and standard deviations that a model implies, outcomes of other families included.

What an outcome of another family leads to depends on its observed value, which is not normal. Means
and covariances need no more of it than its mean, its variance and its regression on its linear
predictor (:func:`bayesem.responses.moments`); where several outcomes follow each other, the later
linear predictors are taken as normal for that.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.matrices import Matrices, factor_moments
from bayesem.responses import link_variance, moments
from bayesem.variables import links, reach, structure

if TYPE_CHECKING:
    from bayesem.partable import ParameterTable

__all__ = [
    "Implied",
    "implied",
    "implied_moments",
    "linear_mean",
    "outcome_shape",
    "scales",
    "with_responses",
]


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """A model in every draw, with the means and sds that it implies.

    Attributes
    ----------
    table : ParameterTable
    matrices : Matrices
        Batched over leading axes.
    mean, sd : (..., factor) arrays
        ``sd`` as :func:`scales` says.
    centre : (..., factor) array
        What a product of factors counts as 0: a latent variable's mean without any products, and 0
        for an observed one.
    """

    table: Any
    matrices: Matrices
    mean: Floats
    sd: Floats
    centre: Floats

    def deviation(self, position: int, number: float) -> Floats:
        """What a number in a condition says of a moderator, as products of factors count it.

        A latent variable is that many sds from its mean; an observed one has that value.
        """
        return self.level(position, number) - self.centre[..., position]

    def level(self, position: int, number: float) -> Floats:
        """What a number in a condition says of a variable, in its own units, (...)."""
        if position < len(self.table.latent):
            return np.asarray(self.mean[..., position] + number * self.sd[..., position])
        return np.full(self.mean.shape[:-1], float(number))


def implied(table: "ParameterTable", matrices: Matrices) -> Implied:
    """The implied means and sds of a model's draws."""
    mean, Phi = implied_moments(table, matrices)
    centre = linear_mean(matrices)
    centre[..., len(table.latent) :] = 0.0
    return Implied(table, matrices, mean, _scales(table, matrices, mean, Phi), centre)


def linear_mean(matrices: Matrices) -> Floats:
    """Mean of the factors without their products, (..., factor)."""
    return np.asarray((matrices.A @ matrices.alpha[..., None])[..., 0])


def outcome_shape(matrices: Matrices, number: int) -> Floats:
    """The further parameter of an outcome's family, (...); 0 where the model has none at all."""
    if matrices.shape.shape[-1] == 0:
        return np.zeros(matrices.alpha.shape[:-1])
    return matrices.shape[..., number]


def with_responses(table: "ParameterTable", matrices: Matrices) -> Matrices:
    """The matrices in which observed values of outcomes depend on their linear predictors.

    A linear system with the same means and covariances as the model's own. In the matrices of a
    fit, these observed values have the moments of the sample and depend on nothing.
    """
    above = reach(structure(table))
    twins = links(table)
    for twin in sorted(twins, key=lambda t: int(above[t, list(twins)].sum())):
        outcome = table.outcomes[twins[twin]]
        mean, Phi = factor_moments(matrices)
        m, v = mean[..., outcome.factor], Phi[..., outcome.factor, outcome.factor]
        shape = outcome_shape(matrices, twins[twin])
        expected, variance, slope = moments(outcome.family, m, v, shape)
        Beta, Psi, alpha = (a.copy() for a in (matrices.Beta, matrices.Psi, matrices.alpha))
        Beta[..., twin, outcome.factor] = slope
        Psi[..., twin, :] = Psi[..., :, twin] = 0.0
        Psi[..., twin, twin] = np.maximum(variance - slope**2 * v, 0.0)
        alpha[..., twin] = expected - slope * m
        matrices = replace(matrices, Beta=Beta, Psi=Psi, alpha=alpha)
    return matrices


def implied_moments(table: "ParameterTable", matrices: Matrices) -> tuple[Floats, Floats]:
    """Mean (..., factor) and covariance (..., factor, factor_bis) of all factors."""
    return factor_moments(with_responses(table, matrices))


def scales(table: "ParameterTable", matrices: Matrices) -> Floats:
    """Implied standard deviations by which factors are standardised, (..., factor).

    For an outcome, that of its linear predictor with what the family adds to it
    (:func:`bayesem.responses.link_variance`), so that not all of a logit is explained.
    """
    return _scales(table, matrices, *implied_moments(table, matrices))


def _scales(table: "ParameterTable", matrices: Matrices, mean: Floats, Phi: Floats) -> Floats:
    variance = np.diagonal(Phi, axis1=-2, axis2=-1).copy()
    for k, outcome in enumerate(table.outcomes):
        m, v = mean[..., outcome.factor], variance[..., outcome.factor]
        more = link_variance(outcome.family, m, v, outcome_shape(matrices, k))
        variance[..., outcome.factor] = v + more
    return np.sqrt(variance)
