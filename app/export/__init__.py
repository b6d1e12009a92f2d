"""Files that stand alone: what a page shows, for who has no Assay, on screen and on paper."""
