"""Published tables as data: what readings they admit, and data that each reading implies.

`readings` weighs the readings, `closure` shows each cell, `rebuild` draws covariance matrices, and
`publish` prints what a paper would, to check the way back. Nothing here samples a posterior.
"""

from bayesem.publications.design import Design, Path, design_of
from bayesem.publications.printed import Publication
from bayesem.publications.publish import publish
from bayesem.publications.readings import closure, from_printed, publication, readings
from bayesem.publications.rebuild import rebuild

__all__ = [
    "Design",
    "Path",
    "Publication",
    "closure",
    "design_of",
    "from_printed",
    "publication",
    "publish",
    "readings",
    "rebuild",
]
