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
    "CountFit": "counts.fit",
    "CountModel": "counts.table",
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
    "OrderEvidence": "carrying.sources",
    "PathEvidence": "carrying.sources",
    "Poisson": "families",
    "PriorError": "errors",
    "Proposition": "propositions",
    "PropositionError": "errors",
    "PropositionSet": "propositions",
    "SamplingError": "errors",
    "StudyError": "errors",
    "Verdicts": "verdicts",
    "Weibull": "families",
    "apa_table": "reporting.apa",
    "assess": "verdicts",
    "audit": "publications.audit.report",
    "bibliography": "reporting.bibliography",
    "bundle_effects": "bundles",
    "calibrate": "campaigns.calibration",
    "carry": "carrying.carry",
    "co_occurrence": "counts.co_occurrence",
    "compare": "comparison.ranking",
    "compute_log_likelihood": "pointwise",
    "conditional_indirect": "moderation",
    "count_model": "counts.table",
    "count_sensitivity": "robustness.counts",
    "cut": "cutting",
    "design": "campaigns.assurance",
    "diagram_dot": "diagrams.dot",
    "effects": "decomposition",
    "evidence": "comparison.bridge",
    "fit": "fitting",
    "fit_counts": "counts.fit",
    "fit_indices": "goodness.table",
    "fit_segments": "counts.clustered",
    "generate": "generator",
    "generate_segments": "counts.segments",
    "graph": "fitting",
    "influence": "robustness.cases",
    "information_criteria": "comparison.criteria",
    "interviews": "campaigns.interviews",
    "johnson_neyman": "moderation",
    "kfold": "comparison.folds",
    "lavaan_table": "lavaan_columns",
    "load": "storage",
    "loo": "comparison.leave_one_out",
    "moderated_mediation": "moderation",
    "modifications": "goodness.freeing",
    "order_evidence": "carrying.sources",
    "path_evidence": "carrying.sources",
    "plot_design": "figures",
    "plot_forest": "figures",
    "plot_network": "diagrams",
    "plot_path": "diagrams",
    "plot_propositions": "figures",
    "plot_ranks": "figures",
    "plot_residuals": "figures",
    "plot_shares": "figures",
    "plot_slopes": "figures",
    "plot_surface": "figures",
    "plot_verdict": "figures",
    "predictive": "simulation",
    "predictive_checks": "goodness.checking",
    "prior_implications": "implications",
    "prior_predictive": "simulation",
    "read_model": "model",
    "read_propositions": "propositions",
    "read_segments": "counts.segments",
    "readings": "publications.readings",
    "rebuild": "publications.rebuild",
    "reliability": "measurement",
    "report": "reporting.report",
    "residuals": "goodness.misfit",
    "save": "storage",
    "scores": "scoring",
    "screen": "screening",
    "selection": "robustness.selection",
    "sensitivity": "robustness.priors",
    "simulate": "simulation",
    "slopes": "moderation",
    "summary": "summaries",
    "to_lavaan": "exchange.lavaan",
    "validity": "measurement",
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
