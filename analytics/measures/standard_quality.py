"""What is kept of a model's quality: what the Quality and Segments pages read at their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.cells import decision_parts
from analytics.aggregates.class_pairs import standard_pairs
from analytics.aggregates.condensed import Condensed, condensed
from analytics.aggregates.edges import score_edges
from analytics.aggregates.error_bins import error_parts
from analytics.aggregates.moments import kept_centre, moment_sums, weighs_one
from analytics.aggregates.reliability import reliability_parts
from analytics.aggregates.scores import bins_together, score_parts
from analytics.aggregates.stored_pairs import pair_parts, residual_parts
from analytics.engines.text import Sql, literal
from analytics.measures import binary, multiclass, regression
from analytics.project import Predictions
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import ScopedRows
from analytics.telemetry.typed import score_column


def edges_of(predictions: Predictions) -> list[float]:
    """The score edges of a project: the eternal ones and its declared thresholds."""
    threshold = predictions.threshold
    declared = (
        list(threshold.values())
        if isinstance(threshold, dict)
        else [threshold]
        if threshold is not None
        else []
    )
    return [float(edge) for edge in score_edges(declared)]


def decides(predictions: Predictions) -> bool:
    """Whether every scored row has a decision."""
    return (
        predictions.decision is not None
        or predictions.threshold is not None
        or predictions.task == "multiclass"
    )


def kept_quality(catalog: Catalog, rows: Sql) -> Condensed:
    """The aggregates of a binary model's quality as they are kept."""
    return condensed(catalog, rows, binary.STATISTICS, binary.TOGETHER, edges_of(catalog.predictions))


def standard_quality(catalog: Catalog) -> Iterator[Standard]:
    """Quality of all rows, of the reference, and of every value of every declared segment and pair."""
    splits = [(), *((name,) for name in catalog.segments), *catalog.project.aggregates.pairs]
    for segments in splits:
        yield from (Standard(one, segments) for one in _quality(catalog, segments))
    if "reference" in catalog.sources:
        yield from (Standard(one, (), "reference") for one in _quality(catalog, (), "reference"))


def _quality(
    catalog: Catalog, segments: tuple[str, ...], source: Source = "predictions"
) -> Sequence[Additive]:
    rows = ScopedRows("", {}, Scope(), source, segments)
    if catalog.predictions.task == "binary":
        kept = kept_quality(catalog, rows)
        decided = [kept.decisions()] if decides(catalog.predictions) else []
        return [kept.moments(), *decided, kept.reliability(), kept.scores()]
    if catalog.predictions.task == "regression":
        kept_sums = regression_sums(catalog, rows)
        if segments:
            return [kept_sums]
        return [kept_sums, error_parts(catalog), pair_parts(catalog), residual_parts(catalog)]
    return list(_multiclass(catalog, rows))


def regression_sums(catalog: Catalog, rows: Sql) -> Additive:
    """Counts and sums of a regression's rows, with a label and without, about the centre that is kept."""
    statistics = regression.statistics(kept_centre(catalog))
    return moment_sums(catalog, rows, statistics, regression.TOGETHER).additive()


def _multiclass(catalog: Catalog, rows: ScopedRows) -> Iterator[Additive]:
    classes, plain = catalog.predictions.classes, weighs_one(catalog, rows)
    yield moment_sums(catalog, rows, multiclass.statistics(classes), multiclass.together(classes)).additive()
    yield decision_parts(plain=plain)
    top = f"label = {multiclass.top_class(classes)}"
    yield reliability_parts(multiclass.top_score(classes), top, plain=plain)
    residuals, residual_pairs = multiclass.class_residuals(classes), multiclass.residuals_together(classes)
    yield moment_sums(catalog, rows, residuals, residual_pairs).additive()
    if not rows.segments:
        yield from standard_pairs(classes, edges_of(catalog.predictions), plain=plain)
    for name in classes:
        positive = f"label = {literal(name)}"
        yield reliability_parts(score_column(name), positive, plain=plain)
        yield score_parts(
            edges_of(catalog.predictions),
            score_column(name),
            positive,
            plain=plain,
            every=bins_together(rows),
        )
