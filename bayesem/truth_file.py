"""The declared population of a study without data: ``models/<study>.truth.toml``.

Strict, as the codebook: a key that nothing reads is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bayesem.documents import Document, read_document
from bayesem.errors import StudyError, did_you_mean

__all__ = ["STATES", "Answered", "Control", "Limit", "TruthFile", "read_truth"]

#: What a proposition can be made.
STATES = ("true", "false", "reversed")
METRICS = ("unit", "marker")
FAMILIES = ("normal", "bernoulli", "poisson")


@dataclass(frozen=True, slots=True)
class Answered:
    """Standardised loadings of a factor's items in turn, and the items' mean and sd."""

    loadings: tuple[float, ...]
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Control:
    """Distribution of an observed predictor; of a Bernoulli one ``mean`` is the share of ones,
    of a Poisson one the mean count."""

    family: str
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Limit:
    """When a wait stops being observed: a log-normal time, ``sd`` that of its log."""

    median: float
    sd: float


@dataclass(frozen=True, slots=True)
class TruthFile:
    """A declared population.

    Attributes
    ----------
    metric : str
        That of the values: ``"unit"`` or ``"marker"``.
    answered : Answered
    controls : mapping of str to Control
    predictors : mapping of str to float
        Mean of an outcome's linear predictor.
    limits : mapping of str to Limit
        Of times.
    empty : tuple of str
        Factors whose items are empty where a column of ``where`` has its value.
    where : mapping of str to float
    values : mapping of str to float
        By label or ``"lhs op rhs"``.
    models : mapping of str to mapping of str to float
        Further values of other models of the study.
    propositions : mapping of str to mapping of str to mapping of str to float
        What makes each one true, false or reversed.
    path : Path
    sha256 : str
    """

    metric: str
    answered: Answered
    controls: Mapping[str, Control]
    predictors: Mapping[str, float]
    limits: Mapping[str, Limit]
    empty: tuple[str, ...]
    where: Mapping[str, float]
    values: Mapping[str, float] = field(repr=False)
    models: Mapping[str, Mapping[str, float]] = field(repr=False)
    propositions: Mapping[str, Mapping[str, Mapping[str, float]]] = field(repr=False)
    path: Path
    sha256: str


def read_truth(path: str | Path) -> TruthFile:
    """Read the declared population of a study.

    Raises
    ------
    StudyError
        At a file that is missing, is not TOML, or says what nothing reads; with its line.
    """
    path = Path(path)
    d = read_document(path, StudyError)
    known = ("metric", "answers", "controls", "outcomes", "empty", "values", "models",
             "propositions")  # fmt: skip
    d.only(d.data, known)
    d.need(d.data, ("metric", "answers", "values"))
    tables = {k: d.table(d.data.get(k, {}), k) for k in known if k != "metric"}
    outcomes = {k: d.table(v, "outcomes", k) for k, v in tables["outcomes"].items()}
    for name, table in outcomes.items():
        d.only(table, ("mean", "limit"), "outcomes", name)
    return TruthFile(
        _one_of(d, d.data["metric"], METRICS, "metric"),
        _answered(d, tables["answers"]),
        {k: _control(d, k, v) for k, v in tables["controls"].items()},
        {k: d.number(v["mean"], "outcomes", k, "mean") for k, v in outcomes.items() if "mean" in v},
        {k: _limit(d, k, v["limit"]) for k, v in outcomes.items() if "limit" in v},
        *_empty(d, tables["empty"]),
        _numbers(d, tables["values"], "values"),
        {k: _numbers(d, v, "models", k) for k, v in tables["models"].items()},
        {k: _states(d, k, v) for k, v in tables["propositions"].items()},
        path,
        d.sha256,
    )


def _numbers(d: Document, table: object, *keys: str) -> dict[str, float]:
    return {k: d.number(v, *keys, k) for k, v in d.table(table, *keys).items()}


def _one_of(d: Document, value: object, known: tuple[str, ...], *keys: str) -> str:
    text = d.text(value, *keys)
    if text not in known:
        hint = did_you_mean(text, known) or f"Known are {', '.join(known)}."
        raise d.fail(f"`{keys[-1]}` is `{text}`.", *keys, hint=hint)
    return text


def _above(d: Document, value: object, *keys: str) -> float:
    number = d.number(value, *keys)
    if number <= 0:
        raise d.fail(f"`{keys[-1]}` is {number:g}, not above 0.", *keys)
    return number


def _answered(d: Document, table: dict[str, Any]) -> Answered:
    d.only(table, ("loadings", "mean", "sd"), "answers")
    d.need(table, ("loadings", "mean", "sd"), "answers")
    given = table["loadings"]
    if not isinstance(given, list) or not given:
        raise d.fail("`loadings` is no list of numbers.", "answers", "loadings")
    loadings = tuple(d.number(v, "answers", "loadings") for v in given)
    if not all(0 < abs(v) < 1 for v in loadings):
        raise d.fail("A standardised loading is not between -1 and 1.", "answers", "loadings")
    mean = d.number(table["mean"], "answers", "mean")
    return Answered(loadings, mean, _above(d, table["sd"], "answers", "sd"))


def _control(d: Document, name: str, value: object) -> Control:
    keys = ("controls", name)
    table = d.table(value, *keys)
    d.only(table, ("family", "mean", "sd"), *keys)
    d.need(table, ("family", "mean"), *keys)
    family = _one_of(d, table["family"], FAMILIES, *keys, "family")
    mean = d.number(table["mean"], *keys, "mean")
    if family == "normal":
        d.need(table, ("sd",), *keys)
        return Control(family, mean, _above(d, table["sd"], *keys, "sd"))
    if family == "poisson":
        return Control(family, _above(d, mean, *keys, "mean"), mean**0.5)
    if not 0 < mean < 1:
        raise d.fail(f"`mean` is {mean:g}, and a share lies between 0 and 1.", *keys, "mean")
    return Control(family, mean, (mean * (1 - mean)) ** 0.5)


def _limit(d: Document, name: str, value: object) -> Limit:
    keys = ("outcomes", name, "limit")
    table = d.table(value, *keys)
    d.only(table, ("median", "sd"), *keys)
    d.need(table, ("median", "sd"), *keys)
    return Limit(*(_above(d, table[k], *keys, k) for k in ("median", "sd")))


def _empty(d: Document, table: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, float]]:
    d.only(table, ("factors", "where"), "empty")
    if not table:
        return (), {}
    d.need(table, ("factors", "where"), "empty")
    factors = table["factors"]
    if not isinstance(factors, list):
        raise d.fail("`factors` is no list of names.", "empty", "factors")
    named = tuple(d.text(v, "empty", "factors") for v in factors)
    return named, _numbers(d, table["where"], "empty", "where")


def _states(d: Document, name: str, value: object) -> dict[str, dict[str, float]]:
    keys = ("propositions", name)
    table = d.table(value, *keys)
    d.only(table, STATES, *keys)
    return {k: _numbers(d, v, *keys, k) for k, v in table.items()}
