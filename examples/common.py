"""What the examples share: arguments, answers, a fit of part of the model, and a printed page."""

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import fill

import pandas as pd

import bayesem as sem
from bayesem.answers_file import read_csv
from bayesem.generator import asked_from, generate
from bayesem.study_truth import applicable

STUDY = "export_strategy"
FIGURES = Path(__file__).parent / "figures"
EXPORTERS = {"EP", "ACC", "SPEED"}  # asked of exporters only
SELECTION = """\
The equation of exporting is not in this part: who exports is taken as ignorable given
the answers, which is a little more than the model's given the dimensions (--whole)."""


def arguments(text: str | None, n: int = 400, **flags: str) -> argparse.Namespace:
    """Arguments of every example; ``flags`` are switches of its own, each with its help."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=text, formatter_class=form)
    add, figure = parser.add_argument, FIGURES / f"{Path(sys.argv[0]).stem}.png"
    add("answers", nargs="?", type=Path, help="CSV of answers; without it, synthetic ones")
    add("--n", type=int, default=n, help=f"synthetic cases ({n})")
    add("--set", action="append", default=[], metavar="P=STATE",
        help="make a proposition true, false or reversed in synthetic answers")  # fmt: skip
    add("--seed", type=int, default=1, help="same seed, same numbers (1)")
    add("--draws", type=int, default=1000, help="draws by chain, after as many to tune (1000)")
    add("--whole", action="store_true", help="fit the whole model, which takes minutes more")
    add("--figure", type=Path, default=figure, help="where to draw: .png, .pdf or .svg")
    for flag, what in flags.items():
        add(f"--{flag}", action="store_true", help=what)
    return parser.parse_args()


def answers(o: argparse.Namespace, source: str = STUDY) -> pd.DataFrame:
    """The survey's answers, or synthetic ones from the truth that the study declares."""
    if o.answers is not None:
        return read_csv(o.answers)
    asked = applicable(sem.read_model(source), asked_from(o.set))
    return generate(source, o.n, propositions=asked, seed=o.seed)


def fitted(
    source: str, outcomes: Sequence[str], data: pd.DataFrame, o: argparse.Namespace
) -> sem.Fit:
    """Fit the part of a model that explains some outcomes, and say how that went."""
    model = sem.read_model(source) if o.whole else sem.read_model(source).about(*outcomes)
    fit = sem.fit(model, data, identify="unit", draws=o.draws, tune=o.draws, seed=o.seed,
                  progress=False)  # fmt: skip
    part = "the whole model" if o.whole else f"the part that explains {' and '.join(outcomes)}"
    print(f"--- {source}, {part}: {sum(fit.timings.values()):.0f} seconds\n{fit}", flush=True)
    if {*model.factors} & EXPORTERS and not {*model.observed} & {"exporting", "years"}:
        print(SELECTION)
    print()
    return fit


def show(names: Sequence[str], fits: object) -> sem.Verdicts:
    """Judge propositions of the study, print the verdicts, and what they rest on."""
    claims = sem.read_propositions(STUDY)
    verdicts = sem.assess([claims[name] for name in names], fits)
    print(verdicts, "\n\nWhat these rest on:", sep="")
    for name in names:
        print(fill(f"{name}: {claims[name].note}", 80, subsequent_indent="  "))
    print()
    return verdicts


def run(main: Callable[[], None]) -> None:
    """Bad input gets one message and exit code 2."""
    warnings.simplefilter("ignore", sem.ConvergenceWarning)  # what it says is printed
    try:
        main()
    except sem.BayesemError as trouble:
        print(trouble, file=sys.stderr)
        sys.exit(2)
