"""What a report's cells show: results of public functions as blocks, refusals as quotations."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesem.data import Moments
from bayesem.errors import BayesemError, shortened
from bayesem.partable import twin_of
from bayesem.posterior import Fit
from bayesem.reporting.blocks import Block, Blocks, Listing, Picture, Quote, Text
from bayesem.reporting.writing import table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "INTERVAL",
    "answers",
    "blocks_of",
    "figure",
    "notes_of",
    "otherwise",
    "quoted",
    "said",
    "table",
]

#: Dots by inch of drawings: sharp on a page of 7 inches, and small enough for dozens of them.
DPI = 160
INTERVAL: Mapping[str, tuple[str, str]] = {"interval": ("lower", "upper")}


def quoted(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a function of the package returns, or the words with which it declines.

    Parameters
    ----------
    function : callable
    *arguments, **options
        Its arguments.

    Returns
    -------
    object
        Its result, or a `Quote`.
    """
    try:
        return function(*arguments, **options)
    except BayesemError as refusal:
        return Quote(f"sem.{function.__name__}", str(refusal))


def otherwise(found: Any, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """A result, or where that was refused what a second question gives."""
    return quoted(function, *arguments, **options) if isinstance(found, Quote) else found


def blocks_of(*items: Block | Blocks | None) -> Blocks:
    """Several blocks one below the other; what is None is left out."""
    flat: list[Block] = []
    for item in items:
        flat += item.items if isinstance(item, Blocks) else [] if item is None else [item]
    return Blocks(tuple(flat))


def table(
    found: pd.DataFrame | Quote,
    title: str,
    columns: Mapping[str, str],
    *,
    fit: Any = None,
    notes: Sequence[str] = (),
    intervals: Mapping[str, tuple[str, str]] = INTERVAL,
) -> Blocks:
    """A data frame as a table, marked where the chains behind it failed; or a refusal."""
    if isinstance(found, Quote):
        return Blocks((found,))
    made = table_of(
        found.reset_index(drop=True), title, columns, notes=notes, intervals=intervals,
        withheld=fit is not None and not fit.converged,
    )  # fmt: skip
    return Blocks((made,))


def notes_of(found: Any, fit: Any = None) -> Blocks:
    """The notes that a result carries, less those that the fit carries anyway."""
    known = set() if fit is None else set(fit.notes)
    if isinstance(found, pd.DataFrame):
        said = found.attrs.get("notes", ())
    else:
        said = () if isinstance(found, Quote) else getattr(found, "notes", ())
    left = tuple(dict.fromkeys(n for n in said if n not in known))
    return Blocks((Listing(left),) if left else ())


def figure(drawn: "Figure | Quote", title: str, alt: str) -> Blocks:
    """A drawing as PNG, with its description in words; or why there is none.

    matplotlib reads dollar signs in names as formulas, and fails where they are none.
    """
    if isinstance(drawn, Quote):
        return Blocks((drawn,))
    kept = io.BytesIO()
    try:
        drawn.savefig(kept, format="png", dpi=DPI, metadata={"Software": None})
    except ValueError as error:
        return Blocks(
            (Quote("matplotlib", f"{title} cannot be drawn: {shortened(str(error), 200)}"),)
        )
    width = float(drawn.get_size_inches()[0])
    png = base64.b64encode(kept.getvalue()).decode("ascii")
    return Blocks((Picture(png, alt, title, width),))


def answers(fit: Fit) -> pd.DataFrame | Moments:
    """The data of a fit as they were given: a row per case, or the moments."""
    if isinstance(fit.data, Moments):
        return fit.data
    frame = pd.DataFrame(fit.data.values, columns=list(fit.data.names), index=fit.data.index)
    outcomes = [(k, o) for k, o in enumerate(fit.table.outcomes) if fit.data.outcomes.size]
    frame = frame.drop(columns=[twin_of(o.name) for _, o in outcomes], errors="ignore")
    for k, outcome in outcomes:
        frame[outcome.name] = fit.data.outcomes[:, k]
        if outcome.family.censored is not None:
            frame[outcome.family.censored] = fit.data.censored[:, k].astype(float)
    frame.attrs["synthetic"] = fit.data.synthetic
    return frame


def said(text: str, kind: str = "") -> Blocks:
    """One paragraph."""
    return Blocks((Text(text, kind),))
