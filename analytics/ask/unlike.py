"""Which share of the rows is unlike the reference, and how good the model is inside and outside of what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.samples import block_codes, feature_columns, losses_of, part_of, picked, weights_of
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
TOLD = 3


@dataclass(frozen=True)
class Reference:
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
        name: known_reference(catalog, kept, name)
        for name in dict.fromkeys(kept.table.column("version").to_pylist())
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


def known_reference(catalog: Catalog, sample: Sample, version: str | None) -> Reference | None:
    """The sampled reference rows of one version, halved; None where there are too few."""
    chosen = np.array([name == version for name in sample.table.column("version").to_pylist()], dtype=bool)
    table = sample.table.filter(pa.array(chosen))
    blocks = block_codes(table)
    # every other block is held out; without blocks enough, every other row
    half = (blocks if blocks.max(initial=0) >= 3 else np.arange(len(blocks))) % 2 == 1
    if min(half.sum(), (~half).sum()) < LEAST_ROWS:
        return None
    columns = list(feature_columns(catalog, table).values())
    known = Known.of([picked(column, ~half) for column in columns])
    held_out = [picked(column, half) for column in columns]
    return Reference(known, known.novelty(held_out), blocks[half], held_out, int(table.num_rows))


def _row(
    catalog: Catalog,
    scope: Scope,
    drawn: Sample,
    references: dict[str | None, Reference | None],
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
    return _measured(catalog, blank, table, reference, scope.confidence)


def _measured(
    catalog: Catalog, row: UnlikeRow, table: pa.Table, reference: Reference, confidence: float
) -> UnlikeRow:
    by_name = feature_columns(catalog, table)
    columns = list(by_name.values())
    novel = reference.known.novelty(columns) > reference.limit
    weights = weights_of(table)
    usable = np.isfinite(weights) & (weights > 0)
    weights, blocks = np.where(usable, weights, 0.0), block_codes(table)
    held_out = reference.novelty > reference.limit, reference.blocks.astype(np.float64)
    found = share_unlike(novel[usable], weights[usable], blocks[usable], held_out, confidence)
    row = replace(
        row, share=found.value, ci_low=found.low, ci_high=found.high, p_value=found.p_value,
        independence=found.independence, carried_by=_carried_by(by_name, reference, novel),
    )  # fmt: skip
    losses = losses_of(catalog, table)
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


def _carried_by(columns: Mapping[str, Column], reference: Reference, novel: NDArray[np.bool_]) -> str | None:
    """The columns in which unlike rows lie farther from the reference than its own rows do."""
    if not novel.any():
        return None
    names = list(columns)
    excess = reference.known.by_column([picked(column, novel) for column in columns.values()])
    excess = excess - reference.by_column
    order = [place for place in np.argsort(-excess)[:TOLD].tolist() if excess[place] > 0.01]
    return ", ".join(names[place] for place in order) or None
