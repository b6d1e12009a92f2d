"""Commands on the sample logs: numbers that two commands must agree on, and that the log itself gives."""

from __future__ import annotations

import gzip
import json
import math
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from app import cli

DAYS = ("--start", "2013-07-01", "--end", "2013-07-03", "--json")


def records(capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == 0
    found: list[dict[str, object]] = orjson.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    "project, metric", [("flights_delay_class", "log_loss"), ("flights_minutes", "mean_absolute_error")]
)
def test_the_losses_of_all_examples_average_to_the_metric(root, capsys, project, metric):
    path = root / "sample_logs" / project
    quality = records(capsys, "quality", path, *DAYS)
    measured = {row["version"]: row for row in quality if row["metric"] == metric and row["n_labelled"]}
    assert measured
    for version, row in measured.items():
        found = records(capsys, "examples", path, "--version", version, "-k", 10_000, *DAYS)
        losses = [example["loss"] for example in found]
        assert len(losses) == row["n_labelled"]
        assert math.fsum(losses) / len(losses) == pytest.approx(row["value"], rel=1e-9)
        assert losses == sorted(losses, reverse=True)


def test_an_example_holds_its_line_of_the_log(root: Path, capsys):
    folder = root / "sample_logs" / "flights_delay_class"
    found = records(capsys, "examples", folder, "-k", 5, *DAYS)
    for example in found:
        with gzip.open(folder / example["file"], "rt") as lines:
            logged = next(line for line in map(json.loads, lines) if line["prediction_id"] == example["id"])
        times = [datetime.fromisoformat(text) for text in (example["timestamp"], logged.pop("timestamp"))]
        assert times[0] == times[1]
        del logged["landed_at"]
        assert {name: example.get(f"column.{name}", example.get(name)) for name in logged} == logged
        assert example["loss"] == pytest.approx(-math.log(logged[f"p_{logged['label']}"]), rel=1e-9)
