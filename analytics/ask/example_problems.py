"""Which problem each example stands for: candidates of a kind against a sample of all rows of the scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from analytics.aggregates.rich_columns import LABELLED
from analytics.aggregates.samples import feature_expression, read_sample
from analytics.ask.example_kinds import Gathered
from analytics.ask.example_rows import Asking, Found, text_of
from analytics.ask.samples import numbers
from analytics.ask.unlike import MOST_FEATURES
from analytics.examples.diverse import choose
from analytics.examples.marks import Column, Marks, learn, where_of
from analytics.examples.rows import ExampleKind
from analytics.examples.select import feature_values
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows, segment_expression

SAMPLE = 5_000
LEAST_POOL, MOST_POOL, POOL_SHARE = 100, 2_000, 0.05
_CONDITION = {
    "worst": LABELLED, "best": LABELLED, "suspected-labels": LABELLED, "uncertain": "scored",
    "disagreeing": "scored AND request IS NOT NULL",
}  # fmt: skip


def pool_size(k: int, counts: Mapping[str, int]) -> int:
    """How many candidates k diverse rows are chosen from: a twentieth of the rows, within reason.

    >>> pool_size(20, {"n": 50_000})
    2000
    """
    wanted = max(LEAST_POOL, 10 * k, int(POOL_SHARE * counts["n"]))
    return max(min(wanted, MOST_POOL, counts["n"] // 2), k, 1)


def spread(
    asking: Asking, scope: Scope, kind: ExampleKind, gathered: Gathered, k: int, *, per_class: bool
) -> tuple[list[tuple[int, Found]], list[str]]:
    """Choose k of the candidates (of each class) for as many problems as there are, and what to say about it."""
    candidates = _once(gathered.found)
    if not candidates:
        return [], []
    catalog = asking.catalog
    expressions = slicing_columns(catalog)
    drawn = read_sample(
        catalog, scoped_rows(catalog, scope), max(SAMPLE // max(len(catalog.versions), 1), 1),
        columns=expressions, where=_CONDITION.get(kind, "TRUE"),
    )  # fmt: skip
    asking.texts.append(drawn.sql)
    marks = learn(_columns(catalog, drawn.table))
    values = _values(asking, candidates, expressions)
    role = "label" if kind in {"worst", "best", "suspected-labels", "disagreeing"} else "decision"
    chosen: list[tuple[int, Found]] = []
    named = 0
    for class_ in sorted({one.class_ for one in candidates}, key=str):
        mine = [place for place, one in enumerate(candidates) if one.class_ == class_]
        base = drawn.table
        if per_class:
            base = base.filter(
                pa.array([text_of(value) == class_ for value in base.column(role).to_pylist()])
            )
        found = _of_class(catalog, marks, (candidates, mine), values.take(mine), base, k)
        named += sum(one.more.get("problem") is not None for _, one in found)
        chosen += found
    return chosen, [_note(named, len(chosen), len(candidates), drawn.n)]


def _of_class(
    catalog: Catalog,
    marks: Marks,
    pool: tuple[Sequence[Found], Sequence[int]],
    values: pa.Table,
    base: pa.Table,
    k: int,
) -> list[tuple[int, Found]]:
    candidates, mine = pool
    names = marks.names
    found = []
    choices = choose(marks.of(_columns(catalog, values)), marks.of(_columns(catalog, base)), k, marks.kin)
    for rank, one in enumerate(choices, 1):
        row = candidates[mine[one.place]]
        more = dict(row.more)
        if one.slice is not None:
            more |= {
                "problem": where_of(names[one.slice]), "problem_share": one.share, "usual_share": one.usual
            }  # fmt: skip
        found.append((rank, Found(row.item, row.reason, row.class_, more)))
    return found


def _note(named: int, chosen: int, candidates: int, rows: int) -> str:
    alone = chosen - named
    rest = f"; the other {alone:,} share none and are unlike one another" if named and alone else ""
    text = (
        f"{named:,} {'rows stand' if named > 1 else 'row stands'} for a slice each"
        if named
        else "no slice stands out, so rows are unlike one another"
    )
    return (
        f"{text}{rest}: slices that hold more of the {candidates:,} candidates than of all rows (a seeded sample of "
        f"{rows:,})"
    )


def _once(found: Sequence[Found]) -> list[Found]:
    """Candidates without the second row of a request, which another version logged in shadow."""
    seen = Counter[tuple[str | None, str]]()
    kept = []
    for one in found:
        request = one.item.get("request")
        if request is not None:
            seen[one.class_, request] += 1
            if seen[one.class_, request] > 1:
                continue
        kept.append(one)
    return kept


def slicing_columns(catalog: Catalog) -> dict[str, str]:
    """What rows can be sliced by, as SQL: ``feature:<name>`` of features, ``segment:<name>`` of other segments."""
    features = catalog.features[:MOST_FEATURES]
    found = {f"feature:{feature.name}": feature_expression(feature) for feature in features}
    known = {feature.name for feature in features}
    found |= {
        f"segment:{name}": segment_expression(segment)
        for name, segment in catalog.segments.items()
        if name not in known
    }
    return found


def _columns(catalog: Catalog, table: pa.Table) -> dict[str, Column]:
    kinds = {feature.name: feature.kind for feature in catalog.features}
    found: dict[str, Column] = {}
    for name in table.column_names:
        kind, _, column = name.partition(":")
        if kind == "feature" and kinds.get(column) == "numeric":
            found[column] = numbers(table, name)
        elif kind in {"feature", "segment"} and column:
            found[column] = table.column(name).to_pylist()
    return found


def _values(asking: Asking, candidates: Sequence[Found], expressions: Mapping[str, str]) -> pa.Table:
    """The columns of the candidates, in their order."""
    keys = [one.key for one in candidates]
    wanted = pa.table({"wanted_file": [key[0] for key in keys], "wanted_row": [key[1] for key in keys]})
    sql = feature_values(expressions)
    asking.texts.append(sql.text)
    table = asking.catalog.engine.query(sql, tables={"wanted": wanted})
    where: dict[Any, int] = {
        key: place
        for place, key in enumerate(
            zip(table.column("file").to_pylist(), table.column("row").to_pylist(), strict=True)
        )
    }
    return table.take([where[key] for key in keys])
