"""Chaos for models: faults planted in a copy of the logs, replayed; faults that were real, analysed."""
