"""What a design's data come from: one stated truth, a study's own, or draws from a fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.campaigns.replicas import data_at
from bayesem.data import Answers, Moments
from bayesem.errors import DataError, ModelError
from bayesem.generator import asked_from, generate
from bayesem.model import Model
from bayesem.posterior import Fit
from bayesem.preparation import Prepared
from bayesem.refitting import prepared, subset
from bayesem.simulation import simulate
from bayesem.study_truth import declares_truth
from bayesem.truth_file import STATES

__all__ = ["Declaration", "Drawn", "Stated", "Truth", "given_truth", "truth_from"]


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """Parameter values; whatever is not named has a declared value (:func:`bayesem.simulate`)."""

    model: Model
    values: Mapping[str, float]
    identify: str
    families: Mapping[str, Any] | None
    answers: bool

    def data(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """A data set of n cases."""
        return simulate(
            self.model, n, self.values, rng, identify=self.identify, answers=self.answers,
            families=self.families,
        )  # fmt: skip

    def about(self) -> dict[str, Any]:
        """What it is, for a store's record."""
        return {"values": {k: float(v) for k, v in self.values.items()}, "answers": self.answers,
                "metric": self.identify}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """The population that a study's truth file declares, with propositions made true or false."""

    study: str
    asked: Mapping[str, str]
    answers: bool

    def data(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """A data set of n cases."""
        seed = int(rng.integers(2**31))
        return generate(
            self.study, n, propositions=dict(self.asked), rounded=self.answers, seed=seed
        )

    def about(self) -> dict[str, Any]:
        """What it is, for a store's record."""
        return {"study": self.study, "asked": dict(self.asked), "answers": self.answers}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Each data set from a draw of its own: what is not known for sure varies, too.

    Observed predictors, and which cells are missing, are those of the fit's cases, drawn with
    replacement.
    """

    ready: Prepared
    x: Floats = field(repr=False)
    group: str = "posterior"

    def data(self, n: int, rng: np.random.Generator) -> pd.DataFrame | Moments:
        """A data set of n cases."""
        x = self.x[rng.integers(len(self.x))]
        old = self.ready.data
        if isinstance(old, Moments):
            new = data_at(replace(self.ready, data=replace(old, n=n)), x, rng)
            assert isinstance(new, Moments)
            return new
        rows = rng.integers(old.n, size=n)
        new_cases = data_at(replace(self.ready, data=subset(old, rows)), x, rng)
        assert isinstance(new_cases, Answers)
        return _frame(self.ready, new_cases)

    def about(self) -> dict[str, Any]:
        """What it is, for a store's record."""
        return {"draws of": self.group, "checksum": float(self.x.sum()), "of": len(self.x)}


type Truth = Stated | Declaration | Drawn


def truth_from(
    model: Model,
    truth: Any,
    *,
    group: str,
    identify: str,
    families: Mapping[str, Any] | None,
    answers: bool,
) -> Truth:
    """What a design's data come from, in whatever way it is given.

    Raises
    ------
    ModelError
        For a truth that is none of the ways.
    """
    if isinstance(truth, Fit):
        return _drawn(truth, group)
    if truth is None:
        if declares_truth(model):
            return Declaration(_source(model), {}, answers)
        return Stated(model, {}, identify, families, answers)
    if isinstance(truth, Mapping):
        texts = {k: v for k, v in truth.items() if isinstance(v, str)}
        if not texts:
            return Stated(model, dict(truth), identify, families, answers)
        if len(texts) == len(truth) and set(texts.values()) <= {*STATES}:
            return Declaration(_source(model), texts, answers)
    raise ModelError(
        f"truth is a {type(truth).__name__} that cannot be read.",
        hint='Give values by label, {"b": 0.3}; states of propositions of a study that declares a '
        'truth, {"P2": "false"}; or a fit.',
    )


def _source(model: Model) -> str:
    return str(model.name) if model.variant is None else f"{model.name}:{model.variant}"


def _drawn(fit: Fit, group: str) -> Drawn:
    if group not in ("posterior", "prior"):
        raise ModelError(f"draw_from is {group!r}.", hint='Use "posterior" or "prior".')
    source = f"sampled_{group}"
    if source not in fit.draws.children:
        raise DataError(f"the fit has no {group} draws.", hint="Fit with proper priors.")
    x = fit.draws[source]["x"].transpose("chain", "draw", "parameter").to_numpy()
    return Drawn(prepared(fit), x.reshape(-1, x.shape[-1]), group)


def _frame(ready: Prepared, data: Answers) -> pd.DataFrame:
    """Columns as a user's file has them."""
    known = {*ready.model.observed}
    columns = {v: data.values[:, k] for k, v in enumerate(data.names) if v in known}
    for k, outcome in enumerate(ready.table.outcomes):
        columns[outcome.name] = data.outcomes[:, k]
        if outcome.family.censored is not None:
            columns[outcome.family.censored] = data.censored[:, k].astype(float)
    out = pd.DataFrame(columns)
    out.attrs["synthetic"] = True
    return out


def given_truth(values: Sequence[str], states: Sequence[str]) -> Any:
    """A truth from texts: ``"b=0.3"`` for values, ``"P2=false"`` for states of propositions.

    Raises
    ------
    ModelError
        At a text that is no such pair, or where both are given.

    Examples
    --------
    >>> given_truth(["b=0.3", "EBP ~ ENA = 0.2"], [])
    {'b': 0.3, 'EBP ~ ENA': 0.2}
    """
    if values and states:
        raise ModelError(
            "a truth is given by values or by states of propositions, not by both.",
            hint="Leave one of them out.",
        )
    if states:
        return asked_from(states)
    found: dict[str, float] = {}
    for text in values:
        name, _, number = text.rpartition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise ModelError(f"`{text}` is no value.", hint="Write NAME=VALUE: b=0.3.") from None
    return found or None
