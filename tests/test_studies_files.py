"""The files that the package carries can be read, and speak of things that exist."""

from pathlib import Path

import pytest

from bayesem import studies
from bayesem.codebook import read_codebook
from bayesem.counts.table import count_model
from bayesem.errors import GrammarError, StudyError
from bayesem.grammar.claims import categories, names, propositions, variables
from bayesem.model import read_model
from bayesem.propositions import ROPE, Rule, read_propositions
from bayesem.templates import columns_of

ROOT = Path(__file__).parents[1]
MODELS = sorted((ROOT / "models").glob("*.sem"))
TRUTHS = sorted((ROOT / "models").glob("*.truth.toml"))
#: A paper without a model ships its printed numbers alone.
CODEBOOKS = sorted(
    path
    for path in {*(ROOT / "models").glob("*.toml")} - {*TRUTHS}
    if path.with_suffix(".sem").is_file()
)
PROPOSITIONS = sorted((ROOT / "propositions").glob("*.toml"))


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", MODELS, ids=stem)
def test_a_model_parses_and_reads_back(path: Path) -> None:
    model = read_model(path)
    assert read_model(str(model)) == model == read_model(path.stem)
    assert path.read_text().startswith("#")


@pytest.mark.parametrize("path", CODEBOOKS, ids=stem)
def test_a_codebook_covers_its_models(path: Path) -> None:
    """The study's own model and the further ones, each with its columns and what it measures."""
    book = read_codebook(path)
    models = [read_model(path.stem), *(read_model(f"{path.stem}:{v}") for v in book.variants)]
    assert set(models[0].factors) == set(book.factors)
    columns = {name for model in models for name in columns_of(model)}
    assert columns == set(book.indicators)
    measured = {
        (s.lhs, s.term.name)
        for model in models
        for s in model.parsed.statements
        if s.op == "=~" and s.term.name in book.indicators
    }
    assert measured == {(i.factor, name) for name, i in book.indicators.items() if i.factor}


def test_studies_and_their_further_models() -> None:
    """A study is what propositions are about; a further model has its codebook and its truth."""
    assert set(studies.own()) == {path.stem for path in PROPOSITIONS}
    declared = ("export_network", "export_strategy", "facilitated_alliance")
    assert {path.name for path in TRUTHS} == {f"{name}{studies.TRUTH}" for name in declared}
    for name in studies.names():
        study = studies.find(name)
        of_study = name.startswith(declared)
        assert (study.truth_path is not None) == of_study
        assert (study.propositions_path is not None) == (name in studies.own())
    with pytest.raises(Exception, match="There is no study") as caught:
        studies.find("zzz")
    assert caught.value.hint == (
        "There are `alliance_mediation`, `export_network`, `export_strategy`, `facilitated_alliance`."
    )


@pytest.mark.parametrize("path", CODEBOOKS, ids=stem)
def test_a_variant_changes_the_model(path: Path) -> None:
    for name in read_codebook(path).variants:
        variant = read_model(f"{path.stem}:{name}")
        assert variant != read_model(path.stem)
        assert variant.variant == name
        assert read_model(str(variant)) == variant


@pytest.mark.parametrize("path", PROPOSITIONS, ids=stem)
def test_every_claim_speaks_of_its_model(path: Path) -> None:
    found = read_propositions(path)
    assert len(found) > 0
    assert found.model is not None
    for proposition in found:
        if proposition.model == "counts":
            table = count_model(found.model)
            known = {*table.themes, *table.subthemes}
            assert {name for name, _ in categories(proposition.tree)} <= known
            assert not names(proposition.tree)
            continue
        model = read_model(proposition.model or found.model)
        known = {*model.labels, *(d.name for d in model.definitions)}
        earlier = {name for name, _ in propositions(proposition.tree)}
        assert {name for name, _ in names(proposition.tree)} <= known | earlier
        assert {name for name, _ in variables(proposition.tree)} <= set(model.variables)


def test_the_alliance_study_is_the_paper_s() -> None:
    model = read_model("alliance_mediation")
    assert model.factors == ("RSC", "KSC", "ENA", "EBP")
    assert model.labels == ("a1", "a2", "b", "c1", "c2")
    moments = len(model.observed) * (len(model.observed) + 1) // 2
    loadings, residuals, factor_part = 21 - 4, 21, 4 + 5 + 1
    assert moments - loadings - residuals - factor_part == 183


def test_the_alliance_propositions() -> None:
    found = read_propositions("alliance_mediation")
    hypotheses, mediation = ["H1", "H2a", "H2b", "H3a", "H3b"], ["M1", "M2"]
    readings = ["only_through", "contingent", "more_indirect", "sharing_strengthens"]
    assert [p.name for p in found] == hypotheses + mediation + readings
    assert found.rule == Rule()
    assert found["M1"].claim == "a1 > 0 and b > 0"
    assert found["contingent"].model == "alliance_contingent"
    assert len(found.sha256) == 64


def test_a_fixed_label_keeps_its_name() -> None:
    model = read_model("alliance_mediation:full_mediation")
    fixed = {s.term.label: s.term.fixed for s in model.parsed.statements if s.term.label}
    assert fixed == {"a1": None, "a2": None, "b": None, "c1": 0.0, "c2": 0.0}


VARIANTS = """
[study]
title = "t"
[variants.freed]
free = ["y ~ z"]
[variants.both]
fix = { a = 0.5, "y ~ w" = 1 }
[variants.other]
model = "alliance_contingent"
fix = { b = 0 }
[variants.wrong]
fix = { aa = 0 }
[variants.more]
add = "y ~ c*w:x + v"
fix = { a = 0 }
[variants.twice]
add = "y ~ w"
[variants.unread]
add = "y ~ + w"
"""


def test_a_variant_names_labels_terms_or_another_file(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.sem").write_text("y ~ a*start(1)*x + 0*z + w")
    (tmp_path / "models" / "m.toml").write_text(VARIANTS)
    (tmp_path / "models" / "alliance_contingent.sem").write_text("y ~ b*x")
    monkeypatch.setattr(studies, "ROOTS", (tmp_path,))
    assert str(read_model("m:freed")) == "y ~ start(1)*a*x + NA*z + w\n"
    assert str(read_model("m:both")) == "y ~ 0.5*a*x + 0*z + 1*w\n"
    assert str(read_model("m:other")) == "y ~ 0*b*x\n"
    assert str(read_model("m:more")) == "y ~ 0*a*x + 0*z + w + c*w:x + v\n"
    assert read_model("m:more").called == {"m", "m:more"}
    assert read_model("m:other").called == {"m", "m:other", "alliance_contingent"}
    with pytest.raises(StudyError, match="adds `y ~ w`, which the model has"):
        read_model("m:twice")
    with pytest.raises(GrammarError) as caught:
        read_model("m:unread")
    assert "m.toml: [variants.unread] add" in str(caught.value)
    with pytest.raises(Exception, match="changes `aa`, which the model does not have"):
        read_model("m:wrong")


def test_a_model_without_a_codebook_takes_its_study_s(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "models").mkdir()
    for name in ("m", "m_more", "other", "alone"):
        (tmp_path / "models" / f"{name}.sem").write_text("y ~ x")
    book = tmp_path / "models" / "m.toml"
    book.write_text('[study]\ntitle = "t"\n[variants.o]\nmodel = "other"\n')
    monkeypatch.setattr(studies, "ROOTS", (tmp_path,))
    assert [studies.find(n).codebook_path for n in ("m", "m_more", "other")] == [book] * 3
    assert studies.find("alone").codebook_path is None


def test_a_proposition_may_have_a_rule_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'model = "m"\n[rule]\nrope = { path = 0.2, share = 0.02 }\n'
        '[A]\nsays = "s"\nclaim = "a > 0"\nprob = 0.9\nrope = { path = 0.3 }\n'
        '[B]\nsays = "s"\nclaim = "A and b > 0"\n'
    )
    found = read_propositions(path)
    assert (found["A"].rule.prob, found["A"].rule.rope["path"]) == (0.9, 0.3)
    assert found["B"].rule == found.rule
    assert dict(found.rule.rope) == {**ROPE, "path": 0.2, "share": 0.02}


def test_files_are_hashed_and_claims_too() -> None:
    one, other = read_propositions({"P": "a > 0"}), read_propositions({"P": "a < 0"})
    assert one.sha256 != other.sha256 == read_propositions({"P": "a < 0"}).sha256
