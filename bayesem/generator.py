"""Synthetic answers of a study whose file declares a truth, so that verdicts can be checked.

Firms, say, are drawn as the study says they come about: observed predictors from their own
distributions, factors with products, outcomes, answers rounded to the scale, and items that are
asked of some cases only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.casedraws import draw_factors, observed_columns
from bayesem.errors import DataError, StudyError
from bayesem.model import Model, read_model
from bayesem.seeds import check_seed
from bayesem.simulation import simulate, square_root
from bayesem.study_truth import Declared, declared, declares_truth, truth_of
from bayesem.truth_file import STATES, TruthFile

__all__ = ["asked_from", "generate", "synthetic_answers"]


def generate(
    study: str,
    n: int,
    *,
    propositions: Mapping[str, str] | None = None,
    truth: Mapping[str, float] | None = None,
    rounded: bool = True,
    seed: int | None = None,
) -> pd.DataFrame:
    """Draw synthetic answers from the declared population of a study.

    Parameters
    ----------
    study : str
        A study with a file ``models/<study>.truth.toml``, a variant of it
        (``"export_strategy:time"``), or a further model (``"export_strategy_time"``).
    n : int
        Cases.
    propositions : mapping of str to str, optional
        Name to ``"true"``, ``"false"`` (every part of the claim at its bound) or ``"reversed"``
        (every part on the wrong side). Those not named keep the file's values.
    truth : mapping of str to float, optional
        Values by label or ``"lhs op rhs"``, in the file's metric; they come last.
    rounded : bool
        Round answers to the codebook's scale and cut them off at its ends.
    seed : int, optional
        One seed gives the same residuals at every truth.

    Returns
    -------
    DataFrame
        The columns of the model, and of censored times what says so. ``attrs["synthetic"]`` is
        True, ``attrs["truth"]`` holds every parameter (before rounding, where that is done) by
        name and label, ``attrs["propositions"]`` what was asked for.

    Raises
    ------
    StudyError
        If the study declares no truth, a proposition or state is unknown, or two propositions ask
        for different values of one parameter.
    ModelError
        For a value that the model cannot have.
    DataError
        If ``n`` is no number of cases.

    Examples
    --------
    >>> data = generate("export_strategy", 200, propositions={"P2": "reversed"}, seed=1)
    >>> data.shape, data.attrs["truth"]["w1"]
    ((200, 58), -0.2)
    """
    check_seed(seed)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise DataError(f"n is {n!r}.", hint="Use a whole number of at least 1.")
    model = read_model(study)
    asked = dict(propositions or {})
    found = declared(model, asked, dict(truth or {}))
    data = _cases(found, int(n), np.random.default_rng(seed))
    if rounded:
        data = _rounded(model, data)
    data = _emptied(found, data)
    data.attrs = {"synthetic": True, "truth": dict(found.named), "propositions": asked}
    return data


def synthetic_answers(
    source: str, n: int, *, asked: Mapping[str, str], rounded: bool, seed: int
) -> pd.DataFrame:
    """Answers from a declared truth where there is one, else from any model's declared values.

    Parameters
    ----------
    source : str
        As :func:`bayesem.read_model` takes it.
    n : int
    asked : mapping of str to str
        States of propositions; only where a truth is declared.
    rounded : bool
        Use the codebook's scale, if there is one.
    seed : int
    """
    model = read_model(source)
    if declares_truth(model):
        return generate(source, n, propositions=asked, rounded=rounded, seed=seed)
    if asked:
        truth_of(model)  # says that there is none
    scaled = rounded and model.codebook is not None and model.codebook.scale is not None
    return simulate(model, n, seed=seed, answers=scaled)


def asked_from(texts: Sequence[str]) -> dict[str, str]:
    """States of propositions, from texts such as ``"P2=reversed"``.

    Raises
    ------
    StudyError
        At a text that is no such pair, or a proposition that stands twice.

    Examples
    --------
    >>> asked_from(["P2=reversed", "P1 = false"])
    {'P2': 'reversed', 'P1': 'false'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, mark, state = (part.strip() for part in text.partition("="))
        if not (name and mark and state) or name in found:
            hint = f'Write NAME=STATE, each name once, as in "P2=reversed": {", ".join(STATES)}.'
            raise StudyError(f"`{text}` sets no proposition.", hint=hint)
        found[name] = state
    return found


# -- cases ---------------------------------------------------------------------------------


def _cases(found: Declared, n: int, rng: np.random.Generator) -> pd.DataFrame:
    table, M = found.table, found.matrices
    zeta = rng.standard_normal((n, len(table.factors))) @ square_root(M.Psi)
    noise = rng.standard_normal((n, len(table.indicators))) @ square_root(M.Theta)
    ends = {name: rng.standard_normal(n) for name in found.file.limits}
    for name, values in _controls(found.file, n, rng).items():
        if name in table.factors:
            k = table.factors.index(name)
            zeta[:, k] = values - M.alpha[k]
    eta, outcomes = draw_factors(table, M, zeta, rng)
    y = M.nu + eta @ M.Lambda.T + noise
    limits = {k: v.median * np.exp(v.sd * ends[k]) for k, v in found.file.limits.items()}
    columns = dict(zip(table.indicators, y.T, strict=True))
    columns |= observed_columns(table, outcomes, limits)
    flags = [o.family.censored for o in table.outcomes if o.family.censored in columns]
    return pd.DataFrame(columns)[[*found.model.observed, *flags]]


def _controls(file: TruthFile, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Observed predictors, each from its own distribution."""
    found: dict[str, Floats] = {}
    for name, control in file.controls.items():
        if control.family == "normal":
            found[name] = control.mean + control.sd * rng.standard_normal(n)
        elif control.family == "poisson":
            found[name] = rng.poisson(control.mean, n).astype(float)
        else:
            found[name] = (rng.uniform(size=n) < control.mean).astype(float)
    return found


def _rounded(model: Model, data: pd.DataFrame) -> pd.DataFrame:
    book = model.codebook
    if book is None or book.scale is None:
        return data
    low, high = book.scale
    columns = [name for name in data.columns if name in book.scaled]
    answers = (low + (data[columns] - low).round()).clip(low, high)
    return data.assign(**{name: answers[name] for name in columns})


def _emptied(found: Declared, data: pd.DataFrame) -> pd.DataFrame:
    """Items of the factors that are asked of some cases only."""
    file, table = found.file, found.table
    rows = [r for r in table.rows if r.matrix == "Lambda" and r.lhs in file.empty]
    items = {r.rhs for r in rows} & set(data.columns)
    unasked = np.zeros(len(data), bool)
    for name, value in file.where.items():
        if name in data.columns:
            unasked |= (data[name] == value).to_numpy()
    changed: dict[str, Any] = {name: data[name].mask(unasked) for name in items}
    return data.assign(**changed)
