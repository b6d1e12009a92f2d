"""Odd logs get a status with a reason, never a traceback, a NaN, or a value that its status does not allow."""

from __future__ import annotations

import pytest

from analytics.errors import AssayError
from tests.hostile.answers import QUESTIONS, REFERENCE, RELEASE, feed_of, gist, keys_of, logged, open_logs
from tests.hostile.incident_answers import is_spared

WITHOUT_LABELS = ("no_labels", "bare")
PLACES = (
    ("binary", "weights"), ("binary", "one_row"), ("binary", "all_missing"), ("binary", "bare"),
    ("multiclass", "one_class"), ("regression", "constant_score"), ("regression", "weights"),
)  # fmt: skip


@pytest.fixture(scope="module", params=PLACES, ids="-".join)
def bench(request, tmp_path_factory):
    """Few logs of one task with one oddity."""
    task, odd = request.param
    frame = logged(task, odd, n=90)
    feed = None if odd in WITHOUT_LABELS else feed_of(frame)
    more = "" if odd in {"bare", "one_row"} else REFERENCE + RELEASE
    opened = open_logs(tmp_path_factory.mktemp("odd"), frame, keys_of(task, odd), feed, more)
    yield opened
    opened.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_or_a_reason(bench, question, request):
    place = request.node.callspec.id
    if is_spared(question, asked="regression-weights" in place or "binary-all_missing" in place):
        pytest.skip("asked of fewer logs")
    try:
        answer = gist(QUESTIONS[question](bench, bench.scope(grain="week")))
    except AssayError as error:
        assert str(error)  # noqa: PT017  # any question may be refused, in words
        return
    # a logged column of that name is no status of ours (an example carries its file and row)
    for record in (one for records in answer for one in records if "status" in one and "file" not in one):
        assert record["status"] in {"ok", "immature", "too_few", "no_data", "undefined"}
        assert record["status"] == "ok" or record["reason"]
        if "value" in record:
            low, value, high = (record.get(name) for name in ("ci_low", "value", "ci_high"))
            assert value is None or record["status"] in {"ok", "immature"}
            assert (low is None) == (high is None)
            assert value is None or low is None or low <= value <= high
