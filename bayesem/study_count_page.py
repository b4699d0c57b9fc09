"""What a page says on theme counts: shares, other assumptions, and how many interviews more."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import numpy as np

from bayesem.counts.table import count_model
from bayesem.robustness.counts import CountSensitivity
from bayesem.study_counts import CountPart

__all__ = ["count_sections", "counted"]

WIDTH = 80
LETTERS = {"supported": "+", "refuted": "-", "practically null": "0", "undecided": " ",
           "withheld": "?"}  # fmt: skip


def counted(study: str) -> str:
    """One line on a study's theme counts."""
    model = count_model(study)
    return (
        f"theme counts ({model.where}): {model.listed} references to {len(model.subthemes)} "
        "sub-themes; a model for survey data, with a declared truth"
    )


def count_sections(part: CountPart) -> list[Iterator[str]]:
    """The sections on theme counts."""
    return [_shares(part), _assumptions(part), _interviews(part)]


def _shares(part: CountPart) -> Iterator[str]:
    model = part.fit.model
    yield _title(f"Shares among the {model.listed} references, mean [95% interval]")
    table = part.shares.set_index("theme")
    for theme, leaves in model.themes.items():
        yield _share(theme, table.loc[theme], 0)
        yield from (_share(name, table.loc[name], 2) for name in leaves)


def _share(name: str, row: Any, indent: int) -> str:
    lead = " " * indent + name
    interval = f"{row['mean']:.3f} [{row['lower']:.3f}, {row['upper']:.3f}]"
    return f"{lead:<26} {row['references']:>4}  {interval}"


def _assumptions(part: CountPart) -> Iterator[str]:
    yield _title("Probability of each claim on counts under other assumptions")
    yield from _grid(part.sensitivity)
    model = part.fit.model
    text = (
        "Marks: + supported, - refuted, 0 practically null, ? withheld, blank undecided. Design "
        "effect: references of one informant resemble each other, and by how much one vector of "
        "counts cannot show; declared, not estimated. Priors: see docs/theme-counts.md."
    )
    if model.left_out:
        text += (
            f" The {model.left_out} references that the table leaves out: as one sub-theme more, "
            "so that shares are of all references coded; and, all of them, where they hurt or help "
            f"a claim most, of {part.sensitivity.tried} ways to divide them evenly."
        )
    yield from wrap(text, WIDTH)


def _grid(found: CountSensitivity) -> Iterator[str]:
    names = list(dict.fromkeys(found.table["name"]))
    settings = list(dict.fromkeys(found.table["setting"]))
    lead = max(map(len, settings))
    table = found.table.set_index(["setting", "name"])
    per = max(1, (WIDTH - lead) // 9)
    for at in range(0, len(names), per):
        block = names[at : at + per]
        heads = [name.split("_") for name in block]
        for line in range(max(map(len, heads))):
            deep = max(map(len, heads))
            cells = [h[line - (deep - len(h))] if line >= deep - len(h) else "" for h in heads]
            yield (" " * lead + "".join(f"{c:>8} " for c in cells)).rstrip()
        for setting in settings:
            cells = [_cell(table.loc[(setting, name)]) for name in block]
            yield f"{setting:<{lead}}" + "".join(f"{c:>9}" for c in cells)


def _cell(row: Any) -> str:
    p = row["probability"]
    shown = ">.999" if p >= 0.9995 else "<.001" if p < 0.0005 else f"{p:.3f}"[1:]
    return f"{shown}{LETTERS.get(str(row['verdict']), ' ')}"


def _interviews(part: CountPart) -> Iterator[str]:
    found = part.interviews
    yield _title("How many more interviews would settle a claim")
    wide = found.sizes.pivot(index="name", columns="design_effect", values="needed")
    names = list(dict.fromkeys(found.sizes["name"]))
    effects = list(wide.columns)
    lead = max(5, *map(len, names))
    yield f"{'claim':<{lead}}" + "".join(f"{f'design effect {d:g}':>18}" for d in effects)
    for name in names:
        rows = found.sizes[found.sizes["name"] == name].set_index("design_effect")
        yield f"{name:<{lead}}" + "".join(f"{_needed(rows.loc[d]):>18}" for d in effects)
    yield from wrap(
        f"The smallest number of interviews of {found.references} references each (as many as the "
        f"table has by informant) after which a decisive verdict has probability "
        f"{found.assurance:g}, if the shares are as the table makes them probable; in brackets "
        f"within two Monte-Carlo errors ({found.replicates} futures a point). 0: decided by the "
        "table. Further interviews are taken to be with such informants, and so is the design "
        "effect.",
        WIDTH,
    )


def _needed(row: Any) -> str:
    if row["needed"] == 0:
        return "0"
    if np.isnan(row["needed"]):
        return f"over {row['most']:.0f}"
    upper = f"over {row['most']:.0f}" if np.isnan(row["upper"]) else f"{row['upper']:.0f}"
    return f"{row['needed']:.0f} ({row['lower']:.0f}-{upper})"


def _title(text: str) -> str:
    return f"== {text} ".ljust(WIDTH, "=")
