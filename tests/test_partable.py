"""The parameter table against what lavaan's sem() writes for the same text."""

import pytest
from texts import DEMOCRACY, HOLZINGER

from bayesem.errors import BayesemError, ConstraintError, ModelError, NotAvailableError
from bayesem.model import read_model
from bayesem.partable import parameter_table


def _free(text, **arguments):
    table = parameter_table(read_model(text), **arguments)
    return {r.name for r in table.rows if r.free}


def _count(text, **arguments):
    return len(_free(text, **arguments))


@pytest.mark.parametrize(
    ("text", "arguments", "count"),
    [
        (HOLZINGER, {}, 30),  # lavaan: 21 without means, 30 with
        (HOLZINGER, {"means": False}, 21),
        (HOLZINGER, {"identify": "unit"}, 30),
        (DEMOCRACY, {}, 42),  # lavaan 0.6: npar = 31 without means, 42 with
        (DEMOCRACY, {"means": False}, 31),
        ("y ~ x + z", {}, 4),  # fixed.x: two slopes, residual variance, intercept
        ("y ~ x + z", {"fixed_x": False}, 9),
        ("f =~ a + b + c\nf ~ x\ny ~ f", {}, 13),
    ],
)
def test_number_of_free_parameters(text, arguments, count):
    assert _count(text, **arguments) == count


@pytest.mark.parametrize(
    ("text", "present", "absent"),
    [
        # exogenous factors go together, an endogenous one does not
        ("f =~ a+b+c\ng =~ d+e+h\nk =~ l+m+n\nk ~ f + g", ["f ~~ g"], ["f ~~ k"]),
        # residuals of final outcomes go together
        ("f =~ a+b+c\ny ~ f\nz ~ f", ["y ~~ z"], ["f ~~ y"]),
        # a mediator's residual does not
        ("m ~ x\ny ~ m", [], ["m ~~ y"]),
        # an observed control and a factor stay uncorrelated
        ("f =~ a+b+c\ny ~ f + x", [], ["f ~~ x", "x ~~ f"]),
        # written-out predictors are modelled
        ("y ~ x\nx ~~ x", ["x ~~ x"], []),
        # first-order factors have residual variances and no covariances of their own
        ("f =~ a+b+c\ng =~ d+e+h\nk =~ l+m+n\ns =~ f+g+k", ["f ~~ f", "s =~ g"], ["f ~~ g"]),
    ],
)
def test_default_covariances(text, present, absent):
    free = _free(text)
    assert set(present) <= free
    assert not set(absent) & free


def test_marker_and_unit_fix_one_number_per_factor():
    marker = parameter_table(read_model(HOLZINGER))
    unit = parameter_table(read_model(HOLZINGER), identify="unit")
    assert [r.name for r in marker.rows if r.marker] == [
        "visual =~ x1",
        "textual =~ x4",
        "speed =~ x7",
    ]
    assert [r.name for r in unit.rows if r.marker] == [
        f"{f} ~~ {f}" for f in ("visual", "textual", "speed")
    ]


def test_label_beside_prior_and_start_keeps_all_three():
    table = parameter_table(read_model('f =~ x1 + a*start(0.4)*prior("normal(1, 2)")*x2 + x3'))
    row = next(r for r in table.rows if r.rhs == "x2")
    assert (row.label, row.start, row.prior) == ("a", 0.4, "normal(1, 2)")


@pytest.mark.parametrize(
    ("text", "error", "fragment"),
    [
        ('f =~ prior("normal(0,1)")*x1 + x2 + x3', ModelError, "fixed at 1 to give `f` a scale"),
        ("f =~ x1 + x2 + x3\nf ~ f:g + g\ng =~ z1 + z2 + z3", ModelError, "product with itself"),
        ("y | t1", NotAvailableError, "thresholds"),
        ("f =~ x1 + a*x2 + x3\na*b > 1", BayesemError, "label"),
        ("f =~ x1 + a*x2 + b*x3\na*b > 1", ConstraintError, "not linear"),
        ("f =~ x1 + a*x2 + x3\nx1 ~~ a*x1", ConstraintError, "shared by"),
        ("f =~ 0*x1 + 0*x2", ModelError, "measured by nothing"),
        ("x1 ~~ -2*x1\nf =~ x1 + x2 + x3", ModelError, "below 0"),
    ],
)
def test_refusals(text, error, fragment):
    with pytest.raises(error, match=fragment.replace("(", r"\(")):
        parameter_table(read_model(text))
