"""Figures for a paper: verdicts and what they rest on, paths, slopes and surfaces, misfit, shares.

`sheet` is the paper that all of them stand on. `verdict` and `dashboard` draw propositions, from
what `assessed` and `panels` find and `densities` lays on axes; `slopes` and `surface` draw a
`response`; `forest` draws `paths`, on paper or for a browser (`interactive`); `shares`,
`residuals`, `ranks` and `assurance` draw tables.
Matplotlib is imported when something is drawn, and not before.
"""

from bayesem.figures.assurance import plot_design
from bayesem.figures.dashboard import plot_propositions
from bayesem.figures.forest import plot_forest
from bayesem.figures.ranks import plot_ranks
from bayesem.figures.residuals import plot_residuals
from bayesem.figures.shares import plot_shares
from bayesem.figures.slopes import plot_slopes
from bayesem.figures.surface import plot_surface
from bayesem.figures.verdict import plot_verdict

__all__ = [
    "plot_design",
    "plot_forest",
    "plot_propositions",
    "plot_ranks",
    "plot_residuals",
    "plot_shares",
    "plot_slopes",
    "plot_surface",
    "plot_verdict",
]
