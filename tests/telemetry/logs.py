"""Small projects with logs of every kind, written into a temporary folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import FileRow, telemetry_report

PREDICTIONS = {"path": "p", "task": "binary", "id": "id", "timestamp": "ts", "score": "score"}


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{toml(name)} = {toml(item)}" for name, item in value.items()) + "}"
    return str(value)


def write_project(folder: Path, *, time_zone: str = "UTC", **sections: Mapping[str, Any]) -> Path:
    """An assay.toml with a [predictions] that `PREDICTIONS` completes; None takes a key out."""
    lines = ['name = "small"', f"time_zone = {toml(time_zone)}"]
    whole: dict[str, Mapping[str, Any]] = {**sections}
    whole["predictions"] = PREDICTIONS | dict(sections.get("predictions", {}))
    for name, section in whole.items():
        lines.append(f"[{name}]")
        lines += [f"{toml(key)} = {toml(value)}" for key, value in section.items() if value is not None]
    file = folder / "assay.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def open_catalog(folder: Path, **sections: Any) -> Catalog:
    """The views over a project written by `write_project`."""
    return Catalog(read_project(write_project(folder, **sections)))


def rows(catalog: Catalog, items: str = "*", view: str = "predictions") -> list[dict[str, Any]]:
    """Rows of a view in the order of time and id."""
    order = "ts, id" if view != "labels" else "id, ts"
    return catalog.engine.query(f"SELECT {items} FROM {view} ORDER BY {order}").to_pylist()


def ids(catalog: Catalog) -> list[str]:
    """The ids that are read, sorted."""
    return sorted(row["id"] for row in rows(catalog, "id, ts"))


def report(catalog: Catalog) -> dict[str, FileRow]:
    """The report by path."""
    return {row.path: row for row in telemetry_report(catalog)}


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """A file below a folder, made with its parents."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def csv(*lines: str, header: str = "id,ts,score") -> str:
    """CSV text."""
    return "\n".join([header, *lines]) + "\n"
