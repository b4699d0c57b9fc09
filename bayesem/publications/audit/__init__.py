"""Checks of a paper's printed numbers against each other: one idea a file, one table of findings.

`transcribe` reads the ``[printed]`` part of a codebook, `report` runs the checks, `page` prints.
"""
