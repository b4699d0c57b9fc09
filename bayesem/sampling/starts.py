"""Starting points near the posterior's maximum, overdispersed by the curvature there."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from bayesem.arrays import Floats
from bayesem.errors import SamplingError
from bayesem.kernels.pack import unconstrained
from bayesem.kernels.target import Target, target_of
from bayesem.sampling.directions import contrary_markers, falling_paths, reversed_loadings
from bayesem.spec import Parameter, Spec

__all__ = ["Mode", "maximum", "overdispersed", "rough_point", "spread_around", "whitened"]

#: Factor by which starting points are spread more widely than the normal approximation.
OVERDISPERSION = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A maximum on the real line.

    Attributes
    ----------
    u : (q,) array
    value : float
    curvature : (q, q) array
        Hessian of the log-posterior.
    gradient : float
        Largest absolute gradient, over the scale of the curvature.
    """

    u: Floats
    value: float
    curvature: Floats
    gradient: float


def rough_point(spec: Spec, *, turned: bool = True) -> Floats:
    """A plain guess, (q,): loadings of 0.7, half of each variance as residual, no correlation.

    Paths by which an outcome of another family seems to fall are negative, and so are loadings of
    indicators that run against their marker, unless they are not ``turned``.
    """
    guess = np.array([_guess(spec, p) for p in spec.parameters])
    against = falling_paths(spec) | (reversed_loadings(spec) if turned else frozenset())
    free = [p.start is None and p.upper > 0 > p.lower for p in spec.parameters]
    turn = np.array([p.name in against for p in spec.parameters]) & free
    guess = np.where(turn, -guess, guess)
    lower = np.array([p.lower for p in spec.parameters])
    upper = np.array([p.upper for p in spec.parameters])
    width = np.where(np.isfinite(upper - lower), upper - lower, 1.0)
    low = np.where(
        np.isfinite(lower), lower + 0.05 * width * np.maximum(1e-3, np.abs(guess)), -np.inf
    )
    high = np.where(np.isfinite(upper), upper - 0.05 * width, np.inf)
    return np.clip(guess, np.minimum(low, high), np.maximum(low, high))


def _guess(spec: Spec, p: Parameter) -> float:
    table, stats = spec.table, spec.stats
    row = next((r for r in table.rows if r.name == p.name), None)
    if row is None:
        return 0.1
    if p.variable == "shape":
        return 0.7
    outcome = next((o for o in table.outcomes if o.factor == row.i and row.matrix == "Psi"), None)
    outcome_mean = next((o for o in table.outcomes if o.factor == row.i and row.op == "~1"), None)
    if p.start is not None:
        return math.sqrt(max(p.start, 1e-6)) if p.variable.endswith("_sd") else p.start
    scale = stats.scale()
    match p.variable:
        case "loading" if row.matrix == "Lambda":
            return 0.7 * float(scale[row.i]) / float(spec.units[row.j])
        case "loading":
            return float(spec.units[row.i] / spec.units[row.j])
        case "residual_sd" if outcome is not None:
            return 0.8 * float(spec.units[row.i])
        case "intercept" if outcome_mean is not None and row.matrix == "alpha":
            return p.prior.args[0] if p.prior is not None and p.prior.args else 0.0
        case "residual_sd":
            return 0.7 * float(scale[table.indicators.index(row.lhs)])
        case "factor_sd":
            return 0.8 * float(spec.units[row.i])
        case "path":
            return 0.1 * float(spec.units[row.i] / spec.units[row.j])
        case "intercept":
            return float(stats.location()[table.indicators.index(row.lhs)])
    return 0.0


def maximum(
    spec: Spec,
    *,
    jacobian: bool = True,
    start: Floats | None = None,
    target: Target | None = None,
) -> Mode:
    """Find the mode of the log-posterior by its exact gradient.

    Parameters
    ----------
    spec : Spec
    jacobian : bool
        True for the mode on the real line, where the sampler works; False for the mode of the
        parameters themselves, which under flat priors is the maximum-likelihood estimate.
    start : (q,) array, optional
        On the real line.
    target : Target, optional
        Without sampled scores; by default that of the specification.

    Raises
    ------
    SamplingError
        If no finite starting point exists.
    """
    target = target_of(spec, jacobian=jacobian) if target is None else target
    if start is None:
        first = _highest(target, unconstrained(spec, rough_point(spec)))
        if not contrary_markers(spec):
            return first
        # Where a marker runs against the rest, which side the prior leaves higher is not foreseen.
        plain = _highest(target, unconstrained(spec, rough_point(spec, turned=False)))
        return max(first, plain, key=lambda mode: mode.value)
    return _highest(target, start)


def _highest(target: Target, u: Floats) -> Mode:
    """The mode that is reached from a point."""
    if not math.isfinite(target.density(target.array, u)[0]):
        u = _finite_point(target, u)

    def objective(point: Floats) -> tuple[float, Floats]:
        value, gradient = target.density(target.array, point)
        return (-value, -gradient) if math.isfinite(value) else (1e100, np.zeros_like(point))

    u = _climb(objective, u, target)
    u, H = _newton(target, u, steps=2 if target.casewise else 12)
    value, gradient = target.density(target.array, u)
    scale = np.sqrt(np.maximum(np.abs(np.diag(H)), 1e-12))
    return Mode(u, float(value), H, float(np.max(np.abs(gradient) / scale)))


def _climb(objective: object, u: Floats, target: Target) -> Floats:
    fine = {"ftol": 1e-14, "gtol": 1e-7}
    rough = {"ftol": 1e-9, "gtol": 1e-3}  # casewise gradients are dear; Newton's step does the rest
    found = optimize.minimize(
        objective, u, jac=True, method="L-BFGS-B",  # type: ignore[call-overload]
        options={"maxiter": 3000, "maxfun": 6000, "maxcor": 30}
        | (rough if target.casewise else fine),
    )  # fmt: skip
    return np.asarray(found.x)


def _newton(target: Target, u: Floats, steps: int) -> tuple[Floats, Floats]:
    """Polish by Newton steps while they help."""
    H = target.curvature(target.array, u, 1e-5)
    for _ in range(steps):
        value, gradient = target.density(target.array, u)
        try:
            step = np.linalg.solve(H, -gradient)
        except np.linalg.LinAlgError:
            break
        new = u + step
        after = target.density(target.array, new)[0]
        if not after >= value - 1e-9 * abs(value) or not np.isfinite(step).all():
            break
        u = new
        if target.casewise and np.abs(step).max() < 1e-2:
            break
        H = target.curvature(target.array, new, 1e-5)
        if np.abs(step).max() < 1e-10:
            break
    return u, H


def _finite_point(target: Target, u: Floats) -> Floats:
    rng = np.random.default_rng(0)
    for scale in np.repeat([0.05, 0.2, 0.5, 1.0], 50):
        trial = u + rng.normal(0, scale, u.shape)
        if math.isfinite(target.density(target.array, trial)[0]):
            return trial
    raise SamplingError(
        "no starting point with a positive definite covariance was found.",
        hint="Check fixed values and constraints, or give starts with `start(...)*x`.",
    )


def spread_around(mode: Mode) -> Floats:
    """A square root of the normal approximation's covariance at the mode, (q, q).

    The curvature is brought to the scale of correlations first, and directions in which it hardly
    tells anything (or bends the wrong way) are kept within ten of these units.
    """
    diagonal = np.diag(-mode.curvature)
    unit = 1 / np.sqrt(np.where(diagonal > 1e-12, diagonal, 1.0))
    values, vectors = np.linalg.eigh(-mode.curvature * np.outer(unit, unit))
    return unit[:, None] * vectors / np.sqrt(np.maximum(values, 0.01))


def whitened(target: Target, mode: Mode) -> Floats:
    """The target's array with centre and spread behind it: the coordinates that the sampler uses.

    In them the posterior is nearly round, so that trajectories are short; the density is the same.
    """
    return target.whiten(target.array, mode.u, spread_around(mode))


def overdispersed(target: Target, array: Floats, mode: Mode, rng: np.random.Generator) -> Floats:
    """A start in whitened coordinates with twice the normal approximation's spread.

    Parameters
    ----------
    target : Target
    array : array
        From :func:`whitened`.

    Returns
    -------
    (target.size,) array
        Sampled scores, if any, stand behind the parameters, from their standard normal.
    """
    scale, q = OVERDISPERSION, target.parameters
    scores = rng.standard_normal(target.scores)
    highest = mode.value
    if target.scores:
        highest = target.white(array, np.zeros(target.size))[0]
    for _ in range(60):
        z = np.concatenate([scale * rng.standard_normal(q), scores])
        value = target.white(array, z)[0]
        if math.isfinite(value) and value > highest - 20 * q - 100 - 10 * target.scores:
            return z
        scale *= 0.9
    return np.concatenate([np.zeros(q), scores])
