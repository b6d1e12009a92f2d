"""Drift against damage, asked of logs: quadrants, where dependence is measured, attributions, and odd logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.drift.damage import by_attribution, codes_of, quadrant
from analytics.scope import Scope
from analytics.workbench import Workbench


def made(start: str, days: int, n: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """The model is sure of itself; it is wrong where ``hard`` is large. ``loud`` says nothing."""
    rng = np.random.default_rng(seed)
    ts = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.sort(rng.uniform(0, days * 86_400, n)), unit="s")
    hard, loud, still = rng.normal(shift, 1, n), rng.normal(shift, 1, n), rng.normal(size=n)
    y = (rng.random(n) < 0.5).astype(int)
    wrong = rng.random(n) < 1 / (1 + np.exp(-2 * (hard - 1)))
    score = np.where(wrong, 1 - y, y) * 0.8 + 0.1
    return pd.DataFrame({
        "ts": ts, "hard": hard, "loud": loud, "still": still, "score": score, "y": y, "minutes": score + hard,
        "a_hard": rng.exponential(0.6, n), "a_loud": -rng.exponential(0.3, n), "a_still": rng.exponential(0.1, n),
    })  # fmt: skip


def project(
    folder: Path, rows: pd.DataFrame, reference: pd.DataFrame, keys: str, more: str = ""
) -> Workbench:
    rows.to_parquet(folder / "rows.parquet")
    reference.to_parquet(folder / "reference.parquet")
    (folder / "assay.toml").write_text(
        'name = "small"\n[predictions]\npath = "rows.parquet"\ntimestamp = "ts"\nscore = "score"\n'
        f'features = ["hard", "loud", "still"]\n{keys}\n{more}[reference]\npath = "reference.parquet"\n'
    )
    return Workbench(folder)


BINARY = 'task = "binary"\nlabel = "y"\n'


def test_every_quadrant_has_its_word(tmp_path: Path) -> None:
    bench = project(
        tmp_path, made("2024-02-05", 10, 2000, 1, shift=1), made("2024-01-01", 30, 4000, 2), BINARY
    )
    rows = {row.feature: row for row in bench.damage()}
    assert rows["hard"].quadrant == "moved and matters"
    assert rows["loud"].quadrant == "moved, matters little"
    assert rows["still"].quadrant == "steady, matters little"
    assert {row.measured_on for row in rows.values()} == {"reference"}
    assert all(row.ci_low <= row.value <= row.ci_high for row in rows.values())
    assert rows["hard"].value > 0.05 > rows["loud"].value
    assert {row.independence for row in rows.values()} == {"blocks"}
    assert rows["hard"].beyond_chance > 0.2
    bench.close()


def test_it_is_measured_outside_the_window(tmp_path: Path) -> None:
    reference = made("2024-01-01", 30, 4000, 2).assign(y=None)
    rows = pd.concat([made("2024-02-01", 9, 1500, 3), made("2024-03-01", 9, 1500, 4).assign(loud=0.0)])
    bench = project(tmp_path, rows, reference, BINARY)
    found = {row.feature: row for row in bench.damage(bench.scope(start="2024-03-01"))}
    assert {row.measured_on for row in found.values()} == {"earlier predictions"}
    assert {row.n for row in found.values()} == {1500}
    assert found["hard"].matters
    first = bench.damage(bench.scope(end="2024-02-05"))
    assert {row.status for row in first} == {"too_few"}
    assert all(row.value is None and row.quadrant is None for row in first)
    bench.close()


def test_labels_not_yet_known_do_not_count(tmp_path: Path) -> None:
    reference = made("2024-01-01", 30, 4000, 2).assign(y=None)
    rows = pd.concat([made("2024-02-01", 9, 1500, 3), made("2024-03-01", 9, 1500, 4)])
    rows = rows.assign(known=rows.ts + pd.Timedelta(days=20))
    reference = reference.assign(known=reference.ts)
    bench = project(tmp_path, rows, reference, BINARY + 'label_timestamp = "known"\n')
    early = bench.damage(bench.scope(start="2024-03-01", as_of="2024-02-20"))
    assert {row.value for row in early} == {None}
    late = bench.damage(bench.scope(start="2024-03-01", as_of="2024-03-15"))
    assert all(row.n == 1500 for row in late)
    bench.close()


@pytest.mark.parametrize(
    "keys",
    ['task = "regression"\nlabel = "minutes"\n', BINARY + 'weight = "w"\n'],
)
def test_other_tasks_and_weights(tmp_path: Path, keys: str) -> None:
    frames = [
        frame.assign(w=np.where(frame.still > 0, 2.0, 1.0))
        for frame in (made("2024-02-05", 10, 1500, 1), made("2024-01-01", 30, 3000, 2))
    ]
    bench = project(tmp_path, *frames, keys)
    rows = {row.feature: row for row in bench.damage()}
    assert rows["hard"].matters
    assert not rows["still"].matters
    bench.close()


def test_logged_attributions_come_first(tmp_path: Path) -> None:
    more = '[predictions.attributions]\nhard = "a_hard"\nloud = "a_loud"\n'
    rows = made("2024-02-05", 10, 1500, 1)
    bench = project(tmp_path, rows, made("2024-01-01", 30, 3000, 2), BINARY, more)
    found = {row.feature: row for row in bench.damage(Scope(grain="week"))}
    assert {row.method for row in found.values()} == {"attribution"}
    week = rows[rows.ts >= pd.Timestamp("2024-02-12", tz="UTC")]
    share = week.a_hard.abs().mean() / (week.a_hard.abs().mean() + week.a_loud.abs().mean())
    assert found["hard"].value == pytest.approx(share)
    assert found["hard"].ci_low < share < found["hard"].ci_high
    assert found["hard"].matters
    assert not found["loud"].matters
    assert found["still"].status == "undefined"
    bench.close()


def test_without_labels_it_says_why(tmp_path: Path) -> None:
    bench = project(
        tmp_path, made("2024-02-05", 9, 500, 1), made("2024-01-01", 30, 900, 2), 'task = "binary"\n'
    )
    rows = bench.damage()
    assert {row.status for row in rows} == {"undefined"}
    assert "no labels" in rows[0].reason
    assert len(rows.to_records()) == 3
    bench.close()


def test_shares_add_up_and_their_error_is_a_ratios() -> None:
    rng = np.random.default_rng(0)
    amounts = rng.exponential([3.0, 2.0, 1.0], (4000, 3))
    found = by_attribution(amounts, np.zeros(4000, dtype=np.int64), None, np.ones(4000), 0.95)
    assert sum(one.value for one in found) == pytest.approx(1)
    drawn = [rng.exponential([3.0, 2.0, 1.0], (4000, 3)).sum(axis=0) for _ in range(400)]
    spread = np.std([one[0] / one.sum() for one in drawn])
    assert (found[0].ci_high - found[0].ci_low) / 2 / 1.96 == pytest.approx(spread, rel=0.15)


def test_codes_keep_missing_apart() -> None:
    codes = codes_of(np.array([1.0, 2.0, np.nan, 3.0]))
    assert codes[2] == 10
    assert len(set(codes.tolist())) == 4
    assert len(set(codes_of(["a", "b", None, "a"]).tolist())) == 3
    assert quadrant(moved=None, matters=True) is None
