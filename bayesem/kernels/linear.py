"""The log-posterior of a linear SEM on the real line, read from one flat array."""

import math

import numpy as np
from numba import carray, cfunc, njit, types

from bayesem.kernels.cache import kernel_cache
from bayesem.kernels.cube import block_from_cube
from bayesem.kernels.densities import constrain, log_prior
from bayesem.kernels.gaussian import cholesky, gaussian_loglik, inverse_from

#: Length of the header of whole numbers at the start of the array.
HEADER = 16
MARK_VAR, MARK_PREC, MARK_COV = 1, 2, 3

_DOUBLES = types.CPointer(types.double)

with kernel_cache():

    @njit(cache=True, error_model="numpy")
    def block_density(M, nodes, eta, G):  # type: ignore[no-untyped-def]
        """(eta - 1) log det of the correlations of some nodes of M; adds its gradient to G."""
        b = nodes.shape[0]
        B, C, P = np.empty((b, b)), np.zeros((b, b)), np.empty((b, b))
        for i in range(b):
            for j in range(b):
                B[i, j] = M[nodes[i], nodes[j]]
        logdet = cholesky(B, C)
        if math.isnan(logdet):
            return math.nan
        if eta == 1.0:
            return 0.0
        inverse_from(C, P)
        for i in range(b):
            logdet -= math.log(B[i, i])
            P[i, i] -= 1.0 / B[i, i]
        for i in range(b):
            for j in range(b):
                G[nodes[i], nodes[j]] += (eta - 1.0) * P[i, j]
        return (eta - 1.0) * logdet

    @njit(cache=True, error_model="numpy")
    def marked(mark, v, s1, s2):  # type: ignore[no-untyped-def]
        """The quantity that a prior is on, its derivative by v, log|that|, its derivative by v."""
        if mark == MARK_VAR:
            return v * v, 2.0 * v, math.log(2.0 * v), 1.0 / v
        if mark == MARK_PREC:
            return 1.0 / (v * v), -2.0 / (v * v * v), math.log(2.0) - 3.0 * math.log(v), -3.0 / v
        if mark == MARK_COV:
            return v * s1 * s2, s1 * s2, math.log(s1 * s2), 0.0
        return v, 1.0, 0.0, 0.0

    @njit(cache=True, error_model="numpy")
    def layout(model):  # type: ignore[no-untyped-def]
        """Views of the parts of the array that :func:`bayesem.kernels.pack.pack` writes."""
        head = model[:HEADER].view(np.int64)
        p, q, nd = head[0], head[2], head[3]
        nk, nt, K, nb = head[4], head[5], head[6], head[7]
        total, npri = head[8], head[10]
        o = HEADER
        ints = model[o : o + head[12]].view(np.int64)
        o += head[12]
        i = 0
        d_row, d_col = ints[i : i + nk], ints[i + nk : i + 2 * nk]
        i += 2 * nk
        term = ints[i : i + 6 * nt].reshape((6, nt))
        i += 6 * nt
        pri = ints[i : i + 5 * npri].reshape((5, npri))
        i += 5 * npri
        block = ints[i : i + 3 * nb].reshape((3, nb))
        i += 3 * nb
        nodes = ints[i : i + total]
        i += total
        count, where = ints[i : i + K], ints[i + K : i + K + K * p].reshape((K, p))
        i += K + K * p
        places = ints[i:]
        lower, upper = model[o : o + q], model[o + q : o + 2 * q]
        o += 2 * q
        d_const, d_coef = model[o : o + nd], model[o + nd : o + nd + nk]
        o += nd + nk
        t_coef = model[o : o + nt]
        o += nt
        pri_arg = model[o : o + 4 * npri].reshape((4, npri))
        o += 4 * npri
        eta = model[o : o + nb]
        o += nb
        constant = model[o]
        o += 1
        n, ybar = model[o : o + K], model[o + K : o + K + K * p].reshape((K, p))
        o += K + K * p
        S = model[o : o + K * p * p].reshape((K, p, p))
        o += K * p * p
        return (
            (d_row, d_col, term, pri, block, nodes, count, where, places),
            (lower, upper, d_const, d_coef, t_coef, pri_arg, eta, constant, n, ybar, S),
            model[o : head[13]],
        )

    @njit(cache=True, error_model="numpy")
    def base_matrices(model, base):  # type: ignore[no-untyped-def]
        """The fixed cells of all matrices, to be filled in."""
        head = model[:HEADER].view(np.int64)
        p, m = head[0], head[1]
        o = 0
        Lambda = base[o : o + p * m].reshape((p, m)).copy()
        o += p * m
        Beta = base[o : o + m * m].reshape((m, m)).copy()
        o += m * m
        Psi = base[o : o + m * m].reshape((m, m)).copy()
        o += m * m
        Theta = base[o : o + p * p].reshape((p, p)).copy()
        o += p * p
        nu, alpha = base[o : o + p].copy(), base[o + p : o + p + m].copy()
        o += p + m
        omega = base[o : o + head[15]].copy()
        shape = base[o + head[15] :].copy()
        return Lambda, Beta, Psi, Theta, nu, alpha, omega, shape

    @njit(cache=True, error_model="numpy")
    def read_values(model, parts, reals, u):  # type: ignore[no-untyped-def]
        """Values behind their transforms and the log-density of their priors.

        Returns the log-density, the values ``v`` (sampled, then derived), its gradient by them so
        far, the transforms' slopes, their Jacobians' gradients, and the cubes' tangents.
        """
        head = model[:HEADER].view(np.int64)
        q, nd, nk, npri, jacobian, cubes = head[2], head[3], head[4], head[10], head[11], head[14]
        d_row, d_col, _, pri, _, _, _, _, places = parts
        lower, upper, d_const, d_coef, _, pri_arg, _, constant, _, _, _ = reals
        v, gv = np.empty(q + nd), np.zeros(q + nd)
        slope, extra = np.empty(q), np.zeros(q)
        value = constant
        for k in range(q):
            v[k], slope[k], log_slope, by_u = constrain(u[k], lower[k], upper[k])
            if jacobian:
                value += log_slope
                extra[k] = by_u
        tangents = np.zeros(places.shape[0] * places.shape[0])
        at, used = 0, 0
        for _ in range(cubes):
            order, size = places[at], places[at + 1]
            source = places[at + 2 : at + 2 + size]
            rows, cols = places[at + 2 + size : at + 2 + 2 * size], places[at + 2 + 2 * size :]
            z = np.empty(size)
            for a in range(size):
                z[a] = v[source[a]]
            r, J, log_jac, by_z = block_from_cube(z, rows, cols[:size], order)
            for a in range(size):
                v[source[a]] = r[a]
                if jacobian:
                    extra[source[a]] += by_z[a] * slope[source[a]]
                for b in range(size):
                    tangents[used + a * size + b] = J[a, b]
            if jacobian:
                value += log_jac
            at += 2 + 3 * size
            used += size * size
        for k in range(nd):
            v[q + k] = d_const[k]
        for k in range(nk):
            v[q + d_row[k]] += d_coef[k] * v[d_col[k]]

        # priors of single values
        for k in range(npri):
            s = pri[0, k]
            one, two = pri[3, k], pri[4, k]
            s1 = v[one] if one >= 0 else 1.0
            s2 = v[two] if two >= 0 else 1.0
            t, dt, log_dt, dlog = marked(pri[2, k], v[s], s1, s2)
            density, by_t = log_prior(pri[1, k], t, pri_arg[0, k], pri_arg[1, k], pri_arg[2, k])
            value += density + log_dt + pri_arg[3, k]
            gv[s] += by_t * dt + dlog
            if pri[2, k] == MARK_COV:
                if one >= 0:
                    gv[one] += by_t * v[s] * s2 + 1.0 / s1
                if two >= 0:
                    gv[two] += by_t * v[s] * s1 + 1.0 / s2
        return value, v, gv, slope, extra, tangents

    @njit(cache=True, error_model="numpy")
    def fill(term, t_coef, v, M):  # type: ignore[no-untyped-def]
        """Add every term to its cell."""
        Lambda, Beta, Psi, Theta, nu, alpha, omega, shape = M
        for k in range(term.shape[1]):
            x = t_coef[k] * v[term[3, k]]
            if term[4, k] >= 0:
                x *= v[term[4, k]]
            if term[5, k] >= 0:
                x *= v[term[5, k]]
            w, r, c = term[0, k], term[1, k], term[2, k]
            if w == 0:
                Lambda[r, c] += x
            elif w == 1:
                Beta[r, c] += x
            elif w == 2:
                Psi[r, c] += x
                if r != c:
                    Psi[c, r] += x
            elif w == 3:
                Theta[r, c] += x
                if r != c:
                    Theta[c, r] += x
            elif w == 4:
                nu[r] += x
            elif w == 5:
                alpha[r] += x
            elif w == 6:
                omega[r] += x
            else:
                shape[r] += x

    @njit(cache=True, error_model="numpy")
    def collect(model, parts, reals, v, gv, slope, extra, tangents, G):  # type: ignore[no-untyped-def]
        """From the matrices' gradients ``G`` back to the sampled values on the real line."""
        head = model[:HEADER].view(np.int64)
        q, nk, cubes = head[2], head[4], head[14]
        d_row, d_col, term, _, _, _, _, _, places = parts
        _, _, _, d_coef, t_coef, _, _, _, _, _, _ = reals
        gL, gB, gP, gT, gn, ga, gw, gs = G
        for k in range(term.shape[1]):
            w, r, c = term[0, k], term[1, k], term[2, k]
            if w == 0:
                d = gL[r, c]
            elif w == 1:
                d = gB[r, c]
            elif w == 2:
                d = gP[r, c] if r == c else gP[r, c] + gP[c, r]
            elif w == 3:
                d = gT[r, c] if r == c else gT[r, c] + gT[c, r]
            elif w == 4:
                d = gn[r]
            elif w == 5:
                d = ga[r]
            elif w == 6:
                d = gw[r]
            else:
                d = gs[r]
            d *= t_coef[k]
            a, b, e = term[3, k], term[4, k], term[5, k]
            vb = v[b] if b >= 0 else 1.0
            ve = v[e] if e >= 0 else 1.0
            gv[a] += d * vb * ve
            if b >= 0:
                gv[b] += d * v[a] * ve
            if e >= 0:
                gv[e] += d * v[a] * vb
        for k in range(nk):
            gv[d_col[k]] += d_coef[k] * gv[q + d_row[k]]
        at, used = 0, 0
        for _ in range(cubes):
            size = places[at + 1]
            source = places[at + 2 : at + 2 + size]
            by_z = np.zeros(size)
            for a in range(size):
                for b in range(size):
                    by_z[b] += gv[source[a]] * tangents[used + a * size + b]
            for a in range(size):
                gv[source[a]] = by_z[a]
            at += 2 + 3 * size
            used += size * size
        gradient = np.empty(q)
        for k in range(q):
            gradient[k] = gv[k] * slope[k] + extra[k]
        return gradient

    @njit(cache=True, error_model="numpy")
    def block_densities(block, nodes, eta, Psi, Theta, gP, gT):  # type: ignore[no-untyped-def]
        """Density of all blocks of correlated residuals; adds to the matrices' gradients."""
        value = 0.0
        for k in range(block.shape[1]):
            inside = nodes[block[1, k] : block[1, k] + block[2, k]]
            if block[0, k] == 2:
                value += block_density(Psi, inside, eta[k], gP)
            else:
                value += block_density(Theta, inside, eta[k], gT)
        return value

    @njit(cache=True, error_model="numpy")
    def log_posterior(model, u, likelihood):  # type: ignore[no-untyped-def]
        """Log-posterior of unconstrained values ``u`` (q,) and its gradient.

        ``model`` is the array that :func:`bayesem.kernels.pack.pack` writes. Without the flag
        ``likelihood`` only the prior (with the transforms' Jacobians) is computed.
        """
        parts, reals, base = layout(model)
        value, v, gv, slope, extra, tangents = read_values(model, parts, reals, u)
        q = slope.shape[0]
        if not value > -math.inf:
            return -math.inf, gv[:q]
        M = base_matrices(model, base)
        fill(parts[2], reals[4], v, M)
        Lambda, Beta, Psi, Theta, nu, alpha, omega, shape = M
        p, m = Lambda.shape
        if likelihood:
            use_mean = model[:HEADER].view(np.int64)[9] != 0
            ll, gL, gB, gP, gT, gn, ga = gaussian_loglik(
                Lambda, Beta, Psi, Theta, nu, alpha, parts[6], parts[7],
                reals[8], reals[9], reals[10], use_mean,
            )  # fmt: skip
            value += ll
        else:
            gL, gB, gP, gT = np.zeros((p, m)), np.zeros((m, m)), np.zeros((m, m)), np.zeros((p, p))
            gn, ga = np.zeros(p), np.zeros(m)
        value += block_densities(parts[4], parts[5], reals[6], Psi, Theta, gP, gT)
        if not value > -math.inf:
            return -math.inf, gv[:q]
        G = (gL, gB, gP, gT, gn, ga, np.zeros(omega.shape[0]), np.zeros(shape.shape[0]))
        return value, collect(model, parts, reals, v, gv, slope, extra, tangents, G)

    @njit(cache=True, error_model="numpy")
    def from_white(model, z):  # type: ignore[no-untyped-def]
        """The point of the real line behind whitened coordinates: centre + spread @ z."""
        q = z.shape[0]
        tail = model[model[:HEADER].view(np.int64)[13] :]
        return tail[:q] + tail[q : q + q * q].reshape((q, q)) @ z

    @njit(cache=True, error_model="numpy")
    def log_posterior_white(model, z):  # type: ignore[no-untyped-def]
        """Log-posterior and gradient in whitened coordinates (the constant Jacobian left out)."""
        q = z.shape[0]
        tail = model[model[:HEADER].view(np.int64)[13] :]
        value, gradient = log_posterior(model, from_white(model, z), True)
        return value, tail[q : q + q * q].reshape((q, q)).T @ gradient

    @cfunc(
        types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, _DOUBLES),
        cache=True,
        error_model="numpy",
    )
    def logp_entry(dim, x, grad, out, model):  # type: ignore[no-untyped-def]
        """What nutpie calls, in whitened coordinates: 0 done, 4 a point where the density is 0."""
        q = np.int64(dim)
        length = carray(model, (HEADER,)).view(np.int64)[13] + q + q * q
        value, gradient = log_posterior_white(carray(model, (length,)), carray(x, (q,)))
        sound = math.isfinite(value)
        for k in range(q):
            grad[k] = gradient[k]
            sound = sound and math.isfinite(gradient[k])
        out[0] = value
        return 0 if sound else 4

    @cfunc(
        types.int64(types.uint64, types.uint64, _DOUBLES, _DOUBLES, _DOUBLES),
        cache=True,
        error_model="numpy",
    )
    def expand_entry(dim, size, x, out, model):  # type: ignore[no-untyped-def]
        """Draws are stored on the real line; the package brings them between bounds itself."""
        q = np.int64(dim)
        length = carray(model, (HEADER,)).view(np.int64)[13] + q + q * q
        u = from_white(carray(model, (length,)), carray(x, (q,)))
        for k in range(np.int64(size)):
            out[k] = u[k]
        return 0

    @njit(cache=True, error_model="numpy")
    def log_posteriors(model, U, likelihood):  # type: ignore[no-untyped-def]
        """Log-posterior of many points (draw, q), without gradients."""
        out = np.empty(U.shape[0])
        for k in range(U.shape[0]):
            out[k] = log_posterior(model, U[k], likelihood)[0]
        return out

    @njit(cache=True, error_model="numpy")
    def curvature(model, u, step):  # type: ignore[no-untyped-def]
        """Hessian of the log-posterior at ``u`` by central differences of its gradient."""
        q = u.shape[0]
        H = np.empty((q, q))
        for k in range(q):
            e = np.zeros(q)
            e[k] = step
            H[k] = (log_posterior(model, u + e, True)[1] - log_posterior(model, u - e, True)[1]) / (
                2 * step
            )
        return 0.5 * (H + H.T)
