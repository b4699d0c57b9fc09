"""Propositions as a TOML file that reads back to the same ones."""

import json
from pathlib import Path
from typing import Any

from bayesem import studies
from bayesem.errors import PropositionError
from bayesem.propositions import ROPE, Proposition, PropositionSet, read_propositions

__all__ = ["as_toml", "put_propositions"]

TEXTS = ("says", "claim", "where", "paper", "note", "model", "needs")


def put_propositions(source: Any, path: Path) -> PropositionSet:
    """Write propositions to a file: the very bytes where they come from one.

    Parameters
    ----------
    source : PropositionSet, Proposition, iterable of them, {name: claim}, study or path
    path : Path
        Of the new ``.toml`` file.

    Raises
    ------
    PropositionError
        If they cannot be read, or have names that a file cannot give them.
    """
    known = _set_of(source)
    if isinstance(source, str | Path):
        path.write_bytes(_file_of(source).read_bytes())
        return known
    try:
        path.write_bytes(as_toml(known).encode("utf-8"))
    except UnicodeEncodeError as error:
        raise PropositionError(f"a proposition holds what is no text: {error}.") from None
    if _said(read_propositions(path)) != _said(known):
        raise PropositionError(
            "these propositions cannot be written to a file.",
            hint="A proposition cannot be called `rule` or `model`.",
        )
    return known


def _set_of(source: Any) -> PropositionSet:
    if isinstance(source, PropositionSet):
        return source
    if isinstance(source, Proposition):
        source = (source,)
    if isinstance(source, list | tuple) and all(isinstance(p, Proposition) for p in source):
        first = source[0].rule if source else read_propositions({}).rule
        return PropositionSet(tuple(source), None, first, "")
    return read_propositions(source)


def _file_of(source: str | Path) -> Path:
    if isinstance(source, Path) or source.endswith(".toml"):
        return Path(source)
    found = studies.find(source).propositions_path
    assert found is not None  # it was read from there
    return found


def _said(found: PropositionSet) -> list[Any]:
    return [
        (p.name, p.says or p.claim, *(getattr(p, key) for key in TEXTS[1:]), p.rule.prob,
         {**ROPE, **p.rule.rope}, p.rule.min_bayes_factor)
        for p in found
    ]  # fmt: skip


def as_toml(found: PropositionSet) -> str:
    r"""The text of a file.

    Examples
    --------
    >>> print(as_toml(read_propositions({"P1": "a > 0"})).splitlines()[0])
    ["P1"]
    """
    lines = [] if found.model is None else [f"model = {_text(found.model)}", ""]
    for p in found:
        lines.append(f"[{_text(p.name)}]")
        values = {key: getattr(p, key) for key in TEXTS}
        values["says"] = p.says or p.claim  # a file has no proposition without a sentence
        lines += [f"{key} = {_text(value)}" for key, value in values.items() if value]
        lines += [
            f"prob = {float(p.rule.prob)!r}",
            f"min_bayes_factor = {float(p.rule.min_bayes_factor)!r}",
            "rope = {" + ", ".join(f"{k} = {float(v)!r}" for k, v in p.rule.rope.items()) + "}",
            "",
        ]
    return "\n".join(lines)


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
