"""A model: its statements, where they come from, and the checks that need no data."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from bayesem import studies
from bayesem.codebook import Codebook, Variant, read_codebook
from bayesem.documents import read_text
from bayesem.errors import ModelError, StudyError, did_you_mean
from bayesem.exchange.languages import ENDINGS, check_ending, parse_any
from bayesem.grammar.expressions import walk
from bayesem.grammar.parse import parse
from bayesem.grammar.statements import (
    Constraint,
    Definition,
    Name,
    Parsed,
    Statement,
    Term,
    number_text,
    to_text,
)

STUDY = re.compile(r"\s*([A-Za-z]\w*)(?::(\w+))?\s*")


@dataclass(frozen=True, slots=True)
class Model:
    """A structural equation model, as written.

    Two models are equal when their statements are, whatever file they come from; ``str(model)``
    is canonical text, which reads back to an equal model.

    Attributes
    ----------
    parsed : Parsed
    name : str or None
        The study or file.
    codebook : Codebook or None
        Of the study, if it has one.
    variant : str or None
    """

    parsed: Parsed
    name: str | None = field(default=None, compare=False)
    codebook: Codebook | None = field(default=None, compare=False, repr=False)
    variant: str | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return to_text(self.parsed)

    @property
    def called(self) -> frozenset[str]:
        """Every name that a proposition can mean this model by: study, variant, its text's file."""
        names = {str(self.name)}
        if self.variant is not None:
            names.add(f"{self.name}:{self.variant}")
        if self.variant is not None and self.codebook is not None:
            names.add(str(self.codebook.variants[self.variant].model or self.name))
        return frozenset(names)

    @property
    def factors(self) -> tuple[str, ...]:
        """Whatever is measured by something, in the order of the text."""
        return _unique(s.lhs for s in self.parsed.statements if s.op == "=~")

    @property
    def observed(self) -> tuple[str, ...]:
        """Every other variable, in the order of first appearance."""
        latent = set(self.factors)
        return tuple(name for name in self.variables if name not in latent)

    @property
    def variables(self) -> tuple[str, ...]:
        """Factors and observed variables, in the order of first appearance."""
        return _unique(name for s in self.parsed.statements for name in _names(s))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in the order of first appearance."""
        return _unique(s.term.label for s in self.parsed.statements if s.term.label)

    @property
    def nameable(self) -> frozenset[str]:
        """Variables, labels and defined parameters: what a claim can name."""
        defined = (d.name for d in self.definitions)
        return frozenset((*self.variables, *self.labels, *defined))

    def about(self, *outcomes: str) -> "Model":
        """The part of the model that explains some of its variables.

        Kept are the equations of ``outcomes`` and of all that leads to them, their measurement and
        the covariances among them. What is left out says nothing on the equations kept, but its
        answers no longer inform the factors.

        Parameters
        ----------
        outcomes : str
            Factors or observed variables.

        Raises
        ------
        ModelError
            If one of them is not in the model.

        Examples
        --------
        >>> model = read_model("f =~ a + b + c; g =~ d + e + h; y ~ f; z ~ f + g")
        >>> model.about("y").variables
        ('f', 'a', 'b', 'c', 'y')
        """
        for name in outcomes:
            if name not in self.variables:
                message = f"`{name}` is no variable of the model."
                raise ModelError(message, hint=did_you_mean(name, self.variables), label=name)
        kept = self._leading_to(set(outcomes))
        statements = tuple(
            s
            for s in self.parsed.statements
            if s.lhs in kept and (s.op == "=~" or all(v in kept for v in s.term.factors))
        )
        labels = {s.term.label for s in statements if s.term.label}
        keep = {d.name for d in self.definitions if {n.text for n in _used(d)} <= labels}
        parsed = replace(
            self.parsed,
            statements=statements,
            definitions=tuple(d for d in self.definitions if d.name in keep),
            constraints=tuple(
                c for c in self.parsed.constraints if {n.text for n in _used(c)} <= labels | keep
            ),
        )
        return _checked(replace(self, parsed=parsed))

    def _leading_to(self, names: set[str]) -> set[str]:
        """Variables with a path to one of these, with whatever measures or is measured by them."""
        while True:
            more = set(names)
            for s in self.parsed.statements:
                if s.op == "~" and s.lhs in names and s.term.fixed != 0:
                    more |= set(s.term.factors)
                if s.op == "=~" and (s.lhs in names or s.term.name in names & set(self.factors)):
                    more |= {s.lhs, s.term.name}
            if more == names:
                return names
            names = more

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Defined parameters, as written."""
        return self.parsed.definitions


def read_model(source: str | Path) -> Model:
    """Read a model, of this package or of another program.

    Parameters
    ----------
    source : str or Path
        A shipped study (``"alliance_mediation"``), a variant of one
        (``"alliance_mediation:no_alliance"``), a path to a ``.sem`` file, or model text: of lavaan,
        of semopy, or of Mplus (an ``.inp`` file, or text that begins with ``MODEL:``).

    Raises
    ------
    GrammarError
        At text that cannot be read.
    ModelError
        At a model that makes no sense: a factor that measures itself, an unknown name in a
        definition or constraint, definitions in a circle.
    StudyError
        At an unknown study, variant or file.
    NotAvailableError
        At what lavaan knows and this package does not.

    Examples
    --------
    >>> model = read_model("trust =~ tr1 + tr2 + tr3; sales ~ a*trust")
    >>> model.factors, model.observed, model.labels
    (('trust',), ('tr1', 'tr2', 'tr3', 'sales'), ('a',))
    >>> read_model(str(model)) == model
    True
    """
    if isinstance(source, Path) or _is_path(source):
        return _from_file(Path(source))
    named = STUDY.fullmatch(source)
    if named is not None:
        return _from_study(named[1], named[2])
    return _checked(Model(parse_any(source)))


def _is_path(source: object) -> bool:
    """Whether a text names a file: a model text that ends so has an operator in it."""
    if not isinstance(source, str):
        raise ModelError(
            f"A model is text or a path, not of type `{type(source).__name__}`.",
            hint="Give a study's name, a path to a `.sem` file, or the model's text.",
        )
    if not source.lower().endswith(ENDINGS) or "\n" in source:
        return False
    return re.search(r"[\w\s]\s*[=:]?~", source) is None or Path(source).is_file()


def _from_file(path: Path) -> Model:
    check_ending(path)
    text = read_text(path, StudyError)
    beside = path.with_suffix(".toml")
    book = read_codebook(beside) if beside.is_file() else None
    return _checked(Model(parse_any(text, str(path)), path.stem, book))


def _from_study(name: str, variant: str | None) -> Model:
    study = studies.find(name)
    book = read_codebook(study.codebook_path) if study.codebook_path else None
    text = read_text(study.model_path, StudyError)
    model = Model(parse(text, str(study.model_path)), name, book)
    return _checked(model) if variant is None else _checked(_vary(model, variant))


# --- variants -----------------------------------------------------------------------------------


def _vary(model: Model, name: str) -> Model:
    """Apply a variant of the codebook."""
    known = model.codebook.variants if model.codebook else {}
    if name not in known:
        hint = did_you_mean(name, known) or f"There are {', '.join(f'`{v}`' for v in known)}."
        hint = hint if known else "It has no variants."
        message = f"`{model.name}` has no variant `{name}`."
        raise StudyError(message, hint=hint, label=name)
    variant = known[name]
    if variant.model is not None:
        model = replace(_from_study(variant.model, None), name=model.name, codebook=model.codebook)
    return replace(model, parsed=_changed(model, variant, name), variant=name)


def _changed(model: Model, variant: Variant, name: str) -> Parsed:
    parsed = _extended(model, variant.add, name) if variant.add else model.parsed
    for target, value in variant.fix.items():
        parsed = _edit(parsed, target, name, _fixer(value))
    for target in variant.free:
        parsed = _edit(parsed, target, name, _lift)
    return parsed


def _extended(model: Model, text: str, name: str) -> Parsed:
    """The model's statements and, after them, a variant's own."""
    assert model.codebook is not None
    more = parse(text, f"{model.codebook.path}: [variants.{name}] add")
    known = {s.key for s in model.parsed.statements}
    for s in more.statements:
        if s.key in known:
            raise StudyError(
                f"The variant `{name}` adds `{s.lhs} {s.op} {s.term.name}`, which the model has.",
                hint="Use `fix` or `free` for what is there already.", span=s.span,
            )  # fmt: skip
    return replace(
        model.parsed,
        statements=(*model.parsed.statements, *more.statements),
        definitions=(*model.parsed.definitions, *more.definitions),
        constraints=(*model.parsed.constraints, *more.constraints),
    )


def _fixer(value: float) -> Callable[[Term], Term]:
    """Fix a term and keep its label, so that claims about it can still be read."""
    return lambda term: replace(
        term, fixed=value, free=False, start=None, prior=None, prior_mark=None
    )


def _lift(term: Term) -> Term:
    return replace(term, fixed=None, free=True)


def _edit(parsed: Parsed, target: str, variant: str, change: Callable[[Term], Term]) -> Parsed:
    """Change the terms with a label, or the one written ``lhs op rhs``."""
    keys = {s.key for s in parse(target).statements} if "~" in target else set()
    chosen = [s.term.label == target or s.key in keys for s in parsed.statements]
    if not any(chosen):
        labels = [s.term.label for s in parsed.statements if s.term.label]
        message = f"The variant `{variant}` changes `{target}`, which the model does not have."
        raise StudyError(message, hint=did_you_mean(target, labels), label=target)
    pairs = zip(parsed.statements, chosen, strict=True)
    edited = tuple(replace(s, term=change(s.term)) if hit else s for s, hit in pairs)
    return replace(parsed, statements=edited)


# --- checks that need no data -------------------------------------------------------------------


def _checked(model: Model) -> Model:
    if not model.parsed.statements:
        _check_names(model)  # `y <- x` reads as a constraint
        hint = "A first line might be `f =~ x1 + x2 + x3`."
        raise ModelError("The model says nothing.", hint=hint)
    _check_factors(model)
    _check_products(model)
    _check_labels(model)
    _check_names(model)
    _check_circles(model)
    return model


def _check_factors(model: Model) -> None:
    """Refuse what measures or explains itself, at once or around a circle."""
    for s in model.parsed.statements:
        if s.op in ("=~", "~") and s.term.factors == (s.lhs,):
            verb = "measured by" if s.op == "=~" else "regressed on"
            raise ModelError(f"`{s.lhs}` is {verb} itself.", span=s.span, label=s.lhs)
    measured: dict[str, set[str]] = {}
    for s in _of(model, "=~"):
        measured.setdefault(s.lhs, set()).add(s.term.name)
    circle = _circle(measured)
    if circle:
        span = next(s.span for s in _of(model, "=~") if s.lhs == circle[0])
        shown = " =~ ".join(circle)
        raise ModelError(f"Factors measure each other in a circle: {shown}.", span=span)


def _check_products(model: Model) -> None:
    """Refuse a product with a part that stands nowhere else: a misspelling, most often."""
    known = set(model.variables)
    for s in model.parsed.statements:
        for part in s.term.factors if len(s.term.factors) > 1 else ():
            if part not in known:
                hint = did_you_mean(part, known) or f"Add its main effect: `{s.lhs} ~ {part}`."
                message = f"`{part}` stands in the product `{s.term.name}` and nowhere else."
                raise ModelError(message, span=s.term.span, hint=hint, label=part)


def _check_labels(model: Model) -> None:
    """Refuse a label that would have to be two numbers, or a parameter and a definition."""
    fixed: dict[str, float] = {}
    for s in model.parsed.statements:
        label, value = s.term.label, s.term.fixed
        if label is None or value is None:
            continue
        if fixed.setdefault(label, value) != value:
            values = f"{number_text(fixed[label])} and at {number_text(value)}"
            message = f"`{label}` is fixed at {values}."
            raise ModelError(message, span=s.term.span, hint="Use two labels.", label=label)
    labels = set(model.labels)
    for d in model.definitions:
        if d.name in labels:
            message = f"`{d.name}` is both a label and a defined parameter."
            raise ModelError(message, span=d.span, hint="Rename one of them.", label=d.name)


def _check_names(model: Model) -> None:
    """Refuse unknown names in definitions and constraints."""
    known = {*model.labels, *(d.name for d in model.definitions)}
    items: tuple[Definition | Constraint, ...] = (*model.definitions, *model.parsed.constraints)
    for item in items:
        for name in _used(item):
            if name.text not in known:
                message = f"`{name.text}` is neither a label nor a defined parameter."
                hint = did_you_mean(name.text, known) or "Give a parameter this label: `y ~ a*x`."
                raise ModelError(message, span=name.span, hint=hint, label=name.text)


def _check_circles(model: Model) -> None:
    """Refuse definitions that use each other in a circle."""
    circle = _circle({d.name: {n.text for n in _used(d)} for d in model.definitions})
    if circle:
        span = next(d.span for d in model.definitions if d.name == circle[0])
        message = f"Definitions use each other in a circle: {' := '.join(circle)}."
        raise ModelError(message, span=span, label=circle[0])


def _used(item: Definition | Constraint) -> Iterator[Name]:
    trees = (item.expression,) if isinstance(item, Definition) else (item.left, item.right)
    return (node for tree in trees for node in walk(tree) if isinstance(node, Name))


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Find names that lead back to themselves: the circle in order, shortened, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        circle: list[str] = list(reversed(found.args[1]))
        return circle if len(circle) <= 8 else [*circle[:6], "...", circle[-1]]
    return []


def _of(model: Model, op: str) -> list[Statement]:
    return [s for s in model.parsed.statements if s.op == op]


def _names(statement: Statement) -> tuple[str, ...]:
    """Name the variables of a statement; a product and a threshold add none."""
    factors = statement.term.factors
    return (statement.lhs, *factors) if len(factors) == 1 else (statement.lhs,)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
