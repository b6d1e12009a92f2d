"""Examples: the rows behind a number, worst, uncertain, best or random, with their logged columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.examples import reasons
from analytics.examples.boundaries import Boundary, from_decisions, from_threshold
from analytics.examples.rows import ExampleKind, ExampleRow
from analytics.examples.select import chosen, counted, decided_scores, highest_entropy, logged_columns
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

MASK = "•••"
MOST_EXAMPLES = 10_000
_NOTHING = "no prediction in this window with these filters"
_ENDLESS = {2**63 - 1: "infinity", 1 - 2**63: "-infinity", 2**31 - 1: "infinity", 1 - 2**31: "-infinity"}


@dataclass
class _Asking:
    """Runs the queries of one question and keeps their texts."""

    catalog: Catalog
    texts: list[str] = field(default_factory=list)

    def table(self, sql: Sql) -> pa.Table:
        self.texts.append(sql.text)
        return self.catalog.engine.query(sql)

    def records(self, sql: Sql) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table(sql).to_pylist()
        return found


def examples_of(
    catalog: Catalog,
    scope: Scope,
    kind: ExampleKind,
    k: int = 20,
    *,
    per_class: bool = False,
) -> Results[ExampleRow]:
    """The k rows of a scope that are worst, most uncertain, best, or drawn at random.

    Worst and best go by the loss of the row (see `analytics.examples.select`) and leave out rows without a
    label. Uncertain rows are those nearest to the decision boundary of their version (binary) or of highest
    entropy (multiclass). The random draw is always the same. Ties go by time, id, file and row. Grain, ``by``
    and confidence do not apply.

    Args:
        catalog: the project's views.
        scope: window, as-of, versions and filters.
        kind: worst, uncertain, best or random.
        k: how many rows; of each class where ``per_class``.
        per_class: by true class for worst and best, by decided class for the others.

    Raises:
        ScopeError: the project's task has no such examples, or k is out of range.
    """
    _check(catalog, kind, k, per_class=per_class)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    versions = versions_of(catalog, scope)
    zone = catalog.project.zone
    if not windows:
        return Results((), zone, notes=("the logs hold no prediction",))
    asking = _Asking(catalog)
    # a plain random draw leaves nothing out, so there is nothing to count
    counts = asking.records(counted(catalog, scope))[0] if kind != "random" or per_class else None
    notes = _left_out(catalog, counts, kind, per_class=per_class) if counts else []
    boundaries: tuple[Boundary, ...] = ()
    if kind == "uncertain" and catalog.predictions.task == "binary":
        boundaries = _boundaries(asking, scope, versions)
        notes += [boundary.sentence for boundary in boundaries]
    found = asking.records(chosen(catalog, scope, kind, k, per_class=per_class, boundaries=boundaries))
    if not found and not notes:
        notes = [_NOTHING]
    columns = _columns(asking, found)
    by_version = {boundary.version: boundary for boundary in boundaries}
    rows = (_row(catalog, kind, item, columns[item["file"], item["row"]], by_version) for item in found)
    return Results(tuple(rows), zone, tuple(asking.texts), tuple(notes))


def _check(catalog: Catalog, kind: ExampleKind, k: int, *, per_class: bool) -> None:
    if kind not in get_args(ExampleKind):
        raise ScopeError(f'kind "{kind}" is not one of: {", ".join(get_args(ExampleKind))}')
    if not 1 <= k <= MOST_EXAMPLES:
        raise ScopeError(f"k {k:,} must be from 1 to {MOST_EXAMPLES:,}")
    if catalog.predictions.task != "regression":
        return
    if kind == "uncertain":
        raise ScopeError(
            "a regression logs one number and not how sure it is, so no row is known to be uncertain; "
            "ask for worst, best or random"
        )
    if per_class:
        raise ScopeError("a regression has no classes; leave out per class")


def _left_out(catalog: Catalog, counts: dict[str, int], kind: ExampleKind, *, per_class: bool) -> list[str]:
    n = counts["n"]
    if n == 0:
        return [_NOTHING]
    notes = []
    if kind != "random" and counts["unscored"]:
        notes.append(f"{_of(counts['unscored'], n)} no usable score and {_verb(counts['unscored'])} left out")
    if kind in {"worst", "best"}:
        if not catalog.has_labels:
            notes.append("the project declares no labels, so there is no loss; ask for uncertain or random")
        elif count := counts["unlabelled"]:
            notes.append(f"{_of(count, n)} a score but no label and {_verb(count)} left out")
    elif per_class:
        undecided = counts["undecided" if kind == "random" else "scored_undecided"]
        if undecided:
            notes.append(f"{_of(undecided, n)} no decision and {_verb(undecided)} in no class")
    return notes


def _of(count: int, n: int) -> str:
    return f"{count:,} of {n:,} rows {'has' if count == 1 else 'have'}"


def _verb(count: int) -> str:
    return "is" if count == 1 else "are"


def _boundaries(asking: _Asking, scope: Scope, versions: Iterable[str | None]) -> tuple[Boundary, ...]:
    section = asking.catalog.predictions
    if section.decision is None:
        return tuple(from_threshold(version, section.threshold) for version in versions)
    seen = {row["version"]: row for row in asking.records(decided_scores(asking.catalog, scope))}
    nothing = {"highest_negative": None, "lowest_positive": None}
    return tuple(
        from_decisions(version, row["highest_negative"], row["lowest_positive"])
        for version, row in ((version, seen.get(version, nothing)) for version in versions)
    )


def _columns(asking: _Asking, found: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The logged columns of the rows found, in logged order, private ones masked."""
    if not found:
        return {}
    table = asking.table(logged_columns(asking.catalog, ((item["file"], item["row"]) for item in found)))
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


def _row(
    catalog: Catalog,
    kind: ExampleKind,
    item: dict[str, Any],
    columns: dict[str, Any],
    boundaries: dict[str | None, Boundary],
) -> ExampleRow:
    section = catalog.predictions
    private = frozenset(section.private)
    hidden = private & {*section.score_columns, section.decision, section.label}
    masked = {
        role: MASK if getattr(section, role) in private and item[role] is not None else _text(item[role])
        for role in ("id", "version", "label", "decision")
    }
    # a score, a loss and a label each give another one away
    shown = not hidden
    return ExampleRow(
        rank=item["rank"],
        reason=_reason(catalog, kind, item, boundaries) if shown else reasons.PRIVATE,
        **masked,
        timestamp=item["ts"].astimezone(UTC),
        score=item["score"] if shown else None,
        loss=item["loss"] if shown else None,
        file=_relative(item["file"], catalog.project.folder),
        row=item["row"],
        columns=columns,
    )


def _reason(
    catalog: Catalog, kind: ExampleKind, item: dict[str, Any], boundaries: dict[str | None, Boundary]
) -> str:
    task = catalog.predictions.task
    if kind == "random":
        return reasons.RANDOM
    if kind == "uncertain":
        if task == "multiclass":
            return reasons.of_entropy(item["measure"], highest_entropy(catalog.predictions))
        return reasons.of_distance(item["score"], boundaries[item["version"]])
    if task == "regression":
        return reasons.of_error(item["score"], item["label"])
    return reasons.of_likelihood(str(item["label"]), item["loss"])


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return repr(value).removesuffix(".0")


def _relative(file: str, folder: Path) -> str:
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
        return _relative(path, self.folder)


def logged_of(catalog: Catalog, keys: Iterable[tuple[str, int]], texts: list[str]) -> Logged:
    """The logged columns of rows known by file and row; the SQL text is added to ``texts``."""
    asking = _Asking(catalog, texts)
    found = [{"file": file, "row": row} for file, row in keys]
    return Logged(_columns(asking, found), catalog.project.folder)
