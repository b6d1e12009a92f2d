"""The rows behind a number: the worst, the uncertain, the best, the random."""
