"""Trust on odd logs (units, counts, one arm, nobody, hostile names): a level and a sentence, never a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.workbench import open_workbench

UNITS = """
[units]
path = "units.csv"
unit = "user"
variant = "arm"
{more}

[metrics.spent]
kind = "mean"
source = "units"
value = "spent"
{metric}

[experiments."new; DROP TABLE x --"]
control = "old"
variants = {{ old = 0.5, "n'ew" = 0.5 }}
primary = ["spent"]
"""
NAME = "new; DROP TABLE x --"


def units(folder: Path, rows: pd.DataFrame, more: str = "", metric: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / "units.csv", index=False)
    (folder / "assay.toml").write_text('name = "odd"\n' + UNITS.format(more=more, metric=metric))
    return folder


def table(n: int, seed: int = 1) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "user": [f"u'{i}" for i in range(n)],
            "arm": np.where(np.arange(n) % 2, "old", "n'ew"),
            "spent": generator.gamma(2, 5, n),
            "earlier": generator.gamma(2, 5, n),
            "house": np.arange(n) // 3,
            "at": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n), unit="h"),
        }
    )


def asked(folder: Path):
    bench = open_workbench(folder)
    try:
        found = bench.trust(NAME)
        assert found.sentence
        assert all(
            row.sentence and row.level in {"blocks", "warns", "unknown", "fine"} for row in found.checks
        )
        records = bench.health(NAME).to_records()
        assert len(records) == len(found.checks)
        assert bench.ages(NAME).rows == ()
        return {row.name: row for row in found.checks}
    finally:
        bench.close()


def test_a_table_of_units_without_times(tmp_path):
    rows = asked(units(tmp_path / "a", table(400)))
    assert rows["srm"].level == "fine"
    assert rows["weekdays"].level == "unknown"
    assert rows["split_change"].level == "unknown"
    assert rows["novelty"].level == "unknown"
    assert rows["balance"].level == "unknown"


def test_a_covariate_of_units_that_differs_blocks(tmp_path):
    given = table(400)
    given.loc[given["arm"] == "old", "earlier"] += 5
    rows = asked(units(tmp_path / "b", given, metric='covariate = "earlier"'))
    assert rows["balance"].level == "blocks"
    assert rows["balance"].p_value is not None


def test_clusters_and_times_of_units(tmp_path):
    rows = asked(units(tmp_path / "c", table(900), more='cluster = "house"\ntimestamp = "at"'))
    assert rows["interference"].level == "unknown"  # everybody lives with another arm
    assert rows["weekdays"].level in {"fine", "warns"}


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_hardly_anybody(tmp_path, n):
    rows = asked(units(tmp_path / "d", table(max(n, 1)).head(n), more='timestamp = "at"'))
    assert rows["srm"].level == "unknown"


def test_one_arm_only(tmp_path):
    given = table(300)
    rows = asked(units(tmp_path / "e", given[given["arm"] == "old"], more='timestamp = "at"'))
    assert rows["srm"].level == "blocks"


def test_everybody_alike(tmp_path):
    given = table(300).assign(spent=7.0)
    assert asked(units(tmp_path / "f", given))["leverage"].level == "fine"


def test_counts_of_arms_alone(tmp_path):
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "counts.csv").write_text("arm,visitors,buyers\na,500,50\nb,700,90\n")
    (folder / "assay.toml").write_text(
        'name = "counts"\n[counts]\npath = "counts.csv"\nvariant = "arm"\nunits = "visitors"\n'
        '[metrics.bought]\nkind = "proportion"\nsource = "counts"\nvalue = "buyers"\n'
        '[experiments.typed]\ncontrol = "a"\nvariants = { a = 0.5, b = 0.5 }\nprimary = ["bought"]\n'
    )
    bench = open_workbench(folder)
    try:
        rows = {row.name: row for row in bench.health("typed")}
        assert rows["srm"].level == "blocks"
        assert bench.ages("typed").rows == ()
    finally:
        bench.close()
