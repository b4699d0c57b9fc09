"""Families of outcomes that are not answers on a scale: binary, times and counts.

Every outcome has a linear predictor, an entry of the factors' equations without indicators of its
own: ``eta = alpha + paths``, plus a normal residual where the family has one. A family says how the
observed value depends on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayesem.errors import ModelError, NotAvailableError, did_you_mean

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Family",
    "Lognormal",
    "NegativeBinomial",
    "Normal",
    "Poisson",
    "Weibull",
    "read_families",
]

#: Codes that the kernels read.
NORMAL, PROBIT, LOGIT, LOGNORMAL, WEIBULL, POISSON, NEGATIVE_BINOMIAL = range(7)


@dataclass(frozen=True, slots=True)
class Family:
    """How an outcome depends on its linear predictor eta.

    Attributes
    ----------
    name : str
        As in ``families={"exporting": "bernoulli"}``.
    code : int
        What the kernels read.
    residual : float or None
        Variance of the normal residual in the linear predictor itself; None where it is estimated.
    shaped : bool
        Whether there is a further parameter: the scale of a Weibull's log time, the overdispersion
        of a negative binomial.
    unit : float
        Standard deviation that the default priors of its paths are scaled by.
    censored : str or None
        Column that says 1 where the time is only known to be longer.
    """

    name: str
    code: int
    residual: float | None
    shaped: bool = False
    unit: float = 1.0
    censored: str | None = None

    @property
    def is_time(self) -> bool:
        """Whether values are times that may be right-censored."""
        return self.code in (LOGNORMAL, WEIBULL)

    @property
    def is_count(self) -> bool:
        """Whether values are counts."""
        return self.code in (POISSON, NEGATIVE_BINOMIAL)

    @property
    def is_binary(self) -> bool:
        """Whether values are 0 or 1."""
        return self.code in (PROBIT, LOGIT)


def Normal() -> Family:
    """An observed continuous outcome that a product of factors explains: y = eta."""
    return Family("normal", NORMAL, None)


def Bernoulli(link: str = "probit") -> Family:
    """A 0/1 outcome.

    Parameters
    ----------
    link : {"probit", "logit"}
        Probit: Pr(y = 1) = Phi(eta), which is integrated in closed form. Logit: 1/(1 + exp(-eta)).
    """
    if link == "probit":
        return Family("bernoulli", PROBIT, 1.0)
    if link == "logit":
        return Family("logit", LOGIT, 0.0, unit=1.8)
    raise ModelError(f"the link {link!r} is not known.", hint='Use "probit" or "logit".')


def Lognormal(censored: str | None = None) -> Family:
    """A time: log y = eta, a normal residual included.

    Parameters
    ----------
    censored : str, optional
        Name of a 0/1 column: 1 where the event has not happened by the recorded time.
    """
    return Family("lognormal", LOGNORMAL, None, censored=censored)


def Weibull(censored: str | None = None) -> Family:
    """A time: log y = eta + scale * G, G the log of a standard exponential (minimum Gumbel).

    Parameters
    ----------
    censored : str, optional
        As in :func:`Lognormal`. The Weibull's shape is 1/scale.
    """
    return Family("weibull", WEIBULL, 0.0, shaped=True, censored=censored)


def Poisson() -> Family:
    """A count with mean exp(eta)."""
    return Family("poisson", POISSON, 0.0)


def NegativeBinomial() -> Family:
    """A count with mean m = exp(eta) and variance m + dispersion * m**2."""
    return Family("negative_binomial", NEGATIVE_BINOMIAL, 0.0, shaped=True)


FAMILIES = {
    "normal": Normal,
    "bernoulli": Bernoulli,
    "probit": Bernoulli,
    "logit": lambda: Bernoulli("logit"),
    "lognormal": Lognormal,
    "weibull": Weibull,
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
}


def read_families(
    given: Mapping[str, Any] | None, explained: Mapping[str, Any], codebook: Any = None
) -> dict[str, Family]:
    """Families of the outcomes of a model.

    Parameters
    ----------
    given : mapping of str to str or Family, optional
        As in :func:`bayesem.fit`.
    explained : mapping of str to span
        The observed variables that the model regresses on something.
    codebook : Codebook, optional
        Of the study; what it says holds for outcomes that ``given`` does not name.

    Raises
    ------
    ModelError
        For a family or an outcome that does not exist.
    NotAvailableError
        For a family that is known and waits, such as ``ordinal``.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ModelError(
            f"families is a {type(given).__name__}.", hint='Give {"exporting": "bernoulli"}.'
        )
    found: dict[str, Family] = {}
    for name, item in (getattr(codebook, "indicators", None) or {}).items():
        if name in explained and item.family != "continuous":
            found[name] = _family(name, item.family, item.censored)
    for name, family in (given or {}).items():
        if name not in explained:
            raise ModelError(
                f"families names `{name}`, which the model does not regress on anything.",
                hint=did_you_mean(str(name), list(explained))
                or f"Write `{name} ~ ...` in the model, or leave it out.",
                label=str(name),
            )
        found[name] = family if isinstance(family, Family) else _family(name, family, None)
    return {name: f for name, f in found.items() if f.name != "continuous"}


def _family(name: str, text: Any, censored: str | None) -> Family:
    if text in ("continuous", "gaussian"):
        return Family("continuous", -1, None)
    if text == "ordinal":
        raise NotAvailableError(
            f"the family `ordinal` of `{name}` is not available yet.",
            hint="Leave it out to treat the answers as continuous.",
        )
    if text not in FAMILIES:
        raise ModelError(
            f"`{text}` is not a family (`{name}`).",
            hint=did_you_mean(str(text), FAMILIES) or f"Known: {', '.join(FAMILIES)}.",
        )
    if censored is not None:
        return {"lognormal": Lognormal, "weibull": Weibull}[text](censored)
    return FAMILIES[text]()
