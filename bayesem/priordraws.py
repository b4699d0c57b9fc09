"""Draws from the prior as it is sampled: truncated, constrained, positive definite."""

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import PriorError
from bayesem.priors import Prior
from bayesem.spec import Block, Parameter, Spec

__all__ = ["draw_prior", "lkj_correlations"]

#: Rounds of rejection before the prior is called practically impossible.
ROUNDS = 400


def draw_prior(spec: Spec, size: int, rng: np.random.Generator) -> Floats:
    """Sample the prior of a specification.

    Parameters
    ----------
    spec : Spec
    size : int
    rng : numpy.random.Generator

    Returns
    -------
    (size, q) array
        In home units, every row admissible: bounds and constraints hold and all residual
        covariance matrices are positive definite.

    Raises
    ------
    PriorError
        If a prior is improper, outside the built-in families, or (nearly) contradicts itself.
    """
    improper = next((p for p in spec.parameters if _improper(p)), None)
    if improper is not None:
        raise PriorError(
            f"the prior of `{improper.name}` is improper (flat), so nothing can be drawn from it.",
            hint="Give it a proper prior, such as the default.",
        )
    done: list[Floats] = []
    have = 0
    for _ in range(ROUNDS):
        batch = _proposal(spec, max(size, 256), rng)
        kept = batch[_admissible(spec, batch, rng)]
        done.append(kept)
        have += len(kept)
        if have >= size:
            return np.concatenate(done)[:size]
    raise PriorError(
        "the priors and constraints leave almost no admissible parameter values "
        f"({have} of {ROUNDS * max(size, 256)} draws).",
        hint="Look for a prior that contradicts a constraint or the positive definiteness of a "
        "residual covariance matrix.",
    )


def _improper(p: Parameter) -> bool:
    return p.prior is not None and p.prior.family == "flat"


def _proposal(spec: Spec, size: int, rng: np.random.Generator) -> Floats:
    """Independent draws; rows that violate something are sorted out later."""
    x = np.zeros((size, len(spec.parameters)))
    for k, p in enumerate(spec.parameters):
        if p.variable != "slack" and p.prior is not None:
            x[:, k] = _unmarked(spec, p.prior, p.prior.draw(rng, size), k, x)
    for block in spec.blocks:
        _block_proposal(spec, block, x, rng)
    _slacks(spec, x, rng)
    return x


def _unmarked(spec: Spec, prior: Prior, t: Floats, k: int, x: Floats) -> Floats:
    """From the quantity that the prior is on to the one that is sampled."""
    match prior.mark:
        case "var":
            return np.sqrt(np.maximum(t, 0))
        case "prec":
            return 1 / np.sqrt(np.maximum(t, 1e-300))
        case "cov" if spec.parameters[k].variable == "correlation":
            term = next(t_ for t_ in spec.terms if t_.source == k)
            sds = [x[:, j] for j in (term.first, term.second) if j >= 0]
            return t / (term.coefficient * np.prod(sds, axis=0))
    return t


def _block_proposal(spec: Spec, block: Block, x: Floats, rng: np.random.Generator) -> None:
    """Correlations of one block: exactly LKJ where it is full, else uniform, then rejected."""
    if block.full:
        R = lkj_correlations(len(block.nodes), block.eta, len(x), rng)
        for k, i, j in block.members:
            x[:, k] = R[:, i, j]
        return
    for k, _, _ in block.members:
        if k < len(spec.parameters) and spec.parameters[k].prior is None:
            x[:, k] = rng.uniform(-1, 1, len(x))


def _slacks(spec: Spec, x: Floats, rng: np.random.Generator) -> None:
    """A solved value is drawn from its prior; its slack is what the constraint then says."""
    for d in spec.derived:
        slack = next((k for k, _ in d.weights if spec.parameters[k].variable == "slack"), None)
        if slack is None or d.prior is None:
            continue
        rest = d.constant + sum(w * x[:, k] for k, w in d.weights if k != slack)
        weight = dict(d.weights)[slack]
        x[:, slack] = (d.prior.draw(rng, len(x)) - rest) / weight


def _admissible(spec: Spec, x: Floats, rng: np.random.Generator) -> np.ndarray:
    lower = np.array([p.lower for p in spec.parameters])
    upper = np.array([p.upper for p in spec.parameters])
    good = ((x > lower) & (x < upper)).all(1) & np.isfinite(x).all(1)
    if not spec.blocks:
        return good
    matrices = spec.matrices(np.where(good[:, None], x, 0.5 * np.clip(x, -1, 1)))
    log_weight = np.zeros(len(x))
    for block in spec.blocks:
        M = getattr(matrices, block.matrix)[:, block.nodes][:, :, block.nodes]
        sd = np.sqrt(np.maximum(np.einsum("nii->ni", M), 1e-300))
        R = M / (sd[:, :, None] * sd[:, None, :])
        positive = np.linalg.eigvalsh(R)[:, 0] > 1e-12
        good &= positive
        if not block.full and block.eta != 1:
            det = np.linalg.det(R)
            log_weight += (block.eta - 1) * np.log(np.where(positive, det, 1.0))
    if np.any(log_weight):
        good &= np.log(rng.uniform(size=len(x))) < log_weight
    return good


def lkj_correlations(d: int, eta: float, size: int, rng: np.random.Generator) -> Floats:
    """Correlation matrices with density proportional to ``det(R) ** (eta - 1)``, by the onion.

    Parameters
    ----------
    d : int
        Order of the matrices.
    eta : float
        At least above 0; 1 is uniform.
    size : int
    rng : numpy.random.Generator

    Returns
    -------
    (size, d, d) array

    References
    ----------
    .. [1] Lewandowski, Kurowicka & Joe (2009), Generating random correlation matrices based on
       vines and extended onion method. *Journal of Multivariate Analysis* 100, section 3.2.
    """
    R = np.zeros((size, d, d))
    R[:, 0, 0] = 1
    beta = eta + (d - 2) / 2
    first = 2 * rng.beta(beta, beta, size) - 1
    R[:, 1, 1] = 1
    R[:, 0, 1] = R[:, 1, 0] = first
    for k in range(2, d):
        beta -= 0.5
        radius = np.sqrt(rng.beta(k / 2, beta, size))
        direction = rng.standard_normal((size, k))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        L = np.linalg.cholesky(R[:, :k, :k])
        z = np.einsum("nij,nj->ni", L, radius[:, None] * direction)
        R[:, k, :k] = R[:, :k, k] = z
        R[:, k, k] = 1
    return R
