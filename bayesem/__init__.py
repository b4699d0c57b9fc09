"""Bayesian structural equation modelling: from survey theory to tested propositions.

Names are bound on first use, so that ``import bayesem`` stays cheap.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Answers": "data",
    "BayesemError": "errors",
    "Bernoulli": "families",
    "ConstraintError": "errors",
    "ConvergenceWarning": "errors",
    "DataError": "errors",
    "Fit": "posterior",
    "GrammarError": "errors",
    "IdentificationError": "errors",
    "Lognormal": "families",
    "Model": "model",
    "ModelError": "errors",
    "Moments": "data",
    "NegativeBinomial": "families",
    "NotAvailableError": "errors",
    "Poisson": "families",
    "PriorError": "errors",
    "Proposition": "propositions",
    "PropositionError": "errors",
    "PropositionSet": "propositions",
    "SamplingError": "errors",
    "StudyError": "errors",
    "Verdicts": "verdicts",
    "Weibull": "families",
    "assess": "verdicts",
    "conditional_indirect": "moderation",
    "effects": "decomposition",
    "fit": "fitting",
    "generate": "generator",
    "graph": "fitting",
    "johnson_neyman": "moderation",
    "load": "storage",
    "moderated_mediation": "moderation",
    "plot_slopes": "figures",
    "plot_verdict": "figures",
    "predictive": "simulation",
    "prior_predictive": "simulation",
    "read_model": "model",
    "read_propositions": "propositions",
    "readings": "publications.readings",
    "rebuild": "publications.rebuild",
    "save": "storage",
    "scores": "scoring",
    "simulate": "simulation",
    "slopes": "moderation",
    "summary": "summaries",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bayesem' has no attribute {name!r}")
    value = getattr(import_module(f"bayesem.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return __all__
