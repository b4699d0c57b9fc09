"""Code-by-segment tables: read strictly; shares by phase and co-occurrence against quadrature."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import beta, fisher_exact

from bayesem.counts.clustered import GRID, RHO_PRIOR, clustered_shares, fit_segments
from bayesem.counts.co_occurrence import co_occurrence
from bayesem.counts.segments import generate_segments, read_segments
from bayesem.errors import DataError, PropositionError
from bayesem.verdicts import assess

STUDY = "facilitated_alliance"
THEMES = {"u": {"x": 1, "y": 1}, "v": {"z": 1}}


def frame(**columns):
    given = {
        "segment": ["s1", "s1", "s2", "s3"], "informant": ["a", "a", "b", "b"],
        "phase": ["p", "p", "p", "q"], "code": ["x", "z", "y", "z"],
    }  # fmt: skip
    return pd.DataFrame({**given, **columns})


def test_long_and_wide_are_one_table():
    long = read_segments(frame(), THEMES)
    wide = pd.DataFrame({
        "segment": ["s1", "s2", "s3"], "informant": ["a", "b", "b"], "phase": ["p", "p", "q"],
        "x": [1, 0, 0], "y": [0, 1, 0], "z": [1, 0, 1],
    })  # fmt: skip
    other = read_segments(wide, THEMES)
    np.testing.assert_array_equal(long.counts(), other.counts())
    assert long.counts().tolist() == [[[1, 0, 1], [0, 1, 0]], [[0, 0, 0], [0, 0, 1]]]
    assert long.indicators().to_numpy().tolist() == other.indicators().to_numpy().tolist()


def test_a_file_that_says_it_is_synthetic(tmp_path, rows):
    path = tmp_path / "codes.csv"
    rows.assign(synthetic=1).to_csv(path, index=False)
    found = read_segments(path, STUDY)
    assert found.synthetic
    assert read_segments(rows, STUDY).synthetic
    assert not read_segments(frame(), THEMES).synthetic


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"code": ["x", "z", "yy", "z"]}, "row 3 of the segments: `yy` is no sub-theme"),
        ({"informant": ["a", "b", "b", "b"]}, "segment `s1` has more than one informant: a, b"),
        ({"phase": ["p", "q", "p", "q"]}, "segment `s1` has more than one phase"),
        ({"code": ["x", "x", "y", "z"]}, "segment `s1` has the code `x` twice"),
        ({"phase": ["p", "p", None, "q"]}, "row 3 of the segments has no `phase`"),
        ({"phase": ["1st", "1st", "p", "q"]}, "the phase `1st` cannot stand in a claim"),
        ({"note": ["", "", "", ""]}, "column `note` is none of segment"),
    ],
)
def test_segments_that_cannot_be(columns, message):
    with pytest.raises(DataError, match=message):
        read_segments(frame(**columns), THEMES)


def test_more_that_cannot_be():
    with pytest.raises(DataError, match="no column `informant`"):
        read_segments(frame().drop(columns="informant"), THEMES)
    wide = frame().drop(columns="code").iloc[[0, 2, 3]]
    with pytest.raises(DataError, match="holds something else than 0 and 1"):
        read_segments(wide.assign(x=[1, 2, 0]), THEMES)
    with pytest.raises(DataError, match="no segment has a code"):
        read_segments(wide.assign(x=0), THEMES)
    with pytest.raises(DataError, match="one informant"):
        fit_segments(read_segments(frame(informant="a"), THEMES))


def dirichlet_multinomial(n, a):
    """Log-probability of counts up to their coefficient, (..., cluster, category)."""
    return (
        gammaln(a.sum(-1)) - gammaln(a.sum(-1) + n.sum(-1)) + (gammaln(a + n) - gammaln(a)).sum(-1)
    )


def test_the_sampler_has_the_posterior_of_quadrature():
    """Two categories, three clusters: share and correlation integrated on a grid."""
    n = np.array([[6, 1], [2, 5], [7, 2]])
    theta = (np.arange(2000) + 0.5) / 2000
    rho = beta.ppf((np.arange(GRID) + 0.5) / GRID, *RHO_PRIOR)
    kappa = 1 / rho - 1
    a = kappa[:, None, None, None] * np.stack([theta, 1 - theta], -1)[None, :, None, :]
    log = dirichlet_multinomial(n, a).sum(-1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    share, correlation = clustered_shares(
        n[None], draws=20_000, tune=200, chains=4, rng=np.random.default_rng(1)
    )
    from arviz_stats.base import array_stats

    for exact, draws in (
        (weight.sum(0) @ theta, share[..., 0, 0]),
        (weight.sum(0) @ theta**2, share[..., 0, 0] ** 2),
        (weight.sum(1) @ rho, correlation),
        (weight.sum(1) @ rho**2, correlation**2),
    ):
        effective = array_stats.ess(draws, chain_axis=0, draw_axis=1, method="mean")
        assert abs(draws.mean() - exact) < 4 * draws.std() / np.sqrt(effective)


def test_without_references_the_prior_comes_back():
    share, rho = clustered_shares(
        np.zeros((2, 3, 4), int), draws=5000, tune=10, chains=2, rng=np.random.default_rng(2)
    )
    assert share.mean((0, 1)) == pytest.approx(np.full((2, 4), 0.25), abs=0.01)
    assert rho.mean() == pytest.approx(0.2, abs=0.01)


def test_phases_are_told_apart(phased):
    assert phased.converged
    found = assess(STUDY, phased)
    rows = found.table.set_index("name")
    assert rows.loc["T1", "verdict"] == "supported"  # trust is four times as frequent, five if told
    assert "SYNTHETIC" in found.notes[0]
    assert rows.loc["T1", "prior_probability"] == pytest.approx(0.5, abs=0.03)
    posterior = phased.draws["posterior"]
    weights = phased.draws["observed_data"]["references"].sum(("informant", "subtheme"))
    whole = (posterior["phase_share"] * weights / weights.sum()).sum("phase")
    np.testing.assert_allclose(whole.transpose(*posterior["share"].dims), posterior["share"])


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("share(trust | phase = conflct) > 0", "`conflct` is no phase of the segments"),
        ("share(trust | stage = conflict) > 0", "`stage` is no column of the segments"),
        ("share(trsut | phase = conflict) > 0", "`trsut` is neither a theme nor a sub-theme"),
    ],
)
def test_phases_that_segments_do_not_have(phased, claim, message):
    with pytest.raises(PropositionError, match=message):
        assess({"P": claim}, phased)


def test_the_graph_has_the_sampler_s_density(phased):
    """Log-density of the graph against the Dirichlet-multinomial by hand, at two points."""
    counts = phased.draws["observed_data"]["references"].to_numpy()
    logp = phased.graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    got, expected = [], []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        theta, rho = rng.dirichlet(np.ones(9), len(counts)), rng.uniform(0.05, 0.3)
        log = np.log(theta)
        point = {
            "phase_share_simplex__": (log - log.mean(-1, keepdims=True))[:, :-1],
            "intraclass_logodds__": np.log(rho / (1 - rho)),
        }
        a = (1 / rho - 1) * theta[:, None, :]
        value = dirichlet_multinomial(counts, a).sum() + beta.logpdf(rho, *RHO_PRIOR)
        got.append(float(logp(point)))
        expected.append(value)
    assert got[1] - got[0] == pytest.approx(expected[1] - expected[0], rel=1e-8)


def independent(table, informants=40, seed=1):
    """Segments with codes x and y whose fourfold table is this, dealt to informants at random."""
    both, first, second, neither = table
    kinds = [("x", "y")] * both + [("x",)] * first + [("y",)] * second + [("z",)] * neither
    rng = np.random.default_rng(seed)
    who = rng.integers(informants, size=len(kinds))
    rows = [
        {"segment": f"s{k}", "informant": f"i{who[k]}", "phase": "p", "code": code}
        for k, codes in enumerate(kinds)
        for code in codes
    ]
    return read_segments(pd.DataFrame(rows), THEMES)


def test_codes_that_go_together():
    table = (40, 20, 20, 40)
    row = co_occurrence(independent(table), [("x", "y")], seed=1).iloc[0]
    assert (row["both"], row["only_first"], row["only_second"], row["neither"]) == table
    odds = 4.0
    assert row["odds_ratio"] == pytest.approx(odds, rel=0.1)
    # informants are alike, so the interval is little wider than that of independent segments
    se = np.sqrt(sum(1 / k for k in table))
    width = np.log(row["upper"] / row["lower"]) / (2 * 1.96 * se)
    assert 0.95 < width < 1.35
    assert row["lift"] == pytest.approx(40 / 120 / 0.25, rel=0.05)
    assert 1 - row["probability"] < 0.01 > fisher_exact([[40, 20], [20, 40]])[1]


def test_clustering_widens_what_informants_share():
    """The same fourfold table, once dealt at random and once each informant of one kind."""
    rows = independent((20, 20, 20, 20), informants=8).table
    kind = rows.groupby("segment")["code"].agg("".join)
    apart = rows.assign(
        informant=rows["segment"].map(kind) + rows["segment"].str[-1].map(int).mod(2).astype(str)
    )
    at_random, clustered = (
        co_occurrence(s, [("x", "y")], seed=1).iloc[0]
        for s in (read_segments(rows, THEMES), read_segments(apart, THEMES))
    )
    assert clustered["upper"] / clustered["lower"] > 5 * at_random["upper"] / at_random["lower"]


def test_pairs_that_cannot_be():
    found = independent((4, 4, 4, 4))
    for pairs, message in (
        ([("x", "x")], "no pair of codes"), ([("x", "w")], "`w` is no sub-theme"),
        ([], "there are no pairs"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=message):
            co_occurrence(found, pairs)
    with pytest.raises(DataError, match="no segment has two codes"):
        co_occurrence(independent((0, 4, 4, 4)))


def test_generated_segments_have_the_stated_shares_and_clustering():
    rows = generate_segments(
        {"a": {"x": 3, "y": 1}}, phases={"p": {"y": 3}}, informants=4000, segments=8,
        intraclass=0.25, seed=3,
    )  # fmt: skip
    assert rows.attrs["shares"] == {"p": {"x": 0.5, "y": 0.5}}
    hits = (rows["code"] == "x").groupby(rows["informant"]).sum()
    assert hits.mean() / 8 == pytest.approx(0.5, abs=4 * np.sqrt(0.25 * 2.75 / 32_000))
    assert hits.var() / 2 == pytest.approx(1 + 7 * 0.25, rel=0.08)
