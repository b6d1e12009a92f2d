"""Odd logs of experiments get a status with a reason, never a traceback, a NaN, or a verdict on broken data."""

from __future__ import annotations

import pytest

from analytics.errors import AssayError
from tests.hostile.experiment_answers import QUESTIONS, gist, logs, open_experiments, records

PLACES = (
    ("no_events", "fixed"), ("one_unit", "sequential"), ("one_arm", "daily"), ("all_equal", "layered"),
    ("infinite", "one_sided"), ("huge", "fixed"), ("empty", "ramp"), ("unknown_arms", "believed"),
    ("not_a_number", "layered"), ("all_null", "sequential"), ("other_time", "fixed"),
)  # fmt: skip
SPANS = (
    ("ci_low", "value", "ci_high"),
    ("ci_adjusted_low", "difference", "ci_adjusted_high"),
    ("lift_ci_adjusted_low", "lift", "lift_ci_adjusted_high"),
)


@pytest.fixture(scope="module", params=PLACES, ids="-".join)
def asked(request, tmp_path_factory):
    """A project with one oddity, and the name of an experiment of one design."""
    odd, name = request.param
    opened = open_experiments(tmp_path_factory.mktemp("odd"), logs(90, odd))
    yield opened, name
    opened.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_or_a_reason(asked, question):
    bench, name = asked
    try:
        answer = gist(QUESTIONS[question](bench, name, bench.scope()))
    except AssayError as error:
        assert str(error)  # noqa: PT017  # any question may be refused, in words
        return
    for record in records(answer):
        assert record.get("word") != "ship"
        # crashes are counted by rows, so what is wrong with amounts does not touch them
        assert record.get("verdict") != "ship" or record["metric"] == "crashes"
        if "status" not in record:
            continue
        assert record["status"] in {"ok", "immature", "too_few", "no_data", "undefined"}
        assert record["status"] == "ok" or record["reason"]
        for low, value, high in SPANS:
            limits = record.get(low), record.get(high)
            assert (limits[0] is None) == (limits[1] is None)
            if limits[0] is not None and record.get(value) is not None:
                assert limits[0] <= record[value] <= limits[1]
        _agrees(record)


def _agrees(record):
    """Test, corrected interval and badge of a comparison say one thing."""
    if record.get("p_adjusted") is None or record.get("ci_adjusted_low") is None:
        return
    beyond = record["ci_adjusted_low"] > 0 or record["ci_adjusted_high"] < 0
    assert beyond == (record["p_adjusted"] < 1 - record["confidence"])
    assert beyond or record.get("badge") not in {"better", "worse", "harmed"}
