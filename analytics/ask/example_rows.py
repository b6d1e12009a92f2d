"""Rows of the logs as examples: their logged columns, private ones masked, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa

from analytics.engines.text import Sql
from analytics.examples import reasons
from analytics.examples.rows import ExampleRow
from analytics.examples.select import any_key, described, logged_columns
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

MASK = "•••"
_ENDLESS = {2**63 - 1: "infinity", 1 - 2**63: "-infinity", 2**31 - 1: "infinity", 1 - 2**31: "-infinity"}
Item = dict[str, Any]


@dataclass
class Asking:
    """Runs the queries of one question and keeps their texts."""

    catalog: Catalog
    texts: list[str] = field(default_factory=list)

    def table(self, sql: Sql, shown: str | None = None) -> pa.Table:
        """The answer of a query; another text is shown where it reads what is held in memory."""
        self.texts.append(shown or sql.text)
        return self.catalog.engine.query(sql)

    def records(self, sql: Sql, shown: str | None = None) -> list[Item]:
        """The same as dictionaries."""
        found: list[Item] = self.table(sql, shown).to_pylist()
        return found

    def described(self, scope: Scope, keys: Sequence[tuple[str, int]]) -> list[Item]:
        """What some rows of a scope say of themselves, in the order they are named in."""
        if not keys:
            return []
        found = self.records(described(self.catalog, scope, *any_key(keys)))
        by_key = {(item["file"], item["row"]): item for item in found}
        return [by_key[key] for key in keys if key in by_key]


@dataclass(frozen=True)
class Found:
    """A row to be shown.

    Attributes:
        item: file, row, id, ts, version, request, label, decision, score, loss.
        reason: why it is shown.
        class_: the class it was ranked in; None where rows are not ranked by class.
        more: further fields of `ExampleRow`.
    """

    item: Item
    reason: str
    class_: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """Where it was logged."""
        return self.item["file"], self.item["row"]


def example_rows(asking: Asking, found: Sequence[tuple[int, Found]]) -> list[ExampleRow]:
    """Rows with their rank as they are shown."""
    columns = columns_of(asking, [one.key for _, one in found])
    return [_row(asking.catalog, rank, one, columns[one.key]) for rank, one in found]


def hides_scores(catalog: Catalog) -> bool:
    """Whether scores, losses and labels are kept back: each gives the others away."""
    section = catalog.predictions
    return bool(frozenset(section.private) & {*section.score_columns, section.decision, section.label})


def masked(catalog: Catalog, role: str, value: object) -> str | None:
    """The value of a role as text; a mask where its column is private."""
    private = getattr(catalog.predictions, role, None) in catalog.predictions.private
    return MASK if private and value is not None else text_of(value)


def _row(catalog: Catalog, rank: int, found: Found, columns: dict[str, Any]) -> ExampleRow:
    item = found.item
    shown = not hides_scores(catalog)
    more = found.more if shown else {**found.more, "suggested_label": None}
    return ExampleRow(
        rank=rank,
        reason=found.reason if shown else reasons.PRIVATE,
        id=masked(catalog, "id", item["id"]),
        version=masked(catalog, "version", item["version"]),
        label=masked(catalog, "label", item["label"]),
        decision=masked(catalog, "decision", item["decision"]),
        timestamp=item["ts"].astimezone(UTC),
        score=item["score"] if shown else None,
        loss=item["loss"] if shown else None,
        file=relative(item["file"], catalog.project.folder),
        row=item["row"],
        columns=columns,
        **more,
    )


def columns_of(asking: Asking, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The logged columns of the rows found, in logged order, private ones masked."""
    if not keys:
        return {}
    table = asking.table(logged_columns(asking.catalog, keys))
    private = frozenset(asking.catalog.predictions.private)
    columns = {}
    for index, key in enumerate(zip(table["file"].to_pylist(), table["row"].to_pylist(), strict=True)):
        columns[key] = {
            name: MASK if name in private else _value(table[f"column:{name}"][index])
            for name in asking.catalog.types
        }
    return columns


def _value(scalar: pa.Scalar) -> Any:
    """A logged value as Python has it; an instant beyond the year 9999 as text."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        if (endless := _ENDLESS.get(getattr(scalar, "value", None))) is not None:  # type: ignore[arg-type]
            return endless
    try:
        return str(scalar.cast(pa.string()).as_py())
    except pa.ArrowException:
        return f"({scalar.type} out of range)"


def text_of(value: object) -> str | None:
    """A label, a decision or an id as text: 1 for 1.0."""
    if value is None or isinstance(value, str):
        return value
    return repr(value).removesuffix(".0")


def relative(file: str, folder: Path) -> str:
    """A file as it is shown: relative to the project where it lies in it."""
    path = Path(file)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file


@dataclass(frozen=True)
class Logged:
    """Some rows as they were logged.

    Attributes:
        columns: (file, row) -> its logged columns in logged order, private ones masked.
        folder: of the project.
    """

    columns: dict[tuple[str, int], dict[str, Any]]
    folder: Path

    def file(self, path: str) -> str:
        """A file as it is shown: relative to the project where it lies in it."""
        return relative(path, self.folder)


def logged_of(catalog: Catalog, keys: Iterable[tuple[str, int]], texts: list[str]) -> Logged:
    """The logged columns of rows known by file and row; the SQL text is added to ``texts``."""
    return Logged(columns_of(Asking(catalog, texts), list(keys)), catalog.project.folder)
