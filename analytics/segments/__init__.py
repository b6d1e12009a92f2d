"""Where it is worse: every value of every segment against the rest, corrected."""
