"""The sentences of Since when, and of Releases and age, that do not depend on results."""

from __future__ import annotations

METRIC = "Metric by age"
CLICK_FIELD = "Click a dot to see the field's distribution."
ONE_VERSION = "About {version}; one value a {grain}, {n} of them. {note}"
RELEASED = "{version}, live since {day}, against {before}"
NO_RELEASES = "No version went live after another one in these logs: there is no release to judge."
EVERY_CHANGE = "Every metric and field"
EVERY_AGE = "How quality changes with age, by version"
EVERY_RELEASE = "Every metric of the release"
PARTS = {"slope": "change a month", "retrain": "days to retraining"}
