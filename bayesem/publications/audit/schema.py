"""What each kind of printed table may hold: the schema of ``[printed.*]``."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["COMMON", "KINDS", "ROW", "TEXT", "Kind"]

#: Types of cells: what a value must be. ``share`` lies in 0..1, ``loading`` in -1..1 (not the
#: ends), ``positive`` above 0, ``p`` is a probability, ``***`` or ``< .001``.
Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table.

    Attributes
    ----------
    keys : tuple of str
        Columns that name a row, so that text and table can be compared; empty where the table is
        one row.
    columns : mapping of str to str
        Of each row: its type.
    table : mapping of str to str
        Of the table itself.
    """

    keys: tuple[str, ...]
    columns: Columns
    table: Columns


def _columns(text: str) -> Columns:
    """Columns written as ``name:type``, one after another."""
    return dict(part.split(":") for part in text.split())


COMMON = _columns("kind:text where:text digits:digits rows:rows repeats:text about:text")
ROW = _columns("digits:digits where:text")
TEXT = _columns(
    "item:text value:any says:text where:text of:text how:text row:row is:text digits:digits"
)
_INDICES = (
    "chisq:number df:number p:p cmin_df:number gfi:number agfi:number tli:number cfi:number "
    "nfi:number rmsea:number srmr:number"
)
_BOUNDED = "chisq df p cmin_df gfi agfi tli cfi nfi rmsea srmr critical_ratio alpha cr ave loading"


def _kind(keys: str, columns: str = "", table: str = "") -> Kind:
    return Kind(tuple(keys.split()), _columns(columns), _columns(table))


KINDS: Mapping[str, Kind] = {
    "loadings": _kind("rhs", "lhs:text op:text rhs:text est:loading se:positive cr:number p:p"),
    "reliability": _kind(
        "factor", "factor:text alpha:share cr:share ave:share sqrt_ave:share items:count"
    ),
    "fit": _kind("", "", f"{_INDICES} n:count"),
    "thresholds": _kind(
        "", "", " ".join(f"{name}:bound" for name in _BOUNDED.split()) + " met:flag"
    ),
    "paths": _kind(
        "lhs rhs",
        "lhs:text op:text rhs:text est:number se:positive cr:number t:number p:p "
        "coefficient:number std:number hypothesis:text result:text",
        "df:number tails:count alpha:share",
    ),
    "indirect": _kind(
        "path",
        "path:names est:number se:positive z:number p:p result:text",
        "alpha:share tails:count",
    ),
    "effects": _kind("lhs rhs", "lhs:text rhs:text direct:number indirect:number total:number"),
    "stated": _kind("hypothesis", "hypothesis:text lhs:text rhs:text"),
    "frequencies": _kind(
        "characteristic group",
        "characteristic:text group:names frequency:count percentage:percentage",
        "total:count complete:flag",
    ),
    "descriptives": _kind(
        "name",
        "name:text mean:number sd:number n:count items:count scale:numbers se:positive",
        "n:count items:count scale:numbers",
    ),
    "regression": _kind(
        "outcome",
        "outcome:text R:number R2:share adj_R2:number F:number df1:count df2:count p:p n:count "
        "predictors:count",
        "n:count",
    ),
    "correlations": _kind("", "", "names:names diagonal:text discriminant:flag"),
    "normality": _kind(
        "indicator",
        "indicator:text cr_skewness:number cr_kurtosis:number skewness:number kurtosis:number",
        "multivariate:number bound:number n:count",
    ),
    "sample": _kind(
        "", "", "sent:count returned:count kept:count response_rate:percentage years_least:count"
    ),
    "criticals": _kind("value", "value:number alpha:share"),
    "changes": _kind("item", "item:text from:number to:number percentage:number"),
    "parts": _kind("item", "item:text part:number whole:number"),
    "dates": _kind("event", "event:text date:text"),
    "roles": _kind("factor", "factor:text role:text"),
    "lists": _kind("item", "item:text members:names"),
    "table": _kind(""),
}
