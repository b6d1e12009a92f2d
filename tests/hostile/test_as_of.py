"""What became known later is in no answer: logs cut off at an instant answer as whole logs do as of it."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.errors import AssayError
from tests.hostile.answers import (
    COSTS,
    QUESTIONS,
    REFERENCE,
    RELEASE,
    differences,
    feed_of,
    gist,
    keys_of,
    logged,
    open_logs,
)
from tests.hostile.incident_answers import is_spared

THEN = pd.Timestamp("2024-01-12", tz="UTC")
_OF_FILES = ("telemetry", "features_reference", "messages", "exporter")
"""What the files hold is said of the files as they are, the reference is what we compare with today, and messages and
Prometheus are told how things are now."""


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def benches(request, tmp_path_factory):
    """Whole logs, and what of them was there on the day."""
    task = request.param
    frame = logged(task)
    feed = feed_of(frame).sort_values("ts", ignore_index=True)
    keys = keys_of(task) + 'split = "part"\n'
    more = REFERENCE + RELEASE + (COSTS if task == "binary" else "")
    later = '[[releases]]\ntimestamp = 2024-01-14\nversion = "v1"\n'
    folder = tmp_path_factory.mktemp(task)
    whole = open_logs(folder / "whole", frame, keys, feed, more + later, clock="wall")
    known = feed[feed["ts"] <= THEN]
    cut = open_logs(folder / "cut", frame[frame["ts"] <= THEN], keys, known, more, clock="wall")
    yield whole, cut
    whole.close()
    cut.close()


@pytest.mark.parametrize("question", [name for name in QUESTIONS if name not in _OF_FILES])
def test_nothing_known_later_is_in_an_answer(benches, question):
    if is_spared(question, asked=benches[0].project.predictions.task == "binary"):
        pytest.skip("asked of fewer logs")
    answers = []
    for bench in benches:
        scope = bench.scope(start="2024-01-01", end="2024-01-12", as_of="2024-01-12")
        try:
            answers.append(gist(QUESTIONS[question](bench, scope)))
        except AssayError as error:
            answers.append([str(error).partition(": ")[2] or str(error)])
    found = list(differences(*answers))
    assert not found, found[:5]
