"""The site's pages say what is there: every public name once, every call with arguments that exist."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path

import pytest
from doc_blocks import BLOCK, DOCS

import bayesem as sem
from bayesem.cli.parser import parser

ROOT = DOCS.parent
PAGES = sorted(DOCS.glob("*.md"))
CONFIGURED = (ROOT / "mkdocs.yml").read_text("utf-8")


def test_every_public_name_stands_in_the_reference_once():
    pages = sorted((DOCS / "reference").glob("*.md"))
    found = [n for p in pages for n in re.findall(r"^::: bayesem\.(\w+)$", p.read_text(), re.M)]
    assert sorted(found) == sem.__all__


def test_the_reference_knows_every_command():
    page = (DOCS / "reference" / "command-line.md").read_text("utf-8")
    commands = next(a.choices for a in parser()._actions if isinstance(a.choices, dict))
    ready = {
        name for name, p in commands.items() if "not available yet" not in (p.description or "")
    }
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    assert listed <= set(commands)
    assert ready - listed <= {"report"}


def _calls(text):
    """``sem.name(...)`` in a text: name, number of positional arguments, keywords."""
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "sem"
        ):
            yield node.func.attr, len(node.args), [k.arg for k in node.keywords]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda p: p.name)
def test_python_blocks_call_what_exists(page):
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            for name, positional, keywords in _calls(text):
                assert name in sem.__all__, f"{page.name}: sem.{name}"
                signature = inspect.signature(getattr(sem, name))
                signature.bind(*[None] * positional, **dict.fromkeys(keywords))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda p: p.name)
def test_inline_calls_name_what_exists(page):
    text = page.read_text("utf-8")
    assert set(re.findall(r"`sem\.(\w+)\(", text)) <= set(sem.__all__)


def test_every_page_of_the_navigation_exists():
    named = re.findall(r"^ +- [^#\n]*?([\w/-]+\.md)$", CONFIGURED, re.M)
    assert len(named) > 30
    assert [name for name in named if not (DOCS / name).exists()] == []


def test_every_public_docstring_becomes_markdown():
    spec = importlib.util.find_spec("griffe")
    if spec is None:
        pytest.skip("the group `docs` is not installed")
    where = importlib.util.spec_from_file_location("site_docstrings", DOCS / "docstrings.py")
    module = importlib.util.module_from_spec(where)
    where.loader.exec_module(module)
    for name in sem.__all__:
        text = module.markdown(inspect.getdoc(getattr(sem, name)))
        prose = re.sub(r"``.*?``|`[^`]*`|>>>.*|\.\.\. .*", "", text, flags=re.S)
        assert ":math:" not in prose, name
        assert ".. [" not in prose, name
    assert module.formula(r"\frac{p}{p-1} \bar\theta_i^2 \Lambda^\top") == (
        '<span class="formula">p/(p-1) θ̄<sub>i</sub><sup>2</sup> Λ′</span>'
    )


def test_the_readme_shows_a_small_figure_that_is_there():
    text = (ROOT / "README.md").read_text("utf-8")
    figures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert len(figures) == 1
    assert (ROOT / figures[0]).stat().st_size < 200_000


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "ARCHITECTURE.md"])
def test_links_to_files_hold(name):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / name).read_text("utf-8")):
        if not target.startswith("http"):
            assert Path(ROOT / target).exists(), target
