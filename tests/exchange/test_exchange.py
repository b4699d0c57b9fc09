"""One model in the languages of several programs; and back to lavaan, text and table."""

import re

import numpy as np
import pandas as pd
import pytest
from texts import DEMOCRACY

import bayesem as sem
from bayesem import studies
from bayesem.errors import GrammarError, ModelError, NotAvailableError
from bayesem.exchange.semopy import is_semopy
from bayesem.partable import parameter_table
from bayesem.summaries import summary

MPLUS = """
TITLE: Industrialisation and democracy;
VARIABLE: NAMES ARE y1-y8 x1-x3;
MODEL:
  ind60 BY x1-x3;
  dem60 BY y1-y4;
  dem65 BY y5-y8;
  dem60 ON ind60 (a);
  dem65 ON ind60 (b)
           dem60 (c);
  y1 WITH y5;  y2 WITH y4 y6;
  y3 y4 PWITH y7 y8;  y6 WITH y8;
MODEL CONSTRAINT:
  NEW(ac whole);
  ac = a*c;  whole = ac + b;
"""
SEMOPY = """
ind60 =~ x1 + x2 + x3   # measurement
dem60 =~ y1 + y2 + y3 + y4
dem65 =~ y5 + y6 + y7 + y8
dem60 ~ a*ind60
dem65 ~ b*ind60 + c*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4, y6 ~~ y8
"""
BLAVAAN = DEMOCRACY.replace("a*ind60", 'a*prior("normal(0,10)")*ind60')


def cells(model):
    """Parameters without regard to order, starts and priors."""
    table = parameter_table(model)
    rows = {(r.op, *sorted((r.lhs, r.rhs)), r.value, r.label, r.frozen) for r in table.rows}
    return rows, {d.name for d in table.definitions}


def test_four_languages_one_table():
    rows, defined = cells(sem.read_model(DEMOCRACY))
    assert cells(sem.read_model(MPLUS)) == (rows, defined)
    assert cells(sem.read_model(BLAVAAN)) == (rows, defined)
    assert cells(sem.read_model(SEMOPY)) == (rows, set())  # semopy defines no parameters


def test_the_semopy_text_is_semopys():
    """semopy's own parser takes the text that is tested here, and finds the same relations."""
    from semopy.parser import parse_desc

    effects, _ = parse_desc(SEMOPY)
    theirs = {
        (op, lhs, rhs, label)
        for op, lefts in effects.items()
        for lhs, rights in lefts.items()
        for rhs, label in rights.items()
    }
    ours = {
        (s.op, s.lhs, s.term.name, s.term.label)
        for s in sem.read_model(SEMOPY).parsed.statements
    }  # fmt: skip
    assert ours == theirs


@pytest.mark.parametrize(
    ("semopy", "lavaan"),
    [
        ("a, b ~ p*x", "a + b ~ p*x"),
        ("y \u223c p*x + z", "y ~ p*x + z"),
        ("y ~ p*x + q*z\nSTART(0.5) p q  # why", "y ~ start(.5)*p*x + start(.5)*q*z"),
        ("y ~ p*x\nBOUND(-1, 2.5) p", "y ~ p*x; p > -1; p < 2.5"),
        ("y ~ p*x + q*z\nCONSTRAINT(p = 2*q)", "y ~ p*x + q*z; p == 2*q"),
        ("y ~ p*x + q*z\nCONSTRAINT(p > q)", "y ~ p*x + q*z; p > q"),
        ("f =~ x + y + z\nDEFINE(latent) f", "f =~ x + y + z"),
    ],
)
def test_semopy(semopy, lavaan):
    assert is_semopy(semopy)
    assert sem.read_model(semopy) == sem.read_model(lavaan)


@pytest.mark.parametrize(
    ("text", "error", "message", "place"),
    [
        ("y ~ p*x\nSTART(q) p", GrammarError, "no number", "2:1"),
        ("y ~ p*x\nSTART(1) q", GrammarError, "no label", "2:1"),
        ("y ~ p*x\nBOUND(1) p", GrammarError, "not two numbers", "2:1"),
        ("y ~ p*x\nCONSTRAINT(z ~ p)", GrammarError, "No constraint", "2:1"),
        ("y ~ p*x\nDEFINE(ordinal) y", NotAvailableError, "ordinal", "2:1"),
        ("y ~ p*x\nDEFINE(latent) y", NotAvailableError, "measured by nothing", "2:1"),
        ("y ~ p*x\nIMPUTE(x) y", NotAvailableError, "IMPUTE", "2:1"),
        ("a, b ~ p*x + \n ~ q", GrammarError, "Expected", "2:2"),
    ],
)
def test_semopy_is_refused_with_its_place(text, error, message, place):
    with pytest.raises(error, match=message) as caught:
        sem.read_model(text)
    assert f"<text>:{place}\n" in str(caught.value)


@pytest.mark.parametrize("ending", [".amw", ".splsm", ".out", ".AMW", ".dot", ".gv"])
def test_files_of_other_programs_are_refused_by_name(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    path.write_bytes(b"\0\1")
    with pytest.raises(NotAvailableError, match=re.escape(ending)) as caught:
        sem.read_model(str(path))
    assert caught.value.hint


def test_amos_programs_are_refused_and_comments_on_them_are_not():
    with pytest.raises(NotAvailableError, match="which variables are latent"):
        sem.read_model('Sem.AStructure("x1 = (1) f + (1) e1")\nSem.AStructure("x2 = f + (1) e2")')
    assert sem.read_model('f =~ x + y + z  # Sem.AStructure("f")').factors == ("f",)


def test_a_drawing_of_graphviz_is_refused_with_the_reason():
    drawing = sem.diagram_dot("f =~ a + b + c; y ~ f")
    with pytest.raises(NotAvailableError, match="drawing of Graphviz") as caught:
        sem.read_model(drawing)
    assert "loading or a path" in caught.value.hint
    assert sem.read_model("graph =~ a + b + c").factors == ("graph",)


@pytest.mark.parametrize(
    "text",
    ["START(" + " )" * 20_000 + "!", "START()" + " " * 100_000 + "!", "a" + ",a" * 50_000, "\u223c" * 9000],
)  # fmt: skip
def test_hostile_text_is_refused(text):
    with pytest.raises((GrammarError, ModelError)) as caught:
        sem.read_model(text)
    assert len(str(caught.value)) < 1500


# --- to lavaan ------------------------------------------------------------------------------------


def _products(model):
    latent = set(model.factors)
    return any(latent & set(s.term.factors[1:]) for s in model.parsed.statements)


@pytest.mark.parametrize("name", studies.names())
def test_shipped_models_go_to_lavaan_and_back(name):
    model = sem.read_model(name)
    kept = sem.to_lavaan(model, products="keep")
    assert sem.read_model(kept) == model
    assert max(map(len, kept.splitlines())) <= 100
    with_products = any(len(s.term.factors) > 1 for s in model.parsed.statements)
    if with_products:
        with pytest.raises(NotAvailableError, match="lavaan has no products of factors"):
            sem.to_lavaan(model)
    else:
        assert sem.to_lavaan(model) == kept


@pytest.mark.parametrize(
    "text",
    [
        DEMOCRACY, MPLUS, SEMOPY, "f =~ NA*a*start(.7)*x1 + 0*x2 + x3; f ~~ 1*f; y ~ 0*f; y ~ m*1",
        "y ~ a*x; z ~ b*x:w + x + w; q := a*(b - 2)^2/exp(-a); a > 0; a == 2*b; y ~~ 0*z",
    ],
)  # fmt: skip
def test_to_lavaan_comes_back(text):
    model = sem.read_model(text)
    out = sem.to_lavaan(model)
    assert sem.read_model(out) == model
    for line in out.splitlines():  # lavaan: one modifier to a term
        terms = re.split(r"=~|~~|~|\+", line) if "~" in line else []
        assert all(re.sub(r"\(.*?\)", "", term).count("*") <= 1 for term in terms), line


def test_priors_and_families_are_comments():
    text = sem.to_lavaan(
        sem.read_model('y ~ prior("normal(0,1)")*a*x; y ~~ prior("gamma(1,.5)[sd]")*y')
    )
    assert "# prior of y ~ x: normal(0,1)\n" in text
    assert "# prior of y ~~ y: gamma(1,.5)[sd]\n" in text
    assert sem.read_model(text) == sem.read_model("y ~ a*x; y ~~ y")
    text = sem.to_lavaan(sem.read_model("export_strategy"), products="keep")
    assert "# exporting is of the family bernoulli" in text
    with pytest.raises(ModelError, match="products is"):
        sem.to_lavaan(sem.read_model("y ~ x"), products="drop")


# --- lavaan's table -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_fit():
    rng = np.random.default_rng(3)
    f = rng.normal(size=150)
    data = {f"x{k}": f + rng.normal(size=150) for k in (1, 2, 3)}
    data["y"] = 2 * f + rng.normal(size=150)
    return sem.fit(
        "f =~ x1 + x2 + x3; y ~ b*f; twice := 2*b", pd.DataFrame(data), draws=100, tune=150,
        chains=2, cores=1, seed=1, progress=False,
    )  # fmt: skip


def test_lavaan_table(small_fit):
    table = sem.lavaan_table(small_fit, prob=0.9)
    assert list(table.columns[:9]) == [
        "lhs", "op", "rhs", "label", "est", "se", "ci.lower", "ci.upper", "std.all",
    ]  # fmt: skip
    row = table[(table["lhs"] == "y") & (table["op"] == "~")].iloc[0]
    b = small_fit.draws["posterior"]["b"].to_numpy()
    assert row["label"] == "b"
    assert row["est"] == pytest.approx(b.mean())
    assert row["se"] == pytest.approx(b.std(ddof=1))
    assert row["ci.lower"] == pytest.approx(np.quantile(b, 0.05))
    matrices = small_fit.matrices()
    phi = matrices.Psi[..., 0, 0]
    standard = b * np.sqrt(phi) / np.sqrt(b**2 * phi + matrices.Psi[..., 1, 1])
    assert row["std.all"] == pytest.approx(standard.mean())
    twice = table[table["op"] == ":="].iloc[0]
    assert (twice["lhs"], twice["rhs"], twice["label"]) == ("twice", "2*b", "twice")
    assert twice["est"] == pytest.approx(2 * row["est"])
    marker = table[(table["op"] == "=~") & (table["rhs"] == "x1")].iloc[0]
    assert (marker["est"], marker["se"]) == (1, 0)
    assert len(table) == len(summary(small_fit))
    assert table.attrs["convergence"] == str(small_fit.convergence)
