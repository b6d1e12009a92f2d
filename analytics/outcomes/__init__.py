"""Metrics of the product over time, outside experiments: aggregates in, values with intervals out."""
