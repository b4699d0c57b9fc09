"""Simulation-based calibration: draw parameters from the prior, data from them, and fit.

If prior, likelihood, gradient and sampler agree, the rank of the true value among the posterior's
draws is uniform, for every quantity. Nothing else is assumed, so nothing else has to be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from bayesem.arrays import Floats, Ints, spaced
from bayesem.campaigns.replicas import (
    check_counts,
    chosen_seed,
    data_at,
    form_of,
    posterior_of,
    target_for,
    warm_up,
    with_holes,
)
from bayesem.campaigns.uniformity import rank_p_values
from bayesem.data import Moments
from bayesem.distribution import Replicates, run_campaign
from bayesem.errors import DataError, ModelError, NotAvailableError, SamplingError
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import pack, unconstrained
from bayesem.model import Model, read_model
from bayesem.pointwise import case_log_likelihood
from bayesem.posterior import in_home_units, named_draws, on_real_line
from bayesem.preparation import Prepared, fingerprint, prepare
from bayesem.priordraws import draw_prior
from bayesem.sampling.convergence import Thresholds
from bayesem.simulation import simulate
from bayesem.spec import Spec

__all__ = ["Calibration", "calibrate"]

LIKELIHOOD: Final = "log-likelihood"
#: Replicates whose gradient is compared with differences, and the error that counts as wrong.
GRADIENTS: Final = 20
GRADIENT: Final = 1e-3
COLUMNS: Final = ["quantity", "label", "mean_rank", "ecdf_p", "chi2_p", "coverage_50",
                  "coverage_90", "z_mean", "z_sd", "shrinkage", "uniform"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Whether a model's fits are calibrated.

    Attributes
    ----------
    table : DataFrame
        A row per quantity: ``quantity label mean_rank ecdf_p chi2_p coverage_50 coverage_90 z_mean
        z_sd shrinkage uniform``. ``mean_rank`` is over the highest, .5 if calibrated; ``ecdf_p`` of
        the simultaneous test of the ranks' distribution; ``coverage`` the share of truths in the
        central interval; ``z`` the posterior mean's distance from the truth in posterior sds;
        ``shrinkage`` how much of the prior's variance the data took away (middle half of the truths
        against the median posterior); ``uniform`` whether ``ecdf_p`` is at least ``alpha`` over the
        number of quantities.
    ok : bool
        Whether all quantities are uniform, and the gradient is right.
    alpha : float
        Probability of at least one alarm although all is well, at most.
    ranks : (replicate, quantity) array
        From 0 to ``highest``, of the replicates that count.
    highest : int
    replicates : int
        Those that count: done and converged.
    not_converged : int
        Replicates left out because their chains did not converge. As far as that depends on the
        data alone it does not disturb the ranks' distribution; with short chains it is also chance,
        and the share, which stands in ``notes``, should be small.
    gradient : float
        Largest error of the sampler's gradient against differences of its log-density, relative, at
        the truths of the first replicates. Ranks cannot show such an error: the sampler's
        acceptance corrects for a wrong direction, and only slows down.
    failures : DataFrame
        ``replicate seed error``.
    campaign : Replicates
        Everything by replicate.
    notes : tuple of str
    """

    table: pd.DataFrame
    ok: bool
    alpha: float
    ranks: Ints
    highest: int
    replicates: int
    not_converged: int
    gradient: float
    failures: pd.DataFrame
    campaign: Replicates
    notes: tuple[str, ...] = ()

    @property
    def right_gradient(self) -> bool:
        """Whether no error of the gradient was seen."""
        return not self.gradient >= GRADIENT

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from bayesem.campaigns.pages import calibration_page

        return calibration_page(self)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What every replicate of a calibration shares.

    ``origin`` is what truths are drawn from; it is the fitted specification unless a wrong one is
    to be caught.
    """

    ready: Prepared
    origin: Spec
    draws: int
    tune: int
    chains: int
    highest: int
    form: str
    names: tuple[str, ...] = field(default=())


def calibrate(
    model: Model | str,
    data: pd.DataFrame | Moments | int,
    *,
    replicates: int = 200,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    families: Mapping[str, Any] | None = None,
    priors: str | Mapping[str, Any] | None = None,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    missing: float = 0.0,
    highest: int = 99,
    alpha: float = 0.01,
    seed: int | None = None,
    store: str | Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Any = True,
) -> Calibration:
    """Check a model's whole procedure on data drawn from its own prior.

    Parameters
    ----------
    model : Model or str
    data : DataFrame, Moments or int
        Data like those to be fitted: they say how many cases there are, which cells are missing,
        what the observed predictors are, until when times are watched, and how wide the default
        priors are; these widths are held in every replicate. Or a number of cases, drawn at the
        declared values (see :func:`bayesem.simulate`).
    replicates : int
        500 find a mean rank that is off by .04 of its range; 100 find gross errors only.
    draws, tune, chains : int
        Of each fit, which counts where no transition diverged, R-hat is at most 1.03 and both ESS
        at least twice ``highest``. The defaults are those of :func:`bayesem.fit`: what is checked
        is the procedure as it is used, and with shorter chains many fits would not count.
    families, priors, identify, means, fixed_x
        As in :func:`bayesem.fit`. Priors must be proper. Very wide ones draw parameters at which
        the data are absurd and the sampler fails: that says little on the fits that matter.
    missing : float
        Share of cells to empty at random, where ``data`` is a number of cases.
    highest : int
        Draws that a truth is ranked among: so many are taken at even distances from the chains,
        so that they are nearly independent.
    alpha : float
        Probability of an alarm, over all quantities together, although all is well.
    seed, store, scheduler, workers, progress
        As in :func:`bayesem.distribution.run_campaign`: results are the same on any number of
        workers, and a run with a ``store`` that was stopped goes on where it was.

    Returns
    -------
    Calibration

    Raises
    ------
    PriorError
        If a prior is improper or outside the built-in families.
    SamplingError
        If no replicate came to an end.
    DataError, NotAvailableError
        See :func:`bayesem.distribution.run_campaign`.

    References
    ----------
    .. [1] Talts, Betancourt, Simpson, Vehtari & Gelman (2018), Validating Bayesian inference
       algorithms with simulation-based calibration. https://arxiv.org/abs/1804.06788
    .. [2] Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman & Vehtari (2025),
       Simulation-based calibration checking for Bayesian computation: the choice of test
       quantities shapes sensitivity. *Bayesian Analysis* 20. https://doi.org/10.1214/23-BA1404
    """
    check_counts(replicates=(replicates, 1), draws=(draws, 4), tune=(tune, 1), chains=(chains, 2),
                 highest=(highest, 9))  # fmt: skip
    if highest + 1 > draws * chains:
        raise DataError(
            f"highest is {highest}, and a fit has {draws * chains} draws.",
            hint="Use fewer ranks than draws.",
        )
    _check_share("alpha", alpha, 0, 1)
    seed = chosen_seed(seed, store)
    model = model if isinstance(model, Model) else read_model(model)
    template = _template(model, data, missing, families, identify, seed)
    ready = prepare(
        model, template, identify=identify, means=means, fixed_x=fixed_x, priors=priors,
        families=families,
    )  # fmt: skip
    task = task_of(ready, draws=draws, tune=tune, chains=chains, highest=highest)
    return run(
        task, replicates, alpha=alpha, seed=seed, store=store, scheduler=scheduler,
        workers=workers, progress=progress,
    )  # fmt: skip


def task_of(
    ready: Prepared, *, draws: int, tune: int, chains: int, highest: int, origin: Spec | None = None
) -> Task:
    """A calibration of a prepared model; truths come from ``origin``, by default its own prior."""
    task = Task(ready, origin or ready.spec, draws, tune, chains, highest, form_of(ready))
    x = draw_prior(task.origin, 1, np.random.default_rng(0))
    names = [name for name, _ in _quantities(task, ready.spec, x, _real(ready.spec, x))]
    return Task(ready, task.origin, draws, tune, chains, highest, task.form, tuple(names))


def run(
    task: Task,
    replicates: int,
    *,
    alpha: float,
    seed: int,
    store: str | Path | None,
    scheduler: str | None,
    workers: int | None,
    progress: Any,
) -> Calibration:
    """Run a calibration's replicates and judge them."""
    size = len(task.names)
    about = {
        "campaign": "calibrate", **fingerprint(task.ready), "draws": task.draws,
        "tune": task.tune, "chains": task.chains, "highest": task.highest,
        "quantities": list(task.names), "integrate": task.form,
    }  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("rank", "truth", "mean", "sd"), (size,))
    shapes |= dict.fromkeys(("converged", "r_hat", "ess", "divergences", "gradient"), ())
    campaign = run_campaign(
        replicate_of, task, replicates, shapes=shapes, about=about, seed=seed, store=store,
        scheduler=scheduler, workers=workers, warm=partial(warm_up, task.ready, task.form),
        progress=progress, what="calibration",
    )  # fmt: skip
    return judged(task, campaign, alpha)


def sound(highest: int) -> Thresholds:
    """What chains must pass, so that ``highest`` of their draws are nearly independent.

    Less than for a fit that is read off: nothing is estimated to two digits here.
    """
    return Thresholds(r_hat=1.03, ess=2.0 * highest)


# -- one replicate -------------------------------------------------------------------------


def replicate_of(task: Task, number: int, seed: np.random.SeedSequence) -> dict[str, Any]:
    """Truth, data, fit, and where the truth stands among the draws."""
    rng = np.random.default_rng(seed)
    truth = draw_prior(task.origin, 1, rng)
    data = data_at(task.ready, truth[0], rng)
    fit = posterior_of(
        task.ready, data, draws=task.draws, tune=task.tune, chains=task.chains,
        seed=int(rng.integers(2**31)), form=task.form, thresholds=sound(task.highest),
    )  # fmt: skip
    u, x = (a.reshape(-1, a.shape[-1]) for a in (on_real_line(fit), in_home_units(fit)))
    at = spaced(len(x), task.highest)
    point = _real(fit.spec, truth)
    known = _quantities(task, fit.spec, truth, point)
    drawn = dict(_quantities(task, fit.spec, x[at], u[at]))
    every = dict(_quantities(task, fit.spec, x, u, likelihood=False))
    every[LIKELIHOOD] = drawn.get(LIKELIHOOD, np.zeros(1))
    table, statistics = fit.convergence.table, fit.draws["sample_stats"]
    return {
        "rank": [int((drawn[name] < value[0]).sum()) for name, value in known],
        "truth": [value[0] for _, value in known],
        "mean": [every[name].mean() for name, _ in known],
        "sd": [every[name].std(ddof=1) for name, _ in known],
        "converged": fit.converged,
        "r_hat": table["r_hat"].max(),
        "ess": min(table["ess_bulk"].min(), table["ess_tail"].min()),
        "divergences": float(statistics["diverging"].sum()),
        "gradient": gradient_error(fit.spec, task.form, point[0]) if number < GRADIENTS else np.nan,
    }


def gradient_error(spec: Spec, form: str, u: Floats) -> float:
    """The gradient along a random direction, against a central difference of the log-density.

    Parameters
    ----------
    spec : Spec
    form : str
    u : (q,) array
        On the real line.

    Returns
    -------
    float
        Over the gradient's length, or 1 where that is shorter. Missing where the sampler works on a
        compiled graph, whose gradient is PyTensor's own.
    """
    if not spec.builtin:
        return float("nan")
    target = target_for(spec, form)
    rng = np.random.default_rng(0)
    at = np.concatenate([u, rng.standard_normal(target.size - len(u))])
    way = rng.standard_normal(target.size)
    way /= np.linalg.norm(way)
    _, gradient = target.density(target.array, at)
    high, low = (target.density(target.array, at + step * way)[0] for step in (1e-5, -1e-5))
    gap = abs(gradient @ way - (high - low) / 2e-5)
    return float(gap / max(float(np.linalg.norm(gradient)), 1.0))


def _real(spec: Spec, x: Floats) -> Floats:
    """Points on the real line, (draw, q)."""
    return np.stack([unconstrained(spec, row) for row in x])


def _quantities(
    task: Task, spec: Spec, x: Floats, u: Floats, *, likelihood: bool = True
) -> list[tuple[str, Floats]]:
    """Every quantity at some points, (draw,): parameters, labels of several, and what is defined.

    A label that stands on one row is that row.
    """
    out: list[tuple[str, Floats]] = []
    for name, array in named_draws(spec, x[None]).items():
        values = array.to_numpy()[0]
        if values.ndim == 2:
            coordinates = array[array.dims[-1]].to_numpy()
            out += [(str(c), values[:, k]) for k, c in enumerate(coordinates)]
        elif name not in _single(task.ready):
            out.append((str(name), values))
    if likelihood:
        found = _log_likelihood(spec, task.ready, x, u)
        out += [] if found is None else [(LIKELIHOOD, found)]
    return out


def _single(ready: Prepared) -> dict[str, str]:
    """Labels of exactly one row that is shown as it is, with the row's name."""
    return {
        label: rows[0].name
        for label, rows in ready.table.labels.items()
        if len(rows) == 1 and rows[0].op in ("=~", "~", "~1")
    }


def _log_likelihood(spec: Spec, ready: Prepared, x: Floats, u: Floats) -> Floats | None:
    """Of all data together; None where it has no closed form or exact quadrature."""
    if spec.cases is None:
        array = pack(spec, jacobian=False)
        return np.asarray(log_posteriors(array, u, True) - log_posteriors(array, u, False))
    try:
        return case_log_likelihood(spec, spec.cases, u, x).sum(1)
    except NotAvailableError:
        return None


# -- all replicates ------------------------------------------------------------------------


def judged(task: Task, campaign: Replicates, alpha: float) -> Calibration:
    """What the replicates say together."""
    values = campaign.values
    good = campaign.done & (values["converged"] == 1)
    if not good.any():
        first = "" if campaign.failures.empty else f" The first: {campaign.failures['error'][0]}"
        raise SamplingError(
            f"none of {campaign.total} replicates came to a posterior that converged.{first}",
            hint="Try more tuning, or narrower priors.",
        )
    ranks = values["rank"][good].astype(np.int64)
    table = _table(task, ranks, *(values[k][good] for k in ("truth", "mean", "sd")))
    table["uniform"] = table["ecdf_p"] >= alpha / len(table)
    missed = int((campaign.done & (values["converged"] != 1)).sum())
    gradient = float(np.nanmax([0.0, *values["gradient"][campaign.done]]))
    ok = bool(table["uniform"].all()) and gradient < GRADIENT
    return Calibration(
        table[COLUMNS], ok, alpha, ranks, task.highest, int(good.sum()), missed, gradient,
        campaign.failures, campaign, tuple(_notes(task, campaign, missed)),
    )  # fmt: skip


def _table(task: Task, ranks: Ints, truth: Floats, mean: Floats, sd: Floats) -> pd.DataFrame:
    labels = {row: label for label, row in _single(task.ready).items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (mean - truth) / sd
    spread = stats.iqr(truth, axis=0) / stats.iqr(stats.norm.ppf(np.linspace(0.001, 0.999, 999)))
    out = pd.DataFrame(
        {
            "quantity": task.names,
            "label": [labels.get(name, "") for name in task.names],
            "mean_rank": ranks.mean(0) / task.highest,
            "ecdf_p": rank_p_values(ranks, task.highest),
            "chi2_p": _chi_square(ranks, task.highest),
            "coverage_50": _coverage(ranks, task.highest, 0.5),
            "coverage_90": _coverage(ranks, task.highest, 0.9),
            "z_mean": z.mean(0),
            "z_sd": z.std(0, ddof=1) if len(z) > 1 else np.nan,
            "shrinkage": 1 - (np.median(sd, 0) / spread) ** 2,
        }
    )
    # of the log-likelihood the prior depends on the data, and its posterior is not symmetric
    out.loc[out["quantity"] == LIKELIHOOD, ["z_mean", "z_sd", "shrinkage"]] = np.nan
    return out


def _coverage(ranks: Ints, highest: int, mass: float) -> Floats:
    """Share of truths in the central interval between two of the draws that truths rank among.

    Of ranks 0 to 99, an interval of exactly the wanted probability leaves as many out on both
    sides; where none has it, ranks at its ends count in part.
    """
    tail = (1 - mass) / 2 * (highest + 1)
    depth = np.minimum(ranks, highest - ranks)
    return np.asarray(np.clip(depth + 1 - tail, 0, 1).mean(0))


def _chi_square(ranks: Ints, highest: int) -> Floats:
    """P-values of the ordinary test on cells of equal width, at least five expected in each."""
    options = [k for k in range(2, 21) if (highest + 1) % k == 0 and len(ranks) / k >= 5]
    if not options:
        return np.full(ranks.shape[1], np.nan)
    cells = options[-1]
    cell = ranks * cells // (highest + 1)
    counts = (cell[..., None] == np.arange(cells)).sum(0)
    return np.asarray(stats.chisquare(counts, axis=-1).pvalue)


def _notes(task: Task, campaign: Replicates, missed: int) -> list[str]:
    notes = [f"truths come from the prior: {task.ready.settings.priors}; its scales are held"]
    if campaign.interrupted:
        notes.append("stopped before the end; what was done until then is judged")
    if missed:
        share = missed / campaign.total
        notes.append(f"{missed} replicates ({share:.1%}) did not converge and do not count")
    if len(campaign.failures):
        share = len(campaign.failures) / campaign.total
        notes.append(f"{len(campaign.failures)} replicates ({share:.1%}) failed")
    return notes


# -- what is fitted ------------------------------------------------------------------------


def _template(
    model: Model,
    data: Any,
    missing: float,
    families: Mapping[str, Any] | None,
    identify: str,
    seed: int,
) -> pd.DataFrame | Moments:
    _check_share("missing", missing, 0, 0.9)
    if not isinstance(data, int | np.integer) or isinstance(data, bool):
        if missing:
            raise ModelError(
                "missing cells are those of the data that were given.",
                hint="Leave `missing` out, or give a number of cases in the place of the data.",
            )
        return data  # type: ignore[return-value]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0)))
    found = simulate(model, int(data), identify=identify, families=families, seed=rng)
    if not missing:
        return found
    measured = {s.term.name for s in model.parsed.statements if s.op == "=~"}
    answers = [c for c in found.columns if c in measured and c not in model.factors]
    found[answers] = with_holes(found[answers], missing, rng)
    return found


def _check_share(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not (number and low <= value < high):  # type: ignore[operator]
        raise DataError(f"{name} is {value!r}.", hint=f"Use a number from {low} to {high}.")
