"""Numbers of verdicts with no more digits than draws can tell apart."""

import math
from typing import Any

import pandas as pd

__all__ = ["LARGEST", "LIGHT", "believed_text", "factor_text", "share_text"]

#: Bayes factors beyond it, or below its inverse, rest on a handful of draws.
LARGEST = 1000.0
#: Weights of readings below it are 0.00 in print.
LIGHT = 0.005


def believed_text(p: float) -> str:
    """A prior probability with two decimals: its Monte-Carlo error reaches into the third.

    Examples
    --------
    >>> believed_text(0.4965), believed_text(0.051), believed_text(0.999), believed_text(0.0)
    ('0.50', '0.05', '>.99', '<.01')
    """
    if p > 0.99:
        return ">.99"
    return "<.01" if p < 0.01 else f"{p:.2f}"


def share_text(weight: float) -> str:
    """A reading's weight with two decimals, and never one that looks like none.

    Examples
    --------
    >>> share_text(0.634), share_text(0.0002), share_text(float("nan"))
    ('0.63', '<.005', '')
    """
    if pd.isna(weight):
        return ""
    return "<.005" if weight < LIGHT else f"{weight:.2f}"


def factor_text(row: Any) -> str:
    """A Bayes factor with two significant digits, or the bound that the draws allow.

    Examples
    --------
    >>> factor_text(pd.Series({"bayes_factor": 178.4, "bayes_factor_bound": ""}))
    '180'
    >>> factor_text(pd.Series({"bayes_factor": 4052.0, "bayes_factor_bound": ""}))
    '> 1,000'
    >>> factor_text(pd.Series({"bayes_factor": 399.0, "bayes_factor_bound": ">"}))
    '> 390'
    """
    value, bound = row["bayes_factor"], row["bayes_factor_bound"]
    if pd.isna(value):
        return ""
    if value > LARGEST and bound != "<":
        return f"> {LARGEST:,.0f}"
    if value < 1 / LARGEST and bound != ">":
        return f"< {1 / LARGEST:g}"
    toward = {">": math.floor, "<": math.ceil}.get(bound, round)
    return f"{bound} {_two_digits(float(value), toward)}".strip()


def _two_digits(value: float, toward: Any) -> str:
    if value <= 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    kept = toward(value / step) * step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{kept:,.{decimals}f}"
