"""How often the rule is right: 200,000 simulated samples against integrals.

Posteriors are normal: an estimate with standard error .085 (n = 190), prior N(0, .5). The rule is a
pure function of probabilities, so all samples are judged at once. Every rate is known a second way,
by a normal integral over the estimates that lead to the verdict, and printed as rounded from it. A
simulated rate must lie within four binomial standard errors of the integral.
"""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from bayesem.decision import Evidence, attainable_null, bayes_factor, judge
from bayesem.propositions import Rule

SAMPLES = 200_000
PRIOR_SD = 0.5
PROB = 0.95
RULE = Rule()
rng = np.random.default_rng(190)


class Path:
    """Posteriors of one path over repeated samples, and the distribution of their means."""

    def __init__(self, truth, se=0.085):
        precision = 1 / se**2 + 1 / PRIOR_SD**2
        shrink = 1 / se**2 / precision
        self.sd = precision**-0.5
        self.centre, self.spread = truth * shrink, se * shrink
        self.mean = rng.normal(self.centre, self.spread, SAMPLES)

    # what one sample's posterior says

    def above(self, value=0.0):
        return ndtr((self.mean - value) / self.sd)

    def inside(self, width=0.1):
        return ndtr((width - self.mean) / self.sd) - ndtr((-width - self.mean) / self.sd)

    def positive(self):
        return comparison(self.above(), 0.5, self.inside())

    def null(self):
        prior = 2 * ndtr(0.1 / PRIOR_SD) - 1
        return Evidence("null", self.inside(), np.full(SAMPLES, prior))

    # the same rates over repeated samples, by integration

    def rate_above(self, prob=PROB, value=0.0):
        """Share of samples with Pr(theta > value) >= prob."""
        return ndtr((self.centre - value - ndtri(prob) * self.sd) / self.spread)

    def rate_below(self, prob=PROB):
        """Share of samples with Pr(theta > 0) <= 1 - prob."""
        return ndtr((-self.centre - ndtri(prob) * self.sd) / self.spread)

    def rate_mass(self, mass, width=0.1):
        """Share of samples with at least this mass inside the rope: a band of means around 0."""

        def excess(mean):
            return ndtr((width - mean) / self.sd) - ndtr((-width - mean) / self.sd) - mass

        if excess(0.0) <= 0:
            return 0.0
        edge = brentq(excess, 0.0, 2.0)
        ends = np.array([edge, -edge])
        upper, lower = ndtr((ends - self.centre) / self.spread)
        return upper - lower


def rate_joint(paths, prob=PROB):
    """Share of samples in which independent paths are all positive with at least this prob."""
    t = np.linspace(prob, 1, 1201)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    reached = (t <= 1).astype(float)  # an empty product is 1
    for path in paths:
        # only means with Pr(theta > 0) above prob matter: from that edge to far out
        low, high = ndtri(prob) * path.sd, path.centre + 9 * path.spread + 9 * path.sd
        means = low + (high - low) * (nodes + 1) / 2
        density = np.exp(-0.5 * ((means - path.centre) / path.spread) ** 2)
        density *= weights * (high - low) / 2 / (path.spread * np.sqrt(2 * np.pi))
        left = t[:, None] / ndtr(means / path.sd)
        reached = (np.interp(left, t, reached, right=0.0) * density).sum(1)
    return reached[0]


def comparison(probability, prior, rope_mass):
    return Evidence("comparison", probability, np.full(SAMPLES, prior), rope_mass=rope_mass)


def all_of(*parts):
    joint = np.prod([part.probability for part in parts], axis=0)
    prior = np.prod([part.prior for part in parts], axis=0)
    return Evidence("all", joint, prior, parts=parts)


def some(rates):
    return 1 - np.prod([1 - rate for rate in rates])


def check(evidence, verdict, exact, printed, rule=RULE):
    """Simulated within four binomial errors of the integral, and the integral rounds as printed."""
    found = (judge(evidence, rule) == verdict).mean()
    error = np.sqrt(exact * (1 - exact) / SAMPLES)
    assert abs(found - exact) <= 4 * error + 1 / SAMPLES, (float(found), float(exact))
    digits = len(printed.partition(".")[2])
    assert f"{exact:.{digits}f}".lstrip("0") == printed, float(exact)


@pytest.mark.parametrize(
    ("truth", "supported", "refuted", "undecided"),
    [
        (0.0, ".048", ".048", ".905"),
        (0.1, ".31", ".002", ".69"),
        (0.2, ".75", ".000", ".25"),
        (0.3, ".97", ".000", ".03"),
    ],
)
def test_direction_of_one_path(truth, supported, refuted, undecided):
    path = Path(truth)
    up, down = path.rate_above(), path.rate_below()
    check(path.positive(), "supported", up, supported)
    check(path.positive(), "refuted", down, refuted)
    check(path.positive(), "undecided", 1 - up - down, undecided)
    verdicts = judge(path.positive(), RULE)
    assert not np.isin(verdicts, ["practically null", "withheld"]).any()


def test_null_is_out_of_reach_at_this_n():
    path = Path(0.0)
    limit = attainable_null(path.sd, 0.1)
    assert limit == pytest.approx(0.767, abs=5e-4)
    assert limit - 1e-6 < path.inside().max() <= limit


@pytest.mark.parametrize(
    ("truth", "printed"), [(0.0, ".023"), (0.1, ".21"), (0.2, ".64"), (0.3, ".94")]
)
def test_a_stricter_threshold(truth, printed):
    path = Path(truth)
    exact = path.rate_above(0.975)
    check(path.positive(), "supported", exact, printed, Rule(prob=0.975))


@pytest.mark.parametrize(
    ("truth", "printed"), [(0.0, ".002"), (0.1, ".04"), (0.2, ".30"), (0.3, ".74")]
)
def test_more_than_the_rope(truth, printed):
    path = Path(truth)
    evidence = comparison(path.above(0.1), 1 - ndtr(0.1 / PRIOR_SD), np.zeros(SAMPLES))
    check(evidence, "supported", path.rate_above(value=0.1), printed)


@pytest.mark.parametrize(
    ("truth", "supported", "refuted"),
    [(0.0, ".001", ".093"), (0.1, ".07", ".004"), (0.2, ".53", ".000"), (0.3, ".93", ".000")],
)
def test_mediation(truth, supported, refuted):
    paths = Path(truth, 0.08), Path(truth, 0.09)
    evidence = all_of(*(path.positive() for path in paths))
    check(evidence, "supported", rate_joint(paths), supported)
    check(evidence, "refuted", some(path.rate_below() for path in paths), refuted)


@pytest.mark.parametrize(
    ("truth", "printed"), [(0.0, ".00"), (0.1, ".04"), (0.2, ".30"), (0.3, ".74")]
)
def test_only_through(truth, printed):
    """Never supported, because its null part cannot be; refuted as the direct path grows."""
    paths, direct = (Path(0.3, 0.08), Path(0.3, 0.09)), Path(truth)
    evidence = all_of(*(path.positive() for path in paths), direct.null())
    assert not (judge(evidence, RULE) == "supported").any()
    out = 1 - direct.rate_mass(1 - PROB)  # Pr(|theta| < .1) at most .05, where the factor is < 1/3
    check(evidence, "refuted", some([out, *(path.rate_below() for path in paths)]), printed)


@pytest.mark.parametrize(
    ("truth", "supported", "refuted"),
    [(0.0, ".00", ".22"), (0.1, ".00", ".01"), (0.2, ".13", ".00"), (0.3, ".82", ".00")],
)
def test_five_claims_together(truth, supported, refuted):
    paths = [Path(truth) for _ in range(5)]
    evidence = all_of(*(path.positive() for path in paths))
    check(evidence, "supported", rate_joint(paths), supported)
    check(evidence, "refuted", some(path.rate_below() for path in paths), refuted)


@pytest.mark.parametrize(
    ("n", "printed"), [(500, ".06"), (560, ".28"), (1000, ".74"), (1200, ".84"), (2000, ".98")]
)
def test_null_verdicts_need_large_samples(n, printed):
    path = Path(0.0, 0.083 * np.sqrt(190 / n))
    exact = path.rate_mass(PROB)
    check(path.null(), "supported", exact, printed)
    check(path.positive(), "practically null", exact, printed)


def test_the_edge_of_the_rope_is_not_null():
    path = Path(0.1, 0.083 * np.sqrt(190 / 2000))
    exact = path.rate_mass(PROB)  # nearly all of it where Pr(theta > 0) >= .95 too: null precedes
    check(path.positive(), "practically null", exact, ".05")
    check(path.positive(), "supported", 1 - exact, ".95")


@pytest.mark.parametrize(("prob", "printed"), [(0.95, ".44"), (0.975, ".25"), (0.99, ".10")])
def test_some_false_support_among_twelve(prob, printed):
    exact = some([Path(0.0).rate_above(prob)] * 12)
    seen = np.zeros(SAMPLES, bool)
    for _ in range(12):
        seen |= judge(Path(0.0).positive(), Rule(prob=prob)) == "supported"
    assert abs(seen.mean() - exact) <= 4 * np.sqrt(exact * (1 - exact) / SAMPLES)
    assert f"{exact:.2f}".lstrip("0") == printed


def test_five_coin_flips_are_not_refuted():
    coin = Evidence("comparison", np.array(0.5), np.array(0.5))
    evidence = Evidence("all", np.array(0.5**5), np.array(0.5**5), parts=(coin,) * 5)
    assert judge(evidence, RULE) == "undecided"


def test_the_factor_alone_would_support_too_much():
    """With a direct path of .2, `only through` has a factor of 3 in half of all samples."""
    parts = Path(0.3, 0.08).positive(), Path(0.3, 0.09).positive(), Path(0.2).null()
    evidence = all_of(*parts)
    assert (bayes_factor(evidence).value >= 3).mean() == pytest.approx(0.5375, abs=0.0063)
    assert not (judge(evidence, RULE) == "supported").any()
