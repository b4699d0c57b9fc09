"""Normal log-likelihood and gradient from sufficient statistics, by pattern of cells."""

import math

import numpy as np
from numba import njit

from bayesem.kernels.cache import kernel_cache

LOG_2PI = math.log(2 * math.pi)

with kernel_cache():

    @njit(cache=True, error_model="numpy")
    def cholesky(M, C):  # type: ignore[no-untyped-def]
        """Lower Cholesky factor of M into C; the log-determinant, or nan if M is not positive."""
        n = M.shape[0]
        logdet = 0.0
        for i in range(n):
            for j in range(i):
                s = M[i, j]
                for k in range(j):
                    s -= C[i, k] * C[j, k]
                C[i, j] = s / C[j, j]
            s = M[i, i]
            for k in range(i):
                s -= C[i, k] * C[i, k]
            if not s > 1e-14 * abs(M[i, i]) or not s < math.inf:
                return math.nan
            C[i, i] = math.sqrt(s)
            logdet += math.log(s)
        return logdet

    @njit(cache=True, error_model="numpy")
    def inverse_from(C, P):  # type: ignore[no-untyped-def]
        """Inverse of C C' into P, both triangles; C is overwritten by its own inverse."""
        n = C.shape[0]
        for j in range(n):
            C[j, j] = 1.0 / C[j, j]
            for i in range(j + 1, n):
                s = 0.0
                for k in range(j, i):
                    s -= C[i, k] * C[k, j]
                C[i, j] = s / C[i, i]
        for i in range(n):
            for j in range(i + 1):
                s = 0.0
                for k in range(i, n):
                    s += C[k, i] * C[k, j]
                P[i, j] = s
                P[j, i] = s

    @njit(cache=True, error_model="numpy")
    def solve_identity_minus(B, A):  # type: ignore[no-untyped-def]
        """inv(I - B) into A by Gauss-Jordan with pivoting; False if it is singular."""
        m = B.shape[0]
        W = np.zeros((m, 2 * m))
        for i in range(m):
            for j in range(m):
                W[i, j] = -B[i, j]
            W[i, i] += 1.0
            W[i, m + i] = 1.0
        for k in range(m):
            best = k
            for i in range(k + 1, m):
                if abs(W[i, k]) > abs(W[best, k]):
                    best = i
            if not abs(W[best, k]) > 1e-14:
                return False
            if best != k:
                for j in range(2 * m):
                    W[k, j], W[best, j] = W[best, j], W[k, j]
            scale = 1.0 / W[k, k]
            for j in range(2 * m):
                W[k, j] *= scale
            for i in range(m):
                if i != k and W[i, k] != 0.0:
                    f = W[i, k]
                    for j in range(2 * m):
                        W[i, j] -= f * W[k, j]
        for i in range(m):
            for j in range(m):
                A[i, j] = W[i, m + j]
        return True

    @njit(cache=True, error_model="numpy")
    def pattern_loglik(where, n, ybar, S, use_mean, Sigma, mu, G, g):  # type: ignore[no-untyped-def]
        """One pattern's log-likelihood; adds d/dSigma to G and d/dmu to g. nan if not positive."""
        o = where.shape[0]
        whole = o == Sigma.shape[0]
        M, C, P = np.empty((o, o)), np.zeros((o, o)), np.empty((o, o))
        W = np.empty((o, o))
        d = np.zeros(o)
        for i in range(o):
            for j in range(o):
                M[i, j] = Sigma[where[i], where[j]]
        logdet = cholesky(M, C)
        if math.isnan(logdet):
            return math.nan
        inverse_from(C, P)
        if use_mean:
            for i in range(o):
                d[i] = ybar[where[i]] - mu[where[i]]
        trace = 0.0
        for i in range(o):
            for j in range(o):
                W[i, j] = S[where[i], where[j]] + d[i] * d[j]
                trace += P[i, j] * W[i, j]
        Pd = P @ d
        PWP = P @ W @ P
        half = 0.5 * n
        for i in range(o):
            if use_mean:
                g[where[i]] += n * Pd[i]
            for j in range(o):
                if whole:
                    G[i, j] -= half * (P[i, j] - PWP[i, j])
                else:
                    G[where[i], where[j]] -= half * (P[i, j] - PWP[i, j])
        return -half * (o * LOG_2PI + logdet + trace)

    @njit(cache=True, error_model="numpy")
    def gaussian_loglik(  # type: ignore[no-untyped-def]
        Lambda, Beta, Psi, Theta, nu, alpha, count, where, n, ybar, S, use_mean
    ):
        """Log-likelihood of a linear SEM and its gradient for each matrix.

        ``count`` (pattern,) and ``where`` (pattern, indicator) say which variables each pattern
        observes; ``n`` (pattern,), ``ybar`` (pattern, indicator) and ``S`` (pattern, indicator,
        indicator_bis; divisor n) are its statistics. The gradient of a symmetric matrix counts each
        of its two mirrored entries once. Minus infinity where a covariance is not positive
        definite.
        """
        p, m = Lambda.shape
        gL, gB, gP = np.zeros((p, m)), np.zeros((m, m)), np.zeros((m, m))
        G, g, ga = np.zeros((p, p)), np.zeros(p), np.zeros(m)
        A = np.empty((m, m))
        if not solve_identity_minus(Beta, A):
            return -math.inf, gL, gB, gP, G, g, ga
        LA = Lambda @ A
        LAPsi = LA @ Psi
        Sigma = LAPsi @ LA.T + Theta
        Aa = A @ alpha
        mu = nu + Lambda @ Aa
        value = 0.0
        for k in range(n.shape[0]):
            value += pattern_loglik(
                where[k, : count[k]], n[k], ybar[k], S[k], use_mean, Sigma, mu, G, g
            )
            if math.isnan(value):
                return -math.inf, gL, gB, gP, G, g, ga
        GLAPsi = 2.0 * (G @ LAPsi)
        gL = GLAPsi @ A.T
        inner = Lambda.T @ GLAPsi
        if use_mean:
            Lg = Lambda.T @ g
            gL += np.outer(g, Aa)
            inner += np.outer(Lg, alpha)
            ga = A.T @ Lg
        gB = A.T @ inner @ A.T
        gP = LA.T @ G @ LA
        return value, gL, gB, gP, G, g, ga
