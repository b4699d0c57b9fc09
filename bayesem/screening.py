r"""Screening before a fit: how far cases lie from the centre, and how far answers from normality.

Distances, critical ratios and Mardia's kurtosis are those that AMOS prints: covariances have the
divisor N, and the kurtosis is taken against its expectation in samples of that size.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri_exp
from scipy.stats import binom, chi2, norm

from bayesem.arrays import Floats
from bayesem.data import Answers, Moments
from bayesem.errors import NotAvailableError
from bayesem.families import NORMAL, read_families
from bayesem.incomplete import saturated
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table, twin_of
from bayesem.preparation import read_data

__all__ = ["Screening", "distances", "mardia", "observed_values", "screen", "tail_probabilities"]


@dataclass(frozen=True, slots=True, eq=False)
class Screening:
    r"""What :func:`screen` found.

    Attributes
    ----------
    cases : DataFrame
        ``case d2 p1 p2 answered``, farthest first. ``d2`` is the squared Mahalanobis distance from
        the centroid, ``p1`` the probability that a case drawn from a normal distribution lies
        farther, and ``p2`` that the k-th farthest of all N cases does, k being the row's rank:
        :math:`\Pr(\mathrm{Bin}(N, p_1) \ge k)`. ``answered`` is the number of cells behind it.
    normality : DataFrame
        ``variable n min max skewness cr_skewness kurtosis cr_kurtosis``, a row per variable and the
        row ``multivariate``: :math:`m_3/m_2^{1.5}` over :math:`\sqrt{6/n}`,
        :math:`m_4/m_2^2 - 3` over :math:`\sqrt{24/n}`, and Mardia's kurtosis less
        :math:`p(p+2)(n-1)/(n+1)` over :math:`\sqrt{8p(p+2)/n}`.
    mardia : DataFrame
        ``coefficient expected cr p`` of the multivariate ``skewness`` and ``kurtosis``. The
        skewness is tested by :math:`n b_{1,p}/6` on :math:`p(p+1)(p+2)/6` degrees of freedom;
        ``cr`` is the normal deviate with the same tail. AMOS does not print it.
    notes : tuple of str
        What was left out or cannot be said.
    """

    cases: pd.DataFrame
    normality: pd.DataFrame
    mardia: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        shown = self.cases.head(10).to_string(index=False, float_format="{:.4f}".format)
        table = self.normality.to_string(index=False, float_format="{:.3f}".format)
        return "\n".join([table, "", "farthest cases:", shown, *self.notes])

    def _repr_html_(self) -> str:
        tables = (self.normality.round(3), self.mardia.reset_index(), self.cases.head(10))
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return "".join(t.to_html(index=False) for t in tables) + notes


def screen(
    data: pd.DataFrame, model: Model | str, *, families: Mapping[str, Any] | None = None
) -> Screening:
    """Mahalanobis distances, skewness and kurtosis of the observed variables of a model.

    The continuous ones: outcomes of other families are left out, and the result says so. No case is
    marked for removal: a distance says that a case is unusual, not that it is wrong, and what
    removing cases does to a verdict is what `bayesem.selection` and `bayesem.influence` show.

    Parameters
    ----------
    data : DataFrame
        One row per case. Where cells are missing, each distance is that of the cells that a case
        answered, from the maximum-likelihood mean and covariance (EM), with as many degrees of
        freedom; skewness and kurtosis are those of the answered cells, and Mardia's coefficients
        are missing, because they have no known distribution then.
    model : Model or str
        A model, a shipped study's name, a path to a ``.sem`` file, or model text.
    families : mapping of str to str or Family, optional
        As in :func:`bayesem.fit`.

    Returns
    -------
    Screening

    Raises
    ------
    NotAvailableError
        If the data are moments: there are no cases.
    DataError
        If the data do not fit the model.

    References
    ----------
    .. [1] Mardia (1970), *Biometrika* 57, 519-530; (1974), *Sankhya B* 36, 115-128.
    .. [2] Arbuckle, *Amos User's Guide*, "Tests for normality and outliers".

    Examples
    --------
    >>> from bayesem.simulation import simulate
    >>> found = screen(simulate("f =~ x1 + x2 + x3", 100, seed=1), "f =~ x1 + x2 + x3")
    >>> found.normality["variable"].tolist()
    ['x1', 'x2', 'x3', 'multivariate']
    """
    model = model if isinstance(model, Model) else read_model(model)
    if isinstance(data, Moments):
        raise NotAvailableError(
            "screening looks at cases one by one, and these are moments.",
            hint="Screen the raw data.",
        )
    explained = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    explained = {k: v for k, v in explained.items() if k in model.observed}
    kinds = read_families(families, explained, model.codebook)
    table = parameter_table(model, fixed_x=False, families=kinds)
    answers = read_data(model, table, data)
    assert isinstance(answers, Answers)
    names, values = observed_values(table, answers)
    kept = ~np.isnan(values).all(1)
    notes = list(_notes(table, values, kept))
    cases = _cases(answers.index, values)
    complete = not np.isnan(values[kept]).any()
    coefficients = mardia(values[kept]) if complete else _unknown()
    univariate = [_univariate(name, y) for name, y in zip(names, values.T, strict=True)]
    b2, expected, cr, _ = coefficients.loc["kurtosis"].to_numpy(float)
    whole = {
        "variable": "multivariate", "n": int(kept.sum()) if complete else np.nan,
        "kurtosis": b2 - expected, "cr_kurtosis": cr,
    }  # fmt: skip
    return Screening(cases, pd.DataFrame([*univariate, whole]), coefficients, tuple(notes))


def observed_values(table: ParameterTable, answers: Answers) -> tuple[list[str], Floats]:
    """Names and values (case, variable) of the continuous observed variables of a model."""
    twins = {twin_of(o.name) for o in table.outcomes}
    inside = [k for k, name in enumerate(table.indicators) if name not in twins]
    names = [table.indicators[k] for k in inside]
    columns = [answers.values[:, inside]]
    for k, outcome in enumerate(table.outcomes):
        if outcome.family.code == NORMAL:
            names.append(outcome.name)
            columns.append(answers.outcomes[:, [k]])
    return names, np.concatenate(columns, 1)


# --- distances ----------------------------------------------------------------------------------


def distances(values: Floats) -> Floats:
    """Squared Mahalanobis distance of each case over its answered cells, (case,).

    From the maximum-likelihood mean and covariance. Missing for a case without any answer.
    """
    fitted = saturated(values[None])
    mu, Sigma = fitted.mu[0], fitted.Sigma[0]
    out = np.full(len(values), np.nan)
    patterns, which = np.unique(~np.isnan(values), axis=0, return_inverse=True)
    for k, seen in enumerate(patterns):
        if seen.any():
            rows = which.ravel() == k
            d = values[rows][:, seen] - mu[seen]
            out[rows] = (d * np.linalg.solve(Sigma[np.ix_(seen, seen)], d.T).T).sum(1)
    return out


def tail_probabilities(values: Floats) -> Floats:
    """How probable a normal case is to lie farther out than each one, (case,)."""
    answered = (~np.isnan(values)).sum(1)
    return np.where(answered > 0, chi2.sf(distances(values), np.maximum(answered, 1)), np.nan)


def _cases(index: pd.Index, values: Floats) -> pd.DataFrame:
    answered = (~np.isnan(values)).sum(1)
    d2, p1 = distances(values), tail_probabilities(values)
    order = np.lexsort((-d2, p1))  # missing last
    table = pd.DataFrame({"case": index, "d2": d2, "p1": p1, "answered": answered}).iloc[order]
    rank = np.arange(1, len(values) + 1)
    p2 = binom.sf(rank - 1, int((answered > 0).sum()), table["p1"].to_numpy())
    table.insert(3, "p2", p2)
    return table.reset_index(drop=True)


# --- normality ----------------------------------------------------------------------------------


def _univariate(name: str, column: Floats) -> dict[str, Any]:
    y = column[~np.isnan(column)]
    n, z = len(y), (y - y.mean()) / y.std()
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean()) - 3
    return {
        "variable": name, "n": n, "min": y.min(), "max": y.max(),
        "skewness": skewness, "cr_skewness": skewness / np.sqrt(6 / n),
        "kurtosis": kurtosis, "cr_kurtosis": kurtosis / np.sqrt(24 / n),
    }  # fmt: skip


def mardia(values: Floats) -> pd.DataFrame:
    """Mardia's multivariate skewness and kurtosis of complete data.

    Parameters
    ----------
    values : (case, variable) array

    Returns
    -------
    DataFrame
        ``coefficient expected cr p``, rows ``skewness`` and ``kurtosis``; p is one-sided for the
        skewness and two-sided for the kurtosis.
    """
    n, p = values.shape
    centred = values - values.mean(0)
    root = np.linalg.cholesky(centred.T @ centred / n)
    z = np.linalg.solve(root, centred.T).T
    third = (z[:, :, None] * z[:, None, :]).reshape(n, -1).T @ z / n
    b1, b2 = float((third**2).sum()), float(((z**2).sum(1) ** 2).mean())
    df = p * (p + 1) * (p + 2) / 6
    expected = p * (p + 2) * (n - 1) / (n + 1)
    cr = (b2 - expected) / np.sqrt(8 * p * (p + 2) / n)
    tail = chi2.logsf(n * b1 / 6, df)
    rows = {
        "skewness": (b1, 6 * df / n, -float(ndtri_exp(tail)), float(np.exp(tail))),
        "kurtosis": (b2, expected, float(cr), float(2 * norm.sf(abs(cr)))),
    }
    columns = ["coefficient", "expected", "cr", "p"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _unknown() -> pd.DataFrame:
    columns = ["coefficient", "expected", "cr", "p"]
    return pd.DataFrame(np.nan, index=["skewness", "kurtosis"], columns=columns)


def _notes(table: ParameterTable, values: Floats, kept: np.ndarray) -> Iterator[str]:
    out = [o.name for o in table.outcomes if o.family.code != NORMAL]
    if out:
        yield f"left out, because not continuous: {', '.join(out)}"
    missing = int(np.isnan(values[kept]).sum())
    if missing:
        yield (
            f"{missing} cells are missing: distances are over the answered cells, from moments by "
            "EM, and Mardia's coefficients are not given"
        )
    if not kept.all():
        yield f"{int((~kept).sum())} rows are empty and have no distance"
