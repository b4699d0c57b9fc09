"""Log-likelihood of cases where products of factors or outcomes of other families enter.

The factors split in two. The *early* ones are normal, and so are they given a case's answers to
their indicators. The *late* ones depend on products of early factors, or are linear predictors of
outcomes. Given the scores of the few early factors that take part in every product (the *cover*),
the late ones are normal, too: their mean and covariance are polynomials in those scores. So a
case's likelihood is that of its early answers times an integral over the cover, which is either
done by Gauss-Hermite nodes placed on the case's own posterior of the cover, or left to the sampler,
which then draws the cover's scores as distances from that posterior. See docs/interactions.md.
"""

import math

import numpy as np
from numba import njit

from bayesem.families import NORMAL
from bayesem.kernels.cache import INNER, kernel_cache
from bayesem.kernels.gaussian import LOG_2PI, cholesky, inverse_from, solve_identity_minus
from bayesem.kernels.outcome import MISSING, expected

#: Length of the section's header of whole numbers.
SECTION = 24

#: By case, sums of squares beyond which a late answer's density is a difference of numbers without
#: digits left; the density itself is nothing there.
LARGEST = 1e8

with kernel_cache():

    @njit(**INNER)
    def pick(M, rows, cols):  # type: ignore[no-untyped-def]
        """A submatrix, contiguous."""
        out = np.empty((rows.shape[0], cols.shape[0]))
        for i in range(rows.shape[0]):
            for j in range(cols.shape[0]):
                out[i, j] = M[rows[i], cols[j]]
        return out

    @njit(**INNER)
    def put(M, rows, cols, part):  # type: ignore[no-untyped-def]
        """Add to a submatrix."""
        for i in range(rows.shape[0]):
            for j in range(cols.shape[0]):
                M[rows[i], cols[j]] += part[i, j]

    @njit(**INNER)
    def seen(mask, where):  # type: ignore[no-untyped-def]
        """The entries of ``where`` that a mask marks."""
        count = 0
        for k in range(mask.shape[0]):
            count += mask[k]
        out = np.empty(count, np.int64)
        at = 0
        for k in range(mask.shape[0]):
            if mask[k]:
                out[at] = where[k]
                at += 1
        return out

    @njit(**INNER)
    def root(J):  # type: ignore[no-untyped-def]
        """Lower triangular K with K K' = J, positive semidefinite."""
        n = J.shape[0]
        K = np.zeros((n, n))
        for j in range(n):
            s = J[j, j]
            for k in range(j):
                s -= K[j, k] * K[j, k]
            if s > 1e-12 * J[j, j] and s > 0.0:
                K[j, j] = math.sqrt(s)
                for i in range(j + 1, n):
                    s = J[i, j]
                    for k in range(j):
                        s -= K[i, k] * K[j, k]
                    K[i, j] = s / K[j, j]
        return K

    @njit(**INNER)
    def precision(M):  # type: ignore[no-untyped-def]
        """Inverse and log-determinant; nan if not positive definite."""
        n = M.shape[0]
        C, P = np.zeros((n, n)), np.empty((n, n))
        logdet = cholesky(M, C)
        if math.isnan(logdet):
            return P, math.nan
        inverse_from(C, P)
        return P, logdet

    @njit(**INNER)
    def condition(S, J, K, w, mu, S1, mu1, q, delta):  # type: ignore[no-untyped-def]
        """Weigh normal(mu, S) by exp(w'd - d'Jd/2), with K K' = J; log of the integral.

        Fills the conditioned covariance and mean ``S1``, ``mu1``, and ``q = inv(S) (mu1 - mu)``.
        """
        n = S.shape[0]
        if n == 1:
            g = 1.0 + S[0, 0] * J[0, 0]
            if not g > 0.0:
                return math.nan
            S1[0, 0] = S[0, 0] / g
            r = w[0] - J[0, 0] * mu[0]
            delta[0] = S1[0, 0] * r
            mu1[0] = mu[0] + delta[0]
            q[0] = r / g
            return -0.5 * math.log(g) + 0.5 * (w[0] + r) * mu[0] + 0.5 * r * delta[0]
        X, G = np.zeros((n, n)), np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                total = 0.0
                for k in range(j, n):
                    total += S[i, k] * K[k, j]
                X[i, j] = total
        for i in range(n):
            for j in range(i + 1):
                total = 1.0 if i == j else 0.0
                for k in range(i, n):
                    total += K[k, i] * X[k, j]
                G[i, j] = total
        logdet = 0.0
        for i in range(n):
            for j in range(i + 1):
                s = G[i, j]
                for k in range(j):
                    s -= G[i, k] * G[j, k]
                if i == j:
                    if not s > 0.0:
                        return math.nan
                    G[i, i] = math.sqrt(s)
                    logdet += math.log(s)
                else:
                    G[i, j] = s / G[j, j]
        for r in range(n):
            for j in range(n):
                s = X[r, j]
                for k in range(j):
                    s -= G[j, k] * X[r, k]
                X[r, j] = s / G[j, j]
        for i in range(n):
            for j in range(i + 1):
                s = S[i, j]
                for k in range(n):
                    s -= X[i, k] * X[j, k]
                S1[i, j] = s
                S1[j, i] = s
        value = -0.5 * logdet
        for i in range(n):
            s = w[i]
            for j in range(n):
                s -= J[i, j] * mu[j]
            q[i] = s
            value += 0.5 * (w[i] + s) * mu[i]
        for i in range(n):
            s = 0.0
            for j in range(n):
                s += S1[i, j] * q[j]
            delta[i] = s
            mu1[i] = mu[i] + s
            value += 0.5 * q[i] * s
        for i in range(n):
            s = 0.0
            for j in range(n):
                s += J[i, j] * delta[j]
            q[i] -= s
        return value

    @njit(**INNER)
    def inverse_root(M, where):  # type: ignore[no-untyped-def]
        """Cholesky factor of a principal submatrix and its inverse; False if it has none."""
        c = where.shape[0]
        L, Li = np.zeros((c, c)), np.zeros((c, c))
        if c > 0 and math.isnan(cholesky(pick(M, where, where), L)):
            return L, Li, False
        for b in range(c):
            Li[b, b] = 1.0 / L[b, b]
            for a in range(b + 1, c):
                s = 0.0
                for k in range(b, a):
                    s -= L[a, k] * Li[k, b]
                Li[a, b] = s / L[a, a]
        return L, Li, True

    @njit(**INNER)
    def root_gradient(L, Li, H, gH, gV, where):  # type: ignore[no-untyped-def]
        """Back through H = V[:, where] inv(L)', L the Cholesky factor of V[where, where]."""
        c = where.shape[0]
        gHL = gH @ Li
        for a in range(H.shape[0]):
            for b in range(c):
                gV[a, where[b]] += gHL[a, b]
        gL = -(Li.T @ (gH.T @ H))
        for a in range(c):
            for b in range(a + 1, c):
                gL[a, b] = 0.0
        F = L.T @ gL
        for a in range(c):
            F[a, a] *= 0.5
            for b in range(a + 1, c):
                F[a, b] = 0.0
        F = Li.T @ F @ Li
        for a in range(c):
            for b in range(c):
                gV[where[a], where[b]] += 0.5 * (F[a, b] + F[b, a])

    @njit(**INNER)
    def moments(n, mean, scatter, mu, where):  # type: ignore[no-untyped-def]
        """Distances of the means from ``mu`` and the sum of squares and products about it."""
        k = where.shape[0]
        d, EE = np.empty(k), np.empty((k, k))
        for a in range(k):
            d[a] = mean[a] - mu[where[a]]
        for a in range(k):
            for b in range(k):
                EE[a, b] = scatter[a, b] + n * d[a] * d[b]
        return d, EE

    @njit(**INNER)
    def project(Y, W, mu, where):  # type: ignore[no-untyped-def]
        """(Y - mu) W', (case, row of W)."""
        shift = np.zeros(W.shape[0])
        for a in range(W.shape[0]):
            for b in range(where.shape[0]):
                shift[a] += W[a, b] * mu[where[b]]
        return Y @ W.T - shift

    @njit(**INNER)
    def cross_products(Y, G, mu, where):  # type: ignore[no-untyped-def]
        """(Y - mu)' G and the column sums of G."""
        total = np.zeros(G.shape[1])
        for i in range(G.shape[0]):
            for a in range(G.shape[1]):
                total[a] += G[i, a]
        out = Y.T @ G
        for b in range(where.shape[0]):
            for a in range(G.shape[1]):
                out[b, a] -= mu[where[b]] * total[a]
        return out, total

    @njit(**INNER)
    def normal_by_case(by_case, Y, mu, where, P, logdet):  # type: ignore[no-untyped-def]
        """Add each case's own normal log-density."""
        k = where.shape[0]
        for i in range(by_case.shape[0]):
            s = k * LOG_2PI + logdet
            for a in range(k):
                for b in range(k):
                    s += (Y[i, a] - mu[where[a]]) * P[a, b] * (Y[i, b] - mu[where[b]])
            by_case[i] -= 0.5 * s

    @njit(**INNER)
    def integrate(  # type: ignore[no-untyped-def]
        plan,
        shape,
        late_mean,
        M,
        WD,
        c0,
        C0H,
        H,
        S00,
        vk,
        Vbb,
        T,
        shift_x,
        shift_b,
        J,
        KJ,
        Z,
        status,
        logfact,
        nodes,
        logw,
        in_nodes,
        in_logw,
        scores,
        by_case,
        sums,
    ):
        """The integrals of one group's cases, and their gradients; minus infinity where none.

        ``sums`` are the arrays that gradients are added to, see the call; none are where
        ``by_case`` (case,) is not empty, which then gets each case's own logarithm.
        """
        cover, prod, out, sampled = plan
        gWD, gc0, gM, gC0H, gH, gS00, gvk, gVbb, gTk, gJ, gmean, gs, gshift_x, gshift_b, gt = sums
        count, nd, c, nx = M.shape[0], S00.shape[0], H.shape[1], cover.shape[0]
        K, no, Kn = T.shape[0], out.shape[1], nodes.shape[0]
        MU, MU1, Q = np.zeros((Kn, nd)), np.zeros((Kn, nd)), np.zeros((Kn, nd))
        S1 = np.zeros((Kn, nd, nd))
        Xn, Bn, TAU = np.zeros((Kn, nx)), np.zeros((Kn, K)), np.zeros((Kn, K, nd))
        by_m, by_v, by_s = np.zeros((Kn, no)), np.zeros((Kn, no)), np.zeros((Kn, no))
        value_at, delta, S = np.zeros(Kn), np.zeros(nd), np.zeros((nd, nd))
        gmu, gS, pvec, JS = np.zeros(nd), np.zeros((nd, nd)), np.zeros(nd), np.zeros((nd, nd))
        point = np.zeros(c)
        value = 0.0
        for i in range(count):
            # forward
            top = -math.inf
            for k in range(Kn):
                for a in range(c):
                    point[a] = scores[i, a] if sampled else nodes[k, a]
                for a in range(nx):
                    s = M[i, cover[a]] + shift_x[a]
                    for b in range(c):
                        s += H[cover[a], b] * point[b]
                    Xn[k, a] = s
                for a in range(nd):
                    s = c0[i, a]
                    for b in range(c):
                        s += C0H[a, b] * point[b]
                    MU[k, a] = s
                    for b in range(nd):
                        S[a, b] = S00[a, b]
                for l in range(K):
                    s = M[i, prod[2, l]] + shift_b[l]
                    for b in range(c):
                        s += H[prod[2, l], b] * point[b]
                    Bn[k, l] = s
                    x = Xn[k, prod[1, l]]
                    for a in range(nd):
                        TAU[k, l, a] = x * T[l, a]
                        MU[k, a] += TAU[k, l, a] * s
                for l in range(K):
                    for a in range(nd):
                        t = TAU[k, l, a]
                        if t != 0.0:
                            for b in range(nd):
                                S[a, b] += t * vk[l, b]
                                S[b, a] += t * vk[l, b]
                            for l2 in range(K):
                                f = t * Vbb[l, l2]
                                for b in range(nd):
                                    S[a, b] += f * TAU[k, l2, b]
                v = condition(S, J, KJ, WD[i], MU[k], S1[k], MU1[k], Q[k], delta)
                for l in range(no):
                    by_m[k, l], by_v[k, l], by_s[k, l] = 0.0, 0.0, 0.0
                    if out[1, l] != NORMAL and status[i, l] != MISSING:
                        a = out[0, l]
                        h, by_m[k, l], by_v[k, l], by_s[k, l] = expected(
                            out[1, l], MU1[k, a] + late_mean[a], S1[k, a, a], Z[i, l],
                            status[i, l], shape[l], logfact[i, l], in_nodes, in_logw,
                        )  # fmt: skip
                        v += h
                if sampled:
                    for a in range(c):
                        v -= 0.5 * (point[a] * point[a] + LOG_2PI)
                else:
                    v += logw[k]
                value_at[k] = v
                if not abs(v) <= LARGEST and v > -math.inf:
                    return -math.inf
                top = max(top, v)
            if not (top > -math.inf and top < math.inf):
                return -math.inf
            total = 0.0
            for k in range(Kn):
                value_at[k] = math.exp(value_at[k] - top)
                total += value_at[k]
            value += top + math.log(total)
            if by_case.shape[0] > 0:
                by_case[i] += top + math.log(total)
                continue
            # backward
            for k in range(Kn):
                rho = value_at[k] / total
                if rho < 1e-14:
                    continue
                for a in range(c):
                    point[a] = scores[i, a] if sampled else nodes[k, a]
                for a in range(nd):
                    gmu[a] = Q[k, a]
                    gWD[i, a] += rho * MU1[k, a]
                    for b in range(nd):
                        s = 0.0
                        for l in range(nd):
                            s += J[a, l] * S1[k, l, b]
                        JS[a, b] = s
                        gJ[a, b] -= 0.5 * rho * (S1[k, a, b] + MU1[k, a] * MU1[k, b])
                for a in range(nd):
                    for b in range(nd):
                        s = Q[k, a] * Q[k, b] - J[a, b]
                        for l in range(nd):
                            s += JS[a, l] * J[l, b]
                        gS[a, b] = 0.5 * s
                for l in range(no):
                    hm, hv = by_m[k, l], by_v[k, l]
                    if hm == 0.0 and hv == 0.0:
                        continue
                    gs[l] += rho * by_s[k, l]
                    at = out[0, l]
                    gmean[at] += rho * hm
                    for a in range(nd):
                        pvec[a] = (1.0 if a == at else 0.0) - JS[a, at]
                    for a in range(nd):
                        gWD[i, a] += rho * hm * S1[k, a, at]
                        gmu[a] += hm * pvec[a]
                        for b in range(nd):
                            gS[a, b] += (
                                0.5 * hm * (pvec[a] * Q[k, b] + Q[k, a] * pvec[b])
                                + hv * pvec[a] * pvec[b]
                            )
                            gJ[a, b] -= rho * (
                                0.5 * hm * (S1[k, a, at] * MU1[k, b] + MU1[k, a] * S1[k, b, at])
                                + hv * S1[k, a, at] * S1[k, b, at]
                            )
                for a in range(nd):
                    gmu[a] *= rho
                    gc0[i, a] += gmu[a]
                    for b in range(c):
                        gC0H[a, b] += gmu[a] * point[b]
                        if sampled:
                            gt[i, b] += C0H[a, b] * gmu[a]
                    for b in range(nd):
                        gS[a, b] *= rho
                        gS00[a, b] += gS[a, b]
                for l in range(K):
                    x, at_x, at_b = Xn[k, prod[1, l]], cover[prod[1, l]], prod[2, l]
                    gb, gx = 0.0, 0.0
                    for a in range(nd):
                        s = gmu[a] * Bn[k, l]
                        for b in range(nd):
                            s += 2.0 * gS[a, b] * vk[l, b]
                            gvk[l, a] += 2.0 * gS[a, b] * TAU[k, l, b]
                            for l2 in range(K):
                                f = gS[a, b] * TAU[k, l2, b]
                                s += 2.0 * Vbb[l, l2] * f
                                gVbb[l, l2] += TAU[k, l, a] * f
                        gb += gmu[a] * TAU[k, l, a]
                        gTk[l, a] += x * s
                        gx += T[l, a] * s
                    gM[i, at_x] += gx
                    gM[i, at_b] += gb
                    gshift_x[prod[1, l]] += gx
                    gshift_b[l] += gb
                    for b in range(c):
                        gH[at_x, b] += gx * point[b]
                        gH[at_b, b] += gb * point[b]
                        if sampled:
                            gt[i, b] += H[at_x, b] * gx + H[at_b, b] * gb
            if sampled:
                for b in range(c):
                    gt[i, b] -= scores[i, b]
        return value

    @njit(**INNER)
    def early_gradient(  # type: ignore[no-untyped-def]
        count, P, Lo, LoPhi, Phi, cross, W, gV, gM_sums, uw, into, d, EE, gPhi, gL, gT, gmu
    ):
        """Back through the early answers' density, V = Phi - cross P cross' and M = E W'."""
        gcross_y, total = gM_sums
        gV = 0.5 * (gV + gV.T)
        put(gPhi, into, into, gV)
        gcross = gcross_y.T @ P - 2.0 * (gV @ W)
        gP = gcross_y @ cross - cross.T @ (gV @ cross) - 0.5 * EE
        gSig = -(P @ (0.5 * (gP + gP.T)) @ P) - 0.5 * count * P
        for a in range(uw.shape[0]):
            s = 0.0
            for b in range(total.shape[0]):
                s += total[b] * W[b, a]
            for b in range(uw.shape[0]):
                s -= count * d[b] * P[b, a]
            gmu[uw[a]] -= s
        put(gT, uw, uw, gSig)
        gPhi += Lo.T @ (gSig @ Lo)
        gLo = 2.0 * (gSig @ LoPhi)
        for a in range(uw.shape[0]):
            for b in range(into.shape[0]):
                f = gcross[b, a]
                for j in range(Lo.shape[1]):
                    gPhi[into[b], j] += f * Lo[a, j]
                    gLo[a, j] += f * Phi[into[b], j]
            for j in range(Lo.shape[1]):
                gL[uw[a], j] += gLo[a, j]

    @njit(**INNER)
    def late_gradient(  # type: ignore[no-untyped-def]
        count, PD, PL, LD, gJ, gW_sums, dw, cols, d, EE, gL, gT, gmu
    ):
        """Back through the late answers: J = L' P L, w = (y - mu) P L, and what is constant."""
        EgW, total = gW_sums
        gJ = 0.5 * (gJ + gJ.T)
        half = EgW @ LD.T
        gPD = LD @ gJ @ LD.T - 0.5 * EE + 0.5 * (half + half.T)
        gLD = 2.0 * (PL @ gJ) + PD @ EgW
        for a in range(dw.shape[0]):
            for b in range(cols.shape[0]):
                gL[dw[a], cols[b]] += gLD[a, b]
            s = 0.0
            for b in range(cols.shape[0]):
                s += total[b] * PL[a, b]
            for b in range(dw.shape[0]):
                s -= count * d[b] * PD[b, a]
            gmu[dw[a]] -= s
        put(gT, dw, dw, -(PD @ gPD @ PD) - 0.5 * count * PD)

    @njit(**INNER)
    def early_gradient_of_products(C0, VR, gvk, gVbb, gC0, gVR, at_b):  # type: ignore[no-untyped-def]
        """Back through v_k = C0 VR[:, b_k] and VR[b_k, b_l]."""
        for k in range(at_b.shape[0]):
            at = at_b[k]
            for a in range(C0.shape[0]):
                for b in range(C0.shape[1]):
                    gC0[a, b] += gvk[k, a] * VR[at, b]
                    gVR[b, at] += C0[a, b] * gvk[k, a]
            for l in range(at_b.shape[0]):
                gVR[at, at_b[l]] += gVbb[k, l]

    @njit(**INNER)
    def views(sec, p):  # type: ignore[no-untyped-def]
        """Index arrays and data of the section."""
        head = sec[:SECTION].view(np.int64)
        n, nl, ni, nq, ncopy = head[0], head[3], head[4], head[5], head[6]
        pU, pD, nx, c, K, no, ng = head[7], head[8], head[9], head[10], head[11], head[12], head[13]
        Kn, nints, inner = head[14], head[16], head[18]
        ints = sec[SECTION : SECTION + nints].view(np.int64)
        o = 0
        late = ints[o : o + nl]
        o += nl
        into = ints[o : o + ni]
        o += ni
        tied = ints[o : o + nq]
        o += nq
        copies = ints[o : o + ncopy]
        o += ncopy
        early_y = ints[o : o + pU]
        o += pU
        late_y = ints[o : o + pD]
        o += pD
        cover, cover_raw = ints[o : o + nx], ints[o + nx : o + 2 * nx]
        o += 2 * nx
        prod = ints[o : o + 4 * K].reshape((4, K))
        o += 4 * K
        out = ints[o : o + 2 * no].reshape((2, no))
        o += 2 * no
        group = ints[o : o + 2 * ng].reshape((2, ng))
        o += 2 * ng
        saw_u = ints[o : o + ng * pU].reshape((ng, pU))
        o += ng * pU
        saw_d = ints[o : o + ng * pD].reshape((ng, pD))
        o += ng * pD
        saw_o = ints[o : o + ng * no].reshape((ng, no))
        o = SECTION + nints
        Z = sec[o : o + n * no].reshape((n, no))
        o += n * no
        status = sec[o : o + n * no].reshape((n, no))
        o += n * no
        logfact = sec[o : o + n * no].reshape((n, no))
        o += n * no
        nodes = sec[o : o + Kn * c].reshape((Kn, c))
        o += Kn * c
        logw = sec[o : o + Kn]
        o += Kn
        in_nodes, in_logw = sec[o : o + inner], sec[o + inner : o + 2 * inner]
        o += 2 * inner
        return (
            (late, into, tied, copies, early_y, late_y, cover, cover_raw),
            (prod, out, group, saw_u, saw_d, saw_o),
            (Z, status, logfact, nodes, logw, in_nodes, in_logw),
            sec[o:],
        )

    @njit(**INNER)
    def block(data, at, n, k):  # type: ignore[no-untyped-def]
        """One group's answers (n, k), their means (k,), sums of squares and products (k, k)."""
        Y = data[at : at + n * k].reshape((n, k))
        at += n * k
        mean = data[at : at + k]
        at += k
        return Y, mean, data[at : at + k * k].reshape((k, k)), at + k * k

    @njit(**INNER)
    def cases_loglik(Lambda, Beta, Psi, Theta, nu, alpha, omega, shape, sec, scores, by_case):  # type: ignore[no-untyped-def]
        """Log-likelihood of all cases and its gradient for every matrix and score.

        ``sec`` is what :func:`bayesem.kernels.plan.section` writes. ``scores`` (case, cover) are
        the sampled scores, rows in the section's order, or empty where they are integrated by
        nodes; the density of sampled scores, standard normal, is included. Each case's own part of
        the value is added to ``by_case`` (case,), unless that is empty; then gradients are void.
        """
        p, m = Lambda.shape
        gL, gB, gP = np.zeros((p, m)), np.zeros((m, m)), np.zeros((m, m))
        gT, gn, ga = np.zeros((p, p)), np.zeros(p), np.zeros(m)
        gw, gs, gt = np.zeros(omega.shape[0]), np.zeros(shape.shape[0]), np.zeros(scores.shape)
        bad = (-math.inf, gL, gB, gP, gT, gn, ga, gw, gs, gt)
        sets, maps, reals, data = views(sec, p)
        late, into, tied, copies, early_y, late_y, cover, cover_raw = sets
        prod, out, group, saw_u, saw_d, saw_o = maps
        Z, status, logfact, nodes, logw, in_nodes, in_logw = reals
        sampled = sec[:SECTION].view(np.int64)[15] == 2
        nl, ni, nq, nx, c = (
            late.shape[0],
            into.shape[0],
            tied.shape[0],
            cover.shape[0],
            nodes.shape[1],
        )
        K, no, nd = prod.shape[1], out.shape[1], late.shape[0] + copies.shape[0]

        # linear moments
        A = np.empty((m, m))
        if not solve_identity_minus(Beta, A):
            return bad
        APsi = A @ Psi
        Phi = APsi @ A.T
        mean = A @ alpha
        mu = nu + Lambda @ mean
        gPhi, gmean, gmu, gA = np.zeros((m, m)), np.zeros(m), np.zeros(p), np.zeros((m, m))

        # how late factors depend on early ones
        A_late = pick(A, late, late)
        rest = pick(Psi, late, late)
        B_in = pick(Beta, late, into)
        R, Pq, own = np.zeros((nl, nq)), np.zeros((nq, nq)), np.zeros((nq, ni))
        if nq > 0:
            Pq, logdet = precision(pick(Psi, tied, tied))
            if math.isnan(logdet):
                return bad
            Psi_lq = pick(Psi, late, tied)
            R = Psi_lq @ Pq
            rest -= R @ Psi_lq.T
            for a in range(nq):
                for b in range(ni):
                    own[a, b] = (1.0 if tied[a] == into[b] else 0.0) - Beta[tied[a], into[b]]
            B_in += R @ own
        for k in range(no):
            if out[1, k] == NORMAL:
                rest[out[0, k], out[0, k]] = 0.0
        C0, Psi_d = np.zeros((nd, ni)), np.zeros((nd, nd))
        C0[:nl] = A_late @ B_in
        Psi_d[:nl, :nl] = A_late @ rest @ A_late.T
        load_cols, late_mean = np.empty(nd, np.int64), np.zeros(nd)
        for k in range(nl):
            load_cols[k] = late[k]
            late_mean[k] = mean[late[k]]
        for k in range(copies.shape[0]):
            C0[nl + k, copies[k]] = 1.0
            load_cols[nl + k] = into[copies[k]]
        T = np.zeros((K, nd))
        for k in range(K):
            for a in range(nl):
                T[k, a] = A_late[a, prod[0, k]] * omega[k]
        shift_x, shift_b = np.zeros(nx), np.zeros(K)
        for k in range(nx):
            if cover_raw[k]:
                shift_x[k] = mean[into[cover[k]]]
        for k in range(K):
            if prod[3, k]:
                shift_b[k] = mean[into[prod[2, k]]]
        gC0, gPsi_d, gTk = np.zeros((nd, ni)), np.zeros((nd, nd)), np.zeros((K, nd))
        gshift_x, gshift_b, gsigma2 = np.zeros(nx), np.zeros(K), np.zeros(no)
        glate = np.zeros(nd)
        inner_cover = cover[:c]
        value, at_data = 0.0, 0

        for g in range(group.shape[1]):
            first, count = group[0, g], group[1, g]
            uw, dw = seen(saw_u[g], early_y), seen(saw_d[g], late_y)
            Yu, mean_u, scatter_u, at_data = block(data, at_data, count, uw.shape[0])
            Yd, mean_d, scatter_d, at_data = block(data, at_data, count, dw.shape[0])
            # early answers and what they say of early factors
            Lo = np.empty((uw.shape[0], m))
            for a in range(uw.shape[0]):
                Lo[a] = Lambda[uw[a]]
            LoPhi = Lo @ Phi
            P, logdet = precision(LoPhi @ Lo.T + pick(Theta, uw, uw))
            if math.isnan(logdet):
                return bad
            cross = np.empty((ni, uw.shape[0]))
            for a in range(uw.shape[0]):
                for b in range(ni):
                    cross[b, a] = LoPhi[a, into[b]]
            W = cross @ P
            V = pick(Phi, into, into) - W @ cross.T
            d_u, EE_u = moments(count, mean_u, scatter_u, mu, uw)
            value -= 0.5 * (count * (uw.shape[0] * LOG_2PI + logdet) + (P * EE_u).sum())
            own_case = by_case[first : first + count] if by_case.shape[0] > 0 else by_case
            normal_by_case(own_case, Yu, mu, uw, P, logdet)
            M = project(Yu, W, mu, uw)
            # late answers
            LD = pick(Lambda, dw, load_cols)
            PD, logdet = precision(pick(Theta, dw, dw))
            if math.isnan(logdet):
                return bad
            PL = PD @ LD
            J = LD.T @ PL
            d_d, EE_d = moments(count, mean_d, scatter_d, mu, dw)
            squares = (PD * EE_d).sum()
            if not squares <= LARGEST * count:
                return bad
            value -= 0.5 * (count * (dw.shape[0] * LOG_2PI + logdet) + squares)
            normal_by_case(own_case, Yd, mu, dw, PD, logdet)
            WD = project(Yd, np.ascontiguousarray(PL.T), mu, dw)
            for k in range(no):
                if out[1, k] == NORMAL and saw_o[g, k]:
                    at = out[0, k]
                    s2 = Psi[late[at], late[at]]
                    J[at, at] += 1.0 / s2
                    value -= 0.5 * count * (LOG_2PI + math.log(s2))
                    for i in range(count):
                        e = Z[first + i, k] - late_mean[at]
                        WD[i, at] += e / s2
                        value -= 0.5 * e * e / s2
                        if own_case.shape[0] > 0:
                            own_case[i] -= 0.5 * (LOG_2PI + math.log(s2) + e * e / s2)
                        if not e * e / s2 <= LARGEST:
                            return bad
            # the cover's posterior, and the late factors given it
            Lf, Li, fine = inverse_root(V, inner_cover)
            if not fine:
                return bad
            H = np.zeros((ni, c))
            for a in range(ni):
                for b in range(c):
                    for k in range(b + 1):
                        H[a, b] += V[a, cover[k]] * Li[b, k]
            VR = V - H @ H.T
            c0, C0H, C0V = M @ C0.T, C0 @ H, C0 @ VR
            S00 = C0V @ C0.T + Psi_d
            vk, Vbb = np.zeros((K, nd)), np.zeros((K, K))
            for k in range(K):
                for a in range(nd):
                    vk[k, a] = C0V[a, prod[2, k]]
                for l in range(K):
                    Vbb[k, l] = VR[prod[2, k], prod[2, l]]
            gc0, gM = np.zeros((count, nd)), np.zeros((count, ni))
            gC0H, gH, gS00 = np.zeros((nd, c)), np.zeros((ni, c)), np.zeros((nd, nd))
            gvk, gVbb, gJ = np.zeros((K, nd)), np.zeros((K, K)), np.zeros((nd, nd))
            gWD = np.zeros((count, nd))
            rows = slice(first, first + count)
            value += integrate(
                (cover, prod, out, sampled), shape, late_mean, M, WD, c0, C0H, H, S00, vk, Vbb,
                T, shift_x, shift_b, J, root(J), Z[rows], status[rows], logfact[rows], nodes, logw,
                in_nodes, in_logw, scores[rows] if sampled else scores, own_case,
                (gWD, gc0, gM, gC0H, gH, gS00, gvk, gVbb, gTk, gJ, glate, gs, gshift_x, gshift_b,
                 gt[rows] if sampled else gt),
            )  # fmt: skip
            if not value > -math.inf:
                return bad
            # back through the posterior of the early factors
            gM += gc0 @ C0
            gC0 += gc0.T @ M + gC0H @ H.T + 2.0 * (gS00 @ C0V)
            gPsi_d += gS00
            gVR = C0.T @ gS00 @ C0
            early_gradient_of_products(C0, VR, gvk, gVbb, gC0, gVR, prod[2])
            gH += C0.T @ gC0H - (gVR + gVR.T) @ H
            root_gradient(Lf, Li, H, gH, gVR, inner_cover)
            early_gradient(
                count, P, Lo, LoPhi, Phi, cross, W, gVR, cross_products(Yu, gM, mu, uw), uw, into,
                d_u, EE_u, gPhi, gL, gT, gmu,
            )  # fmt: skip
            # back through the late answers
            for k in range(no):
                if out[1, k] == NORMAL and saw_o[g, k]:
                    at = out[0, k]
                    s2 = Psi[late[at], late[at]]
                    by = gJ[at, at]
                    for i in range(count):
                        e = Z[first + i, k] - late_mean[at]
                        by += gWD[i, at] * e - 0.5 * e * e
                        glate[at] += (e - gWD[i, at]) / s2
                    gsigma2[k] += -by / (s2 * s2) - 0.5 * count / s2
            late_gradient(
                count, PD, PL, LD, gJ, cross_products(Yd, gWD, mu, dw), dw, load_cols, d_d, EE_d,
                gL, gT, gmu,
            )  # fmt: skip

        # back to the matrices
        for k in range(nl):
            gmean[late[k]] += glate[k]
        for k in range(nx):
            if cover_raw[k]:
                gmean[into[cover[k]]] += gshift_x[k]
        gA_late = np.zeros((nl, nl))
        for k in range(K):
            if prod[3, k]:
                gmean[into[prod[2, k]]] += gshift_b[k]
            for a in range(nl):
                gw[k] += gTk[k, a] * A_late[a, prod[0, k]]
                gA_late[a, prod[0, k]] += omega[k] * gTk[k, a]
        gC = np.ascontiguousarray(gC0[:nl])
        gPd = np.ascontiguousarray(gPsi_d[:nl, :nl])
        gPd = 0.5 * (gPd + gPd.T)
        gB_in = A_late.T @ gC
        gA_late += gC @ B_in.T + 2.0 * (gPd @ A_late @ rest)
        put(gA, late, late, gA_late)
        put(gB, late, into, gB_in)
        grest = A_late.T @ gPd @ A_late
        for k in range(no):
            if out[1, k] == NORMAL:
                grest[out[0, k], out[0, k]] = 0.0
        put(gP, late, late, grest)
        if nq > 0:
            gR = gB_in @ own.T
            put(gB, tied, into, -(R.T @ gB_in))
            put(gP, late, tied, gR @ Pq - 2.0 * (grest @ R))
            put(gP, tied, tied, R.T @ grest @ R - R.T @ gR @ Pq)
        for k in range(no):
            if out[1, k] == NORMAL:
                a = late[out[0, k]]
                gP[a, a] += gsigma2[k]
        gL += np.outer(gmu, mean)
        gn += gmu
        gmean += Lambda.T @ gmu
        gPhi = 0.5 * (gPhi + gPhi.T)
        gA += 2.0 * (gPhi @ APsi) + np.outer(gmean, alpha)
        gP += A.T @ gPhi @ A
        gB += A.T @ gA @ A.T
        ga += A.T @ gmean
        return value, gL, gB, gP, gT, gn, ga, gw, gs, gt
