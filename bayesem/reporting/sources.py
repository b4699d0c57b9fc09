"""What the source of a proposition concludes, beside what is concluded here."""

import re

from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED

__all__ = ["DIFFERS", "said_by_source"]

DIFFERS = "DIFFERS: "

FOR = frozenset({"accepted", "supported", "confirmed", "claimed", "concluded", "significant"})
AGAINST = frozenset({"rejected", "refuted", "unsupported", "insignificant", "not"})


def said_by_source(paper: str, verdict: str) -> str:
    r"""The source's own words, and a line where the verdict is another.

    Only the first word is read: accepted, claimed and the like, or rejected, not and the like. What
    begins otherwise is quoted and not compared.

    Examples
    --------
    >>> said_by_source("accepted, Sobel 4.63", "supported")
    'accepted, Sobel 4.63'
    >>> said_by_source("rejected, p = .051", "supported")
    'rejected, p = .051\nDIFFERS: supported here'
    """
    first = next(iter(re.findall(r"[a-z]+", paper.lower())), "")
    other = (first in FOR and verdict in (REFUTED, NULL, UNDECIDED)) or (
        first in AGAINST and verdict == SUPPORTED
    )
    return f"{paper}\n{DIFFERS}{verdict} here" if other else paper
