"""How good: aggregates of scores, labels and decisions in, metrics with intervals out."""
