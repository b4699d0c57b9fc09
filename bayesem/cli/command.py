"""What a command is, and what its exit code says."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BAD_INPUT", "DONE", "FAULT", "NOT_CONVERGED", "STOPPED", "UNREAD", "Command"]

DONE, NOT_CONVERGED, BAD_INPUT, FAULT, STOPPED, UNREAD = 0, 1, 2, 70, 130, 141


def _nothing(_: argparse.ArgumentParser) -> None:
    """A command without arguments."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes
    ----------
    name, brief : str
        As typed, and its line in `bayesem --help`.
    text : str
        The paragraph of its own help.
    examples : tuple of str
        Command lines without the program's name; tests parse each.
    do : callable
        Does it and returns the exit code; imports what it needs when called, so that help is fast.
    arguments : callable
        Adds its arguments to its parser.
    """

    name: str
    brief: str
    text: str
    examples: tuple[str, ...]
    do: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = _nothing
