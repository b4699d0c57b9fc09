"""Writes what :mod:`bayesem.kernels.allscores` needs to know of a model and its cases."""

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import NotAvailableError
from bayesem.kernels.cases import SECTION
from bayesem.kernels.outcome import CENSORED, MISSING
from bayesem.kernels.pack import pack
from bayesem.kernels.plan import SCORES, Section
from bayesem.kernels.target import Target
from bayesem.matrices import Matrices
from bayesem.partable import ParameterTable
from bayesem.spec import Spec

__all__ = ["refuse", "section", "target_of_scores"]


def section(table: ParameterTable, cases: Answers, matrices: Matrices) -> Section:
    """Describe a model and its cases to the kernel.

    Parameters
    ----------
    table : ParameterTable
    cases : Answers
    matrices : Matrices
        Without leading axes, near the posterior's mode: around the posterior of each case's scores
        that they give, products left out, lie the coordinates that the sampler moves in. The
        density does not depend on them, its shape does.

    Raises
    ------
    NotAvailableError
        See :func:`refuse`.
    """
    refuse(table)
    seen = ~np.isnan(cases.values)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    counts = np.bincount(which.ravel(), minlength=len(patterns))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    values = np.where(seen, cases.values, 0.0)[order]
    opened, centre, root, logdet = _coordinates(
        table, patterns, np.sort(which.ravel()), values, matrices
    )
    member, bounds = _answered(table)
    load_bounds, load_cols = _loadings(table, member)
    to, source = np.array(sorted(_cells(table, "Beta")), np.int64).reshape(-1, 2).T
    used = np.flatnonzero(opened.any(0))
    ints = np.concatenate([
        member, bounds, load_bounds, load_cols, to, source,
        *((p.to, p.first, p.second, p.raw_first, p.raw_second) for p in table.products),
        [o.factor for o in table.outcomes], [o.family.code for o in table.outcomes],
        used, starts, counts, opened[:, used].ravel(), patterns[:, member].ravel(),
    ]).astype(np.int64)  # fmt: skip
    tables = (values[:, member].T, *_outcomes(table, cases, order), centre, root, logdet)
    floats = np.concatenate([a.ravel() for a in tables])
    header = np.zeros(SECTION, np.int64)
    header[:18] = [
        len(order), len(table.indicators), len(table.factors), opened.shape[1], len(load_cols),
        len(to), len(table.products), len(table.outcomes), len(bounds) - 1, len(member), len(used),
        len(patterns), bool(_loops(table)), 0, 0, SCORES, ints.size,
        SECTION + ints.size + floats.size,
    ]  # fmt: skip
    array = np.concatenate([header.view(np.float64), ints.view(np.float64), floats])
    return Section(array, order, len(used))


def target_of_scores(spec: Spec, matrices: Matrices, *, jacobian: bool = True) -> Target:
    """The target in which all scores are sampled.

    Parameters
    ----------
    spec : Spec
        Casewise.
    matrices : Matrices
        As in :func:`section`, such as ``spec.matrices(x)`` at the mode.
    jacobian : bool
        As in :func:`bayesem.kernels.pack.pack`.
    """
    from bayesem.kernels import allscores

    assert spec.cases is not None
    part = section(spec.table, spec.cases, matrices)
    return Target(
        np.concatenate([pack(spec, jacobian=jacobian), part.array]), len(spec.parameters),
        part.scores * len(part.order), allscores.density_of, allscores.white_of,
        allscores.from_white, allscores.curvature_of, allscores.logp_entry, allscores.expand_entry,
        allscores.whiten, casewise=True,
    )  # fmt: skip


def refuse(table: ParameterTable) -> None:
    """Say why scores cannot be sampled, if they cannot.

    Raises
    ------
    NotAvailableError
        For outcomes with correlated residuals, residual variances fixed at 0, and a product that
        feeds back into its own parts.
    """
    outcomes = {o.factor: o.name for o in table.outcomes}
    for r in table.rows:
        zero = r.value == 0 and r.i == r.j
        if r.matrix == "Psi" and r.i != r.j and r.value != 0 and {r.i, r.j} <= set(outcomes):
            raise NotAvailableError(
                f"`{r.name}` ties the residuals of two outcomes, which is not available.",
                span=r.span,
                hint="Take the line out, or let a factor stand behind both.",
            )
        if zero and (r.matrix == "Theta" or (r.matrix == "Psi" and r.i not in outcomes)):
            raise NotAvailableError(
                f"`{r.name}` is fixed at 0, so that a score has no density of its own to be "
                "sampled from.",
                span=r.span,
                hint="Put the observed variable in the factor's place, or free the variance.",
            )
    for p in table.products:
        loop = _loops(table).get(p.to, {p.to})
        if {p.first, p.second} & loop:
            raise NotAvailableError(
                f"`{table.factors[p.to]}` feeds back into a product that explains it."
            )


def _cells(table: ParameterTable, matrix: str) -> set[tuple[int, int]]:
    """Cells of a matrix that may differ from 0."""
    return {(r.i, r.j) for r in table.rows if r.matrix == matrix and r.value != 0}


def _loops(table: ParameterTable) -> dict[int, set[int]]:
    """Factors that depend on themselves, each with all on its loops."""
    m = len(table.factors)
    edges = np.zeros((m, m), bool)
    for i, j in _cells(table, "Beta"):
        edges[i, j] = True
    for p in table.products:
        edges[p.to, [p.first, p.second]] = True
    _, label = connected_components(edges, directed=True, connection="strong")
    return {
        k: set(np.flatnonzero(label == label[k]).tolist())
        for k in range(m)
        if edges[k, k] or (label == label[k]).sum() > 1
    }


def _answered(table: ParameterTable) -> tuple[np.ndarray, np.ndarray]:
    """Indicators that are answers to factors, sorted by blocks of correlated residuals; bounds."""
    p = len(table.indicators)
    ties = np.zeros((p, p), bool)
    for i, j in _cells(table, "Theta"):
        ties[i, j] = True
    _, label = connected_components(ties, directed=False)
    member = [k for k, name in enumerate(table.indicators) if name not in table.phantoms]
    member.sort(key=lambda k: (label[k], k))
    new = np.flatnonzero(np.diff(label[member], prepend=-1))
    return np.array(member, np.int64), np.append(new, len(member))


def _loadings(table: ParameterTable, member: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by member, and factors, of the cells of Lambda that may differ from 0."""
    cells = sorted(_cells(table, "Lambda"))
    cols = [[j for i, j in cells if i == k] for k in member]
    bounds = np.cumsum([0, *(len(c) for c in cols)])
    return bounds, np.array([j for c in cols for j in c], np.int64)


def _outcomes(table: ParameterTable, cases: Answers, order: np.ndarray) -> tuple[Floats, ...]:
    """Values, status and log-factorials of the outcomes, (outcome, case) each."""
    if not table.outcomes:
        return (np.zeros(0),)
    present = ~np.isnan(cases.outcomes)
    Z = np.where(present, cases.outcomes, 1.0)
    status = np.where(present, np.where(cases.censored, CENSORED, 0), MISSING).astype(float)
    counted = np.array([o.family.is_count for o in table.outcomes], bool)
    logfact = np.where(counted, gammaln(np.where(counted, Z, 0.0) + 1), 0.0)
    return Z[order].T, status[order].T, logfact[order].T


def _coordinates(
    table: ParameterTable, patterns: np.ndarray, which: np.ndarray, values: Floats, M: Matrices
) -> tuple[np.ndarray, Floats, Floats, Floats]:
    """Centre and root of every case's scores: their linear posterior at given matrices.

    Returns
    -------
    opened : (pattern, factor) bool array
        Which factors' scores are not known: the latent ones, and observed ones in a missing cell.
    centre : (factor, case) array
        Posterior means, and the observed values.
    root : (pattern, score, score_bis) array
        Lower triangular, by the factors that any pattern opens.
    logdet : (pattern,) array
    """
    inner = len(table.factors) - len(table.outcomes)
    own = [table.indicators.index(name) for name in table.phantoms]
    A = M.A[:inner, :inner]
    mean, Phi = A @ M.alpha[:inner], A @ M.Psi[:inner, :inner] @ A.T
    Lambda = M.Lambda[:, :inner]
    Sigma, mu = Lambda @ Phi @ Lambda.T + M.Theta, M.nu + Lambda @ mean
    opened = np.concatenate(
        [np.ones((len(patterns), len(table.latent)), bool), ~patterns[:, own]], 1
    )
    used = np.flatnonzero(opened.any(0))
    centre = np.zeros((inner, len(values)))
    centre[len(table.latent) :] = values[:, own].T
    root, logdet = np.zeros((len(patterns), len(used), len(used))), np.zeros(len(patterns))
    for g, pattern in enumerate(patterns):
        o, free, rows = np.flatnonzero(pattern), np.flatnonzero(opened[g]), which == g
        cross = Lambda[o] @ Phi[:, free]
        W = np.linalg.solve(Sigma[np.ix_(o, o)], cross).T
        V = Phi[np.ix_(free, free)] - W @ cross
        V[np.diag_indices_from(V)] *= 1 + 1e-9
        centre[np.ix_(free, rows)] = (mean[free] + (values[rows][:, o] - mu[o]) @ W.T).T
        C = np.linalg.cholesky(0.5 * (V + V.T))
        at = np.searchsorted(used, free)
        root[np.ix_([g], at, at)] = C
        logdet[g] = np.log(np.diag(C)).sum()
    return opened, centre, root, logdet
