"""Arguments that several commands take."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "MODEL",
    "count",
    "output",
    "priors",
    "sampling",
    "sizes",
    "spread",
    "states",
]

MODEL = "a study, study:variant, a .sem file, or model text"


def count(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def _none_or_more(text: str) -> int:
    """A whole number of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def sizes(text: str) -> tuple[int, ...]:
    """Sample sizes, ``100,200,400``."""
    return tuple(count(part) for part in text.split(","))


def priors(texts: Sequence[str]) -> Any:
    """The value of ``--priors``."""
    from bayesem.studying import priors_from

    return priors_from(texts)


def output(command: argparse.ArgumentParser) -> None:
    """What is printed, and where."""
    add = command.add_argument
    add("--json", action="store_true", help="print JSON in place of tables")
    add("--quiet", action="store_true", help="no progress on stderr")


def states(command: argparse.ArgumentParser) -> None:
    """What synthetic answers make of propositions."""
    command.add_argument("--set", action="append", default=[], metavar="NAME=STATE",
        help="make a proposition true, false or reversed in the answers; repeatable")  # fmt: skip


def sampling(
    command: argparse.ArgumentParser,
    metric: str | None,
    *,
    draws: int = 1000,
    tune: int = 1000,
    cores: bool = True,
) -> None:
    """How to sample; ``metric`` None is the study's own."""
    add = command.add_argument
    add("--identify", choices=("marker", "unit"), default=metric,
        help="what gives a factor its scale (" + ("the study's" if metric is None else metric)
        + ")")  # fmt: skip
    add("--draws", type=count, default=draws, metavar="N", help=f"draws by chain ({draws})")
    add("--tune", type=count, default=tune, metavar="N", help=f"tuning draws by chain ({tune})")
    add("--chains", type=count, default=4, metavar="N", help="chains (4)")
    if cores:
        add("--cores", type=count, default=None, metavar="N", help="processors (all)")
    add("--seed", type=int, default=1, metavar="N", help="same seed, same numbers (1)")
    add("--priors", action="append", default=[], metavar="TEXT",
        help='"default", "blavaan", or KIND=PRIOR ("paths=normal(0, 1)"); repeatable')  # fmt: skip


def spread(command: argparse.ArgumentParser) -> None:
    """Where replicates are computed and kept."""
    add = command.add_argument
    add("--store", type=Path, metavar="DIR.zarr",
        help="keep replicates there; a run that was stopped goes on")  # fmt: skip
    add("--workers", type=_none_or_more, default=None, metavar="N",
        help="local processes (one per core); 0: this one")  # fmt: skip
    add("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:8786")
    output(command)
