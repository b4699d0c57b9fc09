"""Where compiled kernels are kept: a folder named after a hash of all kernel sources.

numba notices an edited function only in its own file, so a caller cached beside a changed callee
would answer with the old code. The folder's name changes with any kernel source, Python or numba
version.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba

#: Options of functions that only other kernels call: they need no entry from Python, which for
#: many arrays takes longer to compile than the function itself.
INNER: Any = {
    "cache": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True,
}  # fmt: skip


def source_key() -> str:
    """Hash of the kernel sources and of the versions that compile them."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {numba.__version__}".encode())
    above = Path(__file__).parents[1]
    sources = [*Path(__file__).parent.glob("*.py"), above / "priors.py", above / "families.py"]
    for path in sorted(sources):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def folder() -> Path:
    """The cache folder of these very sources."""
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "bayesem" / source_key()


@contextmanager
def kernel_cache() -> Iterator[None]:
    """Let functions decorated inside keep their machine code in :func:`folder`."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
