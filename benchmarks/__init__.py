"""Measurements: `make bench` runs them all; each prints medians of several runs and a ratio."""
