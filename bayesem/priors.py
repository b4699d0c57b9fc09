"""Prior families in PyMC's parameterisation, priors written as text, and the two presets."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy import special, stats

from bayesem.arrays import Floats
from bayesem.errors import PriorError, did_you_mean

__all__ = [
    "FAMILIES",
    "KINDS",
    "PRESETS",
    "Family",
    "Prior",
    "prior_from",
]

type Mark = Literal["sd", "var", "prec", "cor", "cov"]

#: Kinds of parameters by which priors can be set, and the variables that each one covers.
KINDS: Mapping[str, tuple[str, ...]] = {
    "loadings": ("loading",),
    "paths": ("path",),
    "intercepts": ("intercept",),
    "factor_means": ("factor_mean",),
    "residual_sd": ("residual_sd",),
    "factor_sd": ("factor_sd",),
    "correlations": ("correlation", "covariance"),
    "interactions": ("interaction",),
    "thresholds": ("threshold",),
    "shapes": ("shape",),
}

PRESETS = ("default", "blavaan", "flat")

FLAT, NORMAL, GAMMA, BETA, STRETCHED_BETA, INVGAMMA, LOGNORMAL, STUDENT, LAPLACE = range(9)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of densities.

    Attributes
    ----------
    pymc : str
        Name of the distribution in PyMC.
    arguments : tuple of str
        Its parameters, in PyMC's order.
    support : (float, float)
    positive : tuple of str
        The parameters that must be above 0.
    """

    pymc: str
    arguments: tuple[str, ...]
    support: tuple[float, float]
    positive: tuple[str, ...] = ()
    defaults: tuple[float, ...] = ()


_INF = math.inf
FAMILIES: Mapping[str, Family] = {
    "flat": Family("Flat", (), (-_INF, _INF)),
    "normal": Family("Normal", ("mu", "sigma"), (-_INF, _INF), ("sigma",)),
    "halfnormal": Family("HalfNormal", ("sigma",), (0, _INF), ("sigma",)),
    "uniform": Family("Uniform", ("lower", "upper"), (-_INF, _INF)),
    "gamma": Family("Gamma", ("alpha", "beta"), (0, _INF), ("alpha", "beta")),
    "inversegamma": Family("InverseGamma", ("alpha", "beta"), (0, _INF), ("alpha", "beta")),
    "exponential": Family("Exponential", ("lam",), (0, _INF), ("lam",)),
    "lognormal": Family("LogNormal", ("mu", "sigma"), (0, _INF), ("sigma",)),
    "beta": Family("Beta", ("alpha", "beta"), (0, 1), ("alpha", "beta")),
    "studentt": Family("StudentT", ("nu", "mu", "sigma"), (-_INF, _INF), ("nu", "sigma")),
    "halfstudentt": Family("HalfStudentT", ("nu", "sigma"), (0, _INF), ("nu", "sigma")),
    "cauchy": Family("Cauchy", ("alpha", "beta"), (-_INF, _INF), ("beta",)),
    "halfcauchy": Family("HalfCauchy", ("beta",), (0, _INF), ("beta",)),
    "laplace": Family("Laplace", ("mu", "b"), (-_INF, _INF), ("b",)),
    "truncatednormal": Family(
        "TruncatedNormal", ("mu", "sigma", "lower", "upper"), (-_INF, _INF), ("sigma",)
    ),
    "lkj": Family("LKJCorr", ("eta",), (-1, 1), ("eta",)),
}


@dataclass(frozen=True, slots=True)
class Prior:
    """A prior density of one parameter.

    Attributes
    ----------
    family : str
        A name in ``FAMILIES``, or ``"graph"`` for a PyMC distribution outside them.
    args : tuple of float
        In PyMC's order.
    mark : str or None
        The quantity it is a density of: ``sd``, ``var``, ``prec``, ``cor`` or ``cov``.
    given : bool
        Whether the user gave it, by label or cell.
    """

    family: str
    args: tuple[float, ...]
    mark: Mark | None = None
    given: bool = False
    graph: Any = field(default=None, compare=False, repr=False)

    @property
    def builtin(self) -> bool:
        """Whether the compiled kernels know it."""
        return self.family != "graph"

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value of the quantity it is a density of."""
        if self.family == "uniform":
            return self.args[0], self.args[1]
        if self.family == "truncatednormal":
            return self.args[2], self.args[3]
        if self.family == "beta" and self.mark == "cor":
            return -1.0, 1.0
        return FAMILIES[self.family].support if self.builtin else (-_INF, _INF)

    def truncated(self, lower: float, upper: float) -> "Prior":
        """This normal prior restricted to an interval and normalised again."""
        if self.family != "normal" or (lower, upper) == (-_INF, _INF):
            return self
        args = (*self.args, lower, upper)
        return Prior("truncatednormal", args, self.mark, self.given)

    def scaled(self, factor: float) -> "Prior":
        """The prior of the parameter times a positive number (normal and gamma only)."""
        if self.family == "normal":
            return Prior("normal", (self.args[0] * factor, self.args[1] * factor), self.mark)
        return Prior(self.family, (self.args[0], self.args[1] / factor), self.mark)

    def kernel(self) -> tuple[int, float, float, float, float]:
        """Code, three arguments and the constant that the kernels read."""
        return _kernel_form(self)

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """Random values, shape (size,), of the quantity it is a density of."""
        return np.asarray(_frozen(self).rvs(size=size, random_state=rng), float)

    def __str__(self) -> str:
        inner = ", ".join(f"{a:.4g}" for a in self.args)
        mark = f"[{self.mark}]" if self.mark in ("var", "prec", "cov") else ""
        return f"{self.family}({inner}){mark}"


@lru_cache(maxsize=4096)
def _frozen(prior: Prior) -> Any:
    a = prior.args
    match prior.family:
        case "normal":
            return stats.norm(a[0], a[1])
        case "halfnormal":
            return stats.halfnorm(0, a[0])
        case "uniform":
            return stats.uniform(a[0], a[1] - a[0])
        case "gamma":
            return stats.gamma(a[0], scale=1 / a[1])
        case "inversegamma":
            return stats.invgamma(a[0], scale=a[1])
        case "exponential":
            return stats.expon(scale=1 / a[0])
        case "lognormal":
            return stats.lognorm(a[1], scale=math.exp(a[0]))
        case "beta" if prior.mark == "cor":
            return stats.beta(a[0], a[1], loc=-1, scale=2)
        case "beta":
            return stats.beta(a[0], a[1])
        case "studentt":
            return stats.t(a[0], a[1], a[2])
        case "halfstudentt":
            return _Folded(stats.t(a[0], 0, a[1]))
        case "cauchy":
            return stats.cauchy(a[0], a[1])
        case "halfcauchy":
            return stats.halfcauchy(0, a[0])
        case "laplace":
            return stats.laplace(a[0], a[1])
        case "truncatednormal":
            return stats.truncnorm((a[2] - a[0]) / a[1], (a[3] - a[0]) / a[1], a[0], a[1])
    raise PriorError(
        f"a {prior.family} prior cannot be drawn from on its own.",
        hint="It is improper, or a PyMC distribution outside the built-in families.",
    )


@dataclass(frozen=True, slots=True)
class _Folded:
    whole: Any

    def rvs(self, size: int, random_state: np.random.Generator) -> Floats:
        return np.abs(self.whole.rvs(size=size, random_state=random_state))


def _kernel_form(prior: Prior) -> tuple[int, float, float, float, float]:
    """The part that depends on the value by code and arguments, the rest as a constant."""
    a = prior.args
    root = 0.5 * math.log(2 * math.pi)
    match prior.family:
        case "flat":
            return FLAT, 0, 0, 0, 0
        case "normal":
            return NORMAL, a[0], a[1], 0, -math.log(a[1]) - root
        case "halfnormal":
            return NORMAL, 0, a[0], 0, math.log(2) - math.log(a[0]) - root
        case "truncatednormal":
            low, high = (a[2] - a[0]) / a[1], (a[3] - a[0]) / a[1]
            mass = _log_mass(low, high)
            return NORMAL, a[0], a[1], 0, -math.log(a[1]) - root - mass
        case "uniform":
            return FLAT, 0, 0, 0, -math.log(a[1] - a[0])
        case "gamma":
            return GAMMA, a[0], a[1], 0, a[0] * math.log(a[1]) - math.lgamma(a[0])
        case "exponential":
            return GAMMA, 1, a[0], 0, math.log(a[0])
        case "inversegamma":
            return INVGAMMA, a[0], a[1], 0, a[0] * math.log(a[1]) - math.lgamma(a[0])
        case "lognormal":
            return LOGNORMAL, a[0], a[1], 0, -math.log(a[1]) - root
        case "beta":
            const = -float(special.betaln(a[0], a[1]))
            if prior.mark == "cor":
                return STRETCHED_BETA, a[0], a[1], 0, const - (a[0] + a[1] - 1) * math.log(2)
            return BETA, a[0], a[1], 0, const
        case "studentt":
            return STUDENT, a[0], a[1], a[2], _student_constant(a[0], a[2])
        case "halfstudentt":
            return STUDENT, a[0], 0, a[1], _student_constant(a[0], a[1]) + math.log(2)
        case "cauchy":
            return STUDENT, 1, a[0], a[1], -math.log(math.pi * a[1])
        case "halfcauchy":
            return STUDENT, 1, 0, a[0], -math.log(math.pi * a[0]) + math.log(2)
        case "laplace":
            return LAPLACE, a[0], a[1], 0, -math.log(2 * a[1])
    raise PriorError(f"no kernel for the prior {prior}.", hint="It is compiled as a graph.")


def _log_mass(low: float, high: float) -> float:
    upper = special.log_ndtr(high)
    if low == -_INF:
        return float(upper)
    if high == _INF:
        return float(special.log_ndtr(-low))
    return float(upper + np.log1p(-np.exp(special.log_ndtr(low) - upper)))


def _student_constant(nu: float, sigma: float) -> float:
    half = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)
    return half - 0.5 * math.log(nu * math.pi) - math.log(sigma)


_TEXT = re.compile(r"\s*([A-Za-z_]+)\s*\(([^()]*)\)\s*(?:\[\s*([A-Za-z]+)\s*\])?\s*\Z")


def prior_from(source: Any, variable: str, *, where: str, mark: str | None = None) -> Prior:
    """Read a prior from text or a PyMC distribution.

    Parameters
    ----------
    source : str or PyMC distribution
        ``"normal(0, 1)"`` in PyMC's parameterisation, with ``[var]``, ``[prec]`` or ``[cov]``
        behind it where it is not on the standard deviation or the correlation; or
        ``pm.Normal.dist(0, 1)``.
    variable : str
        The kind of parameter, such as ``"residual_sd"``.
    where : str
        What the message calls it.

    Raises
    ------
    PriorError
        If the text cannot be read, an argument is impossible, or the mark does not fit.
    """
    if isinstance(source, Prior):
        return source
    if not isinstance(source, str):
        return _from_graph(source, variable, where)
    found = _TEXT.match(source)
    if found is None:
        raise PriorError(
            f"the prior {source!r} of {where} cannot be read.",
            hint='Write `name(numbers)`, such as "normal(0, 1)" or "gamma(1, 0.5)[var]".',
        )
    name, inner, suffix = found.groups()
    return _check(
        _family(name, where),
        _numbers(_family(name, where), inner, source, where),
        suffix or mark,
        variable,
        where,
    )


def _family(name: str, where: str) -> str:
    key = name.lower().replace("_", "")
    if key not in FAMILIES or key == "flat":
        known = [f for f in FAMILIES if f != "flat"]
        raise PriorError(
            f"`{name}` is not a prior family ({where}).",
            hint=f"{did_you_mean(key, known)} Known: {', '.join(known)}.".strip(),
        )
    return key


def _numbers(name: str, inner: str, source: str, where: str) -> tuple[float, ...]:
    """The arguments in PyMC's order; those with a name may stand in any."""
    order = FAMILIES[name].arguments
    given: dict[str, float] = {}
    try:
        for k, part in enumerate(inner.split(",") if inner.strip() else ()):
            key, _, value = part.rpartition("=")
            key = key.strip() or (order[k] if k < len(order) else f"argument {k + 1}")
            if key in given or (key not in order and k < len(order)):
                raise PriorError(
                    f"`{key}` of the prior {source!r} of {where} is unknown or given twice.",
                    hint=f"`{name}` takes {', '.join(order)}.",
                )
            given[key] = float(value)
        return tuple(given[key] for key in order if key in given) + tuple(
            value for key, value in given.items() if key not in order
        )
    except ValueError:
        raise PriorError(
            f"the prior {source!r} of {where} has an argument that is not a number.",
            hint="Arguments are numbers, separated by commas.",
        ) from None


def _check(
    name: str, args: tuple[float, ...], mark: str | None, variable: str, where: str
) -> Prior:
    family = FAMILIES[name]
    if len(args) != len(family.arguments):
        raise PriorError(
            f"`{name}` takes {len(family.arguments)} arguments ({', '.join(family.arguments)}), "
            f"not {len(args)} ({where}).",
            hint="The parameterisation is PyMC's.",
        )
    for argument, value in zip(family.arguments, args, strict=True):
        bounded = name == "uniform" or argument not in ("lower", "upper")
        if math.isnan(value) or (bounded and not math.isfinite(value)):
            raise PriorError(
                f"`{argument}` of the prior of {where} is {value}.", hint="Give a number."
            )
        if argument in family.positive and value <= 0:
            raise PriorError(
                f"`{argument}` of the {name} prior of {where} is {value:g}; it must be above 0.",
                hint="The parameterisation is PyMC's (gamma: shape and rate; normal: mean and sd).",
            )
    if name in ("uniform", "truncatednormal") and args[-2] >= args[-1]:
        raise PriorError(
            f"the {name} prior of {where} is empty: lower is not below upper.",
            hint="Write the lower end first.",
        )
    return Prior(name, args, _mark(mark, variable, where), given=True)


_MARKS: Mapping[str, tuple[str, ...]] = {
    "residual_sd": ("sd", "var", "prec"),
    "factor_sd": ("sd", "var", "prec"),
    "correlation": ("cor", "cov"),
    "covariance": ("cov",),
}


def _mark(mark: str | None, variable: str, where: str) -> Mark | None:
    allowed = _MARKS.get(variable, ())
    if mark is None:
        return allowed[0] if allowed else None  # type: ignore[return-value]
    if mark not in allowed:
        raise PriorError(
            f"the mark [{mark}] does not fit {where}.",
            hint=f"Here it can be {', '.join(f'[{m}]' for m in allowed) or 'nothing'}.",
        )
    return mark  # type: ignore[return-value]


def _from_graph(source: Any, variable: str, where: str) -> Prior:
    """A PyMC distribution: one of the built-in families if it can be told, else kept as it is."""
    owner = getattr(source, "owner", None)
    if owner is None:
        raise PriorError(
            f"the prior of {where} is a {type(source).__name__}.",
            hint='Give text ("normal(0, 1)") or a PyMC distribution (`pm.Normal.dist(0, 1)`).',
        )
    import pymc as pm

    for name, family in FAMILIES.items():
        rv_type = getattr(getattr(pm, family.pymc), "rv_type", None)
        if name not in ("flat", "lkj") and rv_type is not None and isinstance(owner.op, rv_type):
            values = _constants(owner.op.dist_params(owner))
            if values is not None:
                args = _from_pymc_order(name, values)
                return _check(name, args, None, variable, where)
    return Prior("graph", (), _mark(None, variable, where), given=True, graph=source)


def _constants(params: Any) -> tuple[float, ...] | None:
    values = []
    for p in params:
        try:
            value = np.asarray(p.eval())
        except Exception:
            return None
        if value.ndim or not np.isfinite(value):
            return None
        values.append(float(value))
    return tuple(values)


def _from_pymc_order(name: str, values: tuple[float, ...]) -> tuple[float, ...]:
    """PyMC keeps gamma and exponential by scale inside."""
    if name == "gamma":
        return values[0], 1 / values[1]
    if name == "exponential":
        return (1 / values[0],)
    if name == "halfnormal" or name == "halfcauchy":
        return (values[-1],)
    return values
