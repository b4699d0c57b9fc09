"""The parameter table: the user's rows, then the defaults of lavaan's sem()."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from bayesem.errors import ConstraintError, ModelError, NotAvailableError, did_you_mean
from bayesem.families import Family, Normal
from bayesem.grammar.statements import Definition, Statement
from bayesem.grammar.tokens import Span
from bayesem.linear import LinearConstraint, linear_constraints
from bayesem.matrices import Product
from bayesem.model import Model

__all__ = ["Outcome", "ParameterTable", "Row", "parameter_table", "twin_of"]

type Identify = Literal["marker", "unit"]


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of one matrix.

    Attributes
    ----------
    lhs, op, rhs : str
        The parameter as lavaan writes it.
    matrix : str
        ``Lambda Beta Psi Theta nu alpha omega shape``.
    i, j : int
        The cell (``j`` is 0 for vectors).
    kind : str
        ``loading path interaction residual_sd factor_sd correlation intercept factor_mean shape``.
    value : float or None
        A fixed value; None where the parameter is estimated.
    frozen : bool
        Fixed at a sample moment (an observed predictor that is conditioned on).
    marker : bool
        Fixed only to give its factor a scale.
    """

    lhs: str
    op: str
    rhs: str
    matrix: str
    i: int
    j: int
    kind: str
    value: float | None = None
    label: str | None = None
    start: float | None = None
    prior: str | None = None
    prior_mark: str | None = None
    frozen: bool = False
    marker: bool = False
    user: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The coordinate of this parameter, such as ``RSC =~ rsc2``."""
        return f"{self.lhs} {self.op} {self.rhs}".rstrip()

    @property
    def free(self) -> bool:
        """Whether the parameter is estimated."""
        return self.value is None and not self.frozen


@dataclass(frozen=True, slots=True)
class Outcome:
    """An observed variable of a family of its own: its linear predictor stands among the factors.

    Attributes
    ----------
    name : str
        Column of the data, and name of the linear predictor.
    factor : int
        Position of the linear predictor among the factors.
    family : Family
    """

    name: str
    factor: int
    family: Family


def twin_of(name: str) -> str:
    """What an outcome is called where its observed value predicts something else."""
    return f"{name} (observed)"


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """All parameters of a model, fixed and free.

    Attributes
    ----------
    rows : tuple of Row
    indicators : tuple of str
        Observed variables, the rows of Lambda.
    factors : tuple of str
        Latent variables, then the observed variables that predict or are predicted, then the linear
        predictors of ``outcomes``.
    latent : tuple of str
        The latent variables among them.
    fixed_x : tuple of str
        Observed predictors that are conditioned on.
    aliases : tuple of (str, str)
        Labels that a constraint such as ``a == b`` made another name of one that stays.
    products : tuple of Product
        Of two factors; their coefficients are the cells of ``omega``.
    outcomes : tuple of Outcome
        Variables of other families. Where their observed value predicts something, it stands
        among ``indicators`` and ``factors`` under the name that :func:`twin_of` gives.
    """

    rows: tuple[Row, ...]
    indicators: tuple[str, ...]
    factors: tuple[str, ...]
    latent: tuple[str, ...]
    fixed_x: tuple[str, ...]
    definitions: tuple[Definition, ...]
    constraints: tuple[LinearConstraint, ...]
    identify: Identify
    means: bool
    aliases: tuple[tuple[str, str], ...] = ()
    products: tuple[Product, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def casewise(self) -> bool:
        """Whether the likelihood needs every case, because moments do not suffice."""
        return bool(self.products or self.outcomes)

    @property
    def labels(self) -> dict[str, tuple[Row, ...]]:
        """Rows by label, in order of first appearance."""
        found: dict[str, tuple[Row, ...]] = {}
        for row in self.rows:
            if row.label is not None:
                found[row.label] = (*found.get(row.label, ()), row)
        return found | {alias: found[label] for alias, label in self.aliases}

    @property
    def phantoms(self) -> tuple[str, ...]:
        """Observed variables that stand among the factors."""
        return self.factors[len(self.latent) : len(self.factors) - len(self.outcomes)]

    def cell(self, matrix: str, i: int, j: int) -> Row | None:
        """The row of a cell, in either order for the symmetric matrices."""
        for row in self.rows:
            same = (row.i, row.j) == (i, j)
            mirrored = matrix in ("Psi", "Theta") and (row.j, row.i) == (i, j)
            if row.matrix == matrix and (same or mirrored):
                return row
        return None


@dataclass(slots=True)
class _Draft:
    """The table while it is being written."""

    model: Model
    identify: Identify
    means: bool
    latent: tuple[str, ...]
    observed: tuple[str, ...]
    phantoms: tuple[str, ...]
    families: Mapping[str, Family]
    products: list[Product] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def factors(self) -> tuple[str, ...]:
        return (*self.latent, *self.phantoms, *self.families)

    def predictor(self, name: str) -> str:
        """The name under which a variable predicts others."""
        return twin_of(name) if name in self.families else name

    def of(self, *ops: str) -> Iterator[Statement]:
        return (s for s in self.model.parsed.statements if s.op in ops)

    def has(self, matrix: str, i: int, j: int) -> bool:
        mirrored = matrix in ("Psi", "Theta")
        return any(
            r.matrix == matrix and ((r.i, r.j) == (i, j) or (mirrored and (r.j, r.i) == (i, j)))
            for r in self.rows
        )

    def place(self, lhs: str, op: str, rhs: str) -> tuple[str, int, int, str]:
        """Matrix, cell and kind of a parameter."""
        inner = self.factors
        if op == "=~":
            k = inner.index(lhs)
            if rhs in inner:
                return "Beta", inner.index(rhs), k, "loading"
            return "Lambda", self.observed.index(rhs), k, "loading"
        if op == "~":
            return "Beta", inner.index(lhs), inner.index(self.predictor(rhs)), "path"
        if op == "~1":
            kind = "factor_mean" if lhs in self.latent else "intercept"
            if lhs in inner:
                return "alpha", inner.index(lhs), 0, kind
            return "nu", self.observed.index(lhs), 0, kind
        kind = "correlation"
        if lhs == rhs:
            kind = "factor_sd" if lhs in self.latent else "residual_sd"
        if lhs in inner:
            return "Psi", inner.index(lhs), inner.index(rhs), kind
        return "Theta", self.observed.index(lhs), self.observed.index(rhs), kind

    def add(
        self, lhs: str, op: str, rhs: str, value: float | None, *, marker: bool = False
    ) -> None:
        matrix, i, j, kind = self.place(lhs, op, rhs)
        if not self.has(matrix, i, j):
            self.rows.append(Row(lhs, op, rhs, matrix, i, j, kind, value, marker=marker))


def parameter_table(
    model: Model,
    *,
    identify: Identify = "marker",
    means: bool = True,
    fixed_x: bool = True,
    families: Mapping[str, Family] = MappingProxyType({}),
) -> ParameterTable:
    """Write every parameter of a model down, with lavaan's defaults for ``sem()``.

    Parameters
    ----------
    model : Model
    identify : {"marker", "unit"}
        What gives a factor its scale: its first loading is 1, or its (residual) variance is.
    means : bool
        Whether intercepts are modelled.
    fixed_x : bool
        Whether observed predictors are conditioned on.
    families : mapping of str to Family
        Of the outcomes that are not continuous.

    Raises
    ------
    ModelError
        For a modifier that would have no effect, or a variable in a place where it cannot stand.
    ConstraintError
        For a constraint that is not linear in the labels, or names an unknown one.
    NotAvailableError
        For thresholds and products of more than two factors.
    """
    draft = _begin(model, identify, families, means=means)
    _user_rows(draft)
    _scales(draft)
    exogenous = _variances(draft)
    twins = tuple(v for v in draft.phantoms if v in map(twin_of, draft.families))
    fixed = (*exogenous, *twins) if fixed_x else twins
    _covariances(draft, ((*exogenous, *twins),) if fixed_x else (exogenous, twins))
    _shapes(draft)
    if means:
        _intercepts(draft, fixed)
    else:
        _refuse_means(draft)
    rows = _freeze(draft.rows, fixed)
    rows = _share_labels(rows)
    _check_fixed_covariances(rows)
    table = ParameterTable(
        rows,
        draft.observed,
        draft.factors,
        draft.latent,
        fixed,
        model.definitions,
        (),
        identify,
        means,
        products=tuple(draft.products),
        outcomes=tuple(
            Outcome(name, draft.factors.index(name), f) for name, f in draft.families.items()
        ),
    )
    _check_empty_factors(table)
    known = {label: found[0].kind for label, found in table.labels.items()}
    return replace(table, constraints=linear_constraints(model.parsed.constraints, known))


def _begin(
    model: Model, identify: Identify, families: Mapping[str, Family], *, means: bool
) -> _Draft:
    if identify not in ("marker", "unit"):
        raise ModelError(
            f"identify is {identify!r}.", hint='Use "marker" or "unit" (factor variances 1).'
        )
    for s in model.parsed.statements:
        if s.op == "|":
            raise NotAvailableError(
                f"thresholds (`{s.lhs} | ...`) are not available yet.", span=s.span
            )
        _check_product(s)
    latent = model.factors
    families = dict(families) | _explained_by_products(model, families)
    observed = tuple(v for v in model.observed if v not in families)
    used: list[str] = []
    for s in model.parsed.statements:
        pair = (s.lhs, *s.term.factors)
        if s.op == "=~" and s.term.name in families:
            raise NotAvailableError(
                f"`{s.term.name}` is {families[s.term.name].name} and measures a factor, which is "
                "not available yet.",
                span=s.term.span,
                hint="Regress it on the factor: `outcome ~ factor`.",
            )
        used += [v for v in s.term.factors if s.op == "~" and v in families]
        if s.op == "~" or (s.op == "~~" and any(v in latent for v in pair)):
            used += [v for v in pair if v in observed]
    indicators = {s.term.name for s in model.parsed.statements if s.op == "=~"}
    alone = [v for v in observed if v not in indicators]
    phantoms = tuple(v for v in observed if v in used or v in alone)
    phantoms = _with_partners(model, observed, phantoms)
    twins = tuple(twin_of(v) for v in families if v in used)
    if means is False and (
        families or any(len(s.term.factors) > 1 for s in model.parsed.statements)
    ):
        raise ModelError(
            "products of factors and outcomes of other families need the means.",
            hint="Use means=True (the default) and raw answers.",
        )
    return _Draft(
        model, identify, means, latent, (*observed, *twins), (*phantoms, *twins), families
    )


def _check_product(s: Statement) -> None:
    """A variable cannot be part of what explains it."""
    if len(s.term.factors) > 1 and s.lhs in s.term.factors:
        raise ModelError(
            f"`{s.lhs}` is explained by a product with itself.",
            span=s.term.span,
            hint="Take the product out.",
            label=s.lhs,
        )


def _explained_by_products(model: Model, families: Mapping[str, Family]) -> dict[str, Family]:
    """Observed variables that depend on a product, directly or through factors: outcomes, too."""
    latent = set(model.factors)
    reached = {s.lhs for s in model.parsed.statements if len(s.term.factors) > 1}
    while True:
        more = set()
        for s in model.parsed.statements:
            source = s.lhs if s.op == "=~" else s.term.name
            target = s.term.name if s.op == "=~" else s.lhs
            if s.op in ("=~", "~") and source in reached and source in latent:
                is_path = s.op == "~" or target in latent
                more |= {target} if is_path else set()
        if more <= reached:
            break
        reached |= more
    return {v: Normal() for v in model.observed if v in reached and v not in families}


def _with_partners(
    model: Model, observed: tuple[str, ...], phantoms: tuple[str, ...]
) -> tuple[str, ...]:
    """Whoever shares a residual covariance with a phantom must stand beside it in Psi."""
    inside = set(phantoms)
    pairs = [(s.lhs, s.term.name) for s in model.parsed.statements if s.op == "~~"]
    grown = True
    while grown:
        new = {v for a, b in pairs if {a, b} & inside for v in (a, b) if v in observed} - inside
        inside |= new
        grown = bool(new)
    return tuple(v for v in observed if v in inside)


def _user_rows(draft: _Draft) -> None:
    for s in draft.of("=~", "~", "~~", "~1"):
        t = s.term
        if len(t.factors) > 1:
            matrix, i, j, kind = _product(draft, s)
        else:
            matrix, i, j, kind = draft.place(s.lhs, s.op, t.name)
        draft.rows.append(
            Row(
                s.lhs, s.op, t.name, matrix, i, j, kind, t.fixed, t.label, t.start, t.prior,
                t.prior_mark, user=True, span=t.span or s.span,
            )
        )  # fmt: skip
        if t.fixed is not None and t.prior is not None:
            raise ModelError(
                f"`{draft.rows[-1].name}` is fixed at {t.fixed:g} and has a prior.",
                span=t.span,
                hint="Take one of the two away.",
            )
        if kind in ("factor_sd", "residual_sd") and t.fixed is not None and t.fixed < 0:
            raise ModelError(
                f"the variance `{s.lhs} ~~ {s.lhs}` is fixed at {t.fixed:g}, below 0.",
                span=t.span,
                hint="A variance is at least 0.",
            )


def _product(draft: _Draft, s: Statement) -> tuple[str, int, int, str]:
    """Number a product; its coefficient is a cell of omega."""
    names = [draft.predictor(v) for v in s.term.factors]
    to, first, second = (draft.factors.index(v) for v in (s.lhs, *names))
    raw = [v not in draft.latent for v in names]
    draft.products.append(Product(to, first, second, *raw))
    return "omega", len(draft.products) - 1, 0, "interaction"


def _shapes(draft: _Draft) -> None:
    """Further parameters of outcomes."""
    for k, (name, family) in enumerate(draft.families.items()):
        if family.shaped:
            draft.rows.append(Row(name, "shape", "", "shape", k, 0, "shape"))


def _scales(draft: _Draft) -> None:
    """Give every latent variable a scale, unless the user did."""
    freed = {
        (s.lhs, s.term.name) for s in draft.of("=~", "~~") if s.term.free and s.term.fixed is None
    }
    for factor in draft.latent:
        mine = [k for k, r in enumerate(draft.rows) if r.op == "=~" and r.lhs == factor]
        variance = next((r for r in draft.rows if r.op == "~~" and r.lhs == r.rhs == factor), None)
        if draft.identify == "unit":
            if variance is None:
                draft.add(factor, "~~", factor, 1.0, marker=True)
            elif variance.value is None and (factor, factor) not in freed:
                _pin(draft, draft.rows.index(variance), "its variance", "unit")
            continue
        first = draft.rows[mine[0]]
        if first.value is None and (factor, first.rhs) not in freed:
            _pin(draft, mine[0], "its first loading", "marker")


def _pin(draft: _Draft, k: int, what: str, identify: str) -> None:
    row = draft.rows[k]
    if row.prior is not None:
        other = "the variance" if identify == "marker" else "a loading"
        raise ModelError(
            f"`{row.name}` has a prior, but it is fixed at 1 to give `{row.lhs}` a scale "
            f'(identify="{identify}").',
            span=row.span,
            hint=f"Free it with `NA*` and fix {other} instead, or put the prior elsewhere.",
        )
    draft.rows[k] = replace(row, value=1.0, marker=True)


def _variances(draft: _Draft) -> tuple[str, ...]:
    """Add variances; return the observed variables that nothing predicts."""
    endogenous = {s.lhs for s in draft.of("~")} | {s.term.name for s in draft.of("=~")}
    for name in (*draft.observed, *draft.latent):
        draft.add(name, "~~", name, None)
    _outcome_variances(draft)
    written = {v for s in draft.of("~~") for v in (s.lhs, s.term.name)}
    predictors = {s.term.name for s in draft.of("~")}
    return tuple(
        v
        for v in draft.phantoms
        if v in predictors and v not in endogenous and v not in written
        and not any(s.lhs == v for s in draft.of("~1"))
    )  # fmt: skip


def _outcome_variances(draft: _Draft) -> None:
    """The residual of a linear predictor is what its family says."""
    for name, family in draft.families.items():
        k = draft.factors.index(name)
        for row in draft.rows:
            if row.matrix == "Psi" and k in (row.i, row.j) and (row.value or row.free):
                _check_residual(row, family)
        draft.add(name, "~~", name, family.residual)


def _check_residual(row: Row, family: Family) -> None:
    if row.i == row.j and family.residual is not None:
        raise ModelError(
            f"the residual variance of `{row.lhs}` is given by its family ({family.name}).",
            span=row.span,
            hint="Take the line out.",
        )
    if row.i != row.j and (family.residual == 0.0 or family.name == "normal"):
        raise NotAvailableError(
            f"a residual covariance of `{row.name}` is not available: the residual of a "
            f"{family.name} outcome is not part of a normal distribution here.",
            span=row.span,
            hint="Take the line out, fix it at 0, or use the families bernoulli or lognormal.",
        )


def _covariances(draft: _Draft, exogenous: tuple[tuple[str, ...], ...]) -> None:
    """Lavaan's auto.cov.lv.x, the moments of observed predictors, and auto.cov.y."""
    measured = {s.term.name for s in draft.of("=~")}
    outcomes = [s.lhs for s in draft.of("~")]
    predictors = {s.term.name for s in draft.of("~")}
    free_latent = [f for f in draft.latent if f not in outcomes and f not in measured]
    for a, b in _pairs(free_latent):
        draft.add(a, "~~", b, None)
    for group in exogenous:
        for a, b in _pairs(group):
            draft.add(a, "~~", b, None)
    final = [
        v for v in dict.fromkeys(outcomes)
        if v not in predictors and v not in measured and v not in draft.families
    ]  # fmt: skip
    order = [v for v in draft.factors if v in final]
    for a, b in _pairs(order):
        draft.add(a, "~~", b, None)


def _intercepts(draft: _Draft, fixed: tuple[str, ...]) -> None:
    for name in (*draft.observed, *draft.families):
        draft.add(name, "~1", "", None)
    for name in draft.latent:
        draft.add(name, "~1", "", 0.0)


def _refuse_means(draft: _Draft) -> None:
    for s in draft.of("~1"):
        raise ModelError(
            f"the model has an intercept (`{s.lhs} ~ 1`), but the means are not modelled.",
            span=s.span,
            hint="Use means=True and data with means, or take the line out.",
        )


def _freeze(rows: Iterable[Row], fixed: tuple[str, ...]) -> tuple[Row, ...]:
    """Moments of conditioned predictors are the sample's."""

    def frozen(row: Row) -> bool:
        inside = row.lhs in fixed and (row.rhs in fixed or row.op == "~1")
        return row.op in ("~~", "~1") and inside and row.value is None

    return tuple(replace(row, frozen=True) if frozen(row) else row for row in rows)


def _share_labels(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """A label that stands at a fixed term fixes all that carry it; its kinds must agree."""
    by_label: dict[str, list[Row]] = {}
    for row in rows:
        if row.label is not None:
            by_label.setdefault(row.label, []).append(row)
    fixed: dict[str, float] = {}
    for label, found in by_label.items():
        check_kinds(label, found)
        values = {r.value for r in found if r.value is not None}
        if len(values) > 1:
            raise ConstraintError(
                f"the label `{label}` stands at terms fixed at different values.",
                span=found[-1].span,
                hint="Terms with one label are equal; use two labels.",
            )
        if values:
            fixed[label] = values.pop()
        if len({(r.prior, r.prior_mark) for r in found if r.prior}) > 1:
            raise ConstraintError(
                f"the label `{label}` is given two different priors.",
                span=found[-1].span,
                hint="One parameter has one prior.",
            )
    return tuple(
        replace(r, value=fixed[r.label]) if r.label in fixed and r.value is None else r
        for r in rows
    )


def check_kinds(label: str, found: Sequence[Row]) -> None:
    """Refuse a label that would make a path equal to a variance, and the like."""
    family = {"residual_sd": "variance", "factor_sd": "variance", "correlation": "covariance"}
    kinds = {family.get(r.kind, "coefficient") for r in found}
    if len(kinds) > 1:
        raise ConstraintError(
            f"the label `{label}` is shared by a {' and a '.join(sorted(kinds))}.",
            span=found[-1].span,
            hint="Only parameters of the same sort can be equal; use two labels.",
        )


def _check_fixed_covariances(rows: Sequence[Row]) -> None:
    """Refuse a fixed covariance that the two fixed variances cannot have."""
    variances = {(r.matrix, r.i): r.value for r in rows if r.op == "~~" and r.i == r.j}
    for r in rows:
        if r.op != "~~" or r.i == r.j or r.value is None:
            continue
        v, w = variances.get((r.matrix, r.i)), variances.get((r.matrix, r.j))
        if v is not None and w is not None and r.value**2 > v * w:
            raise ModelError(
                f"`{r.name}` is fixed at {r.value:g}, beyond what variances of {v:g} and {w:g} "
                "allow.",
                span=r.span,
                hint="A covariance is at most the product of the two standard deviations.",
            )


def _check_empty_factors(table: ParameterTable) -> None:
    for factor in table.latent:
        mine = [r for r in table.rows if r.op == "=~" and r.lhs == factor]
        if all(r.value == 0 for r in mine):
            raise ModelError(
                f"`{factor}` is measured by nothing: all its loadings are fixed at 0.",
                span=mine[0].span,
                hint="Free at least one loading.",
            )


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((a, b) for k, a in enumerate(names) for b in names[k + 1 :])


def unknown_label(name: str, known: Iterable[str], span: Span | None) -> ConstraintError:
    """The error for a constraint on a label that no parameter carries."""
    return ConstraintError(
        f"`{name}` is not a label of the model.", span=span, hint=did_you_mean(name, list(known))
    )
