"""Fit indices against chi-square, degrees of freedom, n, and each other."""

from collections.abc import Iterator
from math import inf, sqrt

from scipy.stats import chi2

from bayesem.publications.audit.findings import Finding, compare, conflict, shown, unknown
from bayesem.publications.audit.intervals import Interval, Printed, between, hull
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Table
from bayesem.publications.audit.values import Bound

__all__ = ["agfi_of", "baseline_from_cfi", "baseline_from_tli", "fit", "rmsea_of"]


def rmsea_of(chisq: float, df: float, cases: float) -> float:
    """Root mean square error of approximation; ``cases`` is n - 1 or n, by program."""
    return sqrt(max(chisq - df, 0.0) / (df * cases))


def agfi_of(gfi: float, df: float, p: float) -> float:
    """Adjusted goodness of fit."""
    return 1 - p * (p + 1) / (2 * df) * (1 - gfi)


def baseline_from_tli(tli: float, chisq: float, df: float, df0: float) -> float:
    """Baseline chi-square at which a fit has a TLI; rises with both where chi-square > df."""
    excess = chisq / df - 1
    return inf if tli >= 1 else df0 * (1 + excess / (1 - tli))


def baseline_from_cfi(cfi: float, chisq: float, df: float, df0: float) -> float:
    """Baseline chi-square at which a fit has a CFI."""
    return inf if cfi >= 1 else df0 + (chisq - df) / (1 - cfi)


def fit(paper: Paper) -> Iterator[Finding]:
    """Every index of every table of fit."""
    for table in paper.transcript.of("fit"):
        yield from _degrees(paper, table)
        found = _df(paper, table)
        if found is None:
            reason = paper.df()[1]
            for name in ("p", "rmsea", "agfi", "cmin_df"):
                value = table.whole.number_at(name)
                if value is not None:
                    yield unknown("fit", NAMES[name], value, table.where, reason)
            continue
        yield from _from_chisq(paper, table, found)
        yield from _agfi(paper, table, found)
        yield from _baseline(paper, table, found)
    yield from _thresholds(paper)


NAMES = {
    "p": "p of chi-square", "rmsea": "RMSEA", "agfi": "AGFI", "cmin_df": "CMIN/DF", "gfi": "GFI",
    "tli": "TLI", "cfi": "CFI", "nfi": "NFI", "chisq": "chi-square", "df": "df", "srmr": "SRMR",
    "critical_ratio": "critical ratio", "alpha": "alpha", "cr": "CR", "ave": "AVE",
    "loading": "loading",
}  # fmt: skip


def _df(paper: Paper, table: Table) -> float | None:
    printed, of_graph = table.whole.number_at("df"), paper.df()[0]
    if printed is not None:
        return printed.value
    return None if of_graph is None else float(of_graph)


def _chisq(table: Table, df: float) -> Interval | None:
    chisq, ratio = table.whole.number_at("chisq"), table.whole.number_at("cmin_df")
    if chisq is not None:
        return chisq.interval
    return ratio.interval.scaled(df) if ratio is not None else None


def _degrees(paper: Paper, table: Table) -> Iterator[Finding]:
    """Degrees of freedom: of the graph, and a whole number at all."""
    whole, (of_graph, reason) = table.whole, paper.df()
    printed, chisq, ratio = (whole.number_at(x) for x in ("df", "chisq", "cmin_df"))
    if printed is not None:
        if of_graph is None:
            yield unknown("df from the graph", "df", printed, table.where, reason)
        else:
            end = Interval(float(of_graph), float(of_graph))
            yield compare("df from the graph", "df", printed, end, table.where)
    elif chisq is not None and ratio is not None and ratio.interval.low > 0:
        implied = chisq.interval / ratio.interval
        if of_graph is not None:
            met = Interval(float(of_graph), float(of_graph)).meets(implied)
            yield conflict(
                "df from the graph", "df (chi-square over CMIN/DF)",
                f"{chisq.shown}/{ratio.shown} = {chisq.value / ratio.value:.1f}", float(of_graph),
                table.where, f"the graph has {of_graph} degrees of freedom", agree=met,
            )  # fmt: skip
            return
        nearest = round(implied.middle)
        whole_one = Interval(nearest, nearest).meets(implied)
        yield conflict(
            "df is a whole number", "df (chi-square over CMIN/DF)",
            f"{chisq.shown}/{ratio.shown}", chisq.value / ratio.value, table.where,
            "no whole number of degrees of freedom gives this ratio", agree=whole_one,
        )  # fmt: skip


def _from_chisq(paper: Paper, table: Table, df: float) -> Iterator[Finding]:
    whole, chisq = table.whole, _chisq(table, df)
    ratio, p, rmsea = (whole.number_at(x) for x in ("cmin_df", "p", "rmsea"))
    printed = whole.number_at("chisq")
    if chisq is None:
        for name, value in (("p", p), ("rmsea", rmsea)):
            if value is not None:
                yield unknown("fit", NAMES[name], value, table.where, "chi-square is not printed")
        return
    middle = printed.value if printed is not None else chisq.middle
    if ratio is not None and printed is not None:
        yield compare(
            "chi-square over df", "CMIN/DF", ratio, chisq.scaled(1 / df), table.where,
            centre=middle / df,
        )  # fmt: skip
    if p is not None:
        yield compare(
            "p from chi-square", "p of chi-square", p,
            between(lambda x: float(chi2.sf(x, df)), [], [chisq]), table.where,
            centre=float(chi2.sf(middle, df)),
            remedy=f"p {shown(float(chi2.sf(middle, df)), p.digits)}, or chi-square "
            f"{chi2.isf(min(max(p.value, 1e-300), 1), df):.1f}",
        )  # fmt: skip
    if rmsea is not None:
        n = paper.transcript.cases(table)
        both = [between(lambda x, c=c: rmsea_of(x, df, c), [chisq]) for c in (n - 1, n)]
        yield compare(
            "RMSEA from chi-square", "RMSEA", rmsea, hull(both), table.where,
            centre=rmsea_of(middle, df, n - 1),
            remedy=_rmsea_remedy(rmsea, middle, df, n),
        )  # fmt: skip


def _rmsea_remedy(rmsea: Printed, chisq: float, df: float, n: int) -> str:
    said = f"RMSEA {shown(rmsea_of(chisq, df, n - 1), rmsea.digits)}"
    if chisq > df and rmsea.value > 0:
        return f"{said}, or n = {round((chisq - df) / (df * rmsea.value**2)) + 1}"
    return said


def _agfi(paper: Paper, table: Table, df: float) -> Iterator[Finding]:
    gfi, agfi, p = table.whole.number_at("gfi"), table.whole.number_at("agfi"), paper.indicators
    if agfi is None:
        return
    if gfi is None or p is None:
        what = "GFI is not printed" if gfi is None else "the number of indicators is not known"
        yield unknown("AGFI from GFI", "AGFI", agfi, table.where, what)
        return
    yield compare(
        "AGFI from GFI", "AGFI", agfi, between(lambda g: agfi_of(g, df, p), [gfi.interval]),
        table.where, centre=agfi_of(gfi.value, df, p),
        remedy=f"AGFI {shown(agfi_of(gfi.value, df, p), agfi.digits)}, or GFI "
        f"{shown(1 - (1 - agfi.value) * 2 * df / (p * (p + 1)), gfi.digits)}",
    )  # fmt: skip


def _baseline(paper: Paper, table: Table, df: float) -> Iterator[Finding]:
    """TLI, CFI and NFI need one and the same baseline chi-square."""
    p, chisq, whole = paper.indicators, _chisq(table, df), table.whole
    if p is None or chisq is None:
        return
    df0 = p * (p - 1) / 2
    tli, cfi, nfi = (whole.number_at(x) for x in ("tli", "cfi", "nfi"))
    if chisq.low <= df:
        for value, name in ((tli, "TLI"), (cfi, "CFI")):
            if value is not None:
                yield _good(value, name, chisq, df, table.where)
        return
    if tli is not None and cfi is not None:
        middle = chisq.middle
        known = between(lambda t, x: baseline_from_tli(t, x, df, df0), [tli.interval, chisq])
        # the same chi-square stands in both, so the range is taken over its ends together
        ends = [
            _cfi(baseline_from_tli(t, x, df, df0), x, df, df0)
            for t in (tli.interval.low, min(tli.interval.high, 1.0))
            for x in (chisq.low, chisq.high)
        ]
        yield compare(
            "CFI against TLI", "CFI with TLI", cfi, Interval(min(ends), max(ends)), table.where,
            centre=_cfi(baseline_from_tli(min(tli.value, 1.0), middle, df, df0), middle, df, df0),
            remedy=f"TLI {tli.shown} needs a baseline chi-square of {known.low:,.0f} to "
            f"{known.high:,.0f}, CFI {cfi.shown} one of "
            f"{baseline_from_cfi(cfi.interval.low, chisq.low, df, df0):,.0f} to "
            f"{baseline_from_cfi(cfi.interval.high, chisq.high, df, df0):,.0f}",
        )  # fmt: skip
    if nfi is not None and (cfi is not None or tli is not None):
        yield _nfi(nfi, tli, cfi, chisq, df, df0, table.where)


def _good(value: Printed, name: str, chisq: Interval, df: float, where: str) -> Finding:
    """Where chi-square is not above df, CFI is 1 and TLI at least 1."""
    low = 1.0 if chisq.high <= df else -inf
    high = 1.0 if name == "CFI" else inf
    return compare(f"{name} where chi-square is below df", name, value, Interval(low, high), where)


def _cfi(baseline: float, chisq: float, df: float, df0: float) -> float:
    return 1.0 if baseline == inf else 1 - (chisq - df) / (baseline - df0)


def _nfi(
    nfi: Printed, tli: Printed | None, cfi: Printed | None, chisq: Interval, df: float, df0: float,
    where: str,
) -> Finding:  # fmt: skip
    other = cfi if cfi is not None else tli
    assert other is not None
    invert = baseline_from_cfi if cfi is not None else baseline_from_tli
    ends = []
    for t in (other.interval.low, min(other.interval.high, 1.0)):
        for x in (chisq.low, chisq.high):
            baseline = invert(t, x, df, df0)
            ends.append(1.0 if baseline == inf else 1 - x / baseline)
    return compare(
        "NFI against CFI or TLI", "NFI", nfi, Interval(min(ends), max(ends)), where,
        centre=1 - chisq.middle / invert(min(other.value, 1 - 1e-12), chisq.middle, df, df0),
    )  # fmt: skip


def _thresholds(paper: Paper) -> Iterator[Finding]:
    """Where the paper says that its bounds are met (``met = true``), whether each index is."""
    for table in paper.transcript.of("thresholds"):
        if table.whole.cells.get("met") is not True:
            continue
        for name, bound in table.whole.cells.items():
            if not isinstance(bound, Bound):
                continue
            for other in paper.transcript.of("fit"):
                value = other.whole.number_at(name)
                if value is not None:
                    yield conflict(
                        "bound of the paper", f"{NAMES[name]} {bound.shown}", value, bound.end,
                        f"{other.where}; {table.where}", "the bound is not met",
                        agree=_met(value, bound),
                    )  # fmt: skip


def _met(value: Printed, bound: Bound) -> bool:
    if bound.relation[0] == "<":
        return value.interval.low <= bound.end
    return value.interval.high >= bound.end
