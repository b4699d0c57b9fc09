"""Readings: the alliance study's by another calculation, and the likelihood by quadrature."""

from dataclasses import replace
from itertools import pairwise

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from bayesem.errors import NotAvailableError, StudyError
from bayesem.model import read_model
from bayesem.partable import parameter_table
from bayesem.publications import Publication, closure, from_printed, publication, readings
from bayesem.publications.design import Design, design_of, standardised
from bayesem.publications.evidence import explore
from bayesem.publications.information import path_errors
from bayesem.publications.likelihood import (
    KIND,
    MISPRINT,
    baseline_interval,
    comparative_indices,
    path_likelihood,
)
from bayesem.publications.printed import Cell, PathEvidence
from bayesem.reporting.describing import given_back

# residual, standardised a1 a2 b c1 c2, r, baseline and R2, computed by another program for the
# eight readings whose estimates are weights; tolerances are of the last printed digit
ELSEWHERE = {
    "T": (0.3, (0.30, 0.43, 0.32, 0.21, 0.30), 0.44, 1816, (0.39, 0.47)),
    "T-p": (18, (0.28, 0.43, 0.31, 0.18, 0.30), 0.44, 1799, (0.37, 0.42)),
    "T-se": (72, (0.34, 0.40, 0.33, 0.26, 0.30), 0.47, 1844, (0.41, 0.55)),
    "T-146": (61, (0.35, 0.41, 0.36, 0.15, 0.33), 0.52, 1845, (0.44, 0.50)),
    "D": (1.4, (0.33, 0.30, 0.28, 0.21, 0.41), 0.49, 1818, (0.29, 0.54)),
    "B": (25, (0.35, 0.30, 0.29, 0.19, 0.43), 0.50, 1828, (0.32, 0.55)),
    "B-p": (1.1, (0.33, 0.31, 0.28, 0.17, 0.43), 0.49, 1819, (0.31, 0.52)),
    "A": (61, (0.31, 0.47, 0.37, 0.21, 0.28), 0.49, 1849, (0.46, 0.52)),
}
LABELS = ("a1", "a2", "b", "c1", "c2")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_alliance_readings_are_those_found_elsewhere(table: pd.DataFrame, name: str) -> None:
    residual, paths, r, baseline, explained = ELSEWHERE[name]
    row = table.loc[name]
    assert row.residual == pytest.approx(residual, abs=0.1 if residual < 2 else 2)
    np.testing.assert_allclose([row[f"std_{x}"] for x in LABELS], paths, atol=0.011)
    assert row.r_RSC_KSC == pytest.approx(r, abs=0.016)
    assert row.baseline == pytest.approx(baseline, abs=3)
    np.testing.assert_allclose([row.R2_ENA, row.R2_EBP], explained, atol=0.011)


def test_weights_sum_to_one_and_follow_the_evidence(table: pd.DataFrame) -> None:
    assert table.weight.sum() == pytest.approx(1, abs=1e-12)
    assert table.weight.is_monotonic_decreasing
    ratio = np.log(table.weight["T"] / table.weight["D"])
    assert ratio == pytest.approx(table.log_evidence["T"] - table.log_evidence["D"], abs=1e-9)
    assert table.weight.idxmax() == "T"
    wrong = ["T-p", "T-se", "T-146", "A", "T-std", "A-std", "B-std", "D-std"]
    assert (table.weight[wrong] < 1e-2).all()
    assert list(table.reset_index().columns[:4]) == ["reading", "assumes", "residual", "weight"]


def test_opposed_factors_print_the_same_numbers(table: pd.DataFrame) -> None:
    """The numbers do not fix the sign of r: strong paths of opposed factors fit as well."""
    assert table.residual["T-neg"] < 0.5
    assert table.r_RSC_KSC["T-neg"] == pytest.approx(-0.75, abs=0.01)
    assert table.other_residual["T"] == pytest.approx(table.residual["T-neg"], rel=1e-3)
    assert table.other_r_RSC_KSC["T"] == pytest.approx(table.r_RSC_KSC["T-neg"], abs=1e-3)


def test_a_reading_that_leaves_the_sign_open_is_the_sum_of_both(alliance: Publication) -> None:
    def log_evidence(sign: int) -> float:
        return explore(alliance, replace(alliance.reading("T"), sign=sign), draws=6000).log_evidence

    both = np.logaddexp(log_evidence(1), log_evidence(-1))
    assert log_evidence(0) == pytest.approx(both, abs=0.2)  # each has about 3% Monte-Carlo error


def test_standardised_readings_print_other_ratios_when_r_meets_the_baseline(
    alliance: Publication,
) -> None:
    """Taken for standardised paths, they imply ratios of 5.2 and 6.1, not 3.4 and 4.4."""
    design, paths = alliance.design, np.array([0.416, 0.542, 0.303, 0.278, 0.366])
    loadings = np.array([value for value, _ in alliance.loadings])

    def baseline(r: float) -> float:
        one = standardised(design, loadings, paths, np.array([r]))
        return float(alliance.chisq - 189 * one.log_determinant(design)) - 1809

    r = brentq(baseline, -0.4, 0.5)
    assert r == pytest.approx(0.04, abs=0.005)
    one = standardised(design, loadings[None], paths[None], np.array([[r]]))
    ratios = paths / path_errors(design, one, design.markers("first"), 189)[0]
    np.testing.assert_allclose(ratios[:2], [5.2, 6.1], atol=0.05)


def test_baseline_interval_inverts_the_indices(alliance: Publication) -> None:
    low, high = baseline_interval(alliance)
    assert (low, high) == (pytest.approx(1773, abs=0.5), pytest.approx(1854, abs=0.5))
    found = comparative_indices(alliance.design, alliance.chisq, np.array([low, high]))
    assert found["tli"][0] == pytest.approx(0.9825, abs=1e-12)  # the lower end is TLI's
    assert found["cfi"][1] == pytest.approx(0.9855, abs=1e-12)  # and the upper CFI's


def test_baseline_identity_is_exact_in_a_sample(honest) -> None:
    sd = np.sqrt(np.diag(honest.S))
    seen = -189 * np.linalg.slogdet(honest.S / np.outer(sd, sd))[1]
    design = honest.known.design
    implied = honest.found.chisq - 189 * honest.found.solution.log_determinant(design)
    assert implied == pytest.approx(seen, abs=1e-6)


def brute_force(cells: tuple[Cell, ...], estimate: float, error: float) -> float:
    """The likelihood of one path's cells by quadrature over the true error."""

    def given(s: float) -> float:
        value = 1.0
        for cell in cells:
            ratio = estimate / s
            shown = {"est": estimate, "se": s, "cr": ratio, "p": abs(ratio)}[cell.kind]
            right = cell.low <= shown <= cell.high and not cell.aside
            value *= (1 - MISPRINT) * right + MISPRINT * cell.flat
        return value

    ends = [error * np.exp(KIND * z) for z in (-8, 8)]
    knots = [c.low for c in cells if c.kind == "se"] + [c.high for c in cells if c.kind == "se"]
    for cell in cells:
        if cell.kind in ("cr", "p"):
            knots += [estimate / e for e in (cell.low, cell.high) if 0 < e < np.inf]
    grid = sorted({*ends, *(k for k in knots if ends[0] < k < ends[1])})

    def density(s: float) -> float:
        return norm.pdf(np.log(s / error) / KIND) / KIND / s * given(s)

    return sum(quad(density, a, b, epsabs=0, epsrel=1e-10)[0] for a, b in pairwise(grid))


@pytest.mark.parametrize("error", [0.120, 0.122, 0.126, 0.2])
@pytest.mark.parametrize("aside", ["", "se", "cr"])
def test_cells_of_a_path_by_quadrature(error: float, aside: str) -> None:
    kinds = [
        ("est", 0.416, 0.4155, 0.4165, 5e-4),
        ("cr", 3.407, 3.4065, 3.4075, 5e-5),
        ("se", 0.122, 0.1215, 0.1225, 1e-3),
        ("p", 0.002, norm.isf(0.00125), norm.isf(0.00075), 5e-4),
    ]
    cells = tuple(Cell(k, str(v), v, a, b, f, "t", 1, aside=k == aside) for k, v, a, b, f in kinds)
    value, wrong = path_likelihood(PathEvidence("a", cells), np.array([0.4158]), np.array([error]))
    # the estimate is drawn from its interval, so only its being right counts, times the width
    right = (1 - MISPRINT) * 0.001 / ((1 - MISPRINT) + MISPRINT * 5e-4)
    expected = brute_force(cells, 0.4158, error) * right
    assert value[0] == pytest.approx(expected, rel=1e-6)
    assert ((wrong >= 0) & (wrong <= 1)).all()
    assert wrong[0, 0] == 0
    if aside:
        assert wrong[0, [c.kind for c in cells].index(aside)] == pytest.approx(1)


def test_evidence_of_a_small_publication_by_quadrature() -> None:
    """One path, exact loadings and no baseline: only the ratio of two units is left open."""
    shape = design_of(read_model("X =~ x1 + x2 + x3; Y =~ y1 + y2 + y3; Y ~ a*X"))
    loadings = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.7])
    rows = [
        {"lhs": shape.factors[b], "op": "=~", "rhs": name, "est": float(value)}
        for name, b, value in zip(shape.indicators, shape.block, loadings, strict=True)
    ]
    printed = {
        "loadings": {"digits": 12, "rows": rows},
        "paths": {"digits": 3, "rows": [dict(lhs="Y", op="~", rhs="X", est=0.5, cr=3.5)]},
        "fit": {"chisq": 9.0},
    }
    known = from_printed(printed, 120, shape)
    cells = known.readings[0].evidence[0].cells

    def likelihood(u: float) -> float:
        """At a log ratio of units u = log(Y / X), with the estimate in mid-interval."""
        beta = 0.5 * np.exp(-u)
        if abs(beta) >= 1:
            return 0.0
        one = standardised(shape, loadings[None], np.array([[beta]]), np.zeros((1, 0)))
        value = 0.0
        for which in ("first", "last"):
            error = path_errors(shape, one, shape.markers(which), 119)[0, 0] * np.exp(u)
            z = [np.log(0.5 / c / error) / KIND for c in (cells[1].low, cells[1].high)]
            mass = norm.cdf(z[0]) - norm.cdf(z[1])
            value += 0.5 * ((1 - MISPRINT) * mass + MISPRINT * cells[1].flat)
        prior = norm.pdf(beta, scale=0.5) * np.exp(-u) * norm.pdf(u, scale=0.5)
        return value * prior * (1 - MISPRINT) * 0.001

    expected = np.log(quad(likelihood, -0.69, 3, epsabs=0, epsrel=1e-8, limit=400)[0])
    found = explore(known, known.readings[0], draws=20000)
    assert found.log_evidence == pytest.approx(expected, abs=4 / np.sqrt(found.sample.ess) + 1e-3)


def test_honest_numbers_close(honest) -> None:
    row = readings(honest.known).iloc[0]
    design = honest.known.design
    truth = honest.found.solution
    assert row.weight == 1
    assert row.residual < 0.5
    beta = truth.Beta[list(design.to), list(design.origin)]
    near = [row[f"std_{x}"] for x in design.labels]
    np.testing.assert_allclose(near, beta, atol=0.05)
    assert row.r_RSC_KSC == pytest.approx(truth.Phi[0, 1], abs=0.12)
    assert abs(row.mean_r_RSC_KSC - truth.Phi[0, 1]) < 3 * row.sd_r_RSC_KSC
    cells = closure(honest.known)
    assert (cells.misprint < 0.2).all()


def test_a_misprint_in_honest_numbers_is_found(honest) -> None:
    printed = {key: dict(value) for key, value in honest.printed.items()}
    rows = [dict(row) for row in printed["regression_weights"]["rows"]]
    rows[3]["cr"] = round(rows[3]["cr"] * 1.6, 3)
    rows[3]["se"] = round(rows[3]["est"] / (rows[3]["cr"] / 1.6), 3)
    printed["regression_weights"]["rows"] = rows
    known = from_printed(printed, 190, honest.known.design)
    assert [one.name for one in known.readings] == ["printed", "printed-c1"]
    weight = readings(known).set_index("reading")["weight"]
    assert weight["printed"] > 0.9  # the estimate, set aside in the other one, is not the misprint
    cells = closure(known, "printed").set_index("item")
    assert cells.misprint["c1.cr"] > 0.9
    assert cells.misprint["c1.se"] < 0.2


def test_closure_names_the_misprints_of_the_alliance(alliance: Publication) -> None:
    cells = closure(alliance, "T")
    wrong = cells[cells.misprint > 0.5]
    assert set(wrong.item) == {"c1.se", "c1.p"}
    assert list(cells.columns) == [
        "reading", "where", "item", "printed", "implied", "sd", "difference", "misprint",
    ]  # fmt: skip
    p = cells[cells.item == "c1.p"].iloc[0]
    assert p.implied == pytest.approx(chi2.sf(2.417**2, 1), abs=0.002)
    text = closure(alliance, "B-p")
    text = text[text["where"].str.startswith("regression_weights_text")].set_index("item")
    assert text.misprint["b.cr"] == 1  # the text gives the alliance 3.162, and B 3.079


def test_a_report_shows_printed_numbers_beside_what_the_reading_makes_of_them() -> None:
    fit = kinds.fit_of("moments")
    data = replace(fit.data, reading="T", weight=0.63)
    study = read_model("alliance_mediation")
    rebuilt = replace(fit, data=data, model=study, table=parameter_table(study))
    made = given_back(rebuilt).items[0]
    assert made.folded
    rows = {row[:3]: row[3:] for row in made.rows}
    where = next(key[2] for key in rows if key[:2] == ("EBP ~ RSC", "p"))
    assert rows["EBP ~ RSC", "p", where][0] == "0.051"
    assert rows["EBP ~ RSC", "p", where][2] == "set aside as a misprint"
    estimates = [row for key, row in rows.items() if key[1] == "estimate"]
    assert len(estimates) == 5
    assert all(abs(float(printed) - float(implied)) < 0.001 for printed, implied, _ in estimates)
    assert given_back(fit).items == ()


def test_source_without_printed_numbers() -> None:
    with pytest.raises(StudyError, match="has no printed numbers"):
        publication(read_model("X =~ x1 + x2 + x3"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X =~ a + b + c; Y =~ c + d + e; Y ~ X", "cross-loading"),
        ("X =~ a + b + c; Y ~ X", "observed predictor or outcome"),
        ("X =~ a + b + c; X =~ d; a ~~ b", "residual covariance"),
        ("X =~ a + b + c; Y =~ d + e + f; Y ~ X + X:X", "product"),
        ("X =~ a + b; Y =~ d + e; Z =~ X + Y", "higher-order"),
        ("X =~ a + b; Y =~ d + e; Y ~ 0.5*X", "fixed at 0.5"),
        ("X =~ a + b; Y =~ d + e; X ~ Y; Y ~ X", "feedback loop"),
        ("X =~ a + b; Y =~ d + e; Z =~ f + g; Y ~ X; Z ~ X", "final outcomes"),
        ("X =~ a + b; Y =~ d + e; Y ~ p*X; p > 0", "constraint"),
        ("X =~ a + b; Y =~ d + e; Z =~ f + g; Z ~ q*X + q*Y", "equal"),
        ("X =~ 1*a + 1*b + c", "several fixed loadings"),
    ],
)
def test_graphs_that_cannot_be_inverted(text: str, message: str) -> None:
    with pytest.raises(NotAvailableError, match=message):
        design_of(read_model(text))


def test_design_follows_the_model() -> None:
    shape = design_of(
        read_model("M =~ m1 + m2; X =~ x1 + x2; Z =~ z1 + z2; M ~ a*X; M ~ 0*Z; X ~~ 0*Z")
    )
    assert isinstance(shape, Design)
    assert shape.factors == ("X", "Z", "M")
    assert shape.labels == ("a",)
    assert shape.correlations == ()
    assert shape.df == 21 - 13
