"""Synthetic answers of a study: the truth that its file declares, found again in large samples."""

import math
from pathlib import Path

import numpy as np
import pytest
from independent.population import DEFAULTS, FALSE, REVERSED, claims
from scipy.stats import norm

from bayesem.errors import DataError, ModelError, StudyError
from bayesem.generator import asked_from, generate
from bayesem.model import read_model
from bayesem.propositions import read_propositions
from bayesem.study_truth import states, truth_of
from bayesem.truth_file import read_truth

STUDY = "export_strategy"
FILE = Path(__file__).parents[1] / "models" / f"{STUDY}.truth.toml"
BOOK = read_model(STUDY).codebook
BIG = 100_000
CLAIMS = read_propositions(STUDY)


def about(name):
    """The model that a proposition is about."""
    return CLAIMS[name].model or STUDY


def close(values, expected, sigmas=4.5):
    values = np.asarray(values, float)
    assert abs(values.mean() - expected) < sigmas * values.std() / np.sqrt(len(values))


# -- the file ------------------------------------------------------------------------------


def test_the_file_speaks_of_the_study():
    file = read_truth(FILE)
    assert set(file.propositions) == {p.name for p in CLAIMS} - {"network"}
    assert set(file.empty) == {"EP", "SPEED", "ACC"}
    assert set(file.controls) == {"size", "sector"}
    assert set(file.models) <= {v.model for v in BOOK.variants.values()}
    for name, options in file.propositions.items():
        assert {"true", "false"} <= set(options)
        assert ("reversed" in options) == (name != "P2_pure")


@pytest.mark.parametrize("name", read_truth(FILE).propositions)
def test_every_state_can_be_drawn(name):
    """So every label exists in the model of its proposition."""
    source = about(name)
    for state, values in read_truth(FILE).propositions[name].items():
        data = generate(source, 3, propositions={name: state}, seed=1)
        assert {k: data.attrs["truth"][k] for k in values} == values
        assert states(read_model(source), data.attrs["truth"])[name] == state
        assert data.attrs["propositions"] == {name: state}


@pytest.mark.parametrize("variant", BOOK.variants)
def test_every_variant_can_be_drawn(variant):
    data = generate(f"{STUDY}:{variant}", 50, seed=1)
    assert data.attrs["synthetic"] is True
    assert 0 < data[["exporting", "still_waiting"][variant == "time"]].sum() < 50


@pytest.mark.parametrize("state", ["true", "false", "reversed"])
def test_states_make_the_claims_so(state):
    """Against the arithmetic of another generator, which shares no code with the package."""
    file = read_truth(FILE)
    base = {**file.values, **file.models[f"{STUDY}_time"]}
    assert {k: base[k] for k in DEFAULTS} == DEFAULTS
    for name in ("P1", "P2", "P3", "P4", "P5"):
        values = {**DEFAULTS, **file.propositions[name][state]}
        assert claims({k: v for k, v in values.items() if k[0] != "y"})[name] is (state == "true")
    values = {**DEFAULTS, **file.propositions["P4_time"][state]}
    del values["d1"]
    assert claims(values)["P4_time"] is (state == "true")
    if state != "true":
        other = {"false": FALSE, "reversed": REVERSED}[state]
        for name in ("P1", "P2", "P5"):
            assert file.propositions[name][state] == other[name]


# -- samples -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    return generate(STUDY, BIG, rounded=False, seed=1)


@pytest.fixture(scope="module")
def whole():
    """Exporting depends on nothing, so exporters are as all firms are."""
    no = {**{f"d{k}": 0.0 for k in range(1, 6)}, "exporting ~ size": 0.0, "exporting ~ sector": 0.0}
    return generate(STUDY, BIG, truth=no, rounded=False, seed=2)


def test_columns_and_who_is_asked(plain):
    model = read_model(STUDY)
    assert tuple(plain.columns) == model.observed
    items = [k for k, v in BOOK.indicators.items() if v.factor in ("EP", "SPEED", "ACC")]
    out = plain["exporting"] == 0
    assert plain.loc[out, items].isna().all().all()
    assert plain.drop(columns=items).notna().all().all()
    assert plain.loc[~out].notna().all().all()
    assert set(plain["sector"]) == {0.0, 1.0}


def test_moments_of_single_columns(plain):
    close(plain["size"], 3.0)
    close((plain["size"] - 3) ** 2, 0.64)
    close(plain["sector"], 0.4)
    for name in ("dinf1", "comp3", "info2", "rego1"):
        close(plain[name], 5.5)
        close((plain[name] - 5.5) ** 2, 1.8**2)


def test_covariances_by_wright_s_rules(plain):
    """Standardised loadings times correlations of factors, worked out path by path."""

    def control(a, b):  # what two factors share through size and sector
        return a[0] * b[0] * 0.64 + a[1] * b[1] * 0.24

    inn, riv, net = (0.1, 0.2), (0.05, 0.2), (0.2, 0.1)
    var_inn, var_net = 1 + control(inn, inn), 1 + control(net, net)
    r_inn_riv = (0.2 + control(inn, riv)) / math.sqrt(var_inn * (1 + control(riv, riv)))
    close(unit(plain, "inn1") * unit(plain, "riv2"), 0.80 * 0.72 * r_inn_riv)
    # INFO = -.4 NET - .1 size + e
    info = (-0.1, 0.0)
    cov = -0.4 * var_net + control(net, info)
    var_info = 0.16 * var_net + 2 * -0.4 * control(net, info) + control(info, info) + 1
    nett = math.sqrt(1.1**2 * var_net + 1)
    r = 1.1 * cov / math.sqrt(var_info) / nett
    close(unit(plain, "info1") * unit(plain, "nett1"), 0.8 * 0.8 * r)


def unit(data, name):
    return (data[name] - 5.5) / 1.8


def test_share_of_exporters_and_what_moves_it(plain):
    """A probit whose predictor has mean .15: its variance from the residuals' correlations."""
    names = ["DC", "FIN", "REG", "NET", "INN"]
    d = np.array([plain.attrs["truth"][f"d{k}"] for k in range(1, 6)])
    t = plain.attrs["truth"]
    R = np.eye(5)
    for i, a in enumerate(names):
        for j, b in enumerate(names[i + 1 :], i + 1):
            R[i, j] = R[j, i] = t[f"{a} ~~ {b}"]
    size = d @ [t[f"{a} ~ size"] for a in names] + t["exporting ~ size"]
    sector = d @ [t[f"{a} ~ sector"] for a in names] + t["exporting ~ sector"]
    sd = math.sqrt(1 + d @ R @ d + size**2 * 0.64)
    at = [(0.15 + sector * (s - 0.4)) / sd for s in (0, 1)]
    close(plain["exporting"], 0.6 * norm.cdf(at[0]) + 0.4 * norm.cdf(at[1]))
    close(plain.loc[plain["sector"] == 1, "exporting"], norm.cdf(at[1]))


def test_products_in_third_moments(whole):
    """E(ep fin dinf) = w1 (1 + r^2) + w2 (r_di + r_fd r_fi) for normal factors (here nearly so)."""
    t = whole.attrs["truth"]
    firms = whole[whole["exporting"] == 1]
    close(whole["exporting"], norm.cdf(0.15))
    f, d, ep = (firms[x] - 5.5 for x in ("fin1", "dinf1", "ep1"))
    load = t["FIN =~ fin1"] * t["DINF =~ dinf1"] * 1.2 * t["EP =~ ep1"]

    def cov(a, b):
        shared = t[f"{a} ~ size"] * t[f"{b} ~ size"] * 0.64
        shared += t[f"{a} ~ sector"] * t[f"{b} ~ sector"] * 0.24
        return shared + (1.0 if a == b else t.get(f"{a} ~~ {b}", t.get(f"{b} ~~ {a}")))

    product = 0.2 * (cov("FIN", "FIN") * cov("DC", "DC") + cov("DC", "FIN") ** 2)
    product += 0.2 * (cov("FIN", "FIN") * cov("DC", "INN") + cov("DC", "FIN") * cov("FIN", "INN"))
    close(f * d * ep, load * product)


def test_answers_are_rounded_and_one_seed_gives_one_sample():
    one = generate(STUDY, 300, seed=3)
    items = one[[k for k, v in BOOK.indicators.items() if v.factor and k in one]].to_numpy()
    assert set(np.unique(items[~np.isnan(items)])) <= set(range(1, 11))
    assert one.equals(generate(STUDY, 300, seed=3))
    assert not one.equals(generate(STUDY, 300, seed=4))
    turned = generate(STUDY, 300, propositions={"P2": "reversed"}, seed=3)
    assert (turned["fin1"] == one["fin1"]).all()
    assert not turned["ep1"].equals(one["ep1"])


def test_the_wait_until_the_first_export():
    data = generate(f"{STUDY}:time", BIG, rounded=False, seed=5)
    assert list(data.columns[-2:]) == ["years", "still_waiting"]
    t = data.attrs["truth"]
    assert t["years ~~ years"] == 0.36
    # log years and log age are normal (but for the sector): Pr(age < years)
    net, dc, info = (0.2, 0.1), (0.2, 0.3), (-0.1, 0.0)
    load = np.array([-0.2, 0.3 * -0.4 + -0.1])  # on DC and NET
    size = load @ [dc[0], net[0]] + 0.3 * info[0] - 0.10
    sector = load @ [dc[1], net[1]] - 0.15
    var = load @ np.array([[1, 0.35], [0.35, 1]]) @ load + 0.09 + 0.36 + size**2 * 0.64
    sd = math.sqrt(var + 0.25)
    p = [norm.cdf((1.8 + sector * (s - 0.4) - math.log(10)) / sd) for s in (0, 1)]
    close(data["still_waiting"], 0.6 * p[0] + 0.4 * p[1])
    assert data.loc[data["still_waiting"] == 1, "ep1"].isna().all()
    assert data.loc[data["still_waiting"] == 0, "ep1"].notna().all()


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"study": "alliance_mediation"}, StudyError, "declares no truth"),
        ({"study": "f =~ x1 + x2 + x3"}, StudyError, "declares no truth"),
        ({"n": 0}, DataError, "n is 0"),
        ({"seed": -1}, DataError, "seed is -1"),
        ({"propositions": {"P9": "true"}}, StudyError, "`P9` is no proposition"),
        ({"propositions": {"P2": "flase"}}, StudyError, "Did you mean `false`"),
        ({"propositions": {"P2_pure": "reversed"}}, StudyError, "P2_pure can be true, false"),
        ({"propositions": {"P4_time": "true"}}, StudyError, "Draw from `export_strategy_time`"),
        ({"propositions": {"P3": "false", "P3_chain": "true"}}, StudyError, "different values of"),
        ({"truth": {"w9": 0.1}}, ModelError, "truth names `w9`"),
        ({"truth": {"DC ~~ DC": 2.0}}, ModelError, "fixed at 1"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        generate(**{"study": STUDY, "n": 10, **arguments})


@pytest.mark.parametrize("texts", [["P2"], ["P2="], ["=true"], ["P2=true", "P2=false"]])
def test_states_that_are_no_pairs(texts):
    with pytest.raises(StudyError, match="sets no proposition"):
        asked_from(texts)


GOOD = """
metric = "unit"
[answers]
loadings = [0.8]
mean = 5.5
sd = 1.8
[values]
a = 1
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"unit"', '"units"', "`metric` is `units`"),
        ("sd = 1.8", "sd = 0", "not above 0"),
        ("[0.8]", "[1.2]", "not between -1 and 1"),
        ("[0.8]", "0.8", "no list"),
        ("a = 1", 'a = "1"', "`a` is no number"),
        ("[values]", "[value]", "Unknown key `value`"),
        ("a = 1", "[controls.x]\nfamily = 'gamma'\nmean = 1", "`family` is `gamma`"),
        ("a = 1", "[controls.x]\nfamily = 'poisson'\nmean = 0", "`mean` is 0, not above 0"),
        ("a = 1", "[controls.x]\nfamily = 'normal'\nmean = 1", "no `sd`"),
        ("a = 1", "[controls.x]\nfamily = 'bernoulli'\nmean = 1", "between 0 and 1"),
        ("a = 1", "[propositions.P]\ntrue = { a = 1 }\nwrong = { a = 0 }", "Unknown key `wrong`"),
        ("a = 1", "[empty]\nfactors = ['f']", "has no `where`"),
        ("a = 1", "[outcomes.t]\nlimit = { median = 1 }", "no `sd`"),
    ],
)
def test_a_file_that_says_what_nothing_reads(old, new, message, tmp_path):
    path = tmp_path / "m.truth.toml"
    path.write_text(GOOD)
    assert read_truth(path).values == {"a": 1.0}
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(StudyError, match=message):
        read_truth(path)


def test_truth_of_a_variant_is_its_study_s():
    assert truth_of(read_model(f"{STUDY}:time")).path == FILE
    assert truth_of(read_model(f"{STUDY}_time")).path == FILE
