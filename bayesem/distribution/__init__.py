"""Many independent pieces of work: numbered, seeded, spread over processes, kept as they come.

`engine` runs them, `cluster` lends the processes, `store` keeps what is done. Dask and Zarr are
imported when they are asked for, and not before. `runner` is for refits of a model that is there.
"""

from bayesem.distribution.engine import Progress, Replicates, run_campaign
from bayesem.distribution.runner import Runner

__all__ = ["Progress", "Replicates", "Runner", "run_campaign"]
