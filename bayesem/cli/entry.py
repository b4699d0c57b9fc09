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
from bayesem.errors import BayesemError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(argv)
    except BayesemError as error:
        print(f"bayesem: {error}", file=sys.stderr)
        return STOPPED if _is_stop(error) else BAD_INPUT
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


def _is_stop(error: BayesemError) -> bool:
    """Whether an error is somebody's Ctrl-C, which came too early for anything to be kept."""
    from bayesem.study_fits import is_stop

    return is_stop(error)


def _run(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    code = int(arguments.do(arguments))
    sys.stdout.flush()
    return code
