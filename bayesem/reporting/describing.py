"""What went in: propositions, data, codebook, model, and the fingerprints of them all."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.data import Answers, Moments
from bayesem.errors import BayesemError
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet
from bayesem.publications.readings import closure
from bayesem.reporting.blocks import Blocks, Listing, Table, Text, Verbatim
from bayesem.reporting.origin import WEIGHTS, assumed, by_reading, matrix, rebuilt, source_of
from bayesem.reporting.shown import answers, blocks_of, figure
from bayesem.reporting.wording import claim_in_words, names_of
from bayesem.reporting.writing import digits, fixed, number, table_of, whole
from bayesem.rounding import share_text
from bayesem.verdict_text import rule_text

__all__ = ["asked", "codebook", "data", "digest", "fingerprints", "given_back", "model",
           "readings", "scale_of", "slim"]  # fmt: skip

DOUBTED = 0.05  # probability of a misprint from which on it is said
MANY = 5  # readings from which on their table is folded
REMARKS = "Remarks of the file, in its own words; numbers in them are not of this fit:"

# --- propositions ---------------------------------------------------------------------------------


def asked(propositions: PropositionSet, fit: Any) -> Blocks:
    """Every proposition in words, its formal claim, and what the claim's labels stand for."""
    names = names_of(fit)
    rows = tuple(
        (p.name, p.says if p.says != p.claim else "",
         f"{p.claim}\n{claim_in_words(p.tree, names)}".strip(), p.where, p.paper)
        for p in propositions
    )  # fmt: skip
    heads = ("Name", "Sentence", "Claim, and what it says", "Source", "The source's verdict")
    rules = tuple(dict.fromkeys(rule_text(p.rule) for p in propositions))
    table = slim(Table("The propositions", heads, rows, (False,) * len(heads), rules))
    remarks = tuple(f"{p.name}: {p.note}" for p in propositions if p.note)
    return blocks_of(table, Listing(remarks, REMARKS) if remarks else None)


# --- data -----------------------------------------------------------------------------------------


def data(fit: Fit) -> Blocks:
    """How many cases and cells, what is missing, and a description of every variable."""
    found = answers(fit)
    made = "SYNTHETIC: generated, not observed. " if fit.data.synthetic else ""
    if isinstance(found, Moments):
        return blocks_of(Text(made + _of_moments(fit, found)), *map(Text, assumptions(fit)),
                         _moments(found))  # fmt: skip
    holes = int(found.isna().to_numpy().sum())
    share = holes / max(found.size, 1)
    text = (
        f"{made}{len(found):,} cases, {found.shape[1]} variables, {found.size:,} cells; "
        f"{holes:,} of them are missing ({share:.1%})."
    )
    if holes:
        text += " Rows with missing cells are used in full: no case was dropped."
    return blocks_of(Text(text), _described(found, fit))


def _of_moments(fit: Fit, found: Moments) -> str:
    means = "with means" if found.mean is not None else "without means"
    what = f"Only a {matrix(found)} ({means}) is known of {fit.n:,} cases."
    if rebuilt(fit):
        what = (
            f"No answers: a {matrix(found)} ({means}), rebuilt from the estimates printed in "
            f"{source_of(fit)}; n = {fit.n:,} is that source's number of cases."
        )
    return f"{what} Nothing can be said on single cases, on missing answers or on normality."


def assumptions(fit: Fit) -> Iterator[str]:
    """What the reading of a publication assumes, where the data are rebuilt."""
    words = assumed(fit)
    if words and isinstance(fit.data, Moments):
        yield f"Reading {fit.data.reading} of the printed tables assumes: {words}"


def _described(found: pd.DataFrame, fit: Fit) -> Table:
    described = {name: (v.mean(), v.std(), v.min(), v.max()) for name, v in found.items()}
    write = fixed(digits(x for each in described.values() for x in each))
    rows = tuple(
        (
            str(name), _wording(fit, str(name)), whole(int(values.notna().sum())),
            whole(int(values.isna().sum())), *map(write, described[name]),
        )
        for name, values in found.items()
    )  # fmt: skip
    heads = ("Variable", "Wording", "n", "Missing", "Mean", "SD", "Min", "Max")
    return slim(Table("The variables", heads, rows, (False, False, *(True,) * 6)))


def _moments(found: Moments) -> Table:
    sd = np.sqrt(np.diag(found.cov.to_numpy(float)))
    rows = tuple(
        (str(name), "" if found.mean is None else number(found.mean[name]), number(s))
        for name, s in zip(found.cov.columns, sd, strict=True)
    )
    made = slim(Table("The variables", ("Variable", "Mean", "SD"), rows, (False, True, True)))
    return replace(made, folded=True)


def slim(table: Table) -> Table:
    """Without columns that say nothing in any row."""
    kept = [k for k in range(len(table.columns)) if any(row[k] for row in table.rows)]
    return replace(
        table,
        columns=tuple(table.columns[k] for k in kept),
        rows=tuple(tuple(row[k] for k in kept) for row in table.rows),
        numeric=tuple(table.numeric[k] for k in kept),
    )


def _wording(fit: Fit, name: str) -> str:
    book = fit.model.codebook
    known = None if book is None else book.indicators.get(name)
    return "" if known is None else known.text


def codebook(fit: Fit) -> Blocks:
    """Title, source and answer scale of the study, and what its factors stand for."""
    book = fit.model.codebook
    if book is None:
        return Blocks((Text("The model has no codebook: names are all that is known.", "note"),))
    scale = scale_of(fit)
    rows = tuple((name, text) for name, text in book.factors.items())
    return Blocks((
        Text(f"{book.title.rstrip('.')}. {book.source.rstrip('.')}.{scale}"),
        Table("The factors", ("Factor", "Stands for"), rows, (False, False)),
    ))  # fmt: skip


def scale_of(fit: Fit) -> str:
    scale = None if fit.model.codebook is None else fit.model.codebook.scale
    if scale is None:
        return ""
    said = f" Answers were given from {scale[0]:g} to {scale[1]:g}."
    if isinstance(fit.data, Moments) and fit.data.standardized:
        said += " The matrix is of standard deviations 1, so this scale says nothing on its units."
    return said


def readings(fits: Any) -> Blocks:
    """What each reading of the printed tables assumes, and its weight; nothing of one alone."""
    each = by_reading(fits)
    if len(each) < 2 or not all(rebuilt(mine[0]) for mine in each.values()):
        return Blocks(())
    order = sorted(each.items(), key=lambda one: -one[1][0].data.weight)
    rows = tuple(
        (name, share_text(mine[0].data.weight), str(len(mine)), assumed(mine[0]))
        for name, mine in order
    )
    heads = ("Reading", "Weight", "Matrices", "Assumes")
    notes = (
        WEIGHTS,
        "Matrices: what a reading leaves open differs from one to the next; their draws count "
        "together, with equal weight.",
        "Where no matrix satisfies all that a reading assumes, one that comes near stands for it, "
        "and the reading has next to no weight.",
        "The list is the codebook's: what is not in it, whatever it combines, was not weighed.",
    )
    made = Table("Readings of the printed tables", heads, rows, (False, True, True, False), notes)
    return Blocks((replace(made, folded=len(rows) > MANY),))


def given_back(fit: Any) -> Blocks:
    """Printed numbers of the paths beside what the matrix's reading implies of them."""
    if not rebuilt(fit):
        return Blocks(())
    try:
        found = closure(fit.model, fit.data.reading)
    except BayesemError:  # moments that somebody named a reading, without printed tables
        return Blocks(())
    labels = {str(label) for label in fit.table.labels}
    found = found[found["item"].str.split(".").str[0].isin(labels)]
    kinds = {"est": "estimate", "se": "standard error", "cr": "critical ratio", "p": "p"}
    items = found["item"].str.rsplit(".", n=1)
    frame = found.assign(
        path=[fit.table.labels[label][0].name for label, _ in items],
        kind=[kinds[kind] for _, kind in items],
        printed_in=[_place(fit, where) for where in found["where"]],
        implied=[_of_p(v, kind) for v, (_, kind) in zip(found["implied"], items, strict=True)],
        aside=[_misprint(m) for m in found["misprint"]],
    )  # fmt: skip
    columns = {"path": "Path", "kind": "Number", "printed_in": "Printed in", "printed": "Printed",
               "implied": "By the reading", "aside": "Remark"}  # fmt: skip
    title = f"Printed numbers, and what reading {fit.data.reading} makes of them"
    made = table_of(frame, title, columns, notes=(
        "In the metric of the printed table. By the reading: mean over the matrices that agree "
        "with it, before any prior on the model. Printed loadings are not listed: every matrix has "
        "them, each within its rounding.",
    ))  # fmt: skip
    return Blocks((replace(slim(made), folded=True),))


def _place(fit: Any, where: str) -> str:
    """A table of the paper and its row, for a table of the codebook."""
    name, _, row = where.rpartition(".")
    found = fit.model.codebook.printed.get(name)
    place = found.get("where", name) if isinstance(found, Mapping) else name
    return f"{place}, no. {row}"


def _misprint(p: float) -> str:
    if p > 0.9995:
        return "set aside as a misprint"
    return f"misprint: Pr {p:.2f}" if p >= DOUBTED else ""


def _of_p(value: float, kind: str) -> str:
    if kind != "p":
        return number(value)
    return "<.0001" if value < 5e-5 else f"{value:.4f}"


# --- model -----------------------------------------------------------------------------------


def model(fit: Fit, drawn: Any) -> Blocks:
    """The path diagram, and the model's text, which `bayesem.read_model` reads back.

    Parameters
    ----------
    fit : Fit
    drawn : Figure or Quote
        What `bayesem.plot_path` gave.
    """
    alt = "Path diagram of the model with standardised estimates; the tables below hold the same."
    title = "Path diagram, standardised estimates. Dashed: the sign is not sure."
    named = fit.model.name or "the model"
    variant = f", variant {fit.model.variant}" if fit.model.variant else ""
    text = Verbatim(str(fit.model), f"The text of {named}{variant}:")
    return blocks_of(figure(drawn, title, alt), text)


# --- fingerprints ---------------------------------------------------------------------------------


def fingerprints(fit: Any, propositions: PropositionSet, files: Mapping[str, str]) -> Blocks:
    """SHA-256 of model, propositions, codebook, data, and of files by name.

    Parameters
    ----------
    fit : Fit
    propositions : PropositionSet
    files : mapping of str to str
        Name to show, and path to read.
    """
    book = fit.model.codebook
    rows = [
        ("Propositions", propositions.sha256),
        ("Model, canonical text", hashlib.sha256(str(fit.model).encode()).hexdigest()),
        *([("Codebook", book.sha256)] if book is not None else []),
        ("Data as fitted", digest(fit.data)),
        *((name, _of_file(Path(path))) for name, path in files.items()),
    ]
    note = (
        "A file whose fingerprint was published before the data were seen is a preregistration. "
        "None is claimed here."
    )
    return Blocks((Table("SHA-256 fingerprints", ("What", "SHA-256"), tuple(rows),
                         (False, False), (note,)),))  # fmt: skip


def _of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "(no such file)"


def digest(data: Answers | Moments) -> str:
    """SHA-256 of every number of the data and of the variables' names."""
    total = hashlib.sha256()
    if isinstance(data, Moments):
        names, arrays = list(data.cov.columns), [np.asarray(data.cov, float)]
        arrays += [] if data.mean is None else [np.asarray(data.mean, float)]
    else:
        names, arrays = list(data.names), [data.values, data.outcomes, data.censored]
    total.update(json.dumps([str(n) for n in names]).encode())
    for array in arrays:
        total.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return total.hexdigest()
