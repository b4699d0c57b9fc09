"""What a campaign has done so far, on disk: a Zarr group that a later run goes on with.

One row of numbers per replicate, one flag, and a record of what the campaign is. A row is written
before its flag, each in one piece, so that a run which is killed leaves whole rows only.
"""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from bayesem.arrays import Floats, Ints
from bayesem.errors import DataError, NotAvailableError, installing

__all__ = ["DONE", "FAILED", "OPEN", "Keeper", "Memory", "ZarrStore", "stored_seed", "versions"]

OPEN, DONE, FAILED = 0, 1, 2
#: Raised whenever a reader of the present version could misread the store.
FORMAT: Final = 1
#: What the numbers may depend on to the last bit.
PACKAGES: Final = ("bayesem", "numpy", "scipy", "numba", "nutpie")

type Shapes = Mapping[str, tuple[int, ...]]


class Keeper(Protocol):
    """What the engine writes to."""

    state: Ints
    rows: Floats
    errors: dict[int, str]

    def done(self, number: int, row: Floats) -> None:
        """Keep the numbers of a replicate."""

    def failed(self, number: int, text: str) -> None:
        """Keep why a replicate has none."""


class Memory:
    """Keeps nothing beyond the process.

    Attributes
    ----------
    state : (replicate,) array
        ``OPEN``, ``DONE`` or ``FAILED``.
    rows : (replicate, number) array
        Missing where not done.
    errors : dict of int to str
    """

    def __init__(self, replicates: int, width: int) -> None:
        self.state: Ints = np.full(replicates, OPEN, np.int64)
        self.rows: Floats = np.full((replicates, width), np.nan)
        self.errors: dict[int, str] = {}

    def done(self, number: int, row: Floats) -> None:
        """Keep the numbers of a replicate."""
        self.rows[number] = row
        self.state[number] = DONE

    def failed(self, number: int, text: str) -> None:
        """Keep why a replicate has none."""
        self.errors[number] = text
        self.state[number] = FAILED


class ZarrStore(Memory):
    """A store on disk, created or gone on with.

    Parameters
    ----------
    path : Path
        A folder, ``.zarr`` by habit.
    replicates : int
        Fewer or more than are there: the store grows, and never shrinks.
    record : mapping
        ``about``, ``seed`` and ``shapes`` of the campaign.
    seeds : (replicate, 4) array
        What each replicate's random numbers start from.

    Raises
    ------
    DataError
        If the folder holds something else, or the store of another campaign.
    NotAvailableError
        If Zarr is not installed.
    """

    def __init__(
        self, path: Path, replicates: int, width: int, record: Mapping[str, Any], seeds: Ints
    ) -> None:
        super().__init__(replicates, width)
        self._group = _opened(path, replicates, width, record)
        size = self._group["state"].shape[0]
        if size < replicates:
            for name, array in self._group.arrays():
                array.resize((replicates, *self._group[name].shape[1:]))
        self._group["seeds"][:replicates] = seeds
        self.state = np.asarray(self._group["state"][:replicates], np.int64)
        self._errors: dict[str, str] = dict(self._group.attrs["errors"])
        self.errors = {int(k): v for k, v in self._errors.items() if int(k) < replicates}
        for number in np.flatnonzero(self.state == DONE):
            self.rows[number] = self._group["values"][number]

    def done(self, number: int, row: Floats) -> None:
        """Keep the numbers of a replicate: the row first, then the flag."""
        super().done(number, row)
        self._group["values"][number] = row
        self._group["state"][number] = DONE

    def failed(self, number: int, text: str) -> None:
        """Keep why a replicate has none."""
        super().failed(number, text)
        self._errors[str(number)] = text
        self._group.attrs["errors"] = self._errors
        self._group["state"][number] = FAILED


def versions() -> dict[str, str]:
    """Versions of everything that the numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def stored_seed(path: str | Path | None) -> int | None:
    """The seed of the campaign whose store lies there, if one does."""
    if path is None or not (Path(path) / "zarr.json").exists():
        return None
    found = json.loads((Path(path) / "zarr.json").read_text()).get("attributes", {}).get("seed")
    return int(found) if isinstance(found, int) else None


def _zarr() -> Any:
    try:
        import zarr
    except ImportError:
        raise NotAvailableError(
            "a store needs Zarr, which is not installed.",
            hint=f"{installing('campaigns')} Or leave `store` out.",
        ) from None
    return zarr


def _opened(path: Path, replicates: int, width: int, record: Mapping[str, Any]) -> Any:
    zarr = _zarr()
    record = json.loads(json.dumps({"format": FORMAT, "versions": versions(), **record}))
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return _created(zarr, path, replicates, width, record)
    if not (path / "zarr.json").exists():
        raise DataError(
            f"{str(path)!r} is there and is no store of a campaign.", hint="Give another path."
        )
    group = zarr.open_group(path, mode="r+")
    _check_same(path, dict(group.attrs), record)
    return group


def _created(zarr: Any, path: Path, replicates: int, width: int, record: Mapping[str, Any]) -> Any:
    if not path.parent.is_dir():
        raise DataError(
            f"there is no folder {str(path.parent)!r} to keep it in.", hint="Create it."
        )
    # complete before it is called a store: the record comes last
    group = zarr.open_group(path, mode="w")
    group.create_array("values", shape=(replicates, width), chunks=(1, max(width, 1)),
                       dtype="float64", fill_value=np.nan)  # fmt: skip
    group.create_array("state", shape=(replicates,), chunks=(4096,), dtype="int8", fill_value=OPEN)
    group.create_array("seeds", shape=(replicates, 4), chunks=(4096, 4), dtype="uint32",
                       fill_value=0)  # fmt: skip
    group.attrs.update({"errors": {}, **record})
    return group


def _check_same(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    if there.get("format") != FORMAT or "about" not in there:
        raise DataError(
            f"{str(path)!r} is no store of a campaign that this version can read.",
            hint="Give another path.",
        )
    for part in ("about", "versions"):
        for name in dict.fromkeys([*there[part], *here[part]]):
            theirs, ours = there[part].get(name), here[part].get(name)
            if theirs != ours:
                raise _other(path, name if part == "about" else f"version of {name}", theirs, ours)
    for name in ("seed", "shapes"):
        if there[name] != here[name]:
            raise _other(path, name, there[name], here[name])


def _other(path: Path, name: str, theirs: object, ours: object) -> DataError:
    return DataError(
        f"{str(path)!r} is the store of another campaign: `{name}` is {_short(theirs)} there and "
        f"{_short(ours)} here.",
        hint="Give another path, or the arguments that it was begun with.",
    )


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"
