"""Many columns at once, asked of logs: what univariate drift misses, windows, texts, embeddings, and odd logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ScopeError
from analytics.scope import Scope
from analytics.workbench import Workbench

KEYS = 'task = "binary"\nscore = "score"\nid = "id"\nlabel = "y"\n'
Make = Callable[..., Workbench]


def made(start: str, days: int, n: int, correlation: float = 0.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ts = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.sort(rng.uniform(0, days * 86_400, n)), unit="s")
    x = rng.normal(size=n)
    z = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    score = 1 / (1 + np.exp(-x))
    return pd.DataFrame({
        "id": [f"{start}-{i}" for i in range(n)], "ts": ts, "x": x, "z": z, "c": rng.choice(["a", "b", None], n),
        "score": score, "y": (rng.random(n) < score).astype(int),
    })  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    opened: list[Workbench] = []

    def project(rows: pd.DataFrame, reference: pd.DataFrame, keys: str = "") -> Workbench:
        rows.to_parquet(tmp_path / "rows.parquet")
        reference.to_parquet(tmp_path / "reference.parquet")
        features = "" if "features" in keys else 'features = ["x", "z", "c"]\n'
        (tmp_path / "assay.toml").write_text(
            f'name = "small"\n[predictions]\npath = "rows.parquet"\ntimestamp = "ts"\n{KEYS}{features}{keys}\n'
            '[reference]\npath = "reference.parquet"\n'
        )
        opened.append(Workbench(tmp_path))
        return opened[-1]

    yield project
    for bench in opened:
        bench.close()


REFERENCE = made("2024-01-01", 30, 3000, seed=1)


def test_a_correlation_that_came_up_is_found_here_and_missed_feature_by_feature(make: Make) -> None:
    bench = make(made("2024-02-05", 10, 1500, correlation=0.7, seed=2), REFERENCE)
    classifier, error = bench.multivariate()
    assert classifier.drifted
    assert classifier.p_value == pytest.approx(1 / 200)
    assert classifier.independence == "blocks"
    assert (classifier.blocks, classifier.blocks_reference) == (10, 30)
    assert 0 < classifier.effect <= 1
    assert error.status == "ok"
    assert error.n_components is not None
    assert not any(row.drifted for row in bench.drift() if row.role == "feature")


def test_nothing_moved_and_nothing_is_said(make: Make) -> None:
    bench = make(made("2024-02-05", 10, 1500, seed=4), REFERENCE)
    rows = bench.multivariate()
    assert [row.drifted for row in rows] == [False, False]
    assert all(row.ci_low <= row.value <= row.ci_high for row in rows)
    assert len(rows.to_records()) == 2
    assert "10,000 rows" in rows.notes[0]


def test_as_many_rows_of_each_day_of_both_sides(make: Make) -> None:
    bench = make(made("2024-02-05", 3, 9000, seed=5), made("2024-01-01", 30, 30_000, seed=6))
    row = bench.multivariate()[0]
    assert row.n == 9000
    assert row.n_sampled + row.n_sampled_reference <= 10_000
    assert row.n_sampled / 3 == pytest.approx(row.n_sampled_reference / 30)


def test_every_window_has_its_records_and_few_rows_say_so(make: Make) -> None:
    rows = pd.concat([made("2024-02-05", 7, 700, seed=7), made("2024-02-19", 1, 12, seed=8)])
    found = make(rows, REFERENCE).multivariate(Scope(grain="week"))
    assert [row.status for row in found] == ["ok", "ok", "no_data", "no_data", "too_few", "too_few"]
    assert all(row.value is None and row.drifted is None and row.reason for row in found[2:])


def test_one_day_is_measured_against_other_single_days_or_not_at_all(make: Make) -> None:
    day = made("2024-02-05", 1, 200, seed=9)
    found = make(day, REFERENCE).multivariate()
    assert found[0].n_draws == 30
    assert found[0].null_mean is not None
    short = make(day, made("2024-01-01", 10, 1000, seed=10)).multivariate()
    assert {row.status for row in short} == {"too_few"}
    assert "longer window" in short[0].reason


def test_few_blocks_in_the_reference_count_rows_or_units(make: Make) -> None:
    reference = made("2024-01-01", 3, 600, seed=11)
    window = made("2024-02-05", 3, 600, seed=12)
    assert make(window, reference).multivariate()[0].independence == "rows"
    for frame in (reference, window):
        frame["u"] = [f"u{i // 5}" for i in range(len(frame))]
    rows = make(window, reference, 'unit = "u"\n').multivariate()
    assert {row.independence for row in rows} == {"units"}


def test_constant_and_missing_features_are_undefined_not_an_error(make: Make) -> None:
    flat = [frame.assign(x=1.0, z=np.nan, c="a") for frame in (made("2024-02-05", 10, 300), REFERENCE)]
    rows = make(*flat).multivariate()
    assert {row.status for row in rows} == {"undefined"}
    assert all(row.value is None for row in rows)


def test_which_feature_carries_it_and_which_rows_are_new(make: Make) -> None:
    window = made("2024-02-05", 10, 1000, seed=13)
    window["z"] += 3
    bench = make(window, REFERENCE, 'private = ["id"]\n')
    carriers = bench.carriers()
    assert [row.rank for row in carriers] == [1, 2, 3]
    first = carriers[0]
    assert first.feature == "z"
    assert 0 < first.ci_low <= first.value <= first.ci_high
    assert first.auc_alone > 0.9
    newest = bench.newest(k=5)
    assert [row.rank for row in newest] == [1, 2, 3, 4, 5]
    assert newest[0].id == "•••"
    assert newest[0].reference_beyond < 0.01
    logged = pd.read_parquet(bench.project.folder / newest[0].file)
    assert newest[0].columns["z"] in logged["z"].to_numpy()
    with pytest.raises(ScopeError):
        bench.newest(k=0)


def test_text_and_embedding_columns(make: Make) -> None:
    rng = np.random.default_rng(14)

    def rich(frame: pd.DataFrame, words: list[str], centre: float) -> pd.DataFrame:
        n = len(frame)
        vectors = [list(row) for row in rng.normal(centre, 1, (n, 8))]
        vectors[0], vectors[1] = vectors[0][:3], None
        texts = [None if i % 50 == 0 else " ".join(rng.choice(words, 4)) for i in range(n)]
        return frame.assign(t=texts, e=vectors)

    reference = rich(REFERENCE, ["old", "words", "here"], 0)
    window = rich(made("2024-02-05", 10, 1000, seed=15), ["new", "words", "there"], 0.5)
    bench = make(window, reference, 'texts = ["t"]\nembeddings = ["e"]\n')
    rows = {row.feature: row for row in bench.multivariate() if row.feature is not None}
    assert {row.feature for row in bench.carriers()} == {"x", "z", "c"}, (
        "texts and embeddings are no features"
    )
    for name, kind, missing in (("t", "text", 20), ("e", "embedding", 2)):
        assert rows[name].kind == kind
        assert rows[name].drifted
        assert rows[name].n_missing == missing
    profile = {(row.feature, row.measure): row for row in bench.profile()}
    assert profile["t", "missing"].value == pytest.approx(0.02)
    assert profile["t", "tokens"].difference == 0
    norm = profile["e", "norm"]
    assert norm.difference_ci_low > 0
    assert norm.difference_ci_low <= norm.difference <= norm.difference_ci_high


def test_embeddings_in_every_format(make: Make) -> None:
    rows = REFERENCE.iloc[:300].assign(e=["[0.5, 1.5]"] * 299 + ["no list"])
    found = make(rows, rows, 'embeddings = ["e"]\n').multivariate()
    assert next(row for row in found if row.feature == "e").n_missing == 1


def test_without_text_columns_the_profile_says_so(make: Make) -> None:
    found = make(made("2024-02-05", 3, 100), REFERENCE).profile()
    assert len(found) == 0
    assert "names no text" in found.notes[0]


def test_it_is_not_split(make: Make) -> None:
    bench = make(made("2024-02-05", 3, 100), REFERENCE, 'segments = ["c"]\n')
    with pytest.raises(ScopeError, match="not split"):
        bench.multivariate(Scope(by="c"))


def test_hostile_names_and_many_values(make: Make) -> None:
    name = 'a"); DROP TABLE x; --'
    frames = [
        frame.rename(columns={"x": name}).assign(c=[f"<b>{i}</b>" for i in range(len(frame))])
        for frame in (made("2024-02-05", 9, 500), REFERENCE)
    ]
    keys = "features = ['a\"); DROP TABLE x; --', 'c']\n"
    assert {row.status for row in make(*frames, keys).multivariate()} == {"ok"}
