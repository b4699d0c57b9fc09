"""Replicates for tests of the engine; in a module of their own, so that workers can import them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from bayesem.errors import ModelError


def draw(task, number, seed):
    """A few random numbers; some replicates fail, some kill their worker, once or always."""
    if number in task.get("bad", ()):
        raise ModelError("this one is bad.", hint="Expected.")
    if number in task.get("odd", ()):
        return {"x": 1.0}
    if number in task.get("kill", ()):
        mark = Path(task["folder"]) / f"killed {number}"
        if task.get("always") or not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
    if number == task.get("stop"):
        raise KeyboardInterrupt
    time.sleep(task.get("seconds", 0.0))
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((40, 40))
    return {"x": rng.standard_normal(), "y": np.linalg.eigvalsh(A @ A.T)[:3]}


SHAPES = {"x": (), "y": (3,)}
WARMED = []


def warm():
    """Say that kernels would be compiled here."""
    WARMED.append(1)
