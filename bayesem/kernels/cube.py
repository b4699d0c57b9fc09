"""Correlations from coordinates in a cube, with derivatives (see bayesem.correlations)."""

import math

import numpy as np
from numba import njit

from bayesem.kernels.cache import kernel_cache
from bayesem.kernels.gaussian import cholesky, inverse_from

with kernel_cache():

    @njit(cache=True, error_model="numpy")
    def _cholesky_tangent(C, Ci, dM, X, dC):  # type: ignore[no-untyped-def]
        """Derivative of a Cholesky factor along dM into dC; X is scratch, dM is overwritten."""
        f = C.shape[0]
        for a in range(f):  # X = Ci dM
            for b in range(f):
                total = 0.0
                for c in range(a + 1):
                    total += Ci[a, c] * dM[c, b]
                X[a, b] = total
        for a in range(f):  # lower half of X Ci', its diagonal halved
            for b in range(a + 1):
                total = 0.0
                for c in range(b + 1):
                    total += X[a, c] * Ci[b, c]
                dM[a, b] = 0.5 * total if a == b else total
        for a in range(f):
            for b in range(a + 1):
                total = 0.0
                for c in range(b, a + 1):
                    total += C[a, c] * dM[c, b]
                dC[a, b] = total

    @njit(cache=True, error_model="numpy")
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
            here, dr = np.zeros(f), np.zeros(f)
            for a in range(f):
                for b in range(a, f):
                    here[a] += Ci[b, a] * w[b]
            dM, X, dC = np.zeros((f, f)), np.zeros((f, f)), np.zeros((f, f))
            for t in range(stop):
                if t < start:
                    s0 = row[t]  # dR has entries in the rows from this one on
                    for a in range(f):
                        for b in range(a + 1):
                            total = 0.0
                            for c in range(s0, i):
                                for e in range(c):
                                    if dR[t, c, e] != 0.0:
                                        total += dR[t, c, e] * (
                                            P[col[start + a], c] * P[e, col[start + b]]
                                            + P[col[start + a], e] * P[c, col[start + b]]
                                        )
                            dM[a, b] = dM[b, a] = -total
                    _cholesky_tangent(C, Ci, dM, X, dC)
                    for a in range(f):
                        for b in range(a, f):
                            dw[t, a] -= dC[b, a] * here[b]
                        grad[t] -= dC[a, a] / C[a, a]
                for a in range(f):
                    total = 0.0
                    for b in range(a, f):
                        total += Ci[b, a] * dw[t, b]
                    dr[a] = total
                for a in range(f):
                    J[start + a, t] = dr[a]
                    dR[t, i, col[start + a]] = dr[a]
            for a in range(f):
                r[start + a] = here[a]
                R[i, col[start + a]] = here[a]
                R[col[start + a], i] = here[a]
            start = stop
        return r, J, value, grad
