"""Small experiments written to disk in any format, and opened."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.aggregates.arms import ExperimentAggregates
from analytics.aggregates.experiments import read_experiment
from analytics.aggregates.readings import Reading, Wanted
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog

Row = dict[str, Any]
Files = Sequence[Sequence[Row]]
"""Rows of the files of one feed, in the order of their names."""
TYPES = {
    "unit": pa.string(), "variant": pa.string(), "experiment": pa.string(), "ts": pa.timestamp("us", "UTC"),
    "event": pa.string(), "amount": pa.float64(), "items": pa.float64(), "cluster": pa.string(), "points": pa.float64(),
    "visits": pa.float64(), "flag": pa.float64(), "before": pa.float64(), "id": pa.string(), "score": pa.float64(),
    "received": pa.timestamp("us", "UTC"), "label": pa.int64(), "weight": pa.float64(),
}  # fmt: skip


@dataclass(frozen=True)
class Logs:
    """An experiment as it is written: sections of the project file, and the rows of its feeds.

    Attributes:
        feeds: section -> files -> rows.
        metrics: name -> keys of [metrics.NAME].
        experiment: keys of the experiment.
        sections: keys of [exposures] and the like, beside the path; `USUAL` where not said.
    """

    feeds: Mapping[str, Files]
    metrics: Mapping[str, Mapping[str, Any]]
    experiment: Mapping[str, Any]
    name: str = "test"
    time_zone: str = "UTC"
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


USUAL: dict[str, dict[str, Any]] = {
    "exposures": {"unit": "unit", "variant": "variant", "timestamp": "ts"},
    "events": {"unit": "unit", "timestamp": "ts"},
    "units": {"unit": "unit"},
    "predictions": {"task": "binary", "id": "id", "timestamp": "ts", "score": "score", "unit": "unit"},
    "labels": {"id": "id", "label": "label", "timestamp": "ts"},
}


def toml(value: Any) -> str:
    """A value as TOML writes it, whatever a text holds."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{toml(name)} = {toml(item)}" for name, item in value.items()) + "}"
    return str(value)


def write(folder: Path, logs: Logs, form: str = "parquet") -> Path:
    """The project file and its logs; the file of the project."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['name = "small"', f"time_zone = {toml(logs.time_zone)}"]
    for name, files in logs.feeds.items():
        keys = {"path": name, **(logs.sections.get(name) or USUAL[name])}
        lines += [f"[{name}]", *(f"{key} = {toml(value)}" for key, value in keys.items())]
        for number, rows in enumerate(files):
            write_rows(folder / name / f"part-{number}", rows, form)
    for name, keys in logs.metrics.items():
        lines += [f"[metrics.{toml(name)}]", *(f"{key} = {toml(value)}" for key, value in keys.items())]
    for name, keys in {logs.name: logs.experiment, **logs.others}.items():
        lines += [f"[experiments.{toml(name)}]", *(f"{key} = {toml(value)}" for key, value in keys.items())]
    file = folder / "assay.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def write_rows(stem: Path, rows: Sequence[Row], form: str) -> Path:
    """One log file."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    path = stem.with_name(f"{stem.name}.{form}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "parquet":
        columns = {name: pa.array([row.get(name) for row in rows], TYPES.get(name)) for name in names}
        pq.write_table(pa.table(columns), path)
    elif form == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([_text(row.get(name)) for name in names] for row in rows)
    else:
        lines = ({name: _json(value) for name, value in row.items()} for row in rows)
        path.write_text(
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
        )
    return path


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def read(
    catalog: Catalog,
    name: str = "test",
    *,
    metrics: Iterable[str] = (),
    as_of: datetime | None = None,
) -> ExperimentAggregates:
    """An experiment as it is declared, all metrics or some."""
    return read_experiment(catalog, reading_of(catalog, name, metrics=metrics, as_of=as_of))


def reading_of(
    catalog: Catalog, name: str = "test", *, metrics: Iterable[str] = (), as_of: datetime | None = None
) -> Reading:
    """What `read` reads."""
    project = catalog.project
    experiment = project.experiments[name]
    wanted = []
    for metric in metrics or project.metrics:
        declared = project.metrics[metric]
        source = project.source_of(declared)
        wanted.append(Wanted(metric, declared, source, None if source == "units" else experiment.covariate))
    start, end = (
        None if moment is None else project.instant(moment) for moment in (experiment.start, experiment.end)
    )
    return Reading(name, tuple(experiment.variants), tuple(wanted), start, end, as_of=as_of)


def open_logs(folder: Path, logs: Logs, form: str = "parquet") -> Catalog:
    """Written and opened."""
    return Catalog(read_project(write(folder, logs, form)))


def at(hours: float, start: datetime = datetime(2024, 3, 8, tzinfo=UTC)) -> datetime:  # a constant
    """An instant some hours after the start of the tests' time."""
    return start + timedelta(hours=hours)
