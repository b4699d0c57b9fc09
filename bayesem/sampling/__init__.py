"""Starts near the maximum, the sampler, and the verdict on convergence."""
