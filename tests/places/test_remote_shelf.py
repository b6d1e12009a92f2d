"""Stored aggregates in a bucket: whole objects, seen by other machines, never a half one."""

from __future__ import annotations

import re

import pytest

from analytics.aggregates.remote_shelf import RemoteShelf
from analytics.aggregates.shelf import FolderShelf
from analytics.aggregates.stored_days import shelf_of
from analytics.errors import StoreError
from analytics.places.remote import RemotePath, remote_path
from analytics.project import read_project
from tests.places.conftest import SECRET_KEY, reach
from tests.places.test_buckets import project


@pytest.fixture
def shelf(bucket) -> RemoteShelf:
    return RemoteShelf(remote_path(bucket.url("aggregates")))


def test_a_shelf_in_a_bucket_is_a_shelf_on_disk(shelf, tmp_path):
    for one in (shelf, FolderShelf(tmp_path)):
        assert one.listed("manifests") == []
        assert one.folders("parts") == []
        one.write("manifests/2.json", b"second")
        one.write("manifests/1.json", b"first")
        one.write("manifests/1.json", b"first again")
        one.write("parts/abc/2026-01.parquet", b"x" * 3_000_000)
        one.write("parts/abd/2026-01.parquet", b"")
        assert [(file.name, file.size) for file in one.listed("manifests")] == [
            ("manifests/1.json", 11),
            ("manifests/2.json", 6),
        ]
        assert all(file.written > 1_700_000_000 for file in one.listed("manifests"))
        assert one.folders("parts") == ["parts/abc", "parts/abd"]
        assert one.listed("parts") == []
        assert one.read("manifests/1.json") == b"first again"
        assert len(one.read("parts/abc/2026-01.parquet")) == 3_000_000
        one.remove("manifests/1.json")
        one.remove("manifests/1.json")
        with pytest.raises(FileNotFoundError):
            one.read("manifests/1.json")
        with one.lock("build") as mine:
            assert mine


def test_an_object_replaced_while_it_is_read_is_read_whole(shelf, monkeypatch):
    shelf.write("kept/x", b"a" * 1000)
    waiting = [b"b" * 1500, b"c" * 700]
    opened = RemotePath.opened

    def replaced(path: RemotePath):
        source = opened(path)
        if waiting:
            shelf.write("kept/x", waiting.pop(0))
        return source

    monkeypatch.setattr(RemotePath, "opened", replaced)
    assert shelf.read("kept/x") == b"c" * 700


def test_a_bucket_that_refuses_says_so_without_secrets(shelf, bucket, monkeypatch):
    shelf.write("manifests/1.json", b"{}")
    reach(monkeypatch, bucket.endpoint, secret=f"{SECRET_KEY}-wrong")
    for what in (
        lambda: shelf.read("manifests/1.json"),
        lambda: shelf.write("manifests/1.json", b"{}"),
        lambda: shelf.listed("manifests"),
        lambda: shelf.folders("parts"),
    ):
        with pytest.raises(StoreError, match="access denied; the credentials in the environment") as raised:
            what()
        assert SECRET_KEY not in str(raised.value)
    shelf.remove("manifests/1.json")


def test_a_project_names_the_bucket_or_the_environment_does(tmp_path, monkeypatch):
    folder = project(tmp_path / "shop", "p")
    monkeypatch.setenv("ASSAY_AGGREGATES", "s3://elsewhere/cache")
    assert re.fullmatch(r"s3://elsewhere/cache/shop-[0-9a-f]{6}", shelf_of(read_project(folder)).shown)
    monkeypatch.delenv("ASSAY_AGGREGATES")
    text = (folder / "assay.toml").read_text()
    (folder / "assay.toml").write_text(text + '[aggregates]\npath = "s3://bucket/assay"\n')
    place = shelf_of(read_project(folder)).shown
    assert re.fullmatch(r"s3://bucket/assay/shop-[0-9a-f]{6}", place)
    (folder / "assay.toml").write_text(
        re.sub('name = ".*"', 'name = "Another"', text, count=1)
        + '[aggregates]\npath = "s3://bucket/assay"\n'
    )
    assert shelf_of(read_project(folder)).shown != place, "two models in folders of one name"
