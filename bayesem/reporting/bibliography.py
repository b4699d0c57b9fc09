"""References of the methods that a fit and its report use, as BibTeX and in words."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from bayesem.counts.fit import CountFit
from bayesem.data import Moments

__all__ = ["bibliography", "entries", "in_words"]

ALWAYS = ("bollen1989", "rosseel2012", "abrilpla2023", "kumar2019", "vehtari2021", "klugkist2005",
          "kruschke2018", "mcdonald1999", "fornell1981", "roemer2021", "kallioinen2024",
          "vehtari2024")  # fmt: skip
OF_COUNTS = ("klugkist2005", "kruschke2018", "vehtari2021")
OF_ANSWERS = ("gelman1996", "levy2011", "mardia1970")
#: What is left of BibTeX's markup where an entry is read by people.
MARKUP = (('{\\"u}', "ü"), ('{\\"o}', "ö"), ("{$\\widehat{R}$}", "R-hat"), ("\\&", "&"),
          ("---", "\N{EM DASH}"), ("--", "\N{EN DASH}"), ("{", ""), ("}", ""))  # fmt: skip


def bibliography(fit: Any, *, rivals: bool = False) -> str:
    """BibTeX of the methods that a fit, and a report on it, rest on.

    Parameters
    ----------
    fit : Fit or CountFit
    rivals : bool
        Whether it is compared with rival models.

    Returns
    -------
    str
        Entries one by one, for a ``.bib`` file.
    """
    return "\n\n".join(entries(fit, rivals=rivals).values()) + "\n"


def entries(fit: Any, *, rivals: bool = False) -> dict[str, str]:
    """BibTeX by key, in the order of the keys."""
    text = files("bayesem.reporting").joinpath("references.bib").read_text("utf-8")
    known = {re.match(r"@\w+\{(\w+),", e)[1]: e.strip() for e in text.split("\n\n")}  # type: ignore[index]
    return {key: known[key] for key in sorted(set(_keys(fit, rivals=rivals)))}


def _keys(fit: Any, *, rivals: bool) -> Iterator[str]:
    if isinstance(fit, CountFit):
        yield from OF_COUNTS
        return
    yield from ALWAYS
    if fit.settings.sampler in ("nutpie", "pymc"):
        yield "hoffman2014"
    raw = not isinstance(fit.data, Moments)
    if raw:
        yield from OF_ANSWERS
    if raw and not fit.table.casewise:
        yield "garnier2020"
        yield "vehtari2017"
    if fit.table.products:
        yield "klein2000"
    if rivals:
        yield from ("vehtari2017", "yao2018") if raw else ()
        yield "gronau2017"


def in_words(entry: str) -> str:
    """An entry as a line of a list of references.

    Examples
    --------
    >>> in_words("@book{x, author = {Bollen, K.}, title = {SEM}, publisher = {Wiley}, year = {1}}")
    'Bollen, K. (1). SEM. Wiley.'
    """
    kept: dict[str, str] = dict(re.findall(r"(\w+) = \{(.*?)\}(?=, \w+ = |\}$)", entry))
    for name, value in kept.items():
        for markup, letter in MARKUP:
            value = value.replace(markup, letter)
        kept[name] = value
    where = kept.get("journal", kept.get("publisher", ""))
    where += f", {kept['volume']}" if "volume" in kept else ""
    where += f"({kept['number']})" if "number" in kept else ""
    where += f", {kept['pages']}" if "pages" in kept else ""
    doi = f" https://doi.org/{kept['doi']}" if "doi" in kept else ""
    author = kept["author"].replace(" and others", " et al.").replace(" and ", "; ")
    return f"{author} ({kept['year']}). {kept['title']}. {where}.{doi}"
