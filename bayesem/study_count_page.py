"""What a page says on theme counts: shares, other assumptions, and how many interviews more."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from bayesem.campaigns.interviews import Interviews
from bayesem.counts.table import CountModel, count_model
from bayesem.robustness.counts import CountSensitivity
from bayesem.study_counts import CountPart

__all__ = ["count_sections", "counted", "stands"]

WIDTH = 80
PAIRS = 8
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
    found = [_shares(part)]
    if part.sensitivity is not None:
        found.append(_assumptions(part.fit.model, part.sensitivity))
    if part.interviews is not None:
        found.append(_interviews(part.interviews))
    if part.fit.phases:
        found.append(_phases(part))
    if part.together is not None:
        found.append(_together(part.together))
    return found


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


def _phases(part: CountPart) -> Iterator[str]:
    yield _title("Shares by phase, posterior means")
    fit = part.fit
    means = fit.draws["posterior"]["phase_share"].mean(("chain", "draw"))
    phases = fit.phases["phase"]
    per = max(1, (WIDTH - 18) // 12)
    names = [n for t, leaves in fit.model.themes.items() for n in (t, *leaves)]
    for at in range(0, len(phases), per):
        block = phases[at : at + per]
        yield " " * 18 + "".join(f"{_brief(p):>12}" for p in block)
        for name in names:
            row = means.sel(theme=name)
            cells = "".join(f"{float(row.sel(phase=p)):>12.3f}" for p in block)
            yield f"{'  ' * (str(row['level'].item()) != 'theme')}{name}"[:18].ljust(18) + cells
    yield from wrap(
        "Informants differ in their shares, and by how much is estimated; a phase is as the coder "
        "called it.", WIDTH,
    )  # fmt: skip


def _brief(name: str) -> str:
    return name if len(name) < 12 else f"{name[:9]}.."


def _together(table: pd.DataFrame) -> Iterator[str]:
    yield _title("Codes on the same segments: odds ratios, median [95% interval]")
    shown = table.assign(far=(table["probability"] - 0.5).abs())
    shown = shown.sort_values("far", ascending=False, kind="stable").head(PAIRS)
    lead = max(len(f"{r['first']}, {r['second']}") for r in shown.to_dict("records"))
    yield f"{'codes':<{lead}}  both   Pr(> 1)  odds ratio"
    for r in shown.to_dict("records"):
        pair = f"{r['first']}, {r['second']}"
        ratio = f"{r['odds_ratio']:.2f} [{r['lower']:.2f}, {r['upper']:.2f}]"
        yield f"{pair:<{lead}}  {r['both']:>4}   {r['probability']:>7.3f}  {ratio}"
    more = len(table) - len(shown)
    yield from wrap(
        f"The {len(shown)} pairs whose probability is farthest from .5, its value before the data"
        f"{f'; {more} more in --json' if more else ''}. Segments without any code are not in the "
        "table, which by itself makes codes avoid each other. Of many pairs some look related by "
        "chance.", WIDTH,
    )  # fmt: skip


def _assumptions(model: CountModel, found: CountSensitivity) -> Iterator[str]:
    yield _title("Probability of each claim on counts under other assumptions")
    yield from _grid(found)
    text = (
        "Marks: + supported, - refuted, 0 practically null, ? withheld, blank undecided. Design "
        "effect: references of one informant resemble each other, and by how much one vector of "
        "counts cannot show; declared, not estimated. Priors: see docs/theme-counts.md."
    )
    if model.left_out:
        text += (
            f" The {model.left_out} references that the table leaves out: as one sub-theme more, "
            "so that shares are of all references coded; and, all of them, where they hurt or help "
            f"a claim most, of {found.tried} ways to divide them evenly."
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


def stands(found: CountSensitivity) -> str:
    """Which verdicts hold under every design effect and prior, and which left-out ones may turn."""
    table = found.table[~found.table["setting"].str.contains("left out")]
    base = table.groupby("name", sort=False)["verdict"].first()
    moved = {}
    for name, rows in table.groupby("name", sort=False):
        other = rows[rows["verdict"] != base[name]]
        if len(other):
            what = ", ".join(f"{v} at {s}" for s, v in zip(other["setting"], other["verdict"],
                                                           strict=True))  # fmt: skip
            moved[name] = f"{name} ({base[name]}) is {what}"
    fixed = [name for name in base.index if name not in moved]
    parts = (
        [f"Under every design effect and prior here alike: {', '.join(fixed)}."] if fixed else []
    )
    bounds = found.table[found.table["setting"].str.contains("the claim")]
    turned = [
        name for name, rows in bounds.groupby("name", sort=False) if rows["verdict"].nunique() > 1
    ]
    last = [f"The references left out could turn: {', '.join(map(str, turned))}."] if turned else []
    return " ".join([*parts, *(f"{text}." for text in moved.values()), *last])


def _interviews(found: Interviews) -> Iterator[str]:
    yield _title("How many more interviews would settle a claim")
    wide = found.sizes.pivot(index="name", columns="design_effect", values="needed")
    names = list(dict.fromkeys(found.sizes["name"]))
    effects = list(wide.columns)
    lead = max(5, *map(len, names))
    yield f"{'claim':<{lead}}" + "".join(f"{f'design effect {d:g}':>20}" for d in effects)
    for name in names:
        rows = found.sizes[found.sizes["name"] == name].set_index("design_effect")
        yield f"{name:<{lead}}" + "".join(f"{_needed(rows.loc[d]):>20}" for d in effects)
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
