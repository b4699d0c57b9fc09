"""A table of theme counts: sub-themes nested in themes, and how many references it leaves out.

Strict, as the codebook that it stands in: what nothing reads, or cannot be, is an error with its
line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bayesem import studies
from bayesem.arrays import Ints
from bayesem.documents import Document, read_document
from bayesem.errors import BayesemError, DataError, StudyError
from bayesem.grammar.expressions import RESERVED

__all__ = ["OTHER", "CountModel", "count_model", "has_counts"]

#: The sub-theme that stands for all references which a table leaves out.
OTHER = "other"
KEYS = ("themes", "texts", "total", "informants", "where", "note")
NAME = re.compile(r"[A-Za-z_]\w*")
LARGEST = 10**9

type Fail = Callable[..., BayesemError]


@dataclass(frozen=True, slots=True, eq=False)
class CountModel:
    """How often each sub-theme was coded, and how sub-themes nest in themes.

    Attributes
    ----------
    themes : mapping of str to mapping of str to int
        References by theme and sub-theme, in the order of the table.
    total : int
        All references that were coded; at least the sum of the table.
    informants : int or None
        Interviews that the references come from.
    texts : mapping of str to str
        What themes and sub-themes stand for.
    where, note : str
        Where the table is printed, and our remark.
    study : str or None
    path : Path or None
    sha256 : str
        Of the file; empty without one.
    """

    themes: Mapping[str, Mapping[str, int]]
    total: int
    informants: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    where: str = ""
    note: str = ""
    study: str | None = None
    path: Path | None = field(default=None, repr=False)
    sha256: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What propositions call it."""
        return "counts"

    @property
    def subthemes(self) -> tuple[str, ...]:
        """Sub-themes in the order of the table."""
        return tuple(name for leaves in self.themes.values() for name in leaves)

    @property
    def counts(self) -> Ints:
        """References by sub-theme, in that order."""
        return np.array([n for leaves in self.themes.values() for n in leaves.values()], np.int64)

    @property
    def listed(self) -> int:
        """References that the table shows."""
        return int(self.counts.sum())

    @property
    def left_out(self) -> int:
        """References that were coded and that the table does not show."""
        return self.total - self.listed


def has_counts(name: str) -> bool:
    """Whether a study carries a table of theme counts.

    Examples
    --------
    >>> has_counts("facilitated_alliance"), has_counts("alliance_mediation")
    (True, False)
    """
    path = studies.find(name).codebook_path
    return path is not None and "counts" in read_document(path, StudyError).data


def count_model(
    source: str | Path | Mapping[str, Mapping[str, int]],
    *,
    total: int | None = None,
    informants: int | None = None,
) -> CountModel:
    """Read a table of theme counts.

    Parameters
    ----------
    source : str, Path or mapping
        A study's name, a path to a ``.toml`` file with a table ``[counts]``, or references by theme
        and sub-theme.
    total, informants : int, optional
        All references coded, and interviews behind them; of a mapping alone, since a file says so
        itself.

    Raises
    ------
    StudyError
        At a file without such a table, or with one that says what cannot be; with its line.
    DataError
        At a mapping that does.

    Examples
    --------
    >>> table = count_model({"work": {"roles": 18, "coordination": 14}, "ties": {"trust": 12}})
    >>> table.subthemes, table.listed, table.left_out
    (('roles', 'coordination', 'trust'), 44, 0)
    """
    if isinstance(source, Mapping):
        given = {"themes": source, "total": total, "informants": informants}
        return _checked({k: v for k, v in given.items() if v is not None}, _plain_fail)
    if not isinstance(source, str | Path):
        raise DataError(
            f"theme counts are a {type(source).__name__}.",
            hint='Give a study\'s name, a path to a `.toml` file, or {"theme": {"sub": 3}}.',
        )
    if total is not None or informants is not None:
        raise DataError(
            "total and informants were given beside a file.", hint="Write them in its [counts]."
        )
    study, path = _file(source)
    document = read_document(path, StudyError)
    if "counts" not in document.data:
        raise StudyError(
            f"`{path}` has no theme counts.", hint="They stand in a table [counts.themes.NAME]."
        )
    table = document.table(document.data["counts"], "counts")
    found = _checked(table, _fail_in(document))
    more = {"study": study, "path": path, "sha256": document.sha256}
    return CountModel(found.themes, found.total, found.informants, found.texts, found.where,
                      found.note, **more)  # type: ignore[arg-type]  # fmt: skip


def _file(source: str | Path) -> tuple[str | None, Path]:
    if isinstance(source, Path) or source.endswith(".toml"):
        return Path(source).stem, Path(source)
    path = studies.find(source).codebook_path
    if path is None:
        raise StudyError(f"The study `{source}` has no codebook.", label=source)
    return source, path


def _fail_in(document: Document) -> Fail:
    def fail(message: str, *keys: str, hint: str = "") -> BayesemError:
        return document.fail(message, "counts", *keys, hint=hint)

    return fail


def _plain_fail(message: str, *keys: str, hint: str = "") -> BayesemError:
    return DataError(f"{'.'.join(keys)}: {message}" if keys else message, hint=hint)


def _checked(table: Mapping[str, Any], fail: Fail) -> CountModel:
    for key in table:
        if key not in KEYS:
            raise fail(f"Unknown key `{key}`.", key, hint=f"Known are {', '.join(KEYS)}.")
    themes = _themes(table.get("themes"), fail)
    texts = _texts(table.get("texts", {}), themes, fail)
    listed = sum(n for leaves in themes.values() for n in leaves.values())
    if not listed:
        raise fail("No sub-theme has a reference.", "themes", hint="Give what was counted.")
    total = _whole(table.get("total", listed), fail, "total", least=1)
    if total < listed:
        raise fail(
            f"`total` is {total}, and the sub-themes sum to {listed}.", "total",
            hint="It counts all references that were coded, those of the table included.",
        )  # fmt: skip
    informants = table.get("informants")
    if informants is not None:
        informants = _whole(informants, fail, "informants", least=1)
    where, note = (_text(table.get(key, ""), fail, key) for key in ("where", "note"))
    return CountModel(themes, total, informants, texts, where, note)


def _themes(given: Any, fail: Fail) -> dict[str, dict[str, int]]:
    if not isinstance(given, Mapping) or not given:
        raise fail("There are no themes.", "themes", hint="Write [counts.themes.NAME] tables.")
    found: dict[str, dict[str, int]] = {}
    for theme, leaves in given.items():
        _name(theme, fail, "themes", theme)
        if not isinstance(leaves, Mapping) or not leaves:
            hint = "A theme without any is its own sub-theme under another name."
            raise fail(f"The theme `{theme}` has no sub-themes.", "themes", str(theme), hint=hint)
        found[theme] = {}
        for name, value in leaves.items():
            _name(name, fail, "themes", theme, name)
            found[theme][name] = _whole(value, fail, "themes", theme, name)
    _check_distinct(found, fail)
    if sum(map(len, found.values())) < 2:
        raise fail("There is one sub-theme, so its share is 1.", "themes", hint="Give two or more.")
    return found


def _check_distinct(themes: Mapping[str, Mapping[str, int]], fail: Fail) -> None:
    """A claim names themes and sub-themes alike, so no two have one name."""
    seen = set(themes)
    for theme, leaves in themes.items():
        for name in leaves:
            if name in seen:
                hint = "Every theme and every sub-theme needs a name of its own."
                raise fail(f"`{name}` names two things.", "themes", theme, name, hint=hint)
            seen.add(name)


def _name(name: object, fail: Fail, *keys: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED or name == OTHER:
        why = "stands for what a table leaves out" if name == OTHER else "cannot stand in a claim"
        raise fail(f"`{name}` {why}.", *map(str, keys),
                   hint="A name has letters, digits and underscores.")  # fmt: skip


def _whole(value: object, fail: Fail, *keys: str, least: int = 0) -> int:
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not number or not least <= value <= LARGEST:  # type: ignore[operator]
        raise fail(f"`{keys[-1]}` is {value!r}, not a whole number of at least {least}.", *keys,
                   hint="Counts are given as they were counted; a design effect goes into the "
                   "fit.")  # fmt: skip
    return int(value)  # type: ignore[call-overload]


def _texts(given: Any, themes: Mapping[str, Mapping[str, int]], fail: Fail) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise fail("`texts` is no table.", "texts")
    known = {*themes, *(name for leaves in themes.values() for name in leaves)}
    for name, text in given.items():
        if name not in known:
            raise fail(f"`{name}` is neither a theme nor a sub-theme.", "texts", str(name))
        _text(text, fail, "texts", name)
    return dict(given)


def _text(value: object, fail: Fail, *keys: str) -> str:
    if not isinstance(value, str):
        raise fail(f"`{keys[-1]}` is no text.", *keys)
    return value
