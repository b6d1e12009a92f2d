"""The sentences of the Labels page that do not depend on results."""

from __future__ import annotations

AS_OF = "What was known on"
AS_OF_HELP = (
    "Replays the page as it would have read at noon of that day: labels that came later do not exist."
)
NOW = "now"
COVERAGE = "With a label"
EXPECTED = "Expected by now"
DELAY = "Median delay"
NEWEST = "Since the newest label"
SILENT = "Feed silent"
NOT_LEARNED = "no earlier predictions to learn from"
LEARNED = "from {n} earlier predictions"
OF_ALL = "from {n} earlier predictions of all versions"
WITHIN = "95% within {most}"
EXPECTED_SINCE = "{expected} labels expected since; usually at most {usual} apart"
UNDECLARED = "The project declares no labels, so nothing here can say how good the model is."
UNDECLARED_EXAMPLE = """[predictions]
id = "prediction_id"

[labels]                       # a feed of labels that come later ...
path = "labels/*.parquet"
id = "prediction_id"
label = "label"
timestamp = "label_timestamp"

# [predictions]                # ... or columns of the predictions
# label = "label"
# label_timestamp = "label_timestamp\""""
AT_ONCE = "Labels have no time of their own, so they count as known at once: there is no delay to show."
SELECTED = (
    "Labels are selected: {text} Quality is then that of the rows that get a label, not of all rows; "
    "label some of the others at random to know the rest."
)
ABSENT = (
    "A prediction without a label after {after} counts as {means}. Were that time shorter, more would flip later; the "
    "column “Come later” of the table says how many."
)
OLD_ENOUGH = "Predictions too young for 95% of their labels are left out."
NO_HISTORY = "Labels are columns of the predictions: earlier values are not logged, so no change can be seen."
NO_SOURCES = "The project names no column that says who gave a label (`source` under `[labels]`)."
METRIC = "Metric"
ONE_SIDED = (
    "Only one kind of label comes early here, so no weighting can help: "
    "the band says what the metric could still be."
)
