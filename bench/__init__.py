"""Measurements: each script prints both sides of what it compares, in one run."""
