"""What a model expects of one variable after others are set, or given that others are known.

Setting a variable cuts what leads to it; everything downstream follows. Where the target's linear
predictor is normal, or only its mean is asked for, the answer is in closed form. Where products of
factors or observed values of outcomes lie between, it is an average over randomised quasi-random
points, the same for every draw and every question, with the spread over their randomisations as
error. Draws are handled together; nothing loops over them but chunks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import logsumexp, ndtri

from bayesem.arrays import Floats
from bayesem.errors import NotAvailableError
from bayesem.implied import Implied, outcome_shape
from bayesem.matrices import Matrices
from bayesem.questions import Plan, Question, plan_of
from bayesem.responses import log_mean, respond
from bayesem.variables import display_name

__all__ = ["Answer", "expected_log", "expected_predictor"]

#: Randomisations of the quasi-random points, and points in each (a power of 2).
REPLICATES: Final = 8
POINTS: Final = 128
SEED: Final = 20260

#: Numbers held at once.
BUDGET: Final = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A quantity in every draw.

    Attributes
    ----------
    value : (...) array
    parts : (replicate, ...) array
        The same by each randomisation alone; none where the answer is in closed form.
    """

    value: Floats
    parts: Floats

    @property
    def error(self) -> Floats:
        """Standard error of the integration, (...)."""
        if not len(self.parts):
            return np.zeros_like(self.value)
        return np.asarray(self.parts.std(0, ddof=1) / np.sqrt(len(self.parts)))

    def then(self, change: Callable[[Floats], Floats]) -> "Answer":
        """A function of the quantity."""
        return Answer(change(self.value), change(self.parts))

    def against(self, other: "Answer", compare: Callable[[Floats, Floats], Floats]) -> "Answer":
        """A function of two quantities that were found with the same points."""
        parts = compare(self.parts, other.parts) if len(self.parts) else self.parts
        return Answer(compare(self.value, other.value), parts)


def expected_predictor(model: Implied, question: Question) -> Answer:
    """Expected value of a factor, or of an outcome's linear predictor, (...)."""
    plan = plan_of(model, question)
    closed = not plan.twins and not plan.nested
    return _answer(model, question, plan, _closed_mean if closed else _average_mean)


def expected_log(model: Implied, question: Question, number: int) -> Answer:
    """Log of the expected value of an outcome, by its number, (...)."""
    plan = replace(plan_of(model, question), outcome=number)
    closed = not plan.twins and not plan.products
    return _answer(model, question, plan, _closed_log if closed else _average_log)


# --- numbers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """Equations of the variables that matter to the target, by draw.

    ``eta = base + x + Beta eta + products + zeta``, zeta normal(0, Psi).
    """

    Beta: Floats
    base: Floats
    Psi: Floats
    omega: Floats
    centre: Floats
    x: Floats
    shapes: Mapping[int, Floats]


type _Solver = Callable[[Implied, Plan, _System], tuple[Floats, Floats]]


def _answer(model: Implied, question: Question, plan: Plan, solve: _Solver) -> Answer:
    """Solve for all draws, some at a time."""
    lead = model.mean.shape[:-1]
    size = int(np.prod(lead))

    def flat(a: Floats) -> Floats:
        return np.asarray(a).reshape(size, *a.shape[len(lead) :])

    M = model.matrices.map(flat)
    known = {
        k: flat(np.broadcast_to(v, lead)) for k, v in {**question.put, **question.given}.items()
    }
    rows = 1 if question.rows is None else len(question.rows)
    points = REPLICATES * POINTS if solve in (_average_mean, _average_log) else rows
    each = points * (plan.size + 1) + len(plan.nodes) ** 2
    values, parts = [], []
    for some in _chunks(size, each):
        chunk = M.map(lambda a, some=some: a[some])  # type: ignore[misc]
        here = {k: v[some] for k, v in known.items()}
        system = _system(model, question, plan, chunk, flat(model.centre)[some], here)
        value, part = solve(model, plan, system)
        values.append(value)
        parts.append(part)
    joined = np.concatenate(parts, axis=1)
    return Answer(np.concatenate(values).reshape(lead), joined.reshape(len(joined), *lead))


def _chunks(size: int, each: int) -> Iterator[slice]:
    step = max(1, BUDGET // max(each, 1))
    return (slice(k, k + step) for k in range(0, size, step))


def _system(
    model: Implied, question: Question, plan: Plan, M: Matrices, centre: Floats,
    known: Mapping[int, Floats],
) -> _System:  # fmt: skip
    where = list(plan.nodes)
    Beta = M.Beta[:, where][:, :, where].copy()
    Psi = M.Psi[:, where][:, :, where].copy()
    base = M.alpha[:, where].copy()
    cut = [k for k, _ in plan.equal] + list(plan.twins) + [k for k, _ in plan.x]
    cut += [where.index(k) for k in question.put if k in where]
    Psi[:, cut] = 0.0
    Psi[:, :, cut] = 0.0
    Beta[:, cut] = 0.0
    base[:, cut] = 0.0
    for k, predictor in plan.equal:
        Beta[:, k, predictor] = 1.0
    for k in question.put:
        if k in where:
            base[:, where.index(k)] = known[k]
    if question.given:
        at = [where.index(k) for k in question.given]
        value = np.stack([known[k] for k in question.given], -1)
        base, Psi = _conditioned(Beta, base, Psi, at, value)
    mine = slice(plan.size)
    columns = [] if question.rows is None else [question.rows[:, c] for _, c in plan.x]
    x = np.stack(columns, 1) if columns else np.zeros((1, 0))
    return _System(
        Beta[:, mine, mine], base[:, mine], Psi[:, mine, mine], M.omega,
        centre[:, where[: plan.size]], x,
        {k: outcome_shape(M, k) for k in range(len(model.table.outcomes))},
    )  # fmt: skip


def _conditioned(
    Beta: Floats, base: Floats, Psi: Floats, at: list[int], value: Floats
) -> tuple[Floats, Floats]:
    """Intercepts and residual covariance once the variables ``at`` have these values."""
    A = np.linalg.inv(np.eye(Beta.shape[-1]) - Beta)[:, at]
    cross = Psi @ np.swapaxes(A, 1, 2)
    gain = cross @ np.linalg.inv(A @ cross)
    gap = value - (A @ base[..., None])[..., 0]
    return base + (gain @ gap[..., None])[..., 0], Psi - gain @ np.swapaxes(cross, 1, 2)


# --- closed forms -------------------------------------------------------------------------------

_NO_PARTS: Final = 0


def _total(plan: Plan, system: _System) -> Floats:
    """Total effects with the identity; missing where feedback does not settle."""
    A = np.linalg.inv(np.eye(plan.size) - system.Beta)
    if not plan.ordered:
        radius = np.abs(np.linalg.eigvals(system.Beta)).max(-1)
        A = np.where((radius < 1)[:, None, None], A, np.nan)
    return np.asarray(A)


def _by_row(plan: Plan, system: _System, A: Floats, k: int) -> Floats:
    """Mean of the linear part of one variable for every row of the observed predictors."""
    own = (A[:, k] * system.base).sum(-1)
    return np.asarray(own[:, None] + A[:, k, [at for at, _ in plan.x]] @ system.x.T)


def _closed_mean(model: Implied, plan: Plan, system: _System) -> tuple[Floats, Floats]:
    A = _total(plan, system)
    value = _by_row(plan, system, A, plan.target).mean(1)
    Phi = A @ system.Psi @ np.swapaxes(A, 1, 2)
    for k, to, first, second in plan.products:
        one, other = (
            _by_row(plan, system, A, part) - system.centre[:, [part]] for part in (first, second)
        )
        expected = (one * other).mean(1) + Phi[:, first, second]
        value = value + A[:, plan.target, to] * system.omega[:, k] * expected
    return value, np.zeros((_NO_PARTS, len(value)))


def _closed_log(model: Implied, plan: Plan, system: _System) -> tuple[Floats, Floats]:
    A = _total(plan, system)
    m = _by_row(plan, system, A, plan.target)
    a = A[:, plan.target]
    v = ((a[:, None] @ system.Psi)[:, 0] * a).sum(-1)
    value = _log_average(_log_mean(model, plan, system, m, v[:, None]))
    return value, np.zeros((_NO_PARTS, len(value)))


def _log_mean(model: Implied, plan: Plan, system: _System, m: Floats, v: Floats) -> Floats:
    outcome = model.table.outcomes[plan.outcome]
    return log_mean(outcome.family, m, v, system.shapes[plan.outcome][:, None])


def _log_average(values: Floats) -> Floats:
    """Log of the mean over the last axis of what is given in logs."""
    return np.asarray(logsumexp(values, axis=-1) - np.log(values.shape[-1]))


# --- averages over points -----------------------------------------------------------------------


def _average_mean(model: Implied, plan: Plan, system: _System) -> tuple[Floats, Floats]:
    m, _ = _simulated(model, plan, system)
    parts = m.reshape(len(m), REPLICATES, POINTS).mean(-1)
    return parts.mean(-1), parts.T


def _average_log(model: Implied, plan: Plan, system: _System) -> tuple[Floats, Floats]:
    m, v = _simulated(model, plan, system)
    logs = _log_mean(model, plan, system, m, v[:, None])
    parts = _log_average(logs.reshape(len(m), REPLICATES, POINTS))
    return _log_average(parts), parts.T


def _simulated(model: Implied, plan: Plan, system: _System) -> tuple[Floats, Floats]:
    """Mean of the target's linear predictor at every point, (draw, point), and its variance there.

    The target's own residual, as far as no other shares it, is left to its family.
    """
    if not plan.ordered:
        name = display_name(model.table, plan.nodes[plan.target])
        raise NotAvailableError(
            f"expectations of `{name}` with feedback and products or outcomes on the way are not "
            "available."
        )
    root = _root(system.Psi)
    normal, uniform, rows = _points(plan, system, root)
    eta: list[Floats] = []
    for k in range(plan.size):
        if k in plan.twins:
            number, predictor = plan.twins[k]
            family = model.table.outcomes[number].family
            shape = system.shapes[number][:, None]
            eta.append(respond(family, eta[predictor], uniform[k], shape))
        else:
            residual = root[:, k, : plan.target] @ normal.T
            eta.append(_equation(plan, system, k, eta, rows) + residual)
    return eta[-1], np.asarray(root[:, plan.target, plan.target] ** 2)


def _equation(
    plan: Plan, system: _System, k: int, eta: Sequence[Floats], rows: np.ndarray
) -> Floats:
    """What causes make of a variable at every point, (draw, point)."""
    out = np.repeat(system.base[:, [k]], len(rows), axis=1)
    for column, (at, _) in enumerate(plan.x):
        if at == k:
            out += system.x[rows, column]
    for source in np.flatnonzero(plan.graph[k]).tolist():
        out += system.Beta[:, k, source, None] * eta[source]
    for number, to, first, second in plan.products:
        if to == k:
            one, other = (eta[p] - system.centre[:, [p]] for p in (first, second))
            out += system.omega[:, [number]] * one * other
    return out


def _points(
    plan: Plan, system: _System, root: Floats
) -> tuple[Floats, Mapping[int, Floats], np.ndarray]:
    """Normal numbers (point, size - 1), uniform ones by twin, and rows of the predictors."""
    noisy = [k for k in range(plan.target) if root[:, k, k].any()]
    u = _quasi_random(len(noisy) + len(plan.twins) + 1)
    normal = np.zeros((len(u), plan.target))
    normal[:, noisy] = ndtri(u[:, : len(noisy)])
    uniform = {k: u[:, len(noisy) + j] for j, k in enumerate(plan.twins)}
    rows = np.minimum((u[:, -1] * len(system.x)).astype(np.int64), len(system.x) - 1)
    return normal, uniform, rows


def _quasi_random(dimensions: int) -> Floats:
    """Scrambled Sobol points of every randomisation, one after the other."""
    from scipy.stats import qmc

    found = [
        qmc.Sobol(dimensions, scramble=True, seed=np.random.default_rng([SEED, r])).random(POINTS)
        for r in range(REPLICATES)
    ]
    return np.asarray(np.clip(np.concatenate(found), 1e-12, 1 - 1e-12))


def _root(covariance: Floats) -> Floats:
    """Lower triangular K with K K' the covariance, which may be singular, by draw."""
    K = np.zeros_like(covariance)
    for j in range(covariance.shape[-1]):
        left = covariance[:, j:, j] - np.einsum("dik,dk->di", K[:, j:, :j], K[:, j, :j])
        pivot = left[:, 0]
        sound = pivot > 1e-12 * np.maximum(covariance[:, j, j], 1e-300)
        scale = np.where(sound, 1 / np.sqrt(np.where(sound, pivot, 1.0)), 0.0)
        K[:, j:, j] = left * scale[:, None]
    return K
