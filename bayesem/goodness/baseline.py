"""The model that incremental indices compare with: all indicators independent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.data import Answers
from bayesem.errors import DataError
from bayesem.goodness.discrepancy import Sample
from bayesem.model import read_model
from bayesem.posterior import Fit
from bayesem.preparation import prepare
from bayesem.refitting import sample as run

__all__ = ["check_baseline", "independence"]

#: Kinds of priors that an independence model has use for.
KINDS = ("preset", "intercepts", "residual_sd")


def independence(fit: Fit, sample: Sample, *, seed: int) -> Fit:
    """Fit variances and means alone, to the same cells, under the same priors.

    Predictors that the model conditions on are left out: what is independent of them has the same
    likelihood given them as without.
    """
    assert isinstance(fit.data, Answers)
    names = _explained(sample)
    columns = [fit.data.names.index(v) for v in names]
    data = pd.DataFrame(fit.data.values[:, columns], columns=names)
    data.attrs["synthetic"] = fit.data.synthetic
    model = read_model("\n".join(f"{v} ~~ {v}" for v in names))
    model = replace(model, codebook=fit.model.codebook)
    given = fit.settings.priors_argument
    priors: str | dict[str, Any] = fit.settings.priors
    if isinstance(given, Mapping):
        priors = {"preset": priors} | {k: v for k, v in given.items() if k in KINDS}
    ready = prepare(model, data, means=sample.use_mean, priors=priors)
    s = fit.settings
    return run(ready, draws=s.draws, tune=s.tune, chains=s.chains, seed=seed)


def check_baseline(sample: Sample, other: Sample) -> None:
    """Refuse a baseline of other data than the fit's."""
    mine, theirs = _explained(sample), _explained(other)
    hint = "Leave baseline out: the independence model is fitted automatically."
    if odd := sorted({*mine} ^ {*theirs}):
        raise DataError(
            f"`{odd[0]}` is explained by the baseline or by the fit, not by both.", hint=hint
        )
    if other.held.any() and {*other.names} != {*sample.names}:
        raise DataError("the baseline conditions on other predictors than the fit.", hint=hint)
    order = [theirs.index(v) for v in mine]
    a = (sample.y + sample.location)[:, ~sample.held]
    b = (other.y + other.location)[:, ~other.held][:, order]
    same = a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)
    if not same or sample.use_mean != other.use_mean:
        raise DataError(
            "the baseline was fitted to other answers than the fit, or only one of them models "
            "the means.",
            hint=hint,
        )


def _explained(sample: Sample) -> list[str]:
    return [v for v, held in zip(sample.names, sample.held, strict=True) if not held]
