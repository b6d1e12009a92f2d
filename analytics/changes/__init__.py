"""What days say: changes since when, quality by age, before and after a release."""
