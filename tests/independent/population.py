"""The declared population of study B (Taufik, Sudarmiati & Pratikto 2026): graph and values.

Metric: the residual variance of every factor is 1, given the factor's predictors, as with
``identify="unit"``. Factors have mean 0, because the controls enter as deviations from their known
population means; products are therefore products of deviations, and ``f`` is FIN's slope at average
DC and INN. (Factor means would only move intercepts.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from independent.drawing import MIDDLE, SPREAD, STANDARD_LOADINGS

DIMENSIONS = ("DC", "FIN", "REG", "NET", "INN", "ECO", "RIV")
#: Residual correlations of the dimensions, in that order.
DIMENSION_CORRELATION = np.array(
    [
        [1.00, 0.30, 0.30, 0.35, 0.35, 0.20, 0.10],
        [0.30, 1.00, 0.25, 0.30, 0.25, 0.35, 0.10],
        [0.30, 0.25, 1.00, 0.30, 0.25, 0.30, 0.10],
        [0.35, 0.30, 0.30, 1.00, 0.30, 0.30, 0.15],
        [0.35, 0.25, 0.25, 0.30, 1.00, 0.20, 0.20],
        [0.20, 0.35, 0.30, 0.30, 0.20, 1.00, 0.10],
        [0.10, 0.10, 0.10, 0.15, 0.20, 0.10, 1.00],
    ]
)
#: Outcomes whose residuals go together, and their correlations.
TERMINAL = ("EP", "ACC", "SPEED", "COMP")
TERMINAL_CORRELATION = np.array(
    [[1.0, 0.2, 0.2, 0.3], [0.2, 1.0, 0.1, 0.2], [0.2, 0.1, 1.0, 0.1], [0.3, 0.2, 0.1, 1.0]]
)
#: Known only where the firm exports.
EXPORTERS_ONLY = ("EP", "ACC", "SPEED")

#: Share of firms in the second sector; log employees in the first, the second's lead, sd within.
SECTOR_SHARE, SIZE_FIRST, SIZE_LEAD, SIZE_SD = 0.4, 2.9, 0.25, 0.8
#: Coefficients of (size in log employees, sector), for everything that they reach.
CONTROLS = {
    "DC": (0.20, 0.30),
    "FIN": (0.25, 0.10),
    "REG": (0.15, 0.20),
    "NET": (0.20, 0.10),
    "INN": (0.10, 0.20),
    "ECO": (0.10, 0.10),
    "RIV": (0.05, 0.20),
    "LEG": (0.10, 0.0),
    "ACC": (0.10, 0.0),
    "INFO": (-0.10, 0.0),
    "SPEED": (0.10, 0.0),
    "COMP": (0.10, 0.0),
    "EP": (0.15, 0.20),
    "exporting": (0.20, 0.20),
    "years": (-0.10, -0.15),
}
#: outcome -> predictor -> label, in causal order. A predictor with ``:`` is a product.
PATHS = {
    "LEG": {"REG": "r1"},
    "ACC": {"LEG": "r2", "REG": "r3"},
    "INFO": {"NET": "n1"},
    "SPEED": {"INFO": "n2", "NET": "n3"},
    "COMP": {"INN": "k1", "RIV": "k2", "INN:RIV": "k3"},
    "EP": {
        **{"DC": "e1", "FIN": "f", "REG": "e3", "NET": "e4", "INN": "e5"},
        **{"FIN:DC": "w1", "FIN:INN": "w2", "ECO:DC": "EP ~ ECO:DC"},
    },
    "exporting": {"DC": "d1", "FIN": "d2", "REG": "d3", "NET": "d4", "INN": "d5"},
    "years": {"DC": "y1", "INFO": "y2", "NET": "y3"},
}
#: Layer of a second-order factor -> (factor, label or value of the loading).
LAYERS = {
    **{"DINF": ("DC", 1.2), "DANA": ("DC", 1.4), "DMKT": ("DC", 1.1), "DSEC": ("DC", 1.0)},
    **{"REGO": ("REG", "u"), "REGD": ("REG", "u"), "NETT": ("NET", "z"), "NETD": ("NET", "z")},
}
#: Probit intercept at average predictors.
EXPORTING_INTERCEPT = 0.15
#: Median years to the first export at average predictors, residual sd of log years; median age of
#: the firms at the survey, in years, sd of log age.
YEARS_MEDIAN, YEARS_SD, AGE_MEDIAN, AGE_SD = 6.0, 0.6, 10.0, 0.5
#: ``EP ~ ECO:DC`` where a moderator is left out of the graph.
OMITTED = 0.2

DEFAULTS = {
    **{"d1": 0.4, "d2": 0.15, "d3": 0.1, "d4": 0.15, "d5": 0.2},
    **{"e1": 0.3, "f": 0.0, "e3": 0.1, "e4": 0.2, "e5": 0.2, "w1": 0.2, "w2": 0.2},
    **{"r1": 0.5, "r2": 0.4, "r3": 0.1},
    **{"n1": -0.4, "n2": -0.3, "n3": 0.1},
    **{"k1": 0.3, "k2": -0.1, "k3": 0.15},
    **{"u": 1.2, "z": 1.1},
    **{"y1": -0.2, "y2": 0.3, "y3": -0.1},
}
#: Every part of the claim exactly at its bound.
FALSE = {
    "P1": {"d1": 0.0},
    "P2": {"w1": 0.0, "w2": 0.0},
    "P3": {"r1": 0.0, "r3": 0.0},
    "P4": {"n1": 0.0, "n2": 0.0, "n3": 0.0, "y2": 0.0, "y3": 0.0},
    "P5": {"k1": 0.0, "k3": 0.0},
}
#: Every part of the claim on the wrong side, the products of coefficients included.
REVERSED = {
    "P1": {"d1": -0.4},
    "P2": {"w1": -0.2, "w2": -0.2},
    "P3": {"r1": -0.5, "r3": -0.1},
    "P4": {"n1": 0.4, "n2": 0.3, "n3": -0.3, "y2": -0.3, "y3": 0.3},
    "P5": {"k1": -0.3, "k3": -0.15},
}
STATES = {"true": {name: {} for name in FALSE}, "false": FALSE, "reversed": REVERSED}


@dataclass(frozen=True)
class Measured:
    """A factor's indicators.

    Parameters
    ----------
    unit : float
        The factor's sd at the default truth, rounded: raw loadings are standardised ones times
        1.8 scale points over this, and stay where they are when the truth moves.
    count : int
        Indicators.
    ceiling : bool
        Answers crowd at 10 when rounded.
    """

    unit: float
    count: int = 3
    ceiling: bool = False

    @property
    def loadings(self) -> np.ndarray:
        """Raw loadings, scale points per unit of the factor."""
        return SPREAD * np.array(STANDARD_LOADINGS[: self.count]) / self.unit

    @property
    def residual_sd(self) -> np.ndarray:
        """Residual standard deviations, scale points."""
        return SPREAD * np.sqrt(1 - np.array(STANDARD_LOADINGS[: self.count]) ** 2)

    def intercepts(self, *, rounded: bool) -> np.ndarray:
        """Means at a factor of 0, scale points."""
        lift = 2.2 if rounded and self.ceiling else 0.0
        return MIDDLE + lift + np.array([0.0, 0.3, -0.3, 0.1])[: self.count]


MEASURED = {
    **{"DINF": Measured(1.6), "DANA": Measured(1.75), "DMKT": Measured(1.5)},
    **{"DSEC": Measured(1.45), "FIN": Measured(1.0), "REGO": Measured(1.6)},
    **{"REGD": Measured(1.6), "NETT": Measured(1.5), "NETD": Measured(1.5)},
    **{"INN": Measured(1.0, ceiling=True), "ECO": Measured(1.0), "RIV": Measured(1.0)},
    **{"LEG": Measured(1.15, ceiling=True), "ACC": Measured(1.15, ceiling=True)},
    **{"INFO": Measured(1.1), "SPEED": Measured(1.1), "COMP": Measured(1.1)},
    "EP": Measured(1.3, count=4),
}


def control_moments() -> tuple[np.ndarray, np.ndarray]:
    """Population mean and covariance of (size in log employees, sector)."""
    p = SECTOR_SHARE
    both = p * (1 - p) * np.array([[SIZE_LEAD**2, SIZE_LEAD], [SIZE_LEAD, 1.0]])
    return np.array([SIZE_FIRST + SIZE_LEAD * p, p]), both + np.diag([SIZE_SD**2, 0.0])


def dimension_sd(name: str) -> float:
    """Standard deviation of a dimension, its residual's being 1."""
    weights = np.array(CONTROLS[name])
    return float(np.sqrt(1 + weights @ control_moments()[1] @ weights))


def declared(
    outcome: str, propositions: Mapping[str, str], truth: Mapping[str, float]
) -> dict[str, float]:
    """Values of all labels: the defaults, moved by propositions, then by ``truth``.

    Raises
    ------
    ValueError
        On an unknown proposition, state, label or outcome.
    """
    if outcome not in ("exporting", "time"):
        raise ValueError(f'outcome is "exporting" or "time", not "{outcome}"')
    dropped = set(PATHS["years" if outcome == "exporting" else "exporting"].values())
    values = dict(DEFAULTS)
    for name, state in propositions.items():
        if name not in FALSE or state not in STATES:
            raise ValueError(f'"{name}" = "{state}": P1 ... P5 are true, false or reversed')
        values |= STATES[state][name]
    values = {label: value for label, value in values.items() if label not in dropped}
    if unknown := set(truth) - set(values):
        raise ValueError(f"no such labels for this outcome: {', '.join(sorted(unknown))}")
    return values | {label: float(value) for label, value in truth.items()}


def claims(v: Mapping[str, float]) -> dict[str, bool]:
    """Whether each claim of ``propositions/export_strategy.toml`` holds at these values.

    ``P5`` is INN's slope where RIV is one model-implied sd above its mean.
    """
    out = {
        "P2": v["w1"] > 0 and v["w2"] > 0,
        "P3": v["r1"] > 0 and v["r1"] * v["r2"] + v["r3"] > 0,
        "P4": v["n1"] < 0 and v["n2"] < 0 and v["n1"] * v["n2"] + v["n3"] > 0,
        "P5": v["k1"] + v["k3"] * dimension_sd("RIV") > 0,
    }
    if "d1" in v:
        return {"P1": v["d1"] > 0} | out
    return out | {"P4_time": v["n1"] < 0 < v["y2"] and v["n1"] * v["y2"] + v["y3"] < 0}


def other_values() -> dict[str, float]:
    """What has no label, as ``"lhs op rhs"``: ``~~`` (co)variances, loadings in scale points."""
    out = {f"{name} =~ {layer}": g for layer, (name, g) in LAYERS.items() if g not in DEFAULTS}
    for name, measured in MEASURED.items():
        pairs = zip(measured.loadings, measured.residual_sd, strict=True)
        for i, (loading, sd) in enumerate(pairs, 1):
            indicator = f"{name.lower()}{i}"
            out[f"{name} =~ {indicator}"] = float(loading)
            out[f"{indicator} ~~ {indicator}"] = float(sd**2)
    for name, weights in CONTROLS.items():
        out |= {f"{name} ~ {x}": b for x, b in zip(("size", "sector"), weights, strict=True) if b}
    for names, R in ((DIMENSIONS, DIMENSION_CORRELATION), (TERMINAL, TERMINAL_CORRELATION)):
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            out[f"{names[i]} ~~ {names[j]}"] = float(R[i, j])
    return out
