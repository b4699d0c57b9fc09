"""Global fit: posterior predictive p and indices of approximate fit, one idea a file."""
