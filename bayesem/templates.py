"""Empty files for a study's survey: the columns to fill, and what each of them asks."""

from pathlib import Path

import pandas as pd

from bayesem.errors import StudyError
from bayesem.model import Model, read_model
from bayesem.simulation import families_of

__all__ = ["codebook_table", "columns_of", "write_template"]


def write_template(name: str, folder: str | Path = ".", *, force: bool = False) -> tuple[Path, ...]:
    """Write ``<study>.csv``, a row of column names, and ``<study>_codebook.csv``, their wording.

    Parameters
    ----------
    name : str
        A study, or a variant of one.
    folder : str or Path
        Made if it does not exist.
    force : bool
        Write over files that exist.

    Returns
    -------
    (Path, Path)
        The files written.

    Raises
    ------
    StudyError
        If a file exists and ``force`` was not given, or the folder cannot be written to.
    """
    book = codebook_table(read_model(name))
    stem = name.replace(":", "_")
    paths = (Path(folder) / f"{stem}.csv", Path(folder) / f"{stem}_codebook.csv")
    for path in paths:
        if path.exists() and not force:
            hint = "Add --force to write over it, or name another folder with --out."
            raise StudyError(f"`{path}` exists already.", hint=hint)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns=book["column"]).to_csv(paths[0], index=False)
        book.to_csv(paths[1], index=False)
    except OSError as trouble:
        raise StudyError(f"`{folder}` cannot be written to: {trouble}.") from None
    return paths


def codebook_table(model: Model) -> pd.DataFrame:
    """What each column of a survey asks: ``column wording factor meaning lowest highest family``.

    Examples
    --------
    >>> list(codebook_table(read_model("alliance_mediation"))["column"])[:2]
    ['rsc1', 'rsc2']
    """
    if model.codebook is None:
        raise StudyError(f"`{model.name or 'the model'}` has no codebook.")
    return pd.DataFrame([_row(model, name) for name in columns_of(model)])


def columns_of(model: Model) -> tuple[str, ...]:
    """Columns that a survey fills in: the model's, and what says that a time is censored.

    Examples
    --------
    >>> columns_of(read_model("export_strategy:time"))[-2:]
    ('years', 'still_waiting')
    """
    flags = (f.censored for f in families_of(model, None).values() if f.censored is not None)
    return tuple(dict.fromkeys([*model.observed, *flags]))


def _row(model: Model, name: str) -> dict[str, object]:
    book = model.codebook
    assert book is not None
    item = book.indicators.get(name)
    if item is None:
        return {"column": name}
    low, high = book.scale if book.scale and name in book.scaled else (None, None)
    return {
        "column": name,
        "wording": item.text,
        "factor": item.factor,
        "meaning": book.factors.get(item.factor or ""),
        "lowest": low,
        "highest": high,
        "family": item.family,
    }
