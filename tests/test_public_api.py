"""The public names, and what each promises about itself."""

import inspect
from pathlib import Path

import pytest

import bayesem as sem

CONTRACT = {
    "read_model", "read_propositions", "Moments", "fit", "graph", "summary", "effects", "scores",
    "predictive", "prior_predictive", "simulate", "assess", "readings", "rebuild", "save", "load",
}  # fmt: skip


def test_contract_names_exist():
    assert set(sem.__all__) >= CONTRACT
    assert sem.__all__ == sorted(sem.__all__)


@pytest.mark.parametrize("name", sem.__all__)
def test_every_public_name_is_documented(name):
    value = getattr(sem, name)
    text = inspect.getdoc(value)
    assert text
    assert len(text) > 20
    if inspect.isfunction(value) and name in CONTRACT:
        assert "Parameters" in text, name


def test_no_public_name_is_a_module():
    """Importing the module would take the name's place."""
    folder = Path(sem.__file__).parent
    assert not {p.stem for p in folder.iterdir()} & set(sem.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        sem.fitt  # noqa: B018


@pytest.mark.parametrize(
    "argument",
    [{"ordered": ["x1"]}, {"group": "school"}, {"cluster": "school"}, {"method": "laplace"}],
)  # fmt: skip
def test_missing_capabilities_are_refused_by_name(argument, holzinger_data):
    with pytest.raises(sem.NotAvailableError, match="not available yet"):
        sem.fit("f =~ x1 + x2 + x3", holzinger_data, **argument)
