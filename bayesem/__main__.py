"""``python -m bayesem``: the command line."""

import sys

from bayesem.cli import main

if __name__ == "__main__":
    sys.exit(main())
