"""The same rows give the same answers: asked again, in another order, in other files, exposed twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.errors import AssayError
from analytics.workbench import Workbench
from tests.hostile.answers import differences
from tests.hostile.experiment_answers import (
    OF_THE_STORE,
    QUESTIONS,
    gist,
    logs,
    open_experiments,
    own_store,
)

NAMES = ("fixed", "daily", "layered")


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    """Logs in order, and the same in another order, in three files, with every third exposure logged again."""
    folder, found, rng = tmp_path_factory.mktemp("repeated"), logs(), np.random.default_rng(4)
    one = open_experiments(folder / "one", found)
    again = found["exposures"][::3].assign(ts=lambda frame: frame["ts"] + pd.Timedelta(hours=1))
    mixed = {**found, "exposures": pd.concat([found["exposures"], again])}
    mixed = {name: frame.iloc[rng.permutation(len(frame))] for name, frame in mixed.items()}
    open_experiments(folder / "other", mixed).close()
    events = folder / "other" / "events.parquet"
    rows = pd.read_parquet(events)
    for part in range(3):
        rows[part::3].to_parquet(folder / "other" / f"events-{part}.parquet", index=False)
    events.unlink()
    file = folder / "other" / "assay.toml"
    file.write_text(file.read_text().replace("events.parquet", "events-*.parquet"))
    other = Workbench(folder / "other", own_store(folder / "other"))
    yield one, other
    one.close()
    other.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", [one for one in QUESTIONS if one not in OF_THE_STORE])
def test_order_and_files_change_nothing(benches, question, name):
    answers = []
    for bench in benches:
        try:
            answers.append(gist(QUESTIONS[question](bench, name, bench.scope())))
        except AssayError as error:
            answers.append([str(error).partition(": ")[2] or str(error)])
    found = list(differences(*answers, tolerance=1e-7))
    if question in {
        "exposure_states",
        "health",
        "trust",
    }:  # they count rows, and say how many exposures there were
        found = [said for said in found if "exposures" not in said and " n:" not in said]
    assert not found, found[:5]
