"""Some rows of the logs with their label reports, held in memory as a catalog of their own.

Every question that a catalog answers can be asked of a subset: a seeded sample, for an answer at once, or the rows that
pass the filters of a page, so that files are read once for all its questions. Tables of the subset stand in a schema of
the same engine before the views of the same name; whatever is not of the rows asked about (the reference, versions,
values of segments, how long the logs go) is that of the whole.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count

from analytics.engines.text import Sql, all_of, identifier
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import Definition, Parts, Stored
from analytics.telemetry.rows import conditions, scoped_rows, window_conditions

OF_LABELS = frozenset({"label", "outcome"})
"""Kinds of filters that ask for the label, which rows do not have before it is joined."""
_PARTS_OF_A_SAMPLE = 2**32
_NAMES = count()
_WHOLE = ("digest", "types", "features", "segments", "extent", "last_logged", "newest_label", "versions",
          "reference_extent", "reference_versions", "releases", "duplicated", "reference_duplicated", "relabelled",
          "superseded")  # fmt: skip


def drawn(catalog: Catalog, share: float) -> Sql:
    """The condition that draws a share of all rows, each as likely as any other, the same ones at every run.

    Where requests are logged, all rows of one are drawn or none is: versions that saw the same request are compared in
    pairs. A hash of DuckDB's own is good enough for what is never stored, and costs a tenth of a digest.
    """
    section = catalog.predictions
    text_logs = any(group.text for group in catalog.predictions_feed.groups)
    # rows of text logs have no number at hand
    key = "id" if text_logs and section.id is not None else "ts" if text_logs else "ts, row"
    lot = f"hash({key}, 'assay')"
    if section.request is not None:
        # those without a request are nobody's pairs, and must not share one lot
        lot = f"CASE WHEN request IS NULL THEN {lot} ELSE hash(request, 'assay') END"
    return Sql(
        f"{lot} % {_PARTS_OF_A_SAMPLE} < $drawn_below",
        {"drawn_below": round(share * _PARTS_OF_A_SAMPLE)},
    )


def passing(catalog: Catalog, scope: Scope) -> list[Sql]:
    """What rows of a scope must meet before their labels are known: its window, and its filters on other things."""
    plain: tuple[Filter, ...] = tuple(one for one in scope.filters if one.kind not in OF_LABELS)
    return [*window_conditions(scope), *conditions(catalog, plain)]


def sample(catalog: Catalog, share: float) -> Catalog:
    """A share of all rows, drawn at random, with their reports, as a catalog."""
    part = subset(catalog, drawn(catalog, share))
    part.share = share
    return part


def subset(catalog: Catalog, wanted: Sql) -> Catalog:
    """The rows that meet a condition over the view of predictions, with their reports, as a catalog.

    It lives in memory until nobody holds it.

    Args:
        catalog: the project's views.
        wanted: the condition.

    Raises:
        QueryTimeoutError: reading them took too long, or they need too much memory.
    """
    for name in _WHOLE:
        getattr(catalog, name)  # found from the whole logs once, before the copy is made
    schema = identifier(f"subset_{next(_NAMES)}")
    engine = catalog.engine.within(schema)
    part = copy.copy(catalog)
    part.engine, part.answered, part.cut_from = engine, {}, catalog.whole
    part.parts = None if catalog.parts is None else ReferenceParts(catalog.parts)
    part.memory = None  # answers there are those of all rows
    part.__dict__["digest"] = f"{catalog.digest}-{schema}"
    weakref.finalize(part, engine.drop, f"SCHEMA {schema} CASCADE")
    engine.define(
        f"CREATE TABLE {schema}.predictions AS SELECT * FROM predictions WHERE {wanted.text}",
        wanted.parameters,
    )
    if catalog.has_label_feed:
        engine.define(
            f"CREATE TABLE {schema}.labels AS SELECT * FROM main.labels WHERE id IN "
            f"(SELECT id FROM {schema}.predictions)"
        )
    return part


class ReferenceParts:
    """Stored parts of the reference alone: those of the predictions are parts of all of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None = None) -> Stored:
        """The parts of the reference; of predictions there are none."""
        if definition.source == "reference":
            return self._parts.read(definition, days, as_of)
        return Stored(None, frozenset())

    def reference_state(self, *, labelled: bool) -> str:
        """Changes with the files that the reference is made of."""
        return self._parts.reference_state(labelled=labelled)

    def reference_labels(self) -> list[str] | None:
        """Not told: labels of a subset are not those of the views."""
        return None

    def orphans(self, known_at: datetime) -> int | None:
        """Not known: reports about no row cannot be told from those about other rows."""
        del known_at
        return None

    def orphans_by_file(self) -> Mapping[str, int] | None:
        """Not known either."""
        return None


def count_passing(catalog: Catalog, scope: Scope) -> int:
    """Rows of a catalog that meet what `passing` asks for."""
    wanted = all_of(passing(catalog, scope))
    sql = Sql(f"SELECT count(*) AS n FROM predictions WHERE {wanted.text}", wanted.parameters)
    return int(catalog.engine.query(sql).column("n")[0].as_py())


def count_rows(catalog: Catalog, scope: Scope) -> int:
    """Rows of a scope."""
    rows = scoped_rows(catalog, scope)
    return int(
        catalog.engine.query(Sql(f"SELECT count(*) AS n FROM ({rows.text})", rows.parameters))["n"][0].as_py()
    )


def bytes_a_row(catalog: Catalog) -> float:
    """What a row of the predictions takes in memory, judged by some of them."""
    some = catalog.engine.query("SELECT * FROM predictions LIMIT 2000")
    return float(some.nbytes / max(some.num_rows, 1))
