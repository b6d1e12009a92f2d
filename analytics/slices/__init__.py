"""Slices: where the model is worse, searched over conditions that nobody declared, and said only if confirmed."""
