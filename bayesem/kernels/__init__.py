"""Compiled log-likelihoods with hand-written gradients, cached on disk."""
