"""The generator by second routes: algebra of moments, least squares, probit scores, counts.

Simulated moments of 200,000 cases must lie within about five of their standard errors.
"""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, skew

from independent import firms as module
from independent.firms import firms
from independent.population import DIMENSIONS, TERMINAL, claims, declared

N = 200_000
HERE = Path(__file__).parent
MODELS = Path(__file__).parents[2] / "models"
#: Copied from export_strategy.sem and export_strategy_time.sem, one line an equation.
EQUATIONS = """
LEG ~ r1*REG + size
ACC ~ r2*LEG + r3*REG + size
INFO ~ n1*NET + size
SPEED ~ n2*INFO + n3*NET + size
COMP ~ k1*INN + k2*RIV + k3*INN:RIV + size
EP ~ e1*DC + f*FIN + e3*REG + e4*NET + e5*INN + w1*FIN:DC + w2*FIN:INN + size + sector
"""
NUMBERED = {"d": "12345", "e": "1345", "w": "12", "r": "123", "n": "123", "k": "123"}
LABELS = {letter + digit for letter, digits in NUMBERED.items() for digit in digits} | set("fuz")


def equations(text):
    """Outcome -> {predictor: label or "lhs op rhs"}."""
    out = {}
    for line in text.strip().splitlines():
        outcome, right = line.split(" ~ ")
        terms = [term.split("*") for term in right.split(" + ")]
        out[outcome] = {t[-1]: t[0] if len(t) == 2 else f"{outcome} ~ {t[-1]}" for t in terms}
    return out


def covariance(truth):
    """Of controls, dimensions and outcomes as though no product existed: (I - B)^-1 Psi (I - B)^-T."""
    names = ["size", "sector", *DIMENSIONS, *equations(EQUATIONS)]
    B = pd.DataFrame(0.0, names, names)
    Psi = pd.DataFrame(np.eye(len(names)), names, names)
    spread = 0.4 * 0.6  # variance of the sector, whose firms are larger by .25
    Psi.loc["sector", "sector"], Psi.loc["size", "size"] = spread, 0.8**2
    B.loc["size", "sector"] = 0.25
    for name in DIMENSIONS:
        B.loc[name, ["size", "sector"]] = truth[f"{name} ~ size"], truth[f"{name} ~ sector"]
    for outcome, terms in equations(EQUATIONS).items():
        for predictor, label in terms.items():
            if ":" not in predictor:
                B.loc[outcome, predictor] = truth[label]
    for key in truth:
        left, _, right = key.partition(" ~~ ")
        if left in names and right in names:
            Psi.loc[left, right] = Psi.loc[right, left] = truth[key]
    inverse = np.linalg.inv(np.eye(len(names)) - B)
    return pd.DataFrame(inverse @ Psi.to_numpy() @ inverse.T, names, names)


@pytest.fixture(scope="module")
def drawn():
    """Controls and factors as the generator holds them, and the truth."""
    _, truth = firms(10, {"w2": 0.1, "f": 0.15}, seed=1)  # no two labels of a line alike
    rng = np.random.default_rng(8)
    controls = module._controls(N, rng)
    factors = module._factors(controls, truth | {"EP ~ ECO:DC": 0.0}, None, rng)
    return controls, pd.DataFrame(factors), truth


# the population


def test_linear_moments_are_those_of_the_graph(drawn):
    controls, factors, truth = drawn
    names = ["size", "sector", *DIMENSIONS, "LEG", "ACC", "INFO", "SPEED"]
    Sigma = covariance(truth).loc[names, names]
    S = pd.concat([controls, factors], axis=1)[names].cov()
    sd = np.sqrt(np.diag(Sigma))
    assert np.abs((S - Sigma) / np.outer(sd, sd)).to_numpy().max() < 0.015


def test_products_add_what_isserlis_says(drawn):
    _, factors, truth = drawn
    phi = covariance(truth)

    def both(a, b, c, d):
        return phi.loc[a, c] * phi.loc[b, d] + phi.loc[a, d] * phi.loc[b, c]

    comp = truth["k3"] ** 2 * both("INN", "RIV", "INN", "RIV")
    ep = truth["w1"] ** 2 * both("FIN", "DC", "FIN", "DC")
    ep += truth["w2"] ** 2 * both("FIN", "INN", "FIN", "INN")
    ep += 2 * truth["w1"] * truth["w2"] * both("FIN", "DC", "FIN", "INN")
    assert factors["COMP"].var() == pytest.approx(phi.loc["COMP", "COMP"] + comp, rel=0.015)
    assert factors["EP"].var() == pytest.approx(phi.loc["EP", "EP"] + ep, rel=0.02)
    mean = truth["w1"] * phi.loc["FIN", "DC"] + truth["w2"] * phi.loc["FIN", "INN"]
    assert factors["EP"].mean() == pytest.approx(mean, abs=0.015)


@pytest.mark.parametrize("outcome", equations(EQUATIONS))
def test_least_squares_finds_the_labels(drawn, outcome):
    controls, factors, truth = drawn
    terms = equations(EQUATIONS)[outcome]
    both = pd.concat([controls, factors], axis=1)
    X = np.column_stack([both[t.split(":")].prod(axis=1) for t in terms] + [np.ones(N)])
    found, rest, *_ = np.linalg.lstsq(X, factors[outcome], rcond=None)
    # centring is immaterial to the product's own coefficient, and here also to the others,
    # because the factors' population means are exactly 0
    se = np.sqrt(np.diag(np.linalg.inv(X.T @ X)))
    wanted = np.array([truth[label] for label in terms.values()])
    assert np.abs((found[:-1] - wanted) / se[:-1]).max() < 5
    assert rest[0] / N == pytest.approx(1, abs=0.02)


def test_residuals_of_the_outcomes_go_together(drawn):
    controls, factors, truth = drawn
    both = pd.concat([controls, factors], axis=1)
    zeta = {
        name: factors[name]
        - sum(truth[b] * both[t.split(":")].prod(axis=1) for t, b in terms.items())
        for name, terms in equations(EQUATIONS).items()
    }
    R = pd.DataFrame(zeta).corr()
    for a, b in [("LEG", "INFO"), ("LEG", "EP"), ("INFO", "SPEED")]:
        assert R.loc[a, b] == pytest.approx(0, abs=0.012)
    for i, a in enumerate(TERMINAL):
        for b in TERMINAL[i + 1 :]:
            assert R.loc[a, b] == pytest.approx(truth[f"{a} ~~ {b}"], abs=0.012)


def test_second_order_factors_have_the_stated_layers(drawn):
    _, factors, truth = drawn
    phi = covariance(truth)
    for a, b, g, h, name in [
        ("DINF", "DANA", truth["DC =~ DINF"], truth["DC =~ DANA"], "DC"),
        ("REGO", "REGD", truth["u"], truth["u"], "REG"),
        ("NETT", "NETD", truth["z"], truth["z"], "NET"),
    ]:
        S = factors[[a, b]].cov()
        assert S.loc[a, b] == pytest.approx(g * h * phi.loc[name, name], rel=0.03)
        assert S.loc[a, a] == pytest.approx(g**2 * phi.loc[name, name] + 1, rel=0.02)


# the survey


@pytest.fixture(scope="module")
def survey():
    return firms(N, seed=3)


def test_columns(survey):
    data, truth = survey
    assert data.shape == (N, 58)
    assert list(data)[:3] == ["size", "sector", "exporting"]
    assert data.attrs["synthetic"] is True
    assert set(truth) >= LABELS
    assert not {"y1", "years ~ size"} & set(truth)


def test_indicators_covary_as_loadings_say(survey):
    data, truth = survey
    phi = covariance(truth)
    for a, b in [("FIN", "INN"), ("ECO", "RIV"), ("INFO", "LEG"), ("FIN", "FIN")]:
        i, j = f"{a.lower()}1", f"{b.lower()}2"
        wanted = truth[f"{a} =~ {i}"] * truth[f"{b} =~ {j}"] * phi.loc[a, b]
        assert data[i].cov(data[j]) == pytest.approx(wanted, abs=0.05)
    wanted = truth["FIN =~ fin3"] ** 2 * phi.loc["FIN", "FIN"] + truth["fin3 ~~ fin3"]
    assert data["fin3"].var() == pytest.approx(wanted, rel=0.02)
    always = data.drop(columns=["size", "sector", "exporting"]).dropna(axis=1)
    assert always.mean().between(5.1, 5.9).all()
    assert always.std().between(1.7, 1.9).all()


def test_probit_rate_is_the_integral(survey):
    data, truth = survey
    d = np.array([truth[f"d{k}"] for k in range(1, 6)])
    names = list(DIMENSIONS[:5])
    phi, given = covariance(truth).loc[names, names], []
    B = np.array([[truth[f"{f} ~ size"], truth[f"{f} ~ sector"]] for f in names])
    whole = d @ B + [truth["exporting ~ size"], truth["exporting ~ sector"]]
    residual = phi - B @ data[["size", "sector"]].cov().to_numpy() @ B.T
    for sector, share in ((0, 0.6), (1, 0.4)):
        centre = 0.15 + whole @ [2.9 + 0.25 * sector - 3.0, sector - 0.4]
        spread = np.sqrt(1 + whole[0] ** 2 * 0.8**2 + d @ residual.to_numpy() @ d)
        given.append(share * norm.cdf(centre / spread))
    assert data["exporting"].mean() == pytest.approx(sum(given), abs=0.006)


@pytest.mark.parametrize("sign", [1, -1])
def test_exporting_is_a_probit_of_the_dimensions(drawn, sign):
    """Scores at the truth have mean 0; residuals of the outcomes say nothing about exporting."""
    controls, factors, truth = drawn
    moved = truth | {"d1": sign * truth["d1"]}
    rng = np.random.default_rng(5)
    y = module._exporting(factors, controls, moved, rng)["exporting"].to_numpy()
    centred = controls - [3.0, 0.4]
    eta = 0.15 + centred.to_numpy() @ [truth["exporting ~ size"], truth["exporting ~ sector"]]
    eta += factors[list(DIMENSIONS[:5])].to_numpy() @ [moved[f"d{k}"] for k in range(1, 6)]
    error = y - norm.cdf(eta)
    for x in [np.ones(N), *centred.to_numpy().T, *factors[[*DIMENSIONS, "ACC", "EP"]].to_numpy().T]:
        assert abs((x * error).mean()) < 5 * (x * error).std() / np.sqrt(N)


@pytest.mark.parametrize("outcome", ["exporting", "time"])
def test_only_exporters_answer_about_exports(outcome):
    data, _ = firms(2000, outcome=outcome, seed=4)
    missing = data.isna()
    theirs = [c for c in data if re.fullmatch(r"(ep|speed|acc)\d", c)]
    assert len(theirs) == 10
    abroad = data["exporting"] == 1
    assert 0.2 < abroad.mean() < 0.9
    assert missing.loc[~abroad, theirs].to_numpy().all()
    assert not missing.loc[abroad].to_numpy().any()
    assert not missing.drop(columns=theirs).to_numpy().any()


def test_waiting_and_exporting_are_one_event():
    data, truth = firms(N, outcome="time", seed=6)
    assert (data["still_waiting"] == 1 - data["exporting"]).all()
    assert (data["years"] > 0).all()
    assert {"y1", "y2", "y3", "P4_time"} <= set(truth)
    assert not {"d1", "P1", "exporting ~ size"} & set(truth)
    # log wait and log age are (nearly) normal: Pr(wait <= age), and the mean of the lesser of both
    phi = covariance(truth)
    names = ["DC", "INFO", "NET", "size", "sector"]
    b = np.array([truth[k] for k in ("y1", "y2", "y3", "years ~ size", "years ~ sector")])
    variance = b @ phi.loc[names, names].to_numpy() @ b + 0.6**2
    gap, spread = np.log(10 / 6), np.sqrt(variance + 0.5**2)
    assert data["exporting"].mean() == pytest.approx(norm.cdf(gap / spread), abs=0.006)
    a = gap / spread
    lesser = np.log(6) * norm.cdf(a) + np.log(10) * norm.cdf(-a) - spread * norm.pdf(a)
    assert np.log(data["years"]).mean() == pytest.approx(lesser, abs=0.008)


def test_log_wait_has_the_declared_coefficients(drawn):
    """Tobit scores at the truth: the censored likelihood's own equations."""
    controls, factors, _ = drawn
    _, truth = firms(10, outcome="time", seed=1)
    data = module._years(factors, controls, truth, np.random.default_rng(7))
    centred = controls - [3.0, 0.4]
    mu = np.log(6) + factors[["DC", "INFO", "NET"]].to_numpy() @ [truth[f"y{k}"] for k in (1, 2, 3)]
    mu += centred.to_numpy() @ [truth["years ~ size"], truth["years ~ sector"]]
    e = (np.log(data["years"]) - mu) / 0.6
    score = np.where(data["exporting"] == 1, e, np.exp(norm.logpdf(e) - norm.logsf(e)))
    for x in [np.ones(N), *factors[["DC", "INFO", "NET", "FIN", "EP"]].to_numpy().T]:
        assert abs((x * score).mean()) < 5 * (x * score).std() / np.sqrt(N)


def test_rounded_answers_are_whole_and_some_crowd_at_the_top():
    raw, _ = firms(20_000, seed=9)
    data, _ = firms(20_000, rounded=True, seed=9)
    answers = data.drop(columns=["size", "sector", "exporting"])
    values = answers.to_numpy()[answers.notna().to_numpy()]
    assert set(np.unique(values)) == set(range(1, 11))
    assert (data["inn2"] == 10).mean() > 0.12 > 0.04 > (data["fin2"] == 10).mean()
    inside = raw["fin1"].between(1, 10)
    assert (raw["fin1"] - data["fin1"])[inside].abs().max() <= 0.5
    pd.testing.assert_series_equal(raw["exporting"], data["exporting"])


def test_skewed_survey_is_skewed():
    normal, chi = (firms(50_000, skewed=s, seed=2)[0]["fin1"] for s in (False, True))
    assert abs(skew(normal)) < 0.06
    assert skew(chi) == pytest.approx(2**0.5 * 0.8**3, abs=0.1)


def test_left_out_moderator(drawn):
    controls, _, truth = drawn
    _, told = firms(10, omitted_moderator=True, seed=1)
    assert told["EP ~ ECO:DC"] == 0.2
    pair = [
        module._factors(controls, truth | {"EP ~ ECO:DC": x}, None, np.random.default_rng(8))
        for x in (0.0, 0.2)
    ]
    gain = pair[1]["EP"] - pair[0]["EP"]
    assert gain == pytest.approx(0.2 * pair[0]["ECO"] * pair[0]["DC"])
    assert all((pair[0][name] == pair[1][name]).all() for name in pair[0] if name != "EP")


# truth


@pytest.mark.parametrize("state", ["true", "false", "reversed"])
@pytest.mark.parametrize("name", ["P1", "P2", "P3", "P4", "P5"])
def test_states_make_their_claim_and_leave_the_others(name, state):
    _, truth = firms(5, propositions={name: state}, seed=1)
    flags = {key: truth[key] for key in ("P1", "P2", "P3", "P4", "P5")}
    assert flags == {key: key != name or state == "true" for key in flags}
    if name == "P4":
        _, truth = firms(5, propositions={name: state}, outcome="time", seed=1)
        assert truth["P4_time"] is (state == "true")


def test_reversed_parts_are_all_on_the_wrong_side():
    every = dict.fromkeys(("P1", "P2", "P3", "P4", "P5"), "reversed")
    v = declared("exporting", every, {}) | declared("time", every, {})
    assert max(v["d1"], v["w1"], v["w2"], v["r1"], v["r1"] * v["r2"] + v["r3"]) < 0
    assert min(v["n1"], v["n2"], -(v["n1"] * v["n2"] + v["n3"])) > 0
    assert min(-v["y2"], v["n1"] * v["y2"] + v["y3"]) > 0
    assert v["k1"] + v["k3"] < 0


def test_false_parts_are_all_zero():
    v = declared("exporting", dict.fromkeys(("P1", "P2", "P3", "P4", "P5"), "false"), {})
    parts = ["d1", "w1", "w2", "r1", "n1", "n2", "k1", "k3"]
    assert all(v[label] == 0 for label in parts)
    assert v["r1"] * v["r2"] + v["r3"] == v["n1"] * v["n2"] + v["n3"] == 0


def test_truth_overrides_propositions():
    _, truth = firms(5, {"w2": -0.1}, propositions={"P1": "reversed"}, seed=1)
    assert (truth["w1"], truth["w2"], truth["d1"]) == (0.2, -0.1, -0.4)
    assert truth["P2"] is False
    assert claims(declared("exporting", {}, {"k1": -0.2, "k3": 0.199}))["P5"] is True  # sd(RIV) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"truth": {"w9": 1}}, "w9"),
        ({"truth": {"y1": 1}}, "y1"),
        ({"propositions": {"P6": "true"}}, "P6"),
        ({"propositions": {"P1": "maybe"}}, "maybe"),
        ({"outcome": "years"}, "years"),
    ],
)
def test_unknown_names_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        firms(5, seed=1, **arguments)


def test_seed_decides_everything_and_truths_share_their_noise():
    first, again, other = (firms(50, seed=s)[0] for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["fin1"].equals(other["fin1"])
    reversed_, _ = firms(50, propositions={"P5": "reversed"}, seed=1)
    pd.testing.assert_frame_equal(first.drop(columns=COMP), reversed_.drop(columns=COMP))
    assert not first[COMP].equals(reversed_[COMP])


COMP = ["comp1", "comp2", "comp3"]


@pytest.mark.skipif(not (MODELS / "export_strategy.sem").exists(), reason="study B not there yet")
def test_names_are_those_of_the_study():
    text = re.sub("#.*", "", (MODELS / "export_strategy.sem").read_text(encoding="utf-8"))
    data, _ = firms(5, seed=1)
    assert set(re.findall(r"\b[a-z]+\d\b(?!\*)", text)) == set(data) - {
        "size",
        "sector",
        "exporting",
    }
    assert set(re.findall(r"([a-z]\w*)\*", text)) == LABELS


# independence


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.name)
def test_imports_nothing_of_the_package(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.split(".")[0])
    allowed = {"collections", "dataclasses", "numpy", "pandas", "independent"}
    if path.name.startswith("test_"):
        allowed |= {"ast", "re", "pathlib", "pytest", "scipy"}
    assert names <= allowed
