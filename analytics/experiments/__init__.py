"""Randomised comparisons: from moments by arm to verdicts, and from a question to a plan."""
