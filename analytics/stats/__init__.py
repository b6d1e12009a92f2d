"""Generic statistics on aggregates: intervals, moments, rank measures, tests, multiplicity.

Everything here takes counts, sums or moments as NumPy arrays and returns arrays or small named tuples.
Nothing reads, draws, logs or knows what a model is, and nothing of the rest of the project is imported.
"""
