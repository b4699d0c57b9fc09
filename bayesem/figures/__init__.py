"""Figures for a paper: what a verdict rests on, and a slope over its moderator.

`panels` lays the comparisons of a claim on axes, `sheet` is the paper that all figures stand on,
`verdict`, `slopes`, `shares`, `residuals`, `ranks`, `assurance` and `network` draw; `layering`,
`curves` and `boxes` lay a graph out. Matplotlib is imported when something is drawn, and not
before.
"""

from bayesem.figures.assurance import plot_design
from bayesem.figures.network import plot_network
from bayesem.figures.ranks import plot_ranks
from bayesem.figures.residuals import plot_residuals
from bayesem.figures.shares import plot_shares
from bayesem.figures.slopes import plot_slopes
from bayesem.figures.verdict import plot_verdict

__all__ = [
    "plot_design",
    "plot_network",
    "plot_ranks",
    "plot_residuals",
    "plot_shares",
    "plot_slopes",
    "plot_verdict",
]
