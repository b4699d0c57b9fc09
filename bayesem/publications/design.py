"""The graph of a publication, reduced to what its printed numbers are about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import NotAvailableError
from bayesem.grammar.statements import Statement
from bayesem.grammar.tokens import Span
from bayesem.model import Model

__all__ = ["Design", "Path", "Standardised", "design_of", "standardised"]


@dataclass(frozen=True, slots=True)
class Path:
    """A directed path between factors, *to* the outcome *from* the predictor."""

    outcome: str
    predictor: str
    label: str


@dataclass(frozen=True, slots=True)
class Design:
    """A recursive graph in which each indicator measures one factor.

    Attributes
    ----------
    factors : tuple of str
        In an order in which every factor follows its predictors.
    indicators : tuple of str
    block : tuple of int
        Position of each indicator's factor.
    paths : tuple of Path
    correlations : tuple of (int, int)
        Pairs of exogenous factors that are free to correlate.
    """

    factors: tuple[str, ...]
    indicators: tuple[str, ...]
    block: tuple[int, ...]
    paths: tuple[Path, ...]
    correlations: tuple[tuple[int, int], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each path."""
        return tuple(path.label for path in self.paths)

    @property
    def to(self) -> tuple[int, ...]:
        """Position of each path's outcome."""
        return tuple(self.factors.index(path.outcome) for path in self.paths)

    @property
    def origin(self) -> tuple[int, ...]:
        """Position of each path's predictor."""
        return tuple(self.factors.index(path.predictor) for path in self.paths)

    @property
    def df(self) -> int:
        """Degrees of freedom of the covariance structure."""
        p = len(self.indicators)
        return p * (p + 1) // 2 - (2 * p + len(self.paths) + len(self.correlations))

    @property
    def df_baseline(self) -> int:
        """Degrees of freedom of the model in which no two indicators correlate."""
        p = len(self.indicators)
        return p * (p - 1) // 2

    def markers(self, which: str) -> tuple[int, ...]:
        """Position of each factor's first or last indicator."""
        found = [[i for i, b in enumerate(self.block) if b == k] for k in range(len(self.factors))]
        return tuple(own[0] if which == "first" else own[-1] for own in found)


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """The completely standardised solution, batched over leading axes.

    Attributes
    ----------
    loadings : (..., indicator) array
    Beta, Phi, total : (..., factor, factor_bis) arrays
        Paths, correlations of the factors, and ``inv(I - Beta)``.
    psi : (..., factor) array
        Residual variances; not positive where the paths are inadmissible.
    """

    loadings: Floats
    Beta: Floats
    Phi: Floats
    total: Floats
    psi: Floats

    def __getitem__(self, rows: slice | np.ndarray) -> "Standardised":
        """Some of the draws."""
        return Standardised(
            self.loadings[rows], self.Beta[rows], self.Phi[rows], self.total[rows], self.psi[rows]
        )

    def Sigma(self, design: Design) -> Floats:
        """Implied correlation matrix of the indicators, (..., indicator, indicator_bis)."""
        block = list(design.block)
        R = self.loadings[..., :, None] * self.loadings[..., None, :]
        R = R * self.Phi[..., block, :][..., :, block]
        every = np.arange(len(block))
        R[..., every, every] = 1.0
        return R

    def log_determinant(self, design: Design) -> Floats:
        r"""Log determinant of the implied correlations, from matrices of the factors' size."""
        precision = self.loadings**2 / (1 - self.loadings**2)
        member = np.eye(len(design.factors))[list(design.block)]
        weight = np.sqrt(precision @ member)
        inner = weight[..., :, None] * self.Phi * weight[..., None, :] + np.eye(weight.shape[-1])
        return np.log1p(-(self.loadings**2)).sum(-1) + np.linalg.slogdet(inner)[1]


def standardised(
    design: Design, loadings: Floats, paths: Floats, correlations: Floats
) -> Standardised:
    """Put standardised numbers into matrices; residual variances follow from unit variances.

    Parameters
    ----------
    design : Design
    loadings : (..., indicator) array
    paths : (..., path) array
    correlations : (..., correlation) array
    """
    m = len(design.factors)
    lead = np.broadcast_shapes(loadings.shape[:-1], paths.shape[:-1], correlations.shape[:-1])
    Beta = np.zeros((*lead, m, m))
    Beta[..., design.to, design.origin] = paths
    Phi, psi = np.broadcast_to(np.eye(m), (*lead, m, m)).copy(), np.ones((*lead, m))
    for c, (i, j) in enumerate(design.correlations):
        Phi[..., i, j] = Phi[..., j, i] = correlations[..., c]
    for k in sorted(set(design.to)):
        row = (Beta[..., k, None, :k] @ Phi[..., :k, :k])[..., 0, :]
        Phi[..., k, :k] = Phi[..., :k, k] = row
        psi[..., k] = 1 - (row * Beta[..., k, :k]).sum(-1)
    total = np.linalg.inv(np.eye(m) - Beta)
    full = np.broadcast_to(loadings, (*lead, loadings.shape[-1]))
    return Standardised(full, Beta, Phi, total, psi)


def design_of(model: Model) -> Design:
    """The design of a model, if its printed numbers can be inverted.

    Raises
    ------
    NotAvailableError
        If the graph is not recursive, has observed predictors or outcomes, cross-loadings, free
        residual covariances, products of factors or equality constraints.
    """
    statements, names = model.parsed.statements, model.factors
    for statement in statements:
        _refuse(statement, names)
    if model.parsed.constraints:
        raise _unavailable("a constraint", model.parsed.constraints[0].span)
    _refuse_equal(statements)
    paths = [s for s in statements if s.op == "~" and s.term.fixed is None]
    found = [Path(s.lhs, s.term.name, s.term.label or f"{s.lhs}~{s.term.name}") for s in paths]
    order = _order(names, found)
    measured = [(s.term.name, s.lhs) for s in statements if s.op == "=~"]
    doubled = [s for s in statements if s.op == "=~" and _twice(s.term.name, measured)]
    if doubled:
        raise _unavailable(f"a cross-loading (`{doubled[0].term.name}`)", doubled[0].span)
    pairs = _correlations(statements, order, {path.outcome for path in found})
    return Design(
        order,
        tuple(indicator for indicator, _ in measured),
        tuple(order.index(factor) for _, factor in measured),
        tuple(found),
        tuple(pairs),
    )


def _correlations(
    statements: Sequence[Statement], order: Sequence[str], caused: set[str]
) -> list[tuple[int, int]]:
    """Pairs of exogenous factors, less those fixed at 0; no residuals may correlate."""
    written = {frozenset((s.lhs, s.term.name)): s for s in statements if s.op == "~~"}
    fixed = {pair for pair, s in written.items() if s.term.fixed == 0}
    for pair, statement in written.items():
        if pair & caused and len(pair) > 1 and pair not in fixed:
            raise _unavailable("a residual covariance of factors", statement.span)
    causes = {s.term.name for s in statements if s.op == "~" and s.term.fixed is None}
    final = sorted(caused - causes, key=list(order).index)
    for i, one in enumerate(final):
        for other in final[i + 1 :]:
            if frozenset((one, other)) not in fixed:
                what = f"correlated residuals of final outcomes (write `{one} ~~ 0*{other}`)"
                raise _unavailable(what, None)
    free = [k for k, name in enumerate(order) if name not in caused]
    every = [(i, j) for i in free for j in free if i < j]
    return [(i, j) for i, j in every if frozenset((order[i], order[j])) not in fixed]


def _twice(name: str, measured: Sequence[tuple[str, str]]) -> bool:
    return sum(indicator == name for indicator, _ in measured) > 1


def _refuse(statement: Statement, names: Sequence[str]) -> None:
    """Anything that the printed numbers of a plain factor model cannot be about."""
    op, term, span = statement.op, statement.term, statement.span
    if op not in ("=~", "~", "~~", "~1"):
        raise _unavailable(f"`{op}`", span)
    if len(term.factors) > 1:
        raise _unavailable(f"the product `{':'.join(term.factors)}`", span)
    if op == "=~" and (term.name in names):
        raise _unavailable(f"the higher-order factor `{statement.lhs}`", span)
    if op == "~" and not {statement.lhs, term.name} <= set(names):
        raise _unavailable("an observed predictor or outcome", span)
    if op == "~" and term.fixed not in (None, 0):
        raise _unavailable(f"a path fixed at {term.fixed:g}", span)
    if op == "~~" and statement.lhs != term.name and not {statement.lhs, term.name} <= set(names):
        raise _unavailable("a residual covariance of indicators", span)


def _refuse_equal(statements: Sequence[Statement]) -> None:
    """Equality of parameters, by a label used twice or by loadings fixed beside the marker."""
    labels: set[str] = set()
    fixed: set[str] = set()
    for s in statements:
        if s.term.label is not None and s.term.label in labels:
            raise _unavailable(f"parameters that are equal (`{s.term.label}`)", s.span)
        if s.term.label is not None:
            labels.add(s.term.label)
        if s.op == "=~" and s.term.fixed is not None:
            if s.lhs in fixed:
                raise _unavailable(f"several fixed loadings of `{s.lhs}`", s.span)
            fixed.add(s.lhs)


def _order(names: Sequence[str], paths: Sequence[Path]) -> tuple[str, ...]:
    """Exogenous factors first, then every factor after its predictors, else as in the model."""
    caused = {path.outcome for path in paths}
    done = [name for name in names if name not in caused]
    left = [name for name in names if name in caused]
    while left:
        ready = [n for n in left if all(p.predictor in done for p in paths if p.outcome == n)]
        if not ready:
            raise NotAvailableError(
                f"rebuilding a graph with a feedback loop ({', '.join(left)}) is not available."
            )
        done.append(ready[0])
        left.remove(ready[0])
    return tuple(done)


def _unavailable(what: str, span: Span | None) -> NotAvailableError:
    return NotAvailableError(
        f"rebuilding a publication whose model has {what} is not available.",
        hint="It needs a recursive graph of factors in which each indicator measures one factor.",
        span=span,
    )
