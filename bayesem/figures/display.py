"""A figure that shows itself in a notebook, at its size."""

from io import BytesIO

from matplotlib.figure import Figure
from PIL import Image

__all__ = ["Sheet"]

#: Pixels by inch: of the picture, and of a browser's page.
SHARP, PAGE = 144, 96
COLOURS = 128


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
