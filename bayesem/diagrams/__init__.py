"""Path diagrams: what a model says, laid out without placing anything by hand.

`elements` turns a parameter table into nodes and edges, `layers` and `flow` find layers, order and
places, `blocks` puts indicators beside their factors, `layout` and `arcs` draw lines between them,
`labels` finds room for the numbers. All of these are pure. `marks`, `tables`, `legend` and
`drawing` need matplotlib, which is imported when something is drawn. `network` draws a study's
factors alone, in `columns` found by the same steps.
"""

from bayesem.diagrams.network import plot_network
from bayesem.diagrams.path import plot_path

__all__ = ["plot_network", "plot_path"]
