"""What verdicts lean on: single cases, their selection, priors and ropes."""
