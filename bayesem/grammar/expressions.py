"""Expressions by operator precedence: one reader for definitions, constraints and claims.

Nesting is counted, so that a hostile text ends in an error that points and never in a full stack.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from bayesem.errors import did_you_mean
from bayesem.grammar.statements import (
    AND,
    COMPARE,
    NOT,
    OR,
    POWER,
    PRECEDENCE,
    SIGN,
    SUM,
    And,
    Argument,
    Binary,
    Call,
    Chain,
    Comparison,
    Expression,
    Name,
    Node,
    Not,
    Number,
    Or,
    Unary,
    expression_text,
)
from bayesem.grammar.tokens import ErrorKind, Span, Token

DEEPEST = 50  # brackets, signs and exponents inside one another
TALLEST = 100  # operators above one another in the tree, so that walking it is always safe
RESERVED = frozenset(("NA", "NaN", "Inf", "TRUE", "FALSE", "NULL", "and", "or", "not"))
COMPARISONS = ("<", ">", "<=", ">=")


class Cursor:
    """A place in a list of tokens, which moves on as they are read.

    Parameters
    ----------
    tokens : list of Token
    end : Span
        Where to point when more was expected.
    error : type
        The exception that this text raises.
    hints : mapping of str to str, optional
        What to write instead of an operator that cannot stand where it was found.
    """

    def __init__(
        self,
        tokens: list[Token],
        end: Span,
        error: ErrorKind,
        hints: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.tokens = tokens
        self.at = 0
        self.end = Token("end", "", end)
        self.error = error
        self.hints = hints

    @property
    def here(self) -> Token:
        """The token to be read next; at the end, an empty one."""
        return self.tokens[self.at] if self.at < len(self.tokens) else self.end

    def ahead(self, steps: int = 1) -> Token:
        """Look past the next token."""
        at = self.at + steps
        return self.tokens[at] if at < len(self.tokens) else self.end

    def take(self) -> Token:
        """Read one token."""
        token = self.here
        self.at += 1
        return token

    def accept(self, *texts: str) -> Token | None:
        """Read one token if it is one of these operators."""
        return self.take() if self.here.kind == "op" and self.here.text in texts else None

    def expect(self, text: str, example: str) -> Token:
        """Read this operator or say what should have stood here."""
        found = self.accept(text)
        if found is None:
            raise self.unexpected(f"`{text}`, as in `{example}`")
        return found

    def name(self, what: str) -> Token:
        """Read a name."""
        if self.here.kind != "name":
            raise self.unexpected(what)
        if self.here.text in RESERVED:
            raise self.fail(f"`{self.here.text}` is reserved and names nothing.", self.here.span)
        return self.take()

    def unexpected(self, wanted: str) -> Exception:
        """Make the error for a token that cannot stand here."""
        token = self.here
        found = f"`{token.text}`" if token.text.strip() else "the end"
        hint = self.hints.get(token.text, "") if token.kind == "op" else ""
        return self.fail(f"Expected {wanted}, found {found}.", token.span, hint)

    def fail(self, message: str, span: Span | None, hint: str = "") -> Exception:
        """Make an error of the kind this text raises."""
        return self.error(message, span=span, hint=hint)


type ArgumentReader = Callable[["Reader"], tuple[Expression | Argument, ...]]


class Reader:
    """Reads expressions from a cursor.

    Parameters
    ----------
    cursor : Cursor
    functions : mapping of str to callable
        How each known function reads what stands between its brackets.
    claims : bool
        Whether comparisons, ``and``, ``or`` and ``not`` are read as well.
    """

    def __init__(
        self, cursor: Cursor, functions: Mapping[str, ArgumentReader], *, claims: bool
    ) -> None:
        self.cursor = cursor
        self.functions = functions
        self.claims = claims
        self._depth = 0
        self._heights: dict[int, int] = {}
        self._alive: list[Node] = []  # ids are unique among the living only

    def expression(self, level: int = OR) -> Node:
        """Read as much as binds at least as tightly as ``level``."""
        left = self._prefix()
        while (found := self._binding(self.cursor.here)) is not None and found >= level:
            left = self._infix(left, found)
        return left

    def number(self) -> Expression:
        """Read an expression that is a number and no claim."""
        return self._as_number(self.expression(), "this place")

    def arguments(self, least: int = 1, most: int | None = None) -> tuple[Expression, ...]:
        """Read expressions between commas, up to the closing bracket."""
        args = [self.number()]
        while self.cursor.accept(","):
            args.append(self.number())
        if len(args) < least or (most is not None and len(args) > most):
            wanted = f"{least}" if least == most else f"at least {least}"
            found = f"{len(args)} argument{'s' if len(args) > 1 else ''} instead of {wanted}"
            raise self.cursor.fail(f"The function has {found}.", args[-1].span)
        return tuple(args)

    def _binding(self, token: Token) -> int | None:
        if token.kind == "op" and token.text in PRECEDENCE:
            return PRECEDENCE[token.text]
        if not self.claims:
            return None
        if token.kind == "op" and token.text in COMPARISONS:
            return COMPARE
        words = {"and": AND, "or": OR}
        return words.get(token.text) if token.kind == "name" else None

    def _prefix(self) -> Node:
        token = self.cursor.here
        if token.kind == "number":
            self.cursor.take()
            return Number(float(token.text), token.span)
        if self.cursor.accept("("):
            return self._bracket(token)
        if self.cursor.accept("-"):
            return self._sign(token)
        if token.kind != "name":
            raise self.cursor.unexpected("a name, a number or `(`")
        if self.claims and token.text == "not":
            return self._not(self.cursor.take())
        if self.cursor.ahead().text == "(":
            return self._call(self.cursor.take())
        self.cursor.name("a name")
        return Name(token.text, token.span)

    def _bracket(self, opening: Token) -> Node:
        with self._nested(opening):
            inner = self.expression()
        self.cursor.expect(")", "(a + b)")
        return inner

    def _sign(self, token: Token) -> Node:
        with self._nested(token):
            operand = self._as_number(self.expression(SIGN), "a sign")
        return self._grow(Unary("-", operand, _joined(token.span, operand)), operand)

    def _not(self, token: Token) -> Node:
        with self._nested(token):
            part = self.as_claim(self.expression(NOT))
        return self._grow(Not(part, _joined(token.span, part)), part)

    def _call(self, token: Token) -> Node:
        read = self.functions.get(token.text)
        if read is None:
            hint = did_you_mean(token.text, self.functions)
            hint = hint or f"Known are {', '.join(f'`{name}`' for name in self.functions)}."
            raise self.cursor.fail(f"There is no function `{token.text}`.", token.span, hint)
        with self._nested(self.cursor.take()):
            args = read(self)
        closing = self.cursor.expect(")", f"{token.text}(...)")
        return self._grow(Call(token.text, args, token.span.to(closing.span)), *args)

    def _infix(self, left: Node, level: int) -> Node:
        if level in (AND, OR):
            return self._join(left, level)
        if level == COMPARE:
            return self._compare(left)
        op = self.cursor.take()
        if level == POWER:
            with self._nested(op):
                right = self.expression(SIGN)
        else:
            right = self.expression(level + 1)
        a, b = self._as_number(left, "arithmetic"), self._as_number(right, "arithmetic")
        return self._grow(Binary(op.text, a, b, _joined(a.span, b)), a, b)

    def _join(self, left: Node, level: int) -> Node:
        word = "and" if level == AND else "or"
        parts = [self.as_claim(left)]
        while self.cursor.here.kind == "name" and self.cursor.here.text == word:
            self.cursor.take()
            parts.append(self.as_claim(self.expression(level + 1)))
        kind = And if level == AND else Or
        return self._grow(kind(tuple(parts), _joined(parts[0].span, parts[-1])), *parts)

    def _compare(self, left: Node) -> Node:
        """Read ``a > b`` and go on while another comparison follows."""
        comparisons: list[Comparison] = []
        smaller = self._as_number(left, "a comparison")
        while (op := self.cursor.accept(*COMPARISONS)) is not None:
            if comparisons and comparisons[0].op[0] != op.text[0]:
                hint = "Split it in two and join them with `and`."
                raise self.cursor.fail("A chain goes one way only.", op.span, hint)
            right = self._as_number(self.expression(SUM), "a comparison")
            node = Comparison(op.text, smaller, right, _joined(smaller.span, right))
            comparisons.append(node)
            self._grow(node, smaller, right)
            smaller = right
        if len(comparisons) == 1:
            return comparisons[0]
        span = _joined(comparisons[0].span, comparisons[-1])
        return self._grow(Chain(tuple(comparisons), span), *comparisons)

    def as_claim(self, node: Node) -> Comparison | Chain | And | Or | Not | Call | Name:
        """Pass on what is true or false, or may be: a bare name may be a proposition's."""
        if is_claim(node) or isinstance(node, Name):
            return node  # type: ignore[return-value]
        text = shortened(node)
        hint = "Compare it with something: `> 0`, say."
        raise self.cursor.fail(f"`{text}` is a number, not a claim.", node.span, hint)

    def _as_number(self, node: Node, use: str) -> Expression:
        if not is_claim(node):
            return node  # type: ignore[return-value]
        text = shortened(node)
        if use == "a comparison":
            message = f"`{text}` is a claim: a comparison of two claims says nothing."
            hint = "Join claims with `and`, `or`, `not`; compare numbers."
        else:
            message = f"`{text}` is a claim, true or false: {use} needs a number."
            hint = "Join claims with `and`, `or`, `not`."
        raise self.cursor.fail(message, node.span, hint)

    @contextmanager
    def _nested(self, token: Token) -> Iterator[None]:
        """Count what stands inside what."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.cursor.fail(f"More than {DEEPEST} levels of nesting.", token.span)
        yield
        self._depth -= 1

    def _grow[T: Node](self, node: T, *children: Node) -> T:
        """Record how tall the tree is under a new node."""
        height = 1 + max((self._heights.get(id(child), 0) for child in children), default=0)
        if height > TALLEST:
            hint = "Define a part of it under a name of its own."
            message = f"More than {TALLEST} operators in a row."
            raise self.cursor.fail(message, children[-1].span, hint)
        self._heights[id(node)] = height
        self._alive.append(node)
        return node


def is_claim(node: Node) -> bool:
    """Whether a node is true or false rather than a number."""
    if isinstance(node, Call):
        return node.name == "null"
    return isinstance(node, Comparison | Chain | And | Or | Not)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, left to right.

    Examples
    --------
    >>> [type(n).__name__ for n in walk(Binary("+", Name("a"), Number(1)))]
    ['Binary', 'Name', 'Number']
    """
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(tuple(_children(found))))


def _children(node: Node) -> Iterable[Node]:
    match node:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Call(_, args):
            return args
        case And(parts) | Or(parts):
            return parts
        case Chain(parts):
            return (parts[0].left, *(part.right for part in parts))
        case Not(part):
            return (part,)
        case _:
            return ()


def shortened(node: Node) -> str:
    """Write a node for a message."""
    text = expression_text(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _joined(first: Span | None, last: Node) -> Span | None:
    return first.to(last.span) if first is not None and last.span is not None else first
