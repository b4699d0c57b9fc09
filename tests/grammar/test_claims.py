"""Claims as text and as trees."""

import pytest

from bayesem.grammar.claims import (
    categories,
    names,
    parse_claim,
    propositions,
    variables,
)
from bayesem.grammar.statements import (
    And,
    Binary,
    Call,
    Chain,
    Comparison,
    LevelsArgument,
    MeanArgument,
    Name,
    Not,
    Number,
    Or,
    PathArgument,
    SlopeArgument,
    Unary,
    expression_text,
)

A, B, C, ZERO, ONE = Name("a"), Name("b"), Name("c"), Number(0), Number(1)
A_POSITIVE, B_POSITIVE = Comparison(">", A, ZERO), Comparison(">", B, ZERO)
MINUS_ONE = Unary("-", ONE)


def positive(node) -> Comparison:
    return Comparison(">", node, ZERO)


TREES = [
    ("a > 0", A_POSITIVE),
    ("a >= b", Comparison(">=", A, B)),
    ("0 < a <= 1", Chain((Comparison("<", ZERO, A), Comparison("<=", A, ONE)))),
    ("a > b > c", Chain((Comparison(">", A, B), Comparison(">", B, C)))),
    ("a > 0 and b > 0", And((A_POSITIVE, B_POSITIVE))),
    ("a > 0 or b > 0 and a > 0", Or((A_POSITIVE, And((B_POSITIVE, A_POSITIVE))))),
    ("(a > 0 or b > 0) and a > 0", And((Or((A_POSITIVE, B_POSITIVE)), A_POSITIVE))),
    ("(a > 0 and b > 0) and a > 0", And((And((A_POSITIVE, B_POSITIVE)), A_POSITIVE))),
    ("not a > 0 and b > 0", And((Not(A_POSITIVE), B_POSITIVE))),
    ("not (a > 0 and b > 0)", Not(And((A_POSITIVE, B_POSITIVE)))),
    ("not not a > 0", Not(Not(A_POSITIVE))),
    ("H1 and not H2", And((Name("H1"), Not(Name("H2"))))),
    ("H1", Name("H1")),
    ("a*b > c", Comparison(">", Binary("*", A, B), C)),
    ("null(std(a))", Call("null", (Call("std", (A,)),))),
    ("indirect(A -> M -> Y) > 0", positive(Call("indirect", (PathArgument(("A", "M", "Y")),)))),
    ("total(A -> Y) > 0", positive(Call("total", (PathArgument(("A", "Y")),)))),
    ("slope(Y ~ A) > 0", positive(Call("slope", (SlopeArgument("Y", "A"),)))),
    (
        "slope(Y ~ A | W = 1, V = -1) > 0",
        positive(Call("slope", (SlopeArgument("Y", "A", (("W", ONE), ("V", MINUS_ONE))),))),
    ),
    (
        "risk_ratio(Y ~ X | 1, -1) > 1",
        Comparison(">", Call("risk_ratio", (LevelsArgument("Y", "X", ONE, MINUS_ONE),)), ONE),
    ),
    ("mean(Y | A = 1) > 0", positive(Call("mean", (MeanArgument("Y", (("A", ONE),)),)))),
    ("do(Y | A = 1) > 0", positive(Call("do", (MeanArgument("Y", (("A", ONE),)),)))),
    ("max(a, b, c) > 0", positive(Call("max", (A, B, C)))),
    ("share(trust) > 0", positive(Call("share", (Name("trust"),)))),
    ("\n  a >\n  0 # why\n", A_POSITIVE),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_trees(text: str, tree) -> None:
    assert parse_claim(text) == tree
    assert parse_claim(expression_text(tree)) == tree


def test_a_claim_lists_what_it_names() -> None:
    claim = parse_claim(
        "H1 and std(a)*b > total(X -> Y) and share(trust) > 0 and slope(Y ~ A | W = 1) > 0"
    )
    assert [name for name, _ in names(claim)] == ["H1", "a", "b"]
    assert [name for name, _ in propositions(claim)] == ["H1"]
    assert [name for name, _ in variables(claim)] == ["X", "Y", "Y", "A", "W"]
    assert [name for name, _ in categories(claim)] == ["trust"]


def test_a_claim_inside_a_document_points_into_it() -> None:
    document = '[H1]\nclaim = "a > bb"\n'
    claim = parse_claim("a > bb", "p.toml", document.index("a > bb"), document)
    (_, first), (_, second) = names(claim)
    assert (first.where, second.where, second.text) == ("p.toml:2:10", "p.toml:2:14", "bb")
