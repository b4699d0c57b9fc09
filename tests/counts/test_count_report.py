"""A report on theme counts: the verdicts of `assess`, the table, and what they lean on."""

import nbformat
import pytest
from test_report_cells import here

import bayesem as sem
from bayesem.cli.entry import main
from bayesem.counts.fit import fit_counts
from bayesem.reporting import counting
from bayesem.reporting import report as reporting
from bayesem.reporting.blocks import Card, Listing, Table, Verbatim
from bayesem.reporting.page import parts

STUDY = "facilitated_alliance"


@pytest.fixture(scope="module")
def made(counted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "run", here)
        found = sem.report(counted, STUDY, folder / "r.html", formats=("html", "docx", "ipynb"))
    return found, {p.anchor: p for p in parts(nbformat.read(found.notebook, 4))}


def blocks(made, anchor, kind):
    return [b for b in made[1][anchor].blocks if isinstance(b, kind)]


def test_the_verdicts_are_those_of_assess(made, counted):
    table = sem.assess(STUDY, counted).table
    cards = blocks(made, "one-by-one", Card)
    assert [(c.name, c.verdict) for c in cards] == list(
        zip(table["name"], table["verdict"], strict=True)
    )
    words = {c.name: c.words for c in cards}
    assert words["N3_relations"].startswith("the share of Social relationship dynamics (relations)")
    assert "where phase is stabilisation" in words["T1"]
    facts = dict(cards[1].facts)
    assert "difference, shares [95%]" in facts
    assert not any("standardised" in name for name in facts)
    text = made[0].html.read_text("utf-8")
    assert "g1 is greater than 0" not in text  # claims on a survey are not put to counts
    assert made[0].document.is_file()
    assert made[0].converged


def test_the_table_and_its_shares(made, counted, table):
    rows = blocks(made, "data", Table)[0].rows
    counts = {row[0].removeprefix("\N{EN DASH} "): int(row[2]) for row in rows}
    assert {k: counts[k] for k in table.subthemes} == dict(
        zip(table.subthemes, table.counts.tolist(), strict=True)
    )
    assert counts["work"] == counts["roles"] + counts["coordination"]
    mean = {row[0].removeprefix("\N{EN DASH} "): float(row[3]) for row in rows}
    shares = (table.counts + 1) / (table.listed + len(table.subthemes))  # flat Dirichlet
    for name, share in zip(table.subthemes, shares, strict=True):
        assert mean[name] == pytest.approx(share, abs=0.002)


def test_what_the_verdicts_lean_on(made, counted):
    said = blocks(made, "sensitivity", Listing)[0].items
    found = sem.count_sensitivity(STUDY, counted.model, seed=0).table
    for name, rows in found.groupby("name", sort=False):
        mine = next(line for line in said if line.startswith(f"{name} is "))
        base = rows["verdict"].iloc[0]
        assert mine.startswith(f"{name} is {base}")
        for verdict in set(rows["verdict"]) - {base}:
            assert f"{verdict} under " in mine
    weak = {c.name: c.weakness for c in blocks(made, "one-by-one", Card)}
    assert "undecided (design effect 4)" in weak["N2_wide"]
    heads = blocks(made, "interviews", Table)[0].columns
    assert heads == ("Claim", "Design effect 1", "Design effect 2", "Design effect 4")


def test_the_shares_are_drawn_again_by_the_code_that_is_shown(made, counted, monkeypatch):
    code = blocks(made, "reproduce", Verbatim)[0].text
    monkeypatch.chdir(made[0].folder.parent)
    names = {}
    exec(code, names)
    assert names["again"].draws["posterior"].equals(counted.draws["posterior"])


def test_other_assumptions_are_said(table):
    fit = fit_counts(table, design_effect=2.5, others="other", prior=0.7, draws=50, seed=1)
    said = counting.assumed(fit).items[0].items
    assert said[0] == "Prior: a Dirichlet with concentrations of 0.7."
    assert any("Design effect 2.5, declared" in line for line in said)
    assert said[-1].startswith("References beside the table are one more sub-theme")
    text = counting.methods(fit, sem.read_propositions(STUDY)).items[0].text
    assert "A design effect of 2.5 was declared." in text
    code = counting.reproduce(fit, 0, {"Fit (NetCDF)": "fit.nc"}).items[1].text
    assert "design_effect=2.5, others='other', prior=0.7" in code


def test_assumptions_are_varied_from_those_of_the_fit(table):
    """The first setting is the fit's own: its probabilities come back."""
    claims = {"P": "share(trust) > 0.1", "Q": "share(work) > share(relations)"}
    for others in ("left out", "other"):
        fit = fit_counts(table, design_effect=2.0, others=others, prior=0.7, seed=1)
        found = sem.count_sensitivity(
            claims, counting.table_of_fit(fit), **counting.varied(fit), seed=2
        ).table
        mine = sem.assess(claims, fit).table.set_index("name")["probability"]
        base = found[found["setting"] == "as assessed"].set_index("name")["probability"]
        assert (mine - base).abs().max() < 0.02
        assert {"design effect 1", "design effect 4", "prior flat"} <= set(found["setting"])
    assert counting.further(fit) == {"design_effect": (1.0, 2.0, 4.0), "prior": 0.7}


def test_segments_estimate_what_is_otherwise_declared(phased, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "run", here)
    made = sem.report(phased, STUDY, tmp_path / "r.html")
    found = {p.anchor: p for p in parts(nbformat.read(made.notebook, 4))}
    for anchor in ("sensitivity", "interviews"):
        assert found[anchor].blocks[0].text == counting.ESTIMATED
    cards = {b.name: b for b in found["one-by-one"].blocks}
    assert cards["T3"].verdict != "not testable"
    assert "fit_segments" in found["reproduce"].blocks[1].text


def test_one_fit_alone_is_reported(counted, tmp_path):
    with pytest.raises(sem.NotAvailableError, match="on one fit"):
        sem.report({"a": counted, "b": counted}, STUDY, tmp_path)
    sem.save(counted, tmp_path / "counts.nc")
    assert main(["report", str(tmp_path / "counts.nc"), STUDY, "--out", "nowhere/x.html"]) == 2
