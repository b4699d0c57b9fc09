"""Against lavaan's maximum likelihood and blavaan's posterior."""

import numpy as np
import pytest
from texts import DEMOCRACY, HOLZINGER

from bayesem.decomposition import standardise, standardised_value
from bayesem.fitting import fit
from bayesem.kernels.pack import constrained
from bayesem.posterior import cell, reported_matrices
from bayesem.preparation import prepare
from bayesem.sampling.starts import maximum

CASES = {
    "a_HS_means": (HOLZINGER, "holzinger_data", "marker"),
    "a_HS_stdlv_means": (HOLZINGER, "holzinger_data", "unit"),
    "b_PD_means": (DEMOCRACY, "democracy_data", "marker"),
}


def _key(row, known):
    name = f"{row.lhs}{row.op}{row.rhs}"
    mirrored = f"{row.rhs}{row.op}{row.lhs}"
    return name if name in known else mirrored if mirrored in known else None


@pytest.mark.parametrize("case", CASES)
def test_flat_mode_is_lavaans_maximum(case, golden, request):
    """Posterior modes under flat priors, without Jacobians, equal lavaan's ML to 1e-4."""
    text, data, identify = CASES[case]
    spec = prepare(text, request.getfixturevalue(data), identify=identify, priors="flat").spec
    mode = maximum(spec, jacobian=False)
    found = reported_matrices(spec, constrained(spec, mode.u))
    ml, checked = golden[case]["ml"], 0
    for row in spec.table.rows:
        key = _key(row, ml)
        assert key is not None, row.name
        assert float(cell(found, row)) == pytest.approx(ml[key], abs=1e-4), row.name
        checked += row.free
    assert checked == len(spec.parameters)


@pytest.mark.parametrize("case", CASES)
def test_posterior_agrees_with_blavaan(case, golden, request):
    """Means and sds within 4 combined Monte-Carlo standard errors, raw and standardised."""
    text, data, identify = CASES[case]
    found = fit(
        text, request.getfixturevalue(data), identify=identify, priors="blavaan", draws=6000,
        seed=11, progress=False,
    )  # fmt: skip
    assert found.converged, found.convergence
    assert (
        found.draws["posterior"].sizes["draw"] * found.draws["posterior"].sizes["chain"] >= 20_000
    )
    matrices = found.matrices()
    reference = golden[case]
    _compare(found, lambda r: cell(matrices, r), reference["posterior"], None)
    std = standardise(matrices)
    _compare(
        found,
        lambda r: standardised_value(r, std),
        reference["standardised"],
        reference["posterior"],
    )


def _compare(found, read, reference, sizes):
    """|difference| / combined MCSE for each mean and sd; blavaan's ESS where it prints none."""
    from arviz_stats.base import array_stats

    smallest = min(v["ess"] for v in (sizes or reference).values())
    checked, missed = 0, []
    for row in found.table.rows:
        key = _key(row, reference)
        draws = np.asarray(read(row))
        if np.ptp(draws) < 1e-12:
            continue
        if key is None:
            missed.append(row.name)
            continue
        theirs = reference[key]
        known = (sizes or reference).get(key, {})
        theirs_ess = min(known.get("ess", smallest), known.get("ess_tail", smallest))
        ess = min(
            float(array_stats.ess(draws, method="mean")), float(array_stats.ess(draws, method="sd"))
        )
        mean_error = theirs["sd"] * np.sqrt(1 / ess + 1 / theirs_ess)
        gap = abs(draws.mean() - theirs["mean"]) / mean_error
        kurtosis = float(((draws - draws.mean()) ** 4).mean() / draws.var() ** 2)
        sd_error = theirs["sd"] * np.sqrt((kurtosis - 1) / 4 * (1 / ess + 1 / theirs_ess))
        gap_sd = abs(draws.std() - theirs["sd"]) / sd_error
        assert gap < 4, (row.name, draws.mean(), theirs["mean"], gap)
        assert gap_sd < 4, (row.name, draws.std(), theirs["sd"], gap_sd)
        checked += 1
    assert not missed
    assert checked >= len(found.spec.parameters)
