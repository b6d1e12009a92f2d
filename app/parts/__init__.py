"""Pieces of a page used twice: scope bar, questions, tiles, chart cards, empty states, the "?" drawer."""
