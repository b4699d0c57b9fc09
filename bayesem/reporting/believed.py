"""What was believed before the data: priors, and what they imply."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bayesem.posterior import Fit
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text
from bayesem.reporting.describing import scale_of
from bayesem.reporting.writing import arrows, fixed, interval, whole
from bayesem.rounding import believed_text

__all__ = ["implied_by_priors", "priors", "spanned"]

#: How a note begins that advises to compare implied means with the sample's.
NO_SCALE = "There is no codebook with an answer scale"
NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?")
WORDS = {
    "loading": "loadings", "path": "paths", "interaction": "interactions",
    "intercept": "intercepts", "factor_mean": "factor means", "residual_sd": "residual sds",
    "factor_sd": "factor sds", "correlation": "correlations", "threshold": "thresholds",
}  # fmt: skip


def priors(fit: Fit) -> Blocks:
    """Which prior each kind of parameter has; parameters with one of their own by name."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    sampled = {p.name for p in fit.spec.parameters}  # of a marker the loading, not the sd
    for row in fit.table.rows:
        text = fit.settings.prior_text.get(row.name) or _of_block(fit, row)
        if row.name in sampled and text:
            kind = WORDS.get(row.kind, row.kind)
            found.setdefault((kind, NUMBERS.sub("#", text)), []).append((row.name, text))
    rows = tuple(
        (kind, spanned([text for _, text in mine]), whole(len(mine)), _some([n for n, _ in mine]))
        for (kind, _), mine in found.items()
    )
    given = "given by the user" if fit.settings.priors_argument else "the package's defaults"
    heads = ("Of", "Prior", "How many", "Which")
    notes = tuple(_of_priors(fit, rows))
    return Blocks((
        Text(f"Priors: {fit.settings.priors}, {given}."),
        Table("The priors", heads, rows, (False, False, True, False), notes),
    ))  # fmt: skip


def _of_block(fit: Fit, row: Any) -> str:
    """The prior of a correlation that has none of its own but belongs to a block."""
    names = [p.name for p in fit.spec.parameters]
    for block in fit.spec.blocks:
        if row.name in (names[k] for k, *_ in block.members):
            return f"LKJ({block.eta:g}) on {len(block.nodes)} variables"
    return ""


def _of_priors(fit: Fit, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    said = " ".join(prior for _, prior, *_ in rows)
    yield (
        "Priors are put where factors that nothing predicts have variance 1, predicted ones a "
        "residual variance of 1, and indicators their own units."
    )
    if fit.settings.identify == "marker":
        yield (
            "Parameters are sampled there and then put on the scale of the markers: so a first "
            "loading has a prior, and stands as 1 in the tables of parameters."
        )
    kinds = {
        "normal(": "normal(mean, sd)", "truncatednormal(": "truncatednormal(mean, sd, low, high)",
        "gamma(": "gamma(shape, rate)",
        "LKJ(": "LKJ(1): every correlation matrix is equally probable; larger values draw to 0",
    }  # fmt: skip
    known = "; ".join(text for mark, text in kinds.items() if mark in said)
    if known:
        yield f"{known}."
    if any(kind == WORDS["residual_sd"] for kind, *_ in rows):
        yield "Residual sds: a parameter written v ~~ v has its prior on the sd, not the variance."
    if " to " in said:
        yield "a to b: the prior differs by parameter, with the units of its indicators."


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def spanned(texts: list[str]) -> str:
    """Priors of one family as one text, with the range of each number.

    Examples
    --------
    >>> spanned(["normal(0, 1.5)", "normal(0, 2.5)"]), spanned(["normal(0, 1)"])
    ('normal(0, 1.5 to 2.5)', 'normal(0, 1)')
    """
    columns = zip(*(NUMBERS.findall(text) for text in texts), strict=True)
    spans = iter(
        low if low == high else f"{low} to {high}"
        for low, high in ((min(c, key=float), max(c, key=float)) for c in columns)
    )
    return NUMBERS.sub(lambda _: next(spans), texts[0])


def implied_by_priors(found: Any, fit: Fit) -> Blocks:
    """What the priors say before the data, on effects and on explained variance.

    Parameters
    ----------
    found : PriorImplications or Quote
    fit : Fit
    """
    if isinstance(found, Quote):
        return Blocks((found,))
    share = f"{found.prob:.0%}"
    lines = [
        *((f"R\N{SUPERSCRIPT TWO} of {r['variable']}", r, "")
          for r in found.explained.query("kind == 'factor'").to_dict("records")),
        *((f"{r['lhs']} {r['op']} {r['rhs']}", r, believed_text(r["negative"]))
          for r in found.coefficients.query("op != '=~'").to_dict("records")),
        *((f"{r['kind']} {arrows(r['path'])}", r, believed_text(r["negative"]))
          for r in found.effects.query("kind == 'indirect'").to_dict("records")),
    ]  # fmt: skip
    write = fixed(2)
    rows = tuple(
        (what, write(r["median"]), interval(r["lower"], r["upper"], write), below)
        for what, r, below in lines
    )
    table = Table(
        f"What the priors imply, standardised, from {found.draws:,} prior draws",
        ("Quantity", "Median", f"{share} interval", "Pr(below 0)"), rows,
        (False, True, True, True),
    )  # fmt: skip
    notes = tuple(n for n in found.notes if not n.startswith(NO_SCALE) or _heeded(fit))
    return Blocks((table, *((Listing(notes),) if notes else ())))


def _heeded(fit: Fit) -> bool:
    """Whether the advice to compare implied answers with a scale can be followed."""
    return bool(fit.spec.stats.use_mean) and not scale_of(fit)
