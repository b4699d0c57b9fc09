"""A specification as a readable PyMC graph: what the kernels are checked against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from bayesem.arithmetic import defined
from bayesem.arrays import DIMENSION, LINEAR, MATRICES, VARIABLES, VECTORS, Floats
from bayesem.data import Answers, Moments
from bayesem.graph_data import observe
from bayesem.graph_transforms import Bounded, VectorBounded
from bayesem.partable import Row
from bayesem.priordraws import draw_prior, lkj_correlations
from bayesem.priors import FAMILIES, Prior
from bayesem.spec import Block, Parameter, Spec

__all__ = ["graph_of"]


def graph_of(spec: Spec, data: Answers | Moments) -> pm.Model:
    """Build the PyMC model of a specification.

    Each kind of parameter is one random variable (where its priors are of one family) with a
    dimension whose coordinates are the parameters' names. Where the marker metric is asked for, the
    random variables are in home units (``unit_loading``, ``unit_path``) and ``loading``, ``path``
    follow from them. Labels and defined parameters are Deterministics under their own names.

    Parameters
    ----------
    spec : Spec
    data : Answers or Moments

    Returns
    -------
    pymc.Model
    """
    with pm.Model(coords=_coords(spec)) as model:
        values = _joint(spec) if _entangled(spec) else _by_kind(spec)
        home = _matrices(spec, values)
        _reported(spec, home)
        observe(spec, data, home)
    return model


def _coords(spec: Spec) -> dict[str, list[str]]:
    table = spec.table
    coords = {
        "indicator": list(table.indicators), "indicator_bis": list(table.indicators),
        "factor": list(table.factors), "factor_bis": list(table.factors),
    }  # fmt: skip
    if table.products:
        product_rows = [r for r in table.rows if r.matrix == "omega"]
        coords["product"] = [r.name for r in sorted(product_rows, key=lambda r: r.i)]
    if table.outcomes:
        coords["outcome"] = [o.name for o in table.outcomes]
    for variable in VARIABLES:
        names = [r.name for r in table.rows if r.free and r.kind == variable]
        if names:
            coords[DIMENSION[variable]] = names
    return coords


# -- random variables ----------------------------------------------------------------------


def _transform(parameters: Sequence[Parameter]) -> Bounded | None:
    lower = np.array([p.lower for p in parameters])
    upper = np.array([p.upper for p in parameters])
    return Bounded(lower, upper) if np.isfinite([*lower, *upper]).any() else None


def _entangled(spec: Spec) -> bool:
    """Whether priors of different kinds restrict each other, so that only a joint draw is right."""
    covariances = any(p.variable == "covariance" for p in spec.parameters)
    marked = any(p.prior is not None and p.prior.mark == "cov" for p in spec.parameters)
    plain = all(_plain(spec, b) for b in spec.blocks)
    cut = any(_cut(p) for p in spec.parameters)
    return bool(spec.derived) or covariances or marked or cut or not plain


def _cut(p: Parameter) -> bool:
    """Whether bounds cut into a prior that PyMC has no truncated form of."""
    if p.prior is None or p.prior.family in ("normal", "truncatednormal", "flat"):
        return False
    if p.prior.mark in ("var", "prec", "cov") or p.variable == "correlation":
        return False
    low, high = p.prior.support
    return p.lower > low or p.upper < high


def _plain(spec: Spec, block: Block) -> bool:
    """Whether all that the block holds are free correlations, one parameter each."""
    M = getattr(spec.base, block.matrix)[np.ix_(block.nodes, block.nodes)]
    sources = [k for k, _, _ in block.members]
    return not np.any(M - np.diag(np.diag(M))) and len(set(sources)) == len(sources)


@dataclass(frozen=True, slots=True)
class _Values:
    """Sampled values in pieces, so that each matrix depends on the variables that it holds only."""

    pieces: tuple[tuple[tuple[int, ...], Any], ...]

    def pick(self, wanted: Sequence[int]) -> Any:
        """The wanted values as a vector; position -1 stands for 1."""
        used = [(members, rv) for members, rv in self.pieces if set(members) & set(wanted)]
        order = [k for members, _ in used for k in members] + [-1]
        place = {k: position for position, k in enumerate(order)}
        vector = pt.concatenate([*(rv for _, rv in used), pt.ones(1)])
        return vector[np.array([place[k] for k in wanted])]


def _by_kind(spec: Spec) -> _Values:
    """One random variable per kind and family."""
    groups: dict[str, list[int]] = {}
    for k, p in enumerate(spec.parameters):
        groups.setdefault(_variable_name(spec, p), []).append(k)
    return _Values(
        tuple(
            (tuple(members), _random_variable(spec, name, members))
            for name, members in groups.items()
        )
    )


def _variable_name(spec: Spec, p: Parameter) -> str:
    """``loading``; ``unit_loading`` at home; the family behind it where the kind has several."""
    base = p.variable
    if spec.scales and base in ("loading", "path", "factor_mean", "interaction"):
        base = f"unit_{base}"
    if base == "correlation":
        return base
    forms = {_form(q) for q in spec.parameters if q.variable == p.variable}
    return base if len(forms) == 1 else "_".join([base, *filter(None, _form(p))])


def _form(p: Parameter) -> tuple[str, str]:
    """Family and mark; a truncated normal and a normal are written as one."""
    if p.prior is None:
        return "", ""
    family = "normal" if p.prior.family == "truncatednormal" else p.prior.family
    mark = p.prior.mark if p.prior.mark in ("var", "prec", "cov") else ""
    if family == "graph":
        family = f"own_{p.name}"
    return family, mark or ""


def _random_variable(spec: Spec, name: str, members: list[int]) -> Any:
    parameters = [spec.parameters[k] for k in members]
    variable = parameters[0].variable
    dim = f"{name}_dim" if name != variable else DIMENSION[variable]
    labels = [p.name for p in parameters]
    if pm.modelcontext(None).coords.get(dim) not in (None, tuple(labels)):
        dim = f"{name}_dim"
    pm.modelcontext(None).add_coords({dim: labels})
    if variable == "correlation":
        return _correlations(spec, name, dim, members, parameters)
    prior = parameters[0].prior
    assert prior is not None
    transform = _transform(parameters)
    if prior.family == "graph":
        return _own(name, dim, prior, transform)
    arguments = _arguments([p.prior for p in parameters if p.prior is not None])
    if prior.mark in ("var", "prec"):
        return _on_square(name, dim, prior, arguments, transform)
    family = getattr(pm, FAMILIES[_family_name([p.prior for p in parameters if p.prior])].pymc)
    # Priors as ordinary PyMC distributions, so that the graph shows them.
    return family(name, **arguments, dims=dim, default_transform=transform)


def _arguments(priors: list[Prior]) -> dict[str, Floats]:
    """Arguments by PyMC's names, a vector each."""
    family = _family_name(priors)
    if family == "truncatednormal":
        whole = [p.args if len(p.args) == 4 else (*p.args, -np.inf, np.inf) for p in priors]
    else:
        whole = [p.args for p in priors]
    columns = np.array(whole, float).reshape(len(priors), -1).T
    return dict(zip(FAMILIES[family].arguments, columns, strict=True))


def _family_name(priors: list[Prior]) -> str:
    families = {p.family for p in priors}
    return families.pop() if len(families) == 1 else "truncatednormal"


def _distribution(family: str, args: Sequence[Any]) -> Any:
    """A PyMC distribution outside any model."""
    exact = [a if isinstance(a, Variable) else np.asarray(a, float) for a in args]
    named = dict(zip(FAMILIES[family].arguments, exact, strict=True))
    return getattr(pm, FAMILIES[family].pymc).dist(**named)


def _own(name: str, dim: str, prior: Prior, transform: Any) -> Any:
    """A prior that the user gave as a PyMC distribution, one parameter."""
    single = prior.graph
    op, params = single.owner.op, single.owner.op.dist_params(single.owner)
    rv = op(*params, size=(1,))
    return pm.modelcontext(None).register_rv(rv, name, dims=(dim,), default_transform=transform)


def _on_square(
    name: str, dim: str, prior: Prior, arguments: dict[str, Floats], transform: Any
) -> Any:
    """A prior on the variance or the precision, as a density of the standard deviation."""
    power = 2 if prior.mark == "var" else -2

    def logp(value: Any, *params: Any) -> Any:
        inner = pm.logp(_distribution(prior.family, params), value**power)
        return inner + pt.log(2 * value ** (power - 1))

    def random(*params: Any, rng: Any = None, size: Any = None) -> Floats:
        rows = zip(*map(np.atleast_1d, params), strict=True)
        drawn = [Prior(prior.family, tuple(map(float, a))).draw(rng, 1)[0] for a in rows]
        return np.asarray(drawn) ** (1 / power)

    return pm.CustomDist(
        name, *arguments.values(), logp=logp, random=random, dims=dim, default_transform=transform,
        class_name=f"{FAMILIES[prior.family].pymc}On{(prior.mark or '').title()}",
    )  # fmt: skip


def _correlations(
    spec: Spec, name: str, dim: str, members: list[int], parameters: list[Parameter]
) -> Any:
    """All free correlations as one vector: LKJ by block, within the positive definite matrices."""
    position = {k: j for j, k in enumerate(members)}
    blocks = [
        (
            len(b.nodes),
            b.eta,
            b.log_normaliser,
            [(position[k], i, j) for k, i, j in b.members],
            b.full,
        )
        for b in spec.blocks
    ]
    cubes = [
        (order, inside)
        for (order, _, _, inside, _), b in zip(blocks, spec.blocks, strict=True)
        if b.cube
    ]

    def logp(value: Any, _: Any) -> Any:
        parts = [
            _block_logp(value, size, eta, inside) - norm for size, eta, norm, inside, _ in blocks
        ]
        return _elementwise(value, parameters) + pt.stack(parts).sum()

    def random(_: Any, rng: Any = None, size: Any = None) -> Floats:
        out = np.empty(len(members))
        for order, eta, _norm, inside, full in blocks:
            draw = _random_block(order, eta, inside, full, parameters, rng)
            for j, a, b in inside:
                out[j] = draw[a, b]
        return out

    return pm.CustomDist(
        name, np.zeros(len(members)), logp=logp, random=random, signature="(k)->(k)", dims=dim,
        default_transform=VectorBounded(parameters, cubes), class_name="LKJBlocks",
    )  # fmt: skip


def _elementwise(value: Any, parameters: Sequence[Parameter]) -> Any:
    """Priors of single values, summed."""
    parts = [
        _log_density(p.prior, value[j]) for j, p in enumerate(parameters) if p.prior is not None
    ]
    return pt.stack(parts).sum() if parts else pt.constant(0.0)


def _log_density(prior: Prior, value: Any) -> Any:
    if prior.family == "graph":
        return pm.logp(prior.graph, value)
    if prior.family == "flat":
        return pt.zeros(())
    if prior.family == "beta" and prior.mark == "cor":
        return pm.logp(_distribution("beta", prior.args), (value + 1) / 2) - np.log(2)
    return pm.logp(_distribution(prior.family, prior.args), value)


def _block_logp(value: Any, order: int, eta: float, members: list[tuple[int, int, int]]) -> Any:
    R = pt.eye(order)
    rows = [i for _, i, j in members] + [j for _, i, j in members]
    cols = [j for _, i, j in members] + [i for _, i, j in members]
    which = [k for k, _, _ in members] * 2
    return _log_det_density(pt.set_subtensor(R[rows, cols], value[which]), eta)


def _log_det_density(R: Any, eta: float) -> Any:
    """(eta - 1) log det R where R is positive definite, minus infinity elsewhere."""
    smallest = pt.min(pt.linalg.eigh(R)[0]) if R.type.shape != (2, 2) else 1 - pt.abs(R[0, 1])
    inside = pt.gt(smallest, 0)
    logdet = pt.linalg.slogdet(pt.switch(inside, R, pt.eye(R.shape[0])))[1]
    return pt.switch(inside, (eta - 1) * logdet, -np.inf)


def _random_block(
    order: int,
    eta: float,
    members: list[tuple[int, int, int]],
    full: bool,  # noqa: FBT001
    parameters: Sequence[Parameter],
    rng: np.random.Generator,
) -> Floats:
    if full:
        return lkj_correlations(order, eta, 1, rng)[0]
    for _ in range(100_000):
        R = np.eye(order)
        for j, a, b in members:
            prior = parameters[j].prior
            R[a, b] = R[b, a] = rng.uniform(-1, 1) if prior is None else prior.draw(rng, 1)[0]
        if np.linalg.eigvalsh(R)[0] > 0 and rng.uniform() < np.linalg.det(R) ** (eta - 1):
            return R
    return np.full((order, order), np.nan)


def _joint(spec: Spec) -> _Values:
    """All sampled values as one random variable, where priors restrict each other."""
    pm.modelcontext(None).add_coords({"parameter": list(spec.names)})

    def logp(value: Any, _: Any) -> Any:
        return _joint_logp(spec, value)

    def random(_: Any, rng: Any = None, size: Any = None) -> Floats:
        return draw_prior(spec, 1, rng)[0]

    parameters = pm.CustomDist(
        "parameters", np.zeros(len(spec.parameters)), logp=logp, random=random,
        signature="(k)->(k)", dims="parameter",
        default_transform=VectorBounded(
            spec.parameters, [(len(b.nodes), list(b.members)) for b in spec.blocks if b.cube]
        ),
        class_name="ConstrainedPrior",
    )  # fmt: skip
    return _whole(spec, parameters)


def _whole(spec: Spec, value: Any) -> _Values:
    """All values as one piece, the derived ones behind the sampled."""
    v = _with_derived(spec, value)
    return _Values(((tuple(range(len(spec.parameters) + len(spec.derived))), v),))


def _joint_logp(spec: Spec, value: Any) -> Any:
    v = _with_derived(spec, value)
    groups: dict[tuple[str, str | None], list[tuple[int, Prior]]] = {}
    for k, prior in spec.priors:
        groups.setdefault((prior.family, prior.mark), []).append((k, prior))
    parts = [_group_density(spec, v, members) for members in groups.values()]
    M = _fill(spec, _whole(spec, value))
    for block in spec.blocks:
        C = M[block.matrix][np.ix_(block.nodes, block.nodes)]
        sd = pt.sqrt(pt.diag(C))
        parts.append(_log_det_density(C / pt.outer(sd, sd), block.eta) - block.log_normaliser)
    return pt.stack(parts).sum()


def _group_density(spec: Spec, v: Any, members: list[tuple[int, Prior]]) -> Any:
    """Summed log-density of values whose priors are of one family and on one sort of quantity."""
    first = members[0][1]
    if first.family == "graph":
        return pt.stack([pm.logp(prior.graph, v[k]) for k, prior in members]).sum()
    where = np.array([k for k, _ in members])
    columns = np.array([prior.args for _, prior in members], float).reshape(len(members), -1).T
    x, log_slope = v[where], pt.zeros(len(members))
    match first.mark:
        case "var":
            x, log_slope = x**2, pt.log(2 * x)
        case "prec":
            x, log_slope = x**-2, np.log(2) - 3 * pt.log(x)
        case "cov":
            scale = _covariance_scale(spec, v, where)
            x, log_slope = x * scale, pt.log(scale)
    if first.family == "flat":
        return log_slope.sum()
    if first.family == "beta" and first.mark == "cor":
        x, log_slope = (x + 1) / 2, log_slope - np.log(2)
    return (pm.logp(_distribution(first.family, list(columns)), x) + log_slope).sum()


def _covariance_scale(spec: Spec, v: Any, where: np.ndarray) -> Any:
    """The product of standard deviations by which each correlation becomes a covariance."""
    padded = pt.concatenate([v, pt.ones(1)])
    terms = [next(t for t in spec.terms if t.source == k) for k in where]
    return padded[np.array([t.first for t in terms])] * padded[np.array([t.second for t in terms])]


def _with_derived(spec: Spec, value: Any) -> Any:
    extra = [
        d.constant + sum((w * value[k] for k, w in d.weights), pt.constant(0.0))
        for d in spec.derived
    ]
    return pt.concatenate([value, pt.stack(extra)]) if extra else value


# -- matrices ------------------------------------------------------------------------------


def _fill(spec: Spec, values: _Values) -> dict[str, Any]:
    """Constants plus terms."""
    out = {name: pt.as_tensor_variable(getattr(spec.base, name)) for name in MATRICES}
    for name in MATRICES:
        terms = [t for t in spec.terms if t.matrix == name]
        if not terms:
            continue
        cells = np.array([t.coefficient for t in terms])
        for part in ("source", "first", "second"):
            wanted = [getattr(t, part) for t in terms]
            if set(wanted) != {-1}:
                cells = cells * values.pick(wanted)
        i, j = np.array([t.i for t in terms]), np.array([t.j for t in terms])
        if name in VECTORS:
            out[name] = pt.inc_subtensor(out[name][i], cells)
            continue
        out[name] = pt.inc_subtensor(out[name][i, j], cells)
        off = np.flatnonzero(i != j)
        if name in ("Psi", "Theta") and off.size:
            out[name] = pt.inc_subtensor(out[name][j[off], i[off]], cells[off])
    return out


def _matrices(spec: Spec, values: _Values) -> dict[str, Any]:
    filled = _fill(spec, values)
    dims = {
        "Lambda": ("indicator", "factor"), "Beta": ("factor", "factor_bis"),
        "Psi": ("factor", "factor_bis"), "Theta": ("indicator", "indicator_bis"),
        "nu": ("indicator",), "alpha": ("factor",), "omega": ("product",), "shape": ("outcome",),
    }  # fmt: skip
    shown = {"shape": "outcome_shape"}  # a random variable has that name
    return {
        name: pm.Deterministic(shown.get(name, name), filled[name], dims=dims[name])
        if getattr(spec.base, name).size or name in LINEAR
        else filled[name]
        for name in MATRICES
    }


def _reported(spec: Spec, home: dict[str, Any]) -> None:
    """Deterministics in the reported metric: rescaled kinds, labels, defined parameters."""
    reported = _rescaled(spec, home)
    table = spec.table
    existing = pm.modelcontext(None).named_vars
    for variable in VARIABLES:
        rows = [r for r in table.rows if r.free and r.kind == variable]
        if rows and variable not in existing:
            values = pt.stack([_quantity(reported, r) for r in rows])
            pm.Deterministic(variable, values, dims=DIMENSION[variable])
    labels = {label: _cell(reported, rows[0]) for label, rows in table.labels.items()}
    for name, value in {**labels, **defined(table.definitions, labels, xp=pt)}.items():
        pm.Deterministic(name, pt.as_tensor_variable(value))


def _rescaled(spec: Spec, home: dict[str, Any]) -> dict[str, Any]:
    if not spec.scales:
        return home
    units: list[Any] = [pt.constant(1.0) for _ in spec.table.factors]
    for scale in spec.scales:
        row = scale.row
        loading = home[row.matrix][row.i, row.j]
        below = units[row.i] if row.matrix == "Beta" else 1.0
        units[scale.factor] = loading * below / row.value
    s = pt.stack(units)
    return {
        "Lambda": home["Lambda"] / s[None, :], "Beta": home["Beta"] * s[:, None] / s[None, :],
        "Psi": home["Psi"] * pt.outer(s, s), "Theta": home["Theta"], "nu": home["nu"],
        "alpha": home["alpha"] * s, "omega": _rescaled_products(spec, home["omega"], s),
        "shape": home["shape"],
    }  # fmt: skip


def _rescaled_products(spec: Spec, omega: Any, s: Any) -> Any:
    if not spec.table.products:
        return omega
    to, first, second = (
        np.array([getattr(p, k) for p in spec.table.products]) for k in ("to", "first", "second")
    )
    return omega * s[to] / (s[first] * s[second])


def _cell(matrices: dict[str, Any], row: Row) -> Any:
    M = matrices[row.matrix]
    return M[row.i] if row.matrix in VECTORS else M[row.i, row.j]


def _quantity(matrices: dict[str, Any], row: Row) -> Any:
    value = _cell(matrices, row)
    if row.kind in ("residual_sd", "factor_sd"):
        return pt.sqrt(value)
    if row.kind == "correlation":
        M = matrices[row.matrix]
        return value / pt.sqrt(M[row.i, row.i] * M[row.j, row.j])
    return value
