"""Path diagrams: what a model says, laid out without placing anything by hand.

`elements` turns a parameter table into nodes and edges, `layers` and `flow` find layers, order and
places, `blocks` puts indicators beside their factors, `layout` and `arcs` draw lines between them,
`labels` finds room for the numbers. All of these are pure. `marks`, `covariances`, `legend` and
`drawing` need matplotlib, which is imported when something is drawn.
"""

from bayesem.diagrams.path import plot_path

__all__ = ["plot_path"]
