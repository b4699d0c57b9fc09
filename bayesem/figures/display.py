"""A figure that shows itself in a notebook, at its size."""

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["shown_figure"]

#: Pixels by inch: of the picture, and of a browser's page.
SHARP, PAGE = 144, 96
COLOURS = 128


@cache
def shown_figure() -> "type[Figure]":
    """The kind of figure, made when the first one is drawn: Matplotlib is an extra."""
    from matplotlib.figure import Figure
    from PIL import Image

    class Sheet(Figure):
        """A Matplotlib figure with a picture for notebooks, for which none has to be set up."""

        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            drawn, small = BytesIO(), BytesIO()
            self.savefig(drawn, format="png", dpi=SHARP)
            # few colours make a notebook a third as large, and no difference to the eye
            image = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            image.save(small, format="png", optimize=True)
            width, height = (round(float(side) * PAGE) for side in self.get_size_inches())
            return small.getvalue(), {"width": width, "height": height}

    return Sheet
