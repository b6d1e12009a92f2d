"""A listing of many objects takes many requests; it is used again while it rests."""

from __future__ import annotations

from analytics.places.remote import missed, remote_path
from analytics.telemetry import remote_files
from analytics.telemetry.remote_files import _Listings


def test_a_long_listing_is_used_again_for_a_while_and_a_short_one_is_not(monkeypatch):
    clock = [0.0]
    asked = []

    def listed(folder, *, deep):
        asked.append(str(folder))
        clock[0] += 6.0 if "long" in str(folder) else 0.01
        return [len(asked)]

    monkeypatch.setattr(remote_files, "listed", listed)
    monkeypatch.setattr(remote_files.time, "monotonic", lambda: clock[0])
    listings = _Listings()
    long, short = remote_path("s3://b/long"), remote_path("s3://b/short")
    assert [listings.entries(long, deep=True) for _ in range(3)] == [[1]] * 3
    assert [listings.entries(short, deep=True) for _ in range(2)] == [[2], [3]]
    assert listings.entries(long, deep=False) == [4]
    clock[0] += 20 * 6.0
    assert listings.entries(long, deep=True) == [5]
    missed(long / "gone.parquet")
    assert listings.entries(long, deep=True) == [6]
