"""A grammar is a table: text on the left, what it means on the right."""

import pytest

from bayesem.grammar.parse import parse
from bayesem.grammar.statements import to_text

# one line per term: lhs op name, then what differs from a plain term
TERMS = [
    ("f =~ x1 + x2", ["f =~ x1", "f =~ x2"]),
    ("A + B ~ x + y", ["A ~ x", "A ~ y", "B ~ x", "B ~ y"]),
    ("DC  ~~ FIN + REG", ["DC ~~ FIN", "DC ~~ REG"]),
    ("y ~ 1", ["y ~1 "]),
    ("y ~1", ["y ~1 "]),
    ("y ~ a*1 + x", ["y ~1  label=a", "y ~ x"]),
    ("y ~ 0*1", ["y ~1  fixed=0.0"]),
    ("u | t1 + t2", ["u | t1", "u | t2"]),
    ("u | -0.5*t1", ["u | t1 fixed=-0.5"]),
    ("y ~ X:Z", ["y ~ X:Z factors=('X', 'Z')"]),
    ("y ~ w*X:X", ["y ~ X:X label=w factors=('X', 'X')"]),
    ("y ~ a*x", ["y ~ x label=a"]),
    ("y ~ 2*x", ["y ~ x fixed=2.0"]),
    ("y ~ .5*x", ["y ~ x fixed=0.5"]),
    ("y ~ -1e-2*x", ["y ~ x fixed=-0.01"]),
    ("f =~ NA*x", ["f =~ x free=True"]),
    ("y ~ start(0.5)*x", ["y ~ x start=0.5"]),
    ("y ~ start(-0.5)*x", ["y ~ x start=-0.5"]),
    ("y ~ 0.5?*x", ["y ~ x start=0.5"]),
    ('y ~ equal("a")*x', ["y ~ x label=a"]),
    ("y ~ label('a')*x", ["y ~ x label=a"]),
    ('y ~ "a"*x', ["y ~ x label=a"]),
    ('y ~ prior("normal(0,1)")*x', ["y ~ x prior=normal(0,1)"]),
    ('y ~~ prior("gamma(1,.5)[var]")*y', ["y ~~ y prior=gamma(1,.5) prior_mark=var"]),
    ('y ~ a*prior("normal(0,1)")*x', ["y ~ x label=a prior=normal(0,1)"]),
    ('y ~ prior("normal(0,1)")*a*start(1)*x', ["y ~ x label=a start=1.0 prior=normal(0,1)"]),
    ("y ~ NA*a*x", ["y ~ x label=a free=True"]),
    ("y ~ 0*a*x", ["y ~ x label=a fixed=0.0"]),
    ("y ~ c*x", ["y ~ x label=c"]),
    ("y ~ x*x", ["y ~ x label=x"]),
    ("y.1 ~ a.b*.x_2", ["y.1 ~ .x_2 label=a.b"]),
    ("größe ~ β*ÉP", ["größe ~ ÉP label=β"]),
    ("y ~ a*x\ny ~ 0.5?*x", ["y ~ x label=a start=0.5"]),
    ("f =~ NA*x + a*x", ["f =~ x label=a free=True"]),
    ("x ~~ y\ny ~~ r*x", ["x ~~ y label=r"]),
    ("y ~ X:Z + w*Z:X", ["y ~ X:Z label=w factors=('X', 'Z')"]),
    ("y ~ x # a comment; z ~ x", ["y ~ x"]),
    ("y ~ x; z ~ x", ["y ~ x", "z ~ x"]),
    ("y ~ x +\n\n  # why\n  z", ["y ~ x", "y ~ z"]),
    ("y ~ x\n  + z", ["y ~ x", "y ~ z"]),
    ("y\n ~ x", ["y ~ x"]),
    ("y ~ prior(\n'normal(0,1)'\n)*x", ["y ~ x prior=normal(0,1)"]),
    ("\r\ny ~ x\r\nz ~ x\r\n", ["y ~ x", "z ~ x"]),
    ("y~x", ["y ~ x"]),
    ("group ~ x", ["group ~ x"]),
    ("", []),
    ("  # nothing\n;\n", []),
]
PLAIN = {"label": None, "fixed": None, "free": False, "start": None, "prior": None}


def described(text: str) -> list[str]:
    return [_one(s) for s in parse(text).statements]


def _one(statement) -> str:
    term, told = statement.term, {**PLAIN, "prior_mark": None}
    differing = [f" {k}={getattr(term, k)}" for k, v in told.items() if getattr(term, k) != v]
    product = f" factors={term.factors}" if len(term.factors) > 1 else ""
    return f"{statement.lhs} {statement.op} {term.name}{''.join(differing)}{product}"


@pytest.mark.parametrize(("text", "terms"), TERMS)
def test_terms(text: str, terms: list[str]) -> None:
    assert described(text) == terms
    assert parse(to_text(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ab:=a*b", "ab := a*b"),
        ("t := a*b+c", "t := a*b + c"),
        ("t := (a+b)*c", "t := (a + b)*c"),
        ("t := a-(b-c)", "t := a - (b - c)"),
        ("t := (a-b)-c", "t := a - b - c"),
        ("t := a/(b*c)", "t := a/(b*c)"),
        ("t := -a^2", "t := -a^2"),
        ("t := (-a)^2", "t := (-a)^2"),
        ("t := 2^-a^b", "t := 2^-a^b"),
        ("t := (2^a)^b", "t := (2^a)^b"),
        ("t := 2*-a", "t := 2*-a"),
        ("t := exp(a)/(1 + exp(a))", "t := exp(a)/(1 + exp(a))"),
        ("t := max(a, b, -c)", "t := max(a, b, -c)"),
        ("t := ((((a))))", "t := a"),
        ("a == b", "a == b"),
        ("a + b > 1.0", "a + b > 1"),
        ("-a < 0", "-a < 0"),
        ("a<-0.5", "a < -0.5"),
    ],
)
def test_definitions_and_constraints(text: str, canonical: str) -> None:
    assert to_text(parse(text)) == f"{canonical}\n"
    assert parse(canonical) == parse(text)


def test_a_line_that_starts_with_a_sign_is_a_statement_of_its_own() -> None:
    parsed = parse("a < 1\n-b < 0")
    assert [c.op for c in parsed.constraints] == ["<", "<"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 - 2 - 3", -4),
        ("2/4*8", 4),
        ("2*3 + 4^2/8", 8),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2^-1^2", 0.5),
        ("2 - -3*4", 14),
        ("(1 - 3)^2", 4),
        ("-3*-2", 6),
    ],
)
def test_precedence_is_arithmetic(text: str, value: float) -> None:
    assert evaluate(parse(f"t := {text}").definitions[0].expression) == value


def evaluate(node) -> float:
    match type(node).__name__:
        case "Number":
            return node.value
        case "Unary":
            return -evaluate(node.operand)
    left, right = evaluate(node.left), evaluate(node.right)
    return {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
        "^": lambda: left**right,
    }[node.op]()


def test_spans_point_at_the_terms() -> None:
    parsed = parse("f =~ x1\ny ~ a*f + b*x", "m.sem")
    span = parsed.statements[2].term.span
    assert (span.where, span.text) == ("m.sem:2:11", "b*x")
