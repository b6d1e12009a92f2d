"""Where the model will be wrong: a second model of its mistakes, judged out of fold on a seeded sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.aggregates import decides
from analytics.ask.kept import kept
from analytics.ask.samples import Column, block_codes, feature_columns, numbers, picked, weights_of
from analytics.ask.windows import resolve, versions_of
from analytics.measures.rows import Together
from analytics.results import Results
from analytics.review.error_model import Fitted, LabelledRows, fit_error_model
from analytics.review.judged import carriers, filters, judge
from analytics.review.rows import CarrierRow, ErrorBinRow, ErrorModelRow, FilterRow
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = npt.NDArray[np.float64]
SIZE = 10_000
MOST_FEATURES = 100
LARGE = 0.8
"""A regression is wrong where its absolute error is beyond this quantile of all."""
_LABELLED = "label IS NOT NULL AND scored"
_DECIDED = "label IS NOT NULL AND scored AND decision IS NOT NULL"


@dataclass(frozen=True)
class ErrorModel:
    """What is known of the mistakes of every version.

    Attributes:
        models: one a version.
        carriers: what each column does, the most first.
        filters: what refusing the likeliest to be wrong would catch.
        bins: wrong rows by tenth of their chance.
    """

    models: Results[ErrorModelRow]
    carriers: Results[CarrierRow]
    filters: Results[FilterRow]
    bins: Results[ErrorBinRow]


def error_model_of(catalog: Catalog, scope: Scope) -> ErrorModel:
    """Fit and judge an error model for every version of a scope.

    Reads a seeded sample of at most 10,000 labelled rows of each version.

    Args:
        catalog: the project's views.
        scope: window, as-of, versions, filters and confidence.
    """
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    zone = catalog.project.zone
    if not windows:
        nothing: Results[ErrorModelRow] = Results((), zone, notes=("the logs hold no prediction",))
        return ErrorModel(nothing, Results((), zone), Results((), zone), Results((), zone))
    drawn = labelled_sample(catalog, scope)
    models: list[ErrorModelRow] = []
    found: tuple[list[CarrierRow], list[FilterRow], list[ErrorBinRow]] = ([], [], [])
    for version in versions_of(catalog, scope):
        total = drawn.totals.get((windows[0].key, version, None), 0)
        rows = labelled_rows(catalog, of_version(drawn.table, version))
        row = blank(version, rows, total, what_is_wrong(catalog, rows))
        if not decides_or_measures(catalog):
            reason = "no decision is logged and no threshold declared, so right and wrong are not told apart"
            models.append(replace(row, status="undefined", reason=reason))
            continue
        if rows.problem is not None:
            status = "no_data" if rows.n == 0 else "too_few"
            models.append(replace(row, status=status, reason=rows.problem))  # type: ignore[arg-type]
            continue
        fitted = fit_error_model(rows)
        judged, bins = judge(row, rows, fitted, scope.confidence)
        models.append(judged)
        days = _days(of_version(drawn.table, version))
        found[0].extend(carriers(version, rows, fitted, scope.confidence))
        found[1].extend(filters(version, rows, fitted, per_day=total / days, confidence=scope.confidence))
        found[2].extend(bins)
    note = (
        f"A seeded sample of at most {SIZE:,} labelled rows of each version; every row is judged by a fit that did not "
        "see its days."
    )
    return ErrorModel(
        Results(tuple(models), zone, (drawn.sql,), (note,)), Results(tuple(found[0]), zone, (drawn.sql,)),
        Results(tuple(found[1]), zone, (drawn.sql,)), Results(tuple(found[2]), zone, (drawn.sql,)),
    )  # fmt: skip


def _days(table: pa.Table) -> float:
    """From the first row to the last; a version is asked only while it is there."""
    ends = pc.min_max(table.column("ts")).as_py()
    return float(max((ends["max"] - ends["min"]) / timedelta(days=1), 1 / 24))


def labelled_sample(catalog: Catalog, scope: Scope) -> Sample:
    """Rows with a label, a usable score and a decision where there are any."""
    where = _DECIDED if decides(catalog.predictions) else _LABELLED
    return read_sample(
        catalog, scoped_rows(catalog, scope), SIZE, features=catalog.features[:MOST_FEATURES], where=where
    )


def fitted_for(catalog: Catalog, scope: Scope, version: str | None) -> Fitted | None:
    """An error model of one version on a scope's labelled rows; None where there is too little to learn from."""
    if not decides_or_measures(catalog):
        return None

    def ask() -> _Kept:
        rows = labelled_rows(catalog, of_version(labelled_sample(catalog, scope).table, version))
        return _Kept(None if rows.problem is not None else fit_error_model(rows))

    return kept(catalog, ("error_model", scope, version), _Kept, ask).fitted


@dataclass(frozen=True)
class _Kept:
    fitted: Fitted | None


def decides_or_measures(catalog: Catalog) -> bool:
    """Whether right and wrong can be told apart."""
    return catalog.predictions.task == "regression" or decides(catalog.predictions)


def of_version(table: pa.Table, version: str | None) -> pa.Table:
    """The rows of one version; those without any where it is None."""
    column = table.column("version")
    if version is None:
        return table.filter(pc.is_null(column))
    return table.filter(pc.equal(column, pa.scalar(version, type=column.type)))


def labelled_rows(catalog: Catalog, table: pa.Table) -> LabelledRows:
    """Sampled rows as the error model takes them; those without a usable weight are left out."""
    weight = weights_of(table)
    usable = np.isfinite(weight) & (weight > 0)
    columns = {name: picked(column, usable) for name, column in model_columns(catalog, table).items()}
    doubt = doubts(catalog, table)
    wrong = _wrong(catalog, table)
    units = table.column("unit").to_pylist()
    unit = None
    if catalog.predictions.unit is not None:
        unit = np.unique(np.array([str(one) for one in units], dtype=object)[usable], return_inverse=True)[1]
        unit = unit.astype(np.int64)
    together = Together(weight[usable], block_codes(table)[usable], unit)
    return LabelledRows(columns, wrong[usable], doubt[usable], together)


def model_columns(catalog: Catalog, table: pa.Table) -> dict[str, Column]:
    """What an error model knows of a row: its features, its scores, and what was decided."""
    found: dict[str, Column] = dict(feature_columns(catalog, table))
    section = catalog.predictions
    names = [f"score:{name}" for name in section.classes] or ["score"]
    for name in names:
        found[_free(name, found)] = numbers(table, name)
    if section.task != "regression":
        decided = table.column("decision").to_pylist()
        found[_free("decision", found)] = [None if one is None else str(one) for one in decided]
    return found


def _free(name: str, taken: dict[str, Column]) -> str:
    # a feature may well be called score
    while name in taken:
        name = f"logged {name}"
    return name


def doubts(catalog: Catalog, table: pa.Table) -> Floats:
    """How unsure the score is of what was decided; of a regression how far from the middle it predicts."""
    section = catalog.predictions
    if section.task == "regression":
        score = numbers(table, "score")
        middle = float(np.median(score)) if len(score) else 0.0
        return np.abs(score - middle)
    if section.task == "binary":
        score, decision = numbers(table, "score"), numbers(table, "decision")
        # without a decision the nearer class is meant
        decided = np.where(np.isfinite(decision), decision, (score >= 0.5).astype(np.float64))
        return np.abs(decided - score)
    scores = {name: numbers(table, f"score:{name}") for name in section.classes}
    decided_class = table.column("decision").to_pylist()
    nothing = np.full(len(decided_class), np.nan)
    return np.array([1.0 - scores.get(name, nothing)[i] for i, name in enumerate(decided_class)])


def _wrong(catalog: Catalog, table: pa.Table) -> npt.NDArray[np.bool_]:
    if catalog.predictions.task == "regression":
        error = np.abs(numbers(table, "score") - numbers(table, "label"))
        return error > _limit(error)
    labels, decisions = table.column("label").to_pylist(), table.column("decision").to_pylist()
    return np.array([one != other for one, other in zip(labels, decisions, strict=True)], dtype=bool)


def _limit(error: Floats) -> float:
    return float(np.quantile(error, LARGE)) if len(error) else 0.0


def what_is_wrong(catalog: Catalog, rows: LabelledRows) -> str:
    """What counts as wrong, in words."""
    if catalog.predictions.task == "regression":
        share = rows.wrong.mean() if rows.n else 1 - LARGE
        return f"the largest {100 * share:.0f} % of the absolute errors"
    return "decided otherwise than the label says"


def blank(version: str | None, rows: LabelledRows, total: int, wrong: str) -> ErrorModelRow:
    """A row that says what there is to learn from and nothing else yet."""
    return ErrorModelRow(
        version, wrong, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, rows.n, int(rows.wrong.sum()), total, "ok", None,
    )  # fmt: skip
