"""An Mplus input cut into its sections: comments blanked, names in one spelling, places kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bayesem.errors import GrammarError, NotAvailableError
from bayesem.grammar.tokens import LONGEST_TEXT, Source, Span

__all__ = ["Sections", "is_mplus", "sections"]

HEADINGS = (
    "TITLE", "DATA", "VARIABLE", "DEFINE", "ANALYSIS", "MODEL", "OUTPUT", "SAVEDATA", "PLOT",
    "MONTECARLO",
)  # fmt: skip
_BEGINS = re.compile(rf"(?:\s*![^\n]*\n)*\s*(?:{'|'.join(HEADINGS)})(?:[ \t]+\w+)?[ \t]*:", re.I)
_HEADING = re.compile(rf"(?:^|;)[ \t]*((?:{'|'.join(HEADINGS)})(?:[ \t]+\w+)?)[ \t]*:", re.I | re.M)
_COMMENT = re.compile(r"!\*.*?\*!|![^\n]*", re.S)
_WORD = re.compile(r"(?<![\w.$])[A-Za-z_]\w*")
_KEY = re.compile(r"\s*(\w+)\s+(?:ARE|IS|=)\s+(.*)|\s*(\w+)\s*=\s*(.*)", re.I | re.S)

#: Sections about data, estimation and output: they are no part of a model.
ELSEWHERE = ("TITLE", "DATA", "OUTPUT", "SAVEDATA", "PLOT", "MODEL INDIRECT")
REFUSED = {
    "DEFINE": "Transformations are made in the data: compute the columns there.",
    "MONTECARLO": "Use `sem.simulate` or `sem.design`.",
    "MODEL PRIORS": "Give `priors=` to the fit: Mplus' N(0, 4) is `normal(0, 2)`.",
    "MODEL TEST": "Write the test as a proposition: `sem.assess`.",
}
#: What a variable can be in Mplus and not here, or elsewhere.
KINDS = {
    "CATE": "Binary outcomes: `families={'y': 'bernoulli'}` in the fit; ordinal ones are not "
    "available yet.",
    "CENS": "Not available.",
    "COUN": "Use `families={'y': 'poisson'}` or `'negative_binomial'` in the fit.",
    "NOMI": "Not available.",
    "GROU": "Groups are not available yet.",
    "KNOW": "Groups are not available yet.",
    "CLUS": "Two-level data are not available yet.",
    "WITH": "Two-level data are not available yet.",
    "BETW": "Two-level data are not available yet.",
    "CLAS": "Mixtures are not available.",
    "SURV": "Use `families=` with `sem.Weibull` or `sem.Lognormal` in the fit.",
    "WEIG": "Weights are not available.",
    "STRA": "Survey designs are not available.",
    "FREQ": "Frequencies are not available: repeat the rows.",
}
ANALYSES = {
    "TYPE": re.compile(r"(?:general|random|\s|;)*", re.I),
    "MODEL": re.compile(r"(?!)"),
    "PARAMETERIZATION": re.compile(r"delta", re.I),
}


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of an input that say what the model is.

    Attributes
    ----------
    source : Source
        The text with comments blanked and each name in its first spelling.
    model, constraints : tuple of Span
        Where the statements stand.
    names : tuple of str
        Variables in the order that lists such as ``y1-y5`` run in.
    """

    source: Source
    model: tuple[Span, ...]
    constraints: tuple[Span, ...]
    names: tuple[str, ...] = field(default=())


def is_mplus(text: str) -> bool:
    """Whether a text begins with a section of Mplus: no lavaan text can.

    Examples
    --------
    >>> is_mplus("MODEL: f BY y1-y3;"), is_mplus("model ~ x"), is_mplus("level: 1")
    (True, False, False)
    """
    return _BEGINS.match(text) is not None


def sections(text: str, origin: str) -> Sections:
    """Cut an input into sections.

    Raises
    ------
    GrammarError
        Without a model, or where a list of names cannot be read.
    NotAvailableError
        At a section, an analysis or a kind of variable that this package does not have.
    """
    if len(text) > LONGEST_TEXT:
        message = f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} are read."
        raise GrammarError(message, hint="Is it the right text?")
    blanked = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text).replace("**", "^ ")
    heard = [
        _names(body)
        for heading, _, body in _parts(Source(blanked, origin))
        if heading == "VARIABLE"
    ]
    names = tuple(name for each in heard for name in each)
    source = Source(_one_spelling(_without_prose(blanked), names), origin)
    parts = _parts(source)
    found: dict[str, list[Span]] = {"MODEL": [], "MODEL CONSTRAINT": []}
    for heading, at, body in parts:
        if heading in found:
            found[heading].append(body)
        elif heading == "ANALYSIS":
            _check_analysis(body)
        elif heading not in (*ELSEWHERE, "VARIABLE"):
            hint = REFUSED.get(heading, "A model for each group is not available yet.")
            raise NotAvailableError(f"Mplus' `{heading}:` is not read.", span=at, hint=hint)
    if not found["MODEL"]:
        raise GrammarError(
            "The Mplus input has no `MODEL:`.", span=parts[0][1], hint="Add that section."
        )
    return Sections(source, tuple(found["MODEL"]), tuple(found["MODEL CONSTRAINT"]), names)


def _without_prose(text: str) -> str:
    """The text with the bodies of sections that are no part of a model blanked."""
    for heading, _, body in _parts(Source(text, "")):
        if heading in ELSEWHERE:
            blank = re.sub(r"[^\n;]", " ", body.text)  # a heading may follow a `;` on its line
            text = text[: body.start] + blank + text[body.end :]
    return text


def _one_spelling(text: str, names: Sequence[str]) -> str:
    """Mplus does not mind letter case; a name is spelt as in the data, or as it is first."""
    first = {name.casefold(): name for name in names}
    return _WORD.sub(lambda m: first.setdefault(m[0].casefold(), m[0]), text)


def _parts(source: Source) -> list[tuple[str, Span, Span]]:
    """Heading, where it stands, and its body."""
    hits = list(_HEADING.finditer(source.text))
    ends = [hit.start() for hit in hits[1:]] + [len(source.text)]
    return [
        (" ".join(hit[1].upper().split()), Span(source, *hit.span(1)), Span(source, hit.end(), end))
        for hit, end in zip(hits, ends, strict=True)
    ]


def _keys(body: Span) -> list[tuple[str, str, Span]]:
    """``KEY = value`` statements."""
    found, at = [], body.start
    for part in body.text.split(";"):
        match = _KEY.match(part)
        if match is not None:
            key, value = (match[1], match[2]) if match[1] else (match[3], match[4])
            start = at + len(part) - len(part.lstrip())
            found.append((key.upper(), value, Span(body.source, start, start + len(key))))
        at += len(part) + 1
    return found


def _names(body: Span) -> tuple[str, ...]:
    """Variables, of ``USEVARIABLES`` where it is given and else of ``NAMES``."""
    lists: Mapping[str, str] = {}
    for key, value, at in _keys(body):
        if key[:4] in KINDS:
            message = f"Mplus' `{key}` is not read."
            raise NotAvailableError(message, span=at, hint=KINDS[key[:4]])
        if key[:4] == "MISS" and re.search(r"\d", value):
            message = f"Mplus' `{key}` is not read: the data would keep the codes {value.strip()}."
            hint = (
                "Write NaN for them (`pandas.read_csv(path, na_values=...)`); drop the statement."
            )
            raise NotAvailableError(message, span=at, hint=hint)
        if key[:4] in ("NAME", "USEV"):
            lists = {**lists, key[:4]: value}
    words = re.findall(r"\w+(?:\s*-\s*\w+)?", lists.get("NAME", ""))
    names = [name for word in words for name in _numbered(word)]
    used = re.findall(r"\w+(?:\s*-\s*\w+)?", lists.get("USEV", ""))
    kept = [name for word in used for name in (_between(word, names) or _numbered(word))]
    return tuple(kept or names)


def _between(word: str, names: list[str]) -> list[str]:
    first, _, last = (part.strip() for part in word.partition("-"))
    if not last or first not in names or last not in names:
        return []
    return names[names.index(first) : names.index(last) + 1]


def _numbered(word: str) -> list[str]:
    """``y1-y3`` by its numbers; another word as it is.

    Examples
    --------
    >>> _numbered("y1-y3"), _numbered("x")
    (['y1', 'y2', 'y3'], ['x'])
    """
    match = re.fullmatch(r"([A-Za-z_]\w*?)(\d+)\s*-\s*([A-Za-z_]\w*?)(\d+)", word)
    if match is None or match[1] != match[3]:
        return [word.partition("-")[0].strip()]
    low, high = int(match[2]), int(match[4])
    return [f"{match[1]}{k:0{len(match[2])}d}" for k in range(low, min(high, low + 9999) + 1)]


def _check_analysis(body: Span) -> None:
    for key, value, at in _keys(body):
        allowed = ANALYSES.get(key)
        if allowed is not None and not allowed.fullmatch(value.strip()):
            message = f"Mplus' `{key} = {value.strip()}` is not available."
            raise NotAvailableError(message, span=at, hint="Models of one group and one level are.")
