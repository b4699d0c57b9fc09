"""Writes what the casewise kernel needs to know of a model and its cases into one flat array."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import gammaln

from bayesem.arrays import Floats, Ints
from bayesem.casewise import Split, split
from bayesem.data import Answers
from bayesem.families import NORMAL
from bayesem.kernels.cases import SECTION
from bayesem.kernels.outcome import CENSORED, MISSING
from bayesem.partable import ParameterTable

__all__ = ["Section", "grid", "section"]

#: Nodes by which outcomes without a closed form are averaged over their linear predictor.
INNER = 24
QUADRATURE, COVER, SCORES = 1, 2, 3


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """The array and what the rest of the package has to know of it.

    Attributes
    ----------
    array : array
        What :func:`bayesem.kernels.cases.cases_loglik` reads.
    order : (case,) array
        The data's row behind each row of the section.
    scores : int
        Sampled scores by case.
    """

    array: Floats
    order: Ints
    scores: int


def grid(dimensions: int, nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Hermite nodes (node, dimension) and log-weights of independent standard normals."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = np.log(w / w.sum())
    points = list(product(range(nodes), repeat=dimensions))
    index = np.array(points, np.int64).reshape(len(points), dimensions)
    return x[index], w[index].sum(1)


def section(
    table: ParameterTable, cases: Answers, *, form: int, nodes: int, parts: Split | None = None
) -> Section:
    """Describe a model and its cases to the kernel.

    Parameters
    ----------
    table : ParameterTable
    cases : Answers
    form : int
        ``QUADRATURE`` or ``COVER``.
    nodes : int
        By dimension, where the cover is integrated.
    parts : Split, optional
    """
    s = split(table) if parts is None else parts
    early_y, late_y = np.array(s.early_y, np.int64), np.array(s.late_y, np.int64)
    seen = ~np.isnan(cases.values)
    present = ~np.isnan(cases.outcomes)
    normal = np.array([o.family.code == NORMAL for o in table.outcomes], bool)
    key = np.concatenate([seen, present & normal], 1)
    patterns, which = np.unique(key, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    counts = np.bincount(which.ravel(), minlength=len(patterns))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    p = cases.values.shape[1]
    points, logw = grid(s.dimensions, nodes if form == QUADRATURE else 1)
    inner, inner_logw = grid(1, INNER)
    ints = np.concatenate([
        s.late, s.into, s.tied, s.copies, s.early_y, s.late_y,
        [at for at, _ in s.cover], [raw for _, raw in s.cover],
        np.array(s.products, np.int64).reshape(-1, 4).T.ravel(),
        [s.late.index(o.factor) for o in table.outcomes],
        [o.family.code for o in table.outcomes],
        starts, counts,
        patterns[:, early_y].ravel(), patterns[:, late_y].ravel(), patterns[:, p:].ravel(),
    ]).astype(np.int64)  # fmt: skip
    Y = cases.values[order]
    Z = np.where(present, cases.outcomes, 1.0)[order]
    status = np.where(present, np.where(cases.censored, CENSORED, 0), MISSING)[order]
    counted = np.array([o.family.is_count for o in table.outcomes], bool)
    logfact = np.where(counted, gammaln(np.where(counted, Z, 0) + 1), 0.0)
    header = np.zeros(SECTION, np.int64)
    header[:19] = [
        len(Y), p, len(table.factors), len(s.late), len(s.into), len(s.tied), len(s.copies),
        len(s.early_y), len(s.late_y), len(s.cover), s.dimensions, len(s.products),
        len(table.outcomes), len(patterns), len(points), form, ints.size, 0, INNER,
    ]  # fmt: skip
    floats = np.concatenate(
        [np.asarray(a, float).ravel() for a in
         (Z, status, logfact, points, logw, inner, inner_logw)]
        + [part for k, pattern in enumerate(patterns[:, :p]) for y in (early_y, late_y)
           for part in _block(Y[starts[k] : starts[k] + counts[k], y[pattern[y]]])]
    )  # fmt: skip
    header[17] = SECTION + ints.size + floats.size
    array = np.concatenate([header.view(np.float64), ints.view(np.float64), floats])
    return Section(array, order, s.dimensions if form == COVER else 0)


def _block(y: Floats) -> tuple[Floats, Floats, Floats]:
    """Answers, their means, and their sums of squares and products about the means, flat."""
    mean = y.mean(0) if len(y) else np.zeros(y.shape[1])
    return y.ravel(), mean, ((y - mean).T @ (y - mean)).ravel()
