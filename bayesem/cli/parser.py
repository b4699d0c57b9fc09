"""The parser of all commands, and how it says what was mistyped."""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import NoReturn

import shtab

from bayesem.cli.command import BAD_INPUT, Command
from bayesem.cli.registry import COMMANDS
from bayesem.errors import did_you_mean

__all__ = ["parser"]

WIDTH = 79
_RAW = argparse.RawDescriptionHelpFormatter


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one message, with a guess at what was meant."""

    def error(self, message: str) -> NoReturn:
        guess = ""
        if "invalid choice: '" in message:
            given = message.split("invalid choice: '")[1].split("'")[0]
            guess = " " + did_you_mean(given, [c.name for c in COMMANDS])
            message = f"there is no command `{given}`"
        print(f"bayesem: {message}.{guess}\n  See `{self.prog} --help`.", file=sys.stderr)
        sys.exit(BAD_INPUT)


def parser() -> argparse.ArgumentParser:
    """The parser; what it returns has the command's function as ``do``."""
    whole = _Parser(
        prog="bayesem",
        description="Bayesian structural equation modelling: from survey theory to tested "
        "propositions.",
        epilog="Start with `bayesem studies`, then `bayesem run alliance_mediation`.\n"
        "Each command explains itself: `bayesem run --help`.\n"
        "Completion: `bayesem --print-completion bash`, to be kept where your shell looks.\n"
        "Exit codes: 0 done; 1 done, but a fit did not converge; 2 bad input; 130 stopped.",
        formatter_class=_RAW,
    )
    whole.add_argument("--version", action="version", version=f"bayesem {version('bayesem')}")
    shtab.add_argument_to(whole, "--print-completion", help="print a shell's completion script")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for command in COMMANDS:
        one = commands.add_parser(
            command.name, help=command.brief, description=_described(command), formatter_class=_RAW
        )
        command.arguments(one)
        _complete_files(one)
        one.set_defaults(do=command.do)
    return whole


def _complete_files(command: argparse.ArgumentParser) -> None:
    """Let the shell complete files where a file is wanted, and folders where a folder is."""
    for action in command._actions:
        if action.type is Path:
            folder = str(action.metavar).startswith("DIR")
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]


def _described(command: Command) -> str:
    """The paragraph, and the examples under it."""
    title = "Example" if len(command.examples) == 1 else "Examples"
    lines = [f"  bayesem {example}" for example in command.examples]
    return "\n".join([fill(command.text, WIDTH), "", f"{title}:", *lines])
