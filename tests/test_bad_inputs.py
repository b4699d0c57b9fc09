"""Every bad input of the table gets one clear message that says what to do."""

import re

import pytest
from bad_inputs import CASES, COMMANDS, printed

from bayesem.errors import BayesemError

LONGEST = 600
PYTHON = re.compile(r"Traceback|Error\b|Exception|<class|0x[0-9a-f]{6}|\bself\b|\.py\b")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_is_refused_with_advice(case, tmp_path):
    with pytest.raises(case.error) as caught:
        case.call(tmp_path)
    error, text = caught.value, str(caught.value)
    assert isinstance(error, BayesemError)
    assert type(error) is case.error
    for part in case.says:
        assert part in text
    assert error.hint or error.span
    assert not PYTHON.search(error.message)
    assert len(text) < LONGEST


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_bad_command_exits_with_2_and_one_message(command, tmp_path):
    code, text = printed(command, tmp_path)
    assert code == 2
    for part in command.says:
        assert part in text
    assert text.count("bayesem: ") == 1
    assert not PYTHON.search(text)
    assert len(text) < LONGEST


def test_names_differ():
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))
