"""What a report's cells show: moments, readings, failed chains, hostile names; and its kernel."""

import ast
from dataclasses import replace

import docx
import kinds
import nbformat
import pandas as pd
import pytest

import bayesem as sem
from bayesem.cli import main
from bayesem.errors import DataError, ModelError, NotAvailableError, PropositionError
from bayesem.propositions import Proposition, PropositionSet, Rule, read_propositions
from bayesem.reporting import evidence, results, shown, summarising, weaknesses
from bayesem.reporting import report as reporting
from bayesem.reporting.blocks import MIME, Picture, Quote, Table, Text, block_from, record
from bayesem.reporting.cells import Cell, Sources, cells
from bayesem.reporting.document import write_document
from bayesem.reporting.markup import WITHHELD, markup
from bayesem.reporting.page import Part, page, parts
from bayesem.reporting.propositions_file import put_propositions
from bayesem.reporting.running import notebook_of, run
from bayesem.sampling.convergence import Convergence

CLAIMS = {"P1": "a > 0 and b > 0", "P2": "ab > c"}
REASON = "R-hat above 1.01 for 3 of 31 quantities (worst `a`: 1.31)"


def here(book, folder, tell):
    """Run cells in this process: the same code, without a kernel."""
    space = {}
    code = [c for c in book.cells if c.cell_type == "code"]
    for k, cell in enumerate(code):
        tell(k, len(code), cell.metadata["bayesem"]["title"])
        text = cell.source.replace("sem.load('", f"sem.load('{folder}/")
        text = text.replace("sem.read_propositions('", f"sem.read_propositions('{folder}/")
        tree = ast.parse(text)
        last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, "cell", "exec"), space)
        value = eval(compile(last, "cell", "eval"), space)
        data = value._repr_mimebundle_()
        cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
        cell.execution_count = k + 1


def words(blocks):
    return "\n".join(markup(block) for block in blocks.items)


@pytest.fixture(scope="module")
def moments():
    return kinds.fit_of("moments")


@pytest.fixture(scope="module")
def failed(moments):
    verdict = Convergence(False, (REASON,), moments.convergence.table)
    return replace(moments, convergence=verdict)


# --- moments and readings -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_readings(moments, tmp_path_factory):
    """Two readings of a publication with weights, one of them fitted twice."""
    T, D = (
        replace(moments, data=replace(moments.data, reading=name, weight=weight, synthetic=True))
        for name, weight in (("T", 0.8), ("D <i>", 0.2))
    )
    folder = tmp_path_factory.mktemp("readings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "run", here)
        found = sem.report({"T": [T, T], "D <i>": D}, CLAIMS, folder / "r.html")
    return found, list(parts(nbformat.read(found.notebook, 4)))


def test_what_moments_cannot_give_is_quoted(of_readings):
    _, found = of_readings
    refused = {p.anchor: [b.asked for b in p.blocks if isinstance(b, Quote)] for p in found}
    assert refused["fit"] == ["sem.fit_indices", "sem.residuals"]
    assert refused["screening"] == ["sem.screen"]
    said = next(b for p in found if p.anchor == "screening" for b in p.blocks)
    with pytest.raises(NotAvailableError) as refusal:
        sem.screen(kinds.data_of("moments"), kinds.fit_of("moments").model)
    assert said.said == str(refusal.value)
    assert "Traceback" not in page(found, "t", "s")


def test_readings_are_pooled_and_all_of_them_are_loaded(of_readings, moments):
    made, found = of_readings
    assert {p.name for p in made.folder.iterdir()} == {
        "fit-1.nc", "fit-2.nc", "fit-3.nc", "propositions.toml"
    }  # fmt: skip
    code = found[0].code
    assert "'T': [sem.load('r_files/fit-1.nc'), sem.load('r_files/fit-2.nc')]" in code
    glance = next(b for b in found[0].blocks if isinstance(b, Table))
    assert [row[0] for row in glance.rows] == ["P1: SUPPORTED", "P2: UNDECIDED"]
    pooled, whole = (b for p in found if p.anchor == "propositions" for b in p.blocks)
    assert [row[0] for row in pooled.rows] == ["P1", "P2"]
    assert whole.folded
    at, share = whole.columns.index("Reading"), whole.columns.index("Weight")
    assert [row[at] for row in whole.rows] == ["T", "D <i>", "pooled"] * 2
    assert [row[share] for row in whole.rows[:3]] == ["0.80", "0.20", "1.00"]
    text = made.html.read_text("utf-8")
    assert "SYNTHETIC DATA" in text
    assert "D <i>" not in text


# --- failed chains ------------------------------------------------------------------------------


def test_a_failed_fit_has_a_banner_and_no_verdict(failed):
    verdicts = sem.assess(read_propositions(CLAIMS), failed)
    probability = f"{verdicts.table['probability'].iloc[1]:.3f}"
    blocks = [
        summarising.banners(failed), summarising.headline(verdicts),
        summarising.glance(verdicts, None), summarising.cards(verdicts, None),
        evidence.verdict_table(verdicts), evidence.proposition(verdicts, "P2"),
        evidence.leaning(None, verdicts),
    ]  # fmt: skip
    text = "\n".join(map(words, blocks))
    assert text.startswith('<div class="banner danger"')
    assert "NOT CONVERGED: this report gives no verdict." in text
    assert REASON in text.replace("&#x27;", "'")
    assert probability not in text
    assert not [v for v in ("supported", "refuted", "undecided") if v in text.lower().split()]
    assert "SUPPORTED" not in text
    assert text.lower().count("withheld") >= 7
    assert weaknesses.doubts(failed, None, None, None).items == ()


def test_a_long_table_that_a_page_folds_is_named_in_a_document_and_not_printed(tmp_path):
    rows = tuple((str(k), "a") for k in range(20))
    tables = [
        Table(title, ("n", "x"), some, (True, False), folded=folded)
        for title, some, folded in (
            ("long", rows, True),
            ("short", rows[:3], True),
            ("shown", rows, False),
        )
    ]
    write_document([Part("a", "A", "", 4, "", tuple(tables), "")], "t", "s", tmp_path / "x.docx")
    found = docx.Document(str(tmp_path / "x.docx"))
    assert [len(table.rows) for table in found.tables] == [4, 21]
    lines = [p.text for p in found.paragraphs]
    assert "20 rows: in the notebook, cell 4, and in the HTML page." in lines
    assert [line for line in lines if line.startswith("Table ")] == [
        "Table 1",
        "Table 2",
        "Table 3",
    ]


def test_a_document_on_a_failed_fit_says_so(failed, tmp_path):
    verdicts = sem.assess(read_propositions(CLAIMS), failed)
    blocks = (
        *summarising.banners(failed).items,
        *summarising.cards(verdicts, None).items,
        *results.effects(sem.effects(failed), sem.effects(failed, standardized=True), failed).items,
    )
    write_document([Part("a", "A", "", 1, "", blocks, "")], "t", "s", tmp_path / "x.docx")
    found = docx.Document(str(tmp_path / "x.docx"))
    lines = [p.text for p in found.paragraphs]
    assert "NOT CONVERGED: this report gives no verdict." in lines
    assert WITHHELD in lines
    assert [p.text for p in found.paragraphs if p.style.name == "Heading 2"] == [
        "P1: withheld", "P2: withheld"
    ]  # fmt: skip
    assert len(found.tables) == 1


def test_tables_of_a_failed_fit_are_marked(failed, moments):
    for fit, mark in ((failed, True), (moments, False)):
        tables = [
            *results.effects(sem.effects(fit), sem.effects(fit, standardized=True), fit).items,
            *results.coefficients(sem.summary(fit), sem.summary(fit, standardized=True), fit).items,
            *results.measured(sem.reliability(fit), sem.validity(fit), fit).items,
        ]
        tables = [t for t in tables if isinstance(t, Table)]
        assert len(tables) > 6
        assert {t.withheld for t in tables} == {mark}
        assert all((WITHHELD in markup(t)) == mark for t in tables)


def test_what_weakens_all_verdicts_is_said(moments):
    reliability, validity = sem.reliability(moments), sem.validity(moments)
    indices = pd.DataFrame({"mean": {"PPP": 0.01, "BRMSEA": 0.11, "BCFI": 0.97}})
    fine = words(weaknesses.doubts(moments, indices, reliability, validity))
    assert "The model misses the data (PPP, BRMSEA out of the usual bounds)" in fine
    assert "little reliability" not in fine
    assert "AVE" not in fine
    reliability.loc[0, ["omega", "omega_pr", "ave", "ave_pr"]] = [0.61, 0.02, 0.41, 0.01]
    validity.loc[0, ["correlation", "correlation_pr"]] = [0.91, 0.2]
    text = words(weaknesses.doubts(moments, indices, reliability, validity))
    assert "X is measured with little reliability: omega 0.610." in text
    assert "(AVE): X 0.410." in text
    assert "X and M can hardly be told apart: their correlation is 0.910." in text
    refused = weaknesses.doubts(moments, Quote("f", "no cases.\n  Else."), reliability, validity)
    assert "In the words of the package: no cases." in words(refused)


# --- text -----------------------------------------------------------------------------------------


HOSTILE = ["</script><script>alert(1)</script>", '"""', "'); import os; ('", "{{ 7*7 }}\n%%bash\n!ls",
           "\\", "![x](http://evil.example/x)", "a\x7fb\u2028c"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_string_literals_in_cells(name):
    sources = Sources({name: ["f/fit-1.nc"]}, (name, 0), "f/p.toml", (name,), {}, {name: name},
                      name, 1)  # fmt: skip
    for cell in cells(sources):
        tree = ast.parse(cell.code)
        if cell.anchor == "proposition-1":
            assert tree.body[0].value.args[1].value == name
    loading = ast.parse(next(iter(cells(sources))).code)
    strings = {n.value for n in ast.walk(loading) if isinstance(n, ast.Constant)}
    assert name in strings
    calls = {n.func.id for n in ast.walk(loading)
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert calls == set()  # only attributes of bayesem are called


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_escapes_everything(text):
    table = Table(text, (text,), ((text,),), (False,), (text,))
    for block in (Text(text), Quote(text, text), table):
        made = markup(block, cell=text, label=text)
        assert "<script" not in made
        assert "alert(1)</script>" not in made
        assert block_from(record(block)) == block


@pytest.mark.parametrize("says", [*HOSTILE, ""])
def test_propositions_come_back_from_their_file(says, tmp_path):
    rule = Rule(prob=0.9, min_bayes_factor=4.0, rope={"path": 0.2})
    first = read_propositions({"x": "a > 0"})["x"]
    items = (
        replace(first, name='q "x"', says=says, rule=rule, note=says),
        Proposition("P2", "two", "a > 0\nand b > 0", rule, first.tree, model="m"),
    )
    put_propositions(PropositionSet(items, "whole", rule, ""), tmp_path / "p.toml")
    back = read_propositions(tmp_path / "p.toml")
    assert [p.says for p in back] == [says or "a > 0", "two"]
    assert [p.note for p in back] == [says, ""]
    assert back.model == "whole"
    assert back[items[0].name].rule.prob == 0.9
    assert back[items[0].name].rule.rope["path"] == 0.2


def test_a_proposition_that_a_file_cannot_name_is_refused(tmp_path):
    with pytest.raises(PropositionError):
        put_propositions({"rule": "a > 0"}, tmp_path / "p.toml")


def test_a_study_s_propositions_keep_their_bytes(tmp_path):
    put_propositions("alliance_mediation", tmp_path / "p.toml")
    assert read_propositions(tmp_path / "p.toml").sha256 == (
        read_propositions("alliance_mediation").sha256
    )


def test_a_dollar_in_a_name_is_a_dollar(moments):
    name = "cost $\\frac{$ or so"
    verdicts = sem.assess(read_propositions({name: "a > 0"}), moments)
    assert "supported" in words(evidence.verdict_table(verdicts))
    blocks = evidence.proposition(verdicts, name).items
    assert [type(b) for b in blocks] == [Picture]


def test_refusals_are_quoted_and_faults_are_not():
    def sour():
        raise DataError("no.", hint="Else.")

    assert shown.quoted(sour) == Quote("sem.sour", "no.\n  Else.")
    with pytest.raises(ZeroDivisionError):
        shown.quoted(lambda: 1 / 0)


# --- kernel and files -----------------------------------------------------------------------------


def test_the_kernel_is_this_python_and_imports_nothing_from_its_folder(tmp_path):
    import sys

    (tmp_path / "stranger.py").write_text("raise SystemExit", "utf-8")
    code = (
        "import sys, importlib.util, bayesem\n"
        "print(sys.executable, importlib.util.find_spec('stranger'), bayesem.__file__)"
    )
    book = notebook_of([Cell("a", "A", "", code), Cell("b", "B", "", "1 / 0")], "t")
    with pytest.raises(Exception, match="ZeroDivisionError"):
        run(book, tmp_path, lambda *_: None)
    made = [c for c in book.cells if c.cell_type == "code"]
    assert made[0].outputs[0]["text"] == f"{sys.executable} None {sem.__file__}\n"
    assert made[1].outputs[0]["output_type"] == "error"


def test_a_stopped_report_leaves_what_was_run(moments, tmp_path, monkeypatch):
    def stops(book, folder, tell):
        first = next(c for c in book.cells if c.cell_type == "code")
        first.execution_count = 1
        first.outputs = [nbformat.v4.new_output("display_data", data={MIME: [record(Text("x"))]})]
        raise KeyboardInterrupt

    monkeypatch.setattr(reporting, "run", stops)
    with pytest.raises(KeyboardInterrupt):
        sem.report(moments, CLAIMS, tmp_path / "s.html")
    code = [c for c in nbformat.read(tmp_path / "s.ipynb", 4).cells if c.cell_type == "code"]
    assert [bool(c.outputs) for c in code] == [True] + [False] * (len(code) - 1)
    assert not (tmp_path / "s.html").exists()


def test_the_command_line_says_where_what_was_run_is(moments, tmp_path, monkeypatch, capsys):
    def stops(book, folder, tell):
        raise KeyboardInterrupt

    monkeypatch.setattr(reporting, "run", stops)
    sem.save(moments, tmp_path / "fit.nc")
    (tmp_path / "p.toml").write_text('["P1"]\nsays = "x"\nclaim = "a > 0"\n', "utf-8")
    files = [str(tmp_path / name) for name in ("fit.nc", "p.toml", "x.html")]
    assert main(["report", *files[:2], "--out", files[2]]) == 130
    assert "x.ipynb holds what was run." in capsys.readouterr().err


def test_the_command_line(failed, tmp_path, monkeypatch, capsys):
    import json

    def nothing(book, folder, tell):
        tell(0, 1, "Verdicts")

    monkeypatch.setattr(reporting, "run", nothing)
    sem.save(failed, tmp_path / "fit.nc")
    (tmp_path / "p.toml").write_text('["P1"]\nsays = "x"\nclaim = "a > 0"\n', "utf-8")
    argv = ["report", str(tmp_path / "fit.nc"), str(tmp_path / "p.toml"), "--out", str(tmp_path)]
    assert main([*argv, "--json", "--docx"]) == 1
    out, err = capsys.readouterr()
    assert "1/1 Verdicts" in err
    found = json.loads(out)
    assert not found["converged"]
    names = [name.rpartition("/")[2] for name in found["files"]]
    assert names == ["report.html", "report.docx", "report.ipynb", "report.bib"]
    assert all((tmp_path / name).is_file() for name in names)
    assert main([*argv, "--rival", "nonsense"]) == 2
    assert "NAME=FIT.nc" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "formats", "error", "words_"),
    [
        ("x.pdf", None, DataError, "ends in none"),
        ("x.html", ("pdf",), DataError, "formats has"),
        ("no/such/x.html", None, DataError, "no folder"),
    ],
)
def test_paths_and_formats_are_checked_first(moments, tmp_path, path, formats, error, words_):
    with pytest.raises(error, match=words_):
        sem.report(moments, CLAIMS, tmp_path / path, formats=formats)


def test_what_is_no_fit_is_refused_by_name(moments, tmp_path):
    counted = sem.fit_counts(sem.count_model("facilitated_alliance"), draws=50, seed=1)
    with pytest.raises(NotAvailableError, match="theme counts"):
        sem.report({"T": moments, "N": counted}, CLAIMS, tmp_path / "x.html")
    with pytest.raises(ModelError, match="a fit is a str"):
        sem.report("fit.nc", CLAIMS, tmp_path / "x.html")
    with pytest.raises(ModelError, match="rivals"):
        sem.report({"T": moments}, CLAIMS, tmp_path / "x.html", rivals={"a": moments})
