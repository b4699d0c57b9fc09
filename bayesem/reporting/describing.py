"""What went in: propositions, data, codebook, model, priors, and the fingerprints of them all."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.data import Answers, Moments
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet
from bayesem.reporting.blocks import Blocks, Listing, Quote, Table, Text, Verbatim
from bayesem.reporting.shown import answers, blocks_of, figure
from bayesem.reporting.wording import claim_in_words, names_of
from bayesem.reporting.writing import arrows, digits, fixed, interval, number, probability, whole
from bayesem.verdict_text import rule_text

__all__ = ["asked", "codebook", "data", "digest", "fingerprints", "implied_by_priors", "model",
           "priors"]  # fmt: skip

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
    return blocks_of(table, Listing(remarks, "Remarks of the file:") if remarks else None)


# --- data -----------------------------------------------------------------------------------------


def data(fit: Fit) -> Blocks:
    """How many cases and cells, what is missing, and a description of every variable."""
    found = answers(fit)
    made = "SYNTHETIC: generated, not observed. " if fit.data.synthetic else ""
    if isinstance(found, Moments):
        means = "with means" if found.mean is not None else "without means"
        known = f", reading {found.reading} of a publication" if found.reading else ""
        text = (
            f"{made}{fit.n:,} cases, known by their covariance matrix only ({means}{known}). "
            "Nothing can be said on single cases, on missing answers or on normality."
        )
        return blocks_of(Text(text), _moments(found))
    holes = int(found.isna().to_numpy().sum())
    share = holes / max(found.size, 1)
    text = (
        f"{made}{len(found):,} cases, {found.shape[1]} variables, {found.size:,} cells; "
        f"{holes:,} of them are missing ({share:.1%})."
    )
    if holes:
        text += " Rows with missing cells are used in full: no case was dropped."
    return blocks_of(Text(text), _described(found, fit))


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
    return slim(Table("The variables", ("Variable", "Mean", "SD"), rows, (False, True, True)))


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
    scale = "" if book.scale is None else f" Answers from {book.scale[0]:g} to {book.scale[1]:g}."
    rows = tuple((name, text) for name, text in book.factors.items())
    return Blocks((
        Text(f"{book.title.rstrip('.')}. {book.source.rstrip('.')}.{scale}"),
        Table("The factors", ("Factor", "Stands for"), rows, (False, False)),
    ))  # fmt: skip


# --- model and priors -----------------------------------------------------------------------------


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


NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?")
WORDS = {
    "loading": "loadings", "path": "paths", "interaction": "interactions",
    "intercept": "intercepts", "factor_mean": "factor means", "residual_sd": "residual sds",
    "factor_sd": "factor sds", "correlation": "correlations", "threshold": "thresholds",
}  # fmt: skip


def priors(fit: Fit) -> Blocks:
    """Which prior each kind of parameter has; parameters with one of their own by name."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in fit.table.rows:
        text = fit.settings.prior_text.get(row.name)
        if row.free and text is not None:
            kind = WORDS.get(row.kind, row.kind)
            found.setdefault((kind, NUMBERS.sub("#", text)), []).append((row.name, text))
    rows = tuple(
        (kind, spanned([text for _, text in mine]), whole(len(mine)), _some([n for n, _ in mine]))
        for (kind, _), mine in found.items()
    )
    given = "given by the user" if fit.settings.priors_argument else "the package's defaults"
    notes = (
        "Factor variances are 1, and indicators in their own units, where priors are put. A range "
        "of numbers: they differ with the units of the indicators.",
    )
    heads = ("Of", "Prior", "How many", "Which")
    return Blocks((
        Text(f"Priors: {fit.settings.priors}, {given}."),
        Table("The priors", heads, rows, (False, False, True, False), notes),
    ))  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def spanned(texts: list[str]) -> str:
    """Priors of one family as one text, with the range of each number.

    Examples
    --------
    >>> spanned(["normal(0, 1.5)", "normal(0, 2.5)"]), spanned(["normal(0, 1)"])
    ('normal(0, 1.5 to 2.5)', 'normal(0, 1)')
    """
    columns = zip(*(NUMBERS.findall(text) for text in texts), strict=True)
    spans = iter(
        low if low == high else f"{low} to {high}"
        for low, high in ((min(c, key=float), max(c, key=float)) for c in columns)
    )
    return NUMBERS.sub(lambda _: next(spans), texts[0])


def implied_by_priors(found: Any) -> Blocks:
    """What the priors say before the data, on effects and on explained variance.

    Parameters
    ----------
    found : PriorImplications or Quote
    """
    if isinstance(found, Quote):
        return Blocks((found,))
    share = f"{found.prob:.0%}"
    lines = [
        *((f"R\N{SUPERSCRIPT TWO} of {r['variable']}", r, "")
          for r in found.explained.query("kind == 'factor'").to_dict("records")),
        *((f"{r['lhs']} {r['op']} {r['rhs']}", r, probability(r["negative"]))
          for r in found.coefficients.query("op != '=~'").to_dict("records")),
        *((f"{r['kind']} {arrows(r['path'])}", r, probability(r["negative"]))
          for r in found.effects.query("kind == 'indirect'").to_dict("records")),
    ]  # fmt: skip
    write = fixed(2)
    rows = tuple(
        (what, write(r["median"]), interval(r["lower"], r["upper"], write), below)
        for what, r, below in lines
    )
    table = Table(
        f"What the priors imply, standardised, from {found.draws:,} prior draws",
        ("Quantity", "Median", f"{share} interval", "Pr(below 0)"), rows,
        (False, True, True, True),
    )  # fmt: skip
    return Blocks((table, *((Listing(found.notes),) if found.notes else ())))


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
    note = "A file whose fingerprint was published before the data were seen is a preregistration."
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
