"""Section Trust of the Scorecard page: sentence, tiles, checks, causes, charts, and the words behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.glossary import explain
from tests.app.conftest import assert_fine, texts
from tests.app.views.experiment_projects import shop


def trust(open_page, folder):
    page = open_page("scorecard", folder, section="trust")
    assert_fine(page)
    return page


def test_a_sound_comparison_is_said_to_be_one(open_page, tmp_path):
    page = trust(open_page, shop(tmp_path / "shop"))
    said = texts(page)
    assert "can be trusted as far as the logs tell" in said or "bear in mind" in said
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Split"] == "Fine"
    assert tiles["One arm each"] == "Fine"
    assert tiles["Logs"] == "Fine"
    assert explain("split_causes").title not in said
    assert explain("split_by_day").title in said


@pytest.fixture
def broken(tmp_path):
    """From the fourth day on, half of the new arm's exposures on phones are not logged."""
    folder = shop(tmp_path / "work" / "broken")
    path = folder / "exposures.parquet"
    rows = pd.concat([pd.read_parquet(path)] * 4, ignore_index=True)
    rows["user"] = [f"u{i}" for i in range(len(rows))]
    rows["device"] = np.random.default_rng(2).choice(["phone", "desktop"], len(rows))
    late = rows["at"] >= rows["at"].min() + pd.Timedelta(days=3)
    lost = (rows["variant"] == "new") & (rows["device"] == "phone") & late
    rows[~lost].to_parquet(path, index=False)
    events = rows.assign(event="visit", amount=1.0).drop(columns=["variant", "device"])
    events["at"] += pd.Timedelta(hours=1)
    events.to_parquet(folder / "events.parquet", index=False)
    file = folder / "assay.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('timestamp = "at"\n', 'timestamp = "at"\nsegments = ["device"]\n', 1), encoding="utf-8"
    )
    return folder


def test_a_broken_split_is_told_with_its_day_its_segment_and_its_causes(open_page, broken):
    page = trust(open_page, broken)
    said = texts(page)
    assert "Do not trust this comparison: the split is not as planned" in said
    assert "since 4 Mar 2024, its day 4" in said
    assert "device = phone" in said
    assert {tile.label: tile.value for tile in page.metric}["Split"] == "Broken"
    for word in ("split_causes", "split_segments", "split_by_day"):
        assert explain(word).title in said
    assert "Fits: without device = phone the split is as planned" in said
    assert "do something without ever being exposed" in said
    assert "Does not fit: no unit saw more than one arm." in said
    assert "FROM units" in said  # what was counted is shown


def test_units_in_several_arms_and_unreadable_files_block(open_page, tmp_path):
    folder = shop(tmp_path / "work" / "crossed")
    path = folder / "exposures.parquet"
    rows = pd.read_parquet(path)
    other = rows.head(30).assign(variant=rows["variant"].iloc[1])
    other["at"] += pd.Timedelta(days=1)
    pd.concat([rows, other]).to_parquet(path, index=False)
    page = trust(open_page, folder)
    assert "saw more than one arm" in texts(page)
    assert {tile.label: tile.value for tile in page.metric}["One arm each"] == "Broken"


def test_a_warning_of_the_further_checks_stands_beside_the_verdict(open_page, tmp_path):
    """An effect that is gone after the first days is told on the first section already."""
    folder = shop(tmp_path / "work" / "fading")
    rng = np.random.default_rng(4)
    days = pd.date_range("2024-03-01", periods=28, freq="D", tz="UTC")
    users = pd.DataFrame(
        {"user": [f"u{i}" for i in range(4000)], "variant": rng.choice(["old", "new"], 4000)}
    )
    users["at"] = days[0] + pd.to_timedelta(rng.integers(0, 7 * 24, 4000), unit="h")
    users.to_parquet(folder / "exposures.parquet", index=False)
    parts = []
    for age in range(20):
        rate = np.where((users["variant"] == "new") & (age < 4), 0.5, 0.15)
        came = users[rng.random(4000) < rate]
        parts.append(came.assign(at=came["at"] + pd.Timedelta(days=age, hours=1), event="visit", amount=1.0))
    pd.concat(parts).drop(columns="variant").to_parquet(folder / "events.parquet", index=False)
    page = open_page("scorecard", folder)
    assert_fine(page)
    assert "wears off" in texts(page)
