"""Run one command; whatever happens becomes one message and an exit code.

Exit codes: 0 done; 1 done, but a fit did not converge; 2 bad input; 70 a fault of the package;
130 stopped with Ctrl-C (what was done until then is printed);
141 the output was not read to its end.
"""

import os
import sys
import traceback
from collections.abc import Sequence

from bayesem.cli.command import BAD_INPUT, FAULT, STOPPED, UNREAD
from bayesem.cli.parser import parser
from bayesem.cli.registry import PLANNED
from bayesem.errors import BayesemError, NotAvailableError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(argv)
    except BayesemError as error:
        print(f"bayesem: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nbayesem: stopped before there was anything to show.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except OSError as error:
        print(f"bayesem: {error}", file=sys.stderr)
        return BAD_INPUT
    except Exception:
        traceback.print_exc()
        print("bayesem: this is a fault of bayesem, not of your input.", file=sys.stderr)
        return FAULT


def _run(argv: Sequence[str]) -> int:
    if argv and argv[0] in PLANNED and not {"-h", "--help"} & set(argv[1:]):
        raise NotAvailableError(f"`bayesem {argv[0]}` is not available yet: it {PLANNED[argv[0]]}.")
    arguments = parser().parse_args(argv)
    code = int(arguments.do(arguments))
    sys.stdout.flush()
    return code
