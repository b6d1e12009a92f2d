"""Load, errors, latency, objectives and broken assertions: aggregates in, results out."""
