"""Correlation matrices with zeros: draws against plain rejection, masses against formulae."""

import math

import numpy as np
import pytest

import bayesem as sem
from bayesem import patterned
from bayesem.patterned import draw_patterned, log_patterned_mass
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior
from bayesem.spec import Block

FULL = [(0, 1, 0), (1, 2, 0), (2, 2, 1), (3, 3, 0), (4, 3, 1), (5, 3, 2)]
NESTED = [(0, 2, 0), (1, 3, 1), (2, 2, 1), (3, 3, 2), (4, 3, 0)]
CIRCLE = [(0, 1, 0), (1, 2, 1), (2, 3, 2), (3, 3, 0)]


def rejected(members, order, eta, size, rng):
    """The slow way: points of the cube, kept where positive definite, by the density."""
    r = rng.uniform(-1, 1, (size, len(members)))
    R = np.broadcast_to(np.eye(order), (size, order, order)).copy()
    for a, (_, i, j) in enumerate(members):
        R[:, i, j] = R[:, j, i] = r[:, a]
    density = np.where(np.linalg.eigvalsh(R)[:, 0] > 0, np.abs(np.linalg.det(R)), 0.0)
    density = np.where(density > 0, density ** (eta - 1), 0.0)
    return r[rng.uniform(size=size) < density], density.mean()


@pytest.mark.parametrize("members", [FULL, NESTED, CIRCLE], ids=["full", "nested", "circle"])
@pytest.mark.parametrize("eta", [1, 2])
def test_draws_have_the_distribution_that_rejection_gives(members, eta):
    rng = np.random.default_rng(1)
    slow, share = rejected(members, 4, eta, 200_000, rng)
    fast = draw_patterned(members, 4, eta, 20_000, rng)
    for moment in (lambda r: r**2, lambda r: r**4, lambda r: (r[:, :1] * r) ** 2):
        one, other = moment(slow), moment(fast)
        error = np.sqrt(one.var(0) / len(one) + other.var(0) / len(other))
        assert (np.abs(one.mean(0) - other.mean(0)) < 4.5 * error).all()
    mass, error = log_patterned_mass(members, 4, eta, 20_000, rng)
    cube = math.log(share) + len(members) * math.log(2)
    assert abs(mass - cube) < 4 * math.hypot(error, 1 / math.sqrt(share * 200_000)) + 1e-3


@pytest.mark.parametrize("order", [3, 6])
def test_the_mass_of_a_full_block_is_the_known_one(order):
    members = [(k, i, j) for k, (i, j) in enumerate((i, j) for i in range(order) for j in range(i))]
    block = Block("Psi", tuple(range(order)), 1.5, tuple(members), full=True)
    mass, error = log_patterned_mass(members, order, 1.5, 100, np.random.default_rng(0))
    assert mass == pytest.approx(block.log_normaliser, rel=1e-12)
    assert error == 0


def test_marginals_of_a_full_block_are_those_of_lkj():
    members = [(k, i, j) for k, (i, j) in enumerate((i, j) for i in range(7) for j in range(i))]
    r = draw_patterned(members, 7, 1.0, 20_000, np.random.default_rng(2))
    assert np.abs((r**2).mean(0) - 1 / 8).max() < 0.006  # variance 1 / (order + 1)


def test_the_networks_prior_can_be_drawn():
    """Thirteen factors, sixty-four correlations: next to no point of the cube is admissible."""
    data = sem.generate("export_network", 100, seed=1)
    spec = prepare("export_network", data, identify="unit").spec
    block = max(spec.blocks, key=lambda b: len(b.nodes))
    assert len(block.nodes) == 13
    assert not block.full
    x = draw_prior(spec, 500, np.random.default_rng(3))
    Psi = spec.matrices(x).Psi
    assert x.shape == (500, len(spec.parameters))
    assert np.linalg.eigvalsh(Psi)[:, 0].min() > 0
    names = {spec.table.factors[k] for k in block.nodes}
    assert names == {
        "BRIDGE", "MED", "DIS", "SHARED", "RSC", "KSC", "NET", "DC", "FIN", "REG", "INN", "ECO",
        "RIV",
    }  # fmt: skip


def test_a_pattern_of_which_nothing_is_kept_is_given_up_early(monkeypatch):
    asked = []

    def propose(rows, size, rng):
        asked.append(size)
        return np.broadcast_to(np.eye(2), (size, 2, 2)), np.full(size, kept)

    monkeypatch.setattr(patterned, "_propose", propose)
    kept = 0.0
    assert np.isnan(draw_patterned([(0, 1, 0)], 2, 1.0, 5, np.random.default_rng(0))).all()
    assert len(asked) == patterned.IN_VAIN
    asked.clear()
    kept = 1e-3  # some are: on to the last that was asked for
    assert not np.isnan(draw_patterned([(0, 1, 0)], 2, 1.0, 5, np.random.default_rng(0))).any()
