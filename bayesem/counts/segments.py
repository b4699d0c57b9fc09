"""A code-by-segment table: which stretch of which interview, in which phase, got which codes.

Read as it stands or refused: a segment with two informants, a code that the table of themes does
not have, or one code twice on a segment is an error that names the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayesem.answers_file import SYNTHETIC, read_csv
from bayesem.arrays import Floats, Ints
from bayesem.counts.table import CountModel, count_model
from bayesem.errors import DataError, did_you_mean
from bayesem.seeds import check_seed

__all__ = ["Segments", "generate_segments", "read_segments"]

ABOUT: Final = ("segment", "informant", "phase")
CODE: Final = "code"


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Codes of segments.

    Attributes
    ----------
    model : CountModel
        The themes, with these segments' references as counts.
    table : DataFrame
        A row per reference: ``segment informant phase code``, as text.
    synthetic : bool
        Whether they were generated and not observed.
    """

    model: CountModel
    table: pd.DataFrame = field(repr=False)
    synthetic: bool = False

    @property
    def phases(self) -> tuple[str, ...]:
        """Phases, in the order in which they come first."""
        return tuple(dict.fromkeys(self.table["phase"]))

    @property
    def informants(self) -> tuple[str, ...]:
        """Informants, in the order in which they come first."""
        return tuple(dict.fromkeys(self.table["informant"]))

    def counts(self) -> Ints:
        """References by phase, informant and sub-theme."""
        known = {"phase": self.phases, "informant": self.informants, CODE: self.model.subthemes}
        found = np.zeros(tuple(map(len, known.values())), np.int64)
        at = (pd.Categorical(self.table[name], names).codes for name, names in known.items())
        np.add.at(found, tuple(at), 1)
        return found

    def indicators(self) -> pd.DataFrame:
        """Whether a segment (index: segment, informant) has a code (columns)."""
        wide = pd.crosstab([self.table["segment"], self.table["informant"]], self.table[CODE]) > 0
        return wide.reindex(columns=list(self.model.subthemes), fill_value=False)


def read_segments(
    source: str | Path | pd.DataFrame,
    model: CountModel | str | Path | Mapping[str, Mapping[str, int]],
) -> Segments:
    """Read a code-by-segment table.

    Parameters
    ----------
    source : str, Path or DataFrame
        A CSV file or its content, long (``segment informant phase code``, a row per code of a
        segment) or wide (``segment informant phase`` and a column of 0 and 1 by code). A column
        ``synthetic`` of ones, or ``attrs["synthetic"]``, marks generated rows.
    model : CountModel, or what :func:`bayesem.count_model` reads
        The themes. Its own counts are not used.

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        For a column or a cell that is missing, a code that no theme has, a segment that stands
        under two informants or phases, or a code that stands twice on a segment.

    Examples
    --------
    >>> rows = pd.DataFrame({"segment": ["s1", "s2"], "informant": ["a", "b"],
    ...     "phase": ["before", "conflict"], "code": ["x", "z"]})
    >>> read_segments(rows, {"u": {"x": 1, "y": 1}, "v": {"z": 1}}).model.counts.tolist()
    [1, 0, 1]
    """
    if not isinstance(model, CountModel):
        model = count_model(model)
    if isinstance(source, pd.DataFrame):
        data = source.copy()
        data.attrs = dict(source.attrs)
        if SYNTHETIC in data:
            data.attrs["synthetic"] = bool((data[SYNTHETIC] == 1).any())
            data = data.drop(columns=SYNTHETIC)
    elif isinstance(source, str | Path):
        data = read_csv(source)
    else:
        raise DataError(
            f"segments are a {type(source).__name__}.", hint="Give a CSV file or a DataFrame."
        )
    _need(data)
    table = _long(data, model) if CODE in data else _from_wide(data, model)
    _check(table, model)
    counts = table[CODE].value_counts()
    themes = {t: {k: int(counts.get(k, 0)) for k in leaves} for t, leaves in model.themes.items()}
    made = bool(data.attrs.get("synthetic", False))
    informants = table["informant"].nunique()
    known = CountModel(themes, len(table), informants, model.texts, study=model.study)
    return Segments(known, table.reset_index(drop=True), made)


def _need(data: pd.DataFrame) -> None:
    for name in ABOUT:
        if name not in data:
            hint = did_you_mean(name, map(str, data.columns)) or (
                "Columns: segment, informant, phase and code, or a column of 0 and 1 by code."
            )
            raise DataError(f"the segments have no column `{name}`.", hint=hint, label=name)
    if data.empty:
        raise DataError("there are no segments.", hint="Give one row per code of a segment.")


def _long(data: pd.DataFrame, model: CountModel) -> pd.DataFrame:
    extra = [c for c in data.columns if c not in (*ABOUT, CODE)]
    if extra:
        raise DataError(
            f"column `{extra[0]}` is none of segment, informant, phase and code.",
            hint="Drop it; a table with a column by code has no column `code`.",
        )
    return _text(data[[*ABOUT, CODE]])


def _from_wide(data: pd.DataFrame, model: CountModel) -> pd.DataFrame:
    codes = [c for c in data.columns if c not in ABOUT]
    for name in codes:
        if name not in model.subthemes:
            raise _unknown(str(name), model, f"column `{name}`")
        if not data[name].isin([0, 1]).all():
            raise DataError(f"column `{name}` holds something else than 0 and 1.",
                            hint="1 where the segment has the code.")  # fmt: skip
    _text(data[[*ABOUT]])
    long = data.melt(id_vars=list(ABOUT), value_vars=codes, var_name=CODE, value_name="has")
    if data["segment"].duplicated().any():
        twice = data["segment"][data["segment"].duplicated()].iloc[0]
        raise DataError(f"segment `{twice}` has two rows.", hint="One row per segment.")
    long = long[long["has"] == 1]
    if long.empty:
        raise DataError("no segment has a code.", hint="1 where a segment has a code.")
    return _text(long[[*ABOUT, CODE]])


def _text(table: pd.DataFrame) -> pd.DataFrame:
    for name in table.columns:
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        if empty.any():
            at = int(np.flatnonzero(empty.to_numpy())[0]) + 1
            raise DataError(f"row {at} of the segments has no `{name}`.", hint="Fill it in.")
    return table.astype(str).apply(lambda column: column.str.strip())


def _check(table: pd.DataFrame, model: CountModel) -> None:
    for k, name in enumerate(table[CODE]):
        if name not in model.subthemes:
            raise _unknown(name, model, f"row {k + 1} of the segments")
    for column in ("informant", "phase"):
        several = table.groupby("segment", sort=False)[column].nunique()
        if (several > 1).any():
            which = several.index[several > 1][0]
            found = ", ".join(table.loc[table["segment"] == which, column].unique()[:3])
            hint = f"A segment belongs to one {column}; name segments apart."
            raise DataError(f"segment `{which}` has more than one {column}: {found}.", hint=hint)
    twice = table.duplicated(["segment", CODE])
    if twice.any():
        row = table[twice].iloc[0]
        raise DataError(f"segment `{row['segment']}` has the code `{row[CODE]}` twice.",
                        hint="One reference is one row.")  # fmt: skip
    for phase in table["phase"].unique():
        if not phase.isidentifier():
            raise DataError(f"the phase `{phase}` cannot stand in a claim.",
                            hint="A phase has letters, digits and underscores.")  # fmt: skip


def _unknown(name: str, model: CountModel, where: str) -> DataError:
    hint = did_you_mean(name, model.subthemes) or f"There are {', '.join(model.subthemes)}."
    return DataError(f"{where}: `{name}` is no sub-theme.", hint=hint, label=name)


def generate_segments(
    model: CountModel | str | Path | Mapping[str, Mapping[str, int]],
    *,
    phases: Mapping[str, Mapping[str, float]] | Sequence[str] = ("before", "after"),
    informants: int = 7,
    segments: int = 5,
    intraclass: float = 0.1,
    seed: int | None = None,
) -> pd.DataFrame:
    """Synthetic segments, each with one code, whose informants differ as stated.

    Parameters
    ----------
    model : CountModel, or what :func:`bayesem.count_model` reads
        Its proportions are the shares where ``phases`` names none.
    phases : mapping of str to mapping of str to float, or sequence of str
        Phases, each with factors by which it multiplies shares: ``{"conflict": {"mediation": 3}}``.
    informants, segments : int
        How many informants, and how many segments by informant and phase.
    intraclass : float
        Correlation of two references of one informant in one phase; 0 for independent ones.
    seed : int, optional

    Returns
    -------
    DataFrame
        Long, with ``attrs["synthetic"]`` True and ``attrs["shares"]`` the true ones, by phase.
    """
    if not isinstance(model, CountModel):
        model = count_model(model)
    check_seed(seed)
    if not 0 <= intraclass < 1:
        raise DataError(f"intraclass is {intraclass!r}.", hint="A correlation from 0 to below 1.")
    rng = np.random.default_rng(seed)
    names = list(phases)
    factors = [phases[p] if isinstance(phases, Mapping) else {} for p in names]
    share = np.array([_multiplied(model, f) for f in factors])
    rows: list[dict[str, Any]] = []
    for i in range(informants):
        for phase, theta in zip(names, share, strict=True):
            own = theta if intraclass == 0 else rng.dirichlet((1 / intraclass - 1) * theta)
            codes = rng.choice(model.subthemes, segments, p=own)
            rows += [{"informant": f"i{i + 1}", "phase": phase, CODE: str(code)} for code in codes]
    table = pd.DataFrame(rows)
    table.insert(0, "segment", [f"s{k + 1}" for k in range(len(table))])
    true = {
        p: dict(zip(model.subthemes, s.tolist(), strict=True))
        for p, s in zip(names, share, strict=True)
    }
    table.attrs = {"synthetic": True, "shares": true}
    return table


def _multiplied(model: CountModel, factors: Mapping[str, float]) -> Floats:
    for name in factors:
        if name not in model.subthemes:
            raise _unknown(name, model, "phases")
    weights = model.counts * np.array([factors.get(name, 1.0) for name in model.subthemes])
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise DataError("a factor of a share is negative, or all shares are 0.",
                        hint="Factors are at least 0.")  # fmt: skip
    return np.asarray(weights / weights.sum())
