"""Names that a fit and its sampler share: the ways to integrate, and who is told of progress."""

from collections.abc import Callable

__all__ = ["FORMS", "Tell"]

#: Called with a stage, how much of it is done, and out of how much (0 where nobody knows).
type Tell = Callable[[str, int, int], None]

FORMS = ("auto", "quadrature", "cover", "scores")
