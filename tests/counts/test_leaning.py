"""What verdicts on counts lean on, and how many interviews would settle them."""

import numpy as np
import pytest
from scipy.special import betainc

from bayesem.campaigns.interviews import future_counts, interviews
from bayesem.counts.fit import fit_counts
from bayesem.counts.table import count_model
from bayesem.errors import DataError, PropositionError
from bayesem.robustness.counts import count_sensitivity
from bayesem.verdicts import assess

STUDY = "facilitated_alliance"


@pytest.fixture(scope="module")
def leaning():
    return count_sensitivity(STUDY, STUDY, seed=1)


def cells(found, name):
    return found.table[found.table["name"] == name].set_index("setting")


@pytest.mark.parametrize(
    ("name", "n", "m", "k", "l"), [("N2", 9, 7, 1, 1), ("N2_wide", 20, 7, 2, 1)]
)
def test_settings_against_closed_forms(leaning, name, n, m, k, l):
    found = cells(leaning, name)
    exact = {
        "as assessed": (n + k, m + l),
        "design effect 2": (n / 2 + k, m / 2 + l),
        "design effect 4": (n / 4 + k, m / 4 + l),
        "prior jeffreys": (n + k / 2, m + l / 2),
        "172 left out as other": (n + k, m + l),
        "172 left out against the claim": (n + k, m + 172 + l),
        "172 left out for the claim": (n + 172 + k, m + l),
    }
    for setting, (a, b) in exact.items():
        p, error = found.loc[setting, ["probability", "mcse"]]
        assert abs(p - (1 - betainc(a, b, 0.5))) < 4 * error, setting


def test_the_references_left_out_go_where_they_matter(leaning):
    placed = leaning.allocations.set_index(["name", "setting"])["placed"]
    assert placed["N2", "172 left out against the claim"] == "mediation"
    assert placed["N2", "172 left out for the claim"] == "bringing"
    assert placed["N1", "172 left out for the claim"] == "support"
    assert leaning.tried == 2**9 - 1


def test_as_other_shares_are_of_all_references(leaning):
    """The yardstick 2/9 is one among the references listed: 32 of 284 are far below it."""
    row = cells(leaning, "N3").loc["172 left out as other"]
    assert row["verdict"] == "refuted"


def test_no_claim_on_shares():
    with pytest.raises(PropositionError, match="no proposition is on the shares"):
        count_sensitivity({"P": "a > 0"}, STUDY)
    with pytest.raises(PropositionError, match="no proposition is on the shares"):
        interviews({"P": "a > 0"}, STUDY)


def test_further_interviews_against_another_simulation(table):
    """Shares of two sub-themes: futures informant by informant, verdicts by incomplete betas."""
    claim, d, m, size = {"P": "share(bringing) > share(mediation)"}, 2.0, 48, 4000
    found = interviews(claim, table, design_effect=d, most=m, replicates=2000, seed=1).table
    row = found[found["interviews"] == m].iloc[0]
    rng = np.random.default_rng(5)
    alpha = table.counts / d + 1
    kappa = (16 - 1) / (d - 1) - 1
    won = np.zeros((size, 2))
    for k in range(size):
        theta = rng.dirichlet(alpha)
        total = sum(rng.multinomial(16, rng.dirichlet(kappa * theta)) for _ in range(m))
        won[k] = (total / d + alpha)[[1, 6]]
    p = 1 - betainc(won[:, 0], won[:, 1], 0.5)
    decisive = np.mean((p >= 0.95) | (p <= 0.05))
    error = np.hypot(row["mcse"], np.sqrt(decisive * (1 - decisive) / size))
    assert abs(row["decisive"] - decisive) < 4 * error
    assert abs(row["supported"] - np.mean(p >= 0.95)) < 4 * error


def test_more_interviews_decide_more(table):
    found = interviews({"P": "share(work) > 2/9"}, table, design_effect=1, most=128, seed=2)
    shares = found.table["decisive"].to_numpy()
    assert shares[0] < 0.02  # .931 today, with 1,000 draws a future
    assert shares[-1] > 0.85
    assert np.all(np.diff(shares) > -0.1)
    need = found.sizes.iloc[0]
    assert need["lower"] <= need["needed"] <= need["upper"]
    none = interviews(
        {"P": "share(relations) > share(work)"}, table, design_effect=4, most=8, seed=2
    )
    assert np.isnan(none.sizes["needed"][0])
    assert "more than 8" in str(none)
    done = interviews({"P": "share(initiation) > share(mediation)"}, table, design_effect=1, most=2)
    assert done.sizes["needed"][0] == 0


def test_one_informant_has_the_stated_design_effect():
    rng = np.random.default_rng(3)
    share = np.tile([0.2, 0.8], (40_000, 1))
    for d, r in ((3.0, 5), (5.0, 5), (1.0, 5)):
        total = future_counts(share, 4, r, d, rng)[:, 0]
        assert total.var() / (4 * r * 0.16) == pytest.approx(d, rel=0.06)


def test_arguments_that_cannot_be(table):
    claim = {"P": "share(trust) > 0.1"}
    with pytest.raises(DataError, match="a design effect of 20 exceeds the 16 references"):
        interviews(claim, table, design_effect=20)
    with pytest.raises(DataError, match="does not say how many informants"):
        interviews(claim, {"a": {"trust": 3, "x": 4}})
    with pytest.raises(DataError, match="assurance is 1"):
        interviews(claim, table, assurance=1)
    with pytest.raises(DataError, match="most is 0"):
        interviews(claim, table, most=0)


def settled(row):
    """Whether a verdict is decisive; near a threshold, by the probability as it is."""
    p = row["probability"]
    likely = p >= 0.95 and row["bayes_factor"] >= 3
    return bool(likely or (p <= 0.05 and row["bayes_factor"] <= 1 / 3))


@pytest.mark.slow
@pytest.mark.parametrize("d", [1.0, 3.0])
def test_the_answer_is_calibrated(d):
    """Worlds from the prior: what the first table promises is how often the verdict then falls."""
    rng = np.random.default_rng(int(d))
    claim, m, each = {"P": "share(x) > share(y) + share(z)/2"}, 12, 10
    promised, fallen = [], []
    for world in range(400):
        theta = rng.dirichlet(np.ones(3))[None]
        first = future_counts(theta, 5, each, d, rng)[0]
        if not first.sum():
            continue
        start = count_model({"t": dict(zip("xyz", map(int, first), strict=True))}, informants=5)
        found = interviews(claim, start, design_effect=d, most=m, replicates=100, seed=world).table
        promised.append(found["decisive"].iloc[-1])
        later = first + future_counts(theta, m, each, d, rng)[0]
        whole = {"t": dict(zip("xyz", map(int, later), strict=True))}
        fit = fit_counts(whole, design_effect=d, seed=world)
        fallen.append(settled(assess(claim, fit).table.iloc[0]))
    gap = np.array(fallen, float) - np.array(promised)
    error = gap.std() / np.sqrt(len(gap))
    print(f"design effect {d}: promised {np.mean(promised):.3f}, fallen {np.mean(fallen):.3f}, "
          f"difference {gap.mean():.3f} ({error:.3f})")  # fmt: skip
    assert abs(gap.mean()) < 3 * error
    assert 0.3 < np.mean(promised) < 0.95
