"""Inputs that people get wrong, and what each of them is told: one table, read by test and page."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fake_fits import fake_fit, normal_grid

import bayesem as sem
from bayesem.cli import main
from bayesem.fitting import fit
from bayesem.model import read_model
from bayesem.preparation import prepare
from bayesem.propositions import read_propositions
from bayesem.simulation import simulate
from bayesem.storage import load, save
from bayesem.verdicts import assess

MODEL = "f =~ x1 + x2 + x3\ny ~ a*f\n"
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\n"
LABELS = "f =~ x1 + b*x2 + c*x3\ny ~ a*f\ny ~~ v*y\n"
STUDY = "alliance_mediation"
PAPER = b'[study]\ntitle = "A paper"\nn = 100\n'
PROBIT: dict[str, Any] = {"families": {"y": "bernoulli"}}
TIME: dict[str, Any] = {"families": {"y": sem.Lognormal(censored="wait")}}


@dataclass(frozen=True)
class Case:
    """One bad input: what is called in an empty folder, and what its message says."""

    name: str
    call: Callable[[Path], Any]
    error: type[Exception]
    says: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """One bad command line: files to write first, the words, and what the message says."""

    name: str
    words: tuple[str, ...]
    says: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...] = ()


@cache
def answers() -> pd.DataFrame:
    """Sixty cases of a factor with six indicators and two outcomes."""
    rng = np.random.default_rng(0)
    f = rng.normal(size=60)
    data = pd.DataFrame({f"x{i}": f + rng.normal(size=60) for i in range(1, 7)})
    return data.assign(y=0.5 * f + rng.normal(size=60), z=rng.normal(size=60))


def changed(**columns: Any) -> pd.DataFrame:
    return answers().assign(**columns)


def times() -> np.ndarray:
    """Sixty times."""
    return 1.0 + (np.arange(60) * 7) % 31


def holed(column: np.ndarray) -> np.ndarray:
    """A column with every fourth cell missing."""
    return np.where(np.arange(60) % 4 == 3, np.nan, column)


def with_cell(value: object) -> pd.DataFrame:
    column = answers()["x1"].astype(object)
    column[3] = value
    return changed(x1=column)


def cov() -> pd.DataFrame:
    return answers()[["x1", "x2", "x3", "y"]].cov()


def with_moment(i: int, j: int, value: float, *, both: bool = True) -> pd.DataFrame:
    S = cov()
    S.iloc[i, j] = value
    if both:
        S.iloc[j, i] = value
    return S


def survey() -> pd.DataFrame:
    """Answers to the shipped study's questions, one of them 99."""
    data = simulate(STUDY, 60, seed=1, answers=True)
    data.loc[4, "rsc2"] = 99
    data.attrs.clear()
    return data


def coded(code: float) -> pd.DataFrame:
    """Answers from 1 to 7, two of one column a code."""
    data = (answers() + 4).round().clip(1, 7)
    data.loc[[3, 8], "x1"] = code
    return data


@cache
def known_fit() -> Any:
    draws = {k: normal_grid(0.3, 0.1, seed=s) for s, k in enumerate("abc")}
    return fake_fit(draws, draws)


def on(data: pd.DataFrame, model: str = MODEL, **more: Any) -> Callable[[Path], Any]:
    return lambda _: prepare(model, data, **more)


def of(model: str) -> Callable[[Path], Any]:
    return lambda _: prepare(model, answers())


def priors(given: Any, model: str = MODEL) -> Callable[[Path], Any]:
    return lambda _: prepare(model, answers(), priors=given)


def moments(*a: Any, **k: Any) -> Callable[[Path], Any]:
    return lambda _: sem.Moments(*a, **k)


def fitted(**arguments: Any) -> Callable[[Path], Any]:
    few = {"draws": 50, "tune": 50, "chains": 1, "seed": 1, "progress": False}
    return lambda _: fit(MODEL, answers(), **{**few, **arguments})


def claim(text: Any, **rule: Any) -> Callable[[Path], Any]:
    return lambda _: assess({"P1": text}, known_fit(), **rule)


def file(name: str, content: str | bytes, read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def call(folder: Path) -> Any:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path)

    return call


def toml(content: str | bytes) -> Callable[[Path], Any]:
    return file("p.toml", content, read_propositions)


def sem_file(content: str | bytes) -> Callable[[Path], Any]:
    return file("m.sem", content, lambda path: prepare(path, answers()))


def beside_a_model(content: str) -> Callable[[Path], Any]:
    def call(at: Path) -> Any:
        (at / "m.sem").write_text(MODEL, "utf-8")
        (at / "m.toml").write_text(content, "utf-8")
        return read_model(at / "m.sem")

    return call


def folder(name: str, read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def call(at: Path) -> Any:
        (at / name).mkdir()
        return read(at / name)

    return call


def commas() -> pd.DataFrame:
    return changed(x1=[f"{v:.3f}".replace(".", ",") for v in answers()["x1"]])


G, M, D, I = sem.GrammarError, sem.ModelError, sem.DataError, sem.IdentificationError
C, P, N, S, Q = (
    sem.ConstraintError, sem.PriorError, sem.NotAvailableError, sem.StudyError, sem.PropositionError,
)  # fmt: skip
EMPTY = answers().head(4).reindex(range(60))
NAMES = ["x1", "x2", "x3", "y"]

CASES = [
    Case(*row)
    for row in [
        # data
        ("a column that is not there", of("f =~ x1 + x2 + x9"), M, ("`x9`", "neither a factor", "^^")),
        ("a misspelt factor", of("trust =~ x1+x2+x3\ny ~ trsut"), M, ("`trsut`", "`trust`?")),
        ("an empty column", on(changed(x1=np.nan)), D, ("`x1` is empty",)),
        ("a constant column", on(changed(x1=3.0)), D, ("`x1` is constant (3",)),
        ("duplicate columns", on(changed(x2=2 * answers()["x1"])), D, ("`x1` and `x2` are dupl",)),
        ("a column that is a sum", on(changed(x3=answers().x1 + answers().x2)), D,
         ("`x1`, `x2`, `x3` depend linearly",)),
        ("a cell of text", on(with_cell("often")), D, ("`x1` holds 'often' (row 3)", "Recode")),
        ("a cell of 25,000 characters", on(with_cell("often" * 5000)), D, ("'often", "...")),
        ("decimal commas", on(commas()), D, ("`x1` holds '", "decimal commas")),
        ("yes and no", on(changed(x1=["yes", "no"] * 30)), D, ("holds 'yes' (row 0)",)),
        ("dates", on(changed(x1=pd.date_range("2020", periods=60))), D, ("`x1`", "2020-01-01")),
        ("categories", on(changed(x1=pd.Categorical([1, 2] * 30))), D, ("cells of type category",)),
        ("an infinite value", on(changed(x1=answers().x1.replace(answers().x1[3], np.inf))), D,
         ("infinite value (row 3)", "NaN")),
        ("a value too large to square", on(changed(x1=answers().x1 * 1e200)), D, ("too large",)),
        ("99 for a missing answer", lambda _: prepare(STUDY, survey()), D,
         ("`rsc2` holds 99 (row 4)", "scale 1 to 10", "NaN")),
        ("-99 for a missing answer, without a codebook", on(coded(-99)), D,
         ("`x1` holds -99 (row 3 and 1 more)", "from 1 to 7", "na_values={'x1': [-99]}")),
        ("two columns of one name", on(answers().rename(columns={"x4": "x1"})), D,
         ("`x1` stands 2 times",)),
        ("too few cases", on(answers().head(4)), D, ("4 cases are too few for 4 variables",)),
        ("too few rows that are not empty", on(EMPTY), D, ("4 cases are too few",)),
        ("no rows", on(answers().head(0)), D, ("0 cases",)),
        ("two answers in a column", on(changed(x1=answers().x1.where(answers().index < 2))), D,
         ("has only 2 answers",)),
        ("a path in place of data", on("survey.csv"), D, ("data is a str", "read_csv")),
        ("an array in place of data", on(answers().to_numpy()), D, ("data is a ndarray",)),
        ("a factor that is a column", on(changed(f=1.0)), M, ("`f` is a factor", "Rename")),
        ("missing cells without means", on(answers().mask(answers() > 2), means=False), D,
         ("means=True",)),
        # moments
        ("a covariance matrix without names", moments(cov().to_numpy(), 60), D, ("not a DataFrame",)),
        ("rows and columns named differently", moments(cov().reset_index(drop=True), 60), D,
         ("not named alike", "index=names")),
        ("a covariance matrix that is not square", moments(cov().head(3), 60), D, ("3 rows and 4",)),
        ("an empty covariance matrix", moments(pd.DataFrame(), 60), D, ("is empty",)),
        ("text in a covariance matrix", moments(cov().astype(str), 60), D, ("holds text",)),
        ("one triangle", moments(cov().where(np.tril(np.ones((4, 4))) > 0), 60), D,
         ("empty or infinite", "both triangles")),
        ("a covariance matrix that is not symmetric", moments(with_moment(0, 1, 0.2, both=False), 60),
         D, ("not symmetric: [x1, x2] is 0.2",)),
        ("a covariance matrix that is not positive definite", moments(with_moment(0, 1, 9.0), 60), D,
         ("not positive definite", "nothing is repaired")),
        ("a negative variance", moments(with_moment(0, 0, -1.0), 60), D, ("variance of `x1`",)),
        ("no n", moments(cov(), None), D, ("n is None",)),
        ("n as text", moments(cov(), "60"), D, ("n is '60'",)),
        ("n that is not whole", moments(cov(), 60.5), D, ("n is 60.5",)),
        ("n below the number of variables", moments(cov(), 4), D, ("4 cases are too few",)),
        ("means of other variables", moments(cov(), 60, pd.Series([1.0], ["q"])), D,
         ("does not name the same",)),
        ("a mean given twice", moments(cov(), 60, pd.Series([1.0] * 5, [*NAMES, "y"])), D,
         ("does not name the same",)),
        ("means as text", moments(cov(), 60, pd.Series(["1", "2", "3", "4"], NAMES)), D, ("holds text",)),
        ("a negative weight of a reading", moments(cov(), 60, weight=-1), D, ("weight is -1",)),
        ("an intercept without means", lambda _: prepare(MODEL + "f ~ 1", sem.Moments(cov(), 60)), M,
         ("means are not modelled",)),
        # identification
        ("a factor without a scale", of("f =~ NA*x1 + x2 + x3"), I, ("scale of `f` is free", "1*x1")),
        ("two indicators alone", of("f =~ x1 + x2"), I, ("only 2 indicators",)),
        ("one indicator alone", of("f =~ x1\ny ~ f"), I, ("only 1 indicator.",)),
        ("a loop without instruments", of("y ~ z\nz ~ y"), I, ("`z ~ y`", "tell them apart")),
        ("a path and a covariance of the same two", of("y ~ z\ny ~~ z"), I, ("`y ~ z`", "`y ~~ z`")),
        ("a loading that is also a path", of("f =~ x1+x2+x3+y\ny ~ f"), I, ("`f =~ y`", "`y ~ f`")),
        ("every indicator on both factors", of("f =~ x1+x2+x3\ng =~ x1+x2+x3"), I, ("tell them",)),
        ("all residuals correlated", of("f =~ x1+x2+x3\nx1~~x2\nx2~~x3\nx1~~x3"), I, ("too many",)),
        ("a free factor mean and all intercepts", of("f =~ x1+x2+x3\nf ~ 1"), I, ("`f ~1`",)),
        ("a factor of variance 0", of("f =~ x1+x2+x3\nf ~~ 0*f"), I, ("changes nothing",)),
        ("a loop with a gain of 1", of("y ~ 1*z\nz ~ 1*y\ny ~~ q*z"), I, ("gain of exactly 1",)),
        # grammar
        ("`=` for `~`", of("y = x1"), G, ("`=` is no operator", "regressed on")),
        ("an arrow", of("y -> x1"), G, ("`->`", "Write `Y ~ X`")),
        ("R's assignment", of("y <- x1"), M, ("`y` is neither a label",)),
        ("`<=` in a constraint", of(LABELS + "a <= b"), G, ("Write `<`",)),
        ("an unknown character", of("y @ x1"), G, ("`@` has no meaning",)),
        ("a plus at the end", of("y ~ x1 + "), G, ("found the end",)),
        ("a term taken away", of("y ~ x1 - z"), G, ("cannot be taken away", "0*x")),
        ("two statements on a line", of("y ~ x1 z ~ x2"), G, ("found `z`", "line of its own")),
        ("a function of a variable", of("y ~ log(x1)"), G, ("no modifier `log`",)),
        ("two labels on a path", of("y ~ a*x1 + b*x1"), G, ("two different labels", "`a*x1`")),
        ("two fixed values", of("y ~ 1*2*x1"), G, ("two different fixed values",)),
        ("fixed and free", of("y ~ NA*0.5*x1"), G, ("fixed and made free",)),
        ("fixed, with a prior", of("y ~ 0.5*prior('normal(0,1)')*x1"), G, ("fixed and given a prior",)),
        ("composites", of("f <~ x1 + x2"), N, ("Composites",)),
        ("scale factors", of("y ~*~ y"), N, ("Scale factors",)),
        ("a block by group", of("group: 1\ny ~ x1"), N, ("`group:`",)),
        ("modifiers by group", of("y ~ c(a, b)*x1"), N, ("for each group",)),
        ("exploratory blocks", of("efa('b')*f =~ x1"), N, ("`efa(...)`",)),
        ("thresholds", of("y | t1"), N, ("thresholds",)),
        # model
        ("nothing", of("# only a remark"), M, ("says nothing", "f =~ x1")),
        ("a factor measured by itself", of("f =~ f + x1"), M, ("measured by itself",)),
        ("factors in a circle", of("f =~ g + x1\ng =~ f + x2"), M, ("in a circle",)),
        ("loadings all fixed at 0", of("f =~ 0*x1 + 0*x2"), M, ("measured by nothing",)),
        ("a negative variance, fixed", of("f =~ x1+x2+x3\nf ~~ -1*f"), M, ("fixed at -1, below 0",)),
        ("a covariance beyond the variances", of(TWO + "f ~~ 1*f\ng ~~ 1*g\nf ~~ 1.5*g"), M,
         ("fixed at 1.5",)),
        ("a prior on a marker", of("f =~ prior('normal(0,1)')*x1+x2+x3"), M, ("fixed at 1", "NA*")),
        ("a label that is reserved", of("y ~ loading*x1"), M, ("posterior's own", "another label")),
        ("a product of an unknown factor", of("f =~ x1+x2+x3\ny ~ f + f:w"), M, ("`w` stands in",)),
        ("one label, two values", of("y ~ 2*a*x1 + 3*a*x2"), M, ("fixed at 2 and at 3",)),
        ("a path equal to a variance", of("y ~ a*x1\ny ~~ a*y"), C, ("coefficient and a variance",)),
        # definitions
        ("a definition of an unknown name", of("y ~ a*x1\nab := a*q"), M, ("`q` is neither a label",)),
        ("definitions in a circle", of("y ~ a*x1\np := q\nq := p"), M, ("p := q := p",)),
        ("a definition that runs code", of("y ~ a*x1\np := __import__('os')"), G, ("`__import__`",)),
        ("a number beyond computers", of("y ~ a*x1\nq := 1e400"), G, ("beyond",)),
        ("a label defined again", of("y ~ a*x1\na := 2*a"), M, ("both a label and",)),
        ("a definition nested 2,000 deep", of("y ~ a*x1\nq := " + "-" * 2000 + "a"), G, ("50 levels",)),
        # priors
        ("an unknown preset", priors("defualt"), P, ("`default`?",)),
        ("a negative sd", priors({"paths": "normal(0, -1)"}), P, ("`sigma`", "above 0")),
        ("too few arguments", priors({"paths": "normal(0)"}), P, ("takes 2 arguments",)),
        ("an unknown family", priors({"paths": "nromal(0, 1)"}), P, ("`nromal`", "`normal`?")),
        ("an unknown family of what the model lacks", priors({"factor_means": "nromal(0, 1)"}), P,
         ("`nromal`",)),
        ("an unknown argument", priors({"paths": "normal(mean=0, sd=1)"}), P, ("takes mu, sigma",)),
        ("an argument left out", priors({"paths": "normal(0,,1)"}), P, ("not a number",)),
        ("a uniform prior without ends", priors({"paths": "uniform(0, inf)"}), P, ("inf",)),
        ("an empty interval", priors({"paths": "uniform(1, 0)"}), P, ("lower end first",)),
        ("a mark that does not fit", priors({"paths": "normal(0, 1)[var]"}), P, ("mark [var]",)),
        ("a prior of an unknown label", priors({"b": "normal(0, 1)"}), P, ("`b` in priors",)),
        ("a prior of a misspelt kind", priors({"paht": "normal(0, 1)"}), P, ("`paths`?",)),
        ("a prior of a fixed loading", priors({"f =~ x1": "normal(0, 1)"}), P, ("fixed parameter",)),
        ("two priors of one parameter", priors({"a": "normal(0,1)", "y ~ f": "normal(0,2)"}), P,
         ("are one parameter",)),
        ("a number as prior", priors({"paths": 3}), P, ("is a int", "normal(0, 1)")),
        ("a number as key", priors({1: "normal(0, 1)"}), P, ("key 1",)),
        ("a normal prior of all correlations", priors({"correlations": "normal(0, 1)"}, TWO), P,
         ("not an lkj",)),
        ("a prior of 11,000 characters", priors({"paths": "normal(0,1)" * 1000}), P, ("cannot be read",)),
        ("a prior without mass", priors({"residual_sd": "uniform(-2, -1)"}), P, ("no mass",)),
        # constraints
        ("a constraint on a product", of(LABELS + "a*b == 1"), C, ("not linear", ":=")),
        ("a constraint on an unknown label", of(LABELS + "a > q"), M, ("`q` is neither",)),
        ("constraints that contradict", of(LABELS + "a > 1\na < 0"), C, ("no value for `a`",)),
        ("a label set to two values", of(LABELS + "a == 1\na == 2"), C, ("two different values",)),
        ("equal and greater", of(LABELS + "a == b\na > b"), C, ("cannot hold",)),
        ("a constraint that says nothing", of(LABELS + "a > a"), C, ("restricts nothing",)),
        ("constraints in a ring", of(LABELS + "a > b\nb > c\nc > a"), N, ("too entangled",)),
        ("a variance below 0", of(LABELS + "v == -1"), C, ("set to -1",)),
        ("a path that equals a variance", of(LABELS + "a == v"), C, ("same sort",)),
        ("a chain of constraints", of(LABELS + "a > b > c"), G, ("of its own",)),
        ("an infinite constraint", of(LABELS + "a == 1e200*1e200"), C, ("not finite",)),
        # arguments
        ("no chains", fitted(chains=0), M, ("chains is 0", "at least 1")),
        ("draws as text", fitted(draws="100"), M, ("draws is '100'",)),
        ("cores as text", fitted(cores="two"), M, ("cores is 'two'",)),
        ("a seed as text", fitted(seed="a"), D, ("seed is 'a'",)),
        ("a negative seed", fitted(seed=-1), D, ("seed is -1",)),
        ("Laplace's method", fitted(method="laplace"), N, ("method='laplace'", '"nuts"')),
        ("an unknown sampler", fitted(sampler="stan"), M, ('"nutpie"',)),
        ("an unknown way to identify", fitted(identify="effect"), M, ("identify is 'effect'",)),
        ("whether means are modelled, as text", fitted(means="no"), M, ("means is 'no'",)),
        ("ordinal indicators", fitted(ordered=["x1"]), N, ("`ordered`",)),
        ("ordinal indicators in an array", fitted(ordered=np.array(["x1", "x2"])), N, ("`ordered`",)),
        ("families as text", fitted(families="bernoulli"), M, ("families is a str",)),
        ("an unknown family of an outcome", fitted(families={"y": "bernouli"}), M, ("`bernoulli`?",)),
        ("an ordinal outcome", fitted(families={"y": "ordinal"}), N, ("`ordinal`",)),
        ("a family of what nothing explains", fitted(families={"x1": "bernoulli"}), M,
         ("families names `x1`",)),
        ("a binary outcome with three values", on(changed(y=np.arange(60) % 3), **PROBIT), D,
         ("`y` is bernoulli and holds 2", "0 or 1")),
        ("a binary outcome that never happens", on(changed(y=0.0), **PROBIT), D, ("constant",)),
        ("a negative time", on(changed(y=np.arange(60) - 5.0), **TIME), D,
         ("`y` is lognormal and holds -5", "above 0")),
        ("a censoring column that is missing", on(changed(y=times()), **TIME), D,
         ("censoring column `wait` is not in",)),
        ("a censoring column that is not 0 or 1", on(changed(y=times(), wait=times()), **TIME), D,
         ("not 0 or 1",)),
        ("a censored case without a time", on(changed(y=holed(times()), wait=1.0 * (times() > 20)),
         **TIME), D, ("`wait` is 1 in row", "`y` is missing there")),
        ("a time without word on censoring", on(changed(y=times(), wait=holed(0 * times())), **TIME), D,
         ("`wait` is missing there",)),
        ("only censored times", on(changed(y=times(), wait=1.0), **TIME), D, ("every time",)),
        ("half a count", on(changed(y=times() + 0.5), families={"y": "poisson"}), D, ("whole number",)),
        ("one event counted twice", on(changed(y=times(), wait=1.0 * (times() > 20),
         z=1.0 * (times() <= 20)), MODEL + "z ~ f", families=TIME["families"] | {"z": "bernoulli"}), D,
         ("the same event", "counted twice")),
        ("a binary indicator", on(changed(y=np.arange(60) % 2), TWO + "g =~ y\ny ~ f", **PROBIT), N,
         ("measures a factor",)),
        ("a covariance with a count's residual", on(changed(y=times()), TWO + "y ~ f\ny ~~ g",
         families={"y": "poisson"}), N, ("residual covariance",)),
        ("a mediating outcome with holes", on(changed(y=holed(np.arange(60) % 2)), MODEL + "z ~ y",
         **PROBIT), D, ("missing cells", "predicts other")),
        ("outcomes of moments", lambda _: prepare(MODEL, sem.Moments(answers().cov(), 60, answers().mean()),
         **PROBIT), N, ("case by case",)),
        ("an unknown way to integrate", fitted(integrate="laplace"), M, ("integrate is 'laplace'",)),
        ("nothing to integrate", fitted(integrate="cover", draws=4, tune=1), M,
         ("nothing has to be integrated",)),
        ("a product of three", of(TWO + "y ~ f + g + f:g:f"), N, ("product of 3",)),
        ("a product that measures", of(TWO + "f =~ g:f"), G, ("on the right of `~` only",)),
        ("a product with the outcome itself", of(TWO + "f ~ g + f:g"), M, ("product with itself",)),
        ("a product of an unidentified factor", of("f =~ x1 + x2\ng =~ x4\ny ~ f + g + f:g\nf ~~ 0*g"), I,
         ("tell", "`g`")),
        ("a product in moments", lambda _: prepare(TWO + "y ~ f + g + f:g",
         sem.Moments(answers().cov(), 60, answers().mean())), N, ("case by case",)),
        ("groups", fitted(group="z"), N, ("`group`",)),
        ("clusters", fitted(cluster="z"), N, ("`cluster`",)),
        ("cross-loadings of sd 0", fitted(cross_loadings=0.0), M, ("`cross_loadings`",)),
        ("a truth of an unknown label", lambda _: simulate(MODEL, 90, {"q": 1}), M, ("truth names `q`",)),
        ("fewer cases than variables", lambda _: simulate(MODEL, 3), D, ("n is 3",)),
        # claims
        ("an unknown name", claim("q > 0"), Q, ("`q` is not a label", "The model has: a")),
        ("a label alone", claim("a"), Q, ("`a > 0`",)),
        ("a comparison of two claims", claim("(a > 0) > (b > 0)"), Q, ("comparison of two claims",)),
        ("null of a raw label", claim("null(a)"), Q, ("not standardised", "std(a)")),
        ("code", claim("__import__('os').system('ls') > 0"), Q, ("no function `__import__`",)),
        ("attributes", claim("a.__class__ > 0"), Q, ("`a.__class__` is not a label",)),
        ("equality", claim("a == 0"), Q, ("null(std(x))",)),
        ("a misspelt function", claim("indrect(X -> Y) > 0"), Q, ("`indirect`?",)),
        ("an effect of an unknown factor", claim("total(W -> Y) > 0"), Q, ("`W` is not a factor",)),
        ("a regression as a claim", claim("commitment ~ trust > 0"), Q, ("Give the path a label", "y ~ a*x")),
        ("a claim in English", claim("trust raises commitment"), Q, ("belongs in `says`", "`a > 0`")),
        ("a claim without a name", lambda _: assess("a > 0", known_fit()), Q, ('{"P1": "a > 0"}',)),
        ("a fit before the propositions", lambda _: assess(known_fit(), {"P": "a > 0"}), Q,
         ("Propositions come first",)),
        ("a claim of nothing", claim("  "), Q, ("empty",)),
        ("parentheses 80 deep", claim("(" * 80 + "a" + ")" * 80 + " > 0"), Q, ("50 levels",)),
        ("a claim of two million characters", claim("a > 0" + " " * 2_000_000), Q, ("1,000,000",)),
        ("a claim with direction marks", claim("a > 0\u202e"), Q, ("U+202E",)),
        ("a risk ratio of no binary outcome", claim("risk_ratio(Y ~ X | 1, 0) > 1"), Q,
         ("no binary outcome",)),
        ("a claim that is a number", claim(3), Q, ("no text",)),
        ("a probability of 2", claim("a > 0", prob=2), Q, ("`prob` is 2",)),
        ("a probability as text", claim("a > 0", prob="high"), Q, ("prob is 'high'",)),
        ("a rope of an unknown kind", claim("a > 0", rope={"pth": 0.1}), Q, ("`path`?",)),
        ("no fit", lambda _: assess({"P": "a > 0"}, None), Q, ("a fit is a NoneType",)),
        ("no propositions", lambda _: assess({}, known_fit()), Q, ("no propositions",)),
        # files
        ("a misspelt study", lambda _: read_model("alliance_mediatoin"), S, ("`alliance_mediation`?",)),
        ("an unknown variant", lambda _: read_model(STUDY + ":x"), S, ("no variant `x`",)),
        ("a study's name of 2 MB", lambda _: read_model("y" * 2_000_000), S, ("no study", "...")),
        ("a model file that is missing", lambda at: read_model(at / "no.sem"), S, ("There is no file",)),
        ("a folder as model file", folder("d.sem", read_model), S, ("cannot be read",)),
        ("a number as model", lambda _: read_model(3), M, ("of type `int`", ".sem")),
        ("propositions as a model", file("claims.toml", "", read_model), N, ("holds propositions", ".sem")),
        ("answers as a model", file("survey.csv", "", read_model), N, ("holds answers", ".sem")),
        ("null bytes in a model", sem_file(b"y ~ x1\x00"), G, ("U+0000",)),
        ("a model in another encoding", sem_file(b"\xff\xfey"), S, ("UTF-8",)),
        ("a model of 1.5 MB", sem_file("y" * 1_500_000), S, ("at most 1,000,000",)),
        ("a model of 90,000 unknown columns", sem_file("y ~ " + "+".join(f"q{k}" for k in range(90_000))),
         M, ("`q0` is neither",)),
        ("a model written right to left", sem_file("\u202ey ~ x1"), G, ("U+202E",)),
        ("a key that nothing reads", toml("[P]\nsays='s'\nclaim='a > 0'\nclam=1"), Q, ("`claim`?", ":4:")),
        ("a key of the wrong type", toml("[P]\nsays='s'\nclaim=3"), Q, ("`claim` is no text", ":3:")),
        ("a file that is not TOML", toml("[P\n"), Q, ("not TOML",)),
        ("a claim that breaks off", toml("[P]\nsays='s'\nclaim='a > '"), Q, ("found the end", ":3:")),
        ("a rule out of range", toml("[rule]\nprob = 2\n"), Q, ("`prob` is 2",)),
        ("a proposition that comes later", toml("[P]\nsays=''' '''\nclaim='R'"), Q, ("`says` is no text",)),
        ("propositions that are missing", lambda at: read_propositions(at / "no.toml"), Q, ("no file",)),
        ("nothing as propositions", lambda _: read_propositions(None), Q, ("are a NoneType",)),
        ("propositions in the place of a codebook", beside_a_model("[P1]\nsays='s'\nclaim='a > 0'"), S,
         ("`P1` is a proposition", "claims.toml")),
        ("a fit that is missing", lambda at: load(at / "no.nc"), D, ("there is no file",)),
        ("a fit that is text", file("fit.nc", "hello", load), D, ("cannot be read", "not a saved fit")),
        ("a fit of unknown ending", lambda at: load(at / "fit.txt"), D, (".nc nor .zarr",)),
        ("a fit saved to an unknown ending", lambda at: save(known_fit(), at / "f.txt"), D, (".zarr",)),
    ]
]  # fmt: skip

HEAD = b"x1,x2,x3,y\n"
COMMANDS = [
    Command(*row)
    for row in [
        ("no command", (), ("required",)),
        ("a misspelt command", ("rnu",), ("no command `rnu`", "`run`?")),
        ("an unknown option", ("run", STUDY, "--bogus"), ("--bogus",)),
        ("no draws", ("run", STUDY, "--draws", "0"), ("not at least 1",)),
        ("a misspelt study", ("run", "alliance_mediatoin"), ("`alliance_mediation`?",)),
        ("answers that are missing", ("run", STUDY, "--data", "no.csv"), ("There is no file", "Check the name")),
        ("a Word document as answers", ("fit", MODEL, "--data", "s.docx"), ("a Word document", "as CSV"),
         (("s.docx", b"PK"),)),
        ("answers in a folder", ("run", STUDY, "--data", "."), ("is a folder",)),
        ("semicolons", ("fit", MODEL, "--data", "s.csv"), ("semicolons", "decimal=','"),
         (("s.csv", b"x1;x2\n1,5;2\n"),)),
        ("decimal commas", ("fit", MODEL, "--data", "s.csv"), ("a decimal comma", "line 2"),
         (("s.csv", b'x1,x2\n"1,5",2\n'),)),
        ("a cell too many", ("fit", MODEL, "--data", "s.csv"), ("line 2: 5 cells under 4",),
         (("s.csv", HEAD + b"1,2,3,4,5\n"),)),
        ("no names", ("fit", MODEL, "--data", "s.csv"), ("numbers in its first row",),
         (("s.csv", b"1,5\n2,3\n"),)),
        ("an empty file", ("fit", MODEL, "--data", "s.csv"), ("is empty",), (("s.csv", b""),)),
        ("a picture", ("fit", MODEL, "--data", "s.csv"), ("UTF-8",), (("s.csv", b"\x89PNG\0"),)),
        ("an unknown reading", ("rebuild", STUDY, "Q", "--out", "o.csv"), ("`Q`",)),
        ("a prior without a value", ("run", STUDY, "--priors", "paths", "--quiet"), ("paths",)),
        ("a negative seed", ("simulate", STUDY, "--n", "90", "--seed", "-1", "--out", "o.csv"),
         ("seed is -1",)),
        ("a fit that is missing", ("assess", "no.nc", STUDY), ("there is no file",)),
        ("a file that exists", ("template", STUDY), ("exists already", "--force"),
         ((f"{STUDY}.csv", b""),)),
        ("an audit of nothing", ("audit", "no.toml"), ("There is no file",)),
        ("an audit of a loading above 1", ("audit", "p.toml"), ("p.toml:5", "between -1 and 1"),
         (("p.toml", PAPER + b'[printed.loadings]\nrows = [{ lhs = "F", op = "=~", rhs = "x1", est = 1.1 }]\n'),)),
        ("an audit of text for a number", ("audit", "p.toml"), ("p.toml:5", "no number"),
         (("p.toml", PAPER + b'[printed.w]\nrows = [{ lhs = "Y", op = "~", rhs = "X", est = "high" }]\n'),)),
        ("an audit without n", ("audit", "p.toml"), ("p.toml:3", "`n` is missing"),
         (("p.toml", PAPER.replace(b"n = 100\n", b"") + b"[printed.fit]\nchisq = 30.1\ndf = 20\nrmsea = 0.07\n"),)),
        ("a command without its files", ("report",), ("FIT.nc, PROPOSITIONS", "--help")),
    ]
]  # fmt: skip


def told(case: Case, folder: Path) -> str:
    """The message that a bad input gets; whatever else happens is raised."""
    try:
        case.call(folder)
    except case.error as error:
        return str(error)
    raise AssertionError(f"{case.name}: accepted")


def printed(command: Command, folder: Path) -> tuple[int, str]:
    """Exit code and standard error of a command run in a folder."""
    for name, content in command.files:
        (folder / name).write_bytes(content)
    stderr = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stderr(stderr):
        try:
            code = main(command.words)
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, stderr.getvalue()
