"""A report on a small fit, run for real once: the page, the notebook, the Word document."""

import json
import re
from html.parser import HTMLParser

import docx
import kinds
import nbformat
import pytest

import bayesem as sem
from bayesem.reporting.blocks import MIME

HOSTILE = (
    'Trust </script><img src=http://evil.example/x> "q" \\n {{ 7*7 }} ![i](http://evil.example/y)'
)
CLAIMS = """
["H1"]
says = 'SAYS'
claim = "a > 0 and b > 0"
note = "# [link](http://evil.example/z) 'quote' $(x) `y`"

["<b>H2</b> \\"x\\" ![i](http://evil.example/p.png)"]
says = "More through M than past it."
claim = "ab > c"
"""
SECTIONS = (
    "summary", "one-by-one", "asked", "data", "model", "priors", "convergence", "fit", "measurement",
    "parameters", "effects", "propositions", "proposition-1", "proposition-2", "rivals",
    "sensitivity", "screening", "methods", "reproduce", "glossary", "references",
)  # fmt: skip


class Page(HTMLParser):
    """What a page would load, its anchors and links, and its text by section."""

    def __init__(self):
        super().__init__()
        self.loads, self.ids, self.links, self.tags = [], set(), [], []
        self.section, self.text, self.policy = "", {}, ""
        self.numbers_without_link = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        if "id" in found:
            assert found["id"] not in self.ids, found["id"]
            self.ids.add(found["id"])
        if tag == "section":
            self.section = found["id"]
        if tag == "a":
            self.links.append(found["href"])
        elif tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        else:
            self.loads += [
                found[k] for k in ("src", "href", "srcset", "data", "action") if k in found
            ]
        assert not [k for k in found if k.startswith("on")], found

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data


def read(path):
    found = Page()
    found.feed(path.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def claims(tmp_path_factory):
    path = tmp_path_factory.mktemp("claims") / "mine.toml"
    path.write_text(CLAIMS.replace("SAYS", HOSTILE), "utf-8")
    return path


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory, claims, told):
    folder = tmp_path_factory.mktemp("report")
    return sem.report(
        kinds.fit_of("complete"), claims, folder / "out.html", formats=("html", "ipynb", "docx"),
        files=[claims], title="A <i>title</i> ![i](http://evil.example/t)",
        progress=lambda *step: told.append(step),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(made):
    return read(made.html)


# --- the page -----------------------------------------------------------------------------------


def test_the_page_loads_nothing_and_has_no_script(made, page):
    assert page.loads
    assert all(load.startswith("data:") for load in page.loads)
    assert "script" not in page.tags
    assert "iframe" not in page.tags
    assert page.policy.startswith("default-src 'none'")
    assert "script-src" not in page.policy
    assert made.html.stat().st_size < 5_000_000
    style = re.search(r"<style>(.*?)</style>", made.html.read_text("utf-8"), re.S)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_every_section_is_there_in_order(page):
    assert [name for name in page.text if name] == list(SECTIONS)
    assert set(SECTIONS) <= page.ids


def test_every_link_has_its_target(made, page):
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert set(inside) <= page.ids
    assert len([link for link in inside if link.startswith("cell-")]) > 30
    beyond = [link for link in page.links if not link.startswith("#")]
    outside = [link for link in beyond if not link.startswith("https://doi.org/10.")]
    assert 5 < len(outside) + 5 < len(beyond)  # references link to their DOIs, and to nothing else
    assert outside == [
        f"./{name}" for name in ("out.ipynb", "out.bib", "out_files/propositions.toml",
                                 "out_files/fit.nc")
    ]  # fmt: skip
    assert all((made.html.parent / link).is_file() for link in outside)


def test_every_table_figure_and_card_links_to_its_cell(made):
    text = made.html.read_text("utf-8")
    for pattern in (r"<caption>.*?</caption>", r"<figcaption>.*?</figcaption>", r"<dd>.*?</dd>"):
        found = re.findall(pattern, text, re.S)
        assert found
        assert all(re.search(r'href="#cell-\d+"', one) for one in found)


def test_what_a_user_wrote_is_text(made, page):
    text = made.html.read_text("utf-8")
    assert "<img src=http" not in text
    assert "<b>H2</b>" not in text
    assert "<i>title</i>" not in text
    assert HOSTILE in page.text["summary"]
    assert HOSTILE in page.text["asked"]
    assert "49" not in re.findall(r"\{\{.*?\}\}", page.text["asked"])


def test_the_first_screen_states_verdict_prior_and_weakness(page):
    said, cards = page.text["summary"], page.text["one-by-one"]
    fit = kinds.fit_of("complete")
    table = sem.assess({"H1": "a > 0 and b > 0", "H2": "ab > c"}, fit).table
    h1, h2 = table.iloc[0], table.iloc[1]
    assert (h1["verdict"], h2["verdict"]) == ("supported", "undecided")
    assert "H1: SUPPORTED" in said
    assert f"{h1['prior_probability']:.2f}>.999> 1,000" in said
    assert f"{h2['prior_probability']:.2f}{h2['probability']:.3f}" in said
    assert "Only as sure as its weakest part (a > 0)" in said
    assert cards.count("Main weakness.") == 2
    assert f"Pr {h2['probability']:.3f}" in cards
    assert "SYNTHETIC DATA" in said
    assert said.index("SYNTHETIC DATA") < said.index("H1: SUPPORTED")


def test_numbers_equal_the_public_functions(page):
    fit = kinds.fit_of("complete")
    effect = sem.effects(fit).query("kind == 'indirect'").iloc[0]
    assert f"[{effect['lower']:.3f}, {effect['upper']:.3f}]" in page.text["effects"]
    omega = sem.reliability(fit)["omega"].iloc[0]
    assert f"{omega:.3f}" in page.text["measurement"]
    ppp = sem.fit_indices(fit).loc["PPP", "mean"]
    assert f"PPP{ppp:.3f}" in page.text["fit"]


def test_fingerprints_are_those_of_the_files(page, claims):
    from hashlib import sha256

    digest = sha256(claims.read_bytes()).hexdigest()
    assert (
        page.text["data"].count(digest) == 2
    )  # of the propositions, and of the file that was named
    model = sha256(str(kinds.fit_of("complete").model).encode()).hexdigest()
    assert model in page.text["data"]


# --- the notebook -------------------------------------------------------------------------------


def test_the_notebook_is_executed_and_its_cells_are_the_page_s(made, page):
    book = nbformat.read(made.notebook, 4)
    nbformat.validate(book)
    code = [c for c in book.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert all(any(MIME in o.get("data", {}) for o in c.outputs) for c in code)
    for cell in code:
        assert cell.source in page.text[cell.metadata["bayesem"]["anchor"]]
        assert not [o for o in cell.outputs if o.output_type == "error"]


def test_markdown_cells_hold_no_link_and_no_image(made):
    book = nbformat.read(made.notebook, 4)
    text = "\n".join(c.source for c in book.cells if c.cell_type == "markdown")
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)<|(?<!\\)!\[", text)
    assert "://" not in text


def test_code_cells_hold_user_text_as_literals_only(made):
    import ast

    book = nbformat.read(made.notebook, 4)
    hostile = [c.source for c in book.cells if "evil" in c.source and c.cell_type == "code"]
    assert hostile
    for source in hostile:
        strings = [n.value for n in ast.walk(ast.parse(source))
                   if isinstance(n, ast.Constant) and isinstance(n.value, str)]  # fmt: skip
        assert any("evil" in s for s in strings)
        assert "evil" not in ast.unparse(ast.parse(re.sub(r"'[^']*'", "''", source)))


def test_progress_tells_every_section(told, made):
    numbers, totals, titles = zip(*told, strict=True)
    assert numbers == tuple(range(len(SECTIONS)))
    assert set(totals) == {len(SECTIONS)}
    assert titles[0] == "Verdicts"
    assert titles[-1] == "References"


def test_bibtex_is_beside(made):
    text = made.references.read_text("utf-8")
    keys = re.findall(r"@\w+\{(\w+),", text)
    assert {"garnier2020", "klugkist2005", "mardia1970"} <= set(keys)
    assert "yao2018" not in keys  # no rivals
    assert text.count("{") == text.count("}")


# --- the document -------------------------------------------------------------------------------


def test_the_document_has_tables_headings_and_described_figures(made):
    found = docx.Document(str(made.document))
    heads = [p.text for p in found.paragraphs if p.style.name == "Heading 1"]
    assert heads[:4] == ["Verdicts", "Verdicts one by one", "What was asked", "Data"]
    assert len(found.tables) > 15
    numbered = [p.text for p in found.paragraphs if re.fullmatch(r"Table \d+", p.text)]
    assert numbered == [f"Table {k + 1}" for k in range(len(found.tables))]
    described = [shape._inline.docPr.get("descr") for shape in found.inline_shapes]
    assert described
    assert all(described)
    edges = {e.tag.rpartition("}")[2] for e in found.element.body.iter()
             if e.getparent() is not None and e.getparent().tag.endswith("tcBorders")}  # fmt: skip
    assert edges == {"top", "bottom"}  # horizontal rules only
    assert any(HOSTILE in p.text for p in found.paragraphs)


def test_pages_and_records_agree(made, page):
    book = nbformat.read(made.notebook, 4)
    blocks = [b for c in book.cells if c.cell_type == "code" for o in c.outputs
              for b in o.get("data", {}).get(MIME, ())]  # fmt: skip
    tables = [b for b in blocks if b["block"] == "table"]
    assert page.tags.count("table") == len(tables) == len(docx.Document(str(made.document)).tables)
    assert json.loads(json.dumps(blocks)) == blocks
