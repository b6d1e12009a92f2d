"""The sentences of the Metrics page that do not depend on results."""

from __future__ import annotations

METRIC = "Metric"
BESIDE = "Quality of the model beside it"
SAME_DAYS = "{metric} of the model on the same days"
TARGET = "target {target}: {reached}"
MET = "met"
MISSED = "missed"
UNCLEAR = "cannot be told yet"
TABLE = "Every metric: its newest whole window, its target, and whether it moved"
UNDECLARED = "The project declares no metrics, so nothing here can say how the product does."
EXAMPLE = """[events]                       # what users did
path = "events/*.parquet"
unit = "user_id"
timestamp = "timestamp"

[metrics.buyers]
kind = "proportion"
value = "event = 'purchase'"
target = 0.25
means = "did the user buy"
logged_as = "purchase events of the checkout service"
"""
