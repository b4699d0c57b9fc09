"""A study's paths as another model implies them: regressions among the study's factors alone.

A path of a study is conditional on that study's predictors, and a larger model has more of them. So
its own path of the same name is another quantity. What can be compared is what the study's equation
would find in the larger model's population: the regression on the study's predictors, from the
implied covariances. For the study itself it is the path.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import NotAvailableError, PropositionError, did_you_mean
from bayesem.implied import implied_moments
from bayesem.matrices import Matrices

__all__ = ["Equations", "equations_of", "regressions"]

#: Outcomes with their predictors.
type Equations = tuple[tuple[str, tuple[str, ...]], ...]


def equations_of(table: Any) -> Equations:
    """The equations of a model whose paths are regressions among its factors.

    Parameters
    ----------
    table : ParameterTable

    Raises
    ------
    NotAvailableError
        If they are not: products, observed predictors, outcomes of other families, feedback,
        correlated residuals between an outcome and what comes before it, or a path that is fixed.
    """
    if table.products or table.outcomes:
        raise _unavailable("products of factors or outcomes of other families")
    rows = [r for r in table.rows if r.op == "~"]
    if not rows:
        raise PropositionError("the study has no paths to carry over.", hint="Give another fit.")
    for r in rows:
        if not {r.lhs, r.rhs} <= set(table.latent):
            raise _unavailable(f"an observed variable in `{r.name}`")
        if not r.free:
            raise _unavailable(f"a fixed path, `{r.name}`")
    outcomes = list(dict.fromkeys(r.lhs for r in rows))
    found = tuple((y, tuple(r.rhs for r in rows if r.lhs == y)) for y in outcomes)
    for r in table.rows:
        if r.op == "~~" and r.lhs != r.rhs and {r.lhs, r.rhs} & set(outcomes):
            raise _unavailable(f"a correlated residual, `{r.name}`")
    _refuse_feedback(dict(found))
    return found


def _refuse_feedback(parents: dict[str, tuple[str, ...]]) -> None:
    done: set[str] = set()
    left = set(parents)
    while left:
        ready = {y for y in left if not {*parents[y]} & left - done}
        if not ready:
            raise _unavailable("feedback")
        left -= ready
        done |= ready


def regressions(table: Any, matrices: Matrices, equations: Equations) -> Floats:
    """Standardised coefficients of the equations in the population of every draw.

    Parameters
    ----------
    table : ParameterTable
    matrices : Matrices
        Batched over (chain, draw).
    equations : tuple of (str, tuple of str)

    Returns
    -------
    (chain, draw, path) array
        Equation by equation.

    Raises
    ------
    PropositionError
        For a factor that the model does not have.
    """
    _, Phi = implied_moments(table, matrices)
    sd = np.sqrt(np.diagonal(Phi, axis1=-2, axis2=-1))
    R = Phi / (sd[..., :, None] * sd[..., None, :])
    found = [_one(table, R, y, xs) for y, xs in equations]
    return np.concatenate(found, -1)


def _one(table: Any, R: Floats, outcome: str, predictors: Sequence[str]) -> Floats:
    y, *xs = (_position(table, name) for name in (outcome, *predictors))
    inside = R[..., xs, :][..., :, xs]
    return np.asarray(np.linalg.solve(inside, R[..., xs, y][..., None])[..., 0])


def _position(table: Any, name: str) -> int:
    if name in table.latent:
        return int(table.factors.index(name))
    hint = did_you_mean(name, table.latent) or "Rename it: path_evidence(..., rename={...})."
    raise PropositionError(
        f"`{name}` is no factor of the model that paths are carried to.", hint=hint, label=name
    )


def _unavailable(what: str) -> NotAvailableError:
    return NotAvailableError(
        f"carrying over the paths of a study with {what} is not available.",
        hint="Its paths are no regressions among its factors alone.",
    )
