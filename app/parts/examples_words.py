"""The words of the Examples page that do not depend on results."""

from __future__ import annotations

KINDS = {
    "worst": "worst",
    "uncertain": "uncertain",
    "best": "best",
    "random": "random",
    "disagreeing": "disagreeing",
    "suspected-labels": "suspected labels",
    "unlike": "unlike reference",
}
DIVERSE = "A row a problem"
DIVERSE_HELP = (
    "Each row stands for a slice that holds more of these rows than of all rows, "
    "instead of ten rows for one problem."
)
VERSIONS = "Versions side by side"
VERSIONS_ALT = "What every version made of the same request"
UNUSUAL_ALT = "Every feature of this row as it lies among the reference"
NEIGHBOURS_ALT = "The rows most like this one"
PIN_TITLE = "Pin this row"
SET = "Regression set"
SET_HELP = "A set begins with its first row."
WHO = "Who"
NOTE = "Why"
PIN = "Pin"
PINNED = "Pinned into {name}."
PIN_NEEDS = "Say which set, and who you are."
MAP_OF = "Map of"
MAP_BY = "By"
METHODS = {"pca": "principal components", "umap": "UMAP"}
MAP_NOTE = (
    "Draw a box around marks to see their rows below. The colour is the loss; numbers are clusters of errors."
)
CHOSEN = "{n} chosen"
CHOSEN_MOST = "The {most} first of {n} chosen rows, by place in the table of points."
CHOSEN_ALT = "The rows inside the box, those of the highest loss first"
CLUSTERS = "Clusters of errors"
CLUSTERS_ALT = "Each cluster of costly rows with what it has in common"
CLICK_CLUSTER = "Choose a cluster to see the worst rows of its slice."
ROWS_ALT = "Every pinned row as every version answered it"
UNPIN = "Take out"
UNPIN_NUMBER = "Number of the row"
UNPIN_NOTE = "Take a row out of its set by its number."
FEATURES = "features"
"""What a map is made of where no embedding is chosen."""
