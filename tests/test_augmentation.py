"""Small cross-loadings and a method factor: what is added, with which priors, and what it mends."""

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import bayesem as sem
from bayesem.augmentation import METHOD_SD, augmented
from bayesem.common_method import ASKED, demand, method_note
from bayesem.decomposition import standardise, standardised_value
from bayesem.kernels.pack import constrained, pack
from bayesem.model import read_model
from bayesem.posterior import reported_matrices
from bayesem.preparation import prepare
from bayesem.refitting import renew
from bayesem.sampling.starts import maximum

MODEL = """
X =~ x1 + x2 + x3 + x4
M =~ m1 + m2 + m3 + m4
Y =~ y1 + y2 + y3 + y4
M ~ a*X
Y ~ b*M + c*X
"""
LOADINGS = np.array([0.85, 0.75, 0.6, 0.5])
NAMES = [f"{v}{k}" for v in "xmy" for k in range(1, 5)]
SCALE = dict(zip(NAMES, np.resize([1.0, 2.0, 0.5], 12), strict=True))


def _biased(n: int, method: float, seed: int) -> pd.DataFrame:
    """Answers that one more factor moves, in units of their sds; a = .4, b = .3, c = 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=n)
    M = 0.4 * X + np.sqrt(1 - 0.16) * rng.normal(size=n)
    Y = 0.3 * M + np.sqrt(1 - 0.09) * rng.normal(size=n)
    C = rng.normal(size=n)
    columns = {}
    for k, name in enumerate(NAMES):
        factor = dict(x=X, m=M, y=Y)[name[0]]
        rest = np.sqrt(1 - LOADINGS[k % 4] ** 2 - method**2)
        columns[name] = SCALE[name] * (
            LOADINGS[k % 4] * factor + method * C + rest * rng.normal(size=n)
        )
    return pd.DataFrame(columns)


def test_what_is_added():
    """Every pair that the text is silent on, and nothing that it fixes."""
    text = "f =~ a + b + c\ng =~ d + e + 0*a\nh =~ f + g + k\ny ~ h"
    model, added = augmented(read_model(text), cross_loadings=0.05)
    assert list(added.small) == ["f =~ d", "f =~ e", "g =~ b", "g =~ c"]  # h is of second order
    assert set(added.small.values()) == {0.05}
    model, added = augmented(read_model(text), ["d"], method_factor="CMB")
    assert added.common == ("CMB =~ a", "CMB =~ b", "CMB =~ c", "CMB =~ e")
    apart = {s.term.name for s in model.parsed.statements if s.op == "~~" and s.term.fixed == 0}
    assert apart == {"h"}  # the others are explained by something
    assert read_model(str(model)) == model


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"cross_loadings": -0.1}, sem.ModelError, "`cross_loadings` is -0.1"),
        ({"cross_loadings": True}, sem.ModelError, "`cross_loadings` is True"),
        ({"cross_loadings": np.nan}, sem.ModelError, "`cross_loadings` is nan"),
        ({"method_factor": ""}, sem.ModelError, "`method_factor` is ''"),
        ({"method_factor": "X"}, sem.ModelError, "already in the model"),
        ({"method_factor": "a"}, sem.ModelError, "already in the model"),
        ({"method_factor": "other"}, sem.ModelError, "also a column"),
        (
            {"method_factor": "CMB", "priors": {"CMB =~ x2": "normal(0, 1)"}},
            sem.PriorError,
            "multiple of `CMB =~ x1`",
        ),
    ],
)
def test_refusals(arguments, error, match):
    data = _biased(60, 0.0, 1).assign(other=1.0)
    with pytest.raises(error, match=match):
        prepare(MODEL, data, **arguments)


def test_nothing_to_add():
    data = _biased(60, 0.0, 1)
    with pytest.raises(sem.ModelError, match="nothing to free"):
        prepare("X =~ x1 + x2 + x3", data, cross_loadings=0.1)
    with pytest.raises(sem.ModelError, match="no indicators"):
        prepare("y1 ~ x1 + x2", data, method_factor="CMB")


@pytest.mark.parametrize("identify", ["marker", "unit"])
def test_priors_are_on_the_standardised_scale(identify):
    """Drawn from the prior, standardised loadings have the stated sds, whatever the units."""
    data = _biased(300, 0.0, 2)
    ready = prepare(MODEL, data, cross_loadings=0.08, method_factor="CMB", identify=identify)
    spec = ready.spec
    sd = data.std(ddof=0)
    priors = {p.name: p.prior for p in spec.parameters}
    for name in ("X =~ m2", "M =~ x3", "Y =~ m1"):
        column = name.split()[-1]
        assert priors[name].args == pytest.approx((0.0, 0.08 * sd[column]), rel=1e-12)
    own = [p for p in priors if p.startswith("CMB")]
    assert own == ["CMB =~ x1"]  # one parameter
    assert priors["CMB =~ x1"].args == pytest.approx((METHOD_SD * sd["x1"],), rel=1e-12)
    M = spec.matrices(np.full(len(spec.parameters), 0.3))
    column = spec.table.factors.index("CMB")
    rows = [spec.table.indicators.index(v) for v in NAMES]
    ratio = M.Lambda[rows, column] / sd[NAMES].to_numpy()
    assert ratio == pytest.approx(0.3 / sd["x1"], rel=1e-12)
    assert M.Psi[column] == pytest.approx(np.eye(len(spec.table.factors))[column])


def test_cross_loadings_leave_the_other_priors_alone():
    """Factors stay in their home metric: the rest of the specification is the plain model's."""
    data = _biased(200, 0.0, 3)
    plain, more = prepare(MODEL, data).spec, prepare(MODEL, data, cross_loadings=0.08).spec
    assert {p.name: p.prior for p in plain.parameters}.items() <= {
        p.name: p.prior for p in more.parameters
    }.items()
    assert [s.row.name for s in plain.scales] == [s.row.name for s in more.scales]


def test_a_prior_of_ones_own_replaces_an_added_one():
    ready = prepare(
        MODEL, _biased(100, 0.0, 3), cross_loadings=0.08, identify="unit",
        priors={"X =~ m2": "normal(0, 0.5)"},
    )  # fmt: skip
    prior = next(p.prior for p in ready.spec.parameters if p.name == "X =~ m2")
    assert (prior.family, prior.args) == ("normal", (0.0, 0.5))


def test_unidentified_models_are_still_refused():
    """Small cross-loadings excuse themselves only."""
    with pytest.raises(sem.IdentificationError):
        prepare("X =~ x1 + x2\nM =~ m1 + m2 + m3\nX ~~ 0*M", _biased(60, 0.0, 1),
                cross_loadings=0.08)  # fmt: skip


def test_frozen_on_other_cases():
    """Priors keep the scales of the first data; the likelihood is that of the new."""
    data = _biased(200, 0.3, 4)
    ready = prepare(MODEL, data, cross_loadings=0.08, method_factor="CMB")
    part = renew(ready, rows=np.arange(100))
    assert [p.prior for p in part.spec.parameters] == [p.prior for p in ready.spec.parameters]
    assert part.spec.terms == ready.spec.terms
    assert part.spec.stats.cases == 100
    assert len(pack(part.spec)) == len(pack(ready.spec))


@pytest.fixture(scope="module")
def biased():
    """1,500 cases with a method factor of .4."""
    return _biased(1500, 0.4, 5)


def _mode(data):
    """Standardised a, b and c at the mode of the plain model's posterior."""
    spec = prepare(MODEL, data).spec
    matrices = reported_matrices(spec, constrained(spec, maximum(spec).u))
    std = standardise(matrices)
    return np.array([standardised_value(spec.table.labels[k][0], std) for k in "abc"])


def _paths(fit):
    table = sem.summary(fit, standardized=True).set_index("label")
    return table.loc[["a", "b", "c"], ["mean", "sd"]].to_numpy().T


def test_method_factor_removes_the_bias(biased, tmp_path):
    """Without it paths are off by far more than their error (.03); with it by less than 2.5 sds."""
    options = {"seed": 1, "progress": False, "draws": 500, "tune": 500}
    truth = np.array([0.4, 0.3, 0.0])
    assert (_mode(biased) - truth)[[0, 2]].min() > 0.08
    fit = sem.fit(
        MODEL, biased, method_factor="CMB", priors={"CMB =~ x1": "halfnormal(0.4)"}, **options
    )
    assert fit.converged, fit.convergence
    mean, sd = _paths(fit)
    assert np.abs((mean - truth) / sd).max() < 2.5
    table = sem.summary(fit, standardized=True)
    mine = table[(table.lhs == "CMB") & (table.op == "=~")]
    assert len(mine) == 12
    assert (np.abs(mine["mean"] - 0.4) / mine["sd"]).max() < 2.5
    assert "for its one parameter" in fit.notes[-1]
    assert "CMB" not in set(sem.reliability(fit)["factor"])
    assert "CMB" in sem.reliability(fit).attrs["notes"][-1]
    _round_trip(fit, tmp_path)


def _round_trip(fit, tmp_path):
    sem.save(fit, tmp_path / "fit.nc")
    again = sem.load(tmp_path / "fit.nc")
    assert again.settings.method_factor == fit.settings.method_factor
    assert again.settings.cross_loadings == fit.settings.cross_loadings
    assert again.spec.names == fit.spec.names
    assert [p.prior for p in again.spec.parameters] == [p.prior for p in fit.spec.parameters]
    pd.testing.assert_frame_equal(sem.summary(again), sem.summary(fit))


def test_whether_the_data_ask_for_a_method_factor(biased):
    """-2 log-likelihood falls far where there is one and hardly where there is none."""
    found = []
    for data in (biased, _biased(1500, 0.0, 7)):
        whole = prepare(MODEL, data, method_factor="CMB").spec
        plain = prepare(MODEL, data).spec
        found.append(demand(whole, plain))
        # a second route: scipy's normal density at the same modes
        log = [_log_density(data, spec) for spec in (whole, plain)]
        assert found[-1] == pytest.approx(2 * (log[0] - log[1]), abs=1e-6)
    assert found[0] > 8
    assert -2 < found[1] < ASKED
    assert "as well without it" in method_note("CMB", whole, plain)


def _log_density(data, spec):
    M = spec.matrices(constrained(spec, maximum(spec).u))
    y = data[list(spec.table.indicators)].to_numpy()
    return multivariate_normal(M.mu, M.Sigma).logpdf(y).sum()


def test_an_omitted_cross_loading_is_recovered(tmp_path):
    """x2 measures M, too, by .25: that loading alone stands out, and path a is mended."""
    rng = np.random.default_rng(6)
    n = 1500
    X = rng.normal(size=n)
    M = 0.4 * X + np.sqrt(1 - 0.16) * rng.normal(size=n)
    Y = 0.3 * M + np.sqrt(1 - 0.09) * rng.normal(size=n)
    data = {}
    for k, name in enumerate(NAMES):
        lam, more = LOADINGS[k % 4], 0.25 if name == "x2" else 0.0
        mean = lam * {"x": X, "m": M, "y": Y}[name[0]] + more * M
        rest = np.sqrt(1 - lam**2 - more**2 - 2 * lam * more * 0.4)
        data[name] = SCALE[name] * (mean + rest * rng.normal(size=n))
    frame = pd.DataFrame(data)
    options = {"seed": 2, "progress": False, "draws": 500, "tune": 500}
    fit = sem.fit(MODEL, frame, cross_loadings=0.08, **options)
    assert fit.converged, fit.convergence
    table = sem.summary(fit, standardized=True)
    table.index = table.lhs + " " + table.op + " " + table.rhs
    added = table.loc[list(augmented(read_model(MODEL), cross_loadings=0.08)[1].small)]
    away = (added["mean"].abs() / added["sd"]).sort_values()
    assert (away.index[-1], len(away)) == ("M =~ x2", 24)
    assert away.iloc[-1] > 2.5 > 2 > away.iloc[-2]
    mean, sd = _paths(fit)
    assert (np.abs(mean - [0.4, 0.3, 0.0]) / sd).max() < 2.5
    assert _mode(frame)[0] - 0.4 > 0.1
    _round_trip(fit, tmp_path)


def test_measurement_knows_the_blocks_of_the_text(biased):
    """Added loadings make no indicator a member of a block."""
    from bayesem.measurement import blocks

    ready = prepare(MODEL, biased, cross_loadings=0.08, method_factor="CMB")
    found = blocks(ready.model, ready.table)
    assert [b.name for b in found] == ["X", "M", "Y"]
    names = ready.table.indicators
    assert [[names[i] for i in b.indicators] for b in found] == [
        [v for v in NAMES if v[0] == k] for k in "xmy"
    ]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_of_data(kind):
    """The same step for missing cells, products, other outcomes and moments."""
    families = {"bought": "bernoulli"} if kind == "outcome" else None
    ready = prepare(
        kinds.TEXTS.get(kind, kinds.LINEAR), kinds.data_of(kind), families=families,
        cross_loadings=0.08, method_factor="CMB",
    )  # fmt: skip
    assert sum(p.name.startswith("CMB") for p in ready.spec.parameters) == 1
    assert any("cross-loadings are free" in note for note in ready.notes)
