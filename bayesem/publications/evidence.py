r"""How well a reading explains the printed numbers, and what it leaves open.

Unknown are, for one reading, the standardised paths (normal, sd .5), the correlations of exogenous
factors (2 Beta(4, 2) - 1), the units of the factors (the log of any ratio of two is normal, sd
.5), the loadings (uniform in their rounding intervals) and whether the first or the last indicator
is the marker. A cell shows what the numbers imply, rounded, with probability
:math:`1-\varepsilon`, and else anything, uniformly; the error of a path is the one of the expected
information within 2%, which covers other kinds of information.

An estimate that a reading trusts is the path times the units, so it is drawn from its rounding
interval and the path solved from it; what remains has few dimensions and is integrated by
importance sampling around the modes that appear when all critical ratios, all but one, or none
are trusted.

The prior of a correlation is not flat, because the numbers alone cannot tell weak paths of factors
that agree from strong paths of factors that oppose each other: both may print the same critical
ratios and baseline. Factors that a theory sends the same way, measured by items of one
direction, seldom oppose each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import betaln, logsumexp

from bayesem.arrays import Floats
from bayesem.errors import StudyError
from bayesem.publications.design import Design, Standardised, standardised
from bayesem.publications.importance import Mixture
from bayesem.publications.information import path_errors
from bayesem.publications.least_squares import Closest, closest
from bayesem.publications.likelihood import (
    baseline_interval,
    index_likelihood,
    path_likelihood,
    targets,
)
from bayesem.publications.printed import PathEvidence, Publication, Reading

__all__ = ["Explored", "Problem", "Sample", "admissible", "explore"]

PATH_SD = 0.5
UNIT_SD = 0.5
DRAWS = 2000
ADAPTATIONS = 3
#: Fewer effective draws are too few; then more are drawn, by these factors.
ENOUGH = 200
RETRIES = (2, 4)
SEED = 20250813
STARTS = {0: (0.4, -0.7), 1: (0.4,), -1: (-0.7,)}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Weighted draws of everything that a reading leaves open; ``draw`` is the leading axis."""

    weight: Floats
    loadings: Floats
    paths: Floats
    correlations: Floats
    units: Floats
    estimates: Floats
    errors: Floats
    baseline: Floats
    last_marker: Floats
    misprints: tuple[Floats, ...]
    index_misprints: Floats

    def mean(self, values: Floats) -> Floats:
        """Weighted mean over draws; those of weight 0 may be impossible, and not numbers."""
        counts = self.weight > 0
        return np.tensordot(self.weight[counts], values[counts], axes=(0, 0))

    def sd(self, values: Floats) -> Floats:
        """Weighted standard deviation over draws."""
        return np.sqrt(np.maximum(self.mean((values - self.mean(values)) ** 2), 0.0))

    @property
    def ess(self) -> float:
        """Effective number of draws."""
        return float(1 / (self.weight**2).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """A reading with its log marginal likelihood and weighted draws."""

    reading: Reading
    log_evidence: float
    sample: Sample


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Points at which a reading is evaluated."""

    free: Floats
    loadings: Floats
    estimates: Floats
    last_marker: Floats


def explore(publication: Publication, reading: Reading, *, draws: int = DRAWS) -> Explored:
    """Integrate the likelihood of the printed numbers over what a reading leaves open.

    Parameters
    ----------
    publication : Publication
    reading : Reading
    draws : int
        Number of importance draws, more where too few are effective. The same seed serves every
        call, so weights are reproducible.
    """
    rng = np.random.default_rng(SEED)
    problem = Problem(publication, reading)
    mixture = Mixture.around(_modes(problem))
    mixture = _adapt(problem, mixture, draws // 2, ADAPTATIONS, rng)
    log_weight, sample, _ = _weigh(problem, mixture, draws, rng)
    for doubled in RETRIES:
        if _effective(log_weight) >= ENOUGH:
            break
        mixture = _adapt(problem, mixture, draws * doubled // 2, 2, rng)
        log_weight, sample, _ = _weigh(problem, mixture, draws * doubled, rng)
    total = float(logsumexp(log_weight))
    if not np.isfinite(total):
        raise StudyError(
            f"reading `{reading.name}` is impossible: no admissible solution prints its numbers.",
            hint="Its standardised paths may leave no residual variance.",
        )
    return Explored(reading, total - np.log(len(log_weight)), sample(np.exp(log_weight - total)))


def _adapt(
    problem: "Problem", mixture: Mixture, draws: int, times: int, rng: np.random.Generator
) -> Mixture:
    for _ in range(times):
        log_weight, _, (free, nuisances) = _weigh(problem, mixture, draws, rng)
        if np.isfinite(log_weight).any():
            weight = np.exp(log_weight - logsumexp(log_weight))
            mixture = mixture.adapted(free, nuisances, weight)
    return mixture


def _effective(log_weight: Floats) -> float:
    """Effective number of draws."""
    if not np.isfinite(log_weight).any():
        return 0.0
    return float(np.exp(2 * logsumexp(log_weight) - logsumexp(2 * log_weight)))


def _weigh(
    problem: "Problem", mixture: Mixture, draws: int, rng: np.random.Generator
) -> tuple[Floats, Callable[[Floats], Sample], tuple[Floats, Floats]]:
    """Draw from a proposal; log importance weights, a maker of samples, points and nuisances."""
    off = rng.uniform(-1, 1, (draws, problem.rounded))
    last = rng.integers(0, 2, draws).astype(float)
    nuisances = np.column_stack([off, last])
    free = mixture.draw(nuisances, rng)
    batch = _Batch(free, *problem.within(off), last)
    log_target, sample = problem.evaluate(batch)
    return log_target - mixture.log_density(free, nuisances), sample, (free, nuisances)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A reading as a function of its few free numbers.

    ``free`` holds the log units of all factors but the last (none where estimates are
    standardised), atanh of the correlations, and the log of the estimates that are set aside.
    """

    publication: Publication
    reading: Reading

    @property
    def design(self) -> Design:
        return self.publication.design

    @property
    def units(self) -> int:
        return 0 if self.reading.standardised else len(self.design.factors) - 1

    @property
    def unknown(self) -> list[int]:
        """Positions of the paths whose estimate is not known."""
        return [j for j, e in enumerate(self.reading.evidence) if e.trusted("est") is None]

    @property
    def goals(self) -> tuple[Floats, tuple[float | None, ...]]:
        """Estimate and critical ratio of each path by the trusted cells."""
        found = [targets(evidence) for evidence in self.reading.evidence]
        return np.array([estimate for estimate, _ in found]), tuple(ratio for _, ratio in found)

    @property
    def size(self) -> int:
        return self.units + len(self.design.correlations) + len(self.unknown)

    @property
    def rounded(self) -> int:
        """Count of the loadings and estimates, which are known up to their rounding."""
        return len(self.publication.loadings) + len(self.reading.evidence)

    def within(self, off: Floats) -> tuple[Floats, Floats]:
        """Loadings and estimates ``off`` half widths from the middle of their intervals."""
        p = len(self.publication.loadings)
        centre, half = np.array(self.publication.loadings).T
        low, high = np.array([_interval(evidence) for evidence in self.reading.evidence]).T
        estimates = (low + high + (high - low) * off[..., p:]) / 2
        return centre + half * off[..., :p], estimates

    def split(self, free: Floats) -> tuple[Floats, Floats, Floats]:
        """Log units of all factors, correlations, unknown estimates."""
        c = self.units + len(self.design.correlations)
        lead, m = free.shape[:-1], len(self.design.factors)
        log_units = np.zeros((*lead, m))
        log_units[..., : self.units] = free[..., : self.units]
        return log_units, np.tanh(free[..., self.units : c]), np.exp(free[..., c:])

    def solve(self, batch: _Batch) -> tuple[Standardised, Floats, Floats, Floats]:
        """The standardised solution, log unit ratio of each path, correlations and estimates."""
        design = self.design
        log_units, correlations, unknown = self.split(batch.free)
        log_ratio = log_units[..., list(design.to)] - log_units[..., list(design.origin)]
        estimates = batch.estimates.copy()
        estimates[..., self.unknown] = unknown * np.sign(self.goals[0][self.unknown])
        solution = standardised(
            design, batch.loadings, estimates * np.exp(-log_ratio), correlations
        )
        return solution, log_ratio, correlations, estimates

    def errors(self, batch: _Batch, solution: Standardised, log_ratio: Floats) -> Floats:
        """Standard errors in the printed metric; not a number where inadmissible."""
        design, df = self.design, self.publication.n - 1
        errors = np.full(log_ratio.shape, np.nan)
        fine = admissible(design, solution)
        for which, flag in (("first", 0.0), ("last", 1.0)):
            rows = fine & (batch.last_marker == flag)
            if rows.any():
                errors[rows] = path_errors(design, solution[rows], design.markers(which), df)
        return errors * np.exp(log_ratio)

    def baseline(self, solution: Standardised) -> Floats:
        """Baseline chi-square, by the identity that is exact in the sample."""
        with np.errstate(invalid="ignore", divide="ignore"):
            determinant = solution.log_determinant(self.design)
        return self.publication.chisq - (self.publication.n - 1) * determinant

    def log_prior(self, free: Floats, paths: Floats, log_ratio: Floats, r: Floats) -> Floats:
        """Density of ``free`` and of the trusted estimates, changed from that of the paths."""
        value = _normal(paths, PATH_SD).sum(-1) - log_ratio.sum(-1)
        value = value + free[..., self.size - len(self.unknown) :].sum(-1)
        value = value + np.log1p(-(r**2)).sum(-1) + correlation_prior(r)
        if self.units:
            value = value + _log_units(free[..., : self.units])
        return value

    def evaluate(self, batch: _Batch) -> tuple[Floats, Callable[[Floats], Sample]]:
        """Log of prior times likelihood at each point, and a maker of the weighted sample."""
        solution, log_ratio, r, estimates = self.solve(batch)
        errors, baseline = self.errors(batch, solution, log_ratio), self.baseline(solution)
        paths = estimates * np.exp(-log_ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.log_prior(batch.free, paths, log_ratio, r)
            misprints = []
            for j, evidence in enumerate(self.reading.evidence):
                likelihood, wrong = path_likelihood(evidence, estimates[:, j], errors[:, j])
                value = value + np.log(likelihood)
                misprints.append(wrong)
            likelihood, wrong = index_likelihood(self.publication, baseline)
            value = value + np.log(likelihood)
        possible = np.isfinite(errors).all(-1) & np.isfinite(value)
        if self.reading.sign:
            possible = possible & (self.reading.sign * r > 0).all(-1)
        value = np.where(possible, value, -np.inf)

        def sample(weight: Floats) -> Sample:
            return Sample(
                weight, batch.loadings, paths, r, self.split(batch.free)[0], estimates, errors,
                baseline, batch.last_marker, tuple(misprints), wrong,
            )  # fmt: skip

        return value, sample

    def residuals(self, free: Floats, off: Floats, last: float, dropped: tuple[int, ...]) -> Floats:
        """Smooth misfit at the centres of the rounding intervals, for finding modes, batched.

        Parameters
        ----------
        free : (point, size) array
        off : (point, loading and estimate) array
            As in `within`.
        last : float
            1 if the last indicators are the markers.
        dropped : tuple of int
            Paths whose critical ratios do not count.
        """
        rows = len(free)
        estimate, ratios = self.goals
        batch = _Batch(free, *self.within(off), np.full(rows, last))
        solution, log_ratio, _, estimates = self.solve(batch)
        errors, columns = self.errors(batch, solution, log_ratio), []
        for j, ratio in enumerate(ratios):
            if ratio is not None and j not in dropped:
                wide = np.hypot(0.025, _rounding(self.reading.evidence[j]))
                columns.append(np.log(np.abs(errors[:, j] * ratio / estimates[:, j])) / wide)
            if j in self.unknown:
                wide = 0.5 if j in dropped else 0.01
                columns.append(np.log(np.abs(estimates[:, j] / estimate[j])) / wide)
        interval = baseline_interval(self.publication)
        if interval is not None:
            wide = max((interval[1] - interval[0]) / 4, 1.0)
            columns.append((self.baseline(solution) - sum(interval) / 2) / wide)
        r = free[:, self.units : self.size - len(self.unknown)]
        if self.reading.sign:
            columns.extend((np.minimum(self.reading.sign * r - 0.05, 0) / 0.05).T)
        unit = np.arange(self.size) < self.units
        rest = self.size - len(self.unknown)
        prior = (free / np.where(unit, UNIT_SD, 1.0))[:, :rest]
        found = np.column_stack([*columns, prior])
        return np.where(np.isfinite(found), found, 100.0)


def correlation_prior(r: Floats) -> Floats:
    """Log-density of correlations (..., pair) that are not printed: each is 2 Beta(4, 2) - 1."""
    above, below = (1 + r) / 2, (1 - r) / 2
    return (3 * np.log(above) + np.log(below) - betaln(4, 2) - np.log(2)).sum(-1)


def admissible(design: Design, solution: Standardised) -> np.ndarray:
    """Whether all residual variances are positive and the factors' correlations possible."""
    positive = (solution.psi > 1e-6).all(-1)
    if len(design.correlations) > 1:
        positive = positive & (np.linalg.eigvalsh(solution.Phi)[..., 0] > 1e-9)
    apart = np.abs(solution.Phi - np.eye(solution.Phi.shape[-1])) < 0.999
    return positive & apart.all((-1, -2))


def _modes(problem: Problem) -> list[tuple[Floats, Floats, Floats]]:
    """Modes, covariances and slopes when all, all but one, or none of the ratios are trusted.

    Each is sought from positive and from negative correlations: weak paths of factors that agree
    and strong paths of factors that oppose each other can print the same numbers.
    """
    every, found = tuple(range(len(problem.design.paths))), []
    for r in STARTS[problem.reading.sign]:
        start = _start(problem, closest(problem.publication, problem.reading, start=r), r)
        full, misfit = _mode(problem, start, ())
        mode, covariance, slopes = full
        found += [full, (mode, 9 * covariance, slopes), _mode(problem, start, every)[0]]
        if misfit > 20:
            found += [_mode(problem, start, (j,))[0] for j in every]
    return found


def _start(problem: Problem, near: Closest, r: float) -> Floats:
    """The closest solution as a free point, on the side of zero where it was sought."""
    pairs = problem.design.correlations
    own = np.array([near.solution.Phi[0, i, j] for i, j in pairs])
    own = np.where(own * r > 0, np.clip(own, -0.95, 0.95), r)
    estimates = np.log(np.abs(problem.goals[0][problem.unknown]))
    return np.concatenate([near.log_units[: problem.units], np.arctanh(own), estimates])


def _mode(
    problem: Problem, start: Floats, dropped: tuple[int, ...]
) -> tuple[tuple[Floats, Floats, Floats], float]:
    """A mode with first markers, its covariance, its slopes on loadings and markers; its misfit."""
    first, J, misfit = _least(problem, start, 0.0, dropped)
    precision = J.T @ J + np.eye(problem.size)  # never wider than a unit normal
    covariance = np.linalg.inv(precision)
    p = problem.rounded
    step = 1e-3 * np.concatenate([np.eye(p), -np.eye(p)])
    moved = problem.residuals(np.tile(first, (2 * p, 1)), step, 0.0, dropped)
    slopes = -np.linalg.solve(precision, J.T @ ((moved[:p] - moved[p:]) / 2e-3).T)
    last = _least(problem, first, 1.0, dropped)[0] - first
    both = np.column_stack([slopes, last])
    return (first, (covariance + covariance.T) / 2, both), misfit


def _least(
    problem: Problem, start: Floats, last: float, dropped: tuple[int, ...]
) -> tuple[Floats, Floats, float]:
    """Point of the smallest misfit, Jacobian there and misfit."""
    size, none = problem.size, np.zeros((2 * problem.size, problem.rounded))

    def residuals(free: Floats) -> Floats:
        return problem.residuals(free[None], none[:1], last, dropped)[0]

    def jacobian(free: Floats) -> Floats:
        step = 1e-5 * np.concatenate([np.eye(size), -np.eye(size)])
        both = problem.residuals(free + step, none, last, dropped)
        return ((both[:size] - both[size:]) / 2e-5).T

    found = least_squares(
        residuals, start, jacobian, method="lm", xtol=1e-6, ftol=1e-6, max_nfev=60
    )
    return found.x, found.jac, float(2 * found.cost)


def _interval(evidence: PathEvidence) -> tuple[float, float]:
    cell = evidence.trusted("est")
    return (0.0, 0.0) if cell is None else (cell.low, cell.high)


def _rounding(evidence: PathEvidence) -> float:
    """Relative half width of a path's critical ratio, as printed."""
    cell = evidence.trusted("cr")
    half = 0.0 if cell is None else (cell.high - cell.low) / 2
    return 0.0 if cell is None else half / max(abs(cell.value), half)


def _normal(x: Floats, sd: float) -> Floats:
    return -0.5 * (x / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def _log_units(u: Floats) -> Floats:
    """Normal density of log ratios to the last factor's unit; any ratio of two has sd UNIT_SD."""
    d = u.shape[-1]
    covariance = UNIT_SD**2 / 2 * (np.eye(d) + 1)
    quadratic = np.einsum("...i,ij,...j->...", u, np.linalg.inv(covariance), u)
    return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
