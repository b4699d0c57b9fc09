"""Which model predicts better, and which one the data favour."""
