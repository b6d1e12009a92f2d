"""Drift of many columns at once, of texts and of embeddings: read samples of both sides, compare them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.rich_columns import IDENTITY, embedding_column, text_column, watched
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.days import one_thread
from analytics.ask.examples import MASK, logged_of
from analytics.ask.samples import block_codes, feature_columns, part_of, weights_of
from analytics.ask.windows import reference_inside, resolve, versions_of
from analytics.drift import multivariate as compute
from analytics.drift.multivariate import Both, Column, Rows, bring_together
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow, What
from analytics.drift.profiles import missing, profile_rows
from analytics.errors import ScopeError
from analytics.results import Results, Status
from analytics.scope import Scope, Window
from analytics.stats.domain_classifier import DRAWS
from analytics.stats.text_maps import MEASURES, embedding_design, measures, text_design
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

SIZE = 10_000
"""Rows of both sides together that one window is judged on."""
SIZE_IN_WINDOWS = 8_000
"""The same where the scope is cut into windows: there are many of them."""
TEXT_SIZE = 4_000
DRAWS_IN_WINDOWS = 99
_DRAWN = 20_000
_READING = "sampled rows of one window"
MOST_NEW = 1_000


@dataclass(frozen=True)
class Cell:
    """One window of one version, and what it is compared with."""

    window: Window
    version: str | None
    reference_version: str | None
    sample: pa.Table
    reference: pa.Table
    n: int
    n_reference: int


@dataclass(frozen=True)
class _Reading:
    cells: tuple[Cell, ...]
    sql: tuple[str, ...]
    size: int
    scope: Scope

    @property
    def draws(self) -> int:
        """Permutations of each classifier."""
        return DRAWS if self.scope.grain == "all" else DRAWS_IN_WINDOWS


@one_thread()
def multivariate_of(catalog: Catalog, scope: Scope, *, rich: bool = True) -> Results[MultivariateRow]:
    """All features together and, if ``rich``, each text and embedding column, of every window and version.

    Raises:
        ProjectError: the project has no reference.
        ScopeError: the scope splits by a segment.
    """
    reading = _read(catalog, scope)
    rows = tuple(
        row for cell in reading.cells for row in compute.judged(_rows_of(catalog, cell, reading, rich=rich))
    )
    families = len({(row.window_start, row.version) for row in rows if row.p_value is not None})
    notes = (_sampled(reading), _by_chance(families), *reference_inside(catalog, scope)) if rows else ()
    return Results(rows, catalog.project.zone, reading.sql, notes)


@one_thread()
def carriers_of(catalog: Catalog, scope: Scope) -> Results[CarrierRow]:
    """Which features carry the classifier, for every window and version."""
    reading = _read(catalog, scope)
    rows = tuple(row for cell in reading.cells for row in _carriers(catalog, cell, reading))
    return Results(rows, catalog.project.zone, reading.sql, (_sampled(reading),) if rows else ())


@one_thread()
def newest_of(catalog: Catalog, scope: Scope, k: int = 20) -> Results[NewRow]:
    """The k sampled rows of every window and version that look least like the reference.

    Raises:
        ScopeError: k is out of range, or the scope splits by a segment.
    """
    if not 1 <= k <= MOST_NEW:
        raise ScopeError(f"k {k:,} must be from 1 to {MOST_NEW:,}")
    reading = _read(catalog, scope)
    texts = list(reading.sql)
    rows = tuple(row for cell in reading.cells for row in _newest(catalog, cell, reading, k, texts))
    return Results(rows, catalog.project.zone, tuple(texts), (_sampled(reading),) if rows else ())


def profile_of(catalog: Catalog, scope: Scope) -> Results[ProfileRow]:
    """Plain measures of every text and embedding column, of every window and version."""
    reading = _read(catalog, scope)
    rows = tuple(row for cell in reading.cells for row in _profiles(catalog, cell, reading))
    section = catalog.predictions
    none = not section.texts and not section.embeddings
    notes = (
        ("the project file names no text or embedding columns ([predictions] texts, embeddings)",)
        if none
        else (_sampled(reading),)
    )
    return Results(rows, catalog.project.zone, reading.sql, notes)


def _sampled(reading: _Reading) -> str:
    return (
        f"computed on seeded samples: at most {reading.size:,} rows of both sides together a window and version, "
        f"as many of each block of time; {min(reading.size, TEXT_SIZE):,} for texts and embeddings"
    )


def _by_chance(families: int) -> str:
    return (
        "p-values are corrected over the methods and columns of each window and version; when nothing has drifted, "
        f"about {compute.ALPHA * families:.2g} of these {families:,} would still show a small p by chance"
    )


def _read(catalog: Catalog, scope: Scope) -> _Reading:
    """The rows of a scope; the last one window is kept, as a page asks several questions about it."""
    if scope.by is not None:
        raise ScopeError(
            f'by: drift is not split by segment; ask for one value at a time, with where "{scope.by}=VALUE"'
        )
    if scope.grain != "all":
        return _read_anew(catalog, scope)
    kept, reading = catalog.answered.get(_READING, (None, None))
    if kept != repr(scope) or not isinstance(reading, _Reading):
        reading = _read_anew(catalog, scope)
        catalog.answered[_READING] = (repr(scope), reading)
    return reading


def _read_anew(catalog: Catalog, scope: Scope) -> _Reading:
    size = SIZE if scope.grain == "all" else SIZE_IN_WINDOWS
    scope, windows = resolve(catalog, scope)
    versions = versions_of(catalog, scope)
    pairs = {version: reference_version_of(catalog, version) for version in versions}
    window = _sample(catalog, scope, "predictions")
    reference = _sample(catalog, replace(scope, versions=()), "reference")
    n_reference = Counter[str | None]()
    for (_, version, _), count in reference.totals.items():
        n_reference[version] += count
    tables = {version: part_of(reference.table, version=version) for version in set(pairs.values())}
    cells = tuple(
        Cell(
            one, version, pairs[version], part_of(window.table, version=version, window_key=one.key),
            tables[pairs[version]], window.totals.get((one.key, version, None), 0), n_reference[pairs[version]],
        )
        for one in windows
        for version in versions
    )  # fmt: skip
    return _Reading(cells, (reference.sql, window.sql), size, scope)


def _sample(catalog: Catalog, scope: Scope, source: Any) -> Sample:
    section = catalog.predictions
    columns = dict(IDENTITY)
    columns |= {f"text:{name}": text_column(name) for name in section.texts}
    columns |= {f"embedding:{name}": embedding_column(catalog, name) for name in section.embeddings}
    rows = scoped_rows(catalog, scope, source)
    return read_sample(
        catalog, rows, _DRAWN, features=catalog.features, columns=columns, where=watched(catalog)
    )


def _rows(table: pa.Table, columns: dict[str, Column]) -> Rows:
    unit = np.array(table.column("unit").to_pylist(), dtype=object)
    known = bool(len(unit)) and all(one is not None for one in unit)
    return Rows(
        columns, block_codes(table), unit if known else None, weights_of(table), np.arange(table.num_rows)
    )


def _features(catalog: Catalog, cell: Cell, size: int) -> Both | None:
    if not catalog.features or not cell.sample.num_rows or not cell.reference.num_rows:
        return None
    reference = _rows(cell.reference, feature_columns(catalog, cell.reference))
    return bring_together(reference, _rows(cell.sample, feature_columns(catalog, cell.sample)), size)


def _blank(catalog: Catalog, cell: Cell, feature: str | None, kind: What, method: Any) -> MultivariateRow:
    return MultivariateRow(
        cell.window.start, cell.window.end, cell.version, cell.reference_version, feature, kind, method,
        value=None, ci_low=None, ci_high=None, null_mean=None, null_low=None, null_high=None, p_value=None,
        p_adjusted=None, effect=None, effect_ci_low=None, effect_ci_high=None,
        tolerance=catalog.project.drift.tolerance_of(feature or "default"),
        drifted=None, n=cell.n, n_reference=cell.n_reference, n_sampled=0, n_sampled_reference=0, n_missing=0,
        n_missing_reference=0, n_features=len(catalog.features) if feature is None else 1, n_components=None,
        n_draws=None, blocks=0, blocks_reference=0, independence=None, status="ok", reason=None,
    )  # fmt: skip


def _counted(row: MultivariateRow, both: Both) -> MultivariateRow:
    status, reason = compute.state(both)
    return replace(
        row, n_sampled=both.window.n, n_sampled_reference=both.reference.n, blocks=both.window.n_blocks,
        blocks_reference=both.reference.n_blocks, status=status, reason=reason,
    )  # fmt: skip


def _empty(cell: Cell) -> tuple[Status, str]:
    if not cell.sample.num_rows:
        return "no_data", "no rows in this window"
    return "no_data", "no rows in the reference"


def _rows_of(catalog: Catalog, cell: Cell, reading: _Reading, *, rich: bool) -> list[MultivariateRow]:
    confidence = reading.scope.confidence
    first = _blank(catalog, cell, None, "features", "domain_classifier")
    second = replace(first, method="reconstruction_error")
    both = _features(catalog, cell, reading.size)
    if both is None:
        status, reason = _empty(cell) if catalog.features else ("undefined", "the model has no features")
        rows = [replace(row, status=status, reason=reason) for row in (first, second)]
    else:
        first, second = _counted(first, both), _counted(second, both)
        if first.status == "ok":
            first = compute.by_classifier(
                first, both, compute.map_of(both).design(), confidence, reading.draws
            )
            second = compute.by_reconstruction(second, both, confidence)
        rows = [first, second]
    columns = _rich(catalog) if rich else ()
    return rows + [_of_column(catalog, cell, reading, name, kind) for name, kind in columns]


def _rich(catalog: Catalog) -> Iterator[tuple[str, What]]:
    section = catalog.predictions
    yield from ((name, "text") for name in section.texts)
    yield from ((name, "embedding") for name in section.embeddings)


def _of_column(catalog: Catalog, cell: Cell, reading: _Reading, name: str, kind: What) -> MultivariateRow:
    row = _blank(catalog, cell, name, kind, "domain_classifier")
    if not cell.sample.num_rows or not cell.reference.num_rows:
        status, reason = _empty(cell)
        return replace(row, status=status, reason=reason)
    sides = [_values(table, name, kind) for table in (cell.reference, cell.sample)]
    if kind == "embedding":
        usual = _usual_length(sides[0])
        if usual is None:
            return replace(row, status="undefined", reason=f"the reference holds no embedding in {name}")
        sides = [[one if one is not None and len(one) == usual else None for one in side] for side in sides]
    present = [np.array([one is not None for one in side]) for side in sides]
    row = replace(row, n_missing=int((~present[1]).sum()), n_missing_reference=int((~present[0]).sum()))
    kept = [
        table.filter(pa.array(mask))
        for table, mask in zip((cell.reference, cell.sample), present, strict=True)
    ]
    if not all(table.num_rows for table in kept):
        return replace(row, status="no_data", reason=f"no {kind} in {name} on one side")
    both = bring_together(_rows(kept[0], {}), _rows(kept[1], {}), min(reading.size, TEXT_SIZE))
    row = _counted(row, both)
    if row.status != "ok":
        return row
    known = [[one for one in side if one is not None] for side in sides]
    chosen = [known[0][i] for i in both.reference.place] + [known[1][i] for i in both.window.place]
    design = text_design(chosen) if kind == "text" else embedding_design(np.array(chosen, dtype=np.float64))
    return compute.by_classifier(row, both, design, reading.scope.confidence, reading.draws)


def _values(table: pa.Table, name: str, kind: What) -> list[Any]:
    values: list[Any] = table.column(f"{kind}:{name}").to_pylist()
    if kind == "text":
        return [one or None for one in values]
    return [one if one and all(x is not None and np.isfinite(x) for x in one) else None for one in values]


def _usual_length(vectors: Sequence[list[float] | None]) -> int | None:
    lengths = Counter(len(one) for one in vectors if one is not None)
    return max(lengths, key=lambda length: (lengths[length], length)) if lengths else None


def _carriers(catalog: Catalog, cell: Cell, reading: _Reading) -> tuple[CarrierRow, ...]:
    blank = CarrierRow(
        cell.window.start, cell.window.end, cell.version, cell.reference_version, feature="", rank=1, value=None,
        ci_low=None, ci_high=None, auc_alone=None, auc_alone_ci_low=None, auc_alone_ci_high=None, auc=None,
        n_sampled=0, n_sampled_reference=0, independence=None, status="ok", reason=None,
    )  # fmt: skip
    both = _features(catalog, cell, reading.size)
    status, reason = _empty(cell) if both is None else compute.state(both)
    if both is None or status != "ok":
        return tuple(
            replace(blank, feature=feature.name, rank=rank, status=status, reason=reason)
            for rank, feature in enumerate(catalog.features, 1)
        )
    blank = replace(blank, n_sampled=both.window.n, n_sampled_reference=both.reference.n)
    return compute.carriers(blank, both, reading.scope.confidence)


def _newest(catalog: Catalog, cell: Cell, reading: _Reading, k: int, texts: list[str]) -> Iterator[NewRow]:
    both = _features(catalog, cell, reading.size)
    if both is None or compute.state(both)[0] != "ok":
        return
    found = compute.newest(both, k)
    places = [int(both.window.place[place]) for place, _ in found]
    rows = cell.sample.select(["ts", *IDENTITY]).take(places).to_pylist()
    logged = logged_of(catalog, [(row["file"], row["row"]) for row in rows], texts)
    private = frozenset(catalog.predictions.private)
    hide = catalog.predictions.id in private
    for rank, (row, (_, beyond)) in enumerate(zip(rows, found, strict=True), 1):
        yield NewRow(
            cell.window.start, cell.window.end, cell.version, rank,
            MASK if hide and row["id"] is not None else row["id"], row["ts"].astimezone(UTC), beyond,
            logged.file(row["file"]), row["row"], logged.columns[row["file"], row["row"]],
        )  # fmt: skip


def _profiles(catalog: Catalog, cell: Cell, reading: _Reading) -> Iterator[ProfileRow]:
    for name, kind in _rich(catalog):
        blank = ProfileRow(
            cell.window.start, cell.window.end, cell.version, cell.reference_version, name, kind, measure="missing",
            value=None, ci_low=None, ci_high=None, value_reference=None, difference=None, difference_ci_low=None,
            difference_ci_high=None, p_value=None, p_adjusted=None, n=cell.n, n_reference=cell.n_reference,
            n_sampled=0, n_sampled_reference=0, independence=None, status="ok", reason=None,
        )  # fmt: skip
        names = (*MEASURES, "missing") if kind == "text" else ("norm", "missing")
        if not cell.sample.num_rows or not cell.reference.num_rows:
            status, reason = _empty(cell)
            yield from (replace(blank, measure=one, status=status, reason=reason) for one in names)
            continue
        sides = _rows(cell.reference, {}), _rows(cell.sample, {})
        blank = replace(blank, n_sampled=sides[1].n, n_sampled_reference=sides[0].n)
        found = [_measured(_values(table, name, kind), kind) for table in (cell.reference, cell.sample)]
        yield from profile_rows(
            blank, {one: (found[0][one], found[1][one]) for one in names}, *sides, reading.scope.confidence
        )


def _measured(values: list[Any], kind: What) -> dict[str, npt.NDArray[np.float64]]:
    if kind == "text":
        return measures(values) | {"missing": missing(values)}
    norms = np.array([np.nan if one is None else float(np.linalg.norm(one)) for one in values])
    return {"norm": norms, "missing": missing(values)}
