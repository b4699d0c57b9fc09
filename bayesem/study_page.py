"""A study's result as a page of 80 columns: verdicts first, then what they rest on."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import pandas as pd

from bayesem import studies
from bayesem.decision import NULL, REFUTED, SUPPORTED, UNDECIDED
from bayesem.model import Model, read_model
from bayesem.rounding import factor_text
from bayesem.study_count_page import count_sections, counted, stands
from bayesem.study_notes import (
    MISPRINT,
    assumptions,
    bounds,
    convergence,
    first_sentence,
    headline,
    limits,
    pooled,
    rests_on,
    together,
)
from bayesem.studying import LEAST_WEIGHT, StudyResult
from bayesem.verdict_text import probability_text

__all__ = ["listing", "page"]

WIDTH = 80
LETTERS = {SUPPORTED: "+", REFUTED: "-", NULL: "0", UNDECIDED: " ", "withheld": "?"}
MARKS = "+ supported, - refuted, 0 practically null, ? withheld, blank undecided"


def page(result: StudyResult) -> str:
    """Everything a researcher needs to read, most important first."""
    sections = [_head(result), _verdicts(result)]
    if result.readings is not None:
        sections += [_matrix(result, result.readings), _readings(result, result.readings)]
        sections += [_misfits(result, result.readings)]
    if result.counts is not None:
        sections += count_sections(result.counts)
    sections += [_claims(result), _rest(result), _files(result)]
    return "\n\n".join("\n".join(section) for section in sections)


def listing() -> str:
    """The studies that ship, each with its source, its variants and its size.

    Examples
    --------
    >>> print(listing().splitlines()[0])
    alliance_mediation
    """
    models = {name: read_model(name) for name in studies.own()}
    return "\n\n".join("\n".join(_listed(name, model)) for name, model in models.items())


def _listed(name: str, model: Model) -> Iterator[str]:
    yield name
    book = model.codebook
    if book is not None:
        yield from _indented(book.title)
        yield from _indented(book.source)
        if book.variants:
            yield from _indented(f"variants: {', '.join(book.variants)}")
        if book.counts:
            yield from _indented(counted(name))
        elif studies.find(name).truth_path is not None:
            yield from _indented("no data: runs on synthetic answers from a declared truth")
        else:
            yield from _indented(f"readings of the printed tables: {len(book.readings) or 'none'}")
    yield from _indented(f"{len(model.factors)} factors, {len(model.observed)} columns")


def _head(result: StudyResult) -> Iterator[str]:
    book = result.model.codebook
    if book is not None:
        yield from wrap(book.title, WIDTH)
        yield from wrap(book.source, WIDTH)
        yield ""
    for line in headline(result):
        yield from wrap(line, WIDTH)
    if result.incomplete:
        yield ""
        yield from wrap(f"INCOMPLETE: {result.incomplete}.", WIDTH)


# --- verdicts -------------------------------------------------------------------------------------


def _verdicts(result: StudyResult) -> Iterator[str]:
    rows, over = pooled(result)
    made = result.synthetic
    counts = result.counts
    generated = counts is not None and counts.fit.data.synthetic
    synthetic = " on SYNTHETIC answers" if made is not None else ""
    synthetic += " on SYNTHETIC segments" if generated else ""
    yield _title(f"Verdicts{synthetic}{', ' if over else ''}{over}")
    widths = (max(map(len, rows["name"])), 5, 5, 8, 16)
    last = "the paper said" if made is None else "declared"
    yield _cells(("claim", "Pr", "prior", "BF", "verdict"), widths) + f"  {last}"
    room = WIDTH - sum(widths) - 2 * len(widths)
    for _, row in rows.iterrows():
        name = row["name"]
        held = result.propositions[name].paper if made is None else made.truth.get(name, "")
        said = wrap(held, max(room, 12)) or [""]
        prior = row["prior_probability"]
        p = row["probability"]
        cells = (
            row["name"], "" if pd.isna(p) else _three(p), "" if pd.isna(prior) else _three(prior),
            _factor(row), row["verdict"],
        )  # fmt: skip
        yield f"{_cells(cells, widths)}  {said[0]}".rstrip()
        yield from (" " * (WIDTH - room) + more for more in said[1:])
    yield ""
    yield from wrap(
        "Pr: probability after the data, prior: before them. BF: Bayes factor against the claim's "
        "complement (> and <: a bound, since all draws agree).",
        WIDTH,
    )
    if made is not None:
        yield from wrap(
            "declared: what the truth behind the answers makes of the claim (false: every part at "
            "its bound; reversed: on the wrong side; blank: the file does not say).",
            WIDTH,
        )
    leaning = counts.sensitivity if counts is not None else None
    leans = [] if leaning is None else [stands(leaning)]
    for line in [*leans, *bounds(result), *together(result), *_shared(result)]:
        yield from wrap(line, WIDTH, break_on_hyphens=False)


def _shared(result: StudyResult) -> Iterator[str]:
    """Assumptions that several claims share, said once."""
    shown = set(result.verdicts.table["name"])
    for text, names in assumptions(result).items():
        yield f"{', '.join(name for name in names if name in shown)}: {text}."


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names and verdicts to the left, numbers to the right."""
    left = (True, False, False, False, True)
    aligned = zip(cells, widths, left, strict=True)
    return "  ".join(cell.ljust(w) if first else cell.rjust(w) for cell, w, first in aligned)


def _three(p: float) -> str:
    """A probability in four characters or five."""
    return probability_text(p).removeprefix("0")


def _factor(row: pd.Series) -> str:
    return factor_text(row).replace("> ", ">").replace("< ", "<")


# --- readings -------------------------------------------------------------------------------------


def _matrix(result: StudyResult, readings: pd.DataFrame) -> Iterator[str]:
    yield _title("Probability of each claim under each reading")
    table = result.verdicts.table
    names = list(dict.fromkeys(table["name"]))
    first = max(7, *(len(str(r)) for r in result.fits))
    weights = dict(zip(readings["reading"], readings["weight"], strict=True))
    for block in _blocks(names, first + 8):
        heads = [name.split("_") for name in block]
        widths = [max(5, *map(len, head)) for head in heads]
        deep = max(map(len, heads))
        for line in range(deep):
            stacked = [_stacked(head, deep, line) for head in heads]
            cells = [cell.rjust(w) for cell, w in zip(stacked, widths, strict=True)]
            lead = f"{'reading':<{first}}  weight" if line == deep - 1 else " " * (first + 8)
            yield f"{lead} {' '.join(cells)}"
        for reading, rows in table.groupby("reading", sort=False):
            yield _line(str(reading), rows.set_index("name"), block, widths, first, weights)
    yield from wrap(f"Marks: {MARKS}.", WIDTH)


def _blocks(names: Sequence[str], lead: int) -> Iterator[list[str]]:
    """As many claims side by side as fit."""
    block: list[str] = []
    used = lead
    for name in names:
        width = 1 + max(5, *map(len, name.split("_")))
        if block and used + width > WIDTH:
            yield block
            block, used = [], lead
        block.append(name)
        used += width
    yield block


def _stacked(head: Sequence[str], deep: int, line: int) -> str:
    at = line - (deep - len(head))
    return head[at] if at >= 0 else ""


def _line(
    reading: str,
    rows: pd.DataFrame,
    names: Sequence[str],
    widths: Sequence[int],
    first: int,
    weights: Mapping[str, float],
) -> str:
    cells = []
    for name, width in zip(names, widths, strict=True):
        p: Any = rows.at[name, "probability"]
        verdict = str(rows.at[name, "verdict"])
        cells.append(f"{_two(p)}{LETTERS[verdict]}".rjust(width))
    weight = f"{_three(weights[reading]):>6}" if reading in weights else " " * 6
    return f"{reading:<{first}}  {weight} {' '.join(cells)}".rstrip()


def _two(p: float) -> str:
    if p > 0.995:
        return ">.99"
    return "<.01" if p < 0.005 else f"{p:.2f}"[1:]


def _readings(result: StudyResult, readings: pd.DataFrame) -> Iterator[str]:
    yield _title("What each reading assumes, and how well it closes")
    assumed = zip(readings["reading"], readings["assumes"], strict=True)
    clauses = {reading: _clauses(text) for reading, text in assumed}
    distinct = list(dict.fromkeys(c for each in clauses.values() for c in each))
    pairs = [c.removeprefix("mean_r_") for c in readings.columns if c.startswith("mean_r_")]
    first = max(7, *map(len, readings["reading"]))
    heads = [f"r({p.replace('_', ',')})" for p in pairs]
    widths = [max(10, len(h)) for h in heads]
    lead = f"{'reading':<{first}}  weight  residual"
    middle = "  ".join(h.rjust(w) for h, w in zip(heads, widths, strict=True))
    yield f"{lead}  {middle}  do not fit  assumes"
    for _, row in readings.iterrows():
        r = [_pm(row[f"mean_r_{p}"], row[f"sd_r_{p}"]) for p in pairs]
        r = [cell.rjust(w) for cell, w in zip(r, widths, strict=True)]
        letters = " ".join(_letter(distinct.index(c)) for c in clauses[row["reading"]])
        yield (
            f"{row['reading']:<{first}}  {_three(row['weight']):>6}  {row['residual']:>8.1f}  "
            f"{'  '.join(r)}  {_count(result, row['reading']):>10}  {letters}"
        )
    yield ""
    yield from wrap(
        "weight: share of the evidence, every reading being equally probable beforehand. "
        "residual: smallest squared misfit over estimates (1%), critical ratios (3%) and baseline "
        "chi-square. r: mean (sd). do not fit: printed cells that must be misprints.",
        WIDTH,
    )
    for k, clause in enumerate(distinct):
        yield from _hanging(f"{_letter(k)}  ", clause)


def _letter(k: int) -> str:
    return chr(ord("a") + k) if k < 26 else f"a{_letter(k - 26)}"


def _clauses(assumes: str) -> list[str]:
    return [part.strip().rstrip(".") for part in assumes.split(";")]


def _pm(mean: float, sd: float) -> str:
    if pd.isna(mean) or pd.isna(sd):
        return "unknown"
    return f"{mean:.2f} ({sd:.2f})".replace("0.", ".")


def _count(result: StudyResult, reading: str) -> str:
    assert result.closure is not None
    cells = result.closure[result.closure["reading"] == reading]
    return f"{int((cells['misprint'] > MISPRINT).sum())} of {len(cells)}"


def _misfits(result: StudyResult, readings: pd.DataFrame) -> Iterator[str]:
    """The cells that do not fit, for readings that matter."""
    yield _title(f"Cells that do not fit (readings of weight {LEAST_WEIGHT:g} or more)")
    assert result.closure is not None
    cells = result.closure
    for name in readings.loc[readings["weight"] >= LEAST_WEIGHT, "reading"]:
        wrong = cells[(cells["reading"] == name) & (cells["misprint"] > MISPRINT)]
        if wrong.empty:
            yield f"{name}: none"
        for (item, printed), rows in wrong.groupby(["item", "printed"], sort=False):
            one = rows.iloc[0]
            places = "; ".join(_place(result, where) for where in rows["where"])
            said = f"{item} printed {printed}{_implied(one)}, in {places}"
            yield from _hanging(f"{name}: ", said)


def _implied(cell: pd.Series) -> str:
    if pd.isna(cell["implied"]):
        return ""
    return f", implied {cell['implied']:.3f} (sd {cell['sd']:.3f})"


def _place(result: StudyResult, where: str) -> str:
    """Name a cell's place as the paper does."""
    table, _, row = where.rpartition(".")
    book = result.model.codebook
    printed = book.printed.get(table or where, {}) if book is not None else {}
    named = str(printed.get("where", table or where))
    unit = "item" if "text" in named else "row"
    return f"{named}, {unit} {row}" if table else named


# --- the rest -------------------------------------------------------------------------------------


def _claims(result: StudyResult) -> Iterator[str]:
    rows, _ = pooled(result)
    yield _title("What each claim says")
    if rows["estimate"].notna().any():
        yield from wrap(_units(result), WIDTH)
    for _, row in rows.iterrows():
        yield from _hanging(f"{row['name']}  ", row["claim"])
        if row["says"]:
            yield from _indented(f'"{row["says"]}"')
        yield from _indented(_note(result, row["name"]))
        if not pd.isna(row["estimate"]):
            size = f"{row['estimate']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"
            yield f"    difference {size}"
        if row["reason"].startswith("not converged"):
            yield from _indented("withheld: not every fit behind it converged (see below)")
        elif row["reason"]:
            yield from _indented(row["reason"])


def _note(result: StudyResult, name: str) -> str:
    """The file's remark on a claim, less what is said once for several, and its model."""
    p = result.propositions[name]
    first, rest = first_sentence(p.note)
    note = rest if first in assumptions(result) else p.note
    about = f"On {p.model}. " if result.readings is None and p.model is not None else ""
    return f"{about}{note}".strip()


def _units(result: StudyResult) -> str:
    """Say what a claim's difference is, and in which units."""
    shares = "Of claims on theme counts it is one of shares."
    if not result.fits:
        return f"A difference is the left side minus the right, mean [95% interval]. {shares}"
    one = next(iter(result.fits.values()))[0]
    marker = "first indicators as markers" if one.settings.identify == "marker" else "unit factors"
    sds = ", indicators with sd 1" if result.readings is not None else ""
    return (
        f"A difference is the left side minus the right, mean [95% interval], raw ({marker}{sds}) "
        f"unless the claim says std().{f' {shares}' if result.counts is not None else ''}"
    )


def _rest(result: StudyResult) -> Iterator[str]:
    yield _title("What this rests on")
    counted_ = result.counts.notes if result.counts is not None else ()
    said = [*convergence(result), *rests_on(result), *limits(result), *counted_, *result.notes]
    yield from _bullets(list(dict.fromkeys(said)))


def _files(result: StudyResult) -> Iterator[str]:
    book = result.model.codebook
    files = [f"propositions {result.propositions.sha256[:12]}"]
    files += [f"codebook {book.sha256[:12]}"] if book is not None else []
    made = result.synthetic
    files += [f"truth {made.sha256[:12]}"] if made is not None else []
    chains = ""
    if result.fits:
        settings = next(iter(result.fits.values()))[0].settings
        chains = f" {settings.chains} chains of {settings.draws} draws after {settings.tune}."
    yield from wrap(
        f"SHA-256 of the files: {', '.join(files)}.{chains} {result.seconds:.0f} seconds.", WIDTH
    )


def _title(text: str) -> str:
    return f"== {text} ".ljust(WIDTH, "=")


def _bullets(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from _hanging("- ", line)


def _hanging(lead: str, text: str) -> list[str]:
    return wrap(
        lead + text, WIDTH, subsequent_indent=" " * min(len(lead), 16), break_on_hyphens=False
    )


def _indented(text: str) -> list[str]:
    space = " " * 4
    return wrap(text, WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
