"""Logs and stored aggregates in one bucket, several machines: built by one, read by another."""

from __future__ import annotations

from contextlib import closing

import pytest

from analytics import open as open_project
from analytics.aggregates.remote_shelf import RemoteShelf
from tests.places.test_buckets import project, table, write_parquet


def built(folder):
    with closing(open_project(folder)) as bench:
        return bench.aggregate()


def day_by_day(folder) -> list[dict]:
    with closing(open_project(folder)) as bench:
        return bench.quality(bench.scope(grain="day")).to_records()


def test_one_machine_builds_and_another_reads(bucket, tmp_path, monkeypatch):
    write_parquet(bucket.folder, "logs/a.parquet", table(rows=900))
    builder, reader = (
        project(tmp_path / "one" / "p", bucket.url("logs")),
        project(tmp_path / "p", bucket.url("logs")),
    )
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "on-disk"))
    assert built(reader).days == 9
    on_disk = day_by_day(reader)
    monkeypatch.setenv("ASSAY_AGGREGATES", bucket.url("aggregates"))
    assert built(builder).days == 9
    assert list((bucket.folder / "aggregates").glob("p-*/manifests/*.json"))
    monkeypatch.setattr("analytics.aggregates.store._STORES", {})  # as on another machine
    assert built(reader).parts == 0

    read: list[str] = []
    whole = RemoteShelf.read
    monkeypatch.setattr(RemoteShelf, "read", lambda self, name: read.append(name) or whole(self, name))
    stored = day_by_day(reader)
    assert any(name.startswith("parts/") for name in read)
    for one, other in zip(stored, on_disk, strict=True):
        for key, value in one.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[key], rel=1e-9), (key, one)
            else:
                assert value == other[key], (key, one)

    # labels of days that were there already, and days of their own: what they touch is built, and nothing differs
    write_parquet(bucket.folder, "logs/b.parquet", table(rows=3, seed=2))
    again = built(reader)
    assert 0 < again.days <= 3
    with closing(open_project(builder)) as bench:
        assert not bench.verify_aggregates().differences
