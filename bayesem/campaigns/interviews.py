"""How many more interviews would settle a claim on theme counts.

The future is drawn from what is known now: shares from the posterior, references of new informants
given those shares, and the verdict that all references together would then get. The posterior is
conjugate, so that thousands of futures are judged at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.claim_counts import CountScope
from bayesem.claim_evidence import measure
from bayesem.counts.table import CountModel, count_model
from bayesem.counts.tree import Tree, draw_shares, tree_of
from bayesem.decision import VERDICTS, judge, overridden
from bayesem.errors import DataError
from bayesem.robustness.counts import count_claims, scope_of
from bayesem.seeds import check_seed
from bayesem.verdicts import claims_of

__all__ = ["Interviews", "future_counts", "interviews"]

DECISIVE: Final = ("practically null", "supported", "refuted")
PRIOR_DRAWS: Final = 50_000
COLUMNS: Final = ["name", "design_effect", "interviews", "references", "decisive", "mcse",
                  *DECISIVE, "undecided"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Interviews:
    """How probable a decisive verdict is after further interviews.

    Attributes
    ----------
    table : DataFrame
        A row per proposition, design effect and number of further interviews that was tried: ``name
        design_effect interviews references decisive mcse "practically null" supported refuted
        undecided``; shares of the futures, ``mcse`` the binomial standard error of ``decisive``.
    sizes : DataFrame
        A row per proposition and design effect: ``name design_effect needed lower upper most``: the
        smallest number of further interviews at which a decisive verdict has the assurance, read
        off shares that are made to rise; the same two standard errors below and above; and the
        largest number looked at.
        ``needed`` is 0 where the table is decisive already, missing where ``most`` are not enough.
    assurance : float
    references : int
        By interview.
    replicates : int
    """

    table: pd.DataFrame
    sizes: pd.DataFrame
    assurance: float
    references: int
    replicates: int

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = [
            f"Further interviews ({self.references} references each) for a decisive verdict with "
            f"probability {self.assurance:g}"
        ]
        lines += [f"{r['name']:<20} {size_text(r)}" for _, r in self.sizes.iterrows()]
        return "\n".join(lines)


def size_text(row: Any) -> str:
    """One answer in words."""
    return f"design effect {row['design_effect']:g}: {needed_text(row)}"


def needed_text(row: Any) -> str:
    """How many further interviews a row of `Interviews.sizes` asks for."""
    if row["needed"] == 0:
        return "decided by the table"
    if np.isnan(row["needed"]):
        return f"more than {row['most']:.0f}"
    upper = "more" if np.isnan(row["upper"]) else f"{row['upper']:.0f}"
    return f"{row['needed']:.0f} ({row['lower']:.0f} to {upper})"


def interviews(
    propositions: Any,
    model: CountModel | str | Path | Mapping[str, Mapping[str, int]],
    *,
    design_effect: float | Sequence[float] = (1, 2, 4),
    references: int | None = None,
    most: int = 256,
    assurance: float = 0.8,
    prior: str | float = "flat",
    others: str = "left out",
    prob: float | None = None,
    rope: Mapping[str, float] | float | None = None,
    min_bayes_factor: float | None = None,
    replicates: int = 400,
    draws: int = 1000,
    seed: int | None = None,
) -> Interviews:
    r"""How many more interviews would give each claim a decisive verdict.

    Parameters
    ----------
    propositions : PropositionSet, iterable of Proposition, {name: claim}, study or path
        Those on shares.
    model : CountModel, or what :func:`bayesem.count_model` reads
        What was counted so far.
    design_effect : float or sequence of float
        d, of the table and of the further interviews alike: an interview of r references is drawn
        from a Dirichlet-multinomial with intraclass correlation (d - 1)/(r - 1).
    references : int, optional
        By interview; by default as many as the table has by informant.
    most : int
        Numbers above it are not looked at.
    assurance : float
        Probability of a decisive verdict that is wanted.
    prior, others
        As in :func:`bayesem.fit_counts`.
    prob, rope, min_bayes_factor : optional
        As in :func:`bayesem.assess`.
    replicates : int
        Futures at each number tried.
    draws : int
        Posterior draws in each future. Verdicts take its probabilities as they are: an analysis
        would have more draws.
    seed : int, optional

    Returns
    -------
    Interviews

    Raises
    ------
    DataError
        If the table does not say how many informants there were and ``references`` is not given, or
        a design effect is larger than an interview.
    PropositionError
        If no claim is on shares.

    References
    ----------
    .. [1] O'Hagan, Stevens & Campbell (2005), Assurance in clinical trial design. *Pharmaceutical
       Statistics* 4, 187-201. https://doi.org/10.1002/pst.175
    """
    if not isinstance(model, CountModel):
        model = count_model(model)
    check_seed(seed)
    _check(assurance, most=most, replicates=replicates, draws=draws)
    each = _references(model, references)
    effects = (design_effect,) if isinstance(design_effect, int | float) else tuple(design_effect)
    items = list(claims_of(count_claims(propositions)))
    rules = [overridden(i.rule, prob=prob, rope=rope, min_bayes_factor=min_bayes_factor)
             for i in items]  # fmt: skip
    rng = np.random.default_rng(seed)
    grid = np.array(list(_grid(most)))
    rows, sizes = [], []
    for d in effects:
        tree = tree_of(model, prior=prior, design_effect=d, others=others)
        if d > each:
            raise DataError(f"a design effect of {d:g} exceeds the {each} references by interview.")
        known = _Known(tree, float(d), items, rules, draws, _prior_scope(tree, rng))
        truth = draw_shares(tree, (replicates,), rng)
        more = _growing(truth, grid, each, float(d), rng)
        codes = [known.verdicts(more[:, k], rng) for k in range(len(grid))]
        for k, item in enumerate(items):
            mine = [code[k] for code in codes]
            rows += [_row(item.name, d, m, each, one) for m, one in zip(grid, mine, strict=True)]
            sizes.append(_size(item.name, float(d), grid, mine, assurance))
    table = pd.DataFrame(rows)[COLUMNS]
    order = [item.name for item in items]
    table, size = (
        t.sort_values("name", key=lambda names: names.map(order.index), kind="stable").reset_index(
            drop=True
        )
        for t in (table, pd.DataFrame(sizes))
    )
    return Interviews(table, size, assurance, each, replicates)


def future_counts(
    share: Floats, informants: int, references: int, design_effect: float, rng: np.random.Generator
) -> Ints:
    """Counts of further informants together, each a Dirichlet-multinomial vector.

    Parameters
    ----------
    share : (..., subtheme) array
        What the informants have in common.
    informants, references : int
        How many, and references by each.
    design_effect : float
        Variance of a total over the multinomial one.

    Returns
    -------
    (..., subtheme) int array

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draws = future_counts(np.tile([0.3, 0.7], (20_000, 1)), 5, 16, 4, rng)[:, 0]
    >>> bool(abs(draws.var() / (80 * 0.3 * 0.7) - 4) < 0.15)
    True
    """
    if design_effect == 1 or references == 1:
        return rng.multinomial(informants * references, share)
    rho = (design_effect - 1) / (references - 1)
    shape = (*share.shape[:-1], informants, share.shape[-1])
    if rho >= 1:  # every reference of an informant is to one sub-theme
        own = rng.multinomial(1, np.broadcast_to(share[..., None, :], shape))
        return np.asarray(own.sum(-2) * references)
    alpha = np.maximum(np.broadcast_to((1 / rho - 1) * share[..., None, :], shape), 1e-6)
    gamma = np.maximum(rng.standard_gamma(alpha), 1e-300)
    theirs = gamma / gamma.sum(-1, keepdims=True)
    return np.asarray(rng.multinomial(references, theirs).sum(-2))


# --- verdicts of many futures ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known now, and by which rules it will be judged."""

    tree: Tree
    design_effect: float
    items: Sequence[Any]
    rules: Sequence[Any]
    draws: int
    prior: CountScope

    def verdicts(self, more: Ints, rng: np.random.Generator) -> list[Ints]:
        """What each claim would be called in every future, as places in ``VERDICTS``."""
        n = self.tree.counts + more / self.design_effect
        posterior = scope_of(self.tree, draw_shares(self.tree, (1, self.draws), rng, n))
        found = []
        for item, rule in zip(self.items, self.rules, strict=True):
            evidence, _, _ = measure(item.form, posterior, self.prior, rule, counted=_plain)
            codes = [VERDICTS.index(str(v)) for v in judge(evidence, rule)]
            found.append(np.array(codes))
        return found


def _prior_scope(tree: Tree, rng: np.random.Generator) -> CountScope:
    return scope_of(tree, draw_shares(tree, (1, PRIOR_DRAWS), rng, np.zeros_like(tree.counts)))


def _growing(
    truth: Floats, grid: Ints, each: int, design_effect: float, rng: np.random.Generator
) -> Ints:
    """Further references (future, number of interviews, subtheme); larger numbers hold smaller."""
    steps = np.diff(grid)
    first = np.zeros((len(truth), 1, truth.shape[-1]), np.int64)
    parts = [future_counts(truth, int(m), each, design_effect, rng)[:, None] for m in steps]
    return np.asarray(np.cumsum(np.concatenate([first, *parts], 1), 1))


def _plain(truth: np.ndarray) -> tuple[Floats, Floats]:
    """Shares taken as they are, without an error."""
    p = truth.mean((0, 1))
    return p, np.zeros_like(p)


def _grid(most: int) -> Iterator[int]:
    """0, 1, 2, 3, 4, 6, 8, 12, ... and the last."""
    for m in (0, 1, 2, 3):
        if m < most:
            yield m
    m = 4
    while m < most:
        yield m
        if 3 * m // 2 < most:
            yield 3 * m // 2
        m *= 2
    yield most


def _decisive(codes: Ints) -> float:
    return float(np.isin(codes, [VERDICTS.index(v) for v in DECISIVE]).mean())


def _row(name: str, d: float, m: int, each: int, codes: Ints) -> dict[str, Any]:
    p = _decisive(codes)
    shares = {v: float((codes == VERDICTS.index(v)).mean()) for v in (*DECISIVE, "undecided")}
    return {"name": name, "design_effect": float(d), "interviews": int(m), "references": m * each,
            "decisive": p, "mcse": float(np.sqrt(p * (1 - p) / len(codes))), **shares}  # fmt: skip


def _size(
    name: str, d: float, grid: Ints, codes: Sequence[Ints], assurance: float
) -> dict[str, Any]:
    """Where the share of decisive verdicts, made to rise, crosses the assurance."""
    from scipy.optimize import isotonic_regression

    p = np.array([_decisive(one) for one in codes])
    row = {"name": name, "design_effect": d, "most": int(grid[-1])}
    if p[0] >= assurance:
        return {**row, "needed": 0.0, "lower": 0.0, "upper": 0.0}
    rising = np.asarray(isotonic_regression(p[1:]).x)
    error = 2 * np.sqrt(np.maximum(rising * (1 - rising), 1 / len(codes[0])) / len(codes[0]))
    needed, lower, upper = (
        _crossing(grid[1:], curve, assurance) for curve in (rising, rising + error, rising - error)
    )
    return {**row, "needed": needed, "lower": lower, "upper": upper}


def _crossing(grid: Ints, curve: Floats, level: float) -> float:
    """The first whole number at which a curve, linear in the root of the grid, is at the level."""
    above = curve >= level
    if not above.any():
        return float("nan")
    k = int(above.argmax())
    if k == 0:
        return float(grid[0])
    low, high = np.sqrt(grid[k - 1]), np.sqrt(grid[k])
    at = low + (level - curve[k - 1]) / (curve[k] - curve[k - 1]) * (high - low)
    return float(np.ceil(at**2 - 1e-9))


def _references(model: CountModel, given: int | None) -> int:
    if given is not None:
        _check(0.5, references=given)
        return int(given)
    if model.informants is None:
        raise DataError(
            "the table does not say how many informants there were.",
            hint="Give `informants` with it, or references=, the references by interview.",
        )
    return max(1, round(model.listed / model.informants))


def _check(assurance: float, **whole: int) -> None:
    if isinstance(assurance, bool) or not 0 < assurance < 1:
        raise DataError(f"assurance is {assurance!r}.", hint="Use a probability, such as 0.8.")
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise DataError(f"{name} is {value!r}.", hint="Use a whole number of at least 1.")
