"""Draws from the prior as it is sampled: truncated, constrained, positive definite."""

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import PriorError
from bayesem.patterned import draw_patterned, log_patterned_mass
from bayesem.priors import Prior
from bayesem.spec import Block, Parameter, Spec

__all__ = ["acceptance", "block_acceptance", "block_log_mass", "draw_prior", "lkj_correlations"]

#: Rounds of rejection before the prior is called practically impossible.
ROUNDS = 400
#: Proposals at a time where their admissible share is counted.
CHUNK = 20_000


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
    _check_proper(spec)
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


def acceptance(spec: Spec, size: int, rng: np.random.Generator) -> float:
    """Share of independent proposals that are admissible, blocks on a cube taken as they are."""
    _check_proper(spec)
    done = 0
    for _ in range(0, size, CHUNK):
        batch = _proposal(spec, CHUNK, rng)
        done += int(_admissible(spec, batch, rng).sum())
    return done / (-(-size // CHUNK) * CHUNK)


def block_acceptance(spec: Spec, block: Block, size: int, rng: np.random.Generator) -> float:
    """Share of a block's proposals that are positive definite and survive its density."""
    r = _uniform_or_own(spec, [k for k, _, _ in block.members], size, rng)
    return float(_accepted(block, r, rng).mean())


def _check_proper(spec: Spec) -> None:
    improper = next((p for p in spec.parameters if _improper(p)), None)
    if improper is not None:
        raise PriorError(
            f"the prior of `{improper.name}` is improper (flat), so nothing can be drawn from it.",
            hint="Give it a proper prior, such as the default.",
        )


def _improper(p: Parameter) -> bool:
    return p.prior is not None and p.prior.family == "flat"


def _proposal(spec: Spec, size: int, rng: np.random.Generator) -> Floats:
    """Independent draws; rows that violate something are sorted out later."""
    x = np.zeros((size, len(spec.parameters)))
    for k, p in enumerate(spec.parameters):
        if p.variable not in ("slack", "correlation") and p.prior is not None:
            x[:, k] = _unmarked(spec, p.prior, p.prior.draw(rng, size), k, x)
    for block in spec.blocks:
        _block_proposal(spec, block, x, rng)
    for k, p in enumerate(spec.parameters):
        if p.variable == "correlation" and p.prior is not None and p.prior.mark == "cov":
            x[:, k] = _unmarked(spec, p.prior, p.prior.draw(rng, size), k, x)
    _slacks(spec, x, rng)
    return x


def _unmarked(spec: Spec, prior: Prior, t: Floats, k: int, x: Floats) -> Floats:
    """From the quantity that the prior is on to the one that is sampled."""
    match prior.mark:
        case "var":
            return np.sqrt(np.maximum(t, 0))
        case "prec":
            return np.where(t > 0, 1 / np.sqrt(np.where(t > 0, t, 1.0)), np.inf)  # not admissible
        case "cov" if spec.parameters[k].variable == "correlation":
            term = next(t_ for t_ in spec.terms if t_.source == k)
            sds = [x[:, j] for j in (term.first, term.second) if j >= 0]
            return t / (term.coefficient * np.prod(sds, axis=0))
    return t


def _block_proposal(spec: Spec, block: Block, x: Floats, rng: np.random.Generator) -> None:
    """Correlations of one block: LKJ where it is full, else by a way that knows its zeros; by
    rejection where they have priors of their own."""
    columns = [k for k, _, _ in block.members]
    if block.full:
        R = lkj_correlations(len(block.nodes), block.eta, len(x), rng)
        for k, i, j in block.members:
            x[:, k] = R[:, i, j]
    elif block.cube and _bare(spec, block):
        x[:, columns] = draw_patterned(block.members, len(block.nodes), block.eta, len(x), rng)
    elif block.cube:
        done = 0
        for _ in range(ROUNDS):
            r = _uniform_or_own(spec, columns, 2 * len(x), rng)
            kept = r[_accepted(block, r, rng)][: len(x) - done]
            x[done : done + len(kept), columns] = kept
            done += len(kept)
            if done == len(x):
                return
        x[done:, columns] = np.nan  # never admissible
    else:
        x[:, columns] = _uniform_or_own(spec, columns, len(x), rng)


def _bare(spec: Spec, block: Block) -> bool:
    """Whether no correlation of a block has a prior of its own."""
    return all(spec.parameters[k].prior is None for k, _, _ in block.members)


def block_log_mass(
    spec: Spec, block: Block, size: int, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Log integral of the density of a block with zeros, and its error; None if not known."""
    if not (block.cube and _bare(spec, block)):
        return None
    return log_patterned_mass(block.members, len(block.nodes), block.eta, size, rng)


def _uniform_or_own(spec: Spec, columns: list[int], size: int, rng: np.random.Generator) -> Floats:
    """Correlations before positive definiteness has its say, (size, k)."""
    out = rng.uniform(-1, 1, (size, len(columns)))
    for a, k in enumerate(columns):
        prior = spec.parameters[k].prior
        if prior is not None and prior.mark != "cov":
            out[:, a] = prior.draw(rng, size)
    return out


def _accepted(block: Block, r: Floats, rng: np.random.Generator) -> np.ndarray:
    """Rows that are positive definite and survive ``det(R) ** (eta - 1)``, which is at most 1."""
    order = len(block.nodes)
    R = np.broadcast_to(np.eye(order), (len(r), order, order)).copy()
    for a, (_, i, j) in enumerate(block.members):
        R[:, i, j] = R[:, j, i] = r[:, a]
    return _survives(R, block.eta, rng)


def _survives(R: Floats, eta: float, rng: np.random.Generator) -> np.ndarray:
    positive = np.linalg.eigvalsh(R)[:, 0] > 1e-12
    if eta == 1:
        return positive
    weight = np.where(positive, np.abs(np.linalg.det(R)), 0.0) ** (eta - 1)
    return positive & (rng.uniform(size=len(R)) < weight)


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
    entangled = [b for b in spec.blocks if not (b.full or b.cube)]
    if not entangled:
        return good
    matrices = spec.matrices(np.where(good[:, None], x, 0.5 * np.clip(x, -1, 1)))
    for block in entangled:
        M = getattr(matrices, block.matrix)[:, block.nodes][:, :, block.nodes]
        sd = np.sqrt(np.maximum(np.einsum("nii->ni", M), 1e-300))
        good &= _survives(M / (sd[:, :, None] * sd[:, None, :]), block.eta, rng)
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
