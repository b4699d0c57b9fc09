"""What a claim can name in theme counts: shares, and nothing of a survey's model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bayesem.arithmetic import FUNCTIONS
from bayesem.arrays import Floats
from bayesem.counts.fit import CountFit
from bayesem.errors import PropositionError, did_you_mean
from bayesem.grammar.claims import categories, names
from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import Call, Name, ShareArgument, expression_text

__all__ = ["CountScope", "count_scope", "refuse_foreign", "speaks_of_counts"]

ARITHMETIC: Final = (*FUNCTIONS, "null", "std")


@dataclass(frozen=True, slots=True, eq=False)
class CountScope:
    """Shares by category, and by group and category, in one set of draws.

    Attributes
    ----------
    shares : mapping of str to (chain, draw) array
    grouped : mapping of (str, str) to mapping of str to (chain, draw) array
        By column and group.
    columns : mapping of str to tuple of str
        Groups by column.
    table : None
        There are no parameters.
    """

    shares: Mapping[str, Floats]
    grouped: Mapping[tuple[str, str], Mapping[str, Floats]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    table: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of chains and draws."""
        return next(iter(self.shares.values())).shape

    def has(self, node: Any) -> bool:
        """Whether a node is for the scope to answer, and not arithmetic."""
        return isinstance(node, Name) or node.name not in ARITHMETIC

    def value(self, node: Any, *, std: bool) -> Floats:
        """Draws of a share.

        Raises
        ------
        PropositionError
            For what counts do not have, and for a share that shall be standardised.
        """
        if not isinstance(node, Call) or node.name != "share":
            raise _foreign(node)
        if std:
            raise PropositionError(
                f"`{expression_text(node)}` is on its own scale and has no standardised value.",
                span=node.span,
                hint="Compare it as it is.",
            )
        argument: Any = node.args[0]
        if isinstance(argument, ShareArgument):
            return _named(argument.category, self._group(argument), argument.span)
        return _named(argument.text, self.shares, argument.span)

    def _group(self, argument: ShareArgument) -> Mapping[str, Floats]:
        if not self.columns:
            raise PropositionError(
                f"`share({expression_text(argument)})` cannot be read off a table of counts.",
                span=argument.span,
                hint="It needs a code-by-segment table: `fit_segments(...)`.",
            )
        if argument.column not in self.columns:
            raise _unknown(argument.column, "no column of the segments", self.columns, argument)
        known = self.columns[argument.column]
        if argument.group not in known:
            raise _unknown(argument.group, f"no {argument.column} of the segments", known, argument)
        return self.grouped[argument.column, argument.group]


def _named(category: str, shares: Mapping[str, Floats], span: Any) -> Floats:
    if category in shares:
        return shares[category]
    hint = did_you_mean(category, shares) or f"There are {', '.join(shares)}."
    raise PropositionError(
        f"`{category}` is neither a theme nor a sub-theme.", span=span, hint=hint, label=category
    )


def _unknown(name: str, what: str, known: Any, argument: ShareArgument) -> PropositionError:
    hint = did_you_mean(name, known) or f"There are {', '.join(known)}."
    return PropositionError(f"`{name}` is {what}.", span=argument.span, hint=hint, label=name)


def _foreign(node: Any) -> PropositionError:
    return PropositionError(
        f"`{expression_text(node)}` is of a survey's model, and these are theme counts.",
        span=node.span,
        hint="A claim on counts compares shares: `share(a) > share(b)`.",
    )


def count_scope(fit: CountFit, group: str) -> CountScope:
    """What claims can name in a count fit's draws."""
    tree = fit.draws[group]
    by_group = {
        (column, name): _by_theme(tree[f"{column}_share"].sel({column: name}))
        for column, names_ in fit.phases.items()
        for name in names_
    }
    return CountScope(_by_theme(tree["share"]), by_group, fit.phases)


def _by_theme(share: Any) -> dict[str, Floats]:
    values = share.transpose("chain", "draw", "theme").to_numpy()
    return {str(name): values[..., k] for k, name in enumerate(share["theme"].to_numpy())}


def refuse_foreign(form: Any) -> None:
    """Refuse a claim that names what counts do not have, before anything is computed.

    Raises
    ------
    PropositionError
    """
    for text, span in names(form):
        raise _foreign(Name(text, span))
    for node in walk(form):
        if isinstance(node, Call) and node.name not in (*ARITHMETIC, "share"):
            raise _foreign(node)


def speaks_of_counts(claim: Any) -> bool:
    """Whether a claim names a share.

    Examples
    --------
    >>> from bayesem.grammar.claims import parse_claim
    >>> speaks_of_counts(parse_claim("share(a) > 1/9")), speaks_of_counts(parse_claim("a > 0"))
    (True, False)
    """
    return bool(categories(claim))
