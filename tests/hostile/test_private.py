"""Private columns are in no answer in clear: not in records, notes, the SQL shown, or the words of an error."""

from __future__ import annotations

import json

import pytest

from analytics.errors import AssayError, ProjectError
from tests.hostile.answers import (
    QUESTIONS,
    REFERENCE,
    feed_of,
    gist,
    keys_of,
    logged,
    open_logs,
    parts,
)
from tests.hostile.incident_answers import is_spared

MARK = "4242secret"
HIDDEN = ("id", "user", "request", "note", "email", "vector", "moved")


@pytest.fixture(scope="module", params=["binary", "regression"])
def bench(request, tmp_path_factory):
    """Logs whose private texts all hold a mark, and whose private numbers are like no other."""
    frame = logged(request.param, n=160)
    for name in ("id", "user", "request", "note"):
        frame[name] = MARK + frame[name]
    frame["email"] = [f"{MARK}{place}@example.org" for place in range(len(frame))]
    frame["vector"] = [[4242.25 + place, 4242.5, 4242.75] for place in range(len(frame))]
    frame["moved"] = 424242.0
    keys = keys_of(request.param) + f"private = {json.dumps(list(HIDDEN))}\n"
    opened = open_logs(tmp_path_factory.mktemp("private"), frame, keys, feed_of(frame), REFERENCE)
    yield opened
    opened.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_private_values_are_in_no_answer(bench, question):
    if is_spared(question, asked=bench.project.predictions.task == "binary"):
        pytest.skip("asked of fewer logs")
    scope = bench.scope(end="2024-01-16")
    try:
        answer = QUESTIONS[question](bench, scope)
    except AssayError as error:
        said = str(error)
    else:
        said = json.dumps(gist(answer), ensure_ascii=False)
        said += "".join(text for part in parts(answer) for text in (*part.sql, *part.notes))
    assert MARK not in said
    assert "424242.0" not in said
    assert "4242.5," not in said


def test_the_version_stands_in_every_answer_and_cannot_be_private(tmp_path):
    bench = open_logs(tmp_path, logged("binary", n=20), keys_of("binary") + 'private = ["version"]\n')
    with pytest.raises(ProjectError, match=r'predictions\.private: "version" is shown as the version'):
        bench.quality()
    bench.close()
