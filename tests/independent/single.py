"""One latent interaction, three indicators a factor: the smallest population with a product."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from independent.drawing import SPREAD, answers, residuals

__all__ = ["single_interaction"]


def single_interaction(
    n: int,
    *,
    g1: float = 0.4,
    g2: float = 0.3,
    w: float = 0.2,
    r: float = 0.3,
    psi: float = 1.0,
    loadings: Sequence[float] = (0.80, 0.75, 0.70),
    intercepts: Sequence[float] = (5.0, 5.5, 6.0),
    spread: float = SPREAD,
    curvature: float = 0.0,
    skew: int | None = None,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Draw from ``Y = g1 X + g2 Z + w XZ + curvature X^2 + zeta`` with Var(X) = Var(Z) = 1.

    Parameters
    ----------
    n : int
        Cases.
    g1, g2, w, curvature : float
        Raw coefficients. X and Z have mean 0, so the products are centred.
    r : float
        Correlation of X and Z; not negative where ``skew`` is given.
    psi : float
        Residual variance of Y. At 1 the raw values are those of ``identify="unit"``.
    loadings : three floats
        Standardised loadings, the same for X, Z and Y; an indicator's reliability is the square.
    intercepts : three floats
        Means of a factor's first, second, third indicator of X and Z, in scale points. For Y's
        the value at Y = 0, while E(Y) = w r + curvature.
    spread : float
        Standard deviation of every indicator, in scale points.
    skew : int, optional
        X and Z as standardised chi-squares with so many degrees of freedom (4 has skewness 1.41).
    seed : int

    Returns
    -------
    DataFrame
        ``x1 ... y3``, unrounded, in scale points. ``attrs["synthetic"]`` is True.
    dict of str to float
        ``g1 g2 w curvature r psi`` raw, in the metric of unit variances of X and Z and a residual
        variance psi of Y; ``mean_y sd_y``; ``g1* g2* w* curvature*`` standardised, w* being
        w sd(X) sd(Z)/sd(Y); the raw loadings as ``"X =~ x1"``.
    """
    rng = np.random.default_rng(seed)
    X, Z = residuals(n, np.array([[1.0, r], [r, 1.0]]), skew, rng).T
    Y = g1 * X + g2 * Z + w * X * Z + curvature * X**2
    Y += np.sqrt(psi) * rng.standard_normal(n)
    paths = {"g1": g1, "g2": g2, "w": w, "curvature": curvature}
    sd = np.sqrt(_variance(np.array(list(paths.values())), r, skew) + psi)
    sds = {"X": 1.0, "Z": 1.0, "Y": float(sd)}
    data = _indicators({"X": X, "Z": Z, "Y": Y}, sds, loadings, intercepts, spread, rng)
    truth = paths | {"r": r, "psi": psi, "mean_y": w * r + curvature, "sd_y": sds["Y"]}
    truth |= {f"{name}*": value / sds["Y"] for name, value in paths.items()}
    truth |= {
        f"{name} =~ {name.lower()}{i}": spread * loading / sds[name]
        for name in sds
        for i, loading in enumerate(loadings, 1)
    }
    return data, truth


def _variance(paths: np.ndarray, r: float, skew: int | None) -> float:
    """Variance of the predicted Y; the fourth cumulants are those of correlated chi-squares."""
    share = 0.0 if skew is None else 1 / skew
    s = np.sqrt(8 * share)  # skewness
    product = 1 + r**2 + (8 * r + 4 * r**2) * share  # Var(XZ)
    both = (2 + 12 * share) * r  # Cov(XZ, X^2)
    covariance = np.array(
        [
            [1, r, r * s, s],
            [r, 1, r * s, r * s],
            [r * s, r * s, product, both],
            [s, r * s, both, 2 + 12 * share],
        ]
    )
    return float(paths @ covariance @ paths)


def _indicators(
    factors: dict[str, np.ndarray],
    sds: dict[str, float],
    loadings: Sequence[float],
    intercepts: Sequence[float],
    spread: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Three unrounded indicators of X, Z and Y, in scale points."""
    standard = np.asarray(loadings)
    noise = spread * np.sqrt(1 - standard**2)
    blocks = [
        answers(factor, spread * standard / sds[name], np.asarray(intercepts), noise, rng)
        for name, factor in factors.items()
    ]
    names = [f"{name.lower()}{i + 1}" for name in factors for i in range(len(standard))]
    data = pd.DataFrame(np.hstack(blocks), columns=names)
    data.attrs["synthetic"] = True
    return data
