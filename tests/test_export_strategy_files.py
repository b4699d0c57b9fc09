"""The files of the study `export_strategy` agree with each other; nothing is fitted."""

import tomllib
from pathlib import Path

import pytest

from bayesem.grammar.claims import names, propositions, variables
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import SlopeArgument
from bayesem.model import Model, read_model
from bayesem.propositions import Proposition, read_propositions

ROOT = Path(__file__).parents[1]
STUDY = "export_strategy"
FILES = {path.stem: path for path in sorted((ROOT / "models").glob(f"{STUDY}*.sem"))}
MODELS = {name: read_model(path.read_text("utf-8")) for name, path in FILES.items()}
BOOK = tomllib.loads((ROOT / "models" / f"{STUDY}.toml").read_text("utf-8"))
CLAIMS = read_propositions(ROOT / "propositions" / f"{STUDY}.toml")

EXPORTERS = {"EP", "SPEED", "ACC"}
ONLY = (
    "exporters only; selection into exporting assumed ignorable given the dimensions and controls"
)
OTHER_DATA = {f"{STUDY}_benchmark", f"{STUDY}_time"}  # never compared with the rest
CONTROLS = {"size", "sector"}


def about(proposition: Proposition) -> Model:
    return MODELS[proposition.model or str(CLAIMS.model)]


def labels(proposition: Proposition) -> set[str]:
    """Labels that a claim names, through the earlier propositions that it names."""
    earlier = {name for name, _ in propositions(proposition.tree)}
    own = {name for name, _ in names(proposition.tree)} - earlier
    return own.union(*(labels(CLAIMS[name]) for name in earlier))


def touched(proposition: Proposition) -> set[str]:
    """Variables that a claim is about: those it names, and the outcomes of its labels."""
    found = {name for name, _ in variables(proposition.tree)}
    for name, _ in propositions(proposition.tree):
        found |= touched(CLAIMS[name])
    own = labels(proposition)
    return found | {s.lhs for s in about(proposition).parsed.statements if s.term.label in own}


# --- models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_model_reads_back_and_says_whose_it_is(name: str) -> None:
    assert read_model(str(MODELS[name])) == MODELS[name]
    assert FILES[name].read_text("utf-8").startswith(f"# {name}: ")


@pytest.mark.parametrize("name", FILES)
def test_an_event_is_counted_once(name: str) -> None:
    assert len({"exporting", "years"} & set(MODELS[name].observed)) == 1


@pytest.mark.parametrize("name", sorted(set(FILES) - OTHER_DATA))
def test_what_is_compared_explains_the_same_columns(name: str) -> None:
    assert set(MODELS[name].observed) == set(MODELS[STUDY].observed)


@pytest.mark.parametrize("name", FILES)
def test_the_controls_reach_every_explained_variable(name: str) -> None:
    model = MODELS[name]
    explained = {s.lhs for s in model.parsed.statements if s.op == "~"}
    pairs = {(s.lhs, s.term.name) for s in model.parsed.statements if s.op == "~"}
    assert {(y, x) for y in explained for x in CONTROLS} <= pairs


@pytest.mark.parametrize("name", FILES)
def test_a_product_stands_beside_free_paths_of_its_parts(name: str) -> None:
    """A product beside a path fixed at 0 would depend on where its factors are 0."""
    paths = [s for s in MODELS[name].parsed.statements if s.op == "~"]
    free = {(s.lhs, s.term.name) for s in paths if s.term.fixed is None}
    products = [s for s in paths if len(s.term.factors) == 2]
    assert {(s.lhs, part) for s in products for part in s.term.factors} <= free


def test_selection_is_stated() -> None:
    for name, model in MODELS.items():
        fixed = {s.key for s in model.parsed.statements if s.term.fixed == 0}
        stated = {("~~", y, "exporting") for y in (*EXPORTERS, "COMP")}
        assert name in OTHER_DATA or stated <= fixed


# --- codebook -----------------------------------------------------------------------------------


def test_the_codebook_has_every_factor_and_indicator_of_every_model() -> None:
    factors, columns = BOOK["factors"], BOOK["indicators"]
    assert set(factors) == set(MODELS[STUDY].factors)
    assert len(factors) == 21
    for model in MODELS.values():
        assert set(model.factors) <= set(factors)
        assert set(model.observed) <= set(columns)
        measured = {
            (s.term.name, s.lhs)
            for s in model.parsed.statements
            if s.op == "=~" and s.term.name not in factors
        }
        assert measured <= {(k, v["factor"]) for k, v in columns.items() if "factor" in v}


def test_every_column_of_the_codebook_has_a_use() -> None:
    columns = BOOK["indicators"]
    used = {column for model in MODELS.values() for column in model.observed}
    flags = {v["censored"] for v in columns.values() if "censored" in v}
    assert flags == {"still_waiting"}
    assert set(columns) == used | flags


def test_the_questionnaire() -> None:
    items = {k: v for k, v in BOOK["indicators"].items() if "factor" in v}
    assert len(items) == 55
    assert len({v["text"] for v in items.values()}) == 55
    assert all(v["text"].endswith((".", ". (ours)")) for v in items.values())
    assert all(k.rstrip("1234") == v["factor"].lower() for k, v in items.items())
    families = {k: v.get("family") for k, v in BOOK["indicators"].items() if k not in items}
    assert families == {
        "size": None,
        "sector": None,
        "exporting": "bernoulli",
        "years": "lognormal",
        "still_waiting": None,
    }


def test_every_further_model_is_a_variant() -> None:
    variants = BOOK["variants"]
    named = {v["model"] for v in variants.values() if "model" in v}
    assert named == set(FILES) - {STUDY}
    assert all(v.get("model", f"{STUDY}_{k}") == f"{STUDY}_{k}" for k, v in variants.items())


def test_variants_change_what_the_model_has() -> None:
    statements = MODELS[STUDY].parsed.statements
    known = {s.term.label for s in statements} | {
        f"{s.term.name} {s.op} {s.lhs}" for s in statements
    }
    known |= {f"{s.lhs} {s.op} {s.term.name}" for s in statements}
    fixed = [v["fix"] for v in BOOK["variants"].values() if "fix" in v]
    assert len(fixed) == 3
    assert {target for fix in fixed for target in fix} <= known


# --- propositions -------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda p: p.name)
def test_a_claim_speaks_of_its_model(claim: Proposition) -> None:
    model = about(claim)
    assert labels(claim) <= {*model.labels, *(d.name for d in model.definitions)}
    assert {name for name, _ in variables(claim.tree)} <= set(model.variables)
    assert all(text.strip() for text in (claim.says, claim.where, claim.paper, claim.note))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda p: p.name)
def test_a_slope_is_a_path_and_its_conditions_moderate_it(claim: Proposition) -> None:
    paths = {
        (s.lhs, frozenset(s.term.factors)) for s in about(claim).parsed.statements if s.op == "~"
    }
    for node in walk(claim.tree):
        if isinstance(node, SlopeArgument):
            assert (node.outcome, frozenset([node.predictor])) in paths
            for moderator, _ in node.conditions:
                assert (node.outcome, frozenset([node.predictor, moderator])) in paths


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda p: p.name)
def test_a_claim_on_exporters_says_so(claim: Proposition) -> None:
    assert claim.note.startswith(ONLY) == bool(touched(claim) & EXPORTERS)


def test_the_propositions_are_those_of_the_study() -> None:
    assert [p.name for p in CLAIMS] == [
        "P1", "P1_performance", "P1_benchmark", "P2", "P2_pure", "P2_asymmetry", "P2_curvature",
        "P3", "P3_chain", "P4", "P4_time", "P5", "P5_more", "network", "depth", "leverage",
        "standing", "both_networks", "complement", "ecosystem_moderates", "ecosystem_mediates",
        "weakest_link", "bundle",
    ]  # fmt: skip
    assert labels(CLAIMS["network"]) == {"d1", "w1", "w2", "r1", "r2", "r3", "n1", "n2", "n3"}
