"""For whom, and plain beside adjusted: the sections of the Scorecard page on strata and segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.glossary import explain
from tests.app.conftest import assert_fine, texts
from tests.app.views.experiment_projects import shop


@pytest.fixture
def project(tmp_path):
    """The shop with a device and a country, in one of which the new arm is rare and everybody buys."""
    folder = shop(tmp_path / "work" / "shop")
    folder = folder if folder.is_dir() else folder.parent
    path = folder / "exposures.parquet"
    rows = pd.read_parquet(path)
    draw = np.random.default_rng(1)
    new = rows["variant"] == "new"
    rows["device"] = draw.choice(["phone", "desktop", "tablet"], len(rows))
    rows["country"] = np.where(draw.random(len(rows)) < np.where(new, 0.2, 0.8), "DE", "US")
    rows.to_parquet(path, index=False)
    file = folder / "assay.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        'timestamp = "at"\n', 'timestamp = "at"\nstratum = "country"\nsegments = ["device"]\n', 1
    )
    text += "strata = { DE = { old = 0.8, new = 0.2 }, US = { old = 0.2, new = 0.8 } }\n"
    file.write_text(text, encoding="utf-8")
    return folder


def test_effects_by_segment_are_told_and_drawn(open_page, project):
    page = open_page("scorecard", project, section="segments")
    assert_fine(page)
    said = texts(page)
    assert "bought: " in said
    assert "Looked at 5 values of 2 segments" in said
    assert "would look different by chance" in said
    assert explain("segment_effects").title in said


def test_plain_stands_beside_within_strata(open_page, project):
    page = open_page("scorecard", project, section="metric")
    assert_fine(page)
    tables = [frame.value for frame in page.dataframe if "Decides" in frame.value.columns]
    assert len(tables) == 1
    counts = dict(zip(tables[0]["Method"], tables[0]["Decides"], strict=True))
    assert counts == {"plain, all units pooled": "no", "within strata": "yes"}


def test_without_segments_it_says_how_to_declare_them(open_page, tmp_path):
    page = open_page("scorecard", shop(tmp_path / "work" / "shop"), section="segments")
    assert_fine(page)
    assert "No segment of units is declared" in texts(page)
