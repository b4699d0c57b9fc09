"""K-fold: how units fall into folds, and what a fold's refit says of them."""

import kinds
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import bayesem as sem
from bayesem.comparison.folds import folds, kfold
from bayesem.comparison.leave_one_out import loo
from bayesem.distribution.engine import random_numbers
from bayesem.errors import DataError, NotAvailableError
from bayesem.refitting import refit


@pytest.fixture(scope="module")
def regression():
    """A regression of three observed variables: a refit takes half a second."""
    return sem.fit("y1 ~ x1 + size", kinds.data_of("complete"), draws=500, tune=300, seed=2,
                   progress=False)  # fmt: skip


@pytest.mark.parametrize(("size", "k"), [(10, 3), (200, 10), (7, 7)])
def test_folds_are_as_equal_as_can_be(size, k):
    fold = folds(size, k, seed=1)
    counts = np.bincount(fold, minlength=k)
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == size
    assert (folds(size, k, seed=1) == fold).all()
    if size > k:
        assert (folds(size, k, seed=2) != fold).any()


def test_strata_are_spread_evenly():
    strata = np.repeat(["a", "b", "c"], [51, 30, 19])
    fold = folds(100, 5, seed=1, strata=strata)
    for name in "abc":
        counts = np.bincount(fold[strata == name], minlength=5)
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("k", [1, 0, 11, 2.5, True])
def test_numbers_of_folds_that_will_not_do(k):
    with pytest.raises(DataError, match="k is"):
        folds(10, k, seed=0)


def test_a_fold_is_scored_by_a_fit_without_it(regression):
    """The same refit by hand and scipy's densities."""
    found = kfold(regression, k=3, seed=5, draws=100, workers=0)
    rows = np.flatnonzero(found.fold.to_numpy() == 1)
    seed = int(random_numbers(5, 1).generate_state(1)[0]) & 0x7FFFFFFF
    again = refit(regression, rows=np.setdiff1d(np.arange(200), rows), seed=seed, draws=100)
    M = again.matrices()
    names = list(again.table.indicators)
    at = names.index("size"), names.index("x1")
    y = regression.data.values[rows]
    given = multivariate_normal(M.mu[0, 0][list(at)], M.Sigma[0, 0][np.ix_(at, at)]).logpdf(
        y[:, at]
    )
    densities = np.stack([
        multivariate_normal(M.mu[c, d], M.Sigma[c, d]).logpdf(y) for c in range(4) for d in range(100)
    ])  # fmt: skip
    expected = np.log(np.exp(densities - given).mean(0))
    assert found.elpd_i.to_numpy()[rows] == pytest.approx(expected, abs=1e-8)
    assert found.elpd == pytest.approx(found.elpd_i.to_numpy().sum())
    assert found.n_folds == 3
    assert again.spec.parameters == regression.spec.parameters  # priors keep their scales


def test_many_folds_come_near_leave_one_out(regression):
    """Half of the data predict a little worse than all but one; the gap is p, not more."""
    ten, one = kfold(regression, k=10, seed=1, workers=0), loo(regression)
    paired = ten.elpd_i.to_numpy() - one.elpd_i.to_numpy()
    assert abs(paired.sum()) < 3 * np.sqrt(200) * paired.std() + 3 * np.hypot(ten.mcse, one.mcse)
    assert abs(paired.sum()) < 2
    assert ten.kind == "loo_kfold"
    assert "Computed from 10-fold cross validation" in str(ten)


def test_groups_stay_together(regression):
    """As many folds as groups is leave-one-group-out, whose weights agree."""
    label = np.arange(200) // 40
    found = kfold(regression, k=5, by=label, seed=1, workers=0)
    assert found.n_data_points == 5
    assert sorted(found.fold.to_numpy()) == [0, 1, 2, 3, 4]
    weighted = loo(regression, by=label, exact=False)
    gap = found.elpd_i.to_numpy() - weighted.elpd_i.to_numpy()
    error = np.hypot(found.mcse_i.to_numpy(), weighted.mcse_i.to_numpy())
    assert (np.abs(gap) < 3.5 * error).all()


def test_the_closed_form_of_a_regression(regression):
    """Student's t under flat priors, next to which the default ones are: fold by fold."""
    found = kfold(regression, k=2, seed=3, workers=0)
    names = regression.data.names
    data = regression.data.values[:, [names.index(v) for v in ("y1", "x1", "size")]]
    X = np.column_stack([np.ones(200), data[:, 1:]])
    from scipy.stats import t

    expected = np.empty(200)
    for j in (0, 1):
        out = found.fold.to_numpy() == j
        b, rss = np.linalg.lstsq(X[~out], data[~out, 0])[:2]
        inverse = np.linalg.inv(X[~out].T @ X[~out])
        wide = 1 + np.einsum("ij,jk,ik->i", X[out], inverse, X[out])
        sd = np.sqrt(rss[0] / ((~out).sum() - 3) * wide)
        expected[out] = t((~out).sum() - 3, X[out] @ b, sd).logpdf(data[out, 0])
    # the priors move the sum by a few hundredths; Monte-Carlo error comes on top
    assert abs(found.elpd - expected.sum()) < 3 * found.mcse + 0.1
    assert np.corrcoef(found.elpd_i, expected)[0, 1] > 0.999


@pytest.mark.slow
def test_workers_change_nothing(regression, tmp_path):
    alone = kfold(regression, k=4, seed=1, workers=0)
    shared = kfold(regression, k=4, seed=1, workers=2, store=tmp_path / "folds.zarr")
    resumed = kfold(regression, k=4, seed=1, workers=0, store=tmp_path / "folds.zarr")
    assert (alone.elpd_i.to_numpy() == shared.elpd_i.to_numpy()).all()
    assert (alone.elpd_i.to_numpy() == resumed.elpd_i.to_numpy()).all()
    with pytest.raises(DataError, match="is the store of another campaign"):
        kfold(regression, k=5, seed=1, workers=0, store=tmp_path / "folds.zarr")


def test_refusals(regression):
    with pytest.raises(NotAvailableError, match="this fit rests on moments"):
        kfold(kinds.fit_of("moments"))
    with pytest.raises(DataError, match="`by` and `stratify` cannot be combined"):
        kfold(regression, by=np.arange(200) // 2, stratify=np.arange(200) // 100)


def test_a_fold_that_cannot_be_fitted_is_named(regression, monkeypatch):
    from bayesem.comparison import left_out

    def fails(*_, rows, **__):
        raise DataError("nothing varies.") if rows[0] else AssertionError

    monkeypatch.setattr(left_out, "refit", fails)
    message = r"without fold \d the model could not be fitted \(no refit: "
    with pytest.raises(DataError, match=message):
        kfold(regression, k=10, by=np.arange(200) // 20, workers=0)


def test_mean_density_and_its_error():
    from bayesem.comparison.left_out import predictive_density

    rng = np.random.default_rng(0)
    values = norm.logpdf(0.3, rng.normal(0, 0.5, (1, 4, 2000)), 1.0)
    elpd, relative = predictive_density(values)
    error = relative.std() / np.sqrt(8000)
    assert abs(elpd[0] - norm.logpdf(0.3, 0, np.sqrt(1.25))) < 4 * error
    assert relative.mean() == pytest.approx(1)
