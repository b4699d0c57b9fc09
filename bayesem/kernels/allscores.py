"""The log-posterior where all factor scores are sampled: the complete-data likelihood.

This is the plain form, and the check on the other two. Given every factor's score a case's density
is a product of normal ones (residuals of factors, answers to indicators) and of the outcomes'
families, whatever products there are and however many outcomes. The sampler moves in distances
``t``: a case's scores are ``centre + root @ t``, constants that
:mod:`bayesem.kernels.allscores_plan` takes from each case's posterior at given matrices, so that
``t`` is roughly standard normal. With ``log|det root|`` added the density over ``t`` integrates to
the likelihood exactly, wherever centre and root lie.

Tables by case are flat, (variable, case) row by row, and every function takes rows by their offset:
innermost loops then run over cases, and little is compiled. Array and entries are those of
:mod:`bayesem.kernels.moderated`; the point is the parameters on the real line, then the distances.
"""

import math

import numpy as np
from numba import carray, cfunc, njit, types

from bayesem.arrays import Floats
from bayesem.families import LOGNORMAL, NORMAL, PROBIT
from bayesem.kernels.cache import INNER, kernel_cache
from bayesem.kernels.cases import SECTION
from bayesem.kernels.gaussian import LOG_2PI, cholesky, inverse_from, solve_identity_minus
from bayesem.kernels.linear import (
    HEADER,
    base_matrices,
    block_densities,
    collect,
    fill,
    layout,
    read_values,
)
from bayesem.kernels.moderated import (
    WHITE,
    _flagged,
    _pointer,
    expand_entry,
    from_white,
    whiten,
)
from bayesem.kernels.outcome import MISSING, expected

__all__ = [
    "curvature_of",
    "density_of",
    "expand_entry",
    "from_white",
    "logp_entry",
    "scores_loglik",
    "white_of",
    "whiten",
]

_DOUBLES = types.CPointer(types.double)

with kernel_cache():

    @njit(**INNER, fastmath={"reassoc", "contract"})
    def dot(x, o, y, s, n):  # type: ignore[no-untyped-def]
        """Sum of products of n entries of x from o on and of y from s on."""
        a, b = x[o : o + n], y[s : s + n]
        total = 0.0
        for i in range(n):
            total += a[i] * b[i]
        return total

    @njit(**INNER, fastmath={"reassoc", "contract"})
    def total_of(x, o, n):  # type: ignore[no-untyped-def]
        """Sum of n entries of x from o on."""
        a = x[o : o + n]
        total = 0.0
        for i in range(n):
            total += a[i]
        return total

    @njit(**INNER, fastmath={"contract"})
    def add(c, x, o, y, s, n):  # type: ignore[no-untyped-def]
        """n entries of y from s on += c times those of x from o on."""
        a, b = x[o : o + n], y[s : s + n]
        for i in range(n):
            b[i] += c * a[i]

    @njit(**INNER)
    def inverse(M, where, P):  # type: ignore[no-untyped-def]
        """Inverse of a submatrix of M into P; its log-determinant, nan if not positive definite."""
        n = where.shape[0]
        S, C = np.empty((n, n)), np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                S[i, j] = M[where[i], where[j]]
        logdet = cholesky(S, C)
        if not math.isnan(logdet):
            inverse_from(C, P)
        return logdet

    @njit(**INNER)
    def read_section(sec):  # type: ignore[no-untyped-def]
        """Views of what :func:`bayesem.kernels.allscores_plan.section` writes, all flat."""
        head = sec[:SECTION].view(np.int64)
        n, inner, loads, paths = head[0], head[3], head[4], head[5]
        K, no, nb, ny, each, ng = head[6], head[7], head[8], head[9], head[10], head[11]
        ints = sec[SECTION : SECTION + head[16]].view(np.int64)
        sizes = (ny, nb + 1, ny + 1, loads, paths, paths, 5 * K, no, no, each, ng, ng, ng * each)
        at = np.zeros(14, np.int64)
        for k in range(13):
            at[k + 1] = at[k] + sizes[k]
        o = SECTION + head[16]
        end = np.zeros(8, np.int64)
        lengths_of = (ny * n, no * n, no * n, no * n, inner * n, ng * each * each, ng)
        end[0] = o
        for k in range(7):
            end[k + 1] = end[k] + lengths_of[k]
        return (
            ints[: at[1]], ints[at[1] : at[2]], ints[at[2] : at[3]], ints[at[3] : at[4]],
            ints[at[4] : at[5]], ints[at[5] : at[6]], ints[at[6] : at[7]], ints[at[7] : at[8]],
            ints[at[8] : at[9]], ints[at[9] : at[10]], ints[at[10] : at[11]],
            ints[at[11] : at[12]], ints[at[12] : at[13]], ints[at[13] :],
        ), (
            sec[end[0] : end[1]], sec[end[1] : end[2]], sec[end[2] : end[3]], sec[end[3] : end[4]],
            sec[end[4] : end[5]], sec[end[5] : end[6]], sec[end[6] : end[7]],
        )  # fmt: skip

    @njit(**INNER)
    def place(ints, reals, n, t, eta, geta, gt, back):  # type: ignore[no-untyped-def]
        """Scores behind the distances added to ``eta``; the log-density of that step.

        With ``back`` the scores' gradient is brought back to the distances' instead. A distance
        that a case has no use for, because its cell is observed, is standard normal.
        """
        sampled, start, count, opened = ints[9], ints[10], ints[11], ints[12]
        root, logdet = reals[5], reals[6]
        each = sampled.shape[0]
        value = 0.0
        for g in range(start.shape[0]):
            a, size = start[g], count[g]
            value += size * logdet[g]
            for k in range(each):
                if opened[g * each + k] == 0:
                    value -= 0.5 * (dot(t, k * n + a, t, k * n + a, size) + size * LOG_2PI)
                    if back:
                        add(-1.0, t, k * n + a, gt, k * n + a, size)
                    continue
                at = sampled[k] * n + a
                for l in range(k + 1):
                    r = root[(g * each + k) * each + l]
                    if back:
                        add(r, geta, at, gt, l * n + a, size)
                    else:
                        add(r, t, l * n + a, eta, at, size)
        return value

    @njit(**INNER)
    def answers(Lambda, Theta, nu, ints, Y, n, eta, geta, gL, gT, gn):  # type: ignore[no-untyped-def]
        """Log-density of the answers given the scores, block by block of correlated residuals."""
        member, bound, load_bound, load_col = ints[0], ints[1], ints[2], ints[3]
        start, counts, saw = ints[10], ints[11], ints[13]
        widest, ny = 0, member.shape[0]
        for k in range(bound.shape[0] - 1):
            widest = max(widest, bound[k + 1] - bound[k])
        E, W, P = np.empty(widest * n), np.empty(widest * n), np.empty((widest, widest))
        rows, where = np.empty(widest, np.int64), np.empty(widest, np.int64)
        value = 0.0
        for g in range(start.shape[0]):
            a, count = start[g], counts[g]
            for block in range(bound.shape[0] - 1):
                size = 0
                for r in range(bound[block], bound[block + 1]):
                    if saw[g * ny + r]:
                        rows[size], where[size] = r, member[r]
                        size += 1
                if size == 0:
                    continue
                logdet = inverse(Theta, where[:size], P)
                if math.isnan(logdet):
                    return math.nan
                value -= 0.5 * count * (size * LOG_2PI + logdet)
                for k in range(size):
                    r, at = rows[k], where[k]
                    for i in range(count):
                        E[k * n + i] = Y[r * n + a + i] - nu[at]
                        W[k * n + i] = 0.0
                    for l in range(load_bound[r], load_bound[r + 1]):
                        add(-Lambda[at, load_col[l]], eta, load_col[l] * n + a, E, k * n, count)
                for k in range(size):
                    at = where[k]
                    for l in range(size):
                        add(P[k, l], E, l * n, W, k * n, count)
                    value -= 0.5 * dot(W, k * n, E, k * n, count)
                    gn[at] += total_of(W, k * n, count)
                    for l in range(load_bound[rows[k]], load_bound[rows[k] + 1]):
                        c = load_col[l]
                        gL[at, c] += dot(W, k * n, eta, c * n + a, count)
                        add(Lambda[at, c], W, k * n, geta, c * n + a, count)
                    for l in range(k + 1):
                        by = 0.5 * (dot(W, k * n, W, l * n, count) - count * P[k, l])
                        gT[at, where[l]] += by
                        if l < k:
                            gT[where[l], at] += by
        return value

    @njit(**INNER)
    def predict(Beta, alpha, omega, ints, n, eta, mean, lin, P):  # type: ignore[no-untyped-def]
        """What the equations predict for factors and outcomes, and the products, by case."""
        path_to, path_from, prod = ints[4], ints[5], ints[6]
        for j in range(alpha.shape[0]):
            for i in range(n):
                lin[j * n + i] = alpha[j]
        for k in range(path_to.shape[0]):
            r, c = path_to[k], path_from[k]
            add(Beta[r, c], eta, c * n, lin, r * n, n)
        for k in range(omega.shape[0]):
            a, b = prod[5 * k + 1], prod[5 * k + 2]
            s1 = 0.0 if prod[5 * k + 3] else mean[a]
            s2 = 0.0 if prod[5 * k + 4] else mean[b]
            for i in range(n):
                P[k * n + i] = (eta[a * n + i] - s1) * (eta[b * n + i] - s2)
            add(omega[k], P, k * n, lin, prod[5 * k] * n, n)

    @njit(**INNER)
    def predict_back(Beta, omega, ints, n, eta, mean, P, glin, geta, gmean, gB, ga, gw):  # type: ignore[no-untyped-def]
        """Back through :func:`predict`."""
        path_to, path_from, prod = ints[4], ints[5], ints[6]
        for j in range(ga.shape[0]):
            ga[j] += total_of(glin, j * n, n)
        for k in range(path_to.shape[0]):
            r, c = path_to[k], path_from[k]
            gB[r, c] += dot(glin, r * n, eta, c * n, n)
            add(Beta[r, c], glin, r * n, geta, c * n, n)
        by_a, by_b = np.empty(n), np.empty(n)
        for k in range(omega.shape[0]):
            to, a, b = prod[5 * k] * n, prod[5 * k + 1], prod[5 * k + 2]
            s1 = 0.0 if prod[5 * k + 3] else mean[a]
            s2 = 0.0 if prod[5 * k + 4] else mean[b]
            gw[k] += dot(glin, to, P, k * n, n)
            for i in range(n):
                g = omega[k] * glin[to + i]
                by_a[i] = g * (eta[b * n + i] - s2)
                by_b[i] = g * (eta[a * n + i] - s1)
            add(1.0, by_a, 0, geta, a * n, n)
            add(1.0, by_b, 0, geta, b * n, n)
            if prod[5 * k + 3] == 0:
                gmean[a] -= total_of(by_a, 0, n)
            if prod[5 * k + 4] == 0:
                gmean[b] -= total_of(by_b, 0, n)

    @njit(**INNER)
    def residuals(Q, logdet, n, zeta, glin, gP):  # type: ignore[no-untyped-def]
        """Log-density of the factors' residuals; its gradient by predictions into ``glin``."""
        inner = Q.shape[0]
        value = -0.5 * n * (inner * LOG_2PI + logdet)
        for a in range(inner):
            for b in range(inner):
                if Q[a, b] != 0.0:
                    add(Q[a, b], zeta, b * n, glin, a * n, n)
            value -= 0.5 * dot(zeta, a * n, glin, a * n, n)
            for b in range(a + 1):
                by = 0.5 * (dot(glin, a * n, glin, b * n, n) - n * Q[a, b])
                gP[a, b] += by
                if b < a:
                    gP[b, a] += by
        return value

    @njit(**INNER)
    def outcome(code, at, m, v, reals, o, n, shape, glin):  # type: ignore[no-untyped-def]
        """One outcome in all cases at known predictors ``m``; gradients by them into ``glin``.

        Returns the value and its derivatives by the residual's variance ``v`` and by ``shape``.
        """
        Z, status, logfact = reals[1], reals[2], reals[3]
        value, by_v, by_shape = 0.0, 0.0, 0.0
        nodes = np.zeros(1)
        for i in range(n):
            z, s = Z[o + i], status[o + i]
            if s == MISSING:
                continue
            if code == NORMAL:
                r = z - m[i]
                value -= 0.5 * (LOG_2PI + math.log(v) + r * r / v)
                glin[at + i] = r / v
                by_v += 0.5 * (r * r / v - 1.0) / v
            else:
                f, hm, hv, hs = expected(code, m[i], v, z, s, shape, logfact[o + i], nodes, nodes)
                value += f
                glin[at + i] = hm
                by_v += hv
                by_shape += hs
        return value, by_v, by_shape

    @njit(**INNER)
    def outcomes(Psi, shape, Q, ints, reals, n, zeta, lin, glin, gP, gs):  # type: ignore[no-untyped-def]
        """Log-density of the outcomes; a residual that factors share is conditioned on theirs."""
        factor, codes = ints[7], ints[8]
        inner = Q.shape[0]
        w, gw = np.zeros(inner), np.zeros(inner)
        m, total = np.empty(n), 0.0
        for k in range(factor.shape[0]):
            at, code = factor[k], codes[k]
            own = code in (PROBIT, LOGNORMAL, NORMAL)
            v, tied = Psi[at, at] if own else 0.0, False
            for i in range(n):
                m[i] = lin[at * n + i]
            for a in range(inner):
                w[a] = 0.0
                for b in range(inner):
                    w[a] += Q[a, b] * Psi[b, at]
                if w[a] != 0.0:
                    tied = True
                    v -= w[a] * Psi[a, at]
                    add(w[a], zeta, a * n, m, 0, n)
            if own and not v > 0.0:
                return math.nan
            value, by_v, by_shape = outcome(code, at * n, m, v, reals, k * n, n, shape[k], glin)
            total += value
            gs[k] += by_shape
            if own:
                gP[at, at] += by_v
            if not tied:
                continue
            for a in range(inner):
                gw[a] = dot(zeta, a * n, glin, at * n, n)
                add(-w[a], glin, at * n, glin, a * n, n)
            for a in range(inner):
                s = 0.0
                for b in range(inner):
                    s += Q[a, b] * gw[b]
                by = 0.5 * s - by_v * w[a]
                gP[a, at] += by
                gP[at, a] += by
                for b in range(inner):
                    by = 0.5 * (by_v * w[a] - s) * w[b]
                    gP[a, b] += by
                    gP[b, a] += by
        return total

    @njit(**INNER)
    def log_abs_det(A):  # type: ignore[no-untyped-def]
        """Logarithm of the absolute determinant of a small matrix, which is overwritten."""
        m, value = A.shape[0], 0.0
        for k in range(m):
            best = k
            for i in range(k + 1, m):
                if abs(A[i, k]) > abs(A[best, k]):
                    best = i
            for j in range(m):
                x = A[k, j]
                A[k, j] = A[best, j]
                A[best, j] = x
            value += math.log(abs(A[k, k]))
            for i in range(k + 1, m):
                f = A[i, k] / A[k, k]
                for j in range(k, m):
                    A[i, j] -= f * A[k, j]
        return value

    @njit(**INNER)
    def scores_loglik(Lambda, Beta, Psi, Theta, nu, alpha, omega, shape, sec, t):  # type: ignore[no-untyped-def]
        """Log-density of answers and scores, and its gradient for every matrix and distance.

        ``sec`` is what :func:`bayesem.kernels.allscores_plan.section` writes; ``t`` are the
        distances, (score, case) row by row, cases in the section's order. Integrated over ``t`` it
        is the likelihood. Cells of Lambda, Beta and Theta that the parameter table does not name
        have no gradient.
        """
        p, m = Lambda.shape
        gL, gB, gP = np.zeros((p, m)), np.zeros((m, m)), np.zeros((m, m))
        gT, gn, ga = np.zeros((p, p)), np.zeros(p), np.zeros(m)
        gw, gs, gt = np.zeros(omega.shape[0]), np.zeros(shape.shape[0]), np.zeros(t.shape[0])
        bad = (-math.inf, gL, gB, gP, gT, gn, ga, gw, gs, gt)
        head = sec[:SECTION].view(np.int64)
        n, inner = head[0], head[3]
        ints, reals = read_section(sec)
        eta, geta = reals[4].copy(), np.zeros(inner * n)
        place(ints, reals, n, t, eta, geta, gt, False)
        value = answers(Lambda, Theta, nu, ints, reals[0], n, eta, geta, gL, gT, gn)

        # linear part
        B, Q, A = np.empty((inner, inner)), np.empty((inner, inner)), np.empty((inner, inner))
        for i in range(inner):
            for j in range(inner):
                B[i, j] = Beta[i, j]
        logdet = inverse(Psi, np.arange(inner), Q)
        if math.isnan(value) or math.isnan(logdet) or not solve_identity_minus(B, A):
            return bad
        mean, gmean = np.zeros(inner), np.zeros(inner)
        for i in range(inner):
            for j in range(inner):
                mean[i] += A[i, j] * alpha[j]
        lin, glin, P = np.empty(m * n), np.zeros(m * n), np.empty(omega.shape[0] * n)
        predict(Beta, alpha, omega, ints, n, eta, mean, lin, P)

        # residuals and outcomes
        zeta = np.empty(inner * n)
        for i in range(inner * n):
            zeta[i] = eta[i] - lin[i]
        value += residuals(Q, logdet, n, zeta, glin, gP)
        value += outcomes(Psi, shape, Q, ints, reals, n, zeta, lin, glin, gP, gs)

        # back
        add(-1.0, glin, 0, geta, 0, inner * n)
        predict_back(Beta, omega, ints, n, eta, mean, P, glin, geta, gmean, gB, ga, gw)
        for j in range(inner):
            s = 0.0
            for i in range(inner):
                s += A[i, j] * gmean[i]
            ga[j] += s
            for i in range(inner):
                gB[j, i] += s * mean[i]
        if head[12] != 0:  # loops: the change of variables from residuals to scores
            for i in range(inner):
                for j in range(inner):
                    gB[i, j] -= n * A[j, i]
            value -= n * log_abs_det(A)
        value += place(ints, reals, n, t, eta, geta, gt, True)
        if not math.isfinite(value):
            return bad
        return value, gL, gB, gP, gT, gn, ga, gw, gs, gt

    @cfunc(
        types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, _DOUBLES),
        cache=True,
        error_model="numpy",
    )
    def logp_entry(dim, x, grad, out, start):  # type: ignore[no-untyped-def]
        """Log-posterior and gradient: 0 done, 4 a point where the density is 0."""
        size = np.int64(dim)
        first = carray(start, (HEADER,)).view(np.int64)
        core, q = first[13], first[2]
        head = carray(start, (core + SECTION,))[core:].view(np.int64)
        end, white = core + head[17], head[WHITE] == 1
        model = carray(start, (end + (q + q * q if white else 0),))
        u = carray(x, (size,)).copy()
        for k in range(q):
            if white:
                u[k] = model[end + k] + dot(model, end + q + k * q, carray(x, (q,)), 0, q)
        for k in range(size):
            grad[k] = 0.0
        out[0] = -math.inf
        parts, reals, base = layout(model)
        value, v, gv, slope, extra, tangents = read_values(model, parts, reals, u[:q])
        if not value > -math.inf:
            return 4
        M = base_matrices(model, base)
        fill(parts[2], reals[4], v, M)
        Lambda, Beta, Psi, Theta, nu, alpha, omega, shape = M
        ll, gL, gB, gP, gT, gn, ga, gw, gs, gt = scores_loglik(
            Lambda, Beta, Psi, Theta, nu, alpha, omega, shape, model[core:end], u[q:]
        )
        value += ll
        value += block_densities(parts[4], parts[5], reals[6], Psi, Theta, gP, gT)
        if not math.isfinite(value):
            return 4
        by = collect(
            model, parts, reals, v, gv, slope, extra, tangents, (gL, gB, gP, gT, gn, ga, gw, gs)
        )
        gradient = carray(grad, (size,))
        if white:
            for k in range(q):
                add(by[k], model, end + q + k * q, gradient, 0, q)
        else:
            add(1.0, by, 0, gradient, 0, q)
        add(1.0, gt, 0, gradient, q, size - q)
        out[0] = value
        for k in range(size):
            if not math.isfinite(gradient[k]):
                return 4
        return 0


def _call(array: Floats, u: Floats) -> tuple[float, Floats]:
    u = np.ascontiguousarray(u, float)
    gradient, value = np.zeros(u.shape), np.zeros(1)
    code = logp_entry.ctypes(len(u), *(_pointer(a) for a in (u, gradient, value, array)))
    return (float(value[0]) if code == 0 else -math.inf), gradient


def density_of(array: Floats, u: Floats) -> tuple[float, Floats]:
    """Log-posterior of parameters and distances on the real line, and its gradient."""
    return _call(_flagged(array, 0), u)


def white_of(array: Floats, z: Floats) -> tuple[float, Floats]:
    """The same in whitened coordinates (the constant Jacobian left out)."""
    return _call(_flagged(array, 1), z)


def curvature_of(array: Floats, u: Floats, step: float) -> Floats:
    """Hessian by parameters and distances at ``u``, by central differences of the gradient."""
    array = _flagged(array, 0)
    E = step * np.eye(len(u))
    H = np.array([_call(array, u + e)[1] - _call(array, u - e)[1] for e in E]) / (2 * step)
    return np.asarray(0.5 * (H + H.T))
