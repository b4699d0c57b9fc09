"""Mplus' language: each statement against the same model in lavaan's, written by hand."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesem import studies
from bayesem.errors import BayesemError, GrammarError, ModelError, NotAvailableError
from bayesem.exchange.mplus import parse_mplus
from bayesem.exchange.mplus_text import is_mplus
from bayesem.grammar.statements import expression_text
from bayesem.model import read_model
from bayesem.partable import parameter_table

BASE = "f BY y1 y2 y3; g BY x1 x2 x3;"
LAVAAN = "f =~ y1 + y2 + y3; g =~ x1 + x2 + x3;"
PAIRS = [
    ("", ""),
    ("f ON g;", "f ~ g"),
    ("f on g ( b );", "f ~ b*g"),
    ("f ON g@0.5;", "f ~ 0.5*g"),
    ("f ON g@-.5;", "f ~ -.5*g"),
    ("f ON g*-2 (b);", "f ~ start(-2)*b*g"),
    ("z w ON f g;", "z ~ f + g; w ~ f + g"),
    ("z ON f (a)\n  g (b);", "z ~ a*f + b*g"),
    ("z ON f g (a);", "z ~ a*f + a*g"),
    ("z ON f g (a b);", "z ~ a*f + b*g"),
    ("z w PON f g;", "z ~ f; w ~ g"),
    ("y1 y2 PWITH x1 x2;", "y1 ~~ x1; y2 ~~ x2"),
    ("f WITH g@0;", "f ~~ 0*g"),
    ("y1 WITH y2-y3;", "y1 ~~ y2 + y3"),
    ("y1-y3 (1);", "y1 ~~ eq_1*y1; y2 ~~ eq_1*y2; y3 ~~ eq_1*y3"),
    ("y1@0; y2*0.3;", "y1 ~~ 0*y1; y2 ~~ start(0.3)*y2"),
    ("[y1-y2*]; [f@0] ; [g] (m);", "y1 ~ 1; y2 ~ 1; f ~ 0*1; g ~ m*1"),
    ("fg | f XWITH g;\nz ON f g fg (w);", "z ~ w*f + w*g + w*f:g"),
    ("ff | f xwith f; z ON f ff;", "z ~ f + f:f"),
    ("f BY z;", "f =~ z"),
    ("! f ON g;\nz ON f; !* w ON f;\n w ON g; *!", "z ~ f"),
]  # fmt: skip
CONSTRAINTS = [
    ("NEW(ab); ab = a*b;", "ab := a*b"),
    ("NEW(ab*0.5 t);\n ab = a*\n b**2; T = LOG(a) + ab/2;", "ab := a*b^2; t := log(a) + ab/2"),
    ("a = b;", "a == b"),
    ("0 = a - 2*b;", "0 == a - 2*b"),
    ("a > 0; b < 1;", "a > 0; b < 1"),
]  # fmt: skip


@pytest.mark.parametrize(("mplus", "lavaan"), PAIRS)
def test_statements(mplus, lavaan):
    assert read_model(f"MODEL: {BASE}\n{mplus}\n") == read_model(f"{LAVAAN}\n{lavaan}")


@pytest.mark.parametrize(("mplus", "lavaan"), CONSTRAINTS)
def test_model_constraint(mplus, lavaan):
    text = f"MODEL: {BASE}\nf ON g (a); z ON f (b);\nMODEL CONSTRAINT:\n{mplus}"
    assert read_model(text) == read_model(f"{LAVAAN}\nf ~ a*g; z ~ b*f\n{lavaan}")


@pytest.mark.parametrize(
    ("mplus", "lavaan"),
    [
        ("f BY y1* y2 y3; f@1;", "f =~ NA*y1 + y2 + y3; f ~~ 1*f"),
        ("f BY y1*0.7 y2*0.5 y3;", "f =~ NA*start(.7)*y1 + start(.5)*y2 + y3"),
        ("f BY y1 y2@0.8 y3;", "f =~ y1 + 0.8*y2 + y3"),
        ("f BY y1-y3 (a);", "f =~ y1 + a*y2 + a*y3"),
        ("f BY y1-y3 (a2-a3);", "f =~ y1 + a2*y2 + a3*y3"),
        ("f BY y1-y3* (a1-a3);", "f =~ NA*a1*y1 + a2*y2 + a3*y3"),
        ("f BY y1-y3@1;", "f =~ 1*y1 + 1*y2 + 1*y3"),
        ("f BY y08-y10;", "f =~ y08 + y09 + y10"),
        ("f BY y1\n y2 (b)\n y3 (c);", "f =~ y1 + b*y2 + c*y3"),
    ],
)
def test_loadings(mplus, lavaan):
    assert read_model(f"MODEL:\n{mplus}") == read_model(lavaan)


def test_whole_input_in_any_letter_case():
    text = """
    Title: a model: the first
    data: file is answers.dat;
    variable:
      names = id Trust1-Trust3 age sales;
      usevariables are Trust1-sales;
      missing are .;
    analysis: type = general; estimator = bayes;
    model:
      TRUST by trust1-TRUST3;   ! measured
      SALES on Trust (b)
               AGE;
    model indirect: sales ind trust age;
    model constraint: new(twice); twice = 2*B;
    output: stdyx cinterval;
    """
    expected = "TRUST =~ Trust1 + Trust2 + Trust3; sales ~ b*TRUST + age; twice := 2*b"
    assert read_model(text) == read_model(expected)


def test_lists_run_in_the_order_of_the_data():
    text = "VARIABLE: NAMES ARE b a d c;\nMODEL: f BY b-d; c ON f;"
    assert read_model(text) == read_model("f =~ b + a + d; c ~ f")
    used = "VARIABLE: NAMES ARE b a d c; USEVARIABLES ARE b d c;\nMODEL: f BY b-c;"
    assert read_model(used) == read_model("f =~ b + d + c")


def test_the_table_is_that_of_the_same_lavaan_model():
    """Mplus' defaults: free exogenous covariances, and residual ones of final outcomes."""
    mplus = read_model(f"MODEL: {BASE} z ON f g x; w ON f g x;")
    names = {r.name for r in parameter_table(mplus).rows if r.free}
    assert {"f ~~ g", "z ~~ w", "z ~1", "x1 ~1"} <= names
    assert not {"f ~1", "f =~ y1", "y1 ~~ y2"} & names


def test_a_file(tmp_path):
    path = tmp_path / "study.inp"
    path.write_text(f"MODEL: {BASE}\r\nf ON g;\r\n")
    assert read_model(path) == read_model(str(path)) == read_model(f"{LAVAAN} f ~ g")
    assert read_model(path).name == "study"
    path.write_text(f"MODEL:\n {BASE}\n f ON ;\n")
    with pytest.raises(GrammarError) as caught:
        read_model(path)
    assert f"{path}:3:4" in str(caught.value)


# --- a writer of the test's own, and back ---------------------------------------------------------


def written(model):
    """Statements in Mplus' language, one by one, every free first loading with a star."""
    lines, products, markers = [], {}, set()
    for s in model.parsed.statements:
        t = s.term
        value = "" if t.fixed is None else f"@{t.fixed!r}"
        value = f"*{t.start!r}" if t.start is not None else value
        value = "*" if t.free and t.start is None else value
        label = f" ({t.label})" if t.label else ""
        name = t.name
        if len(t.factors) > 1:
            name = products.setdefault(t.factors, f"prod{len(products)}")
            lines.append(f"{name} | {t.factors[0]} XWITH {t.factors[1]};")
        if s.op == "=~":
            lines.append(f"{s.lhs} BY {name}{value}{label};")
            markers.add(s.lhs)
        elif s.op == "~1":
            lines.append(f"[{s.lhs}{value}]{label};")
        elif s.lhs == name:
            lines.append(f"{name}{value}{label};")
        else:
            lines.append(f"{s.lhs} {'ON' if s.op == '~' else 'WITH'} {name}{value}{label};")
    text = "MODEL:\n" + "\n".join(dict.fromkeys(lines)) + "\nMODEL CONSTRAINT:\n"
    for d in model.definitions:
        text += f"NEW({d.name}); {d.name} = {expression_text(d.expression)};\n"
    for c in model.parsed.constraints:
        op = "=" if c.op == "==" else c.op
        text += f"{expression_text(c.left)} {op} {expression_text(c.right)};\n"
    return text


@pytest.mark.parametrize("name", studies.names())
def test_shipped_models_come_back(name):
    model = read_model(name)
    assert read_model(written(model)) == model


@st.composite
def texts(draw):
    lines = ["f =~ y1 + y2 + y3", "g =~ x1 + x2 + w"]
    for k in range(draw(st.integers(0, 6))):
        op = draw(st.sampled_from(["~", "~~"]))
        left, right = draw(st.sampled_from(["f", "v"])), draw(st.sampled_from(["g", "u", "u2"]))
        value = draw(st.sampled_from(["", "0.5*", "-2*", f"l{k}*", "start(0.25)*"]))
        lines.append(f"{left} {op} {value}{right}")
    kept = {line.split("*")[-1].strip() + line[:4]: line for line in lines}
    return "\n".join(kept.values())


@given(texts())
@settings(max_examples=60, deadline=None)
def test_random_models_come_back(text):
    model = read_model(text)
    assert read_model(written(model)) == model


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error", "message", "place"),
    [
        ("MODEL: f BY y1-x3;", GrammarError, "what stands between", "1:13"),
        ("MODEL: f BY y1-y3", GrammarError, "no `;`", "1:16"),
        ("MODEL: f BY y3-y1;", GrammarError, "what stands between", "1:13"),
        ("MODEL: f BY ;", GrammarError, "Nothing stands after", "1:10"),
        ("MODEL: BY y1;", GrammarError, "Nothing stands before", "1:8"),
        ("MODEL: f BY y1@x;", GrammarError, "Expected a number", "1:16"),
        ("MODEL: f BY y1 y2 (a b c);", GrammarError, "3 labels for 1", "1:19"),
        ("MODEL: f BY y1 y2\n (a);", GrammarError, "no variable on its line", "2:2"),
        ("MODEL: [y1;", GrammarError, "not closed", "1:8"),
        ("MODEL: f@1 ON g;", GrammarError, "before the verb", "1:8"),
        ("MODEL: f BY y1 ~ y2;", GrammarError, "no meaning in Mplus", "1:16"),
        ("MODEL: a b PON c;", GrammarError, "2 variables before and 1", "1:12"),
        ("MODEL: a b ON c d (p1-p2);", GrammarError, "Several labels", "1:12"),
        ("MODEL: i | f XWITH g; i@1;", GrammarError, "is a product", "1:23"),
        ("MODEL: s | y ON x;", NotAvailableError, "Random slopes", "1:8"),
        ("MODEL: i s | y1@0 y2@1;", NotAvailableError, "Random slopes and growth", "1:8"),
        ("MODEL: [u$1];", NotAvailableError, "Thresholds", "1:9"),
        ("MODEL: {u@1};", NotAvailableError, "Scale factors", "1:8"),
        ("MODEL:\n%WITHIN%\nf BY y1;", NotAvailableError, "Classes and levels", "2:1"),
        ("MODEL: f BY y1;\nMODEL g2: f BY y1;", NotAvailableError, "MODEL G2", "2:1"),
        ("MODEL: f BY y1;\nMODEL PRIORS: a ~ N(0,1);", NotAvailableError, "PRIORS", "2:1"),
        ("MODEL: f BY y1;\nMODEL TEST: a = b;", NotAvailableError, "MODEL TEST", "2:1"),
        ("DEFINE: z = x*y;\nMODEL: f BY y1;", NotAvailableError, "DEFINE", "1:1"),
        ("ANALYSIS: TYPE = TWOLEVEL;\nMODEL: f BY y1;", NotAvailableError, "TWOLEVEL", "1:11"),
        ("ANALYSIS: MODEL = NOCOV;\nMODEL: f BY y1;", NotAvailableError, "NOCOV", "1:11"),
        ("VARIABLE: NAMES ARE u; CATEGORICAL = u;\nMODEL: f BY u;", NotAvailableError, "CATEG", "1:24"),
        ("VARIABLE: GROUPING IS g (1=a);\nMODEL: f BY u;", NotAvailableError, "GROUPING", "1:11"),
        ("TITLE: nothing", GrammarError, "no `MODEL:`", "1:1"),
        ("MODEL: f ON g (a);\nMODEL CONSTRAINT: NEW(q);", GrammarError, "nothing says", "2:18"),
        ("MODEL: f ON g (a);\nMODEL CONSTRAINT: DO(1,3) a > 0;", NotAvailableError, "Loops", "2:19"),
        ("MODEL: f ON g (a);\nMODEL CONSTRAINT: a;", GrammarError, "without `=`", "2:19"),
        ("MODEL: f ON g (a);\nMODEL CONSTRAINT: = a;", GrammarError, "one side", "2:19"),
        ("MODEL: f ON g (a);\nMODEL CONSTRAINT: q > 0;", ModelError, "neither a label", "2:19"),
    ],
)  # fmt: skip
def test_refused_with_its_place(text, error, message, place):
    with pytest.raises(error, match=message) as caught:
        read_model(text)
    assert f"<text>:{place}\n" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "model ~ x", "y ~ model", "y ~ a +\n  model:z + model + z + a", "level: 1\nf =~ y",
        "# MODEL: f BY y;\nf =~ y + x + z", "data ~ model", "output =~ a + b + c",
    ],
)  # fmt: skip
def test_lavaan_is_not_taken_for_mplus(text):
    assert not is_mplus(text)


def test_mplus_without_its_heading_gets_a_hint():
    with pytest.raises(GrammarError, match="without an operator") as caught:
        read_model("f BY y1 y2 y3;")
    assert "`MODEL:`" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "!" * 5000 + "x", "! a\n" * 5000 + "f =~ x", " " * 200_000 + "x", "MODEL: f BY y1-y999999999;",
        "MODEL: " + "f BY y1-y9999; " * 4000, "MODEL: f ON g (a);\nMODEL CONSTRAINT: a > " + "(" * 5000 + "1;",
        "MODEL: f ON g (a);\nMODEL CONSTRAINT: a > " + "-" * 5000 + "1;", "MODEL: " + "y" * 5000 + ";",
        "MODEL:\0;", "MODEL: f BY __import__('os').system('false');", "MODEL: f BY \ud800;", "MODEL:" * 3000,
        "VARIABLE: NAMES ARE y1-y99999999999;\nMODEL: f BY y1;", "VARIABLE: NAMES = " + "a-" * 20000 + ";\nMODEL: f BY y;",
    ],
)  # fmt: skip
def test_hostile_text_ends_in_one_message(text):
    """Refused or read, and soon; nothing in it is run."""
    start, said = time.process_time(), ""
    try:
        read_model(text)
    except BayesemError as error:
        said = str(error)
    assert len(said) < 1500
    assert time.process_time() - start < 10


def test_spans_are_of_the_text_that_was_given():
    text = "MODEL: ! a comment of some length\n f by Y1 y2;\n Y1 WITH y2 (c);"
    found = [s.term.span.text for s in parse_mplus(text).statements]
    assert found == ["Y1", "y2", "y2"]
    assert [s.term.span.line for s in parse_mplus(text).statements] == [2, 2, 3]


def test_a_title_spells_no_name():
    text = "TITLE: Trust and Y1; a study\nDATA: FILE IS Y2.dat;\nMODEL: trust BY y1 y2 y3;\n"
    model = read_model(text)
    assert (model.factors, model.observed) == (("trust",), ("y1", "y2", "y3"))


@pytest.mark.parametrize(
    ("text", "verb", "line"),
    [
        ("MODEL: f BY y1 y2 y3\n g BY x1 x2 x3;", "BY", ":2:"),
        ("MODEL: f BY y1 y2 y3;\n z ON f\n\n w ON f;", "ON", ":4:"),
        ("MODEL: f BY y1 y2 y3;\n y1 WITH y2\n z ON f;", "ON", ":3:"),
        ("MODEL: f BY y1 y2 y3; fg | f XWITH f\n z ON f fg;", "ON", ":2:"),
    ],
)
def test_a_forgotten_semicolon_is_named_where_it_shows(text, verb, line):
    with pytest.raises(
        GrammarError, match=f"`{verb}` is the second verb.*`;` is missing"
    ) as caught:
        read_model(text)
    assert line in str(caught.value)
    assert "began in line" in caught.value.hint


@pytest.mark.parametrize("codes", ["ARE ALL (-99)", "= y1 (9) y2 (8 9)"])
def test_codes_of_missing_answers_are_not_passed_over(codes):
    text = f"VARIABLE: NAMES ARE y1-y3;\n MISSING {codes};\nMODEL: f BY y1-y3;"
    with pytest.raises(NotAvailableError, match=r"MISSING.*keep the codes") as caught:
        read_model(text)
    assert "NaN" in caught.value.hint
    assert ":2:" in str(caught.value)


def test_a_mark_that_is_no_number_needs_no_word():
    text = "VARIABLE: NAMES ARE y1-y3; MISSING = .;\nMODEL: f BY y1-y3;"
    assert read_model(text) == read_model("f =~ y1 + y2 + y3")
