"""Every refusal: its kind, its message, where it points, and what it suggests."""

import pytest

from bayesem.errors import (
    BayesemError,
    GrammarError,
    ModelError,
    NotAvailableError,
    PropositionError,
    StudyError,
    did_you_mean,
)
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.parse import parse
from bayesem.model import read_model
from bayesem.propositions import Rule, read_propositions

# text, line:column, the words it points at, a part of the message, a part of the hint
GRAMMAR = [
    ("y ~ x\na*x", "2:1", "a*x", "without an operator", "`=~`"),
    ("y ~", "1:4", "", "Expected a variable, found the end", ""),
    ("~ x", "1:1", "~", "Expected the name of a variable, found `~`", ""),
    ("y ~ x x2", "1:7", "x2", "found `x2`", "Join terms with `+`"),
    ("y ~ x\n  =~ z", "2:3", "=~", "A second operator", "line break"),
    ("y ~ x - z", "1:7", "-", "cannot be taken away", "0*x"),
    ("y ~ a*", "1:7", "", "Expected a variable", ""),
    ("y ~ a*b*x", "1:7", "b", "two different labels", "Keep one"),
    ("y ~ 2*3*x", "1:7", "3", "two different fixed values", ""),
    ("y ~ start(1)*2?*x", "1:14", "2?", "two different starting values", ""),
    ("y ~ x + 2*x\ny ~ 3*x", "2:5", "3*x", "two different fixed values", "Line 1 says `2*x`"),
    ("y ~ 2*NA*x", "1:7", "NA", "fixed and made free", "Keep one"),
    ("y ~ 2*start(1)*x", "1:7", "start(1)", "fixed and given a starting value", ""),
    ("y ~ 2*prior('normal(0,1)')*x", "1:7", "prior('normal(0,1)')", "fixed and given a prior", ""),
    ("y ~ prior('a()')*prior('b()')*x", "1:18", "prior('b()')", "two different priors", ""),
    ("y ~ prior('a()[vra]')*x", "1:11", "'a()[vra]'", "cannot be on `[vra]`", "`var`"),
    ("y ~ prior('a()[q]')*x", "1:11", "'a()[q]'", "cannot be on `[q]`", "[prec]"),
    ("y ~ prior('')*x", "1:11", "''", "prior is empty", ""),
    ("y ~ prior(a)*x", "1:11", "a", "a text in quotation marks", ""),
    ("y ~ prior('a()')", "1:17", "", "`*` and a variable after the modifier", ""),
    ("y ~ start(0.5)x", "1:15", "x", "`*` between a modifier and its variable", ""),
    ("y ~ start(a)*x", "1:11", "a", "Expected a number", ""),
    ("y ~ strat(1)*x", "1:5", "strat", "no modifier `strat`", "Did you mean `start`?"),
    ("y ~ pior('a()')*x", "1:5", "pior", "no modifier `pior`", "Did you mean `prior`?"),
    ("y ~ eqal('a')*x", "1:5", "eqal", "no modifier `eqal`", "Did you mean `equal`?"),
    ("y ~ foo(1)*x", "1:5", "foo", "no modifier `foo`", "Known are"),
    ("y ~ '2a'*x", "1:5", "'2a'", "cannot be a label", ""),
    ("y ~ and*x", "1:5", "and", "reserved", ""),
    ("NA ~ x", "1:1", "NA", "reserved", ""),
    ("y ~ 2", "1:5", "2", "`2` is no variable", "`~ 0*1`"),
    ("f =~ 1", "1:6", "1", "`1` is no variable", ""),
    ("u | x", "1:5", "x", "no threshold", "`t1`"),
    ("f =~ X:Z", "1:6", "X:Z", "right of `~` only", ""),
    ("X:Z ~ y", "1:2", ":", "stands on the right only", ""),
    ("a*y ~ x", "1:1", "a", "modifier on the left", ""),
    ("y ~ (a + b)*x", "1:5", "(", "Expected a variable, found `(`", ""),
    ("y ~ 2x", "1:5", "2", "runs into `x`", "`*`"),
    ("y ~ 1.2.3*x", "1:5", "1.2", "runs into `.`", ""),
    ("y ~ 1e999*x", "1:5", "1e999", "beyond", ""),
    ("y ~ 1e-999*x", "1:5", "1e-999", "beyond", ""),
    ("y ~ [x]", "1:5", "[", "`[` has no meaning", "`(`"),
    ("y ~ x \u2212 z", "1:7", "\u2212", "no meaning", "`-`"),
    ("y ~ x\x00", "1:6", "\x00", "U+0000", ""),
    ("y ~ \u201ca\u201d*x", "1:5", "\u201c", "no meaning", '`"`'),
    ("y ~ prior('a()*x", "1:11", "'", "never closed", ""),
    ("ab := (a", "1:7", "(", "never closed", ""),
    ("ab := a)", "1:8", ")", "closes nothing", ""),
    ("ab := a b", "1:9", "b", "an operator or the end", ""),
    ("ab := a ** b", "1:9", "**", "found `**`", ""),
    ("ab := exq(a)", "1:7", "exq", "no function `exq`", "Did you mean `exp`?"),
    ("ab := log(a, b)", "1:14", "b", "2 arguments instead of 1", ""),
    ("a := b\na := c", "2:1", "a := c", "defined twice", ""),
    ("a + b := c", "1:3", "+", "Expected `:=`", ""),
    ("a <= 1", "1:3", "<=", "no operator of a model", "Write `<`"),
    ("a = 1", "1:3", "=", "no operator of a model", "`=~` measured by"),
    ("a != 1", "1:3", "!=", "no operator of a model", "Constraints are"),
    ("x -> y", "1:3", "->", "no operator of a model", "`Y ~ X`"),
    ("0 < a < 1", "1:7", "<", "second comparison", "of its own"),
    ("t := " + "(" * 51 + "a" + ")" * 51, "1:56", "(", "More than 50 levels of nesting", ""),
    ("t := " + "-" * 51 + "a", "1:56", "-", "More than 50 levels of nesting", ""),
    ("t := " + "^".join("a" * 60), "1:107", "^", "More than 50 levels of nesting", ""),
    ("t := " + "+".join("a" * 102), "1:208", "a", "More than 100 operators", "name of its own"),
    ("y ~ " + "x" * 201, "1:5", "x" * 201, "at most 200 characters", ""),
]
LATER = [
    ("y ~ c(a, b)*x", "1:5", "c", "A modifier for each group"),
    ("y ~ start(c(1, 2))*x", "1:11", "c", "A modifier for each group"),
    ("efa('e')*f =~ x", "1:1", "efa", "exploratory block"),
    ("y ~ lower(0)*x", "1:5", "lower", "write a constraint"),
    ("y ~ rv('s')*x", "1:5", "rv", "random slope"),
    ("f <~ x", "1:3", "<~", "Composites"),
    ("y ~*~ y", "1:3", "~*~", "Scale factors"),
    ("group: 1\ny ~ x", "1:1", "group: 1", "block of its own"),
    ("level: within\ny ~ x", "1:1", "level: within", "block of its own"),
    ("y ~ x:z:w", "1:5", "x:z:w", "product of 3"),
    ("y ~ equal('f=~x')*x", "1:11", "'f=~x'", "by its formula"),
]
CLAIMS = [
    ("(a > 0) > (b > 0)", "1:2", "a > 0", "a comparison of two claims", "compare numbers"),
    ("a > (b > c)", "1:6", "b > c", "a comparison of two claims", ""),
    ("a + (b > 0) > 1", "1:6", "b > 0", "arithmetic needs a number", ""),
    ("std(a > 0) > 1", "1:5", "a > 0", "true or false", ""),
    ("null(std(a)) > 1", "1:1", "null(std(a))", "a comparison of two claims", ""),
    ("a + b", "1:1", "a + b", "is a number, not a claim", "`> 0`"),
    ("a > 0 and std(b)", "1:11", "std(b)", "is a number, not a claim", ""),
    ("a == 0", "1:3", "==", "found `==`", "null(std(x))"),
    ("a = 0", "1:3", "=", "found `=`", "null(std(x))"),
    ("a != 0", "1:3", "!=", "found `!=`", "not null"),
    ("a < b > c", "1:7", ">", "one way only", "`and`"),
    ("a > 0 | b > 0", "1:7", "|", "found `|`", "Write `or`"),
    ("a > 0 & b > 0", "1:7", "&", "no meaning", "Write `and`"),
    ("a > 0 && b > 0", "1:7", "&&", "found `&&`", "Write `and`"),
    ("a > 0 b > 0", "1:7", "b", "`b` follows no operator", ""),
    ("a > 0;", "1:6", ";", "found `;`", ""),
    ("a >", "1:4", "", "Expected a name, a number or `(`", ""),
    ("", "1:1", "", "claim is empty", ""),
    ("sope(Y ~ A) > 0", "1:1", "sope", "no function `sope`", "Did you mean `slope`?"),
    ("Total(A -> Y) > 0", "1:1", "Total", "no function `Total`", "Did you mean `total`?"),
    ("total(A -> M -> Y) > 0", "1:7", "A -> M -> Y", "two ends", "indirect"),
    ("indirect(A -> A) > 0", "1:15", "A", "passes `A` twice", ""),
    ("indirect(A) > 0", "1:11", ")", "Expected `->`", ""),
    ("slope(Y ~ A | W == 1) > 0", "1:17", "==", "sets a value with `=`", ""),
    ("slope(Y ~ A | W = b) > 0", "1:19", "b", "at which to look is a number", ""),
    ("slope(Y ~ A | W = 1, W = 2) > 0", "1:22", "W", "set twice", ""),
    ("slope(Y) > 0", "1:8", ")", "Expected `~`", ""),
    ("mean(Y | Y = 1) > 0", "1:6", "Y", "both the outcome and set", ""),
    ("do(Y) > 0", "1:5", ")", "Expected `|`", ""),
    ("risk_ratio(Y ~ X | 1) > 0", "1:21", ")", "Expected `,`", ""),
    ("max(a) > 0", "1:5", "a", "1 argument instead of at least 2", ""),
    ("null(a, b)", "1:9", "b", "2 arguments instead of 1", ""),
    ("a > " + "(" * 51 + "b" + ")" * 51, "1:55", "(", "More than 50 levels of nesting", ""),
    ("not " * 51 + "a > 0", "1:201", "not", "More than 50 levels of nesting", ""),
]
MODELS = [
    ("f =~ f", "1:1", "f =~ f", "measured by itself", ""),
    ("y ~ x\ny ~ y", "2:1", "y ~ y", "regressed on itself", ""),
    ("f =~ g + x\ng =~ f + z", "1:1", "f =~ g", "circle: f =~ g =~ f", ""),
    ("FIN =~ x; y ~ FIN + FNI:FIN", "1:21", "FNI:FIN", "nowhere else", "Did you mean `FIN`?"),
    ("y ~ x + x:z", "1:9", "x:z", "nowhere else", "`y ~ z`"),
    ("y ~ 1*a*x + 2*a*z", "1:13", "2*a*z", "fixed at 1 and at 2", "two labels"),
    ("y ~ ab*x; ab := 2*ab", "1:11", "ab := 2*ab", "both a label and a defined", ""),
    ("y ~ way*x; q := wya*2", "1:17", "wya", "neither a label nor", "Did you mean `way`?"),
    ("y ~ way*x; wya > 0", "1:12", "wya", "neither a label nor", "Did you mean `way`?"),
    ("y ~ a*x; p := q; q := p", "1:10", "p := q", "circle: p := q := p", ""),
]


def check(found: BayesemError, where: str, words: str, message: str, hint: str) -> None:
    assert message in found.message
    assert hint in found.hint
    assert found.span is not None
    assert found.span.where.removeprefix("<text>:").removeprefix("<claim>:") == where
    assert found.span.text == words
    assert found.span.where in str(found)


@pytest.mark.parametrize(("text", "where", "words", "message", "hint"), GRAMMAR)
def test_grammar(text: str, where: str, words: str, message: str, hint: str) -> None:
    with pytest.raises(GrammarError) as caught:
        parse(text)
    check(caught.value, where, words, message, hint)


@pytest.mark.parametrize(("text", "where", "words", "message"), LATER)
def test_what_lavaan_has_is_refused_by_name(
    text: str, where: str, words: str, message: str
) -> None:
    with pytest.raises(NotAvailableError) as caught:
        parse(text)
    check(caught.value, where, words, message, "")


@pytest.mark.parametrize(("text", "where", "words", "message", "hint"), CLAIMS)
def test_claims(text: str, where: str, words: str, message: str, hint: str) -> None:
    with pytest.raises(PropositionError) as caught:
        parse_claim(text)
    check(caught.value, where, words, message, hint)


@pytest.mark.parametrize(("text", "where", "words", "message", "hint"), MODELS)
def test_models(text: str, where: str, words: str, message: str, hint: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_model(text)
    check(caught.value, where, words, message, hint)


def test_an_error_reads_as_the_house_style_shows() -> None:
    with pytest.raises(GrammarError) as caught:
        parse("y ~ x\n  y ~ b*x + strat(1)*z", "models/alliance.sem")
    assert str(caught.value) == (
        "There is no modifier `strat`.\n"
        "  models/alliance.sem:2:13\n"
        "    y ~ b*x + strat(1)*z\n"
        "              ^^^^^   Did you mean `start`?"
    )


def test_a_long_line_is_shown_through_a_window() -> None:
    with pytest.raises(GrammarError) as caught:
        parse("y ~ " + " + ".join(f"x{i}" for i in range(500)) + " + 2 + z")
    line, carets = str(caught.value).splitlines()[2:4]
    assert len(line) <= 104
    assert line[carets.index("^")] == "2"


@pytest.mark.parametrize(
    ("source", "error", "message", "hint"),
    [
        ("alliance_mediaton", StudyError, "no study", "Did you mean `alliance_mediation`?"),
        ("alliance_mediation:no_aliance", StudyError, "no variant", "`no_alliance`"),
        ("missing.sem", StudyError, "no file `missing.sem`", ""),
        ("", ModelError, "says nothing", "f =~"),
        (3, ModelError, "not of type `int`", ""),
    ],
)
def test_sources(source, error: type[BayesemError], message: str, hint: str) -> None:
    with pytest.raises(error) as caught:
        read_model(source)
    assert message in caught.value.message
    assert hint in caught.value.hint


# file, line:column, message, hint
PROPOSITIONS = [
    ('[H1]\nsays = "s"\nclaim = "a > "\n', "3:14", "Expected a name", ""),
    ('[H1]\nsays = "s"\nclaim = "a > 0 and H2"\n', "3:20", "not a proposition before `H1`", ""),
    ('[H1]\nsays = "s"\nclam = "a > 0"\n', "3:1", "Unknown key `clam`", "Did you mean `claim`?"),
    ('[H1]\nsays = "s"\n', "1:1", "[H1] has no `claim`", ""),
    ('[rule]\nprop = 0.9\n', "2:1", "Unknown key `prop`", "Did you mean `prob`?"),
    ("[rule]\nprob = 0.2\n", "1:1", "between 0.5 and 1", ""),
    ("[rule]\nprob = 'high'\n", "2:1", "`prob` is no number", ""),
    ("[rule]\nrope = { pat = 0.1 }\n", "2:10", "Unknown key `pat`", "Did you mean `path`?"),
    ("modell = 'm'\n", "1:1", "Unknown key `modell`", "Did you mean `model`?"),
    ("[H1\n", "1:4", "not TOML", ""),
    ("a = " + "[" * 60, "1:55", "More than 50 levels", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "message", "hint"), PROPOSITIONS)
def test_propositions(tmp_path, text: str, where: str, message: str, hint: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(PropositionError) as caught:
        read_propositions(path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.span is not None
    assert caught.value.span.where == f"{path}:{where}"


CODEBOOKS = [
    ('[study]\ntitle = "t"\nnn = 3\n', "3:1", "Unknown key `nn`", "Did you mean `n`?"),
    ('[study]\ntitle = "t"\nn = 1.5\n', "3:1", "no number of cases", ""),
    ('[study]\ntitle = "t"\nscale = [10, 1]\n', "3:1", "ends before it starts", ""),
    ('[study]\ntitle = "t"\n[varients.x]\n', "1:1", "Unknown key `varients`", "`variants`"),
    ('[study]\ntitle = "t"\n[indicators.x]\ntext = "x"\nfactor = "F"\n', "5:1", "not among", ""),
    ('[study]\ntitle = "t"\n[indicators.x]\ntext = "x"\nfamily = "ordnal"\n', "5:1", "no family",
     "Did you mean `ordinal`?"),
    ('[study]\ntitle = "t"\n[variants.v]\n', "3:1", "changes nothing", ""),
    ('[study]\ntitle = "t"\n[variants.v]\nfix = { b = "0" }\n', "4:9", "`b` is no number", ""),
    ('[study]\nn = 3\n', "1:1", "[study] has no `title`", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "message", "hint"), CODEBOOKS)
def test_codebooks(tmp_path, text: str, where: str, message: str, hint: str) -> None:
    model, book = tmp_path / "m.sem", tmp_path / "m.toml"
    model.write_text("y ~ x\n")
    book.write_text(text)
    with pytest.raises(StudyError) as caught:
        read_model(model)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.span is not None
    assert caught.value.span.where == f"{book}:{where}"


def test_a_rule_checks_itself() -> None:
    with pytest.raises(PropositionError, match="at least 1"):
        Rule(min_bayes_factor=0)


def test_did_you_mean_prefers_the_nearest() -> None:
    assert did_you_mean("rsc_1", ["rsc10", "rsc1", "ksc1"]) == "Did you mean `rsc1`?"
    assert did_you_mean("B", ["b", "c"]) == "Did you mean `b`?"
    assert did_you_mean("x" * 1000, ["x" * 999]) == ""
