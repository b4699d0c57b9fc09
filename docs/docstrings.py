"""Prepares docstrings for the site: public names under their public address, roles as links.

The package binds its public names lazily, so that no static reader sees them; and docstrings write
``:func:`bayesem.fit``` as Python's documentation does. Both are put into terms of the site here.
"""

import re
from typing import Any

import griffe

import bayesem
from bayesem import _HOMES

ROLE = re.compile(r":(?:func|class|meth|mod):`~?([\w.]+)`")


class PublicNames(griffe.Extension):
    """Gives each public name its place in the package, and mends roles."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Bind each public name to where it lives."""
        if pkg.name == bayesem.__name__:
            for name, home in _HOMES.items():
                pkg.set_member(name, griffe.Alias(name, f"bayesem.{home}.{name}"))

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Turn roles into links where the site has the name, and into code elsewhere."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(_linked, obj.docstring.value)


def _linked(found: re.Match[str]) -> str:
    name = found[1].rsplit(".", 1)[-1]
    if found[1] in (f"bayesem.{name}", name) and name in _HOMES:
        return f"[`{name}`][bayesem.{name}]"
    return f"`{found[1]}`"
