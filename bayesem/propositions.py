"""Propositions: a paper's sentences, each with the claim that makes it testable, and the rule.

``says`` is the paper's sentence, ``claim`` the only formal part, the model's labels the bridge.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayesem import studies
from bayesem.documents import Document, read_document
from bayesem.errors import PropositionError, did_you_mean
from bayesem.grammar.claims import parse_claim, propositions
from bayesem.grammar.statements import Claim

ROPE: Mapping[str, float] = MappingProxyType(
    {"path": 0.10, "interaction": 0.05, "indirect": 0.01, "correlation": 0.10}
)
DECLARED = ("probability", "share")  # ROPEs without a default: a file that needs one declares it
TEXT_KEYS = ("says", "claim", "where", "paper", "note", "model", "needs")

#: Data that a claim can wait for, beyond a table of counts.
NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "segments": "a code-by-segment table: one row per code of a segment, with columns segment, "
        "informant, phase and code"
    }
)
RULE_KEYS = ("prob", "rope", "min_bayes_factor")


@dataclass(frozen=True, slots=True)
class Rule:
    """When a claim counts as supported.

    Attributes
    ----------
    prob : float
        The probability that a supported claim reaches and whose complement refutes.
    rope : mapping of str to float
        Half-width of practical equivalence by kind, on the standardised solution.
    min_bayes_factor : float
        Against the complement, so that a claim nearly certain beforehand gets no verdict.
    """

    prob: float = 0.95
    rope: Mapping[str, float] = field(default=ROPE, hash=False)
    min_bayes_factor: float = 3.0

    def __post_init__(self) -> None:
        if not 0.5 < self.prob < 1:
            raise PropositionError(
                f"`prob` is {self.prob:g}; it lies between 0.5 and 1.",
                hint="The usual one is 0.95.",
            )
        if not 1 <= self.min_bayes_factor < float("inf"):
            raise PropositionError(
                f"`min_bayes_factor` is {self.min_bayes_factor:g}; it is at least 1 and finite.",
                hint="The usual one is 3.",
            )
        for kind, width in self.rope.items():
            _check_rope(kind, width)


def _check_rope(kind: str, width: float) -> None:
    known = (*ROPE, *DECLARED)
    if kind not in known:
        hint = did_you_mean(kind, known) or f"Known are {', '.join(known)}."
        raise PropositionError(f"There is no ROPE for `{kind}`.", hint=hint)
    if not 0 <= width < float("inf"):
        raise PropositionError(
            f"The ROPE of `{kind}` is {width:g}.", hint="A half-width is at least 0 and finite."
        )


@dataclass(frozen=True, slots=True)
class Proposition:
    """One sentence and its claim.

    Attributes
    ----------
    name, says, claim : str
        What it is called, the paper's sentence (may be empty), the formal part.
    rule : Rule
    tree : Claim
        The claim, parsed: a node of `bayesem.grammar.statements`.
    where, paper, note : str
        Page, the paper's own verdict, our remark.
    model : str or None
        The model of the study that the claim is about.
    needs : str or None
        Data without which the claim cannot be tested (a key of `NEEDS`).
    study : str or None
        The study that it was carried over from, where another one's file includes it.
    """

    name: str
    says: str
    claim: str
    rule: Rule
    tree: Claim = field(repr=False)
    where: str = ""
    paper: str = ""
    note: str = ""
    model: str | None = None
    needs: str | None = None
    study: str | None = None


@dataclass(frozen=True, slots=True)
class NotCarried:
    """A proposition of an included study that the model has no room for, and why."""

    name: str
    study: str
    says: str
    claim: str
    reason: str


@dataclass(frozen=True, slots=True)
class PropositionSet:
    """The propositions of a study, in the order of the file.

    Attributes
    ----------
    items : tuple of Proposition
    model : str or None
        The model that they are about unless they name another.
    rule : Rule
        The file's.
    sha256 : str
        Of the file's bytes, or of the claims where there is no file; with those of included files.
    left : tuple of NotCarried
        Of included studies.
    """

    items: tuple[Proposition, ...]
    model: str | None
    rule: Rule
    sha256: str
    left: tuple[NotCarried, ...] = ()

    def __iter__(self) -> Iterator[Proposition]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, name: str) -> Proposition:
        found = next((item for item in self.items if item.name == name), None)
        if found is None:
            hint = did_you_mean(name, [item.name for item in self.items])
            raise PropositionError(f"There is no proposition `{name}`.", hint=hint, label=name)
        return found


def read_propositions(source: str | Path | Mapping[str, str]) -> PropositionSet:
    """Read propositions.

    Parameters
    ----------
    source : str, Path or mapping of str to str
        A shipped study's name, a path to a ``.toml`` file, or claims by name.

    Raises
    ------
    PropositionError
        At a claim that cannot be read, and at a key that nothing reads; with its line.
    StudyError
        At an unknown study.

    Examples
    --------
    >>> [p.name for p in read_propositions({"P1": "a > 0", "P2": "P1 and b > 0"})]
    ['P1', 'P2']
    """
    if isinstance(source, Mapping):
        return _from_claims(source)
    if not isinstance(source, str | Path):
        raise PropositionError(
            f"propositions are a {type(source).__name__}.",
            hint='Give a study\'s name, a path to a `.toml` file, or {"P1": "a > 0"}.',
        )
    if isinstance(source, Path) or source.endswith(".toml"):
        return _from_file(Path(source))
    if re.search(r"[<>]", source):
        message = f"`{source}` is a claim and has no name."
        raise PropositionError(message, hint=f'Name it: {{"P1": "{source}"}}.')
    path = studies.find(source).propositions_path
    if path is None:
        raise PropositionError(
            f"The study `{source}` has no propositions.",
            hint="Give a path to a `.toml` file of your own.",
            label=source,
        )
    return _from_file(path)


def _from_claims(claims: Mapping[str, str]) -> PropositionSet:
    rule, earlier, items = Rule(), list[str](), list[Proposition]()
    for name, claim in claims.items():
        if not isinstance(claim, str):
            raise PropositionError(
                f"The claim of `{name}` is no text.", hint='Write it as "a > 0".', label=name
            )
        tree = parse_claim(claim, origin=name)
        _check_earlier(name, tree, earlier)
        items.append(Proposition(name, "", claim, rule, tree))
        earlier.append(name)
    digest = sha256("\n".join(f"{p.name}: {p.claim}" for p in items).encode()).hexdigest()
    return PropositionSet(tuple(items), None, rule, digest)


def _from_file(path: Path) -> PropositionSet:
    document = read_document(path, PropositionError)
    data = dict(document.data)
    model = data.pop("model", None)
    model = document.text(model, "model") if model is not None else None
    rule = _rule(document, document.table(data.pop("rule", {}), "rule"), Rule(), ("rule",))
    items, left, digests = _included(document, data.pop("include", {}), model)
    for name, value in data.items():
        if not isinstance(value, dict):
            hint = did_you_mean(name, ("model", "rule", "include"))
            raise document.fail(f"Unknown key `{name}`.", name, hint=hint)
        _check_free(document, name, items)
        items.append(_proposition(document, name, value, rule, [item.name for item in items]))
    whole = [document.sha256, *digests]
    digest = sha256("\n".join(whole).encode()).hexdigest() if digests else whole[0]
    return PropositionSet(tuple(items), model, rule, digest, tuple(left))


def _included(
    document: Document, value: object, model: str | None
) -> tuple[list[Proposition], list[NotCarried], list[str]]:
    """Propositions of other studies, those that stayed behind, and the digests of their files."""
    from bayesem.inclusion import include  # reads propositions itself

    tables = document.table(value, "include")
    if tables and model is None:
        raise document.fail("`include` needs the `model` to carry propositions to.", "include")
    items: list[Proposition] = []
    left: list[NotCarried] = []
    digests: list[str] = []
    for study, table in tables.items():
        found = include(document, study, document.table(table, "include", study), str(model))
        for p in found.items:
            _check_free(document, p.name, items, "include", study)
        items += found.items
        left += found.left
        digests.append(found.sha256)
    return items, left, digests


def _check_free(document: Document, name: str, items: Sequence[Proposition], *keys: str) -> None:
    """Refuse a name that an included proposition has."""
    known = next((p for p in items if p.name == name and p.study is not None), None)
    if known is not None:
        message = f"`{name}` is already a proposition of {known.study}."
        raise document.fail(message, *(keys or (name,)), hint="Give it another name.")


def _proposition(
    document: Document, name: str, table: dict[str, Any], rule: Rule, earlier: list[str]
) -> Proposition:
    document.only(table, (*TEXT_KEYS, *RULE_KEYS), name)
    document.need(table, ("says", "claim"), name)
    texts = {key: document.text(table[key], name, key) for key in TEXT_KEYS if key in table}
    own: dict[str, Any] = {key: table[key] for key in RULE_KEYS if key in table}
    needs = texts.get("needs")
    if needs is not None and needs not in NEEDS:
        hint = did_you_mean(needs, NEEDS) or f"Known are {', '.join(NEEDS)}."
        raise document.fail(f"No claim can need `{needs}`.", name, "needs", hint=hint)
    tree = _claim(document, name, texts["claim"])
    _check_earlier(name, tree, earlier)
    return Proposition(name=name, rule=_rule(document, own, rule, (name,)), tree=tree, **texts)


def _claim(document: Document, name: str, claim: str) -> Claim:
    """Parse a claim where it stands in its file, or by itself where escapes moved it."""
    at = document.string_at(claim, name, "claim")
    if at is None:
        return parse_claim(claim, origin=f"{document.source.origin}: [{name}] claim")
    return parse_claim(claim, document.source.origin, at, document.source.text)


def _check_earlier(name: str, tree: Claim, earlier: list[str]) -> None:
    """Refuse a bare name that no earlier proposition has."""
    for text, span in propositions(tree):
        if text not in earlier:
            hint = did_you_mean(text, earlier) or f"For a label, compare it: `{text} > 0`."
            message = f"`{text}` is not a proposition before `{name}`."
            raise PropositionError(message, span=span, hint=hint, label=text)


def _rule(document: Document, table: dict[str, Any], base: Rule, keys: tuple[str, ...]) -> Rule:
    """Read a rule; what it leaves out is as in ``base``."""
    document.only(table, RULE_KEYS, *keys)
    rope = document.table(table.get("rope", {}), *keys, "rope")
    document.only(rope, (*ROPE, *DECLARED), *keys, "rope")
    widths = {kind: document.number(width, *keys, "rope", kind) for kind, width in rope.items()}
    prob = _number(document, table, keys, "prob", base.prob)
    factor = _number(document, table, keys, "min_bayes_factor", base.min_bayes_factor)
    try:
        return Rule(prob, MappingProxyType({**base.rope, **widths}), factor)
    except PropositionError as fault:
        raise document.fail(fault.message, *keys, hint=fault.hint) from None


def _number(
    document: Document, table: dict[str, Any], keys: tuple[str, ...], key: str, default: float
) -> float:
    return document.number(table[key], *keys, key) if key in table else default
