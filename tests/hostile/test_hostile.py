"""Names and values that look like SQL, parameters, formulas or our own columns do no harm."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.errors import AssayError
from tests.hostile.answers import QUESTIONS, REFERENCE, feed_of, gist, keys_of, logged, open_logs
from tests.hostile.incident_answers import is_spared

QUOTES = """a"b'c $1 $as_of; DROP TABLE predictions -- <script>"""
NAMES = (
    "window_key", "block_key", "segment", "reference_version", "value", "f0", "file", QUOTES,
    "column:size", "=cmd|'/C'!A0",
    "a\nb", "x" * 300, "😀", "ts_", "place",
)  # fmt: skip
SPLIT_BY = ("weight", QUOTES + " site")
MUST_ANSWER = (
    "quality", "segments", "gaps", "drift", "features", "features_by_label", "multivariate", "carriers", "newest",
    "unlike",
    "estimate", "damage", "distribution", "histogram", "examples", "labels", "label_sources", "label_changes",
    "changes", "ageing", "thresholds", "baselines", "mix", "coverage",
)  # fmt: skip


def toml(word: str) -> str:
    return json.dumps(word)


@pytest.fixture(scope="module", params=["binary", "multiclass"])
def bench(request, tmp_path_factory):
    rng = np.random.default_rng(1)
    frame = logged(request.param, n=160)
    for place, name in enumerate(NAMES):
        numbers = rng.normal(size=len(frame))
        frame[name] = numbers if place % 2 else np.where(numbers > 0, QUOTES, "=cmd|' /C calc'!A0")
    for name in SPLIT_BY:
        frame[name] = np.where(rng.random(len(frame)) < 0.5, QUOTES, "[0, 1)\n😀")
    frame["version"] = np.where(frame["version"] == "v1", QUOTES, "=v2\n$start")
    keys = keys_of(request.param)
    if request.param == "multiclass":
        old, new = "A", QUOTES
        frame = frame.rename(columns={"p_A": "p $1 \"'"})
        frame = frame.replace({"decision": {old: new}, "label": {old: new}})
        keys = keys.replace(
            'A = "p_A"', f"{toml(new)} = {toml(list(frame.columns)[list(frame.columns).index('p_B') - 1])}"
        )
    keys = keys.replace(
        'features = ["size", "kind"]', f"features = {json.dumps(['size', *NAMES], ensure_ascii=False)}"
    )
    keys = keys.replace('segments = ["site"]', f"segments = {json.dumps(list(SPLIT_BY))}")
    feed = feed_of(frame)
    feed["who"] = np.where(feed["who"] == "user", QUOTES, "=SUM(A1)\n$trusted")
    opened = open_logs(tmp_path_factory.mktemp("hostile"), frame, keys, feed, REFERENCE)
    yield opened
    opened.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered(bench, question):
    if is_spared(question, asked=bench.project.predictions.task == "binary"):
        pytest.skip("asked of fewer logs")
    try:
        gist(QUESTIONS[question](bench, bench.scope()))
    except AssayError as error:
        if question in MUST_ANSWER:
            pytest.fail(str(error)[:300])


@pytest.mark.parametrize("question", ["quality", "segments", "features", "mix", "calibration"])
@pytest.mark.parametrize("name", SPLIT_BY)
def test_split_and_narrowed_by_hostile_values(bench, question, name):
    where = [f"{name}={QUOTES}", f"{QUOTES}=[-1, 1)"]
    scope = bench.scope(by=name, where=where, versions=["=v2\n$start"])
    records = gist(QUESTIONS[question](bench, scope))[0]
    assert records
    found = {
        record.get("segment_value") or record.get("group_value") or record.get("value") for record in records
    }
    assert question == "segments" or found & {QUOTES}
