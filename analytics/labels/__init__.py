"""Labels that arrive late: how many, how late, from whom, and what that does to quality."""
