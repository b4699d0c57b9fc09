"""What `to_lavaan` writes is read by lavaan as it is read here: lavaan's own parameter tables."""

import json
from pathlib import Path

import pytest

import bayesem as sem
from bayesem.partable import parameter_table

KNOWN = json.loads(Path(__file__).with_name("lavaan_tables.json").read_text())["models"]


def keyed(rows):
    """By statement; a covariance has no direction, an intercept no right-hand side."""
    found = {}
    for lhs, op, rhs, value, label in rows:
        ends = tuple(sorted((lhs, rhs))) if op == "~~" else (lhs, "" if op == "~1" else rhs)
        found[op, *ends] = (value, label)
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_lavaan_has_the_same_table(name):
    """Which parameters there are, which are fixed and at what, and their labels."""
    one = KNOWN[name]
    model = sem.read_model(one["given"])
    assert sem.to_lavaan(model) == one["written"]
    assert sem.to_lavaan(sem.read_model(one["written"])) == one["written"]
    table = parameter_table(model, identify="marker", means=True)
    mine = keyed((r.lhs, r.op, r.rhs, r.value, r.label or "") for r in table.rows)
    theirs = keyed(one["table"])
    extra = {key: value for key, value in mine.items() if key not in theirs}
    assert {key: mine.get(key) for key in theirs} == theirs
    # observed predictors are conditioned on there; here they have rows as well
    assert all({end for end in key[1:] if end} <= {*table.fixed_x} for key in extra)
