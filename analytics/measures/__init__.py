"""Aggregates of one cell in, estimates with their variances out: what quality and segments share."""
