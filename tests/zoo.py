"""Models with data that every clever representation is checked on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from semopy.examples import holzinger39, political_democracy
from texts import DEMOCRACY, HOLZINGER

from bayesem.data import Moments
from bayesem.fitting import Prepared, prepare


@dataclass(frozen=True)
class Specimen:
    """One model, its data and the arguments of its fit."""

    text: str
    data: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def prepared(self) -> Prepared:
        return prepare(self.text, self.data, **self.arguments)


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
    "mimic": Specimen(HOLZINGER + "visual + speed ~ older + girl\nx2 ~ girl\n", _mimic),
    "mimic, modelled x": Specimen(
        HOLZINGER + "visual + speed ~ older + girl\n", _mimic, {"fixed_x": False}
    ),
    "regression": Specimen("m ~ a*u + v\ny ~ b*m + w\nab := a*b\n", _regression),
    "feedback": Specimen("m ~ 0.2*y + u\ny ~ m + w\nm ~~ y\n", _regression),
}
