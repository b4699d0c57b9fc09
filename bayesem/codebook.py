"""The codebook of a study: what its factors and indicators are, its variants, its printed numbers.

Strict: a key that nothing reads is an error, so that a typing mistake is never taken for silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bayesem.documents import Document, read_document
from bayesem.errors import StudyError, did_you_mean

FAMILIES = (
    "continuous", "ordinal", "bernoulli", "logit", "poisson", "negative_binomial", "lognormal",
    "weibull",
)  # fmt: skip
TIMES = ("lognormal", "weibull")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One observed variable.

    Attributes
    ----------
    text : str
        Its wording.
    factor : str or None
        The factor it measures; the answer scale applies to those that measure one.
    family : str
    censored : str or None
        Of a time: the column that says 1 where it is only known to be longer.
    """

    text: str
    factor: str | None = None
    family: str = "continuous"
    censored: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """What a variant changes.

    Attributes
    ----------
    fix : mapping of str to float
        Values for labels, or for terms written ``"EP ~ ECO"``.
    free : tuple of str
        Labels or terms whose fixed value is lifted.
    model : str or None
        Another ``.sem`` file of the study to start from, by its name.
    add : str
        Statements in the language of models, put after those of the text.
    """

    fix: Mapping[str, float]
    free: tuple[str, ...] = ()
    model: str | None = None
    add: str = ""


@dataclass(frozen=True, slots=True)
class Codebook:
    """A study's codebook.

    Attributes
    ----------
    title, source : str
        Of the study.
    n : int or None
        Cases.
    scale : (float, float) or None
        Lowest and highest possible answer.
    factors : mapping of str to str
        What each factor stands for.
    indicators : mapping of str to Indicator
    scaled : frozenset of str
        Those that measure a factor and so have the answer scale.
    variants : mapping of str to Variant
    printed, readings : dict
        As in the file; `bayesem.publications` reads them.
    counts : dict
        As in the file; `bayesem.counts` reads it.
    path : Path
    sha256 : str
        Of the file.
    """

    title: str
    source: str
    n: int | None
    scale: tuple[float, float] | None
    factors: Mapping[str, str]
    indicators: Mapping[str, Indicator]
    variants: Mapping[str, Variant]
    printed: dict[str, Any] = field(repr=False)
    readings: dict[str, Any] = field(repr=False)
    path: Path
    sha256: str
    counts: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def scaled(self) -> frozenset[str]:
        """Indicators that the answer scale applies to."""
        return frozenset(k for k, v in self.indicators.items() if v.factor is not None)


def read_codebook(path: str | Path) -> Codebook:
    """Read the codebook of a study.

    Raises
    ------
    StudyError
        At a file that is missing, is not TOML, or says what nothing reads; with its line.
    """
    path = Path(path)
    document = read_document(path, StudyError)
    data = document.data
    known = ("study", "factors", "indicators", "variants", "printed", "readings", "counts")
    _refuse_claims(document)
    document.only(data, known)
    document.need(data, ("study",))
    tables = {key: document.table(data.get(key, {}), key) for key in known}
    study = _study(document, tables["study"])
    factors = {k: document.text(v, "factors", k) for k, v in tables["factors"].items()}
    indicators = {k: _indicator(document, k, v, factors) for k, v in tables["indicators"].items()}
    variants = {k: _variant(document, k, v) for k, v in tables["variants"].items()}
    printed, readings = tables["printed"], tables["readings"]
    return Codebook(*study, factors, indicators, variants, printed, readings, path,
                    document.sha256, tables["counts"])  # fmt: skip


def _refuse_claims(document: Document) -> None:
    """Name the mistake where propositions lie where a model's codebook is looked for."""
    for key, value in document.data.items():
        if isinstance(value, dict) and "claim" in value:
            raise document.fail(
                f"`{key}` is a proposition, and this is the place of a codebook.",
                key,
                hint="The `.toml` of a model's own name is its codebook; call the file of "
                "propositions otherwise, `claims.toml` say.",
            )


def _study(
    document: Document, table: dict[str, Any]
) -> tuple[str, str, int | None, tuple[float, float] | None]:
    document.only(table, ("title", "source", "n", "scale"), "study")
    document.need(table, ("title",), "study")
    title = document.text(table["title"], "study", "title")
    source = document.text(table["source"], "study", "source") if "source" in table else ""
    n = table.get("n")
    if n is not None and (type(n) is not int or n < 1):
        raise document.fail("`n` is no number of cases.", "study", "n")
    return title, source, n, _scale(document, table.get("scale"))


def _scale(document: Document, value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise document.fail("`scale` is not `[lowest, highest]`.", "study", "scale")
    low, high = (document.number(end, "study", "scale") for end in value)
    if low >= high:
        raise document.fail("`scale` ends before it starts.", "study", "scale")
    return low, high


def _indicator(
    document: Document, name: str, value: object, factors: Mapping[str, str]
) -> Indicator:
    keys = ("indicators", name)
    table = document.table(value, *keys)
    document.only(table, ("text", "factor", "family", "censored"), *keys)
    document.need(table, ("text",), *keys)
    text = document.text(table["text"], *keys, "text")
    factor, family = table.get("factor"), table.get("family", "continuous")
    if factor is not None and factor not in factors:
        hint = did_you_mean(str(factor), factors)
        raise document.fail(f"`{factor}` is not among [factors].", *keys, "factor", hint=hint)
    if family not in FAMILIES:
        hint = did_you_mean(str(family), FAMILIES) or f"Known are {', '.join(FAMILIES)}."
        raise document.fail(f"There is no family `{family}`.", *keys, "family", hint=hint)
    censored = table.get("censored")
    if censored is not None:
        censored = document.text(censored, *keys, "censored")
        if family not in TIMES:
            hint = f"Only times are: {', '.join(TIMES)}."
            raise document.fail(
                f"`{name}` is {family}, not censored.", *keys, "censored", hint=hint
            )
    return Indicator(text, factor, family, censored)


def _variant(document: Document, name: str, value: object) -> Variant:
    keys = ("variants", name)
    table = document.table(value, *keys)
    document.only(table, ("fix", "free", "model", "add"), *keys)
    if not table:
        raise document.fail(f"The variant `{name}` changes nothing.", *keys)
    fix = document.table(table.get("fix", {}), *keys, "fix")
    values = {label: document.number(v, *keys, "fix", label) for label, v in fix.items()}
    free = table.get("free", [])
    if not isinstance(free, list):
        raise document.fail("`free` is no list of labels.", *keys, "free")
    lifted = tuple(document.text(label, *keys, "free") for label in free)
    model = document.text(table["model"], *keys, "model") if "model" in table else None
    add = document.text(table["add"], *keys, "add") if "add" in table else ""
    return Variant(values, lifted, model, add)
