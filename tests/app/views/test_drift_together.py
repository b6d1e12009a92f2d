"""The sections "All at once" and "Does it matter" of the Drift page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.parts.drift_damage import open_feature
from tests.app.conftest import assert_fine, charts, texts


@pytest.fixture
def project(tmp_path):
    """Ten days after a reference of thirty; ``size`` is another, and decides how wrong the model is."""

    def rows(start: str, days: int, n: int, shift: float, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        at = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(
            np.sort(rng.uniform(0, days * 86_400, n)), unit="s"
        )
        size, truth = rng.normal(shift, 1, n), rng.random(n) < 0.5
        wrong = rng.random(n) < 1 / (1 + np.exp(-2 * (size - 1)))
        note = [" ".join(rng.choice(["ok", "late", "lost"], 3)) for _ in range(n)]
        return pd.DataFrame({
            "id": [f"{start}{i}" for i in range(n)], "at": at, "size": size, "other": rng.normal(size=n), "note": note,
            "score": np.where(wrong, ~truth, truth) * 0.8 + 0.1, "label": truth.astype(int),
        })  # fmt: skip

    rows("2024-02-05", 10, 800, 1.5, 1).to_parquet(tmp_path / "rows.parquet")
    rows("2024-01-01", 30, 1500, 0.0, 2).to_parquet(tmp_path / "reference.parquet")
    (tmp_path / "assay.toml").write_text(
        'name = "moved"\n[predictions]\npath = "rows.parquet"\ntask = "binary"\nid = "id"\ntimestamp = "at"\n'
        'score = "score"\nlabel = "label"\nfeatures = ["size", "other"]\ntexts = ["note"]\nprivate = ["note"]\n'
        '[reference]\npath = "reference.parquet"\n'
    )
    return tmp_path


def test_all_at_once(open_page, project):
    page = open_page("drift", project, range="all", section="together")
    assert_fine(page)
    said = texts(page)
    assert "All features together moved" in said
    assert "carried most by size" in said
    assert "seeded samples" in said
    assert len(page.metric) == 4
    assert len(charts(page)) == 2
    frames = [frame.value for frame in page.dataframe]
    assert any("Reference rows newer still" in frame for frame in frames)
    assert any("tokens" in frame.get("Measure", pd.Series(dtype=str)).tolist() for frame in frames)
    newest = next(frame for frame in frames if "Reference rows newer still" in frame)
    assert set(newest["note"]) == {"•••"}
    page.selectbox(key="together_by").select("reconstruction_error").run()
    assert_fine(page)


def test_does_it_matter(open_page, project):
    page = open_page("drift", project, range="all", section="damage")
    assert_fine(page)
    assert "how wrong the model is depends on size: look there first" in texts(page)
    assert len(charts(page)) == 1
    frame = page.dataframe[-1].value
    assert frame["Verdict"].tolist() == ["moved and matters", "steady, matters little"]


def test_a_clicked_feature_opens_feature_by_feature(open_page, project, monkeypatch):
    said: dict[str, str] = {}
    monkeypatch.setattr("app.parts.drift_damage.st.session_state", said)
    open_feature(["size"])
    assert said == {"section": "features", "feature": "size", "at": "all"}


@pytest.mark.parametrize("section", ["together", "damage"])
@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_every_task_and_few_labels(open_page, known_project, task, section):
    page = open_page("drift", known_project(task=task, labels="none"), range="all", section=section)
    assert_fine(page)
    assert "cannot be said" in texts(page) or section == "together"


def test_few_rows_say_so(open_page, known_project):
    page = open_page("drift", known_project(rows=20), range="all", section="together")
    assert_fine(page)
    assert "cannot be judged" in texts(page)
