"""A transcript beside the graph that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bayesem import studies
from bayesem.errors import BayesemError, StudyError
from bayesem.model import Model, read_model
from bayesem.partable import parameter_table
from bayesem.publications.audit.intervals import Printed
from bayesem.publications.audit.transcribe import Transcript, transcribe

__all__ = ["Paper", "read_paper"]


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed, and the graph if there is one.

    Attributes
    ----------
    transcript : Transcript
    model : Model or None
    without : str
        Why there is no graph.
    """

    transcript: Transcript
    model: Model | None
    without: str = ""

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """(outcome, predictor) of every free path of the graph."""
        if self.model is None:
            return ()
        rows = self.model.parsed.statements
        return tuple((s.lhs, s.term.name) for s in rows if s.op == "~" and s.term.fixed is None)

    @property
    def variables(self) -> tuple[str, ...]:
        """Factors and observed variables of the graph."""
        return () if self.model is None else (*self.model.factors, *self.model.observed)

    @property
    def loadings(self) -> Mapping[str, tuple[Printed, ...]]:
        """Printed loadings by factor."""
        found: dict[str, tuple[Printed, ...]] = {}
        book = self.transcript.book
        for table in self.transcript.of("loadings"):
            for row in table.rows:
                known = book.indicators.get(row.text_at("rhs"))
                factor = row.text_at("lhs") or (known.factor if known is not None else None)
                value = row.number_at("est")
                if factor and value is not None:
                    found[factor] = (*found.get(factor, ()), value)
        return found

    def items(self, factor: str) -> int | None:
        """How many indicators a factor has."""
        if factor in self.loadings:
            return len(self.loadings[factor])
        listed = [i for i in self.transcript.book.indicators.values() if i.factor == factor]
        return len(listed) or None

    @property
    def indicators(self) -> int | None:
        """How many observed variables the model has."""
        if self.model is not None:
            return len(self.model.observed)
        count = sum(len(one) for one in self.loadings.values())
        return count or None

    def df(self) -> tuple[int | None, str]:
        """Degrees of freedom of the covariance structure, or why there are none."""
        if self.model is None:
            return None, self.without
        try:
            table = parameter_table(self.model, means=False, fixed_x=False)
        except BayesemError as trouble:
            return None, f"degrees of freedom do not follow from the graph: {trouble.message}"
        if table.casewise or table.constraints:
            return None, "products, other families or constraints: no degrees of freedom"
        free = [row for row in table.rows if row.free and row.matrix in STRUCTURE]
        labelled = {row.label for row in free if row.label is not None}
        count = sum(row.label is None for row in free) + len(labelled)
        p = len(self.model.observed)
        return p * (p + 1) // 2 - count, ""


STRUCTURE = ("Lambda", "Beta", "Psi", "Theta")


def read_paper(source: str | Path) -> Paper:
    """Read a study, a codebook or a graph with a codebook beside it.

    Raises
    ------
    StudyError
        If there is no codebook, or it is badly transcribed.
    """
    book, graph, name = _files(source)
    transcript = transcribe(book)
    if graph is not None:
        return Paper(transcript, read_model(graph if name is None else name))
    return Paper(transcript, None, f"there is no graph ({book.stem}.sem)")


def _files(source: str | Path) -> tuple[Path, Path | None, str | None]:
    """The codebook, the graph, and the name of a shipped study."""
    text = str(source)
    if text.endswith(".toml"):
        book, graph = Path(text), Path(text).with_suffix(".sem")
        return book, graph if graph.is_file() else None, None
    if text.endswith(".sem"):
        book = Path(text).with_suffix(".toml")
        if Path(text).is_file() and not book.is_file():
            raise StudyError(
                f"`{text}` has no codebook beside it.", hint=f"Write its tables in `{book}`."
            )
        return book, Path(text), None
    alone = studies.codebook_alone(text)
    if alone is not None:
        return alone, None, None
    found = studies.find(text)
    if found.codebook_path is None:
        raise StudyError(f"The study `{text}` has no codebook.", hint="Name a `.toml` file.")
    return found.codebook_path, found.model_path, text
