"""An interactive figure as one HTML file, marked as its printed twin is."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from bayesem.errors import DataError, NotAvailableError, installing
from bayesem.figures.sheet import BLUE, ORANGE, RED

__all__ = ["DIVERGING", "WIDTH", "clear", "tuned", "write_page"]

WIDTH = 900
DIVERGING = [[0, BLUE], [0.5, "white"], [1, ORANGE]]
FONT = {"family": "Arial, Helvetica, sans-serif", "size": 13}


def write_page(
    target: Path | None, head: Sequence[str], fits: Sequence[Any], draw: Callable[[Any], Any]
) -> Path | None:
    """Write the file where an HTML one is asked for; what else is to be written is returned.

    Parameters
    ----------
    target : Path or None
    head : sequence of str
        Headline and further lines.
    fits : sequence of Fit
        For the marks of generated data and failed chains.
    draw : callable
        Of plotly's ``graph_objects``, to a figure.

    Raises
    ------
    NotAvailableError
        If plotly is not installed.
    DataError
        If the file cannot be written.
    """
    if target is None or target.suffix != ".html":
        return target
    figure = draw(_plotly())
    tuned(figure, title={"text": _title(head, fits), "x": 0.02, "xanchor": "left", "yref":
                         "container", "y": 1, "yanchor": "top", "pad": {"t": 16}})  # fmt: skip
    if not all(fit.converged for fit in fits):
        figure.add_annotation(text="NOT CONVERGED - no verdict", x=0.5, y=0.5, xref="paper",
                              yref="paper", showarrow=False, textangle=-20, opacity=0.75,
                              font={"color": RED, "size": 40})  # fmt: skip
    page = figure.to_html(include_plotlyjs=True, full_html=True)
    named = page.replace("<head>", f"<head><title>{escape(head[0])}</title>", 1)
    try:
        target.write_text(named, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{str(target)!r} cannot be written: {error}.") from None
    return None


def tuned(figure: Any, **layout: Any) -> Any:
    """The figure with the look that all share, and with what is its own."""
    figure.update_layout(
        **{"template": "plotly_white", "width": WIDTH, "font": FONT, "hovermode": "closest",
           "margin": {"l": 10, "t": 100}} | layout
    )  # fmt: skip
    return figure


def clear(colour: str, share: float) -> str:
    """A colour that lets some of what is behind it through.

    Examples
    --------
    >>> clear("#0072B2", 0.3)
    'rgba(0,114,178,0.3)'
    """
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def _plotly() -> Any:
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise NotAvailableError(
            "interactive figures need plotly, which is not installed.",
            hint=f"{installing('interactive')} Or write `.pdf`, `.svg` or `.png`.",
        ) from None
    return go


def _title(head: Sequence[str], fits: Sequence[Any]) -> str:
    first, *more = (escape(line) for line in head)
    text = f"<b>{first}</b>" + (f"<br><sup>{'<br>'.join(more)}</sup>" if more else "")
    marks = {"SYNTHETIC DATA": any(fit.data.synthetic for fit in fits),
             "NOT CONVERGED - no verdict": not all(fit.converged for fit in fits)}  # fmt: skip
    said = ", ".join(mark for mark, holds in marks.items() if holds)
    return f'<span style="color:{RED}"><b>{said}</b></span><br>{text}' if said else text
