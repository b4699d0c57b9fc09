"""Every exception and warning of the package.

An error says what is wrong, where in the user's own file, and what to do about it::

    `trsut` is neither a factor nor a column of the data.
      models/alliance.sem:6:32
        performance ~ b*commitment + c*trsut
                                       ^^^^^   Did you mean `trust`?
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice
from typing import Protocol

LONGEST_GUESS = 100  # names longer than this are never compared: the comparison is quadratic
MOST_GUESSES = 2000
LONGEST_MESSAGE = 320  # a cell, a name or a text of the user's may be a megabyte
LONGEST_HINT = 300


class Place(Protocol):
    """A stretch of some text: what an error needs in order to point at it."""

    @property
    def where(self) -> str:
        """``origin:line:column``."""

    def excerpt(self) -> str:
        """The source line and, under it, carets."""


class BayesemError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    span : Place, optional
        Where it is written.
    hint : str, optional
        What to do.
    label : str, optional
        The name at fault, for programs that want to react to it.
    """

    def __init__(
        self, message: str, *, span: Place | None = None, hint: str = "", label: str | None = None
    ) -> None:
        message = shortened(message, LONGEST_MESSAGE)
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = shortened(hint, LONGEST_HINT)
        self.label = label

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.message}\n  {self.hint}" if self.hint else self.message
        excerpt = self.span.excerpt().replace("\n", "\n    ")
        hint = f"   {self.hint}" if self.hint else ""
        return f"{self.message}\n  {self.span.where}\n    {excerpt}{hint}"


class GrammarError(BayesemError):
    """A model text that cannot be read."""


class ModelError(BayesemError):
    """A model that can be read and makes no sense."""


class DataError(BayesemError):
    """Data that do not fit the model or are not what they claim to be."""


class IdentificationError(BayesemError):
    """A model with parameters that no data can tell apart."""


class ConstraintError(BayesemError):
    """A constraint that cannot be met or is not understood."""


class PriorError(BayesemError):
    """A prior that cannot be read or does not suit its parameter."""


class NotAvailableError(BayesemError):
    """Something the package knows of and does not do (yet)."""


class StudyError(BayesemError):
    """A study, a codebook or a file of theirs that is missing or malformed."""


class PropositionError(BayesemError):
    """A proposition or its claim that cannot be read or evaluated."""


class SamplingError(BayesemError):
    """Sampling that could not start or did not end."""


class ConvergenceWarning(UserWarning):
    """The chains do not agree: no verdict rests on these draws."""


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Name the candidate nearest to a misspelt name.

    Returns
    -------
    str
        A question, or an empty string where nothing is near.

    Examples
    --------
    >>> did_you_mean("trsut", ["trust", "commitment"])
    'Did you mean `trust`?'
    >>> did_you_mean("b", ["trust"])
    ''
    """
    if len(name) > LONGEST_GUESS:
        return ""
    known = (c for c in candidates if len(c) <= LONGEST_GUESS and c != name)
    near = [(_likeness(name, c), c) for c in islice(known, MOST_GUESSES)]
    best = max(near, key=lambda pair: pair[0], default=(0.0, ""))
    return f"Did you mean `{best[1]}`?" if best[0] >= 0.6 else ""


def installing(extra: str) -> str:
    """How to get what an extra of the package brings.

    Examples
    --------
    >>> print(installing("zarr"))
    In a checkout: `python3 -m uv sync --extra zarr`; with pip: `pip install ".[zarr]"`.
    """
    return (
        f"In a checkout: `python3 -m uv sync --extra {extra}`; "
        f'with pip: `pip install ".[{extra}]"`.'
    )


def shortened(text: str, longest: int) -> str:
    """Leave the middle of a long text out: its ends say what is wrong."""
    if len(text) <= longest:
        return text
    half = longest // 2 - 3
    return f"{text[:half]} ... {text[-half:]}"


def _likeness(name: str, candidate: str) -> float:
    """Share of matching characters; letter case costs a little, so an exact case wins."""
    folded = SequenceMatcher(None, name.casefold(), candidate.casefold()).ratio()
    return folded - (0.01 if name[:1] != candidate[:1] else 0.0)
