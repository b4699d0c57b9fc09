"""Text and values are two spellings of one thing, and no text does worse than an error."""

import itertools
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from bayesem.errors import BayesemError
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.expressions import RESERVED
from bayesem.grammar.parse import parse
from bayesem.grammar.statements import (
    And,
    Binary,
    Call,
    Chain,
    Comparison,
    Constraint,
    Definition,
    LevelsArgument,
    MeanArgument,
    Name,
    Not,
    Number,
    Or,
    Parsed,
    PathArgument,
    SlopeArgument,
    Statement,
    Term,
    Unary,
    expression_text,
    to_text,
)
from bayesem.model import read_model
from bayesem.propositions import read_propositions

NAMES = st.from_regex(r"\A[A-Za-z_.][A-Za-z][A-Za-z0-9_.é]{0,6}\Z").filter(
    lambda name: name not in RESERVED
)
VALUES = st.floats(allow_nan=False, allow_infinity=False)
SIZES = st.floats(0, allow_nan=False, allow_infinity=False).map(abs)
PRIORS = st.text(string.ascii_lowercase + "(),. 0123456789'", min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)


# --- values -------------------------------------------------------------------------------------


@st.composite
def terms(draw, op: str) -> Term:
    name, factors = draw(_variables(op))
    label = draw(st.none() | NAMES)
    if draw(st.booleans()):
        return Term(name, factors, label=label, fixed=draw(VALUES))
    prior = draw(st.none() | PRIORS)
    mark = draw(st.none() | st.sampled_from(["sd", "var", "prec", "cov", "cor"]))
    return Term(
        name,
        factors,
        label=label,
        free=draw(st.booleans()),
        start=draw(st.none() | VALUES),
        prior=prior,
        prior_mark=mark if prior is not None else None,
    )


def _variables(op: str):
    single = NAMES.map(lambda name: (name, (name,)))
    if op == "~1":
        return st.just(("", ()))
    if op == "|":
        return st.integers(1, 9).map(lambda i: (f"t{i}", ()))
    product = st.tuples(NAMES, NAMES).map(lambda pair: (":".join(pair), pair))
    return single | product if op == "~" else single


@st.composite
def statements(draw) -> Statement:
    op = draw(st.sampled_from(["=~", "~", "~~", "~1", "|"]))
    return Statement(op, draw(NAMES), draw(terms(op)))


LEAVES = SIZES.map(Number) | NAMES.map(Name)


def extend(children, functions=("exp", "log", "sqrt", "abs")):
    return (
        st.builds(Unary, st.just("-"), children)
        | st.builds(Binary, st.sampled_from("+-*/^"), children, children)
        | st.builds(lambda name, arg: Call(name, (arg,)), st.sampled_from(functions), children)
        | st.builds(
            lambda args: Call("max", tuple(args)), st.lists(children, min_size=2, max_size=3)
        )
    )


EXPRESSIONS = st.recursive(LEAVES, extend, max_leaves=12)


@st.composite
def parsed_models(draw) -> Parsed:
    several = draw(st.lists(statements(), max_size=8, unique_by=lambda s: s.key))
    definitions = draw(
        st.lists(st.builds(Definition, NAMES, EXPRESSIONS), max_size=3, unique_by=lambda d: d.name)
    )
    comparison = st.sampled_from(["==", "<", ">"])
    constraint = st.builds(Constraint, comparison, EXPRESSIONS, EXPRESSIONS)
    constraints = draw(st.lists(constraint, max_size=3))
    return Parsed(tuple(several), tuple(definitions), tuple(constraints))


NUMBERS = SIZES.map(Number) | SIZES.map(lambda size: Unary("-", Number(size)))
OTHERS = st.lists(NAMES, min_size=2, max_size=4, unique=True).map(tuple)
CONDITIONS = st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=2).map(lambda d: tuple(d.items()))
EFFECTS = st.one_of(
    OTHERS.map(lambda nodes: Call("indirect", (PathArgument(nodes),))),
    OTHERS.map(lambda nodes: Call("total", (PathArgument(nodes[:2]),))),
    NAMES.map(lambda name: Call("share", (Name(name),))),
    st.builds(SlopeArgument, NAMES, NAMES, CONDITIONS).map(lambda a: Call("slope", (a,))),
    st.builds(LevelsArgument, NAMES, NAMES, NUMBERS, NUMBERS).map(
        lambda a: Call("risk_ratio", (a,))
    ),
    st.builds(MeanArgument, st.just("y"), CONDITIONS).map(lambda a: Call("do", (a,))),
)
QUANTITIES = st.recursive(
    LEAVES | EFFECTS, lambda inner: extend(inner, ("abs", "std")), max_leaves=6
)


@st.composite
def chains(draw) -> Chain:
    operators = draw(st.sampled_from([["<", "<="], [">", ">="]]))
    ends = draw(st.lists(QUANTITIES, min_size=3, max_size=4))
    pairs = itertools.pairwise(ends)
    return Chain(tuple(Comparison(draw(st.sampled_from(operators)), a, b) for a, b in pairs))


COMPARISONS = st.builds(Comparison, st.sampled_from(["<", ">", "<=", ">="]), QUANTITIES, QUANTITIES)
NULLS = QUANTITIES.map(lambda node: Call("null", (node,)))
CLAIMS = st.recursive(
    COMPARISONS | chains() | NULLS | NAMES.map(Name),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=6,
)


# --- there and back -----------------------------------------------------------------------------


@given(parsed_models())
def test_a_model_reads_back_from_its_text(model: Parsed) -> None:
    assert parse(to_text(model)) == model
    assert to_text(parse(to_text(model))) == to_text(model)


@given(EXPRESSIONS)
def test_an_expression_reads_back_from_its_text(expression) -> None:
    found = parse(f"t := {expression_text(expression)}").definitions[0].expression
    assert found == expression


@given(CLAIMS)
def test_a_claim_reads_back_from_its_text(claim) -> None:
    assert parse_claim(expression_text(claim)) == claim


@given(parsed_models())
def test_layout_means_nothing(model: Parsed) -> None:
    loose = "\n\n# why\n".join(f"  {line} ;" for line in to_text(model).splitlines())
    assert parse(loose) == model


# --- any text at all ----------------------------------------------------------------------------

MODEL_PIECES = """y x f a =~ ~ ~~ ~1 := == < > <= | + - * / ^ ( ) , : ; ? # NA 1 0.5 1e3 1e999
start(1) "q" prior('n(0,1)') equal('a') c( efa( group: <~ ~*~"""
CLAIM_PIECES = "-> and or not null( std( slope( total( indirect( mean( share( max( W = ["
ODD_PIECES = ("\n", "\\", "'", "\x00", "\ud7ff", "\u2212", "\U0001f600")
PIECES = st.sampled_from((*MODEL_PIECES.split(), *CLAIM_PIECES.split(), *ODD_PIECES))
NOISE = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join))


def survives(read, text: str) -> None:
    """Read the text or fail with an error of the package's own that can be printed."""
    try:
        read(text)
    except BayesemError as error:
        shown = str(error)
    else:
        return
    assert shown


@settings(max_examples=400)
@given(NOISE)
def test_any_text_is_read_or_refused(text: str) -> None:
    survives(parse, text)
    survives(parse_claim, text)
    survives(read_model, text)
    survives(lambda claim: read_propositions({"P1": claim}), text)


@settings(max_examples=50)
@given(PIECES, st.integers(1, 5000))
def test_repetition_is_read_or_refused(piece: str, times: int) -> None:
    for text in (piece * times, f"t := {piece * times} a", f"y ~ {piece * times} x"):
        survives(parse, text)
        survives(parse_claim, text)


@given(st.text(max_size=80) | st.integers(1, 3000).map(lambda n: "a = " + "[" * n))
def test_any_file_is_read_or_refused(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "p.toml"
    path.write_text(text, "utf-8", errors="replace")
    survives(read_propositions, path)


@settings(max_examples=400)
@given(NOISE)
def test_what_was_read_also_reads_back(text: str) -> None:
    """Whatever noise happens to be a model has a canonical text."""
    try:
        found = parse(text)
    except BayesemError:
        return
    assert parse(to_text(found)) == found
