"""Fits by hand of any model: every free parameter has draws around a number of its own."""

import numpy as np
import xarray as xr
from fake_fits import FakeFit, moments
from product_fits import matrices_of

from bayesem.families import read_families
from bayesem.model import read_model
from bayesem.partable import parameter_table

CENTRES = {"loading": (0.6, 1.2), "path": (-0.3, 0.5), "interaction": (-0.2, 0.3),
           "correlation": (-0.05, 0.25)}  # fmt: skip


def drawn_fit(source, *, families=None, seed=0, draws=40, spread=0.08, **more):
    """Two chains; unit metric."""
    model = read_model(source)
    explained = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    explained = {k: v for k, v in explained.items() if k in model.observed}
    kinds = read_families(families, explained, model.codebook)
    table = parameter_table(model, identify="unit", families=kinds)
    rng = np.random.default_rng(seed)
    truth = {}
    for row in table.rows:
        if row.free and row.kind in CENTRES:
            centre = rng.uniform(*CENTRES[row.kind])
            truth[row.label or row.name] = centre + spread * rng.normal(size=(2, draws))
    M = matrices_of(table, truth, (2, draws))
    both = {"posterior": M, "prior": M}
    return FakeFit(model, table, xr.DataTree(), both, more.pop("data", moments()), **more)
