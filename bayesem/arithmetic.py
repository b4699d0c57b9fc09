"""Arithmetic of definitions: our own nodes, evaluated by numpy or into a PyTensor graph."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bayesem.errors import ConstraintError
from bayesem.grammar.statements import Binary, Call, Definition, Expression, Name, Number, Unary

__all__ = ["FUNCTIONS", "OPERATORS", "apply_function", "defined", "evaluate", "names_in"]


def _float(value: Any) -> Any:
    """A number that gives infinity or NaN where Python's own would stop the program."""
    return np.float64(value) if isinstance(value, float | int) else value


#: Functions of numbers.
FUNCTIONS = frozenset({"exp", "log", "sqrt", "abs", "min", "max"})

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: _float(a) / b,
    "^": lambda a, b: _float(a) ** b,
}


def evaluate(node: Expression, values: Mapping[str, Any], *, xp: Any = np) -> Any:
    """Value of an expression, where names stand for ``values``.

    Parameters
    ----------
    node : Expression
    values : mapping of str to array
    xp : module, default numpy
        Pass ``pytensor.tensor`` to build a graph.

    Raises
    ------
    ConstraintError
        If a name is not known.

    Examples
    --------
    >>> evaluate(Binary("*", Name("a"), Number(2.0)), {"a": 3.0})
    6.0
    """
    match node:
        case Number(value=value):
            return value
        case Name(text=text):
            if text not in values:
                raise ConstraintError(f"`{text}` is not defined.", span=node.span)
            return values[text]
        case Unary(operand=operand):
            return -evaluate(operand, values, xp=xp)
        case Binary(op=op, left=left, right=right):
            return OPERATORS[op](evaluate(left, values, xp=xp), evaluate(right, values, xp=xp))
        case Call(name=name, args=args):
            inner = [evaluate(a, values, xp=xp) for a in args]  # type: ignore[arg-type]
            return apply_function(name, inner, xp=xp)
    raise ConstraintError(f"a {type(node).__name__} is not arithmetic.", span=node.span)


def apply_function(name: str, args: Sequence[Any], *, xp: Any = np) -> Any:
    """Value of ``exp log sqrt abs`` of one argument, or of ``min max`` of several."""
    match name:
        case "exp" | "log" | "sqrt" | "abs":
            return getattr(xp, name)(args[0])
        case "min" | "max":
            pick = getattr(xp, "minimum" if name == "min" else "maximum")
            value = args[0]
            for other in args[1:]:
                value = pick(value, other)
            return value
    raise ConstraintError(f"`{name}` cannot stand in a definition.")


def defined(
    definitions: tuple[Definition, ...], values: Mapping[str, Any], *, xp: Any = np
) -> dict[str, Any]:
    """All defined parameters, whatever the order in which they are written.

    Parameters
    ----------
    definitions : tuple of Definition
    values : mapping of str to array
        The labels.
    """
    by_name = {d.name: d for d in definitions}
    known: dict[str, Any] = dict(values)

    def resolve(name: str) -> None:
        for inner in names_in(by_name[name].expression):
            if inner in by_name and inner not in known:
                resolve(inner)
        with np.errstate(all="ignore"):
            known[name] = evaluate(by_name[name].expression, known, xp=xp)

    for name in by_name:
        if name not in known:
            resolve(name)
    return {name: known[name] for name in by_name}


def names_in(node: Any) -> Iterator[str]:
    """Every name in an expression."""
    match node:
        case Name(text=text):
            yield text
        case Unary(operand=operand):
            yield from names_in(operand)
        case Binary(left=left, right=right):
            yield from names_in(left)
            yield from names_in(right)
        case Call(args=args):
            for arg in args:
                yield from names_in(arg)
