"""Survey data from a second source: nothing here imports ``bayesem``, so it can judge it."""
