"""Which way a casewise likelihood is integrated: by counts of what is there, never by the clock."""

import time

import pytest
from independent.single import single_interaction

from bayesem.preparation import prepare
from bayesem.sampling.forms import COVER, QUADRATURE, choose, gradient_cost

MODEL = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + w*X:Z\n"


@pytest.mark.parametrize(("n", "form"), [(100, COVER), (2000, QUADRATURE)])
def test_few_cases_have_their_scores_sampled_and_many_are_integrated(n, form, monkeypatch):
    def clock():
        raise AssertionError("a clock was read")

    spec = prepare(MODEL, single_interaction(n, seed=1)[0]).spec
    monkeypatch.setattr(time, "perf_counter", clock)
    chosen = choose(spec)
    q = len(spec.parameters)
    assert chosen.target.scores == (n if form == COVER else 0)
    ratio = gradient_cost(3) * (q / (q + n)) ** 0.25
    assert (ratio > 1) == (form == COVER)
    other = f"quadrature {ratio:.1f}" if form == COVER else f"cover {1 / ratio:.1f}"
    assert f"expected cost of the other way: {other} times" in chosen.notes[0]
