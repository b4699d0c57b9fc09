"""Each relation by a second route: enumeration, simulation, or a closed form."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bayesem.publications.audit.fit import agfi_of, baseline_from_cfi, baseline_from_tli, rmsea_of
from bayesem.publications.audit.intervals import Interval, cut_off, rounded
from bayesem.publications.audit.matrices import impossible, possible_range
from bayesem.publications.audit.moments import grim, grimmer, largest_sd
from bayesem.publications.audit.paths import p_range, sobel_of
from bayesem.publications.audit.reliability import alpha_of, ave_of, composite_of, composite_range


@pytest.mark.parametrize("n", [3, 5, 6])
def test_grim_and_grimmer_know_every_sample_of_whole_answers(n):
    """All samples on a scale of 1 to 5: possible pairs of rounded mean and SD, and no others."""
    samples = np.array(list(combinations_with_replacement(range(1, 6), n)))
    means, sds = samples.mean(1), samples.std(1, ddof=1)
    digits = 2
    possible = {(round(m + 1e-12, digits), round(s + 1e-12, digits)) for m, s in zip(means, sds, strict=True)}  # fmt: skip
    for mean in sorted({m for m, _ in possible}):
        totals = grim(rounded(mean, digits).interval, n)
        assert len(totals) == 1
        for sd in np.round(np.arange(0, 2.4, 0.01), 2):
            says = any(grimmer(t, n, rounded(float(sd), digits).interval, (1, 5)) for t in totals)
            if (mean, float(sd)) in possible:
                assert says  # never a false alarm
    totals = [t for t in range(n, 5 * n + 1)]
    reachable = {round(t / n + 1e-12, digits) for t in totals}
    for mean in np.round(np.arange(1, 5.01, 0.01), 2):
        found = len(grim(rounded(float(mean), digits).interval, n)) > 0
        assert found == (float(mean) in reachable)


def test_grimmer_refuses_what_no_sample_has():
    """Share of impossible SDs that it refuses, n = 5: more than half, and no possible one."""
    samples = np.array(list(combinations_with_replacement(range(1, 6), 5)))
    possible = {(s.sum(), round(s.std(ddof=1), 2)) for s in samples}
    total, refused, wrong = 15, 0, 0
    for sd in np.round(np.arange(0, 2.2, 0.01), 2):
        says = grimmer(total, 5, rounded(float(sd), 2).interval, (1, 5))
        if (total, float(sd)) not in possible:
            wrong += 1
            refused += not says
    assert refused / wrong > 0.9


def test_the_largest_sd_is_that_of_answers_at_the_ends():
    ends = np.array([1, 1, 1, 7, 7, 7, 7])
    assert largest_sd(ends.mean(), 7, (1, 7)) == pytest.approx(ends.std(ddof=1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 0.99), min_size=2, max_size=7))
def test_composite_reliability_lies_in_the_range_of_its_ave(loadings):
    ave = ave_of(*loadings)
    range_ = composite_range(Interval(ave, ave), len(loadings))
    assert range_.low - 1e-9 <= composite_of(*loadings) <= range_.high + 1e-9


def test_reliability_by_the_covariances_of_items():
    own = np.array([0.76, 0.72, 0.77, 0.66, 0.72, 0.63])
    R = np.outer(own, own) + np.diag(1 - own**2)
    p = len(own)
    assert alpha_of(*own) == pytest.approx(p / (p - 1) * (1 - np.trace(R) / R.sum()))
    assert composite_of(*own) == pytest.approx(own.sum() ** 2 / R.sum())


def test_sobel_is_the_ratio_of_product_and_error():
    a, sa, b, sb = 0.416, 0.122, 0.303, 0.096
    z = a * b / np.sqrt(a**2 * sb**2 + b**2 * sa**2)
    assert sobel_of(a / sa, b / sb) == pytest.approx(z)
    assert sobel_of(a / sa, b / sb) < min(a / sa, b / sb)


def test_p_of_a_ratio():
    exact = p_range(Interval(2.417, 2.417), None)
    assert exact.low == pytest.approx(2 * stats.norm.sf(2.417))
    assert p_range(Interval(2.0, 2.0), 20.0).low == pytest.approx(2 * stats.t.sf(2.0, 20))
    assert p_range(Interval(-0.2, 0.1), None).high == 1


def test_indices_of_fit_against_their_definitions():
    """Baseline from TLI and CFI of made-up chi-squares come back."""
    chisq, df, base, df0, n, p = 206.834, 183, 1810.0, 210, 190, 21
    tli = (base / df0 - chisq / df) / (base / df0 - 1)
    cfi = 1 - (chisq - df) / (base - df0)
    assert baseline_from_tli(tli, chisq, df, df0) == pytest.approx(base)
    assert baseline_from_cfi(cfi, chisq, df, df0) == pytest.approx(base)
    assert rmsea_of(chisq, df, n - 1) == pytest.approx((23.834 / (183 * 189)) ** 0.5)
    assert agfi_of(0.913, df, p) == pytest.approx(1 - 231 / 183 * 0.087)


def test_rounding_never_makes_a_possible_matrix_impossible():
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        p = int(rng.integers(3, 8))
        A = rng.standard_normal((p, int(rng.integers(1, p + 1))))
        S = A @ A.T + 1e-9 * np.eye(p)  # singular ones among them
        R = np.round(S / np.sqrt(np.outer(np.diag(S), np.diag(S))), 2)
        half = 0.005 * (1 - np.eye(p))
        least, room = impossible(R, half)
        assert least + room >= -1e-9
    for _ in range(100):
        R = np.array([[1, 0.9, -0.6], [0.9, 1, 0.6], [-0.6, 0.6, 1]])
        least, room = impossible(R, 0.005 * (1 - np.eye(3)))
        refused += least + room < 0
    assert refused == 100


def test_the_range_of_a_correlation_ends_where_the_matrix_becomes_singular():
    R = np.array([[1, 0.5, 0.3], [0.5, 1, 0.7], [0.3, 0.7, 1]])
    found = possible_range(R, 2, 0)
    for end in (found.low, found.high):
        other = R.copy()
        other[0, 2] = other[2, 0] = end
        assert np.linalg.det(other) == pytest.approx(0, abs=1e-12)


def test_cut_off_numbers_are_told_from_wrong_ones():
    exact = Interval(100 * 53 / 190, 100 * 53 / 190)
    assert cut_off(rounded(27.8), exact)
    assert not cut_off(rounded(27.7), exact)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 5), st.floats(0.1, 9), st.integers(2, 3))
def test_honest_rounding_always_meets(se, ratio, digits):
    est = se * ratio
    a, b, c = (rounded(round(x, digits), digits).interval for x in (est, se, ratio))
    assert a.meets(b * c)
