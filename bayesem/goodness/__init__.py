"""Does a model fit, where does it not, and what would mend it: one idea a file."""
