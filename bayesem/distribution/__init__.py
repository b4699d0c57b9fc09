"""Many independent pieces of work: numbered, seeded, spread over processes, kept as they come.

`engine` runs them, `cluster` lends the processes, `store` keeps what is done. Dask and Zarr are
imported when they are asked for, and not before.
"""

from bayesem.distribution.engine import Progress, Replicates, run_campaign

__all__ = ["Progress", "Replicates", "run_campaign"]
