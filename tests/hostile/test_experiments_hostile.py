"""Names and values of experiments that look like SQL, formulas or markup do no harm; ids of units are told nobody."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.errors import AssayError
from tests.hostile.experiment_answers import METRICS, QUESTIONS, SPAN, gist, logs, open_experiments

QUOTES = """a"b'c $1 $as_of; DROP TABLE exposures -- <script>alert(1)</script>"""
FORMULA = "=cmd|' /C calc'!A0"
NAMES = (QUOTES, FORMULA, "a\nb", "x" * 10_000, "\u202eevil\u202c", "srm ", "😀", "1e5", "[0, 1)")
NAME = QUOTES + " test"
MARK = "4242secret"
MUST_ANSWER = (
    "experiment", "scorecard", "methods", "distribution", "days", "chances", "arms", "segment_effects",
    "exposure_states", "trust", "health", "ages", "decide", "decisions", "since", "plan", "plan_days",
    "history", "metrics",
)  # fmt: skip


def toml(word: str | list[str]) -> str:
    return json.dumps(word, ensure_ascii=False)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    found, rng = logs(120), np.random.default_rng(2)
    exposures, units = found["exposures"], found["units"]
    for frame in (exposures, units, found["events"]):
        frame["user"] = MARK + frame["user"]
    units["home"] = MARK + units["home"]
    exposures["arm"] = exposures["arm"].map({"A": QUOTES, "B": FORMULA})
    exposures["country"] = rng.choice([QUOTES, FORMULA, "\u202eevil", ""], len(exposures))
    column = QUOTES + " of device"
    exposures = found["exposures"] = exposures.rename(columns={"device": column, "arm": FORMULA})
    exposures[column] = rng.choice(NAMES[:5], len(exposures))
    exposures["test"] = NAME
    sections = (
        f'[exposures]\npath = "exposures.parquet"\nunit = "user"\nvariant = {toml(FORMULA)}\ntimestamp = "ts"\n'
        f'experiment = "test"\nstratum = "country"\nsegments = [{toml(column)}]\n'
        '[events]\npath = "events.parquet"\nunit = "user"\ntimestamp = "ts"\n'
        '[units]\npath = "units.parquet"\nunit = "user"\ncluster = "home"\n'
        '[series]\npath = "series.parquet"\ntimestamp = "ts"\nname = "name"\nvalue = "value"\n'
    )
    more = "".join(
        f'[metrics.{toml(name)}]\nkind = "count"\nvalue = "event = \'purchase\'"\n' for name in NAMES
    )
    design = (
        f"[experiments.{toml(NAME)}]\ncontrol = {toml(QUOTES)}\n"
        f"variants = {{ {toml(QUOTES)} = 0.5, {toml(FORMULA)} = 0.5 }}\n{SPAN}"
        f'primary = {toml(["orders", *NAMES])}\nsecondary = ["path", "large", "revenue"]\n'
    )
    folder = tmp_path_factory.mktemp("hostile")
    opened = open_experiments(folder, found, sections + METRICS + more + design)
    yield opened
    opened.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_and_tells_no_ids(bench, question):
    try:
        said = json.dumps(gist(QUESTIONS[question](bench, NAME, bench.scope())), ensure_ascii=False)
    except AssayError as error:
        if question in MUST_ANSWER:
            pytest.fail(str(error)[:300])
        said = str(error)
    assert MARK not in said
