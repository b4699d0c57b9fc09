"""Cells run in a kernel of this very Python, one section after the other.

The kernel is started from a specification of our own and never looked up by name, so a machine's
registered kernels do not matter; and with a folder of its own for IPython's settings, so neither do
a user's start-up files. Modules in the working folder are not importable.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bayesem import errors
from bayesem.errors import BayesemError, NotAvailableError, installing
from bayesem.reporting.cells import Cell

__all__ = ["notebook_of", "run", "write_notebook"]

#: Called before each section with its number, how many there are, and its title.
type Tell = Callable[[int, int, str], None]

#: Seconds that one cell may take: a sensitivity analysis may have to fit models again.
LONGEST = 3600


def notebook_of(found: Sequence[Cell], title: str) -> Any:
    """A notebook that has not been run."""
    nbformat = _needed("nbformat")
    v4 = nbformat.v4
    book = v4.new_notebook()
    book.cells.append(v4.new_markdown_cell(_markdown(f"# {_plain(title)}"), id="title"))
    for k, cell in enumerate(found, 1):
        if cell.title:
            text = _markdown(f"## {cell.title}", cell.why)
            book.cells.append(v4.new_markdown_cell(text, id=f"{cell.anchor}-text"))
        said = {"anchor": cell.anchor, "title": cell.title, "why": cell.why,
                "step": cell.step}  # fmt: skip
        made = v4.new_code_cell(cell.code, id=f"cell-{k}", metadata={"bayesem": said})
        book.cells.append(made)
    book.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    book.metadata["language_info"] = {"name": "python"}
    return book


def _markdown(*paragraphs: str) -> str:
    return "\n\n".join(p for p in paragraphs if p)


def _plain(text: str) -> str:
    """Text that means itself in markdown: every mark is escaped, and it is one line."""
    kept = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|<>~$&:/" else c for c in kept)


def run(book: Any, folder: Path, tell: Tell) -> None:
    """Run every code cell in order, in place.

    Raises
    ------
    BayesemError
        If a cell is told so by this package: the same error.
    nbclient.exceptions.CellExecutionError
        If a cell fails in another way; what ran before it stays in the notebook.
    KeyboardInterrupt
        If somebody stops it; likewise.
    """
    client_of = _needed("nbclient").NotebookClient
    code = [(k, cell) for k, cell in enumerate(book.cells) if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory(prefix="bayesem-ipython-") as settings:
        client = client_of(
            book,
            km=_kernel(Path(settings)),
            timeout=LONGEST,
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            with client.setup_kernel(env=_environment(settings), cleanup_kc=True):
                for number, (index, cell) in enumerate(code):
                    said = cell.metadata["bayesem"]
                    tell(number, len(code), said["title"] or said["step"])
                    client.execute_cell(cell, index)
        except _needed("nbclient.exceptions").CellExecutionError as error:
            raise (_told(error) or error) from None
        finally:
            if client.km is not None and client.km.has_kernel:
                client.km.shutdown_kernel(now=True)


def _told(error: Any) -> BayesemError | None:
    """The error of this package that a cell ended with, if it did."""
    kind = getattr(errors, error.ename, None)
    if isinstance(kind, type) and issubclass(kind, BayesemError):
        return kind(error.evalue)
    return None


def _kernel(settings: Path) -> Any:
    """A manager whose kernel is this interpreter; the two talk over files where they can."""
    manager_of = _needed("jupyter_client").KernelManager
    spec_of = _needed("jupyter_client.kernelspec").KernelSpec
    spec = spec_of(
        argv=[
            sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
            "--InteractiveShellApp.ignore_cwd=True", "--HistoryManager.enabled=False",
        ],
        display_name="Python 3", language="python",
    )  # fmt: skip

    class Here(manager_of):  # type: ignore[misc, valid-type]
        """Its specification is given and not looked up."""

        @property
        def kernel_spec(self) -> Any:
            return spec

    if os.name == "nt":
        return Here(kernel_name="")
    return Here(kernel_name="", transport="ipc", connection_file=str(settings / "kernel.json"))


def _environment(settings: str) -> dict[str, str]:
    """This process's environment, its copy of the package first, and no user's start-up files."""
    env = dict(os.environ)
    home = Path(__file__).parents[2]
    if home.name not in ("site-packages", "dist-packages"):  # a checkout: not installed
        others = env.get("PYTHONPATH", "").split(os.pathsep)
        whole = (str(Path(p).resolve()) for p in others if p)  # the kernel runs in another folder
        # The launcher drops the first entry where it is the working folder, the checkout's root
        # say; the settings' folder holds no module and stands there to be dropped.
        env["PYTHONPATH"] = os.pathsep.join((settings, str(home), *whole))
    return env | {"IPYTHONDIR": settings, "PYTHONSAFEPATH": "1", "MPLBACKEND": "agg"}


def write_notebook(book: Any, path: Path) -> None:
    """Write a notebook, run or not."""
    path.write_text(_needed("nbformat").writes(book) + "\n", "utf-8")


def _needed(module: str) -> Any:
    """A module of the extra `report`."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise NotAvailableError(
            f"reports need {name}, which is not installed.", hint=installing("report")
        ) from None
