"""The sheet that every figure stands on: size, type, marks for generated data and failed chains.

Widths are a journal's, 3.5 or 7 inches, so that text stands at 9 points where the figure is
printed at its size. Colours are Okabe and Ito's, which colour-blind readers tell apart, and no
colour alone carries a meaning.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from bayesem.errors import DataError, NotAvailableError, installing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["grid", "legend", "letters", "sheet", "stamp", "style", "target_of", "written"]

BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY, RED = "#666666", "#C00000"
NARROW, WIDE = 3.5, 7.0
LINE = 0.17  # inches from one line of text to the next
CHARACTER, BOLD = 0.07, 0.08  # inches of an average one at 9 points
TYPES = (".pdf", ".svg", ".png")
STYLE = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "xtick.labelsize": 9,
    "ytick.labelsize": 9, "legend.fontsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlelocation": "left", "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "lines.linewidth": 1.4,
    "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "bayesem", "legend.frameon": False,
    "axes.unicode_minus": True, "mathtext.default": "regular",
}  # fmt: skip


def grid(
    count: int, head: Sequence[str], fits: Sequence[Any], lines: int = 3
) -> "tuple[Figure, list[Axes]]":
    """A sheet with the headline and one axes by panel.

    ``lines`` of text stand above and below a panel; for more than three the sheet grows.
    """
    width, columns = _across(count)
    down = -(-count // columns)
    row = 1.95 + LINE * max(0, lines - 3)
    figure = sheet(width, (0.62 if count == 1 else 0.45) + row * down, head, fits)
    grid = figure.subplots(down, columns, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return figure, list(grid[:count])


def _across(count: int) -> tuple[float, int]:
    """Width of a sheet with so many panels, and how many stand beside each other."""
    return NARROW if count == 1 else WIDE, 1 if count == 1 else 2 if count in (2, 4) else 3


def letters(count: int) -> int:
    """How many characters stand beside each other over one of so many panels."""
    width, columns = _across(count)
    return int(width / columns / CHARACTER) - 2


def sheet(width: float, height: float, head: Sequence[str], fits: Sequence[Any]) -> "Figure":
    """An empty figure with text on top; generated data are marked in its corner."""
    from bayesem.figures.display import shown_figure

    synthetic = any(fit.data.synthetic for fit in fits)
    lines = _wrapped(head, width)
    below = int(synthetic and len(lines[0]) * BOLD + 1.3 > width)  # the mark's own line
    top = (len(lines) + below) * LINE + 0.06
    figure = shown_figure()((width, height + top), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, height / (height + top)), w_pad=0.06, h_pad=0.04, wspace=0.04)
    for k, line in enumerate(lines):
        y = 1 - (0.05 + LINE * (k + below)) / (height + top)
        figure.text(0.06 / width, y, line, va="top", weight="bold" if k == 0 else "normal",
                    parse_math=False)  # names are text  # fmt: skip
    if synthetic:
        figure.text(1 - 0.06 / width, 1 - 0.05 / (height + top), "SYNTHETIC DATA",
                    color=RED, weight="bold", ha="right", va="top")  # fmt: skip
    return figure


def _wrapped(head: Sequence[str], width: float) -> list[str]:
    """Lines that fit the width; the first of all is bold, and bold type is wider."""
    bold = wrap(head[0], int((width - 0.06) / BOLD)) if head else []
    texts = [" ".join(bold[1:]), *head[1:]]
    return [*bold[:1], *(line for text in texts for line in wrap(text, int(width / CHARACTER)))]


def legend(figure: "Figure", axes: "Sequence[Axes]") -> None:
    """One legend under all panels."""
    known: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        known |= {k: h for h, k in zip(handles, labels, strict=True) if k not in known}
    columns = 2 if figure.get_figwidth() == NARROW else 5
    drawn = figure.legend(
        handles=list(known.values()), labels=list(known), loc="outside lower left",
        ncols=columns, handlelength=1.6, columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    for text in drawn.get_texts():
        text.set_parse_math(False)


def stamp(figure: "Figure", fits: Sequence[Any]) -> None:
    """Say across the figure that its chains failed."""
    if all(fit.converged for fit in fits):
        return
    width = figure.get_figwidth()
    figure.text(0.5, 0.5, "NOT CONVERGED - no verdict", color=RED, alpha=0.75, weight="bold",
                size=4.2 * width, ha="center", va="center", rotation=20, zorder=10)  # fmt: skip


def style() -> Any:
    return _matplotlib().rc_context(STYLE)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise NotAvailableError(
            "figures need matplotlib, which is not installed.", hint=installing("figures")
        ) from None
    return matplotlib


def target_of(path: str | Path | None, *, interactive: bool = False) -> Path | None:
    """The path, refused before any work where it cannot be written or has no such form."""
    _matplotlib()
    if path is None:
        return None
    target = Path(path)
    types = (*TYPES, ".html") if interactive else TYPES
    if target.suffix == ".html" and not interactive:
        raise NotAvailableError(
            f"this figure has no interactive form, so {str(target)!r} cannot be written.",
            hint="`plot_propositions`, `plot_forest`, `plot_slopes`, `plot_surface` and "
            "`plot_ranks` have one. Use `.svg` for a web page, `.pdf` for a journal.",
        )
    if target.suffix not in types:
        raise DataError(
            f"{str(path)!r} ends in none of {', '.join(types)}.",
            hint="Use `.pdf` for a journal, `.png` for a screen.",
        )
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {str(target.parent)!r} to save in.", hint="Create it.")
    return target


def written(figure: "Figure", target: Path | None) -> "Figure":
    if target is not None:
        plain = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
        try:
            figure.savefig(target, dpi=200, metadata=plain.get(target.suffix))
        except OSError as error:
            raise DataError(f"{str(target)!r} cannot be written: {error}.") from None
    return figure
