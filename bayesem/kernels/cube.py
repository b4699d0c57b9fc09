"""Correlations from coordinates in a cube, with derivatives (see bayesem.correlations)."""

import math

import numpy as np
from numba import njit

from bayesem.kernels.cache import kernel_cache
from bayesem.kernels.gaussian import cholesky, inverse_from

with kernel_cache():

    @njit(cache=True)
    def _cholesky_tangent(C, Ci, dM):  # type: ignore[no-untyped-def]
        """Derivative of a Cholesky factor along dM."""
        X = Ci @ dM @ Ci.T
        f = X.shape[0]
        for a in range(f):
            X[a, a] *= 0.5
            for b in range(a + 1, f):
                X[a, b] = 0.0
        return C @ X

    @njit(cache=True)
    def block_from_cube(z, row, col, order):  # type: ignore[no-untyped-def]
        """Correlations r (k,), dr/dz (k, k), log Jacobian and its gradient (k,).

        ``row[a] > col[a]`` is the place of the a-th coordinate; places are sorted by row, column.
        """
        k = z.shape[0]
        R, dR = np.eye(order), np.zeros((k, order, order))
        r, J, value, grad = np.zeros(k), np.zeros((k, k)), 0.0, np.zeros(k)
        start = 0
        while start < k:
            i = row[start]
            stop = start
            while stop < k and row[stop] == i:
                stop += 1
            f = stop - start
            L, P = np.zeros((i, i)), np.empty((i, i))
            cholesky(R[:i, :i], L)
            inverse_from(L, P)
            M = np.empty((f, f))
            for a in range(f):
                for b in range(f):
                    M[a, b] = P[col[start + a], col[start + b]]
            C = np.zeros((f, f))
            cholesky(M, C)
            Ci, scratch = C.copy(), np.empty((f, f))
            inverse_from(Ci, scratch)
            w, rest = np.zeros(f), 1.0
            dw, drest = np.zeros((k, f)), np.zeros(k)
            for a in range(f):
                root = math.sqrt(rest)
                w[a] = z[start + a] * root
                value += 0.5 * math.log(rest) - math.log(C[a, a])
                for t in range(stop):
                    grad[t] += 0.5 * drest[t] / rest
                    dw[t, a] = z[start + a] * 0.5 * drest[t] / root
                dw[start + a, a] += root
                for t in range(stop):
                    drest[t] -= 2.0 * w[a] * dw[t, a]
                rest -= w[a] * w[a]
            here = Ci.T @ w
            for t in range(stop):
                change = dw[t].copy()
                if t < start:
                    inner = np.ascontiguousarray(dR[t, :i, :i])
                    dP = -(P @ inner @ P)
                    dM = np.empty((f, f))
                    for a in range(f):
                        for b in range(f):
                            dM[a, b] = dP[col[start + a], col[start + b]]
                    dC = _cholesky_tangent(C, Ci, dM)
                    change -= dC.T @ here
                    for a in range(f):
                        grad[t] -= dC[a, a] / C[a, a]
                dr = Ci.T @ change
                for a in range(f):
                    J[start + a, t] = dr[a]
                    dR[t, i, col[start + a]] = dr[a]
                    dR[t, col[start + a], i] = dr[a]
            for a in range(f):
                r[start + a] = here[a]
                R[i, col[start + a]] = here[a]
                R[col[start + a], i] = here[a]
            start = stop
        return r, J, value, grad
