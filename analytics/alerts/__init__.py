"""Rules over any number, what they saw, the states that follow, incidents, and what is told to whom."""
