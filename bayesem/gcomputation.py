"""Expected outcomes on their own scale: what a claim's ``mean``, ``do`` and risks stand for.

``mean(Y | A = 1)`` is what is expected of Y among cases with that A, nothing adjusted.
``do(Y | A = 1)`` sets A for everybody: what leads to A is cut, what follows from A follows.
``risk_difference``, ``risk_ratio`` and ``time_ratio`` compare two such settings of one variable.
Latent variables are set in model-implied sds from their means, observed ones in their own units.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats, spaced
from bayesem.conditional import number
from bayesem.errors import NotAvailableError, PropositionError
from bayesem.families import NORMAL
from bayesem.grammar.statements import LevelsArgument, MeanArgument
from bayesem.implied import Implied
from bayesem.interventions import Answer, expected_log, expected_predictor
from bayesem.questions import Question
from bayesem.variables import ancestors, display_name, links, locate, structure

if TYPE_CHECKING:
    from bayesem.grammar.tokens import Span
    from bayesem.partable import ParameterTable

__all__ = ["contrast", "covariates", "expectation", "intervention"]

#: More rows of observed predictors than this are thinned evenly.
MOST_ROWS = 2_000


def covariates(fit: Any) -> Floats | None:
    """The sample's rows of the observed predictors that are conditioned on, (case, x).

    None where the fit rests on moments, or conditions on nothing: those predictors are then taken
    as normal. In the order of ``table.fixed_x``; of more than 2,000 rows, 2,000 evenly spaced.
    """
    names = _covariate_names(fit.table)
    if not names or not fit.table.means or "observed_data" not in fit.draws.children:
        return None
    observed = fit.draws["observed_data"].to_dataset()
    if "y" not in observed:
        return None
    rows = observed["y"].sel(indicator=names).transpose("case", "indicator").to_numpy()
    if len(rows) > MOST_ROWS:
        rows = rows[spaced(len(rows), MOST_ROWS)]
    return np.asarray(rows, float)


def _covariate_names(table: "ParameterTable") -> list[str]:
    twins = {table.factors[at] for at in links(table)}
    return [name for name in table.fixed_x if name not in twins]


def expectation(argument: MeanArgument, model: Implied, rows: Floats | None = None) -> Answer:
    """``mean(Y | A = 1)``: what is expected of Y given values of others, nothing adjusted.

    Factors and observed predictors are taken as jointly normal. Without conditions, observed
    predictors have the sample's distribution. On Y's own scale: a probability, a mean time or
    count, the units of an observed variable, the reported metric of a factor.

    Parameters
    ----------
    argument : MeanArgument
    model : Implied
    rows : (case, x) array, optional
        Of the observed predictors, as :func:`covariates` gives them.

    Raises
    ------
    PropositionError
        For a name that the model does not have.
    NotAvailableError
        For a condition that is not jointly normal with the rest: an outcome of another family, or
        a variable that depends on one or on products of factors.
    """
    table, span = model.table, argument.span
    target = locate(table, argument.outcome, span)
    others = {o.name for o in table.outcomes if o.family.code != NORMAL}
    given = {}
    for name, node in argument.conditions:
        if name in others:
            raise NotAvailableError(
                f"`mean(...)` given `{name}` is not available: it is not normal.",
                span=span,
                hint=f"`do({argument.outcome} | {name} = 1)` sets it instead.",
            )
        at = locate(table, name, span)
        given[at] = model.level(at, number(node))
    if given:
        return _expected(model, Question(target, given=given))
    return _expected(model, _question(model, target, {}, rows))


def intervention(argument: MeanArgument, model: Implied, rows: Floats | None = None) -> Answer:
    """``do(Y | A = 1, B = 1)``: what is expected of Y if these were set for everybody.

    Parameters
    ----------
    argument : MeanArgument
    model : Implied
    rows : (case, x) array, optional
        As in :func:`expectation`; observed predictors that are not set keep these values.

    Raises
    ------
    PropositionError
        For a name that the model does not have, or a variable that does not lead to Y.

    Examples
    --------
    >>> from bayesem.grammar.claims import parse_claim
    >>> from bayesem.implied import implied
    >>> from bayesem.matrices import Matrices
    >>> from bayesem.model import read_model
    >>> from bayesem.partable import parameter_table
    >>> table = parameter_table(read_model("A =~ a1 + a2; Y =~ y1 + y2; Y ~ A"))
    >>> Beta = np.array([[[0.0, 0.0], [0.5, 0.0]]])
    >>> M = Matrices(np.zeros((1, 4, 2)), Beta, 4 * np.eye(2)[None], np.eye(4)[None],
    ...              np.zeros((1, 4)), np.zeros((1, 2)))
    >>> argument = parse_claim("do(Y | A = 1) > 0").left.args[0]
    >>> intervention(argument, implied(table, M)).value.tolist()
    [1.0]
    """
    span = argument.span
    target = locate(model.table, argument.outcome, span)
    put = {
        _cause(model.table, name, target, span): number(node) for name, node in argument.conditions
    }
    settings = {at: model.level(at, value) for at, value in put.items()}
    return _expected(model, _question(model, target, settings, rows))


def contrast(
    name: str, argument: LevelsArgument, model: Implied, rows: Floats | None = None
) -> Answer:
    """``risk_ratio``, ``risk_difference`` or ``time_ratio`` of ``Y ~ X | high, low``.

    X is set to either value for everybody; observed predictors that are not X keep the sample's
    distribution, so the comparison is adjusted as the graph says. ``time_ratio`` compares geometric
    means; where X only shifts the log time, that is the ratio of medians, and of any quantile.

    Parameters
    ----------
    name : {"risk_ratio", "risk_difference", "time_ratio"}
    argument : LevelsArgument
    model : Implied
    rows : (case, x) array, optional
        As in :func:`expectation`.

    Raises
    ------
    PropositionError
        For an outcome that has no risk or time, or an X that does not lead to it.
    """
    table, span = model.table, argument.span
    target = locate(table, argument.outcome, span)
    outcome = _outcome(table, target)
    time = name == "time_ratio"
    family = None if outcome is None else table.outcomes[outcome].family
    if outcome is None or family is None or not (family.is_time if time else family.is_binary):
        raise _wrong_outcome(name, argument)
    source = _cause(table, argument.predictor, target, span)
    high, low = (
        _question(model, target, {source: model.level(source, number(level))}, rows)
        for level in (argument.high, argument.low)
    )
    with np.errstate(over="ignore"):
        if time:
            pair = [expected_predictor(model, q) for q in (high, low)]
            return pair[0].against(pair[1], lambda a, b: np.exp(a - b))
        pair = [expected_log(model, q, outcome) for q in (high, low)]
        if name == "risk_ratio":
            return pair[0].against(pair[1], lambda a, b: np.exp(a - b))
        return pair[0].against(pair[1], lambda a, b: np.exp(a) - np.exp(b))


def _expected(model: Implied, question: Question) -> Answer:
    number_ = _outcome(model.table, question.target)
    if number_ is None or model.table.outcomes[number_].family.code == NORMAL:
        return expected_predictor(model, question)
    with np.errstate(over="ignore"):
        return expected_log(model, question, number_).then(np.exp)


def _question(model: Implied, target: int, put: dict[int, Floats], rows: Floats | None) -> Question:
    x = tuple(model.table.factors.index(name) for name in _covariate_names(model.table))
    return Question(target, put=put, rows=rows, x=() if rows is None else x)


def _outcome(table: "ParameterTable", target: int) -> int | None:
    """The number of an outcome, by the position of its linear predictor."""
    return next((k for k, o in enumerate(table.outcomes) if o.factor == target), None)


def _cause(table: "ParameterTable", name: str, target: int, span: "Span | None") -> int:
    at = locate(table, name, span, predicts=True)
    end = display_name(table, target)
    if name == end:
        raise PropositionError(f"`{name}` is both the outcome and set.", span=span, label=name)
    if at not in ancestors(structure(table), target):
        raise PropositionError(
            f"`{name}` does not lead to `{end}` in this model, so setting it changes nothing.",
            span=span,
            hint=f"A path such as `{end} ~ {name}` would; `mean({end} | {name} = 1)` compares "
            "cases instead.",
            label=name,
        )
    return at


def _wrong_outcome(name: str, argument: LevelsArgument) -> PropositionError:
    y, x = argument.outcome, argument.predictor
    kind, link = ("time", "/") if name == "time_ratio" else ("binary outcome", "-")
    return PropositionError(
        f"`{y}` is no {kind} of the model, so `{name}` has no meaning for it.",
        span=argument.span,
        hint=f"Say so with `families`, or compare means: `do({y} | {x} = 1) {link} "
        f"do({y} | {x} = -1)`.",
        label=y,
    )
