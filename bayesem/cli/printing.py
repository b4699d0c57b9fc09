"""Text or JSON on stdout."""

import argparse
import json
from collections.abc import Callable
from typing import Any

__all__ = ["show"]


def show(a: argparse.Namespace, text: Callable[[], object], record: Callable[[], Any]) -> None:
    """Print one of the two: the page, or plain values as JSON with None for a missing number."""
    if a.json:
        print(json.dumps(record(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print(text())
