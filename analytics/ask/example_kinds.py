"""The rows of every kind of example, the first in rank first, each with the reason it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.additive import read_added
from analytics.aggregates.decided import decided_parts
from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.rich_columns import IDENTITY, LABELLED
from analytics.aggregates.samples import read_sample
from analytics.ask.example_bounds import KnownScores
from analytics.ask.example_rows import Asking, Found, Item, text_of
from analytics.ask.samples import Column, block_codes, feature_columns, numbers, picked
from analytics.ask.unlike import MOST_FEATURES, SAMPLE, Reference, known_reference
from analytics.examples import reasons
from analytics.examples.boundaries import Boundary, from_decisions, from_threshold
from analytics.examples.rows import ExampleKind
from analytics.examples.select import (
    any_request,
    candidates,
    chosen,
    disagreeing,
    highest_entropy,
    plain_rows,
)
from analytics.examples.suspected import (
    LEAST_OF_CLASS,
    LEAST_ROWS,
    Suspect,
    folds_of,
    suspected_classes,
    suspected_numbers,
)
from analytics.scope import Scope
from analytics.stats.usual import place_of
from analytics.telemetry.rows import reads_labels, scoped_rows

LABELS_SAMPLE = 10_000
UNLIKE_SAMPLE = 5_000
_TOLD = 3
_PLACED = IDENTITY | {"request": "request"}


@dataclass(frozen=True)
class Gathered:
    """Rows of one kind.

    Attributes:
        found: the first in rank first; where ranked by class, one class after another.
        notes: what was looked at, and what was left out.
    """

    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()


def gather(
    asking: Asking,
    scope: Scope,
    kind: ExampleKind,
    n: int,
    versions: Sequence[str | None],
    *,
    per_class: bool,
    scores: KnownScores | None = None,
) -> Gathered:
    """At most n rows of a kind (of each class); with known scores, only rows that can be among them are labelled."""
    if kind == "disagreeing":
        return _disagreeing(asking, scope, n, versions, per_class=per_class)
    if kind == "suspected-labels":
        return _suspected(asking, scope, n, versions, per_class=per_class)
    if kind == "unlike":
        return _unlike(asking, scope, n, versions, per_class=per_class)
    catalog = asking.catalog
    boundaries: tuple[Boundary, ...] = ()
    if kind == "uncertain" and catalog.predictions.task == "binary":
        boundaries = _boundaries(asking, scope, versions)
    items = _chosen(asking, scope, kind, n, boundaries, per_class=per_class, scores=scores)
    by_version = {boundary.version: boundary for boundary in boundaries}
    found = tuple(
        Found(item, _reason(asking, kind, item, by_version), item["class"] if per_class else None)
        for item in items
    )
    return Gathered(found, tuple(boundary.sentence for boundary in boundaries))


def _chosen(
    asking: Asking,
    scope: Scope,
    kind: ExampleKind,
    n: int,
    boundaries: tuple[Boundary, ...],
    *,
    per_class: bool,
    scores: KnownScores | None,
) -> list[Item]:
    """The rows themselves; with a feed of labels as few as can be are joined, since that costs most."""
    catalog = asking.catalog
    whole = chosen(catalog, scope, kind, n, per_class=per_class, boundaries=boundaries)
    if not catalog.has_label_feed or reads_labels(scope):
        return asking.records(whole)
    extremes = None
    if kind in {"worst", "best"}:
        extremes = scores.extremes(kind, n, per_class=per_class) if scores is not None else None
        if extremes is None:
            return asking.records(whole)
    held = candidates(catalog, scope, kind, n, per_class=per_class, boundaries=boundaries, extremes=extremes)
    with catalog.engine.kept(held) as few:
        ranked = chosen(
            catalog, scope, kind, n, per_class=per_class, boundaries=boundaries, few=f"({few.text})"
        )
        return asking.records(ranked, whole.text)


def _boundaries(asking: Asking, scope: Scope, versions: Iterable[str | None]) -> tuple[Boundary, ...]:
    section = asking.catalog.predictions
    if section.decision is None:
        return tuple(from_threshold(version, section.threshold) for version in versions)
    catalog, everything = asking.catalog, replace(scope, filters=())
    # labels are no part of it, so none are joined
    table, text = read_added(catalog, plain_rows(catalog, everything), decided_parts(catalog))
    asking.texts.append(text)
    seen = {row["version"]: row for row in table.to_pylist()}
    nothing = {"highest_negative": None, "lowest_positive": None}
    return tuple(
        from_decisions(version, row["highest_negative"], row["lowest_positive"])
        for version, row in ((version, seen.get(version, nothing)) for version in versions)
    )


def _reason(asking: Asking, kind: ExampleKind, item: Item, boundaries: dict[str | None, Boundary]) -> str:
    task = asking.catalog.predictions.task
    if kind == "random":
        return reasons.RANDOM
    if kind == "uncertain":
        if task == "multiclass":
            return reasons.of_entropy(item["measure"], highest_entropy(asking.catalog.predictions))
        return reasons.of_distance(item["score"], boundaries[item["version"]])
    if task == "regression":
        return reasons.of_error(item["score"], item["label"])
    return reasons.of_likelihood(str(item["label"]), item["loss"])


def _disagreeing(
    asking: Asking, scope: Scope, n: int, versions: Sequence[str | None], *, per_class: bool
) -> Gathered:
    if len(versions) < 2:
        return Gathered((), ("there is only one version here, so none can disagree with it",))
    items = asking.records(disagreeing(asking.catalog, scope, n, per_class=per_class))
    if not items:
        return Gathered((), ("no request here was scored by two versions",))
    said: dict[str, list[tuple[str, float | None, str | None]]] = {}
    for start in range(0, len(items), 500):
        requests = [item["request"] for item in items[start : start + 500]]
        for item in asking.records(any_request(asking.catalog, scope, requests)):
            told = (str(item["version"]), item["score"], text_of(item["decision"]))
            said.setdefault(item["request"], []).append(told)
    return Gathered(
        tuple(
            Found(item, reasons.of_disagreement(said.get(item["request"], ())), item["class"] if per_class else None)
            for item in items
        )
    )  # fmt: skip


def _suspected(
    asking: Asking, scope: Scope, n: int, versions: Sequence[str | None], *, per_class: bool
) -> Gathered:
    catalog = asking.catalog
    features = catalog.features[:MOST_FEATURES]
    drawn = read_sample(
        catalog, scoped_rows(catalog, scope), max(LABELS_SAMPLE // max(len(versions), 1), 1), features=features,
        columns=_PLACED, where=LABELLED,
    )  # fmt: skip
    asking.texts.append(drawn.sql)
    table = _known_classes(asking, drawn.table)
    if table.num_rows < LEAST_ROWS:
        why = f"{table.num_rows:,} labelled rows are too few to suspect one of them; {LEAST_ROWS} are needed"
        return Gathered((), (why,))
    columns = feature_columns(catalog, table)
    fold, word = folds_of(block_codes(table), table.column("unit").to_pylist())
    classes = catalog.predictions.classes or (("0", "1") if catalog.predictions.task == "binary" else ())
    if not classes:
        found = suspected_numbers(columns, numbers(table, "score"), numbers(table, "label"), fold)
    else:
        labels = _codes(table, classes)
        counts = np.bincount(labels, minlength=len(classes))
        if np.count_nonzero(counts >= LEAST_OF_CLASS) < 2:
            why = f"under {LEAST_OF_CLASS} labels of a second class: no label can be told to be wrong"
            return Gathered((), (why,))
        found = suspected_classes(columns, _logged(asking, table), labels, fold)
    note = (
        f"of a seeded sample of {table.num_rows:,} labelled rows, {len(found):,} look like another label: by the "
        f"logged score and a model fitted on other {word}, their log odds averaged. Outcomes that chance decides look "
        "the same as wrong labels"
    )
    return Gathered(_of_suspects(asking, scope, table, found, n, classes, per_class=per_class), (note,))


def _known_classes(asking: Asking, table: pa.Table) -> pa.Table:
    section = asking.catalog.predictions
    if not section.classes:
        return table.filter(pa.array(np.isfinite(numbers(table, "label"))))
    return table.filter(
        pc.is_in(table.column("label"), pa.array(section.classes, type=table.column("label").type))
    )


def _codes(table: pa.Table, classes: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    codes = {name: place for place, name in enumerate(classes)}
    return np.array(
        [codes[text_of(label) or ""] for label in table.column("label").to_pylist()], dtype=np.int64
    )


def _logged(asking: Asking, table: pa.Table) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    section = asking.catalog.predictions
    if not section.classes:
        score = np.clip(numbers(table, "score"), 0.0, 1.0)
        return np.column_stack([1 - score, score])
    scores = np.column_stack([numbers(table, f"score:{name}") for name in section.classes])
    total = scores.sum(axis=1, keepdims=True)
    return np.where(total > 0, scores / np.where(total > 0, total, 1.0), 1 / scores.shape[1])


def _of_suspects(
    asking: Asking,
    scope: Scope,
    table: pa.Table,
    suspects: Sequence[Suspect],
    n: int,
    classes: Sequence[str],
    *,
    per_class: bool,
) -> tuple[Found, ...]:
    rows = table.select([*_PLACED, "label"]).to_pylist()
    kept: dict[tuple[str, int], tuple[Suspect, str | None]] = {}
    seen: set[str] = set()
    count: dict[str | None, int] = {}
    for suspect in suspects:
        row = rows[suspect.place]
        class_ = text_of(row["label"]) if per_class else None
        # in shadow mode one label has several rows: the most suspect one stands for it
        if row["request"] in seen or count.get(class_, 0) >= n:
            continue
        seen |= {row["request"]} - {None}
        count[class_] = count.get(class_, 0) + 1
        kept[row["file"], row["row"]] = suspect, class_
    found = []
    for item in asking.described(scope, list(kept)):
        suspect, class_ = kept[item["file"], item["row"]]
        if suspect.suggested is None:
            reason = reasons.of_far_label(item["label"], suspect.logged, suspect.other, suspect.times or 0.0)
            found.append(Found(item, reason, class_, {"suggested_label": None}))
            continue
        name, suggested = text_of(item["label"]) or "", classes[suspect.suggested]
        reason = reasons.of_suspicion(name, suggested, suspect.logged, suspect.other)
        found.append(Found(item, reason, class_, {"suggested_label": suggested}))
    return tuple(sorted(found, key=lambda one: one.class_ or ""))


def _unlike(
    asking: Asking, scope: Scope, n: int, versions: Sequence[str | None], *, per_class: bool
) -> Gathered:
    catalog = asking.catalog
    features = catalog.features[:MOST_FEATURES]
    drawn = read_sample(
        catalog, scoped_rows(catalog, scope), max(UNLIKE_SAMPLE // max(len(versions), 1), 1), features=features,
        columns=_PLACED,
    )  # fmt: skip
    kept = read_sample(
        catalog, scoped_rows(catalog, replace(scope, filters=()), "reference"), SAMPLE, features=features
    )
    asking.texts += [drawn.sql, kept.sql]
    far: list[tuple[float, float, tuple[str, int], str | None, str]] = []
    for version in versions:
        mask = [name == version for name in drawn.table.column("version").to_pylist()]
        table = drawn.table.filter(pa.array(mask, type=pa.bool_()))
        reference = known_reference(catalog, kept, reference_version_of(catalog, version))
        if reference is not None and table.num_rows:
            far += _far_rows(asking, table, reference, n)
    if not far:
        return Gathered((), ("the reference has too few rows to say what is unlike it",))
    # the farthest first; of rows as far, the newest
    far.sort(key=lambda row: (-row[0], -row[1]))
    seen: set[str] = set()
    reasons_of: dict[tuple[str, int], str] = {}
    for _, _, key, request, reason in far:
        if request in seen:
            continue
        seen |= {request} - {None} if request is not None else set()
        reasons_of[key] = reason
    items = asking.described(scope, list(reasons_of)[: n if not per_class else n * 20])
    found = [
        Found(item, reasons_of[item["file"], item["row"]], text_of(item["decision"]) if per_class else None)
        for item in items
        if not per_class or item["decision"] is not None
    ]
    note = (
        f"looked for in a seeded sample of {drawn.table.num_rows:,} rows, against {kept.table.num_rows:,} of the "
        "reference, by Gower's distance to the nearest five"
    )
    return Gathered(tuple(sorted(found, key=lambda one: one.class_ or "")), (note,))


def _far_rows(
    asking: Asking, table: pa.Table, reference: Reference, n: int
) -> list[tuple[float, float, tuple[str, int], str | None, str]]:
    """The n rows farthest from the reference: distance, time, key, request and reason; the farthest first."""
    columns = feature_columns(asking.catalog, table)
    distance = reference.known.novelty(list(columns.values()))
    moments = table.column("ts").cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    order = np.lexsort((-moments, -distance))[: 20 * n]
    order = order[distance[order] > reference.limit]
    rows = table.select(list(_PLACED)).take(order).to_pylist()
    names = list(columns)
    found: list[tuple[float, float, tuple[str, int], str | None, str]] = []
    for place, row in zip(order.tolist(), rows, strict=True):
        one = np.zeros(table.num_rows, dtype=bool)
        one[place] = True
        mine = {name: picked(column, one) for name, column in columns.items()}
        share = float((reference.novelty < distance[place]).mean())
        told = _told(names, mine, reference) if len(found) < n else []
        key = (row["file"], int(row["row"]))
        found.append(
            (float(distance[place]), moments[place], key, row["request"], reasons.of_novelty(share, told))
        )
    return found


def _told(names: Sequence[str], row: Mapping[str, Column], reference: Reference) -> list[str]:
    """The columns in which a row lies farthest from its nearest reference rows, in words."""
    excess = reference.known.by_column(list(row.values())) - reference.by_column
    said: list[str] = []
    usual: list[str] = []
    for place in np.argsort(-excess)[:_TOLD].tolist():
        if excess[place] <= 0.01:
            break
        value = row[names[place]][0]
        found = place_of(value, reference.columns[place])
        (said if found.unusual else usual).append(reasons.of_place(names[place], value, found))
    return said or ([f"the combination of {' and '.join(usual)}"] if usual else [])
