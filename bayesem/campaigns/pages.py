"""What campaigns print: tables that fit 80 columns, and the same as JSON."""

import json
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from bayesem.campaigns.assurance import Design
    from bayesem.campaigns.calibration import Calibration

__all__ = ["calibration_page", "calibration_record", "design_page", "design_record", "size_text"]

WIDTH = 80
#: Replicates below which only gross faults would have shown.
FEW = 100


def calibration_page(found: "Calibration") -> str:
    """Verdict, table, notes."""
    bad = found.table[~found.table["uniform"]]
    size = len(found.table)
    few = found.replicates < FEW
    uniform = f"ranks of {size} quantities are uniform over {found.replicates} replicates"
    head = (
        f"NOT CALIBRATED: ranks of {len(bad)} of {size} quantities are not uniform over "
        f"{found.replicates} replicates"
    )
    if bad.empty:
        head = f"NO ALARM: {uniform}, which are few" if few else f"CALIBRATED: {uniform}"
    if not found.right_gradient:
        head = f"NOT CALIBRATED: the sampler's gradient is off by {found.gradient:.2g}"
    rows = [_row(r) for r in found.table.to_dict("records")]
    lines = [head, "", HEADER, *rows, ""]
    lines += [
        f"ECDF p: simultaneous test of the ranks; uniform if at least {found.alpha / size:.2g}, "
        "so that",
        f"an alarm with nothing wrong has probability {found.alpha:g} over all quantities.",
        *(line for note in found.notes for line in wrap(note, WIDTH)),
    ]
    for number, _, error in found.failures.head(3).itertuples(index=False):
        lines.append(f"replicate {number} failed: {error}"[:WIDTH])
    return "\n".join(lines)


HEADER = (
    f"{'quantity':<30} {'rank':>5} {'ECDF p':>7} {'50%':>5} {'90%':>5} "
    f"{'z mean':>7} {'z sd':>5} {'shrink':>6}"
)


def _row(r: dict) -> str:  # type: ignore[type-arg]
    name = f"{r['quantity']} ({r['label']})" if r["label"] else str(r["quantity"])
    mark = "" if r["uniform"] else " <"

    def number(value: float, width: int, digits: int) -> str:
        return " " * width if value != value else f"{value:{width}.{digits}f}"

    return (
        f"{name[:30]:<30} {number(r['mean_rank'], 5, 3)} {r['ecdf_p']:7.4f} "
        f"{number(r['coverage_50'], 5, 2)} {number(r['coverage_90'], 5, 2)} "
        f"{number(r['z_mean'], 7, 2)} {number(r['z_sd'], 5, 2)} "
        f"{number(r['shrinkage'], 6, 2)}{mark}"
    ).rstrip()


def design_page(found: "Design") -> str:
    """Shares by proposition and n, the sizes needed, notes."""
    lines = [
        "Share of samples in which each proposition gets a verdict",
        "",
        f"{'':<20} {'n':>5} {'decisive (se)':>14} {'support':>7} {'refute':>6} {'null':>5} "
        f"{'undec.':>6} {'withheld':>8}",
    ]
    before = None
    for r in found.table.to_dict("records"):
        name = "" if r["name"] == before else str(r["name"])[:20]
        before = r["name"]
        lines.append(
            f"{name:<20} {r['n']:>5} {r['decisive']:>7.2f} ({r['mcse']:.2f}) "
            f"{r['supported']:>7.2f} {r['refuted']:>6.2f} {r['practically null']:>5.2f} "
            f"{r['undecided']:>6.2f} {r['withheld']:>8.2f}"
        )
    sizes = found.table["n"]
    lines += ["", f"Smallest n for a probability of {found.assurance:g} (95% interval)"]
    lines += [_size_line(r, sizes.min(), sizes.max()) for r in found.sizes.to_dict("records")]
    per = found.table["replicates"]
    counts = f"{per.min()}" if per.min() == per.max() else f"{per.min()} to {per.max()}"
    notes = [line for note in found.notes for line in wrap(note, WIDTH)]
    return "\n".join([*lines, "", f"{counts} replicates of each size", *notes])


def _size_line(r: Mapping[Any, Any], low: int, high: int) -> str:
    return f"{str(r['name'])[:20]:<20} {r['verdict']}: {size_text(r, low, high)}"


def size_text(r: Mapping[Any, Any], low: int, high: int) -> str:
    """The smallest sufficient n of a row of `bayesem.Design.sizes`, no further than was tried.

    Parameters
    ----------
    r : mapping
        The row.
    low, high : int
        Smallest and largest n that were tried.
    """
    if r["verdict"] == "none":
        return "no decisive verdict at any size tried"
    if r["n"] is None or r["n"] != r["n"]:
        return "one size alone does not tell; try several"

    def shown(value: float) -> str:
        if value > high:
            return f"above {high}"
        return f"at most {low}" if value <= low else f"{value:.0f}"

    doubt = "; shares do not rise smoothly" if r["fit_p"] < 0.01 else ""
    return f"{shown(r['n'])} ({shown(r['lower'])} to {shown(r['upper'])}){doubt}"


def calibration_record(found: "Calibration") -> dict[str, Any]:
    """A calibration's results in JSON's types."""
    return {
        "ok": found.ok, "alpha": found.alpha, "replicates": found.replicates,
        "not_converged": found.not_converged, "gradient": found.gradient,
        "highest": found.highest, "table": _rows(found.table),
        "failures": _rows(found.failures), "notes": list(found.notes),
        "seed": found.campaign.seed, "interrupted": found.campaign.interrupted,
    }  # fmt: skip


def design_record(found: "Design") -> dict[str, Any]:
    """A design's results in JSON's types."""
    return {
        "assurance": found.assurance, "not_converged": found.not_converged,
        "table": _rows(found.table), "sizes": _rows(found.sizes),
        "failures": _rows(found.failures), "notes": list(found.notes),
        "seed": found.campaign.seed, "interrupted": found.campaign.interrupted,
    }  # fmt: skip


def _rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows with missing and infinite numbers as null."""
    return list(json.loads(table.to_json(orient="records")))
