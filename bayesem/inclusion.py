"""Propositions of other studies, put to a model that holds their graphs under other names.

A table ``[include.<study>]`` in a file of propositions carries over every proposition of that study
as it stands: its sentence, its rule, its claim with factors and labels renamed. What the new model
lacks is never dropped in silence: it is listed with the reason. A label that means one path there
and another here is an error, since the claim would then be another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bayesem import studies
from bayesem.documents import Document, read_document
from bayesem.errors import PropositionError, did_you_mean
from bayesem.grammar.claims import categories, names, parse_claim, propositions, variables
from bayesem.grammar.tokens import Source, tokenise
from bayesem.model import Model, read_model
from bayesem.propositions import NotCarried, Proposition, PropositionSet, read_propositions

__all__ = ["Inclusion", "Origins", "include", "origins"]

COUNTS = "counts"
type Meaning = frozenset[tuple[str, str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What came of one ``[include.<study>]``.

    Attributes
    ----------
    items : tuple of Proposition
        Carried over, claims renamed; ``study`` says whose they are.
    left : tuple of NotCarried
    sha256 : str
        Of the study's own file.
    """

    items: tuple[Proposition, ...]
    left: tuple[NotCarried, ...]
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class _Road:
    """From one study to a model, with the file that says how."""

    document: Document
    keys: tuple[str, str]
    source: PropositionSet
    host: str
    rename: Mapping[str, str]
    models: Mapping[str, str]
    pairs: dict[str | None, tuple[Model, Model]]

    def fail(self, message: str, *keys: str, hint: str = "") -> Exception:
        return self.document.fail(message, *self.keys, *keys, hint=hint)

    def named(self, name: str) -> str:
        return self.rename.get(name, name)


def include(document: Document, study: str, table: dict[str, Any], host: str) -> Inclusion:
    """Carry over the propositions of a study.

    Parameters
    ----------
    document : Document
        The file that includes.
    study : str
        Whose propositions.
    table : dict
        ``rename``: factors and labels of the study to those of the model; ``models``: further
        models of the study to further models of this one.
    host : str
        The model that they are put to.

    Raises
    ------
    PropositionError
        At an unknown study or key, a name that one of the models does not have, or a label that
        means another path here; with its line.
    """
    road = _road(document, study, table, host)
    items: list[Proposition] = []
    left: list[NotCarried] = []
    for p in road.source:
        reason = _missing(road, p, {one.name for one in left})
        if reason:
            left.append(NotCarried(p.name, study, p.says, p.claim, reason))
        else:
            items.append(_carried(road, study, p))
    return Inclusion(tuple(items), tuple(left), road.source.sha256)


# --- the road -------------------------------------------------------------------------------------


def _road(document: Document, study: str, table: dict[str, Any], host: str) -> _Road:
    keys = ("include", study)
    document.only(table, ("rename", "models"), *keys)
    source = _source(document, study)
    maps = {k: document.table(table.get(k, {}), *keys, k) for k in ("rename", "models")}
    rename, models = (
        {old: document.text(new, *keys, k, old) for old, new in maps[k].items()}
        for k in ("rename", "models")
    )
    pairs: dict[str | None, tuple[Model, Model]] = {None: (read_model(study), read_model(host))}
    for old, new in models.items():
        _check_model(document, keys, old, {p.model for p in source})
        _check_model(document, keys, new, _graphs(host), old)
        pairs[old] = (read_model(old), read_model(new))
    road = _Road(document, keys, source, host, rename, models, pairs)
    _check_rename(road)
    return road


def _graphs(host: str) -> list[str]:
    """Every model that ships, and the variants of this one."""
    book = read_model(host).codebook
    return [*studies.names(), *(f"{host}:{v}" for v in (book.variants if book else ()))]


def _source(document: Document, study: str) -> PropositionSet:
    known = studies.own()
    if study not in known:
        hint = did_you_mean(study, known) or f"There are {', '.join(known)}."
        raise document.fail(f"There is no study `{study}`.", "include", study, hint=hint)
    path = studies.find(study).propositions_path
    assert path is not None
    if "include" in read_document(path, PropositionError).data:
        hint = "Include those studies themselves."
        raise document.fail(f"`{study}` includes others.", "include", study, hint=hint)
    return read_propositions(path)


def _check_model(
    document: Document, keys: tuple[str, str], name: str, known: Iterable[str | None], of: str = ""
) -> None:
    names_ = sorted({str(k) for k in known if k})
    if name not in names_:
        hint = did_you_mean(name, names_) or f"There are {', '.join(names_)}."
        where = (*keys, "models", of or name)
        raise document.fail(f"`{name}` is no such model.", *where, hint=hint)


def _check_rename(road: _Road) -> None:
    """Both ends of a renaming exist, and no proposition is called like one."""
    ours = {n for _, model in road.pairs.values() for n in model.nameable}
    theirs = {n for model, _ in road.pairs.values() for n in model.nameable}
    for old, new in road.rename.items():
        for name, known, whose in ((old, theirs, "the study"), (new, ours, f"`{road.host}`")):
            if name not in known:
                hint = did_you_mean(name, known) or "Name a factor or a label."
                message = f"`{name}` is neither a factor nor a label of {whose}."
                raise road.fail(message, "rename", old, hint=hint)
        if any(p.name == old for p in road.source):
            raise road.fail(f"`{old}` is also the name of a proposition.", "rename", old)


# --- one proposition ------------------------------------------------------------------------------


def _missing(road: _Road, p: Proposition, left: set[str]) -> str:
    """Why a claim cannot be carried over; empty if it can."""
    if p.model == COUNTS or categories(p.tree):
        return "it is about theme counts, which no survey answers"
    if p.model is not None and p.model not in road.models:
        return f"it is about `{p.model}`, which has no counterpart here"
    earlier = [name for name, _ in propositions(p.tree)]
    lost = [name for name in earlier if name in left]
    if lost:
        return f"it rests on {', '.join(lost)}, not carried over"
    theirs, ours = road.pairs[p.model]
    host = road.host if p.model is None else road.models[p.model]
    gone = [v for v, _ in variables(p.tree) if road.named(v) not in ours.variables]
    if gone:
        return f"`{host}` has no {', '.join(dict.fromkeys(gone))}"
    labels = [name for name, _ in names(p.tree) if name not in earlier]
    open_ = [_no_path(road, host, label, theirs, ours) for label in dict.fromkeys(labels)]
    return "; ".join(text for text in open_ if text)


def _no_path(road: _Road, host: str, label: str, theirs: Model, ours: Model) -> str:
    """What a label's path lacks here; refuses one that means another path."""
    there, here = _meaning(theirs, label, road.rename), _meaning(ours, road.named(label), {})
    if not there:
        return f"`{label}` is a defined parameter of its study"
    if not here:
        return f"`{host}` has no path {_written(there)} (`{label}`)"
    if there != here:
        hint = f"Rename `{label}` to the label of that path, or the factors."
        message = (
            f"`{label}` is {_written(there)} by the renaming, and `{road.named(label)}` is "
            f"{_written(here)} in `{host}`."
        )
        raise road.fail(message, hint=hint)
    return ""


def _meaning(model: Model, label: str, rename: Mapping[str, str]) -> Meaning:
    """The statements that a label stands at, products in any order."""

    def named(name: str) -> str:
        return rename.get(name, name)

    return frozenset(
        (named(s.lhs), s.op, tuple(sorted(map(named, s.term.factors))))
        for s in model.parsed.statements
        if s.term.label == label
    )


def _written(meaning: Meaning) -> str:
    return ", ".join(sorted(f"{lhs} {op} {':'.join(rhs)}" for lhs, op, rhs in meaning))


def _carried(road: _Road, study: str, p: Proposition) -> Proposition:
    claim = _renamed(p.claim, road.rename)
    origin = f"{road.document.source.origin}: [include.{study}] {p.name}"
    model = None if p.model is None else road.models[p.model]
    tree = parse_claim(claim, origin=origin)
    return replace(p, claim=claim, tree=tree, model=model, study=study)


def _renamed(claim: str, rename: Mapping[str, str]) -> str:
    """The claim's text with names replaced where they stand, all at once."""
    tokens = tokenise(Source(claim), error=PropositionError)
    out, at = "", 0
    for token, after in zip(tokens, [*(t.text for t in tokens[1:]), ""], strict=True):
        if token.kind == "name" and after != "(" and token.text in rename:
            out += claim[at : token.span.start] + rename[token.text]
            at = token.span.end
    return out + claim[at:]


# --- whose a part of the graph is -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origins:
    """Which of the included studies the parts of a graph come from.

    Attributes
    ----------
    studies : tuple of str
        In the order of the file.
    variables : mapping of str to tuple of str
        Studies by variable; none for what is the model's own.
    paths : mapping of tuple of str to tuple of str
        Studies by path: the outcome, then the predictor, or the parts of a product, sorted.
    """

    studies: tuple[str, ...]
    variables: Mapping[str, tuple[str, ...]]
    paths: Mapping[tuple[str, ...], tuple[str, ...]]


def origins(name: str) -> Origins:
    """Whose the variables and paths of a model are, by what its propositions include.

    Parameters
    ----------
    name : str
        A study.

    Examples
    --------
    >>> origins("export_network").variables["NET"]
    ('alliance_mediation', 'export_strategy', 'facilitated_alliance')
    """
    path = studies.find(name).propositions_path
    tables = {} if path is None else read_document(path, PropositionError).data.get("include", {})
    known: dict[str, tuple[str, ...]] = {}
    paths: dict[tuple[str, ...], tuple[str, ...]] = {}
    for study, table in tables.items():
        rename, model = table.get("rename", {}), read_model(study)
        for variable in model.variables:
            new = rename.get(variable, variable)
            known[new] = (*known.get(new, ()), study)
        for s in model.parsed.statements:
            if s.op == "~" and s.term.fixed is None:
                to, *parts = (rename.get(v, v) for v in (s.lhs, *s.term.factors))
                key = (to, *sorted(parts))
                paths[key] = (*paths.get(key, ()), study)
    return Origins(tuple(tables), known, paths)
