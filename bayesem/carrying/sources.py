r"""What a study can hand on: its standardised paths, or an order that its counts favour.

Paths are in units of one study's answers, so only standardised ones are handed on; and as a
likelihood, not as a posterior: the study's own prior is taken out again, since the model that
receives them has one. Both are normal approximations, precision and mean subtracted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.carrying.regressions import Equations, equations_of, regressions
from bayesem.claim_counts import speaks_of_counts
from bayesem.counts.fit import CountFit
from bayesem.errors import NotAvailableError, PropositionError, SamplingError, did_you_mean
from bayesem.grammar.claims import parse_claim
from bayesem.posterior import Fit
from bayesem.verdicts import assess

__all__ = ["OrderEvidence", "PathEvidence", "order_evidence", "path_evidence"]


@dataclass(frozen=True, slots=True, eq=False)
class PathEvidence:
    """A likelihood of standardised paths, normal.

    Attributes
    ----------
    study : str
    equations : tuple of (str, tuple of str)
        Outcomes, each with its predictors, by the names of the model that receives them.
    labels : tuple of str
        The study's own, one for each path, equation by equation.
    mean : (path,) array
    covariance : (path, path_bis) array
    n : int
        Cases behind it.
    assumes : tuple of str
        What was renamed: ``ENA = NET``.
    standardized : bool
        Whether the paths are on the standardised solution; others are not carried.
    synthetic : bool
    """

    study: str
    equations: Equations
    labels: tuple[str, ...]
    mean: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    n: int
    assumes: tuple[str, ...] = ()
    standardized: bool = True
    synthetic: bool = False

    @property
    def table(self) -> pd.DataFrame:
        """What is carried: ``path label mean sd``, standardised."""
        paths = [f"{y} ~ {x}" for y, xs in self.equations for x in xs]
        sd = np.sqrt(np.diag(self.covariance))
        return pd.DataFrame({"path": paths, "label": self.labels, "mean": self.mean, "sd": sd})


@dataclass(frozen=True, slots=True)
class OrderEvidence:
    """How far counts favour one order, taken as evidence on a claim about the model.

    Attributes
    ----------
    study : str
    counted : str
        The claim on shares.
    claim : str
        The claim on the model that it is taken to bear on.
    log_factor : float
        Log Bayes factor of ``counted`` against its complement.
    mcse : float
        Of the log factor.
    n : int
        References behind it.
    synthetic : bool
    """

    study: str
    counted: str
    claim: str
    log_factor: float
    mcse: float
    n: int
    synthetic: bool = False


# --- paths ----------------------------------------------------------------------------------------


def path_evidence(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit | Sequence[Fit]],
    *,
    rename: Mapping[str, str] | None = None,
    standardized: bool = True,
) -> PathEvidence:
    """The likelihood of a study's standardised paths, from its fit or from fits of its readings.

    Parameters
    ----------
    fits : Fit, sequence of Fit, or mapping of str to these
        Several are one mixture: fits of rebuilt matrices by the weights of their readings, shared
        within a reading; others alike. `run_study(...).fits` is such a mapping.
    rename : mapping of str to str, optional
        Factors of the study to those of the model that shall receive the paths.
    standardized : bool
        Only True is carried: a raw path is in units of the study's answers.

    Returns
    -------
    PathEvidence

    Raises
    ------
    NotAvailableError
        For raw paths, and for a graph whose paths are not the regressions that they look like
        (products, outcomes of other families, feedback, correlated residuals).
    SamplingError
        If a fit did not converge.
    PropositionError
        If nothing is renamed that the study has, or its data add nothing to its prior.
    """
    if not standardized:
        raise NotAvailableError(
            "unstandardised paths are not carried over: they are in units of the answers of their "
            "own study.",
            hint="Leave `standardized` at True.",
        )
    every, weights = _weighted(fits)
    first = every[0]
    for one in every:
        if not one.converged:
            raise SamplingError(
                "a fit whose paths shall be carried over did not converge.",
                hint="Sample longer, or leave its reading out.",
            )
    equations = equations_of(first.table)
    change = dict(rename or {})
    for old in change:
        if old not in first.table.factors:
            hint = did_you_mean(old, first.table.factors) or "Name a factor of the study."
            raise PropositionError(f"`{old}` is no factor of the study.", hint=hint, label=old)
    likelihood = _likelihood(every, weights, equations)
    labels = {(r.lhs, r.rhs): r.label for r in first.table.rows if r.op == "~"}
    named = tuple(labels.get((y, x)) or f"{y} ~ {x}" for y, xs in equations for x in xs)
    new = tuple((change.get(y, y), tuple(change.get(x, x) for x in xs)) for y, xs in equations)
    return PathEvidence(
        str(first.model.name or "the study"), new, named, *likelihood, int(first.n),
        tuple(f"{a} = {b}" for a, b in change.items() if a != b),
        synthetic=any(one.data.synthetic for one in every),
    )  # fmt: skip


def _weighted(fits: Any) -> tuple[list[Fit], Floats]:
    groups = list(fits.values()) if isinstance(fits, Mapping) else [fits]
    lists = [list(g) if isinstance(g, list | tuple) else [g] for g in groups]
    every = [one for group in lists for one in group]
    if not every:
        raise PropositionError("there is no fit to carry paths from.", hint="Give one.")
    weights = []
    for one in every:
        reading = getattr(one.data, "reading", None)
        alike = [o for o in every if getattr(o.data, "reading", None) == reading]
        weights.append(1.0 if reading is None else float(one.data.weight) / len(alike))  # type: ignore[union-attr,arg-type]
    return every, np.array(weights) / np.sum(weights)


def _likelihood(
    fits: Sequence[Fit], weights: Floats, equations: Equations
) -> tuple[Floats, Floats]:
    """Posterior less prior, both as normal: precisions subtract."""
    after = _normal(fits, weights, equations, "posterior")
    before = _normal(fits, weights, equations, "prior")
    one, other = (np.linalg.inv(cov) for _, cov in (after, before))
    precision = one - other
    if np.linalg.eigvalsh(precision)[0] <= 0:
        raise PropositionError(
            "the study's data say no more on some of its paths than its prior did.",
            hint="There is nothing to carry over; use more cases.",
        )
    covariance = np.linalg.inv(precision)
    return covariance @ (one @ after[0] - other @ before[0]), covariance


def _normal(
    fits: Sequence[Fit], weights: Floats, equations: Equations, group: str
) -> tuple[Floats, Floats]:
    """Mean and covariance of a mixture of draws."""
    draws = [regressions(one.table, one.matrices(group), equations) for one in fits]
    flat = [d.reshape(-1, d.shape[-1]) for d in draws]
    x = np.concatenate(flat)
    w = np.concatenate([np.full(len(f), v / len(f)) for f, v in zip(flat, weights, strict=True)])
    mean = w @ x
    centred = x - mean
    return mean, (centred * w[:, None]).T @ centred


# --- orders ---------------------------------------------------------------------------------------


def order_evidence(fit: CountFit, counted: str, claim: str) -> OrderEvidence:
    """How far theme counts favour an order of shares, as evidence on a claim about a model.

    That talk of something says how much it does is an assumption, and a large one: what the
    relevance is for.

    Parameters
    ----------
    fit : CountFit
    counted : str
        A claim on shares, ``"share(bringing) > share(mediation)"``.
    claim : str
        What it is taken to bear on, ``"total(BRIDGE -> NET) > total(MED -> NET)"``.

    Raises
    ------
    PropositionError
        For claims that cannot be read, or on the wrong kind of thing, or an order on which all
        draws agree, so that its factor is only bounded.
    """
    if not speaks_of_counts(parse_claim(counted)) or speaks_of_counts(parse_claim(claim)):
        raise PropositionError(
            f"`{counted}` shall be a claim on shares, and `{claim}` one on a model's parameters.",
            hint='As in order_evidence(fit, "share(a) > share(b)", "x > y").',
        )
    row = assess({"counted": counted}, fit).table.iloc[0]
    if row["bayes_factor_bound"] or not row["bayes_factor"] > 0:
        raise PropositionError(
            f"all draws agree on `{counted}`, so its Bayes factor is only bounded.",
            hint="Draw more shares: fit_counts(..., draws=50_000).",
        )
    factor = float(row["bayes_factor"])
    error = float(row["bayes_factor_mcse"]) / factor
    return OrderEvidence(
        fit.model.study or fit.model.name, counted, claim, float(np.log(factor)), error,
        int(fit.n), bool(fit.data.synthetic),
    )  # fmt: skip
