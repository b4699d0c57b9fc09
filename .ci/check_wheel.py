"""Refuses a wheel or a source archive that lacks what users need, or holds what they do not."""

import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def expected() -> set[str]:
    """Every file that the wheel must hold: modules, what reports are made with, studies."""
    modules = {
        str(p.relative_to(ROOT))
        for kind in ("*.py", "*.css", "*.bib")
        for p in (ROOT / "bayesem").rglob(kind)
    }
    studies = {
        f"bayesem/_studies/{folder}/{p.name}"
        for folder in ("models", "propositions")
        for p in (ROOT / folder).iterdir()
        if p.is_file()
    }
    return modules | studies | {"bayesem/py.typed"}


def faults(folder: Path) -> list[str]:
    """What is wrong with the wheel and the source archive in a folder."""
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    held = set(zipfile.ZipFile(wheel).namelist())
    info = {name for name in held if ".dist-info/" in name}
    found = [f"{wheel.name} lacks {name}" for name in sorted(expected() - held)]
    found += [f"{wheel.name} holds {name}" for name in sorted(held - expected() - info)]
    if not any(name.endswith("licenses/LICENSE") for name in info):
        found.append(f"{wheel.name} has no licence")
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "bayesem/py.typed"}
    needed |= {
        name for name in expected() if name.startswith("bayesem/") and "_studies" not in name
    }
    needed |= {re.sub("^bayesem/_studies/", "", n) for n in expected() if "_studies" in n}
    return found + [f"{source.name} lacks {name}" for name in sorted(needed - inside)]


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else 0)
