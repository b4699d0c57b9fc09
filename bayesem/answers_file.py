"""Survey answers from a CSV file: read as they stand, or refused with advice; never repaired."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bayesem.errors import DataError

__all__ = ["SYNTHETIC", "read_csv"]

#: The column that tells generated rows from observed ones.
SYNTHETIC = "synthetic"
#: Endings of files that are no text, and what they are.
OTHERS = {
    ".docx": "a Word document", ".xlsx": "a spreadsheet", ".xls": "a spreadsheet",
    ".ods": "a spreadsheet", ".sav": "an SPSS file", ".dta": "a Stata file", ".pdf": "a PDF",
    ".nc": "a kept fit", ".sem": "a model", ".toml": "a file of propositions or a codebook",
}  # fmt: skip
EXPORT = "Save the answers as CSV: names in the first row, a row per case, commas between cells."
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+\s*")


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read answers: commas between cells, points in decimals, names in the first row, UTF-8.

    An empty cell, ``NA``, ``NaN`` or ``null`` is a missing answer. A column ``synthetic`` of ones
    marks generated rows; it becomes ``attrs["synthetic"]``.

    Raises
    ------
    DataError
        For a file that is missing, empty, not text, ragged, or written with semicolons, tabs or
        decimal commas; with the line.
    """
    path = Path(path)
    what = OTHERS.get(path.suffix.lower())
    if what is not None and path.is_file():
        raise DataError(f"`{path}` is {what}, not a CSV of answers.", hint=EXPORT)
    text = _text(path)
    rows = _rows(text, path)
    _check_header(rows[0][1], path)
    if len(rows) == 1:
        raise DataError(
            f"`{path}` has a row of names and no answers.", hint="Add one row per case."
        )
    _check_cells(rows, path)
    data = pd.read_csv(io.StringIO(text), index_col=False)
    if SYNTHETIC in data.columns:
        data.attrs["synthetic"] = bool((data[SYNTHETIC] == 1).any())
        data = data.drop(columns=SYNTHETIC)
    return data


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"There is no file `{path}`.",
            hint=f"Check the name; a relative one starts in `{Path.cwd()}`.",
        ) from None
    except IsADirectoryError:
        raise DataError(f"`{path}` is a folder.", hint="Name the CSV file in it.") from None
    except (OSError, ValueError) as trouble:
        raise DataError(f"`{path}` cannot be read: {trouble}.") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _foreign(path) from None
    if "\0" in text:
        raise _foreign(path)
    if not text.strip():
        raise DataError(f"`{path}` is empty.")
    return text


def _foreign(path: Path) -> DataError:
    return DataError(
        f"`{path}` is not text in UTF-8.",
        hint='In a spreadsheet, choose "Save as" and "CSV UTF-8 (comma delimited)".',
    )


def _rows(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Every row that is not blank, with its line."""
    reader = csv.reader(io.StringIO(text))
    try:
        return [(reader.line_num, row) for row in reader if row]
    except csv.Error as trouble:
        raise DataError(f"`{path}`, line {reader.line_num}: {trouble}.") from None


def _check_header(names: Sequence[str], path: Path) -> None:
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if any(mark in name for name in names):
            raise DataError(
                f"`{path}` has {word} between its cells.",
                hint="Save it with commas between cells and points in decimals, or convert it: "
                f"`pandas.read_csv(path, sep={mark!r}, decimal=',').to_csv(new, index=False)`.",
            )
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise DataError(
            f"`{path}`: column `{doubled[0]}` stands {names.count(doubled[0])} times.",
            hint="Column names must differ; drop or rename the others.",
        )
    if all(re.fullmatch(r"\s*[-+.\d]+\s*", name) for name in names):
        raise DataError(
            f"`{path}` has numbers in its first row, where the names of the columns belong.",
            hint="`bayesem template STUDY` writes a file with the names.",
        )


def _check_cells(rows: Sequence[tuple[int, list[str]]], path: Path) -> None:
    names = rows[0][1]
    for line, cells in rows[1:]:
        if len(cells) != len(names):
            raise DataError(
                f"`{path}`, line {line}: {len(cells)} cells under {len(names)} names.",
                hint="If decimals are written with commas, write points; else complete the row.",
            )
        for name, cell in zip(names, cells, strict=True):
            if DECIMAL_COMMA.fullmatch(cell):
                raise DataError(
                    f"`{path}`, line {line}: column `{name}` holds {cell!r}, a decimal comma.",
                    hint="Write points in decimals; nothing is converted silently.",
                )
