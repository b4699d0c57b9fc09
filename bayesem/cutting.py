"""A graph cut in two: some factors with all that lies among them, loose from the rest.

What is cut is as if it had never been written, so that priors that depend on the number of
predictors are those of the part alone; residuals that a default would correlate are set to 0.
Given the same answers, the part then has the posterior that it has as a model by itself.
"""

from collections.abc import Iterator
from dataclasses import replace

from bayesem.errors import ModelError, did_you_mean
from bayesem.grammar.expressions import walk
from bayesem.grammar.parse import parse
from bayesem.grammar.statements import Constraint, Definition, Name, Statement
from bayesem.model import Model, read_model

__all__ = ["cut", "part"]


def cut(model: Model | str, factors: tuple[str, ...]) -> Model:
    """Cut every path and covariance between some factors and the rest of a model.

    Parameters
    ----------
    model : Model or str
    factors : tuple of str
        Of one side, and observed variables with paths of their own; factors below them and their
        indicators come along.

    Returns
    -------
    Model
        Both sides, with nothing between them.

    Raises
    ------
    ModelError
        For a name that is no variable, or an indicator on both sides.

    Examples
    --------
    >>> print(cut("f =~ a + b + c; g =~ d + e + h; g ~ w*f", ("f",)))
    f =~ a + b + c
    g =~ d + e + h
    f ~~ 0*g
    <BLANKLINE>
    """
    model = read_model(model) if isinstance(model, str) else model
    mine = _side(model, factors)
    kept = tuple(s for s in model.parsed.statements if _whole(s, mine))
    here = [f for f in model.factors if f in mine]
    there = [f for f in model.factors if f not in mine]
    between = "\n".join(f"{f} ~~ {' + '.join(f'0*{g}' for g in there)}" for f in here if there)
    more = parse(between).statements if between else ()
    return _with(model, (*kept, *more))


def part(model: Model | str, factors: tuple[str, ...]) -> Model:
    """One side of :func:`cut` by itself.

    Parameters
    ----------
    model : Model or str
    factors : tuple of str
    """
    model = read_model(model) if isinstance(model, str) else model
    mine = _side(model, factors)
    return _with(model, tuple(s for s in model.parsed.statements if {*_names(s)} <= mine))


def _side(model: Model, factors: tuple[str, ...]) -> set[str]:
    """Factors with those below them and all their indicators."""
    for name in factors:
        if name not in model.variables:
            hint = did_you_mean(name, model.variables) or "Name factors."
            raise ModelError(f"`{name}` is no variable of the model.", hint=hint, label=name)
    mine, before = set(factors), set[str]()
    while mine != before:
        before = set(mine)
        mine |= {s.term.name for s in model.parsed.statements if s.op == "=~" and s.lhs in mine}
    both = [s for s in model.parsed.statements if s.op == "=~" and s.lhs not in mine]
    for s in both:
        if s.term.name in mine:
            raise ModelError(
                f"`{s.term.name}` measures factors on both sides of the cut.", span=s.span,
                hint="Put those factors on one side.", label=s.term.name,
            )  # fmt: skip
    return mine


def _names(statement: Statement) -> Iterator[str]:
    yield statement.lhs
    if statement.op != "~1" and statement.op != "|":
        yield from statement.term.factors


def _whole(statement: Statement, mine: set[str]) -> bool:
    """Whether a statement lies on one side."""
    sides = {name in mine for name in _names(statement)}
    return len(sides) == 1


def _with(model: Model, statements: tuple[Statement, ...]) -> Model:
    labels = {s.term.label for s in statements if s.term.label}
    parsed = replace(
        model.parsed,
        statements=statements,
        definitions=tuple(d for d in model.definitions if _known(d, labels)),
        constraints=tuple(c for c in model.parsed.constraints if _known(c, labels)),
    )
    return replace(model, parsed=parsed)


def _known(item: Definition | Constraint, labels: set[str]) -> bool:
    """Whether a definition or constraint speaks of labels that are left."""
    trees = (item.expression,) if isinstance(item, Definition) else (item.left, item.right)
    named = {node.text for tree in trees for node in walk(tree) if isinstance(node, Name)}
    return named <= labels
