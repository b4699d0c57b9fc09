"""TOML files that remember where each key stood, so that a message can give the line."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bayesem.errors import BayesemError, did_you_mean
from bayesem.grammar.tokens import LONGEST_TEXT, ErrorKind, Source, Span

DEEPEST = 50
OPAQUE = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|\#[^\n]*", re.S
)  # strings and comments: brackets in them nest nothing


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file, read.

    Attributes
    ----------
    data : dict
        What it says.
    source : Source
        Its text.
    sha256 : str
        Of its bytes: a file committed before the data is a preregistration.
    error : type
        The exception that faults in it raise.
    """

    data: dict[str, Any] = field(repr=False)
    source: Source
    sha256: str
    error: ErrorKind

    def fail(self, message: str, *keys: str, hint: str = "") -> BayesemError:
        """Make an error that points at a key."""
        return self.error(message, span=self.span(*keys), hint=hint)

    def span(self, *keys: str) -> Span:
        """Find where a key, given with the tables around it, is written."""
        section = self._section(keys)
        if section is None:
            return Span(self.source, 0, len(self.source.text.partition("\n")[0]))
        depth, start, stop = section
        for key in reversed(keys[depth:]):
            pattern = re.compile(rf"(?:^|[{{,.])[ \t]*[\"']?({re.escape(key)})[\"']?\s*[.=]", re.M)
            found = pattern.search(self.source.text, start, stop)
            if found is not None:
                return Span(self.source, *found.span(1))
        return self._header(start)

    def string_at(self, text: str, *keys: str) -> int | None:
        """Find where the text of a string starts, if the file spells it as it reads."""
        start = self.span(*keys).end
        opening = re.compile(r"[\"']?\s*=\s*(?:\"\"\"|'''|\"|')").match(self.source.text, start)
        if opening is None or not self.source.text.startswith(text, opening.end()):
            return None
        return opening.end()

    def table(self, value: object, *keys: str) -> dict[str, Any]:
        """Pass on a table, or fail."""
        if not isinstance(value, dict):
            raise self.fail(f"`{'.'.join(keys)}` is no table.", *keys)
        return value

    def text(self, value: object, *keys: str) -> str:
        """Pass on a text, or fail."""
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"`{keys[-1]}` is no text.", *keys)
        return value

    def number(self, value: object, *keys: str) -> float:
        """Pass on a finite number, or fail."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(f"`{keys[-1]}` is no number.", *keys)
        if not abs(value) < 1e300:
            raise self.fail(f"`{keys[-1]}` is no finite number.", *keys)
        return float(value)

    def only(self, table: Mapping[str, object], known: Collection[str], *keys: str) -> None:
        """Refuse keys that nothing reads."""
        for key in table:
            if key not in known:
                hint = did_you_mean(key, known) or f"Known are {', '.join(sorted(known))}."
                place = f" in [{'.'.join(keys)}]" if keys else ""
                raise self.fail(f"Unknown key `{key}`{place}.", *keys, key, hint=hint)

    def need(self, table: Mapping[str, object], needed: Collection[str], *keys: str) -> None:
        """Refuse a table without its obligatory keys."""
        for key in needed:
            if key not in table:
                raise self.fail(f"[{'.'.join(keys)}] has no `{key}`.", *keys)

    def _section(self, keys: tuple[str, ...]) -> tuple[int, int, int] | None:
        """Find the innermost table written with a header: its depth and its extent."""
        for depth in range(len(keys), 0, -1):
            parts = r"\s*\.\s*".join(rf"[\"']?{re.escape(key)}[\"']?" for key in keys[:depth])
            header = re.search(rf"^[ \t]*\[[ \t]*{parts}[ \t]*\].*$", self.source.text, re.M)
            if header is not None:
                return depth, header.start(), self._next_header(header.end())
        return 0, 0, self._next_header(0)

    def _next_header(self, at: int) -> int:
        following = re.compile(r"^[ \t]*\[+[ \t]*[\w\"'][^\n=]*\][ \t]*(?:#.*)?$", re.M)
        found = following.search(self.source.text, at)
        return found.start() if found is not None else len(self.source.text)

    def _header(self, start: int) -> Span:
        line = self.source.text[start:].partition("\n")[0].rstrip()
        return Span(self.source, start, start + len(line))


def read_text(path: Path, error: ErrorKind) -> str:
    """Read a text file; a missing, foreign or huge one is an error of the package's own."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise error(f"There is no file `{path}`.", hint="Check the name and the folder.") from None
    except UnicodeDecodeError:
        raise error(f"`{path}` is not text in UTF-8.", hint="Save it as UTF-8.") from None
    except (OSError, ValueError) as trouble:
        raise error(f"`{path}` cannot be read: {trouble}.", hint="Name a text file.") from None
    if len(text) > LONGEST_TEXT:
        raise error(
            f"`{path}` has {len(text):,} characters; at most {LONGEST_TEXT:,} are read.",
            hint="Is it the right file?",
        )
    return text.replace("\r\n", "\n")


def read_document(path: Path, error: ErrorKind) -> Document:
    """Read a TOML file.

    Raises
    ------
    BayesemError
        Of the kind given, with the line and column where the file stops being TOML.
    """
    text = read_text(path, error)
    source = Source(text, str(path))
    _check_depth(source, error)
    try:
        data = tomllib.loads(text)
    except ValueError as trouble:  # TOMLDecodeError, and a number with too many digits
        raise _not_toml(source, str(trouble), error) from None
    return Document(data, source, sha256(path.read_bytes()).hexdigest(), error)


def _check_depth(source: Source, error: ErrorKind) -> None:
    depth = 0
    for match in re.finditer(r"[\[{]|[\]}]", OPAQUE.sub(lambda m: " " * len(m[0]), source.text)):
        depth = depth + 1 if match[0] in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            span = Span(source, match.start(), match.end())
            raise error(f"More than {DEEPEST} levels of nesting.", span=span)


def _not_toml(source: Source, message: str, error: ErrorKind) -> BayesemError:
    said = re.match(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if said is None:
        return error(f"`{source.origin}` is not TOML: {message}.")
    if said[2] is None:
        at = len(source.text.rstrip())
    else:
        lines = source.text.splitlines(keepends=True)[: int(said[2]) - 1]
        at = sum(map(len, lines)) + int(said[3]) - 1
    return error(f"This is not TOML: {said[1]}.", span=Span(source, at, at + 1))
