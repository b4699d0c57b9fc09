"""The command line: reads arguments, calls the package, prints. No logic of its own.

A command is one `Command` in a module of its own or of its family, and one line in `registry`.
"""

from bayesem.cli.entry import main

__all__ = ["main"]
