"""Seeds of random numbers: checked once, the same way, wherever one is given."""

import numpy as np

from bayesem.errors import DataError

__all__ = ["check_seed"]

LARGEST = 2**63


def check_seed(seed: object) -> None:
    """Refuse what is neither None nor a whole number from 0 to 2**63 - 1.

    Raises
    ------
    DataError

    Examples
    --------
    >>> check_seed(1)
    """
    if seed is None:
        return
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not (whole and 0 <= seed < LARGEST):  # type: ignore[operator]
        raise DataError(
            f"seed is {seed!r}.", hint="Use a whole number of at least 0, such as 1, or None."
        )
