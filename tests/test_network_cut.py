"""A part of the network with the rest cut is the sub-study: the same density, the same verdicts."""

from collections import Counter

import numpy as np
import pytest

import bayesem as sem
from bayesem.cutting import cut, part
from bayesem.kernels.pack import unconstrained
from bayesem.kernels.target import target_of
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior

ALLIANCE = ("RSC", "KSC", "NET", "EP")
STRATEGY = ("DC", "FIN", "REG", "NET", "INN", "ECO", "RIV", "LEG", "ACC", "INFO", "SPEED", "COMP",
            "EP", "exporting", "size")  # fmt: skip
FACILITATION = ("BRIDGE", "MED", "RSC", "NET")
WHOLE_FACILITATION = (*FACILITATION, "CAP", "DIS", "SHARED", "STAB", "prior_ties")
#: With paths of their own, beside the factors.
OBSERVED = ("size", "prior_ties", "exporting")
#: Small enough to be quick, and linear: companions, the alliance, and what follows from it.
SMALL = part("export_network", (*FACILITATION, "KSC", "EP", "INFO", "SPEED", "size"))


def lines(model: sem.Model) -> Counter:
    """Terms one by one, whatever line they stand on."""
    return Counter((s.lhs, s.op, s.term) for s in model.parsed.statements)


@pytest.mark.parametrize("side", [ALLIANCE, STRATEGY, FACILITATION, WHOLE_FACILITATION])
def test_a_cut_graph_is_its_two_sides_and_zeros(side: tuple[str, ...]) -> None:
    whole = sem.read_model("export_network")
    rest = tuple(v for v in (*whole.factors, *OBSERVED) if v not in side)
    both = lines(part(whole, side)) + lines(part(whole, rest))
    found = lines(cut(whole, side))
    assert both <= found
    assert all(op == "~~" and term.fixed == 0 for _, op, term in found - both)


def test_what_a_cut_refuses() -> None:
    with pytest.raises(sem.ModelError, match="`RSD` is no variable") as caught:
        cut("export_network", ("RSD",))
    assert "RSC" in caught.value.hint
    with pytest.raises(sem.ModelError, match="`b` measures factors on both sides"):
        cut("f =~ a + b + c; g =~ b + d + e", ("f",))


@pytest.mark.parametrize("side", [ALLIANCE, FACILITATION])
def test_with_the_rest_cut_the_posterior_is_the_sub_study_s(side: tuple[str, ...]) -> None:
    """Whatever the rest is, the log-posterior and its gradient in the part move as in the part."""
    data = sem.generate("export_network", 120, seed=4)
    whole, mine = (
        prepare(m, data, identify="unit", means=True).spec
        for m in (cut(SMALL, side), part(SMALL, side))
    )
    where = [whole.names.index(name) for name in mine.names]
    rng = np.random.default_rng(5)
    one, other = target_of(whole), target_of(mine)
    gaps = []
    base = unconstrained(whole, draw_prior(whole, 1, rng)[0])
    for x in draw_prior(mine, 3, rng):
        u = unconstrained(mine, x)
        v = base.copy()
        v[where] = u
        (f, df), (g, dg) = one.density(one.array, v), other.density(other.array, u)
        gaps.append(f - g)
        np.testing.assert_allclose(df[where], dg, rtol=1e-6, atol=1e-6 * np.abs(dg).max())
    assert np.ptp(gaps) < 1e-7 * np.abs(gaps).max()


@pytest.fixture(scope="module")
def alliance_fits() -> dict[str, sem.Fit]:
    """From covariances alone, as study A's own are: a third of the time, and the paths are all."""
    study = sem.read_model("alliance_mediation")
    cov = sem.generate("export_network", 250, seed=6)[list(study.observed)].cov()
    moments = sem.Moments(cov, 250, synthetic=True)
    more = {"identify": "unit", "draws": 500, "tune": 400, "chains": 4, "cores": 2, "seed": 1}
    return {
        "study": sem.fit(study, moments, progress=False, **more),
        "network": sem.fit(part("export_network", ALLIANCE), moments, progress=False, **more),
    }


def carried(study: str) -> sem.PropositionSet:
    """The network's propositions that stem from a study."""
    from dataclasses import replace

    every = sem.read_propositions("export_network")
    return replace(every, items=tuple(p for p in every if p.study == study), left=())


def test_the_alliance_s_verdicts_are_the_study_s(alliance_fits: dict[str, sem.Fit]) -> None:
    """Same data, same equations under other names: probabilities agree within Monte-Carlo error."""
    theirs = sem.assess("alliance_mediation", alliance_fits["study"]).table.set_index("name")
    mine = sem.assess(carried("alliance_mediation"), alliance_fits["network"]).table
    assert len(mine) == 9
    for row in mine.itertuples():
        other = theirs.loc[row.name]
        error = np.hypot(row.mcse, other["mcse"])
        assert abs(row.probability - other["probability"]) < 4 * error
        assert abs(row.prior_probability - other["prior_probability"]) < 0.03


def test_a_part_is_asked_what_it_can_answer(alliance_fits: dict[str, sem.Fit]) -> None:
    """Of all propositions those on the part; the others are named, with what they miss."""
    found = sem.assess("export_network", alliance_fits["network"])
    mine = sem.assess(carried("alliance_mediation"), alliance_fits["network"])
    assert found.table.equals(mine.table)
    said = next(note for note in found.notes if "has not what they name" in note)
    assert "P2 (w1, w2)" in said
    assert "whole_chain (g1)" in said
    apart = next(note for note in found.notes if "another model" in note)
    assert "whole_chain" not in apart
    assert "P1_benchmark" in apart
    with pytest.raises(sem.PropositionError, match="w1"):  # asked by name it is an error
        sem.assess({"P2": "w1 > 0"}, alliance_fits["network"])
    with pytest.raises(sem.PropositionError, match="d1"):  # no name of the study's is swallowed
        sem.assess("export_strategy", alliance_fits["network"])


@pytest.mark.slow
def test_with_the_rest_cut_verdicts_are_the_sub_study_s() -> None:
    data = sem.generate("export_network", 250, seed=7)
    more = {"identify": "unit", "draws": 1000, "tune": 500, "chains": 4, "cores": 2, "seed": 2}
    for side, study in ((ALLIANCE, "alliance_mediation"), (FACILITATION, "facilitated_alliance")):
        whole = sem.assess(carried(study), sem.fit(cut(SMALL, side), data, progress=False, **more))
        alone = sem.assess(carried(study), sem.fit(part(SMALL, side), data, progress=False, **more))
        for one, other in zip(whole.table.itertuples(), alone.table.itertuples(), strict=True):
            assert one.name == other.name
            assert abs(one.probability - other.probability) < 4 * np.hypot(one.mcse, other.mcse)
