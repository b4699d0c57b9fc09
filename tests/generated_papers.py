"""Papers that never were: a random study, fitted and printed as papers print, and errors to plant.

Everything here is synthetic. The text is written by this file and read by the package from disk, so
that reading, rounding and checking are tested together.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from bayesem.errors import DataError
from bayesem.model import read_model
from bayesem.publications.design import Design, design_of, standardised
from bayesem.publications.maximum import maximum_likelihood
from bayesem.publications.publish import publish

LETTERS = "ABCDEFGH"
EXACT = 12  # decimals that are left before printing rounds


@dataclass(frozen=True)
class Cell:
    """A number with the decimals it is printed with."""

    value: float
    digits: int

    def __str__(self) -> str:
        return f"{self.value:.{self.digits}f}"


@dataclass
class Generated:
    """A graph and the tables of a paper about it, not yet written down."""

    graph: str
    n: int
    tables: dict[str, dict[str, Any]]


def paper(seed: int, digits: int) -> Generated:
    """An honest paper: what a program shows of one data set, rounded to ``digits`` decimals."""
    for attempt in range(50):
        rng = np.random.default_rng([seed, attempt])
        try:
            return _attempt(rng, digits)
        except (DataError, np.linalg.LinAlgError, _NotProper):
            continue
    raise RuntimeError(f"no admissible study for seed {seed}")


class _NotProper(Exception):
    """A Heywood case or a negative loading: no paper prints it."""


@dataclass(frozen=True)
class Study:
    """A graph, answers, and the fit of one to the other."""

    graph: str
    design: Design
    answers: np.ndarray
    found: Any


def study(seed: int) -> Study:
    """A random study with a proper solution."""
    for attempt in range(50):
        try:
            return _study(np.random.default_rng([seed, attempt]))
        except (DataError, np.linalg.LinAlgError, _NotProper):
            continue
    raise RuntimeError(f"no admissible study for seed {seed}")


def _study(rng: np.random.Generator) -> Study:
    graph = _graph(rng)
    design = design_of(read_model(graph))
    n = int(rng.integers(90, 600))
    answers = _answers(design, n, rng)
    found = maximum_likelihood(design, np.cov(answers.T), n)
    loadings = found.solution.loadings
    if (loadings <= 0.05).any() or (loadings >= 0.98).any() or (found.solution.psi <= 0).any():
        raise _NotProper
    return Study(graph, design, answers, found)


def _attempt(rng: np.random.Generator, digits: int) -> Generated:
    one = _study(rng)
    graph, design, answers, found = one.graph, one.design, one.answers, one.found
    n, S = len(answers), np.cov(answers.T)
    exact = publish(S, n, design, EXACT, loading_digits=EXACT)
    tables: dict[str, dict[str, Any]] = {}
    tables |= _sample(n, rng)
    tables |= _demographics(n, rng)
    tables |= _descriptives(answers, design, digits)
    tables |= _measurement(exact, answers, design, digits)
    tables |= _discriminant(found.solution.Phi, exact, design, digits)
    tables |= _fit(exact, digits, design.df)
    tables |= _paths(exact, found, digits)
    tables |= _regression(answers, design, digits)
    return Generated(graph, n, tables)


# --- the study ------------------------------------------------------------------------------------


def _graph(rng: np.random.Generator) -> str:
    """A recursive graph of three to five factors with a mediated path."""
    m = int(rng.integers(3, 6))
    lines = []
    for k in range(m):
        items = " + ".join(f"{LETTERS[k].lower()}{i + 1}" for i in range(rng.integers(3, 7)))
        lines.append(f"{LETTERS[k]} =~ {items}")
    exogenous = int(rng.integers(1, m - 1))
    for k in range(exogenous, m):
        causes = [j for j in range(k) if rng.uniform() < 0.7] or [k - 1]
        if k == exogenous + 1 and exogenous not in causes:
            causes.append(exogenous)
        terms = " + ".join(f"p{LETTERS[k]}{LETTERS[j]}*{LETTERS[j]}" for j in sorted(causes))
        lines.append(f"{LETTERS[k]} ~ {terms}")
    outcomes = {line.split()[0] for line in lines if " ~ " in line}
    causing = {t.split("*")[1] for line in lines if " ~ " in line for t in line.split()[2::2]}
    final = sorted(outcomes - causing)
    for i, one in enumerate(final):
        lines += [f"{one} ~~ 0*{other}" for other in final[i + 1 :]]
    return "\n".join(lines) + "\n"


def _answers(design: Design, n: int, rng: np.random.Generator) -> np.ndarray:
    """Answers from 1 to 7."""
    p = len(design.indicators)
    loadings = rng.uniform(0.55, 0.85, p)
    paths = rng.uniform(-0.1, 0.5, len(design.paths))
    r = rng.uniform(0.0, 0.5, len(design.correlations))
    truth = standardised(design, loadings, paths, r)
    if (truth.psi < 0.1).any():
        raise _NotProper
    x = rng.multivariate_normal(np.zeros(p), truth.Sigma(design), n)
    return np.clip(np.round(rng.uniform(3.5, 4.6, p) + 1.3 * x), 1, 7)


# --- its tables -----------------------------------------------------------------------------------


def _rows(table: str, **more: Any) -> dict[str, Any]:
    return {"where": table, **more}


def _sample(n: int, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    back = n + int(rng.integers(0, 40))
    sent = back + int(rng.integers(0, 200))
    rate = Cell(100 * back / sent, 1)
    return {"sample": _rows("Sample", sent=sent, returned=back, kept=n, response_rate=rate)}


def _demographics(n: int, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    rows = []
    for name, groups in (("gender", 2), ("age", 4), ("size", 3)):
        counts = rng.multinomial(n, rng.dirichlet(np.full(groups, 3.0)))
        rows += [
            {
                "characteristic": name, "group": f"{name} {k + 1}", "frequency": int(c),
                "percentage": Cell(100 * c / n, 1),
            }
            for k, c in enumerate(counts)
        ]  # fmt: skip
    text = [{k: v for k, v in row.items() if k != "frequency"} for row in rows[2:5]]
    return {
        "demographics": _rows("Table 1", kind="frequencies", total=n, rows=rows),
        "demographics_text": _rows("text on Table 1", kind="frequencies", rows=text),
    }


def _descriptives(answers: np.ndarray, design: Design, digits: int) -> dict[str, dict[str, Any]]:
    rows = [
        {"name": name, "mean": Cell(x.mean(), digits), "sd": Cell(x.std(ddof=1), digits)}
        for name, x in zip(design.indicators, answers.T, strict=True)
    ]
    return {"descriptives": _rows("Table 2", items=1, scale=[1, 7], rows=rows)}


def _measurement(
    exact: Any, answers: np.ndarray, design: Design, digits: int
) -> dict[str, dict[str, Any]]:
    loadings = [
        {"lhs": row["lhs"], "op": "=~", "rhs": row["rhs"], "est": Cell(row["est"], digits)}
        for row in exact["loadings"]["rows"]
    ]
    rows = []
    for k, factor in enumerate(design.factors):
        own = np.array([r["est"] for r in exact["loadings"]["rows"] if r["lhs"] == factor])
        items = answers[:, np.array(design.block) == k]
        S = np.cov(items.T)
        alpha = len(S) / (len(S) - 1) * (1 - np.trace(S) / S.sum())
        common = own.sum() ** 2
        rows.append({
            "factor": factor, "alpha": Cell(alpha, digits), "ave": Cell((own**2).mean(), digits),
            "cr": Cell(common / (common + (1 - own**2).sum()), digits),
            "sqrt_ave": Cell(np.sqrt((own**2).mean()), digits),
        })  # fmt: skip
    return {
        "loadings": _rows("Table 3", rows=loadings),
        "reliability": _rows("Table 4", rows=rows),
    }


def _discriminant(
    Phi: np.ndarray, exact: Any, design: Design, digits: int
) -> dict[str, dict[str, Any]]:
    matrix = []
    for i, factor in enumerate(design.factors):
        own = np.array([r["est"] for r in exact["loadings"]["rows"] if r["lhs"] == factor])
        row = [Cell(Phi[i, j], digits) for j in range(i)]
        matrix.append([*row, Cell(np.sqrt((own**2).mean()), digits)])
    names = list(design.factors)
    return {"correlations": _rows("Table 5", names=names, diagonal="sqrt_ave", rows=matrix)}


def _fit(exact: Any, digits: int, df: int) -> dict[str, dict[str, Any]]:
    values = {k: Cell(v, digits) for k, v in exact["fit"].items() if k not in ("where", "digits")}
    return {"fit": _rows("Table 6", df=df, **values)}


def _paths(exact: Any, found: Any, digits: int) -> dict[str, dict[str, Any]]:
    rows, text, stated = [], [], []
    ratios = {}
    for k, row in enumerate(exact["regression_weights"]["rows"]):
        p = row["p"] if row["p"] == "***" else Cell(row["p"], 3)
        se = row["est"] / row["cr"]
        accepted = row["p"] == "***" or (row["p"] < 0.05)
        if row["p"] != "***" and abs(row["p"] - 0.05) < 0.001:
            raise _NotProper  # printed as .050: either word would do
        ratios[row["lhs"], row["rhs"]] = row["cr"]
        rows.append({
            "lhs": row["lhs"], "op": "~", "rhs": row["rhs"], "hypothesis": f"H{k + 1}",
            "est": Cell(row["est"], digits), "se": Cell(se, digits), "cr": Cell(row["cr"], digits),
            "p": p, "result": "accepted" if accepted else "rejected",
        })  # fmt: skip
        text.append({
            "lhs": row["lhs"], "op": "~", "rhs": row["rhs"], "est": Cell(row["est"], digits),
            "cr": Cell(row["cr"], digits), "p": p,
        })  # fmt: skip
        stated.append({"hypothesis": f"H{k + 1}", "lhs": row["lhs"], "rhs": row["rhs"]})
    if any(isinstance(r["se"], Cell) and float(str(r["se"])) <= 0 for r in rows):
        raise _NotProper
    sobel = []
    for (outcome, middle), b in ratios.items():
        for (to, origin), a in ratios.items():
            if to == middle:
                z = abs(a * b) / np.sqrt(a * a + b * b)
                sobel.append({
                    "path": [origin, middle, outcome], "z": Cell(z, digits),
                    "p": Cell(2 * stats.norm.sf(z), 3),
                })  # fmt: skip
    tables = {
        "weights": _rows("Table 7", rows=rows),
        "weights_text": _rows("text on Table 7", rows=text),
        "stated": _rows("Hypotheses", rows=stated),
    }
    return tables | ({"sobel": _rows("Table 8", kind="indirect", rows=sobel)} if sobel else {})


def _regression(answers: np.ndarray, design: Design, digits: int) -> dict[str, dict[str, Any]]:
    """The last factor's mean score on the others'."""
    block = np.array(design.block)
    scores = np.column_stack([answers[:, block == k].mean(1) for k in range(len(design.factors))])
    y, X = scores[:, -1], np.column_stack([np.ones(len(scores)), scores[:, :-1]])
    rest = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    r2 = 1 - (rest @ rest) / ((y - y.mean()) @ (y - y.mean()))
    k = X.shape[1] - 1
    df2 = len(y) - k - 1
    F = r2 / (1 - r2) * df2 / k
    row = {
        "outcome": design.factors[-1], "R2": Cell(r2, digits), "predictors": k, "df1": k, "df2": df2,
        "adj_R2": Cell(1 - (1 - r2) * (len(y) - 1) / df2, digits), "F": Cell(F, digits),
        "p": Cell(stats.f.sf(F, k, df2), 3), "R": Cell(np.sqrt(r2), digits),
    }  # fmt: skip
    return {"regression": _rows("Table 9", rows=[row])}


# --- writing it down ------------------------------------------------------------------------------


def codebook(made: Generated) -> str:
    """The codebook's text."""
    lines = [
        "[study]",
        'title = "A generated paper (SYNTHETIC)"',
        f"n = {made.n}",
        "scale = [1, 7]",
    ]
    for name, table in made.tables.items():
        lines += ["", f"[printed.{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in table.items() if key != "rows"]
        if "rows" in table:
            lines += ["rows = [", *(f"    {_toml(row)}," for row in table["rows"]), "]"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def bare(made: Generated) -> Generated:
    """The same paper without anything that it says twice, and without standard errors."""
    copied = copy.deepcopy(made)
    for name in ("weights_text", "demographics_text", "stated"):
        copied.tables.pop(name, None)
    for row in copied.tables["weights"]["rows"]:
        row.pop("se")
        row.pop("hypothesis")
    for row in copied.tables["reliability"]["rows"]:
        row.pop("sqrt_ave")
    copied.tables.pop("correlations")
    return copied


# --- errors ---------------------------------------------------------------------------------------

Planter = Callable[[Generated, np.random.Generator], str]


def plant(made: Generated, kind: str, rng: np.random.Generator) -> tuple[Generated, str] | None:
    """A copy with one error, and where it stands; None where the paper has no place for it."""
    copied = copy.deepcopy(made)
    try:
        where = ERRORS[kind](copied, rng)
    except _NoPlace:
        return None
    return copied, where


class _NoPlace(Exception):
    """The paper does not print what the error needs."""


def _pick(made: Generated, table: str, column: str, rng: np.random.Generator) -> dict[str, Any]:
    if table not in made.tables:
        raise _NoPlace
    rows = [r for r in made.tables[table]["rows"] if isinstance(r.get(column), Cell)]
    if not rows:
        raise _NoPlace
    return rows[int(rng.integers(len(rows)))]


def _move(row: dict[str, Any], column: str, value: float) -> None:
    """Print another number; the error must show in the printed digits."""
    old = row[column]
    new = Cell(value, old.digits)
    if str(new) == str(old):
        raise _NoPlace
    row[column] = new


def _factor(rng: np.random.Generator) -> float:
    """Off by a fifth to a half, up or down."""
    size = rng.uniform(1.2, 1.5)
    return size if rng.uniform() < 0.5 else 1 / size


def _scaled(table: str, column: str) -> Planter:
    """One number off by a fifth to a half."""

    def planted(made: Generated, rng: np.random.Generator) -> str:
        row = _pick(made, table, column, rng)
        _move(row, column, row[column].value * _factor(rng))
        return made.tables[table]["where"]

    return planted


def _shifted(table: str, column: str, least: float, most: float, *, up: bool = False) -> Planter:
    """One number off by an amount between two; ``up`` never below the truth."""

    def planted(made: Generated, rng: np.random.Generator) -> str:
        row = _pick(made, table, column, rng)
        step = rng.uniform(least, most) * (1 if up or rng.uniform() < 0.5 else -1)
        value = row[column].value + step
        if not -0.99 < value < 0.99:
            value = row[column].value - step
        _move(row, column, value)
        return made.tables[table]["where"]

    return planted


def _typed(table: str, column: str) -> Planter:
    """One digit behind the point replaced by another, as in typing."""

    def planted(made: Generated, rng: np.random.Generator) -> str:
        row = _pick(made, table, column, rng)
        text = str(row[column])
        at = len(text) - 1 - int(rng.integers(row[column].digits))
        digit = str(rng.choice([d for d in "0123456789" if d != text[at]]))
        _move(row, column, float(text[:at] + digit + text[at + 1 :]))
        return made.tables[table]["where"]

    return planted


def _fit_index(name: str, size: float) -> Planter:
    def planted(made: Generated, rng: np.random.Generator) -> str:
        table = made.tables["fit"]
        step = rng.uniform(0.5, 1.5) * size * (1 if rng.uniform() < 0.5 else -1)
        value = table[name].value + step
        _move(table, name, value if value > 0 else table[name].value + abs(step))
        return str(table["where"])

    return planted


def _swapped_rows(made: Generated, rng: np.random.Generator) -> str:
    """The numbers of two paths change places; the text on the table keeps them."""
    rows = made.tables["weights"]["rows"]
    if len(rows) < 2:
        raise _NoPlace
    i, j = rng.choice(len(rows), 2, replace=False)
    columns = ("est", "se", "cr", "p")
    one, two = ({c: rows[k][c] for c in columns} for k in (i, j))
    if all(str(one[c]) == str(two[c]) for c in columns):
        raise _NoPlace
    rows[i] |= two
    rows[j] |= one
    return "Table 7"


def _estimate_for_error(made: Generated, rng: np.random.Generator) -> str:
    """The estimate stands in the place of its error."""
    row = _pick(made, "weights", "se", rng)
    if row["est"].value <= 0:
        raise _NoPlace
    _move(row, "se", row["est"].value)
    return "Table 7"


def _wrong_p(made: Generated, rng: np.random.Generator) -> str:
    row = _pick(made, "weights", "p", rng)
    _move(row, "p", float(np.clip(row["p"].value + rng.uniform(0.01, 0.1), 0, 1)))
    return "Table 7"


def _lost_sign(made: Generated, rng: np.random.Generator) -> str:
    row = _pick(made, "weights", "est", rng)
    _move(row, "est", -row["est"].value)
    return "Table 7"


def _other_result(made: Generated, rng: np.random.Generator) -> str:
    row = _pick(made, "weights", "est", rng)
    row["result"] = "rejected" if row["result"] == "accepted" else "accepted"
    return "Table 7"


def _other_hypothesis(made: Generated, rng: np.random.Generator) -> str:
    rows = made.tables["weights"]["rows"]
    if len(rows) < 2:
        raise _NoPlace
    i, j = rng.choice(len(rows), 2, replace=False)
    rows[i]["hypothesis"] = rows[j]["hypothesis"]
    return "Table 7"


def _n_once(made: Generated, rng: np.random.Generator) -> str:
    """n of the study differs from the cases kept and from the total of Table 1."""
    made.n = _another(made.n, rng)
    return ""


def _n_everywhere(made: Generated, rng: np.random.Generator) -> str:
    """Wrong wherever it is printed: only what was computed from the true one can tell."""
    wrong = _another(made.n, rng)
    made.n = made.tables["sample"]["kept"] = made.tables["demographics"]["total"] = wrong
    made.tables["sample"]["returned"] = max(made.tables["sample"]["returned"], wrong)
    made.tables["sample"].pop("response_rate")
    made.tables["sample"].pop("sent")
    return ""


def _n_and_counts(made: Generated, rng: np.random.Generator) -> str:
    """As before in a paper without counts and regression: fit indices and means alone."""
    for name in ("demographics", "demographics_text", "regression", "sample"):
        made.tables.pop(name, None)
    made.n = _another(made.n, rng)
    return ""


def _another(n: int, rng: np.random.Generator) -> int:
    """Off by a tenth to two fifths."""
    return round(n * (1 + rng.uniform(0.1, 0.4) * (1 if rng.uniform() < 0.5 else -1)))


def _wrong_df(made: Generated, rng: np.random.Generator) -> str:
    made.tables["fit"]["df"] += int(rng.choice([-3, -2, -1, 1, 2, 3]))
    return "Table 6"


def _wrong_count(made: Generated, rng: np.random.Generator) -> str:
    rows = made.tables["demographics"]["rows"]
    rows[int(rng.integers(len(rows)))]["frequency"] += int(rng.integers(1, 10))
    return "Table 1"


def _wrong_correlation(made: Generated, rng: np.random.Generator) -> str:
    """A correlation of factors off by .1 to .3."""
    matrix = made.tables["correlations"]["rows"]
    i = int(rng.integers(1, len(matrix)))
    j = int(rng.integers(i))
    old = matrix[i][j]
    value = old.value + rng.uniform(0.1, 0.3) * (1 if rng.uniform() < 0.5 else -1)
    matrix[i][j] = Cell(float(np.clip(value, -0.95, 0.95)), old.digits)
    return "Table 5"


def _chisq(made: Generated, rng: np.random.Generator) -> str:
    table = made.tables["fit"]
    _move(table, "chisq", table["chisq"].value * _factor(rng))
    return "Table 6"


ERRORS: dict[str, Planter] = {
    "rows of the path table exchanged": _swapped_rows,
    "standard error off by a fifth or more": _scaled("weights", "se"),
    "estimate in the place of its error": _estimate_for_error,
    "estimate: one digit mistyped": _typed("weights", "est"),
    "critical ratio: one digit mistyped": _typed("weights", "cr"),
    "sign of an estimate lost": _lost_sign,
    "p off by .01 to .10": _wrong_p,
    "result against its p": _other_result,
    "hypothesis misnamed": _other_hypothesis,
    "Sobel z off by a fifth or more": _scaled("sobel", "z"),
    "AVE inflated by .05 to .25": _shifted("reliability", "ave", 0.05, 0.25, up=True),
    "composite reliability off by .02 to .10": _shifted("reliability", "cr", 0.02, 0.10),
    "loading off by .03 to .20": _shifted("loadings", "est", 0.03, 0.20),
    "alpha off by .02 to .10": _shifted("reliability", "alpha", 0.02, 0.10),
    "correlation of factors off by .1 to .3": _wrong_correlation,
    "chi-square off by a fifth or more": _chisq,
    "degrees of freedom off by 1 to 3": _wrong_df,
    "RMSEA off by .005 to .015": _fit_index("rmsea", 0.01),
    "AGFI off by .01 to .03": _fit_index("agfi", 0.02),
    "CFI off by .01 to .03": _fit_index("cfi", 0.02),
    "n miscopied in one place": _n_once,
    "n wrong wherever it is printed": _n_everywhere,
    "n wrong, no counts or regression printed": _n_and_counts,
    "count off by 1 to 9": _wrong_count,
    "percentage: one digit mistyped": _typed("demographics", "percentage"),
    "mean: one digit mistyped": _typed("descriptives", "mean"),
    "standard deviation: one digit mistyped": _typed("descriptives", "sd"),
    "R2: one digit mistyped": _typed("regression", "R2"),
    "text: percentage mistyped": _typed("demographics_text", "percentage"),
}
