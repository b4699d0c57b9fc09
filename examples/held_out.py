"""How well fits predict cases that they have not seen: a stopgap until bayesem has LOO.

It reads the package's inside (the casewise kernel), which no script of yours should have to.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

import bayesem as sem
from bayesem.arrays import MATRICES, Floats
from bayesem.data import read_answers
from bayesem.kernels.cases_op import matrix_array
from bayesem.kernels.moderated import density_of
from bayesem.kernels.plan import QUADRATURE, section
from bayesem.outcomes import read_outcomes

NODES = 7  # by latent variable that has to be integrated by nodes


def case_scores(fit: sem.Fit, cases: pd.DataFrame, draws: int = 200) -> Floats:
    """Log predictive density of each new case, its factors integrated out, (case,).

    Parameters
    ----------
    fit : Fit
        Of a model with products among its factors and without outcomes of other families.
    cases : DataFrame
        Rows that were not fitted.
    draws : int
        Posterior draws to average over, evenly spaced.
    """
    table, M = fit.table, fit.matrices()
    new = read_outcomes(cases, read_answers(cases, table.indicators), table)
    each = [_array(table, new, case) for case in range(new.n)]
    chains, length = M.Beta.shape[:2]
    chosen = [np.unravel_index(k, (chains, length)) for k in
              np.linspace(0, chains * length - 1, draws).astype(int)]  # fmt: skip
    scores = np.empty((draws, new.n))
    for row, draw in enumerate(chosen):
        u = _point({k: getattr(M, k)[draw] for k in MATRICES}, each[0][1])
        scores[row] = [density_of(array, u)[0] for array, _ in each]
    return np.asarray(logsumexp(scores, axis=0) - np.log(draws))


def _array(table: Any, cases: Any, case: int) -> tuple[Floats, Any]:
    """What the kernel reads of one case, and where the matrices' cells stand in its point."""
    one = replace(cases, values=cases.values[[case]], index=cases.index[[case]],
                  outcomes=cases.outcomes[[case]], censored=cases.censored[[case]])  # fmt: skip
    p, m = len(table.indicators), len(table.factors)
    shapes = [(p, m), (m, m), (m, m), (p, p), (p,), (m,), (len(table.products),), (0,)]
    return matrix_array(shapes, section(table, one, form=QUADRATURE, nodes=NODES))


def _point(M: dict[str, Floats], cells: Any) -> Floats:
    pairs = zip(MATRICES, cells, strict=True)
    return np.concatenate([M[k][r, c] if M[k].ndim == 2 else M[k][r] for k, (r, c) in pairs])
