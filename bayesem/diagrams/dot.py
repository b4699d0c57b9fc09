"""A model as Graphviz text, for other programs to lay out."""

from pathlib import Path

from bayesem.diagrams.elements import Edge, diagram_of
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table
from bayesem.simulation import families_of

__all__ = ["diagram_dot"]

SHAPES = {"factor": "ellipse", "observed": "box", "product": "circle"}


def diagram_dot(model: Model | str | Path) -> str:
    """Write the structure of a model in Graphviz's language.

    Parameters
    ----------
    model : Model, str or Path
        As :func:`bayesem.read_model` takes it.

    Returns
    -------
    str
        Every variable is a node, and every path, loading and covariance that is not fixed at 0 an
        edge. Graphviz has no edges onto edges: a moderation is an edge from its moderator to the
        outcome, labelled with the product.

    Examples
    --------
    >>> print(diagram_dot("f =~ a + b; y ~ c1*f"))
    digraph model {
      rankdir=LR;
      "f" [shape=ellipse];
      "a" [shape=box];
      "b" [shape=box];
      "y" [shape=box];
      "f" -> "a" [label="1"];
      "f" -> "b";
      "f" -> "y" [label="c1"];
    }
    """
    model = model if isinstance(model, Model) else read_model(model)
    table = parameter_table(model, families=families_of(model, None))
    diagram = diagram_of(model, table, lists=False)
    lines = [f"  {_quoted(n)} [shape={SHAPES[node.shape]}];" for n, node in diagram.nodes.items()]
    lines += [_edge_text(e, table) for e in diagram.edges]
    lines += [f"  {_quoted(part)} -> {_quoted(product)} [dir=none];"
              for product, part in diagram.ties]  # fmt: skip
    return "\n".join(["digraph model {", "  rankdir=LR;", *lines, "}"])


def _edge_text(edge: Edge, table: ParameterTable) -> str:
    row = table.rows[edge.row]
    label = row.label or ("" if row.value is None else f"{row.value:g}")
    if edge.kind == "moderation":
        label = f"{row.rhs} {label}".strip()
    marks = [f"label={_quoted(label)}"] if label else []
    marks += ["dir=both", "constraint=false"] if edge.kind == "covariance" else []
    marks += ["style=dashed"] if edge.kind == "moderation" else []
    tail = f" [{', '.join(marks)}]" if marks else ""
    return f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{tail};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
