"""The same rows give the same answers: asked again, in another order, in other files, or logged twice."""

from __future__ import annotations

import time

import numpy as np
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
    reopen,
)
from tests.hostile.incident_answers import is_spared

_PLACES = ("file", "row")
"""What tells where a row stands, and nothing else."""


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def benches(request, tmp_path_factory):
    """One file in order, and three files in another order in which some predictions stand twice."""
    task = request.param
    frame = logged(task)
    feed = feed_of(frame)
    more = REFERENCE + RELEASE + (COSTS if task == "binary" else "")
    folder = tmp_path_factory.mktemp(task)
    whole = open_logs(folder / "one", frame, keys_of(task), feed, more)
    rng = np.random.default_rng(3)
    shuffled = pd.concat([frame, frame[:40]]).iloc[rng.permutation(len(frame) + 40)]
    other = open_logs(folder / "three", shuffled, keys_of(task), feed.iloc[rng.permutation(len(feed))], more)
    other.close()
    (folder / "three" / "predictions.parquet").unlink()
    for part in range(3):
        shuffled[part::3].to_parquet(folder / "three" / f"predictions-{part}.parquet", index=False)
    project = folder / "three" / "assay.toml"
    project.write_text(project.read_text().replace("predictions.parquet", "predictions-*.parquet"))
    other = reopen(folder / "three")
    yield whole, other
    whole.close()
    other.close()


@pytest.mark.parametrize(
    "question", [name for name in QUESTIONS if name not in {"telemetry", "examples_spread"}]
)
def test_order_and_files_change_nothing(benches, question):
    if is_spared(question, asked=benches[0].project.predictions.task == "binary"):
        pytest.skip("asked of fewer logs")
    minute = _minute()
    answers = [_asked(bench, question) for bench in benches]
    if _minute() != minute:
        # "now" is a whole minute, and it was another one for the second than for the first
        answers = [_asked(bench, question) for bench in benches]
    found = list(differences(*answers))
    assert not found, found[:5]


def _minute() -> int:
    return int(time.time() // 60)


def _asked(bench, question):
    """The records of an answer without the places of rows, or the words of its refusal."""
    try:
        found = gist(QUESTIONS[question](bench, bench.scope()))
    except AssayError as error:
        return [str(error).partition(": ")[2] or str(error)]
    for records in found:
        for record in records:
            for name in _PLACES:
                record.pop(name, None)
    return found
