"""Which share of the rows is unlike the reference, and how good the model is inside and outside of what it knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.samples import part_of
from analytics.ask.windows import reference_inside, resolve, versions_of
from analytics.errors import ProjectError
from analytics.quality.unlike import EXPECTED, LEAST_ROWS, UnlikeRow, difference_of_losses, share_unlike
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.novelty import Column, Known
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
SAMPLE = 2_000
MOST_FEATURES = 100
EPSILON = 2.220446049250313e-16
TOLD = 3


@dataclass(frozen=True)
class _Reference:
    """The reference rows of one version: one half to measure against, the other to set the limit."""

    known: Known
    novelty: Floats
    blocks: NDArray[np.int64]
    columns: list[Column]
    n: int

    @cached_property
    def limit(self) -> float:
        """What 95 % of the held-out reference rows stay under."""
        return float(np.quantile(self.novelty, 1.0 - EXPECTED, method="higher"))

    @cached_property
    def by_column(self) -> Floats:
        """What each column adds to the distance of the held-out rows."""
        return self.known.by_column(self.columns)


def unlike_of(catalog: Catalog, scope: Scope) -> Results[UnlikeRow]:
    """The share of rows unlike the reference in every window and version, and the loss inside and outside.

    Reads a seeded sample of 2,000 rows of each window, version and reference version.

    Raises:
        ProjectError: the project has no reference or no features.
    """
    if "reference" not in catalog.sources:
        raise ProjectError(
            f"{catalog.project.file}: reference: this compares with a reference, and there is none"
        )
    if not catalog.features:
        raise ProjectError(
            f"{catalog.project.file}: predictions.features: the logs hold no features to compare"
        )
    scope, windows = resolve(catalog, replace(scope, by=None))
    features = catalog.features[:MOST_FEATURES]
    drawn = read_sample(catalog, scoped_rows(catalog, scope), SAMPLE, features=features)
    kept = read_sample(catalog, scoped_rows(catalog, scope, "reference"), SAMPLE, features=features)
    references = {
        name: _reference(kept, name) for name in dict.fromkeys(kept.table.column("version").to_pylist())
    }
    rows = [
        _row(catalog, scope, drawn, references, (window, version))
        for window in windows
        for version in versions_of(catalog, scope)
    ]
    note = (
        f"A sample of at most {SAMPLE:,} rows of each window and version is compared with as many of the reference: "
        "those of half of its days say what is usual, the others how far usual rows lie from these."
    )
    return Results(
        tuple(rows), catalog.project.zone, (drawn.sql, kept.sql), (note, *reference_inside(catalog, scope))
    )


def _reference(sample: Sample, version: str | None) -> _Reference | None:
    chosen = np.array([name == version for name in sample.table.column("version").to_pylist()], dtype=bool)
    table = sample.table.filter(pa.array(chosen))
    blocks = _blocks(table)
    # every other block is held out; without blocks enough, every other row
    _, place = np.unique(blocks, return_inverse=True)
    half = (place if place.max(initial=0) >= 3 else np.arange(len(place))) % 2 == 1
    if min(half.sum(), (~half).sum()) < LEAST_ROWS:
        return None
    columns = _columns(table)
    known = Known.of([_pick(column, ~half) for column in columns])
    held_out = [_pick(column, half) for column in columns]
    return _Reference(known, known.novelty(held_out), blocks[half], held_out, int(table.num_rows))


def _row(
    catalog: Catalog,
    scope: Scope,
    drawn: Sample,
    references: dict[str | None, _Reference | None],
    cell: tuple[Window, str | None],
) -> UnlikeRow:
    window, version = cell
    name = reference_version_of(catalog, version)
    reference = references.get(name)
    table = part_of(drawn.table, window_key=window.key, version=version)
    if version is None:
        table = table.filter(pc.is_null(table.column("version")))
    n = drawn.totals.get((window.key, version, None), 0)
    loss = "mean_absolute_error" if catalog.predictions.task == "regression" else "log_loss"
    blank = UnlikeRow(
        window.start, window.end, version, name, None, None, None, EXPECTED, None, None, n, int(table.num_rows),
        reference.n if reference is not None else 0, loss, None, None, None, None, None, 0, 0, None, "ok", None,
    )  # fmt: skip
    if n == 0:
        return replace(blank, status="no_data", reason="no rows in this window")
    if reference is None:
        return replace(blank, status="too_few", reason=f"the reference has under {2 * LEAST_ROWS} rows here")
    if n < LEAST_ROWS:
        return replace(blank, status="too_few", reason=f"{n} rows in this window; {LEAST_ROWS} are needed")
    return _measured(blank, table, reference, scope.confidence, catalog.predictions.classes)


def _measured(
    row: UnlikeRow, table: pa.Table, reference: _Reference, confidence: float, classes: tuple[str, ...]
) -> UnlikeRow:
    columns = _columns(table)
    novel = reference.known.novelty(columns) > reference.limit
    weights = table.column("weight").to_numpy(zero_copy_only=False).astype(np.float64)
    usable = np.isfinite(weights) & (weights > 0)
    weights, blocks = np.where(usable, weights, 0.0), _blocks(table)
    held_out = reference.novelty > reference.limit, reference.blocks.astype(np.float64)
    found = share_unlike(novel[usable], weights[usable], blocks[usable], held_out, confidence)
    row = replace(
        row, share=found.value, ci_low=found.low, ci_high=found.high, p_value=found.p_value,
        independence=found.independence, carried_by=_carried_by(table, columns, reference, novel),
    )  # fmt: skip
    losses = _losses(table, classes)
    known = usable & np.isfinite(losses)
    inside, outside = int((known & ~novel).sum()), int((known & novel).sum())
    row = replace(row, n_labelled_inside=inside, n_labelled_outside=outside)
    if min(inside, outside) < LEAST_ROWS:
        return row
    like, unlike, gap = difference_of_losses(
        losses[known], novel[known], weights[known], blocks[known], confidence
    )
    return replace(
        row, loss_inside=like, loss_outside=unlike, difference=gap.value, difference_ci_low=gap.low,
        difference_ci_high=gap.high,
    )  # fmt: skip


def _carried_by(
    table: pa.Table, columns: list[Column], reference: _Reference, novel: NDArray[np.bool_]
) -> str | None:
    """The columns in which unlike rows lie farther from the reference than its own rows do."""
    if not novel.any():
        return None
    names = [name.removeprefix("feature:") for name in table.column_names if name.startswith("feature:")]
    excess = reference.known.by_column([_pick(column, novel) for column in columns])
    excess = excess - reference.by_column
    order = [place for place in np.argsort(-excess)[:TOLD].tolist() if excess[place] > 0.01]
    return ", ".join(names[place] for place in order) or None


def _losses(table: pa.Table, classes: tuple[str, ...]) -> Floats:
    """Loss of every row; nan without a label or a usable score."""
    scored = np.array(table.column("scored").to_pylist(), dtype=bool)
    labels = table.column("label").to_pylist()
    labelled = np.array([label is not None for label in labels]) & scored
    losses = np.full(len(labels), np.nan)
    if classes:
        scores = {name: table.column(f"score:{name}").to_pylist() for name in classes}
        own = [scores[label][i] if labelled[i] else 1.0 for i, label in enumerate(labels)]
        losses[labelled] = -np.log(np.clip(np.array(own, dtype=np.float64), EPSILON, 1 - EPSILON))[labelled]
        return losses
    score = table.column("score").to_numpy(zero_copy_only=False).astype(np.float64)
    truth = np.array([float(label) if label is not None else np.nan for label in labels])
    if pa.types.is_floating(table.schema.field("label").type):
        losses[labelled] = np.abs(score - truth)[labelled]
    else:
        of_truth = np.where(truth == 1, score, 1.0 - score)
        losses[labelled] = -np.log(np.clip(of_truth, EPSILON, 1 - EPSILON))[labelled]
    return losses


def _columns(table: pa.Table) -> list[Column]:
    found: list[Column] = []
    for name in table.column_names:
        if not name.startswith("feature:"):
            continue
        column = table.column(name)
        if pa.types.is_floating(column.type):
            found.append(column.to_numpy(zero_copy_only=False).astype(np.float64))
        else:
            found.append(column.to_pylist())
    return found


def _pick(column: Column, chosen: NDArray[np.bool_]) -> Column:
    if isinstance(column, np.ndarray):
        return column[chosen]
    return [value for value, there in zip(column, chosen.tolist(), strict=True) if there]


def _blocks(table: pa.Table) -> NDArray[np.int64]:
    values = table.column("block_key").to_numpy(zero_copy_only=False)
    return np.asarray(values.astype("datetime64[us]").astype(np.int64))
