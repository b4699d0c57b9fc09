"""The verdict rule: probabilities in, verdicts out, nothing else.

Every field of `Evidence` broadcasts, so that one claim, or 200,000 simulated samples of it, are
judged by the same lines. Each criterion answers yes (1), no (-1) or not sure (0: the threshold lies
within two Monte-Carlo standard errors); "and" is then a minimum, "or" a maximum, and a verdict that
hangs on a "not sure" is withheld.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayesem.arrays import Floats
from bayesem.errors import PropositionError
from bayesem.propositions import Rule

__all__ = [
    "BayesFactor",
    "Evidence",
    "attainable_null",
    "bayes_factor",
    "frechet",
    "judge",
    "overridden",
    "pool",
]

WITHHELD: Final = "withheld"
NULL: Final = "practically null"
SUPPORTED: Final = "supported"
REFUTED: Final = "refuted"
UNDECIDED: Final = "undecided"
VERDICTS: Final = (WITHHELD, NULL, SUPPORTED, REFUTED, UNDECIDED)

#: Monte-Carlo standard errors beyond which a probability is clearly on one side of a threshold.
SURE: Final = 2.0

type Answers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the draws say on a claim, or on a part of one.

    Attributes
    ----------
    kind : {"comparison", "null", "all", "any"}
        A comparison, a ``null(x)`` (or its opposite), a conjunction, or a disjunction.
    probability, prior : (...) arrays
        Shares of posterior and of prior draws in which it holds. A missing prior means that no
        prior can be held against the data; the probability alone then decides.
    mcse, prior_mcse : (...) arrays
        Their Monte-Carlo standard errors.
    rope_mass, rope_mcse : (...) arrays
        Posterior probability that the two sides differ by less than the rope; missing where the
        sides have no standardised scale in common.
    draws, prior_draws : float
        Numbers of draws, which bound a factor where all agree; infinite for exact probabilities.
    attainable : (...) array
        Largest probability that the claim can reach at this n; missing without a ``null(x)``.
    parts : tuple of Evidence
        Of a conjunction or disjunction.
    text : str
        The part as written.
    by_model : bool
        Whether the model decides the part (both sides fixed), so that no data can.
    """

    kind: Literal["comparison", "null", "all", "any"]
    probability: Floats
    prior: Floats
    mcse: Floats = field(default_factory=lambda: np.array(0.0))
    prior_mcse: Floats = field(default_factory=lambda: np.array(0.0))
    rope_mass: Floats = field(default_factory=lambda: np.array(np.nan))
    rope_mcse: Floats = field(default_factory=lambda: np.array(0.0))
    draws: float = np.inf
    prior_draws: float = np.inf
    attainable: Floats = field(default_factory=lambda: np.array(np.nan))
    parts: tuple["Evidence", ...] = ()
    text: str = ""
    by_model: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BayesFactor:
    """A claim against its complement, posterior odds over prior odds.

    Attributes
    ----------
    value : (...) array
        The factor, or the bound on it; missing where posterior and prior draws all agree alike.
    mcse : (...) array
        Monte-Carlo standard error (delta method); missing for a bound.
    side : (...) int array
        1 where ``value`` is only a lower bound, -1 where it is only an upper bound, else 0.
    lower, upper : (...) arrays
        Two standard errors either way on the log scale, or the bound and infinity or zero.
    """

    value: Floats
    mcse: Floats
    side: Answers
    lower: Floats
    upper: Floats


def bayes_factor(evidence: Evidence) -> BayesFactor:
    r"""Factor against the complement, :math:`\frac{p/(1-p)}{c/(1-c)}`, with its Monte-Carlo error.

    Where all S posterior draws agree their odds are only known to exceed S - 1, and so for the
    prior draws; the factor is then a bound. Where both agree in the same sense it is unknown.

    Examples
    --------
    >>> bf = bayes_factor(Evidence("comparison", np.array(0.75), np.array(0.5)))
    >>> float(bf.value), int(bf.side)
    (3.0, 0)
    >>> bf = bayes_factor(Evidence("comparison", np.array(1.0), np.array(0.5), draws=4000))
    >>> float(bf.value), int(bf.side)
    (3999.0, 1)
    """
    top, top_side, top_se = _odds(evidence.probability, evidence.draws, evidence.mcse)
    base, base_side, base_se = _odds(evidence.prior, evidence.prior_draws, evidence.prior_mcse)
    unknown = (top_side == base_side) & (top_side != 0)
    side = np.sign(top_side - base_side)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        value = np.where(unknown, np.nan, top / base)
        se = np.hypot(top_se, base_se)
        lower = np.where((side < 0) | unknown, 0.0, value * np.exp(-SURE * se))
        upper = np.where((side > 0) | unknown, np.inf, value * np.exp(SURE * se))
        mcse = np.where((side != 0) | unknown, np.nan, value * se)
    return BayesFactor(value, mcse, side, lower, upper)


def judge(evidence: Evidence, rule: Rule) -> NDArray[np.str_]:
    """Verdict on converged draws: the rule, and nothing but the rule.

    Parameters
    ----------
    evidence : Evidence
    rule : Rule

    Returns
    -------
    (...) array of str
        ``practically null``, ``supported``, ``refuted`` or ``undecided``; ``withheld`` where the
        verdict hangs on a threshold within two Monte-Carlo standard errors.

    Examples
    --------
    >>> p = np.array([0.999, 0.90, 0.01])
    >>> judge(Evidence("comparison", p, np.full(3, 0.5)), Rule()).tolist()
    ['supported', 'undecided', 'refuted']
    """
    verdict = np.full(np.shape(evidence.probability), VERDICTS.index(UNDECIDED))
    for name, criterion in ((REFUTED, _refuted), (SUPPORTED, _supported), (NULL, _null)):
        answer = criterion(evidence, rule)
        verdict = np.where(answer > 0, VERDICTS.index(name), np.where(answer == 0, 0, verdict))
    return np.asarray(np.array(VERDICTS)[verdict])


def overridden(
    rule: Rule,
    *,
    prob: float | None = None,
    rope: Mapping[str, float] | float | None = None,
    min_bayes_factor: float | None = None,
) -> Rule:
    """The rule with what is given replaced; one number as ``rope`` sets every kind.

    Examples
    --------
    >>> overridden(Rule(), prob=0.975, rope={"path": 0.2}).rope["path"]
    0.2
    """
    changes: dict[str, Any] = {}
    if prob is not None:
        changes["prob"] = _real("prob", prob)
    if isinstance(rope, Mapping):
        changes["rope"] = {
            **rule.rope,
            **{k: _real(f"rope of {k}", width) for k, width in rope.items()},
        }
    elif rope is not None:
        changes["rope"] = dict.fromkeys(rule.rope, _real("rope", rope))
    if min_bayes_factor is not None:
        changes["min_bayes_factor"] = _real("min_bayes_factor", min_bayes_factor)
    return replace(rule, **changes)


def _real(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise PropositionError(f"{name} is {value!r}.", hint="Give a number.")
    return float(value)


def _as_if_one(weights: Floats, draws: Sequence[float]) -> float:
    """Draws behind a bound on a mixture: an unseen complement weighs at most ``w / draws``."""
    counted = [d / w for d, w in zip(draws, weights, strict=True) if w > 0]
    return min(counted, default=np.inf)


def pool(found: Sequence[Evidence], weights: Sequence[float], *, sampled: bool = False) -> Evidence:
    """Mixture of the same claim's evidence from several posteriors.

    Parameters
    ----------
    found : sequence of Evidence
        One per posterior, with the same parts.
    weights : sequence of float
        They sum to 1.
    sampled : bool
        Whether the posteriors are themselves draws (of a rebuilt matrix, say): the spread between
        them then belongs to the Monte-Carlo error.
    """
    if len(found) == 1:
        return found[0]
    w = np.asarray(weights, float)
    first = found[0]

    def mean(values: Iterable[Floats]) -> Floats:
        each = np.stack(list(values))
        mixed = np.tensordot(w, each, axes=1)  # rounds: what all agree on must stay exactly 0 or 1
        return np.asarray(np.where((each == each[0]).all(0), each[0], mixed))

    def error(errors: Iterable[Floats], values: Iterable[Floats]) -> Floats:
        within = np.sqrt(np.tensordot(w**2, np.stack(list(errors)) ** 2, axes=1))
        if not sampled:
            return np.asarray(within)
        between = np.stack(list(values)).std(0, ddof=1) / np.sqrt(len(found))
        return np.asarray(np.fmax(within, between))

    return Evidence(
        kind=first.kind,
        probability=mean(e.probability for e in found),
        prior=mean(e.prior for e in found),
        mcse=error((e.mcse for e in found), (e.probability for e in found)),
        prior_mcse=error((e.prior_mcse for e in found), (e.prior for e in found)),
        rope_mass=mean(e.rope_mass for e in found),
        rope_mcse=error((e.rope_mcse for e in found), (e.rope_mass for e in found)),
        draws=_as_if_one(w, [e.draws for e in found]),
        prior_draws=_as_if_one(w, [e.prior_draws for e in found]),
        attainable=mean(e.attainable for e in found),
        parts=tuple(
            pool(parts, weights, sampled=sampled)
            for parts in zip(*(e.parts for e in found), strict=True)
        ),
        text=first.text,
        by_model=all(e.by_model for e in found),
    )


def attainable_null(sd: Floats, rope: float) -> Floats:
    """Largest mass that a normal posterior with this sd can have inside the rope.

    Examples
    --------
    >>> round(float(attainable_null(np.array(0.083), 0.1)), 2)
    0.77
    """
    with np.errstate(divide="ignore"):
        return np.asarray(2 * ndtr(rope / np.asarray(sd, float)) - 1)


def frechet(probabilities: Sequence[float]) -> tuple[float, float]:
    """Bounds on the probability of a conjunction that its parts' probabilities alone leave open.

    Examples
    --------
    >>> frechet([0.75, 0.5])
    (0.25, 0.5)
    """
    return max(0.0, sum(probabilities) - (len(probabilities) - 1)), min(probabilities)


def _supported(evidence: Evidence, rule: Rule) -> Answers:
    likely = _above(evidence.probability, rule.prob, evidence.mcse)
    return np.minimum(likely, _favoured(evidence, rule))


def _refuted(evidence: Evidence, rule: Rule) -> Answers:
    """A conjunction falls with any of its parts, a disjunction only with all of them."""
    if evidence.parts:
        joined = np.maximum if evidence.kind == "all" else np.minimum
        return _all(joined, [_refuted(part, rule) for part in evidence.parts])
    unlikely = -_above(evidence.probability, 1 - rule.prob, evidence.mcse)
    small = np.minimum(unlikely, _disfavoured(evidence, rule))
    return np.minimum(small, -_null(evidence, rule))


def _null(evidence: Evidence, rule: Rule) -> Answers:
    """A conjunction inherits it from a part unless another is refuted; a disjunction from all."""
    if evidence.kind == "all":
        some = _all(np.maximum, [_null(part, rule) for part in evidence.parts])
        return np.minimum(some, -_refuted(evidence, rule))
    if evidence.kind == "any":
        return _all(np.minimum, [_null(part, rule) for part in evidence.parts])
    if evidence.kind == "null":
        return np.full(np.shape(evidence.probability), -1)
    mass = np.where(np.isnan(evidence.rope_mass), 0.0, evidence.rope_mass)
    return _above(mass, rule.prob, np.where(np.isnan(evidence.rope_mass), 0, evidence.rope_mcse))


def _favoured(evidence: Evidence, rule: Rule) -> Answers:
    bf, least = bayes_factor(evidence), rule.min_bayes_factor
    answer = np.where(bf.lower >= least, 1, np.where(bf.upper < least, -1, 0))
    return _known(evidence, bf, answer)


def _disfavoured(evidence: Evidence, rule: Rule) -> Answers:
    bf, most = bayes_factor(evidence), 1 / rule.min_bayes_factor
    answer = np.where(bf.upper <= most, 1, np.where(bf.lower > most, -1, 0))
    return _known(evidence, bf, answer)


def _known(evidence: Evidence, bf: BayesFactor, answer: Answers) -> Answers:
    """No where the factor is unknown; yes where no prior can be asked, if data can tell."""
    without_prior = -1 if evidence.by_model else 1
    answer = np.where(np.isnan(bf.value), -1, answer)
    return np.where(np.isnan(evidence.prior), without_prior, answer)


def _all(join: np.ufunc, answers: Sequence[Answers]) -> Answers:
    """Minimum or maximum of several answers, each of which broadcasts."""
    return np.asarray(reduce(join, answers))


def _above(value: Floats, threshold: float, mcse: Floats) -> Answers:
    """1 or -1 where the value is clearly above or below, 0 where its error leaves that open."""
    side = np.where(np.asarray(value) >= threshold, 1, -1)
    open_ = np.abs(np.asarray(value) - threshold) <= SURE * np.asarray(mcse)
    return np.where(open_ & (np.asarray(mcse) > 0), 0, side)


def _odds(p: Floats, draws: float, mcse: Floats) -> tuple[Floats, Answers, Floats]:
    """Odds (or the bound on them), the side on which they are only bounded, error of their log."""
    p, mcse = np.broadcast_arrays(np.asarray(p, float), np.asarray(mcse, float))
    finest = 0.999 / draws  # a mixture can come nearer to 0 or 1 than its draws can tell
    side = np.where(1 - p <= finest, 1, np.where(p <= finest, -1, 0))
    least = max(draws - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = p / (1 - p)
        se = np.where(side == 0, mcse / (p * (1 - p)), 0.0)
    return np.where(side == 0, inside, np.where(side > 0, least, 1 / least)), side, se
