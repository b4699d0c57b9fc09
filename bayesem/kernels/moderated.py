"""The log-posterior where cases are integrated one by one, read from one flat array.

The array is the linear model's, then the section that :mod:`bayesem.kernels.plan` writes, then (for
the sampler) the whitening's centre and spread. The point is the parameters on the real line, then
the sampled scores of all cases, if any.

Each level of calls is compiled anew with all below it, so there is one entry, which nutpie and
Python both call.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, c_double
from typing import Any

import numpy as np
from numba import carray, cfunc, types

from bayesem.arrays import Floats
from bayesem.kernels.cache import kernel_cache
from bayesem.kernels.cases import SECTION, cases_loglik
from bayesem.kernels.linear import (
    HEADER,
    base_matrices,
    block_densities,
    collect,
    fill,
    layout,
    read_values,
)

__all__ = [
    "by_case_of",
    "curvature_of",
    "density_of",
    "expand_entry",
    "from_white",
    "logp_entry",
    "white_of",
]

#: Places in the section's header of the flags that points are in whitened coordinates, and that
#: each case's own log-likelihood is wanted in the place of the gradient.
WHITE, BY_CASE = 19, 20

_DOUBLES = types.CPointer(types.double)

with kernel_cache():

    @cfunc(
        types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, _DOUBLES),
        cache=True,
        error_model="numpy",
    )
    def logp_entry(dim, x, grad, out, start):  # type: ignore[no-untyped-def]
        """Log-posterior and gradient: 0 done, 4 a point where the density is 0.

        Marked so, ``grad`` gets the log-likelihood of every case in its place.
        """
        size = np.int64(dim)
        first = carray(start, (HEADER,)).view(np.int64)
        core, q = first[13], first[2]
        head = carray(start, (core + SECTION,))[core:].view(np.int64)
        end, each, white = core + head[17], head[10] if head[15] == 2 else 0, head[19] == 1
        model = carray(start, (end + (q + q * q if white else 0),))
        each_case = head[20] == 1
        u, gradient = carray(x, (size,)).copy(), carray(grad, (head[0] if each_case else size,))
        spread = model[end + q :].reshape((q, q)) if white else np.zeros((0, 0))
        if white:
            for i in range(q):
                s = model[end + i]
                for j in range(q):
                    s += spread[i, j] * x[j]
                u[i] = s
        for k in range(gradient.shape[0]):
            gradient[k] = 0.0
        out[0] = -math.inf
        parts, reals, base = layout(model)
        value, v, gv, slope, extra, tangents = read_values(model, parts, reals, u[:q])
        if not value > -math.inf:
            return 4
        M = base_matrices(model, base)
        fill(parts[2], reals[4], v, M)
        Lambda, Beta, Psi, Theta, nu, alpha, omega, shape = M
        scores = u[q:].copy().reshape((head[0], each)) if each > 0 else np.zeros((0, 0))
        ll, gL, gB, gP, gT, gn, ga, gw, gs, gt = cases_loglik(
            Lambda, Beta, Psi, Theta, nu, alpha, omega, shape, model[core:end], scores,
            gradient if each_case else gradient[:0],
        )  # fmt: skip
        value += ll
        if each_case:
            out[0] = ll
            return 0 if math.isfinite(ll) else 4
        value += block_densities(parts[4], parts[5], reals[6], Psi, Theta, gP, gT)
        if not math.isfinite(value):
            return 4
        by = collect(
            model, parts, reals, v, gv, slope, extra, tangents, (gL, gB, gP, gT, gn, ga, gw, gs)
        )
        sound = True
        for k in range(q):
            s = by[k]
            if white:
                s = 0.0
                for i in range(q):
                    s += spread[i, k] * by[i]
            gradient[k] = s
            sound = sound and math.isfinite(s)
        for i in range(gt.shape[0]):
            for k in range(each):
                gradient[q + i * each + k] = gt[i, k]
                sound = sound and math.isfinite(gt[i, k])
        out[0] = value
        return 0 if sound else 4

    @cfunc(
        types.int64(types.uint64, types.uint64, _DOUBLES, _DOUBLES, _DOUBLES),
        cache=True,
        error_model="numpy",
    )
    def expand_entry(dim, size, x, out, start):  # type: ignore[no-untyped-def]
        """Draws of the parameters are stored on the real line; those of the scores are not."""
        first = carray(start, (HEADER,)).view(np.int64)
        core, q = first[13], first[2]
        end = core + carray(start, (core + SECTION,))[core:].view(np.int64)[17]
        tail = carray(start, (end + q + q * q,))[end:]
        for i in range(np.int64(size)):
            s = tail[i]
            for j in range(q):
                s += tail[q + i * q + j] * x[j]
            out[i] = s
        return 0


def _pointer(a: Floats) -> Any:
    return a.ctypes.data_as(POINTER(c_double))


def _call(array: Floats, u: Floats) -> tuple[float, Floats]:
    u = np.ascontiguousarray(u, float)
    gradient, value = np.zeros(u.shape), np.zeros(1)
    arguments = (_pointer(a) for a in (u, gradient, value, array))
    code = logp_entry.ctypes(len(u), *arguments)
    return (float(value[0]) if code == 0 else -math.inf), gradient


def _flagged(array: Floats, flag: int, place: int = WHITE) -> Floats:
    """The array, marked (by default as in real, 0, or whitened, 1, coordinates)."""
    core = int(array[:HEADER].view(np.int64)[13])
    head = array[core : core + SECTION].view(np.int64)
    if head[place] == flag:
        return array
    array = array.copy()
    array[core : core + SECTION].view(np.int64)[place] = flag
    return array


def density_of(array: Floats, u: Floats) -> tuple[float, Floats]:
    """Log-posterior of parameters and scores on the real line, and its gradient."""
    return _call(_flagged(array, 0), u)


def by_case_of(array: Floats, U: Floats) -> Floats:
    """Log-likelihood of every case (draw, case), rows of the section, at points (draw, q).

    For arrays without sampled scores. Threads share the points: a call does not hold Python.
    """
    array = _flagged(_flagged(array, 0), 1, BY_CASE)
    core = int(array[:HEADER].view(np.int64)[13])
    cases = int(array[core : core + SECTION].view(np.int64)[0])
    U = np.ascontiguousarray(U, float)
    out, total = np.zeros((len(U), cases)), np.zeros(len(U))

    def fill_row(k: int) -> None:
        code = logp_entry.ctypes(
            U.shape[1], _pointer(U[k]), _pointer(out[k]), _pointer(total[k:]), _pointer(array)
        )
        if code != 0:
            out[k] = -math.inf

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(fill_row, range(len(U)), chunksize=8))
    return out


def white_of(array: Floats, z: Floats) -> tuple[float, Floats]:
    """The same in whitened coordinates (the constant Jacobian left out)."""
    return _call(_flagged(array, 1), z)


def whiten(array: Floats, centre: Floats, spread: Floats) -> Floats:
    """The array with its whitening behind it, marked as whitened."""
    return np.concatenate([_flagged(array, 1), centre, spread.ravel()])


def from_white(array: Floats, z: Floats) -> Floats:
    """The point behind whitened coordinates; scores are round already."""
    core, q = (int(array[:HEADER].view(np.int64)[k]) for k in (13, 2))
    end = core + int(array[core : core + SECTION].view(np.int64)[17])
    u = z.copy()
    u[:q] = array[end : end + q] + array[end + q :].reshape(q, q) @ z[:q]
    return u


def curvature_of(array: Floats, u: Floats, step: float) -> Floats:
    """Hessian of the log-posterior at ``u`` by central differences of its gradient."""
    array = _flagged(array, 0)
    E = step * np.eye(len(u))
    H = np.array([_call(array, u + e)[1] - _call(array, u - e)[1] for e in E]) / (2 * step)
    return np.asarray(0.5 * (H + H.T))
