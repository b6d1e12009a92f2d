"""What is kept of a model's quality: what the Quality and Segments pages read at their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.cells import MOST_DECISIONS, decided_statistics, decision_parts
from analytics.aggregates.class_pairs import standard_pairs
from analytics.aggregates.condensed import Condensed, condensed
from analytics.aggregates.condensed_units import CondensedUnits
from analytics.aggregates.edges import bin_expression, score_edges
from analytics.aggregates.error_bins import error_parts, group_error_parts
from analytics.aggregates.moments import kept_centre, moment_sums, weighs_one
from analytics.aggregates.reliability import reliability_parts
from analytics.aggregates.scores import bins_together, score_parts
from analytics.aggregates.stored_pairs import pair_parts, residual_parts
from analytics.aggregates.unit_groups import UnitSums, unit_sums
from analytics.aggregates.unit_scores import unit_scores
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


def kept_units(catalog: Catalog, rows: Sql) -> UnitSums | None:
    """The sums by random groups of units as they are kept; None where rows belong to no unit."""
    predictions = catalog.predictions
    if predictions.unit is None:
        return None
    if predictions.task == "binary":
        return _binary_units(catalog, rows).sums()
    if predictions.task == "regression":
        statistics = regression.statistics(kept_centre(catalog))
    else:
        classes = predictions.classes
        decided = decided_statistics(classes)
        statistics = (*multiclass.statistics(classes), *multiclass.class_residuals(classes))
        statistics += decided if len(decided) <= MOST_DECISIONS else ()
    return unit_sums({one.name: one.expression for one in statistics})


def kept_unit_scores(catalog: Catalog, rows: Sql, class_: str | None = None) -> Additive | None:
    """Scores by random groups of units as they are kept: of all rows, or of those one class is told from."""
    if (
        catalog.predictions.unit is None
        or catalog.predictions.task == "regression"
        or bins_together(rows) > 1
    ):
        return None
    if catalog.predictions.task == "binary":
        return _binary_units(catalog, rows).by_score()
    score, positive = score_column(class_ or ""), f"label = {literal(class_ or '')}"
    place = bin_expression(score, edges_of(catalog.predictions))
    return unit_scores(place, score, positive, plain=weighs_one(catalog, rows))


def _binary_units(catalog: Catalog, rows: Sql) -> CondensedUnits:
    return CondensedUnits(kept_quality(catalog, rows), scores=bins_together(rows) == 1)


def standard_quality(catalog: Catalog) -> Iterator[Standard]:
    """Quality of all rows, of the reference, and of every value of every declared segment and pair."""
    splits = [(), *((name,) for name in catalog.segments), *catalog.project.aggregates.pairs]
    for segments in splits:
        yield from (Standard(one, segments) for one in _quality(catalog, segments))
        yield from (Standard(one, segments) for one in _by_unit(catalog, segments, "predictions"))
    if "reference" in catalog.sources:
        yield from (Standard(one, (), "reference") for one in _quality(catalog, (), "reference"))
        yield from (Standard(one, (), "reference") for one in _by_unit(catalog, (), "reference"))


def _by_unit(catalog: Catalog, segments: tuple[str, ...], source: Source) -> Iterator[Additive]:
    rows = ScopedRows("", {}, Scope(), source, segments)
    kept = kept_units(catalog, rows)
    if kept is not None:
        yield kept.additive
    if kept is not None and catalog.predictions.task == "regression" and not segments:
        yield group_error_parts(catalog)
    for class_ in catalog.predictions.classes or (None,):
        scores = kept_unit_scores(catalog, rows, class_)
        if scores is not None:
            yield scores


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
