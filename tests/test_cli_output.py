"""What the command line shows: 80 columns, JSON everywhere, examples that hold, an honest stop."""

import argparse
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayesem.answers_file import read_csv
from bayesem.cli import main
from bayesem.cli.parser import parser
from bayesem.cli.progress import stages
from bayesem.cli.registry import COMMANDS
from bayesem.fit_page import fit_page, fit_record, timings_text
from bayesem.fitting import fit
from bayesem.summaries import summary

LONG = """
relational_social_capital_quality =~ relational_trust_item_1 + relational_trust_item_2 + relational_trust_item_3
growth_of_export_performance ~ the_effect_of_capital*relational_social_capital_quality
growth_of_export_performance ~ an_observed_control_of_size
twice := 2*the_effect_of_capital
"""
CHEAP = {"studies", "template", "simulate"}
EXAMPLES = [(c.name, example) for c in COMMANDS for example in c.examples]


def subparsers():
    whole = parser()
    found = next(a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    return found.choices


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def long_fit(told):
    rng = np.random.default_rng(1)
    f, x = rng.normal(size=(2, 80))
    data = {f"relational_trust_item_{k}": f + rng.normal(size=80) for k in (1, 2, 3)}
    data["an_observed_control_of_size"] = x
    data["growth_of_export_performance"] = 2000 + 1e3 * (f + x + rng.normal(size=80))
    return fit(
        LONG, pd.DataFrame(data), draws=60, tune=100, chains=2, cores=1, seed=1,
        progress=lambda *said: told.append(said),
    )  # fmt: skip


# --- options and examples -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [c.name for c in COMMANDS])
def test_json_and_help_on_every_option(name):
    options = {flag for a in subparsers()[name]._actions for flag in a.option_strings}
    assert "--json" in options
    assert ("--quiet" in options) == ("-q" in options)
    assert all(a.help for a in subparsers()[name]._actions)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_are_commands(name, example):
    words = shlex.split(example)
    assert words[0] == name
    assert callable(parser().parse_args(words).do)


@pytest.mark.parametrize("example", [e for name, e in EXAMPLES if name in CHEAP])
def test_cheap_examples_run(example, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(example)]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80 or "--json" in example


def test_json_of_the_commands_that_write(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = "alliance_mediation"
    assert main(["simulate", study, "--n", "30", "--out", "x.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 30 == len(read_csv(Path("x.csv")))
    assert main(["template", study, "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["codebook"]).is_file()
    assert main(["studies", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["name"] == study
    assert len(found[0]["columns"]) == 21


# --- a fit's page ---------------------------------------------------------------------------------


@pytest.mark.parametrize("standardized", [False, True])
def test_page_of_long_names_fits_80_columns(long_fit, standardized):
    page = fit_page(long_fit, standardized=standardized)
    assert max(map(len, page.splitlines())) <= 80
    assert page.splitlines()[-1] == "NOT CONVERGED: no conclusion rests on these numbers."
    flat = re.sub(r"\s+", " ", page)
    for name in long_fit.spec.names:
        assert name in flat
    assert "(the_effect_of_capital)" in flat


def test_page_and_record_hold_the_summary(long_fit):
    table = summary(long_fit)
    record = json.loads(json.dumps(fit_record(long_fit), allow_nan=False))
    assert [row["mean"] for row in record["parameters"]] == table["mean"].tolist()
    assert not record["converged"]
    mean = table.set_index(["lhs", "op", "rhs"]).loc[("twice", ":=", ""), "mean"]
    line = next(li for li in fit_page(long_fit).splitlines() if li.startswith("  twice"))
    assert float(line.split()[1]) == pytest.approx(mean, rel=0.001)


def test_a_stopped_fit_says_how_far_it_came(long_fit):
    from dataclasses import replace

    whole = replace(long_fit, settings=replace(long_fit.settings, draws=1000))
    assert "STOPPED after 60 of 1,000 draws of each chain." in fit_page(whole)
    assert fit_record(whole)["settings"]["drawn"] == 60


# --- progress -------------------------------------------------------------------------------------


def test_a_fit_tells_of_its_stages(long_fit, told):
    told_of = list(dict.fromkeys(stage for stage, *_ in told))
    assert told_of == ["model", "mode", "libraries", "sampling", "draws", "diagnostics"]
    assert set(told_of) == set(long_fit.timings)
    draws = [(done, total) for stage, done, total in told if stage == "sampling" and total]
    assert all(total in (2 * 160, 2 * 260) and done <= total for done, total in draws)
    assert len(timings_text(long_fit.timings)) <= 80


def test_progress_on_a_pipe_is_a_line_a_stage(capsys):
    tell = stages(argparse.Namespace(quiet=False))
    tell("model", 0, 0)
    for done in range(100):
        tell("sampling", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("] ")[2] for line in lines] == [
        "reading the model and the answers",
        "sampling, 0 of 100 draws",
    ]
    assert stages(argparse.Namespace(quiet=True)) is None


def test_progress_on_a_terminal_is_written_over(monkeypatch):
    written = []
    terminal = SimpleNamespace(isatty=lambda: True, write=written.append, flush=lambda: None)
    monkeypatch.setattr(sys, "stderr", terminal)
    tell = stages(argparse.Namespace(quiet=False))
    for done in range(3):
        tell("sampling", done, 3)
    text = "".join(written)
    assert text.count("\r\x1b[K") == 3
    assert "\n" not in text


# --- completion and Ctrl-C ------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_command(shell, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--print-completion", shell])
    assert stop.value.code == 0
    script = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"\b{command.name}\b", script)
    if shell == "bash":
        assert "--draws-of-matrix" in script
        bash = shutil.which("bash")
        if bash is not None:
            subprocess.run([bash, "-n"], input=script, text=True, check=True)


def _hears_ctrl_c():
    """A suite that a shell runs in the background ignores the signal, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_keeps_what_is_drawn(tmp_path):
    """A real signal: the draws so far are printed and kept, and are no verdict."""
    (tmp_path / "m.sem").write_text("f =~ x1 + x2 + x3\n")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(100, 1)) + rng.normal(size=(100, 3))
    pd.DataFrame(x, columns=["x1", "x2", "x3"]).to_csv(tmp_path / "d.csv", index=False)
    words = ["fit", "m.sem", "--data", "d.csv", "--out", "f.nc", "--tune", "50", "--chains", "2"]
    run = subprocess.Popen(
        [sys.executable, "-m", "bayesem", *words, "--draws", "3000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_hears_ctrl_c,
    )  # fmt: skip
    try:
        assert run.stderr is not None
        for line in run.stderr:
            if "sampling" in line:
                break
        time.sleep(2)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 130, err
    assert "NOT CONVERGED: sampling was interrupted" in out
    drawn = re.search(r"STOPPED after ([\d,]+) of 3,000,000 draws", out)
    assert drawn is not None
    assert "kept in f.nc (what was drawn until the stop)" in err
    from bayesem.storage import load

    kept = load(tmp_path / "f.nc")
    assert kept.draws["posterior"].sizes["draw"] == int(drawn[1].replace(",", ""))
    assert not kept.converged
