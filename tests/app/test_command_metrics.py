"""`assay metrics` and `assay metric-changes` print what the workbench answers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from app import locations
from app.cli import cli

SHOP = str(locations.sample_logs() / "shop")


def run(*words: str):
    return CliRunner().invoke(cli, list(words))


def test_records_hold_every_window_and_no_nan():
    found = run("metrics", SHOP, "--grain", "month", "--metric", "sales", "--metric", "buyers", "--json")
    assert found.exit_code == 0
    records = json.loads(found.stdout, parse_constant=pytest.fail)
    assert [record["metric"] for record in records] == ["buyers"] * 5 + ["sales"] * 5
    assert {record["status"] for record in records} == {"ok", "immature"}
    assert records[0]["window_start"] == "2026-01-05T00:00:00+01:00"
    for record in records:
        assert record["ci_low"] <= record["value"] <= record["ci_high"]


def test_a_table_for_people():
    words = ("--metric", "clicks_per_item", "--metric", "buyers", "--by", "country", "--start", "2026-05-04")
    found = run("metrics", SHOP, *words)
    assert found.exit_code == 0
    assert "clicks_per_item" in found.stdout
    records = json.loads(run("metrics", SHOP, *words, "--json").stdout)
    assert "missed" in {record["reached"] for record in records}
    # country is a stratum of the exposures, too, and still one of the units
    split = {(record["metric"], record["segment_value"]) for record in records if record["value"] is not None}
    assert split == {(metric, country) for metric in words[1:4:2] for country in ("BR", "DE", "FR", "US")}


def test_the_command_says_what_moved():
    found = run("metric-changes", SHOP, "--metric", "clicks_per_item", "--json")
    (record,) = json.loads(found.stdout)
    assert (record["field"], record["kind"], record["worse"]) == ("clicks_per_item", "sudden", True)
    assert record["change_at"] == "2026-05-04T00:00:00+02:00"
