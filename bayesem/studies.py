"""The studies that the package carries: where their files are."""

import re
from dataclasses import dataclass
from pathlib import Path

from bayesem.errors import StudyError, did_you_mean

# an installed package, then a checkout
ROOTS = (Path(__file__).parent / "_studies", Path(__file__).parents[1])

#: How the name of a study's declared population ends.
TRUTH = ".truth.toml"


@dataclass(frozen=True, slots=True)
class Study:
    """The files of one study; those it does not have are None."""

    name: str
    model_path: Path
    codebook_path: Path | None
    propositions_path: Path | None
    truth_path: Path | None = None


def names() -> tuple[str, ...]:
    """Name every model that ships, sorted.

    Examples
    --------
    >>> "alliance_mediation" in names()
    True
    """
    return tuple(sorted(path.stem for path in (_root() / "models").glob("*.sem")))


def own() -> tuple[str, ...]:
    """Name every study: the models that propositions are about, and not the further models of each.

    Examples
    --------
    >>> "alliance_mediation" in own(), "alliance_contingent" in own()
    (True, False)
    """
    root = _root()
    return tuple(n for n in names() if (root / "propositions" / f"{n}.toml").is_file())


def codebook_alone(name: str) -> Path | None:
    """The codebook of a paper that ships without a model, or None.

    Examples
    --------
    >>> codebook_alone("alliance_mediation") is None
    True
    """
    if not re.fullmatch(r"\w+", name) or name in names():
        return None
    return _existing(_root() / "models" / f"{name}.toml")


def find(name: str) -> Study:
    """Find the files of a study, or of a further model of one, by name.

    A model without a codebook beside it takes the codebook of the study that lists it as a
    variant (``[variants.x] model = "name"``), or of the study whose name begins its own; and with
    the codebook the declared truth beside that.

    Raises
    ------
    StudyError
        If no study has the name.

    Examples
    --------
    >>> find("alliance_mediation").model_path.name
    'alliance_mediation.sem'
    """
    root, known = _root(), names()
    if name not in known:
        hint = did_you_mean(name, known) or f"There are {', '.join(f'`{n}`' for n in own())}."
        raise StudyError(f"There is no study `{name}`.", hint=hint, label=name)
    book = _codebook(root / "models", name)
    return Study(
        name,
        root / "models" / f"{name}.sem",
        book,
        _existing(root / "propositions" / f"{name}.toml"),
        None if book is None else _existing(book.with_name(f"{book.stem}{TRUTH}")),
    )


def _root() -> Path:
    return next((root for root in ROOTS if (root / "models").is_dir()), ROOTS[-1])


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _codebook(folder: Path, name: str) -> Path | None:
    own = _existing(folder / f"{name}.toml")
    return own or _listing(folder, name) or _family(folder, name)


def _books(folder: Path) -> list[Path]:
    return sorted(book for book in folder.glob("*.toml") if not book.name.endswith(TRUTH))


def _listing(folder: Path, name: str) -> Path | None:
    listed = re.compile(rf"^\s*model\s*=\s*[\"']{re.escape(name)}[\"']", re.M)
    return next((book for book in _books(folder) if listed.search(book.read_text("utf-8"))), None)


def _family(folder: Path, name: str) -> Path | None:
    books = (book for book in _books(folder) if name.startswith(f"{book.stem}_"))
    return max(books, key=lambda book: len(book.stem), default=None)
