"""Execute the notebooks of this folder anew, with their outputs written into them.

    python examples/execute_notebooks.py [NAME ...] [--to FOLDER]

Without names, all of them. Needs the extra `report`. What differs from run to run (times, counters
of the kernel) is left out, so that the same numbers give the same file.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

HERE = Path(__file__).parent / "notebooks"
ROOT = Path(__file__).parents[1]  # the package beside the notebooks is the one that they show
#: Seconds after which a cell is given up.
LONGEST = 600


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs this, whatever kernels are installed."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command that starts the kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]
        command.append("--IPKernelApp.log_level=ERROR")
        return command + list(extra_arguments or [])


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with fresh outputs; it runs in its own folder."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        km=ThisPython(),
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
    )
    client.owns_km = True  # so that it is shut down
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    client.execute(env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)})
    return plain(notebook)


def plain(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same without what says nothing of the results."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for k, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{k:02d}", {}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind in ("text/plain", "text/html"):
                if kind in data:
                    data[kind] = re.sub(r" at 0x[0-9a-f]+", "", data[kind])
    return notebook


def main() -> None:
    """Execute and write."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all without any")
    parser.add_argument("--to", type=Path, default=HERE, help="folder to write them in")
    o = parser.parse_args()
    known = {path.stem: path for path in sorted(HERE.glob("*.ipynb"))}
    for name in o.names or known:
        if name not in known:
            parser.error(f"there is no notebook {name!r}. There are: {', '.join(known)}.")
        start = time.perf_counter()
        nbformat.write(executed(known[name]), o.to / f"{name}.ipynb")
        size = (o.to / f"{name}.ipynb").stat().st_size / 1000
        print(f"{name}: {time.perf_counter() - start:.0f} seconds, {size:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
