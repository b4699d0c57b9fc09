"""What a paper would print of a covariance matrix: the way there, to check the way back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import chi2

from bayesem.arrays import Floats
from bayesem.publications.design import Design
from bayesem.publications.likelihood import comparative_indices
from bayesem.publications.maximum import Maximum, gfi, maximum_likelihood

__all__ = ["publish"]


def publish(
    cov: Floats, n: int, design: Design, digits: int = 3, *, loading_digits: int = 2
) -> Mapping[str, Any]:
    """Fit a design by maximum likelihood and print what a paper prints, rounded.

    Parameters
    ----------
    cov : (indicator, indicator_bis) array
        With divisor n - 1, in the order of the design's indicators.
    n : int
    design : Design
    digits : int
        Decimals of weights, critical ratios, p and fit indices.
    loading_digits : int
        Decimals of standardised loadings.

    Returns
    -------
    mapping
        The tables ``loadings``, ``regression_weights`` (first indicators as markers, p below .001
        as ``"***"``) and ``fit``, as in a codebook's ``[printed.*]``.
    """
    S = np.asarray(cov, float)
    found = maximum_likelihood(design, S, n)
    return {
        "loadings": {
            "where": "publish",
            "digits": loading_digits,
            "rows": _loading_rows(design, found, loading_digits),
        },
        "regression_weights": {
            "where": "publish",
            "digits": digits,
            "rows": _path_rows(design, found, digits),
        },
        "fit": {"where": "publish", "digits": digits} | _fit(design, found, S, n, digits),
    }


def _loading_rows(design: Design, found: Maximum, digits: int) -> list[dict[str, Any]]:
    names = [design.factors[b] for b in design.block]
    return [
        {"lhs": factor, "op": "=~", "rhs": item, "est": round(float(value), digits)}
        for factor, item, value in zip(
            names, design.indicators, found.solution.loadings, strict=True
        )
    ]


def _path_rows(design: Design, found: Maximum, digits: int) -> list[dict[str, Any]]:
    estimates, errors = found.parameters[found.paths], found.errors[found.paths]
    rows = []
    for path, estimate, error in zip(design.paths, estimates, errors, strict=True):
        ratio = float(estimate / error)
        p = float(chi2.sf(ratio**2, 1))
        row: dict[str, Any] = {"lhs": path.outcome, "op": "~", "rhs": path.predictor}
        row |= {"est": round(float(estimate), digits), "cr": round(ratio, digits)}
        rows.append(row | {"p": "***" if p < 0.001 else round(p, digits)})
    return rows


def _fit(design: Design, found: Maximum, S: Floats, n: int, digits: int) -> dict[str, float]:
    p, df = len(S), design.df
    scale = np.sqrt(np.diag(S))
    R = S / np.outer(scale, scale)
    baseline = np.array(-(n - 1) * np.linalg.slogdet(R)[1])
    goodness = gfi(found.Sigma, S)
    values = {
        "chisq": found.chisq,
        "p": float(chi2.sf(found.chisq, df)),
        "cmin_df": found.chisq / df,
        "gfi": goodness,
        "agfi": 1 - p * (p + 1) / (2 * df) * (1 - goodness),
        "rmsea": np.sqrt(max(found.chisq / df - 1, 0) / (n - 1)),
    }
    values |= {k: float(v) for k, v in comparative_indices(design, found.chisq, baseline).items()}
    return {key: round(float(value), digits) for key, value in values.items()}
