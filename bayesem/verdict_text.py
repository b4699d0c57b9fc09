"""Verdicts as text: 80 columns for a terminal, a table for a notebook, and reasons in words."""

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import fill

import numpy as np
import pandas as pd

from bayesem.decision import (
    NULL,
    REFUTED,
    SURE,
    UNDECIDED,
    WITHHELD,
    Evidence,
    bayes_factor,
    frechet,
    judge,
)
from bayesem.propositions import Rule
from bayesem.rounding import factor_text, share_text

__all__ = ["explain", "html", "rule_text", "text"]

WIDTH = 80
_FAILED = "not converged"


def rule_text(rule: Rule) -> str:
    """The rule in one sentence.

    Examples
    --------
    >>> rule_text(Rule(rope={"path": 0.1}))
    'Rule: supported from probability 0.95 and Bayes factor 3; rope path 0.1.'
    """
    ropes = ", ".join(f"{kind} {width:g}" for kind, width in rule.rope.items())
    least = f"probability {rule.prob:g} and Bayes factor {rule.min_bayes_factor:g}"
    return f"Rule: supported from {least}; rope {ropes}."


# --- reasons ------------------------------------------------------------------------------------


def explain(evidence: Evidence, verdict: str, rule: Rule, n: int | None) -> str:
    """Why a claim got its verdict, in a few words; empty where the numbers say it all.

    Parameters
    ----------
    evidence : Evidence
        Of one claim (scalars).
    verdict : str
        What `bayesem.decision.judge` returned.
    rule : Rule
    n : int or None
        Number of cases, named beside an attainable maximum.
    """
    match verdict:
        case "withheld":
            return "more draws needed: " + "; ".join(_doubts(evidence, rule))
        case "practically null":
            inside = [e for e in _leaves(evidence) if judge(e, rule) == NULL]
            return "; ".join(
                f"`{e.text}`: the difference lies inside the rope, probability {e.rope_mass:.3f}"
                for e in inside
            )
        case "refuted" if evidence.parts:
            fallen = [e for e in evidence.parts if judge(e, rule) == REFUTED]
            return "refuted: " + "; ".join(f"`{e.text}` ({e.probability:.3f})" for e in fallen)
        case "undecided":
            return "; ".join(_open(evidence, rule, n))
    return ""


def _open(evidence: Evidence, rule: Rule, n: int | None) -> Iterator[str]:
    if evidence.by_model:
        yield "decided by the model, not by data"
        return
    if evidence.probability >= rule.prob:
        yield _no_factor(evidence, rule)
    if evidence.parts:
        states = [(part, str(judge(part, rule))) for part in evidence.parts]
        waiting = [part for part, state in states if state in (UNDECIDED, WITHHELD)]
        if waiting:
            yield "open: " + ", ".join(f"`{p.text}` ({p.probability:.3f})" for p in waiting)
        elif evidence.kind == "all" and evidence.probability < rule.prob:
            yield "every part is supported on its own, all of them together are not"
    elif evidence.probability <= 1 - rule.prob:
        yield _no_factor(evidence, rule)
    if evidence.attainable < rule.prob:
        where = "with these data" if n is None else f"at n = {n}"
        yield f"the probability cannot pass {evidence.attainable:.2f} {where}"


def _no_factor(evidence: Evidence, rule: Rule) -> str:
    value = bayes_factor(evidence).value
    if np.isnan(value):
        return "all draws agree before the data and after them: nothing was learnt"
    return f"hardly changed by the data: prior {evidence.prior:.3f}, Bayes factor {value:.2g}"


def _doubts(evidence: Evidence, rule: Rule) -> Iterator[str]:
    """Thresholds that lie within two Monte-Carlo standard errors."""
    yield from _near(evidence, evidence.probability, rule.prob, evidence.mcse, "probability")
    yield from _near_factor(evidence, rule.min_bayes_factor)
    for leaf in _leaves(evidence):
        yield from _near(leaf, leaf.probability, 1 - rule.prob, leaf.mcse, "probability")
        yield from _near(leaf, leaf.rope_mass, rule.prob, leaf.rope_mcse, "rope mass")
        yield from _near_factor(leaf, 1 / rule.min_bayes_factor)


def _near(
    evidence: Evidence, value: np.ndarray, threshold: float, mcse: np.ndarray, what: str
) -> Iterator[str]:
    if abs(value - threshold) <= SURE * mcse:
        yield f"{what} of `{evidence.text}` {value:.3f} (mcse {mcse:.3f}) is near {threshold:g}"


def _near_factor(evidence: Evidence, threshold: float) -> Iterator[str]:
    bf = bayes_factor(evidence)
    if bf.lower < threshold <= bf.upper and not np.isnan(bf.value):
        yield f"the Bayes factor of `{evidence.text}` may lie on either side of {threshold:.3g}"


def _leaves(evidence: Evidence) -> Iterator[Evidence]:
    if not evidence.parts:
        yield evidence
    for part in evidence.parts:
        yield from _leaves(part)


# --- text ---------------------------------------------------------------------------------------


def text(table: pd.DataFrame, parts: pd.DataFrame, notes: Sequence[str]) -> str:
    """A readable page of at most 80 columns; of chains that failed it shows no number."""
    table = table.assign(reason=list(_said_once(table["reason"])))
    lines = [_wrap(note) for note in notes[:1]]
    for name, rows in table.groupby("name", sort=False):
        first = rows.iloc[0]
        mine = parts[parts["name"] == name]
        if "reading" not in table:
            lines += ["", _headline(str(name), first)]
            lines += [*_saying(first), *_detail(first, mine)]
            continue
        lines += ["", str(name), *_saying(first)]
        for _, row in rows.iterrows():
            weight = "" if pd.isna(row["weight"]) else f" (weight {share_text(row['weight'])})"
            lines.append("  " + _headline(f"{row['reading']}{weight}", row))
            lines += _detail(row, mine[mine["reading"] == row["reading"]])
    return "\n".join([*lines, "", *(_wrap(note) for note in notes[1:])])


def _said_once(reasons: pd.Series) -> Iterator[str]:
    """Reasons, each long one on chains in full where it comes first."""
    said = set()
    for reason in reasons:
        yield f"{_FAILED}, as above" if reason in said else reason
        if str(reason).startswith(f"{_FAILED}:"):
            said.add(reason)


def _headline(name: str, row: pd.Series) -> str:
    """Name, verdict, probability, prior and factor, in columns where they fit."""
    if pd.isna(row["probability"]) or _failed(row):
        return f"{name:<22}  {row['verdict']}"
    prior = row["prior_probability"]
    numbers = f"Pr {probability_text(row['probability'])}"
    numbers += "" if pd.isna(prior) else f"  prior {probability_text(prior)}"
    factor = factor_text(row)
    return f"{name:<22}  {row['verdict']:<16}  {numbers}{f'  BF {factor}' if factor else ''}"


def probability_text(p: float) -> str:
    """Three decimals, and never a certainty that no number of draws can show.

    Examples
    --------
    >>> probability_text(0.9995), probability_text(0.99949), probability_text(0.0004)
    ('>.999', '0.999', '<.001')
    """
    if p >= 0.9995:
        return ">.999"
    return "<.001" if p < 0.0005 else f"{p:.3f}"


def _saying(row: pd.Series) -> Iterator[str]:
    if row["says"]:
        yield _wrap(f'"{row["says"]}"', 2)
    yield _wrap(row["claim"], 2)


def _detail(row: pd.Series, parts: pd.DataFrame) -> Iterator[str]:
    if _failed(row):
        yield _wrap(row["reason"], 4)
        return
    if not pd.isna(row["estimate"]):
        rope = "" if pd.isna(row["rope_mass"]) else f", inside the rope {row['rope_mass']:.3f}"
        size = f"{row['estimate']:.3f} [{row['lower']:.3f}, {row['upper']:.3f}]"
        yield _wrap(f"difference {size}{rope}", 4)
    if not pd.isna(row["probability"]):
        errors = f"Monte-Carlo error: probability {row['mcse']:.2g}"
        if not pd.isna(row["bayes_factor_mcse"]):
            errors += f", Bayes factor {row['bayes_factor_mcse']:.2g}"
        yield _wrap(errors, 4)
    if row["reason"]:
        yield _wrap(row["reason"], 4)
    if len(parts) > 1:
        low, high = frechet(list(parts["probability"]))
        pairs = zip(parts["probability"], parts["verdict"], strict=True)
        each = ", ".join(f"{probability_text(p)} {v}" for p, v in pairs)
        both = (parts["joined"] == "and").all() and high - low >= 5e-4
        joint = f"; their probabilities alone leave {low:.3f} to {high:.3f}" if both else ""
        yield _wrap(f"parts: {each}{joint}", 4)


def _wrap(line: str, indent: int = 0) -> str:
    space = " " * indent
    return fill(line, WIDTH, initial_indent=space, subsequent_indent=space, break_long_words=False)


# --- for notebooks ------------------------------------------------------------------------------

_RED = "color:#c00000"


def html(table: pd.DataFrame, notes: Sequence[str]) -> str:
    """A table for notebooks; what must not be overlooked stands above it."""
    above = [note for note in notes if note.startswith("SYNTHETIC DATA")]
    failed = [row["name"] for _, row in table.iterrows() if _failed(row)]
    if failed:
        above.append(f"NOT CONVERGED: no verdict on {', '.join(dict.fromkeys(map(str, failed)))}.")
    readings = ["reading", "weight"] if "reading" in table else []
    names = ["name", "claim", *readings, "verdict", "Pr", "prior", "BF", "why"]
    head = "".join(f'<th style="text-align:left">{name}</th>' for name in names)
    groups = (rows for _, rows in table.groupby("name", sort=False))
    body = "".join(line for rows in groups for line in _html_rows(rows, readings))
    said = "".join(f'<p><strong style="{_RED}">{escape(note)}</strong></p>' for note in above)
    under = "".join(f"<p>{escape(note)}</p>" for note in notes if note not in above)
    return f"{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{under}"


def _failed(row: pd.Series) -> bool:
    return row["verdict"] == WITHHELD and str(row["reason"]).startswith(_FAILED)


def _html_rows(rows: pd.DataFrame, readings: Sequence[str]) -> Iterator[str]:
    """The rows of one proposition; its name and sentence stand beside all of them."""
    first = rows.iloc[0]
    says = f"{escape(str(first['says']))}<br>" if first["says"] else ""
    wide = f' rowspan="{len(rows)}"'
    left = _td(f"<strong>{escape(str(first['name']))}</strong>", more=wide)
    left += _td(f"{says}<code>{escape(str(first['claim']))}</code>", more=wide)
    for k, (_, row) in enumerate(rows.iterrows()):
        yield f"<tr>{left if k == 0 else ''}{_html_numbers(row, readings)}</tr>"


def _html_numbers(row: pd.Series, readings: Sequence[str]) -> str:
    """Of chains that failed no number is shown, and of withheld verdicts none in black."""
    p, prior = row["probability"], row["prior_probability"]
    numbers = ["" if pd.isna(v) else probability_text(v) for v in (p, prior)]
    numbers = ["", "", ""] if _failed(row) else [*numbers, factor_text(row)]
    pale = "white-space:nowrap;" + ("color:#888" if row["verdict"] == WITHHELD else "")
    where = "".join(_td(_cell(row[c])) for c in readings)
    figures = "".join(_td(escape(n), pale) for n in numbers)
    verdict = _td(_html_verdict(str(row["verdict"])), "white-space:nowrap;")
    return f"{where}{verdict}{figures}{_td(escape(str(row['reason'])))}"


def _td(inside: str, style: str = "", more: str = "") -> str:
    return f'<td{more} style="text-align:left;vertical-align:top;{style}">{inside}</td>'


def _html_verdict(verdict: str) -> str:
    look = _RED if verdict == WITHHELD else ""
    mark = "em" if verdict == WITHHELD else "strong"
    return f'<{mark} style="{look}">{escape(verdict)}</{mark}>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.2f}"
    return escape(str(value))
