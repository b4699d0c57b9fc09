"""Writes a :class:`~bayesem.spec.Spec` into the flat array that the kernels read."""

import numpy as np

from bayesem.arrays import MATRICES, Floats, Ints
from bayesem.correlations import from_cube, to_cube
from bayesem.kernels.linear import HEADER, MARK_COV, MARK_PREC, MARK_VAR
from bayesem.spec import Block, Spec

__all__ = ["constrained", "pack", "unconstrained"]

_MARKS = {"var": MARK_VAR, "prec": MARK_PREC, "cov": MARK_COV}


def pack(spec: Spec, *, jacobian: bool = True) -> Floats:
    """The model, its priors and its data as one array.

    Parameters
    ----------
    spec : Spec
    jacobian : bool
        Whether the log-posterior is a density on the real line (for sampling) or of the parameters
        themselves (for modes).
    """
    ints, floats = _integers(spec), _reals(spec)
    q, nd = len(spec.parameters), len(spec.derived)
    header = np.zeros(HEADER, np.int64)
    sizes = [
        len(spec.table.indicators), len(spec.table.factors), q, nd,
        sum(len(d.weights) for d in spec.derived), len(spec.terms), len(spec.stats.n),
        len(spec.blocks), sum(len(b.nodes) for b in spec.blocks), int(spec.stats.use_mean),
        len(spec.priors), int(jacobian), ints.size, HEADER + ints.size + floats.size,
        sum(b.cube for b in spec.blocks), len(spec.table.products),
    ]  # fmt: skip
    header[: len(sizes)] = sizes
    return np.concatenate([header.view(np.float64), ints.view(np.float64), floats])


def _sds(spec: Spec, k: int) -> tuple[int, int]:
    """Positions of the standard deviations by which value ``k`` becomes a covariance."""
    term = next(t for t in spec.terms if t.source == k)
    return term.first, term.second


def _integers(spec: Spec) -> Ints:
    triplets = [(row, col) for row, d in enumerate(spec.derived) for col, _ in d.weights]
    terms = [(MATRICES.index(t.matrix), t.i, t.j, t.source, t.first, t.second) for t in spec.terms]
    priors = []
    for k, prior in spec.priors:
        mark = _MARKS.get(prior.mark or "", 0)
        scaled = mark == MARK_COV and _sds(spec, k) != (-1, -1)
        one, two = _sds(spec, k) if scaled else (-1, -1)
        priors.append((k, prior.kernel()[0], mark if mark != MARK_COV or scaled else 0, one, two))
    starts = np.cumsum([0, *(len(b.nodes) for b in spec.blocks)])
    blocks = [
        (MATRICES.index(b.matrix), int(s), len(b.nodes))
        for b, s in zip(spec.blocks, starts, strict=False)
    ]
    nodes = [k for b in spec.blocks for k in b.nodes]
    count, where = spec.stats.indices()
    parts = [*(np.array(rows, np.int64).T.ravel() for rows in (triplets, terms, priors, blocks))]
    cubes = [n for b in spec.blocks if b.cube for n in _cube(b)]
    tail = [np.array(nodes, np.int64), count, where.ravel(), np.array(cubes, np.int64)]
    return np.concatenate([*parts, *tail])


def _cube(block: Block) -> list[int]:
    """Order, number of members, their parameters, rows and columns."""
    sources, first, second = zip(*block.members, strict=True)
    later = [max(pair) for pair in zip(first, second, strict=True)]
    earlier = [min(pair) for pair in zip(first, second, strict=True)]
    return [len(block.nodes), len(sources), *sources, *later, *earlier]


def _reals(spec: Spec) -> Floats:
    codes = [prior.kernel() for _, prior in spec.priors]
    constant = spec.constant - sum(b.log_normaliser for b in spec.blocks)
    parts = [
        [p.lower for p in spec.parameters],
        [p.upper for p in spec.parameters],
        [d.constant for d in spec.derived],
        [w for d in spec.derived for _, w in d.weights],
        [t.coefficient for t in spec.terms],
        np.array([c[1:] for c in codes], float).reshape(-1, 4).T.ravel(),
        [b.eta for b in spec.blocks],
        [constant],
        spec.stats.n,
        spec.stats.ybar.ravel(),
        spec.stats.S.ravel(),
        *(np.asarray(getattr(spec.base, name), float).ravel() for name in MATRICES),
    ]
    return np.concatenate([np.asarray(part, float) for part in parts])


def constrained(spec: Spec, u: Floats) -> Floats:
    """Bring points from the real line between the parameters' bounds, (..., q) to (..., q)."""
    lower, upper = _bounds(spec)
    both = np.isfinite(lower) & np.isfinite(upper)
    low, high = np.isfinite(lower) & ~both, np.isfinite(upper) & ~both
    x = np.array(u, float)
    x[..., low] = lower[low] + np.exp(u[..., low])
    x[..., high] = upper[high] - np.exp(u[..., high])
    half = 0.5 * (1 + np.tanh(0.5 * u[..., both]))
    x[..., both] = lower[both] + (upper - lower)[both] * half
    for block in spec.blocks:
        if block.cube:
            where = [k for k, _, _ in block.members]
            x[..., where] = from_cube(x[..., where], block.members, len(block.nodes))[0]
    return x


def unconstrained(spec: Spec, x: Floats) -> Floats:
    """The inverse of :func:`constrained`."""
    lower, upper = _bounds(spec)
    both = np.isfinite(lower) & np.isfinite(upper)
    low, high = np.isfinite(lower) & ~both, np.isfinite(upper) & ~both
    x = np.array(x, float)
    for block in spec.blocks:
        if block.cube:
            where = [k for k, _, _ in block.members]
            x[..., where] = to_cube(x[..., where], block.members, len(block.nodes))
    u = x.copy()
    u[..., low] = np.log(x[..., low] - lower[low])
    u[..., high] = np.log(upper[high] - x[..., high])
    u[..., both] = np.log(x[..., both] - lower[both]) - np.log(upper[both] - x[..., both])
    return u


def _bounds(spec: Spec) -> tuple[Floats, Floats]:
    return (
        np.array([p.lower for p in spec.parameters]),
        np.array([p.upper for p in spec.parameters]),
    )
