"""The export network's files: whose each part is, and that other studies' propositions are theirs."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import bayesem as sem
from bayesem import studies
from bayesem.codebook import read_codebook
from bayesem.cutting import part
from bayesem.errors import PropositionError
from bayesem.inclusion import origins
from bayesem.study_truth import states
from bayesem.truth_file import read_truth

ROOT = Path(__file__).parents[1]
NETWORK = sem.read_model("export_network")
CLAIMS = sem.read_propositions("export_network")
SOURCES = ("alliance_mediation", "export_strategy", "facilitated_alliance")
MERGED = {
    "alliance_mediation": {"ENA": "NET", "EBP": "EP"},
    "export_strategy": {"e4": "b", "v2": "w3"},
    "facilitated_alliance": {"CSC": "RSC", "ALLY": "NET", "s1": "a1"},
}
SHORT = {**dict.fromkeys(("DINF", "DANA", "DMKT", "DSEC"), "DC"), "REGO": "REG", "REGD": "REG"}
ALLIANCE = ("RSC", "KSC", "NET", "EP")
ON_VARIANTS = {
    "contingent": "contingent", "sharing_strengthens": "contingent", "P1_benchmark": "benchmark",
    "P2_curvature": "quadratic", "leverage": "chain", "standing": "chain",
    "ecosystem_moderates": "moderated", "ecosystem_mediates": "mediated",
    "weakest_link": "bundle", "bundle": "bundle",
}  # fmt: skip


# --- codebook and graph -------------------------------------------------------------------------


def test_every_item_is_a_source_s_in_its_wording() -> None:
    books = [read_codebook(ROOT / "models" / f"{name}.toml") for name in SOURCES]
    theirs = {k: v for book in books for k, v in book.indicators.items()}
    own = read_codebook(ROOT / "models" / "export_network.toml").indicators
    assert len(own) == 77
    for name, item in own.items():
        if name == "size":  # centred here, since labels stand beside products
            continue
        assert item.text == theirs[name].text
        factor = theirs[name].factor
        merged = {"ENA": "NET", "EBP": "EP", **SHORT}.get(factor, factor)
        assert item.factor == merged


def test_the_alliance_study_is_a_part_of_the_network_to_the_letter() -> None:
    text = str(sem.read_model("alliance_mediation")).replace("ENA", "NET").replace("EBP", "EP")
    assert sorted(str(part(NETWORK, ALLIANCE)).splitlines()) == sorted(text.splitlines())


@pytest.mark.parametrize("study", SOURCES)
def test_every_path_that_is_not_ours_is_a_source_s(study: str) -> None:
    """Marked + in the text are exactly the paths that no source has."""
    found = origins("export_network")
    own = {
        (s.lhs, *sorted(s.term.factors))
        for s in NETWORK.parsed.statements
        if s.op == "~" and "size" not in s.term.factors
    }
    nobody = {path for path in own if path not in found.paths}
    assert nobody == {
        ("KSC", "BRIDGE"), ("EP", "ECO"), ("EP", "FIN", "NET"), ("EP", "ECO", "NET"),
    }  # fmt: skip
    assert study in found.studies


def test_a_product_stands_beside_labelled_paths_of_its_parts() -> None:
    paths = [s for s in NETWORK.parsed.statements if s.op == "~"]
    free = {(s.lhs, s.term.name) for s in paths if s.term.fixed is None}
    products = [s for s in paths if len(s.term.factors) == 2]
    assert len(products) == 7
    assert {(s.lhs, p) for s in products for p in s.term.factors} <= free


# --- propositions -------------------------------------------------------------------------------


@pytest.mark.parametrize("study", SOURCES)
def test_each_source_s_propositions_are_carried_or_listed(study: str) -> None:
    theirs = sem.read_propositions(study)
    carried = {p.name: p for p in CLAIMS if p.study == study}
    left = {one.name: one for one in CLAIMS.left if one.study == study}
    assert {*carried} | {*left} == {p.name for p in theirs}
    assert not {*carried} & {*left}
    assert all(one.reason for one in left.values())
    for name, mine in carried.items():
        known = theirs[name]
        assert (mine.says, mine.rule, mine.where, mine.paper, mine.note) == (
            known.says, known.rule, known.where, known.paper, known.note,
        )  # fmt: skip
        assert mine.claim == renamed(known.claim, MERGED[study])


def renamed(claim: str, change: dict[str, str]) -> str:
    """By whole words, the plain way."""
    return re.sub(r"[A-Za-z_]\w*", lambda m: change.get(m[0], m[0]), claim)


def test_what_is_carried() -> None:
    names = [p.name for p in CLAIMS if p.study and p.model is None]
    assert names == [
        "H1", "H2a", "H2b", "H3a", "H3b", "M1", "M2", "only_through", "more_indirect",
        "P1", "P1_performance", "P2", "P2_pure", "P2_asymmetry", "P3", "P3_chain", "P4", "P5",
        "P5_more", "network", "depth", "F1", "F2", "F3", "F4", "F5", "F6", "F7",
    ]  # fmt: skip
    assert CLAIMS["depth"].claim == "n1*n2 + n3 > 0 and b > 0"
    assert CLAIMS["F5"].claim == "std(total(BRIDGE -> NET)) > std(total(MED -> NET))"
    assert {p.name: p.model for p in CLAIMS if p.model} == {
        name: f"export_network:{variant}" for name, variant in ON_VARIANTS.items()
    }
    assert CLAIMS["bundle"].claim == "std(v1 + w3 + v3) > 0"
    surveys = {one.name: one.reason for one in CLAIMS.left if "theme counts" not in one.reason}
    assert surveys == {
        "P4_time": "it is about `export_strategy_time`, which has no counterpart here",
        "both_networks": "it is about `export_strategy_layers`, which has no counterpart here",
        "complement": "it is about `export_strategy_layers`, which has no counterpart here",
    }


@pytest.mark.parametrize("variant", sorted(set(ON_VARIANTS.values())))
def test_a_study_s_further_graph_is_the_network_with_the_same_change(variant: str) -> None:
    """What it adds to its study's own graph, or takes from it, its variant does to the network."""
    known = {new: (study, old) for study, old, new in further()}
    study, old = known[f"export_network:{variant}"]
    own, other = (labelled_paths(sem.read_model(m), MERGED[study]) for m in (study, old))
    whole, varied = (
        labelled_paths(sem.read_model(m), {})
        for m in ("export_network", f"export_network:{variant}")
    )
    assert other - own - whole == varied - whole
    assert whole - varied <= own - other


def labelled_paths(model: sem.Model, change: dict[str, str]) -> set[tuple[str, ...]]:
    return {
        (change.get(s.lhs, s.lhs), *sorted(change.get(v, v) for v in s.term.factors))
        for s in model.parsed.statements
        if s.op == "~" and s.term.fixed is None and s.term.label
    }


def further() -> list[tuple[str, str, str]]:
    """Study, further model, and its counterpart, as the file has them."""
    with (ROOT / "propositions" / "export_network.toml").open("rb") as file:
        tables = tomllib.load(file)["include"]
    return [(s, old, new) for s, t in tables.items() for old, new in t.get("models", {}).items()]


# --- strictness ---------------------------------------------------------------------------------

HEAD = 'model = "export_network"\n'
OWN = '[{}]\nsays = "s"\nclaim = "b > 0"\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[include.alliance_mediatio]", "no study `alliance_mediatio`", "alliance_mediation"),
        ("[include.alliance_mediation]\nrenam = {}", "Unknown key `renam`", "rename"),
        (
            "[include.alliance_mediation]\nrename = { ENAA = 'NET' }",
            "`ENAA` is neither a factor nor a label of the study",
            "ENA",
        ),
        (
            "[include.alliance_mediation]\nrename = { ENA = 'NETT' }",
            "`NETT` is neither a factor nor a label of `export_network`",
            "NET",
        ),
        (
            "[include.alliance_mediation]\nrename = { ENA = 'NET', EBP = 'COMP' }",
            "`b` is COMP ~ NET by the renaming, and `b` is EP ~ NET in `export_network`",
            "Rename `b`",
        ),
        (
            "[include.facilitated_alliance]\nrename = { CSC = 'RSC', ALLY = 'NET', s1 = 'a2' }",
            "`s1` is NET ~ RSC by the renaming, and `a2` is NET ~ KSC",
            "Rename `s1`",
        ),
        (
            "[include.alliance_mediation]\nrename = { ENA = 'NET', EBP = 'EP' }\n"
            + OWN.format("H1"),
            "`H1` is already a proposition of alliance_mediation",
            "another name",
        ),
        (
            "[include.export_strategy]\nmodels = { export_strategy_bundl = 'export_network' }",
            "`export_strategy_bundl` is no such model",
            "export_strategy_bundle",
        ),
        ("[include.export_network]", "`export_network` includes others", "those studies"),
    ],
)
def test_an_inclusion_is_strict(tmp_path: Path, text: str, message: str, hint: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(HEAD + text + "\n")
    with pytest.raises(PropositionError) as caught:
        sem.read_propositions(path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "p.toml" in str(caught.value)


def test_an_inclusion_needs_a_model(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("[include.alliance_mediation]\n")
    with pytest.raises(PropositionError, match="`include` needs the `model`"):
        sem.read_propositions(path)


def test_a_further_model_can_have_a_counterpart(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'model = "alliance_mediation"\n[include.export_strategy]\n'
        "models = { export_strategy_bundle = 'alliance_contingent' }\n"
    )
    reasons = {one.name: one.reason for one in sem.read_propositions(path).left}
    assert "has no path EP ~ FIN:REG (`v1`)" in reasons["bundle"]


def test_the_digest_covers_what_is_included(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "p.toml"
    path.write_text(HEAD + "[include.alliance_mediation]\nrename = { ENA = 'NET', EBP = 'EP' }\n")
    before = sem.read_propositions(path).sha256
    source = ROOT / "propositions" / "alliance_mediation.toml"
    changed = tmp_path / "a.toml"
    changed.write_text(source.read_text("utf-8") + "# more\n")
    known = studies.find

    def find(name: str) -> studies.Study:
        found = known(name)
        return replace(found, propositions_path=changed) if name == SOURCES[0] else found

    monkeypatch.setattr(studies, "find", find)
    assert sem.read_propositions(path).sha256 != before


TRUTH = read_truth(ROOT / "models" / "export_network.truth.toml")


@pytest.mark.parametrize("name", TRUTH.propositions)
def test_every_declared_state_can_be_drawn_from_the_graph_of_its_claim(name: str) -> None:
    graph = CLAIMS[name].model or "export_network"
    for state, values in TRUTH.propositions[name].items():
        data = sem.generate(graph, 3, propositions={name: state}, seed=1)
        drawn = data.attrs["truth"]
        assert {label: drawn[label] for label in values} == values
        assert states(sem.read_model(graph), drawn)[name] == state


def test_what_has_no_declared_state() -> None:
    """Claims of several parts that others have, on one graph; and what any truth makes so."""
    assert {p.name for p in CLAIMS} - {*TRUTH.propositions} == {
        "more_indirect", "P2_asymmetry", "network", "finance_gate", "finance_pays",
        "facilitation_pays", "both_beat_each",
    }  # fmt: skip


def test_generated_answers_follow_the_declared_truth() -> None:
    data = sem.generate("export_network", 300, propositions={"super_additive": "reversed"}, seed=2)
    assert data.shape == (300, 77)
    assert data.attrs["synthetic"]
    assert data.attrs["truth"]["w3"] == -0.15
    asked = data["exporting"] == 1
    exporters = [
        f"{f}{k}" for f, n in (("ebp", 5), ("speed", 3), ("acc", 3)) for k in range(1, n + 1)
    ]
    assert data[exporters].notna().all(axis=1).equals(asked)
    assert data[exporters].isna().all(axis=1).equals(~asked)
    assert data.drop(columns=exporters).notna().all(None)
    assert data["ena1"].between(1, 10).all()
