"""What model texts and claims are made of: frozen values, equal where they mean the same.

Spans say where a value was written and take no part in equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from bayesem.grammar.tokens import Source, Span

type Mark = Literal["sd", "var", "prec", "cov", "cor"]
type Operator = Literal["=~", "~", "~~", "~1", "|"]


# --- expressions, shared by definitions, constraints and claims ---------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A number, never negative: a sign is a `Unary`."""

    value: float
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A label, a defined parameter or, where a claim may stand, an earlier proposition."""

    text: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an operand."""

    op: Literal["-"]
    operand: "Expression"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic on two operands: ``+ - * / ^``."""

    op: str
    left: "Expression"
    right: "Expression"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of expressions or, in claims, of an argument of its own form."""

    name: str
    args: tuple["Expression | Argument", ...]
    span: Span | None = field(default=None, compare=False, repr=False)


# --- arguments of the functions that claims know ------------------------------------------------


@dataclass(frozen=True, slots=True)
class PathArgument:
    """``A -> M -> Y``."""

    nodes: tuple[str, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SlopeArgument:
    """``Y ~ A | W = 1, V = -1``."""

    outcome: str
    predictor: str
    conditions: tuple[tuple[str, "Expression"], ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LevelsArgument:
    """``Y ~ X | hi, lo``."""

    outcome: str
    predictor: str
    high: "Expression"
    low: "Expression"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ShareArgument:
    """``trust | phase = stabilisation``: a category among the references of one group."""

    category: str
    column: str
    group: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MeanArgument:
    """``Y | A = 1, B = 1``."""

    outcome: str
    conditions: tuple[tuple[str, "Expression"], ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


# --- claims -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left > right``; the operator is one of ``< > <= >=``."""

    op: str
    left: "Expression"
    right: "Expression"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """``a > b > c``: all its comparisons hold; they point the same way."""

    parts: tuple[Comparison, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple["Claim", ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds."""

    parts: tuple["Claim", ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Claim"
    span: Span | None = field(default=None, compare=False, repr=False)


type Expression = Number | Name | Unary | Binary | Call
type Argument = PathArgument | SlopeArgument | LevelsArgument | MeanArgument | ShareArgument
type Claim = Comparison | Chain | And | Or | Not | Call | Name
type Node = Expression | Argument | Claim


# --- statements ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """One variable on the right of an operator, with its modifiers.

    Attributes
    ----------
    name : str
        As written; a product as ``X:Z``; empty for an intercept; ``t1`` ... for a threshold.
    factors : tuple of str
        The variables multiplied: one, or two in a product, or none for an intercept or threshold.
    label : str or None
        Terms with one label are one parameter.
    fixed : float or None
        ``2*x``.
    free : bool
        ``NA*x``: free although a default would fix it.
    start : float or None
        ``start(0.5)*x`` or ``0.5?*x``.
    prior : str or None
        The text of ``prior("...")`` without its mark.
    prior_mark : {"sd", "var", "prec", "cov", "cor"} or None
        The quantity that the prior is on: ``prior("gamma(1,.5)[var]")``.
    """

    name: str
    factors: tuple[str, ...]
    label: str | None = None
    fixed: float | None = None
    free: bool = False
    start: float | None = None
    prior: str | None = None
    prior_mark: Mark | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """One variable, one operator, one term: ``A + B ~ x + y`` gives four."""

    op: Operator
    lhs: str
    term: Term
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """The parameter meant: ``x ~~ y`` is ``y ~~ x`` and ``X:Z`` is ``Z:X``."""
        right = ":".join(sorted(self.term.factors)) or self.term.name
        pair = sorted((self.lhs, right)) if self.op == "~~" else (self.lhs, right)
        return (self.op, *pair)


@dataclass(frozen=True, slots=True)
class Definition:
    """``name := expression``."""

    name: str
    expression: Expression
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """``left == right``, ``left < right`` or ``left > right``, over labels."""

    op: Literal["==", "<", ">"]
    left: Expression
    right: Expression
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A model text, read."""

    statements: tuple[Statement, ...]
    definitions: tuple[Definition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    source: Source = field(default=Source(""), compare=False, repr=False)


# --- back to text -------------------------------------------------------------------------------

OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)
PRECEDENCE = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "^": POWER}


def to_text(parsed: Parsed) -> str:
    """Write canonical text, which parses back to an equal value.

    Examples
    --------
    >>> from bayesem.grammar.parse import parse
    >>> print(to_text(parse("f=~x1+.5*x2;f~~f # why")), end="")
    f =~ x1 + 0.5*x2
    f ~~ f
    """
    lines = [_write_group(*group) for group in _grouped(parsed.statements)]
    lines += [f"{d.name} := {expression_text(d.expression)}" for d in parsed.definitions]
    lines += [
        f"{expression_text(c.left)} {c.op} {expression_text(c.right)}" for c in parsed.constraints
    ]
    return "".join(f"{line}\n" for line in lines)


def _grouped(statements: tuple[Statement, ...]) -> Iterator[tuple[str, Operator, list[Term]]]:
    for (lhs, op), group in groupby(statements, key=lambda s: (s.lhs, s.op)):
        yield lhs, op, [statement.term for statement in group]


def _write_group(lhs: str, op: Operator, terms: list[Term]) -> str:
    return f"{lhs} {'~' if op == '~1' else op} {' + '.join(map(term_text, terms))}"


def term_text(term: Term) -> str:
    """Write a term with its modifiers.

    Examples
    --------
    >>> term_text(Term("x", ("x",), label="a", prior="gamma(1,.5)", prior_mark="var"))
    'a*prior("gamma(1,.5)[var]")*x'
    """
    modifiers = (
        number_text(term.fixed) if term.fixed is not None else "",
        "NA" if term.free else "",
        f"start({number_text(term.start)})" if term.start is not None else "",
        term.label or "",
        _prior_text(term),
        term.name or "1",
    )
    return "*".join(part for part in modifiers if part)


def _prior_text(term: Term) -> str:
    if term.prior is None:
        return ""
    quote = "'" if '"' in term.prior else '"'
    mark = f"[{term.prior_mark}]" if term.prior_mark else ""
    return f"prior({quote}{term.prior}{mark}{quote})"


def number_text(value: float) -> str:
    """Write a number so that it reads back exactly, without a needless ``.0``.

    Examples
    --------
    >>> number_text(2.0), number_text(-0.5)
    ('2', '-0.5')
    """
    return repr(float(value)).removesuffix(".0")


def expression_text(node: Node, outer: int = OR) -> str:
    """Write an expression or a claim with as few brackets as its tree needs.

    Parameters
    ----------
    node : Node
        What to write.
    outer : int, default OR
        How tightly the surroundings bind; what binds less is put in brackets.

    Examples
    --------
    >>> a, b = Name("a"), Name("b")
    >>> expression_text(Binary("*", Binary("+", a, b), Unary("-", a)))
    '(a + b)*-a'
    """
    inner, text = _node_text(node)
    return f"({text})" if inner < outer else text


def _node_text(node: Node) -> tuple[int, str]:
    match node:
        case Number(value):
            return ATOM, number_text(value)
        case Name(text):
            return ATOM, text
        case Unary(_, operand):
            return SIGN, f"-{expression_text(operand, SIGN)}"
        case Binary():
            return _binary_text(node)
        case Call(name, args):
            return ATOM, f"{name}({', '.join(expression_text(arg) for arg in args)})"
        case Comparison(op, left, right):
            return COMPARE, f"{expression_text(left, SUM)} {op} {expression_text(right, SUM)}"
        case Chain(parts):
            return COMPARE, _chain_text(parts)
        case And(parts):
            return AND, " and ".join(expression_text(part, NOT) for part in parts)
        case Or(parts):
            return OR, " or ".join(expression_text(part, AND) for part in parts)
        case Not(part):
            return NOT, f"not {expression_text(part, NOT)}"
        case _:
            return ATOM, _argument_text(node)


def _binary_text(node: Binary) -> tuple[int, str]:
    level = PRECEDENCE[node.op]
    # `^` groups to the right and takes a signed exponent bare; the others group to the left
    left, right = (level + 1, SIGN) if node.op == "^" else (level, level + 1)
    space = " " if level == SUM else ""
    text = f"{expression_text(node.left, left)}{space}{node.op}{space}"
    return level, text + expression_text(node.right, right)


def _chain_text(parts: tuple[Comparison, ...]) -> str:
    first = expression_text(parts[0].left, SUM)
    return first + "".join(f" {p.op} {expression_text(p.right, SUM)}" for p in parts)


def _argument_text(node: Argument) -> str:
    match node:
        case PathArgument(nodes):
            return " -> ".join(nodes)
        case SlopeArgument(outcome, predictor, conditions):
            return f"{outcome} ~ {predictor}{_conditions_text(conditions)}"
        case LevelsArgument(outcome, predictor, high, low):
            levels = f"{expression_text(high)}, {expression_text(low)}"
            return f"{outcome} ~ {predictor} | {levels}"
        case MeanArgument(outcome, conditions):
            return f"{outcome}{_conditions_text(conditions)}"
        case ShareArgument(category, column, group):
            return f"{category} | {column} = {group}"


def _conditions_text(conditions: tuple[tuple[str, Expression], ...]) -> str:
    written = ", ".join(f"{name} = {expression_text(value)}" for name, value in conditions)
    return f" | {written}" if written else ""
