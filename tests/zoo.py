"""Models with data that every clever representation is checked on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from semopy.examples import holzinger39, political_democracy
from texts import DEMOCRACY, HOLZINGER

from bayesem.data import Moments
from bayesem.families import Lognormal, Weibull
from bayesem.preparation import Prepared, prepare


@dataclass(frozen=True)
class Specimen:
    """One model, its data and the arguments of its fit."""

    text: str
    data: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def casewise(self) -> bool:
        """Whether cases are integrated one by one."""
        return ":" in self.text.replace(":=", "") or "families" in self.arguments

    def prepared(self) -> Prepared:
        return prepare(self.text, self.data, **self.arguments)


def _moderated(n: int = 160) -> pd.DataFrame:
    """Three factors with a product, a control, and an outcome of every family."""
    rng = np.random.default_rng(11)
    size = rng.normal(2, 1, n)
    X, Z = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T + 0.2 * (size - 2)
    Y = 0.4 * X + 0.3 * Z + 0.3 * X * Z + 0.2 * size + rng.normal(size=n)
    V = 0.4 * Y + 0.3 * X + rng.normal(size=n)
    out = {f"{v}{k}": 3 + w * f + rng.normal(0, 0.6, n)
           for v, f in zip("xzyv", (X, Z, Y, V), strict=True)
           for k, w in ((1, 1.0), (2, 0.8), (3, 0.9))}  # fmt: skip
    eta = 0.5 * X - 0.2 * size
    time = np.exp(1 + eta + 0.7 * rng.normal(size=n))
    limit = np.exp(rng.normal(1.6, 0.5, n))
    out |= {
        "size": size, "bought": (eta + rng.normal(size=n) > -0.3).astype(float),
        "years": np.minimum(time, limit), "waiting": (time > limit).astype(float),
        "visits": rng.poisson(np.exp(0.5 + 0.4 * eta)).astype(float),
        "sales": 1 + 0.5 * Y + 0.3 * X + rng.normal(size=n),
    }  # fmt: skip
    return pd.DataFrame(out)


MODERATED = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ X + Z + w*X:Z + size
X + Z ~ size
X ~~ Z
"""
VALUED = MODERATED + "V =~ v1 + v2 + v3\nV ~ Y + X\n"


def _holed(data: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return data.mask(rng.uniform(size=data.shape) < share)


_pd = political_democracy.get_data()
_hs = holzinger39.get_data()
_pd_names = [f"x{k}" for k in (1, 2, 3)] + [f"y{k}" for k in range(1, 9)]
_rng = np.random.default_rng(3)
_regression = pd.DataFrame(_rng.normal(size=(120, 3)), columns=["u", "v", "w"])
_regression["m"] = 0.5 * _regression["u"] - 0.3 * _regression["v"] + _rng.normal(size=120)
_regression["y"] = 0.4 * _regression["m"] + 0.2 * _regression["w"] + 2 + _rng.normal(size=120)
_mimic = _hs.assign(older=_hs["agemo"].astype(float), girl=_hs["sex"].astype(float))

ZOO = {
    "democracy": Specimen(DEMOCRACY, _pd),
    "democracy, unit": Specimen(DEMOCRACY, _pd, {"identify": "unit"}),
    "democracy, blavaan": Specimen(DEMOCRACY, _pd, {"priors": "blavaan"}),
    "democracy, missing": Specimen(DEMOCRACY, _holed(_pd[_pd_names], 0.2, 1)),
    "democracy, covariance": Specimen(DEMOCRACY, Moments(_pd[_pd_names].cov(), 75)),
    "democracy, moments": Specimen(
        DEMOCRACY, Moments(_pd[_pd_names].cov(), 75, _pd[_pd_names].mean())
    ),
    "democracy, no means": Specimen(DEMOCRACY, _pd, {"means": False}),
    "democracy, equal loadings": Specimen(
        DEMOCRACY.replace("y2 + y3 + y4", "l2*y2 + l3*y3 + l4*y4").replace(
            "y6 + y7 + y8", "l2*y6 + l3*y7 + l4*y8"
        ),
        _pd,
    ),
    "democracy, ordered paths": Specimen(DEMOCRACY + "\na > b\nb > 0\n", _pd),
    "democracy, linear equality": Specimen(DEMOCRACY + "\na == 2*b\n", _pd),
    "holzinger": Specimen(HOLZINGER, _hs),
    "holzinger, second order": Specimen(HOLZINGER + "\ng =~ visual + textual + speed\n", _hs),
    "holzinger, free scale": Specimen(
        HOLZINGER.replace("=~ x1", "=~ NA*x1") + "visual ~~ 1*visual\nvisual ~~ 0*textual\n", _hs
    ),
    "holzinger, shared covariance": Specimen(HOLZINGER + "x1 ~~ e*x4\nx2 ~~ e*x5\n", _hs),
    "holzinger, equal variances": Specimen(
        HOLZINGER + "x1 ~~ v*x1\nx2 ~~ v*x2\nx7 ~~ t*x7\nx8 ~~ s*x8\nt == 2*s\n", _hs
    ),
    "holzinger, own priors": Specimen(
        HOLZINGER
        + 'visual ~~ prior("normal(0.2, 0.2)")*textual\nx1 ~~ prior("gamma(1,.5)[var]")*x1\n',
        _hs,
        {"priors": {"loadings": "studentt(4, 0.7, 1)", "x2 ~~ x2": "inversegamma(2, 1)[prec]"}},
    ),
    "holzinger, added loadings": Specimen(
        HOLZINGER, _hs, {"cross_loadings": 0.08, "method_factor": "CMB"}
    ),
    "mimic": Specimen(HOLZINGER + "visual + speed ~ older + girl\nx2 ~ girl\n", _mimic),
    "mimic, modelled x": Specimen(
        HOLZINGER + "visual + speed ~ older + girl\n", _mimic, {"fixed_x": False}
    ),
    "regression": Specimen("m ~ a*u + v\ny ~ b*m + w\nab := a*b\n", _regression),
    "product": Specimen(MODERATED, _moderated()),
    "product, unit": Specimen(MODERATED, _moderated(), {"identify": "unit"}),
    "product, added loadings": Specimen(
        MODERATED, _moderated(), {"cross_loadings": 0.08, "method_factor": "CMB"}
    ),
    "product, missing": Specimen(MODERATED, _holed(_moderated(60), 0.1, 4)),
    "quadratics and a chain": Specimen(
        VALUED.replace("+ size\nX", "+ X:X + Z:Z + size\nX"), _moderated()
    ),
    "product, second outcome": Specimen(VALUED + "V ~ X:Z\nY ~~ V\n", _moderated()),
    "product with an observed variable": Specimen(MODERATED + "Y ~ X:size\n", _moderated()),
    "product, cross-loading": Specimen(
        MODERATED.replace("y2 + y3", "y2 + y3 + x3").replace("x1 + x2 + x3", "x1 + x2 + x3 + y3")
        + "x2 ~~ y2\n",
        _moderated(),
    ),
    "observed outcome of a product": Specimen(VALUED + "sales ~ X + X:Z\n", _moderated()),
    "product and probit": Specimen(
        VALUED + "bought ~ X + Y + size\nbought ~~ 0.3*V\n",
        _moderated(),
        {"families": {"bought": "bernoulli"}},
    ),
    "logit": Specimen(
        MODERATED + "bought ~ X + size\n", _moderated(), {"families": {"bought": "logit"}}
    ),
    "lognormal, censored": Specimen(
        MODERATED + "years ~ X + size\n",
        _moderated(),
        {"families": {"years": Lognormal(censored="waiting")}},
    ),
    "weibull, censored": Specimen(
        MODERATED + "years ~ Y + size\n",
        _moderated(),
        {"families": {"years": Weibull(censored="waiting")}},
    ),
    "poisson": Specimen(
        MODERATED + "visits ~ X + size\n", _moderated(), {"families": {"visits": "poisson"}}
    ),
    "negative binomial": Specimen(
        MODERATED + "visits ~ Y + Z\n",
        _moderated(),
        {"families": {"visits": "negative_binomial"}},
    ),
    "mediating probit": Specimen(
        MODERATED + "bought ~ X + size\nY ~ bought\n",
        _moderated(),
        {"families": {"bought": "bernoulli"}},
    ),
    "probit of observed": Specimen(
        "bought ~ a*size + x1\n", _moderated(), {"families": {"bought": "bernoulli"}}
    ),
    "feedback": Specimen("m ~ 0.2*y + u\ny ~ m + w\nm ~~ y\n", _regression),
}
