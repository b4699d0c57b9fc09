"""Many simulated studies: is the procedure calibrated, and how large must a sample be."""
