"""What became known later is in no answer about an experiment."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.errors import AssayError
from tests.hostile.answers import differences
from tests.hostile.experiment_answers import OF_THE_STORE, QUESTIONS, gist, logs, open_experiments

THEN = pd.Timestamp("2024-01-14", tz="UTC")
OF_WINDOWS = ("metrics", "metric_changes")
"""Their window ends with the logs where no end is asked for."""
NAMES = ("fixed", "sequential", "daily", "ramp", "layered")


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    """Whole logs, and what of them was there on the day."""
    folder, found = tmp_path_factory.mktemp("as_of"), logs()
    cut = {name: frame if "ts" not in frame else frame[frame["ts"] <= THEN] for name, frame in found.items()}
    whole, early = open_experiments(folder / "whole", found), open_experiments(folder / "cut", cut)
    yield whole, early
    whole.close()
    early.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", [one for one in QUESTIONS if one not in OF_THE_STORE])
def test_nothing_known_later_is_in_an_answer(benches, question, name):
    words = {"as_of": "2024-01-14"}
    if question in OF_WINDOWS:
        words |= {"start": "2024-01-01", "end": "2024-01-14"}
    answers = []
    for bench in benches:
        try:
            answers.append(gist(QUESTIONS[question](bench, name, bench.scope(**words))))
        except AssayError as error:
            answers.append([str(error).partition(": ")[2] or str(error)])
    found = list(differences(*answers))
    assert not found, found[:5]
