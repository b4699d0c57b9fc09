"""A figure that shows itself in a notebook, at its size."""

from io import BytesIO

from matplotlib.figure import Figure

__all__ = ["Sheet"]

#: Pixels by inch: of the picture, and of a browser's page.
SHARP, PAGE = 144, 96


class Sheet(Figure):
    """A Matplotlib figure with a picture for notebooks, for which none has to be set up."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=SHARP, metadata={"Software": None})
        width, height = (round(float(side) * PAGE) for side in self.get_size_inches())
        return stream.getvalue(), {"width": width, "height": height}
