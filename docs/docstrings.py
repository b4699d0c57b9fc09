"""Prepares docstrings for the site: public names under their public address, markup as Markdown.

The package binds its public names lazily, so that no static reader sees them. And docstrings are
written as Python's documentation is: ``:func:`bayesem.fit```, ``:math:`\\lambda_i```, ``.. [1]``.
Both are put into terms of the site here. Formulae become plain HTML, since nothing on the site
comes from elsewhere.
"""

import re
from collections.abc import Iterator
from typing import Any

import griffe

import bayesem
from bayesem import _HOMES

SYMBOLS = {
    "alpha": "α", "beta": "β", "eta": "η", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "omega": "ω", "phi": "φ", "psi": "ψ", "sigma": "σ", "tau": "τ", "theta": "θ", "varepsilon": "ε",
    "Lambda": "Λ", "Phi": "Φ", "Psi": "Ψ", "Sigma": "Σ", "Theta": "Θ", "ell": "ℓ", "partial": "∂",
    "sum": "Σ", "top": "′", "ln": "ln ", "approx": "≈", "mid": "|", "sqrt": "√", "cdot": "·",
    "left": "", "right": "", ";": " ", ",": " ", "bar": "",
}  # fmt: skip
FRACTION = re.compile(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}")
BAR = re.compile(r"\\bar\s?(\\[a-z]+|[a-z])")
COMMAND = re.compile(r"\\([A-Za-z]+|[;,])")
RAISED = re.compile(r"([_^])(\{[^{}]*\}|\w|′)")
ROLE = re.compile(r":(?:func|class|meth|mod):`~?([\w.]+)`")
MATHS = re.compile(r":math:`([^`]*)`")
DISPLAY = re.compile(r"^( *)\.\. math::\s*(.+)$", re.MULTILINE)
REFERENCE = re.compile(r"^( *)\.\. \[(\d+)\] ", re.MULTILINE)
CITED = re.compile(r" ?\[(\d+)\]_")
CHOICES = re.compile(r"^(\w+(?:, \w+)*) : \{(.+)\}", re.MULTILINE)


class PublicNames(griffe.Extension):
    """Gives each public name its place in the package, and makes Markdown of docstrings."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Bind each public name to where it lives."""
        if pkg.name != bayesem.__name__:
            return
        for name, home in _HOMES.items():
            pkg.set_member(name, griffe.Alias(name, f"bayesem.{home}.{name}"))
            for obj in _documented(pkg[f"{home}.{name}"]):
                obj.docstring.value = markdown(obj.docstring.value)
                if isinstance(obj, griffe.Function):
                    _mend_parameters(obj)


def markdown(text: str) -> str:
    """A docstring with roles as links, formulae as HTML and references as a list."""
    text = MATHS.sub(lambda found: formula(found[1]), ROLE.sub(_linked, text))
    text = DISPLAY.sub(lambda found: f"{found[1]}{formula(found[2])}", text)
    return CITED.sub(r" [\1]", REFERENCE.sub(r"\1\2. ", text))


def formula(tex: str) -> str:
    """Plain HTML of a short formula in LaTeX."""
    text = FRACTION.sub(
        lambda found: f"{_grouped(found[1])}/{_grouped(found[2])}", " ".join(tex.split())
    )
    text = BAR.sub(lambda found: f"{found[1]}\u0304", text).replace("<", "&lt;")
    text = COMMAND.sub(lambda found: SYMBOLS[found[1]], re.sub(r"(\\[a-z]+)\u0304", _barred, text))
    text = text.replace("^′", "′")
    return f'<span class="formula">{RAISED.sub(_raised, text)}</span>'


def _grouped(part: str) -> str:
    return part if len(part) == 1 else f"({part})"


def _barred(found: re.Match[str]) -> str:
    return SYMBOLS[found[1][1:]] + "\u0304"


def _raised(found: re.Match[str]) -> str:
    tag = "sub" if found[1] == "_" else "sup"
    return f"<{tag}>{found[2].strip('{}')}</{tag}>"


def _linked(found: re.Match[str]) -> str:
    name = found[1].rsplit(".", 1)[-1]
    if found[1] in (f"bayesem.{name}", name) and name in _HOMES:
        return f"[`{name}`][bayesem.{name}]"
    return f"`{found[1]}`"


def _documented(obj: griffe.Object) -> Iterator[Any]:
    """A public object and its members, as far as they say anything."""
    members = obj.members.values() if isinstance(obj, griffe.Class) else ()
    yield from (o for o in (obj, *members) if o.docstring is not None)


def _mend_parameters(function: Any) -> None:
    """Show each parameter's own default, and choices as they are typed.

    Of ``draws, tune, chains : int`` the reader of docstrings gives all three the first one's
    default, and of ``{"marker", "unit"}`` it makes names, which then link somewhere.
    """
    choices = dict(_choices(function.docstring.value))
    for section in function.docstring.parsed:
        if section.kind is griffe.DocstringSectionKind.parameters:
            for parameter in section.value:
                if parameter.name in function.parameters:
                    parameter.value = function.parameters[parameter.name].default
                if parameter.name in choices:
                    parameter.annotation = choices[parameter.name]


def _choices(text: str) -> Iterator[tuple[str, str]]:
    for found in CHOICES.finditer(text):
        yield from ((name, found[2].replace(", ", " | ")) for name in found[1].split(", "))
