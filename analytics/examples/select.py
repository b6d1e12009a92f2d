"""The SQL behind the examples: k rows by a measure, then the logged columns of those k rows only.

Losses are per row, as their means are on the quality page: natural log loss with scores clipped at 2.22e-16
(several classes: scores as logged, as scikit-learn takes them), absolute error for regression. Only the
entropy divides scores by their sum.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from analytics.engines.text import Sql, identifier, literal
from analytics.examples.boundaries import Boundary
from analytics.examples.rows import ExampleKind
from analytics.project import Predictions
from analytics.scope import Scope
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import (
    ScopedRows,
    labelled_rows,
    scoped_rows,
    segmented_rows,
    unlabelled_rows,
)

CLIP = 2.220446049250313e-16
SEED = "assay"
"""Random examples are the rows whose salted digests come first: the same on every engine."""

_TIES = "ts, id NULLS LAST, file, row"
_CANDIDATE = ("file", "row", "id", "ts", "received", "version", "request", "decision", "scored")
_ROUNDED = 1e-12
"""What subtracting a score from 1 may cost."""


class Extremes(NamedTuple):
    """Bounds on the fit of the rows that can be among the k worst, or best: of label 1 (its score) and 0 (1 - score).

    Attributes:
        worst: whether fits are at most, else at least, the bound.
    """

    worst: bool
    one: float
    zero: float

    @property
    def condition(self) -> Sql:
        """Which rows they leave, whatever their label is, and a few more.

        The reader of a file compares a column with constants by itself; of ``1e0 - score`` it unpacks every row.
        """
        above, below = (
            (1 - self.zero - _ROUNDED, self.one) if self.worst else (self.one, 1 - self.zero + _ROUNDED)
        )
        return Sql("(score <= $fit_low OR score >= $fit_high)", {"fit_low": below, "fit_high": above})


def plain_rows(catalog: Catalog, scope: Scope) -> ScopedRows:
    """Scoped rows without their labels, for scopes that ask for none."""
    base = unlabelled_rows(scope, "predictions")
    return segmented_rows(catalog, scope, "predictions", (), datetime.now(UTC), base)


def candidates(
    catalog: Catalog,
    scope: Scope,
    kind: ExampleKind,
    k: int,
    *,
    per_class: bool = False,
    boundaries: Iterable[Boundary] = (),
    extremes: Extremes | None = None,
) -> Sql:
    """The rows that can be among the first, without their labels; to be held in memory and given to `chosen`.

    Args:
        catalog: the project's views.
        scope: window, versions and filters; none that asks for labels.
        kind: worst and best rows of a binary model, where extremes are known; of the other kinds the k rows themselves.
        k: rows wanted, of each class where ``per_class``.
        per_class: by decided class.
        boundaries: as for `chosen`.
        extremes: which rows can be the worst or the best.
    """
    rows, section = plain_rows(catalog, scope), catalog.predictions
    scores = [typed.score_column(name) for name in section.classes] or ["score"]
    columns = ", ".join([*_CANDIDATE, *scores])
    if extremes is not None:
        wanted = extremes.condition
        text = f"SELECT {columns} FROM ({rows.text}) WHERE scored AND {wanted.text}"
        return Sql(text, rows.parameters | wanted.parameters)
    measure, direction, condition = _measure(section, kind, tuple(boundaries))
    parameters = {**rows.parameters, **measure.parameters, **_named(catalog, kind), "k": k}
    measured = f"SELECT {columns}, {measure.text} AS measure FROM ({rows.text}) WHERE {condition}"
    order = f"measure {direction}, {_TIES}"
    if not per_class:
        return Sql(f"SELECT {columns} FROM ({measured}) ORDER BY {order} LIMIT $k", parameters)
    place = f"row_number() OVER (PARTITION BY decision ORDER BY {order}) AS place"
    ranked = f"SELECT *, {place} FROM ({measured} AND decision IS NOT NULL)"
    return Sql(f"SELECT {columns} FROM ({ranked}) WHERE place <= $k", parameters)


def _named(catalog: Catalog, kind: ExampleKind) -> dict[str, Any]:
    return {"folder": f"{catalog.project.folder}/", "seed": SEED} if kind == "random" else {}


def counted(catalog: Catalog, scope: Scope) -> Sql:
    """How many rows the scope holds, and how many of them lack what an example needs."""
    rows = scoped_rows(catalog, scope)
    return Sql(
        "SELECT count(*) AS n, count(CASE WHEN NOT scored THEN 1 END) AS unscored, "
        "count(CASE WHEN scored AND label IS NULL THEN 1 END) AS unlabelled, "
        "count(CASE WHEN decision IS NULL THEN 1 END) AS undecided, "
        f"count(CASE WHEN scored AND decision IS NULL THEN 1 END) AS scored_undecided FROM ({rows.text})",
        rows.parameters,
    )


def chosen(
    catalog: Catalog,
    scope: Scope,
    kind: ExampleKind,
    k: int,
    *,
    per_class: bool = False,
    boundaries: Iterable[Boundary] = (),
    few: str | None = None,
) -> Sql:
    """The k rows of a kind, overall or per class.

    Columns: file, row, id, ts, version, request, label, decision, score, loss, measure, class, rank.

    Args:
        catalog: the project's views.
        scope: window, versions and filters.
        kind: what to order by.
        k: rows wanted, of each class where ``per_class``.
        per_class: by true class for worst and best, by decided class for the others.
        boundaries: where the decisions of each version turn; needed for the uncertain rows of a binary task.
        few: a table of the `candidates`, where they are held.
    """
    rows = (
        scoped_rows(catalog, scope)
        if few is None
        else labelled_rows(catalog, scope, "predictions", datetime.now(UTC), few)
    )
    section = catalog.predictions
    measure, direction, condition = _measure(section, kind, tuple(boundaries))
    class_ = "label" if kind in {"worst", "best"} else "decision"
    order = f"measure {direction}, {_TIES}"
    measured = (
        f"SELECT file, row, id, ts, version, request, label, decision, {_shown_score(section)} AS score, "
        f"{_loss(section)} AS loss, {measure.text} AS measure, CAST({class_} AS VARCHAR) AS class "
        f"FROM ({_fitted(section, rows.text)}) WHERE {condition}"
    )
    parameters: dict[str, Any] = {**rows.parameters, **measure.parameters, **_named(catalog, kind), "k": k}
    partition = "PARTITION BY class " if per_class else ""
    ranked = f"SELECT *, row_number() OVER ({partition}ORDER BY {order}) AS rank FROM"
    if per_class:
        measured = f"{measured} AND {class_} IS NOT NULL"
        text = f"SELECT * FROM ({ranked} ({measured})) WHERE rank <= $k ORDER BY class, rank"
    else:
        # the k rows are found before they are numbered: a window function would sort them all
        text = f"{ranked} (SELECT * FROM ({measured}) ORDER BY {order} LIMIT $k) ORDER BY rank"
    return Sql(text, parameters)


def described(
    catalog: Catalog,
    scope: Scope,
    condition: str,
    values: Mapping[str, Any],
    *,
    newest: int | None = None,
    oldest: int | None = None,
) -> Sql:
    """What an example says of itself, of all rows of a scope that meet a condition over scoped rows.

    Columns: file, row, id, ts, version, request, unit, label, decision, score, loss.

    Args:
        catalog: the project's views.
        scope: window, versions, filters and as-of.
        condition: SQL over scoped rows.
        values: what it binds.
        newest: only so many, the newest first.
        oldest: only so many, the oldest first; all of them where neither is said.
    """
    rows = scoped_rows(catalog, scope)
    section = catalog.predictions
    text = (
        f"SELECT file, row, id, ts, version, request, unit, label, decision, {_shown_score(section)} AS score, "
        f"{_loss(section)} AS loss FROM ({_fitted(section, rows.text)}) WHERE {condition} ORDER BY "
    )
    bound = {**rows.parameters, **values}
    if newest is not None:
        return Sql(f"{text}ts DESC, id, file, row LIMIT $most", {**bound, "most": newest})
    if oldest is not None:
        return Sql(f"{text}{_TIES} LIMIT $most", {**bound, "most": oldest})
    return Sql(f"{text}{_TIES}", bound)


def any_key(keys: Iterable[tuple[str, int]]) -> tuple[str, dict[str, Any]]:
    """A condition that names rows by file and row, and its values."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for index, (file, row) in enumerate(keys):
        values |= {f"file_{index}": file, f"row_{index}": row}
        parts.append(f"(file = $file_{index} AND row = $row_{index})")
    return f"({' OR '.join(parts) or 'FALSE'})", values


def any_request(catalog: Catalog, scope: Scope, requests: Iterable[str]) -> Sql:
    """The rows of some requests, of every version; columns as of `described`."""
    values = {f"request_{index}": request for index, request in enumerate(requests)}
    return described(catalog, scope, f"request IN ({', '.join(f'${name}' for name in values)})", values)


def feature_values(columns: Mapping[str, str]) -> Sql:
    """Some columns of the rows in the table ``wanted``: file, row, and each column by its name.

    Args:
        columns: name -> SQL over the view of predictions.
    """
    picked = "".join(f", {expression} AS {identifier(name)}" for name, expression in columns.items())
    return Sql(
        f"SELECT p.file, p.row{picked} FROM all_predictions AS p "
        "JOIN wanted ON p.file = wanted.wanted_file AND p.row = wanted.wanted_row"
    )


def disagreeing(catalog: Catalog, scope: Scope, k: int, *, per_class: bool = False) -> Sql:
    """The k requests that versions see most differently, by the row of each that was most wrong.

    Those that were decided differently come first, then the widest gap between scores (several classes: the widest
    gap of any class). Columns as of `chosen`, and differ (whether decisions do).

    Args:
        catalog: the project's views.
        scope: window, versions and filters.
        k: how many; of each true class where ``per_class``.
        per_class: by true class.
    """
    rows = scoped_rows(catalog, scope)
    section = catalog.predictions
    columns = [typed.score_column(name) for name in section.classes] or ["score"]
    gaps = ", ".join(f"max({column}) - min({column})" for column in columns)
    gap = f"greatest({gaps})" if len(columns) > 1 else gaps
    fitted = f"SELECT * FROM ({_fitted(section, rows.text)}) WHERE scored AND request IS NOT NULL"
    order = f"differ DESC, measure DESC, request, {_TIES}"
    by_request = (
        f"SELECT request AS asked, {gap} AS measure, count(DISTINCT decision) > 1 AS differ "
        f"FROM ({fitted}) GROUP BY request HAVING count(DISTINCT version) > 1"
    )
    if not per_class:
        by_request += " ORDER BY differ DESC, measure DESC, asked LIMIT $k"
    worst = "fit DESC NULLS LAST" if section.task == "regression" else "fit ASC NULLS LAST"
    found = (
        f"SELECT file, row, id, ts, version, request, label, decision, {_shown_score(section)} AS score, "
        f"{_loss(section)} AS loss, measure, differ, CAST(label AS VARCHAR) AS class, row_number() OVER "
        f"(PARTITION BY request ORDER BY {worst}, version, {_TIES}) AS place "
        f"FROM ({fitted}) AS r JOIN ({by_request}) AS g ON r.request = g.asked"
    )
    partition, needed = ("PARTITION BY class ", " AND class IS NOT NULL") if per_class else ("", "")
    ranked = f"SELECT *, row_number() OVER ({partition}ORDER BY {order}) AS rank FROM ({found}) WHERE place = 1{needed}"
    text = f"SELECT * FROM ({ranked}) WHERE rank <= $k ORDER BY {'class, ' if per_class else ''}rank"
    return Sql(text, {**rows.parameters, "k": k})


def logged_columns(catalog: Catalog, keys: Iterable[tuple[str, int]]) -> Sql:
    """The logged columns of some rows, without the private ones: file, row, ``column:<name>``."""
    parameters: dict[str, Any] = {}
    values = []
    for index, (file, row) in enumerate(keys):
        parameters |= {f"file_{index}": file, f"row_{index}": row}
        values.append(f"($file_{index}, $row_{index})")
    names = (name for name in catalog.types if name not in catalog.predictions.private)
    items = ", ".join(("p.file", "p.row", *(f"p.{typed.column(name)}" for name in names)))
    return Sql(
        f"SELECT {items} FROM all_predictions AS p "
        f"JOIN (VALUES {', '.join(values)}) AS wanted(file, row) "
        "ON p.file = wanted.file AND p.row = wanted.row",
        parameters,
    )


def _measure(
    section: Predictions, kind: ExampleKind, boundaries: tuple[Boundary, ...]
) -> tuple[Sql, str, str]:
    """What to order by, which way, and which rows have it."""
    if kind == "random":
        name = "coalesce(id, concat(replace(file, $folder, ''), ':', row))"
        return Sql(f"md5(concat($seed, {name}))"), "ASC", "TRUE"
    if kind in {"worst", "best"}:
        # likelihoods are compared, not their logarithms, whose last digit differs between engines
        rising = (kind == "best") == (section.task == "regression")
        return Sql("fit"), "ASC" if rising else "DESC", "fit IS NOT NULL"
    if section.task == "multiclass":
        return Sql(_entropy(section)), "DESC", f"scored AND {_total(section)} > 0e0"
    return _distance(boundaries), "ASC", "scored"


def _fitted(section: Predictions, rows: str) -> str:
    return f"SELECT *, CASE WHEN scored AND label IS NOT NULL THEN {_fit(section)} END AS fit FROM ({rows})"


def _loss(section: Predictions) -> str:
    return "fit" if section.task == "regression" else "-ln(fit)"


def _fit(section: Predictions) -> str:
    """The absolute error, or the clipped probability that the scores gave to the true class."""
    if section.task == "regression":
        return "abs(score - label)"
    if section.task == "binary":
        likelihood = "CASE WHEN label = 1 THEN score ELSE 1e0 - score END"
    else:
        cases = " ".join(
            f"WHEN label = {literal(name)} THEN {typed.score_column(name)}" for name in section.classes
        )
        likelihood = f"CASE {cases} END"
    return f"greatest(least({likelihood}, {literal(1 - CLIP)}), {literal(CLIP)})"


def _entropy(section: Predictions) -> str:
    total = _total(section)
    terms = []
    for name in section.classes:
        share = f"({typed.score_column(name)} / nullif({total}, 0e0))"
        terms.append(f"CASE WHEN {share} > 0e0 THEN -{share} * ln({share}) ELSE 0e0 END")
    return " + ".join(terms)


def _total(section: Predictions) -> str:
    return "(" + " + ".join(typed.score_column(name) for name in section.classes) + ")"


def _distance(boundaries: tuple[Boundary, ...]) -> Sql:
    parameters: dict[str, Any] = {"boundary_else": Boundary.ASSUMED}
    cases = []
    for index, boundary in enumerate(boundaries):
        if boundary.version is None:
            parameters["boundary_else"] = boundary.value
            continue
        parameters |= {f"boundary_{index}": boundary.value, f"boundary_version_{index}": boundary.version}
        cases.append(f"WHEN version = $boundary_version_{index} THEN $boundary_{index}")
    at = f"CASE {' '.join(cases)} ELSE $boundary_else END" if cases else "$boundary_else"
    return Sql(f"abs(score - {at})", parameters)


def _shown_score(section: Predictions) -> str:
    """The score of a row as one finite number: for several classes that of the decided one."""
    score = "score"
    if section.classes:
        cases = " ".join(
            f"WHEN decision = {literal(name)} THEN {typed.score_column(name)}" for name in section.classes
        )
        score = f"CASE {cases} END"
    # NaN is larger than any number on every engine used
    return f"CASE WHEN abs({score}) <= {literal(sys.float_info.max)} THEN {score} END"


def highest_entropy(section: Predictions) -> float:
    """The entropy of scores that know nothing."""
    return math.log(len(section.classes))


def usual_error(catalog: Catalog, scope: Scope) -> Sql:
    """The median loss of the labelled rows of a scope."""
    rows = scoped_rows(catalog, scope)
    fitted = _fitted(catalog.predictions, rows.text)
    return Sql(
        f"SELECT median({_loss(catalog.predictions)}) AS value FROM ({fitted}) WHERE fit IS NOT NULL",
        rows.parameters,
    )
