"""The path diagram of a structural equation model."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bayesem.counts.fit import refuse_counts
from bayesem.diagrams.drawing import Look, draw, page_height, text_width
from bayesem.diagrams.page import Controls, content_of, page_of, reduced
from bayesem.diagrams.texts import Intervals
from bayesem.errors import DataError, ModelError, did_you_mean
from bayesem.figures.sheet import NARROW, WIDE, style, target_of, written
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table
from bayesem.simulation import families_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_path"]

type Scale = Literal["std.all", "raw"]


def plot_path(
    fit: Any,
    path: str | Path | None = None,
    *,
    scale: Scale = "std.all",
    prob: float = 0.95,
    indicators: bool = True,
    intervals: Intervals = "paths",
    residuals: bool = False,
    r2: bool = False,
    controls: Controls = "auto",
    names: Mapping[str, str] | None = None,
    width: float | None = None,
) -> "Figure":
    """Draw the path diagram of a fit, or the structure of a model.

    Factors are ellipses, observed variables boxes, covariances curves with two heads. A line is as
    wide as its standardised estimate is large; it is solid where the probability of its sign is .95
    or more, and dashed otherwise. A product of two variables is an arrow from the first onto the
    path of the second, which it moderates; a square, and a product without such a path, is a disc
    of its own. Observed predictors of more than three variables are listed beside each of them or
    in a table, and so are more than three covariances among the nodes of a layer; there, bold says
    what solid says. Chains that did not converge are stamped, and their lines look all alike.

    Left out are parameters fixed at 0, the moments of predictors that are conditioned on, and what
    `cross_loadings` and `method_factor` added to the model. Every variable stands on one level:
    there are no two-level models.

    Parameters
    ----------
    fit : Fit, Model, str or Path
        A fit, whose estimates are shown; or a model, as :func:`bayesem.read_model` takes it, whose
        labels and fixed values are.
    path : str or Path, optional
        Where to save: ``.pdf``, ``.svg`` or ``.png``.
    scale : {"std.all", "raw"}
        Of the numbers. The widths of lines are standardised in any case.
    prob : float
        Mass of the equal-tailed intervals.
    indicators : bool
        Whether observed variables that do nothing but measure are drawn.
    intervals : {"paths", "all", "none"}
        Which numbers have intervals: all but those of loadings and residuals, all, or none.
    residuals : bool
        Whether to draw the variances of what is explained.
    r2 : bool
        Whether to write the explained variance (posterior mean) below the name of a factor.
    controls : {"auto", "lists", "table", "arrows", "none"}
        How observed predictors of more than three variables are shown: listed beside each of these,
        in a table under the drawing (``"auto"``: from nine paths on), as boxes with arrows like all
        others, or not at all.
    names : mapping of str to str, optional
        What nodes are called on the page: ``{"RSC": "relational social capital"}``.
    width : {3.5, 7}, optional
        Of the page in inches; its height is what the model needs. Without it the page is as narrow
        as does. A model that does not fit a page of 7 by 10 inches is reduced to it, but not to
        less than three quarters of the usual type, beyond which the page grows.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    ModelError
        For a model that cannot be read, or a name in ``names`` that the model does not have.
    DataError
        For a path that cannot be written, an argument that is none of those above, a name that is
        not printable, or a width that the diagram does not fit.

    References
    ----------
    .. [1] Sugiyama, Tagawa & Toda (1981), *IEEE Transactions on Systems, Man and Cybernetics* 11,
       109-125.

    Examples
    --------
    >>> figure = plot_path("trust =~ tr1 + tr2 + tr3; sales ~ a*trust")
    >>> float(figure.get_figwidth())
    3.5
    """
    target = target_of(path)
    _check(scale, intervals, controls, prob, width)
    model, table, estimated = _read(fit)
    called = _called(names, model)
    content = content_of(
        model, table, estimated, standardized=scale == "std.all", prob=prob, indicators=indicators,
        intervals=intervals, residuals=residuals, r2=r2, controls=controls, names=called,
    )  # fmt: skip
    with style():
        page = page_of(content, text_width, width)
        page = reduced(page, content, text_width, page_height(page, estimated))
        figure = draw(page, Look(model.name, scale, prob), estimated)
        return written(figure, target)


def _check(scale: Any, intervals: Any, controls: Any, prob: Any, width: Any) -> None:
    known = (
        ("scale", scale, ("std.all", "raw")),
        ("intervals", intervals, ("paths", "all", "none")),
        ("controls", controls, ("auto", "lists", "table", "arrows", "none")),
        ("width", width, (None, NARROW, WIDE)),
    )
    for name, value, allowed in known:
        if value not in allowed:
            raise DataError(
                f"`{name}` is {value!r}.", hint=f"Use one of {', '.join(map(repr, allowed))}."
            )
    if not 0 < prob < 1:
        raise DataError(f"`prob` is {prob!r}.", hint="Give a mass between 0 and 1, such as 0.95.")


def _read(source: Any) -> tuple[Model, ParameterTable, Any]:
    """Model, table and fit; the last is None where there is none."""
    if isinstance(source, str | Path):
        source = read_model(source)
    if isinstance(source, Model):
        return source, parameter_table(source, families=families_of(source, None)), None
    refuse_counts(source, "`plot_shares` draws their shares.")
    if not isinstance(getattr(source, "table", None), ParameterTable):
        raise DataError(
            f"a path diagram is of a fit or a model, not of type `{type(source).__name__}`.",
            hint="Give what `fit` or `read_model` returns, or a model's text.",
        )
    return source.model, source.table, source


def _called(names: Mapping[str, str] | None, model: Model) -> dict[str, str]:
    for name, text in (names or {}).items():
        if not isinstance(text, str) or not text.isprintable() or not text.strip():
            raise DataError(
                f"`names` calls `{name}` {text!r}.", hint="Give it a printable text on one line."
            )
        if name not in model.variables:
            raise ModelError(
                f"`names` calls `{name}`, which is no variable of the model.",
                hint=did_you_mean(name, model.variables), label=name,
            )  # fmt: skip
    return dict(names or {})
