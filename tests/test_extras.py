"""The core stands without the extras: every module imports, and what needs one says which."""

import ast
import inspect
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import bayesem as sem
from bayesem.distribution.cluster import connected
from bayesem.distribution.store import ZarrStore

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: Packages that only extras bring, as they are imported.
HEAVY = (
    "matplotlib", "distributed", "dask", "plotly", "great_tables", "ipykernel", "nbclient",
    "nbconvert", "nbformat", "docx", "IPython",
)  # fmt: skip
#: Without matplotlib these refuse before they look at anything else.
FIGURES = ("plot_design", "plot_ranks", "plot_residuals", "plot_shares", "plot_slopes")
SOURCES = sorted((ROOT / "bayesem").rglob("*.py"))


def _imported(tree):
    """Top-level packages that a module imports as soon as it is imported itself."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_no_module_needs_an_extra_to_be_imported():
    needed = {
        (str(path.relative_to(ROOT)), name)
        for path in SOURCES
        for name in _imported(ast.parse(path.read_text("utf-8")))
        if name in HEAVY
    }
    assert not needed


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_matplotlib_names_the_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    function = getattr(sem, name)
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with pytest.raises(sem.NotAvailableError, match="matplotlib, which is not") as caught:
        function(*[None for _ in required])
    assert "uv sync --extra figures`" in caught.value.hint


def test_workers_without_dask_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(sem.NotAvailableError, match="Dask") as caught, connected(None, 2, None):
        pass
    assert "uv sync --extra campaigns`" in caught.value.hint


def test_a_store_without_zarr_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(sem.NotAvailableError, match="Zarr") as caught:
        ZarrStore(tmp_path / "s.zarr", 2, 2, {}, np.zeros(2, np.int64))
    assert "uv sync --extra campaigns`" in caught.value.hint


def test_every_extra_that_a_message_names_exists():
    sources = "".join(path.read_text("utf-8") for path in SOURCES)
    named = set(re.findall(r"installing\([\"'](\w+)[\"']\)", sources))
    assert not re.findall(r"bayesem\[\w+\]", sources)  # on no index: a checkout cannot follow it
    assert len(named) > 3
    assert named <= set(PROJECT["optional-dependencies"])


def test_types_and_studies_are_found():
    assert (ROOT / "bayesem" / "py.typed").exists()
    assert import_module("bayesem.studies").names()
