"""Engines: run SQL, give Arrow."""
