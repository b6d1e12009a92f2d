"""Which way is better; kept in `analytics.directions`, where segments can reach it too."""

from analytics.directions import DIRECTIONS, Direction, direction, worse_by

__all__ = ["DIRECTIONS", "Direction", "direction", "worse_by"]
