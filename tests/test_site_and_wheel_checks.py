"""The checks of site and wheel in `.ci` notice what they are there for."""

import importlib.util
import tarfile
import zipfile
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci"


def _check(name):
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SITE, WHEEL = _check("check_site"), _check("check_wheel")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('<script src="https://cdn.example/x.js"></script>', True),
        ('<img src="//cdn.example/x.png">', True),
        ('<link rel="stylesheet" href="https://fonts.example/f.css">', True),
        ("<style>@font-face { src: url(https://fonts.example/f.woff) }</style>", True),
        ("<p>of :math:`x`</p>", True),
        ('<a href="https://doi.org/10.1007/BF02295424">paper</a><img src="figures/x.png">', False),
    ],
)
def test_what_a_page_fetches(text, wrong, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(text, "utf-8")
    assert bool(SITE.faults(page)) is wrong


def _built(folder, names):
    with zipfile.ZipFile(folder / "b.whl", "w") as wheel:
        for name in (*names, "b.dist-info/licenses/LICENSE"):
            wheel.writestr(name, "")
    with tarfile.open(folder / "b.tar.gz", "w:gz") as source:
        inside = {n.removeprefix("bayesem/_studies/") for n in names}
        for name in inside | {"pyproject.toml", "README.md", "LICENSE"}:
            source.addfile(tarfile.TarInfo(f"b/{name}"))
    return folder


def test_a_whole_wheel_passes(tmp_path):
    assert WHEEL.faults(_built(tmp_path, WHEEL.expected())) == []


@pytest.mark.parametrize(
    "lost", ["bayesem/py.typed", "bayesem/_studies/models/alliance_mediation.sem"]
)
def test_a_wheel_without_a_needed_file_is_refused(lost, tmp_path):
    found = WHEEL.faults(_built(tmp_path, WHEEL.expected() - {lost}))
    assert any(lost in fault for fault in found)


def test_a_wheel_with_a_stranger_is_refused(tmp_path):
    found = WHEEL.faults(_built(tmp_path, WHEEL.expected() | {"tests/test_x.py"}))
    assert found == ["b.whl holds tests/test_x.py"]
