"""Log files with some of their rows altered: what a planted fault writes, as Arrow tables in the columns logged.

Nothing is written here, and nothing of the logs is changed: these are queries over the files as they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from analytics.engines.text import Sql, all_of, any_of, identifier, literal
from analytics.scope import Filter
from analytics.telemetry import casts, typed
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.feeds import ROW, Feed, Group
from analytics.telemetry.rows import conditions

HIT = "assay:hit"
DRAW = "assay:draw"
VERSION = "assay:version"
KEY = "assay:key"
HELPERS = (HIT, DRAW, VERSION, KEY)
"""Columns of an altered table that are not logged: whether the row was altered, its lot, version and id."""
_LOTS = 2**32
_TIMES = ("timestamp", "received", "label_timestamp")
_TEXTS = ("id", "version", "data_version", "split", "unit", "status", "request", "decision", "label")


@dataclass(frozen=True)
class Place:
    """Which rows of the predictions a fault sits in.

    Attributes:
        start, end: their time, the end excluded.
        filters: values of segments and features, as everywhere.
        versions: of these only; empty is all.
        seed: draws the lots of rows; another one draws others.
    """

    start: datetime
    end: datetime
    filters: tuple[Filter, ...] = ()
    versions: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Alteration:
    """What becomes of the rows that are hit.

    Attributes:
        place: where.
        share: of the rows there that are hit, those of one request together.
        columns: logged column -> SQL over the typed rows that takes its place.
        retyped: logged column -> SQL that takes its place in every row, hit or not, so that the type fits.
        lookup: a table joined to every row by the condition ``on``; its columns are known by their names.
    """

    place: Place
    share: float = 1.0
    columns: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, str] = field(default_factory=dict)
    lookup: pa.Table | None = None
    on: str = "TRUE"


def raw(name: str) -> str:
    """The quoted name of a column as it was logged, within the queries of this module."""
    return identifier(f"raw:{name}")


def single_files(feed: Feed) -> Iterator[Group]:
    """Every readable file of a feed as a group of its own."""
    for group in feed.groups:
        for file, relation in zip(group.files, group.alone, strict=True):
            yield replace(group, files=(file,), relation=relation, alone=(relation,))


def must_be_copied(group: Group) -> bool:
    """Whether a file says less when it is named by itself: its types or its folders would be lost."""
    return group.text or any(file.hive for file in group.files)


def altered_predictions(catalog: Catalog, group: Group, alteration: Alteration) -> pa.Table:
    """The rows of one file in its own columns, with `HELPERS` beside them."""
    kinds = _raw_kinds(catalog, group)
    items = []
    for name in kinds:
        kept = alteration.retyped.get(name, raw(name))
        changed = alteration.columns.get(name)
        if changed is not None and kinds[name] == "VARCHAR" and name not in alteration.retyped:
            changed = f"CAST({changed} AS VARCHAR)"
        text = kept if changed is None else f"CASE WHEN {identifier(HIT)} THEN {changed} ELSE {kept} END"
        items.append(f"{text} AS {identifier(name)}")
    helpers = (
        f"{identifier(HIT)}, {identifier(DRAW)}, version AS {identifier(VERSION)}, id AS {identifier(KEY)}"
    )
    return _over_rows(catalog, group, alteration, f"{', '.join(items)}, {helpers}")


def features_of_hits(
    catalog: Catalog, group: Group, alteration: Alteration, columns: Mapping[str, str]
) -> pa.Table:
    """Further columns (name -> SQL over the typed rows) of the rows that are hit, in the order of the file."""
    items = ", ".join(f"{text} AS {identifier(name)}" for name, text in columns.items())
    return _over_rows(catalog, group, alteration, items, where=identifier(HIT))


def files_hit(catalog: Catalog, alteration: Alteration) -> frozenset[str]:
    """The files that hold a row that is hit."""
    hit = _hit(catalog, alteration)
    rows = catalog.engine.query(
        Sql(f"SELECT DISTINCT file FROM all_predictions WHERE {hit.text}", hit.parameters)
    )
    return frozenset(rows.column("file").to_pylist())


def rows_hit(catalog: Catalog, alteration: Alteration) -> pa.Table:
    """Id, time and version of every row that is hit."""
    hit = _hit(catalog, alteration)
    text = f"SELECT id, ts, version FROM all_predictions WHERE {hit.text}"
    return catalog.engine.query(Sql(text, hit.parameters))


def altered_labels(catalog: Catalog, group: Group, ids: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    """The reports of one label file in its own columns, with `HIT` and `KEY` beside them.

    Args:
        catalog: the project's views.
        group: the file.
        ids: a column ``id``: the predictions whose reports are hit.
        columns: logged column -> SQL over ``id``, ``label``, ``ts`` and the raw columns that takes its place.
    """
    section = catalog.project.labels
    if section is None:
        raise ValueError("the project has no label feed")
    kinds = {name: kind for name, kind in group.columns.items() if not name.startswith("assay:")}
    known = [f"{identifier(name)} AS {raw(name)}" for name in kinds]
    known += [
        f"{typed.cast(group, section.id, casts.as_key, 'VARCHAR')} AS id",
        f"{typed.label_expression(catalog.predictions, group, section.label)} AS label",
        f"{typed.instant(group, section.timestamp, catalog.project)} AS ts",
        f"{identifier(ROW)} AS row",
    ]
    items = []
    for name, kind in kinds.items():
        changed = columns.get(name)
        if changed is not None and kind == "VARCHAR" and name != section.timestamp:
            changed = f"CAST({changed} AS VARCHAR)"
        whole = name == section.timestamp and changed is not None
        kept = "r.ts" if whole else f"r.{raw(name)}"
        text = kept if changed is None else f"CASE WHEN h.id IS NOT NULL THEN {changed} ELSE {kept} END"
        items.append(f"{text} AS {identifier(name)}")
    text = (
        f"SELECT {', '.join(items)}, h.id IS NOT NULL AS {identifier(HIT)}, r.id AS {identifier(KEY)} "
        f"FROM (SELECT {', '.join(known)} FROM {group.relation}) AS r "
        "LEFT JOIN (SELECT DISTINCT id FROM labels_hit) AS h ON r.id = h.id ORDER BY r.row"
    )
    return catalog.engine.query(text, tables={"labels_hit": ids})


def label_words(catalog: Catalog) -> dict[Any, Any]:
    """Typed label -> the word it is logged as most often."""
    section = catalog.project.labels
    name = section.label if section is not None else catalog.predictions.label
    feed = catalog.feeds["labels"] if section is not None else catalog.predictions_feed
    return _words(catalog, feed, name, "label") if name is not None else {}


def frequent_values(catalog: Catalog, segment: str, most: int) -> list[str]:
    """The values of a segment with the most predictions, as text."""
    column = catalog.segments[segment].column
    text = (
        f"SELECT CAST({column} AS VARCHAR) AS value FROM predictions WHERE {column} IS NOT NULL "
        f"GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {int(most)}"
    )
    return [str(value) for value in catalog.engine.query(text).column("value").to_pylist() if value]


def newest_labels(catalog: Catalog, ids: Sequence[str]) -> dict[str, Any]:
    """Id -> the newest typed label of the feed; ids without one are left out."""
    text = (
        "SELECT id, arg_max(label, ts) AS label FROM labels WHERE id IN (SELECT id FROM wanted) GROUP BY id"
    )
    found = catalog.engine.query(text, tables={"wanted": pa.table({"id": pa.array(ids, type=pa.string())})})
    return {row["id"]: row["label"] for row in found.to_pylist()}


def decision_words(catalog: Catalog) -> dict[Any, Any]:
    """Typed decision -> the word it is logged as most often; empty where none is logged."""
    name = catalog.predictions.decision
    return _words(catalog, catalog.predictions_feed, name, "decision") if name is not None else {}


def last_values(catalog: Catalog, columns: Mapping[str, str], place: Place, by: str | None) -> pa.Table:
    """The last present value of each column before the fault begins.

    Args:
        catalog: the project's views.
        columns: name in the answer -> SQL over the view of predictions.
        place: whose start it is.
        by: the column of the view to tell apart, named ``by`` in the answer; None for one row over all.
    """
    picked = ", ".join(
        f"arg_max({text}, ts) FILTER (WHERE ({text}) IS NOT NULL) AS {identifier(name)}"
        for name, text in columns.items()
    )
    key, group = (
        (f"{identifier(by)} AS {identifier('by')}, ", f" GROUP BY {identifier(by)}") if by else ("", "")
    )
    versions = _versions(place)
    text = (
        f"SELECT {key}{picked} FROM predictions "
        f"WHERE ts < CAST($start AS TIMESTAMP WITH TIME ZONE) AND ({versions.text}){group}"
    )
    return catalog.engine.query(Sql(text, {"start": place.start, **versions.parameters}))


def spread_before(catalog: Catalog, expression: str, before: datetime) -> float | None:
    """The standard deviation of a number in the reference, else in what was logged before an instant."""
    view, parameters = "reference", {}
    if "reference" not in catalog.sources:
        view = "(SELECT * FROM predictions WHERE ts < CAST($before AS TIMESTAMP WITH TIME ZONE))"
        parameters = {"before": before}
    number = f"CAST({expression} AS DOUBLE)"
    text = f"SELECT stddev_samp({number}) FILTER (WHERE isfinite({number})) AS spread FROM {view}"
    found = catalog.engine.query(text, parameters).column("spread")[0].as_py()
    return float(found) if found else None


def median_before(catalog: Catalog, expression: str, before: datetime) -> float | None:
    """The median of a number of the predictions before an instant, else of all of them."""
    number = f"CAST({expression} AS DOUBLE)"
    text = (
        f"SELECT coalesce(quantile_disc({number}, 0.5) FILTER (WHERE isfinite({number}) AND "
        f"ts < CAST($before AS TIMESTAMP WITH TIME ZONE)), quantile_disc({number}, 0.5)) AS middle FROM predictions"
    )
    found = catalog.engine.query(text, {"before": before}).column("middle")[0].as_py()
    return float(found) if found is not None else None


def middle_label(catalog: Catalog) -> float:
    """The median label of a regression."""
    view, column = ("labels", "label") if catalog.has_label_feed else ("predictions", "own_label")
    found = catalog.engine.query(f"SELECT quantile_disc({column}, 0.5) AS middle FROM {view}")
    return float(found.column("middle")[0].as_py() or 0.0)


def other_answers(catalog: Catalog, place: Place, version: str) -> pa.Table:
    """What another version answered to the same requests: ``request``, ``score_0`` … and ``decision``."""
    section = catalog.predictions
    scores = [typed.score_column(name) for name in section.classes] or ["score"]
    picked = ", ".join(f"any_value({text}) AS score_{place}" for place, text in enumerate(scores))
    text = (
        f"SELECT request, {picked}, any_value(logged_decision) AS decision FROM predictions "
        "WHERE request IS NOT NULL AND version = $other AND ts >= CAST($start AS TIMESTAMP WITH TIME ZONE) "
        "AND ts < CAST($end AS TIMESTAMP WITH TIME ZONE) GROUP BY request"
    )
    return catalog.engine.query(text, {"other": version, "start": place.start, "end": place.end})


def _over_rows(
    catalog: Catalog, group: Group, alteration: Alteration, items: str, where: str = "TRUE"
) -> pa.Table:
    hit = _hit(catalog, alteration)
    kinds = _raw_kinds(catalog, group)
    known = [f"{_as_raw(group, name, kind)} AS {raw(name)}" for name, kind in kinds.items()]
    known += typed.prediction_items(catalog.project, group, catalog.types)
    rows = typed.derived(catalog.predictions, f"SELECT {', '.join(known)} FROM {group.relation}")
    inner = f"SELECT *, {hit.text} AS {identifier(HIT)}, {_lot()} AS {identifier(DRAW)} FROM ({rows})"
    tables = {} if alteration.lookup is None else {"found_elsewhere": alteration.lookup}
    join = f" LEFT JOIN found_elsewhere AS l ON {alteration.on}" if tables else ""
    text = f"SELECT {items} FROM ({inner}) AS r{join} WHERE {where} ORDER BY r.row"
    return catalog.engine.query(
        Sql(text, {**hit.parameters, "seed": str(alteration.place.seed)}), tables=tables
    )


def _raw_kinds(catalog: Catalog, group: Group) -> dict[str, str]:
    """Logged columns of a file and the types they are written in: text files are typed as they are read."""
    names = [name for name in group.columns if not name.startswith("assay:")]
    if not group.text:
        return {name: group.columns[name] for name in names}
    section = catalog.predictions
    plain = {getattr(section, role) for role in (*_TIMES, *_TEXTS)}
    return {name: "VARCHAR" if name in plain else catalog.types[name] for name in names}


def _as_raw(group: Group, name: str, kind: str) -> str:
    logged = group.columns[name]
    return identifier(name) if logged == kind else casts.as_column(identifier(name), logged, kind)


def _lot() -> str:
    """Eight hexadecimal digits of a row, those of one request alike: a lot between 0 and 1 that sorts as text."""
    key = "coalesce(request, id, concat(ts, ' ', coalesce(unit, ''), ' ', row))"
    return f"substr(md5(concat($seed, ' ', {key})), 1, 8)"


def lots_below(share: float) -> str:
    """The text that lots below a share sort before."""
    return "g" if share >= 1 else f"{int(share * _LOTS):08x}"


def _hit(catalog: Catalog, alteration: Alteration) -> Sql:
    place = alteration.place
    parts = [
        Sql("ts >= CAST($fault_start AS TIMESTAMP WITH TIME ZONE)", {"fault_start": place.start}),
        Sql("ts < CAST($fault_end AS TIMESTAMP WITH TIME ZONE)", {"fault_end": place.end}),
        *conditions(catalog, place.filters),
        _versions(place),
        Sql(f"{_lot()} < $lots", {"seed": str(place.seed), "lots": lots_below(alteration.share)}),
    ]
    if catalog.predictions.split is not None:
        parts.append(Sql("lower(split) = 'production'"))
    found = all_of(parts)
    return Sql(f"coalesce({found.text}, FALSE)", found.parameters)


def _versions(place: Place) -> Sql:
    if not place.versions:
        return Sql("TRUE")
    return any_of(
        [
            Sql(f"version = $fault_version_{i}", {f"fault_version_{i}": name})
            for i, name in enumerate(place.versions)
        ]
    )


def _words(catalog: Catalog, feed: Feed, name: str, role: str) -> dict[Any, Any]:
    words: dict[Any, tuple[int, Any]] = {}
    for group in feed.groups:
        if name not in group.columns:
            continue
        section = catalog.predictions
        value = (
            typed.logged_decision(section, group)
            if role == "decision"
            else typed.label_expression(section, group, name)
        )
        text = (
            f"SELECT {value} AS value, {identifier(name)} AS word, count(*) AS n FROM {group.relation} "
            "GROUP BY 1, 2 HAVING value IS NOT NULL ORDER BY n DESC LIMIT 1000"
        )
        for row in catalog.engine.query(text).to_pylist():
            if row["n"] > words.get(row["value"], (0, None))[0]:
                words[row["value"]] = (row["n"], row["word"])
    return {value: word for value, (_, word) in words.items()}


def word_cases(expression: str, words: Mapping[Any, Any]) -> str:
    """SQL that turns a typed label or decision into the word it is logged as."""
    cases = " ".join(
        f"WHEN {literal(value)} THEN {literal(word if not hasattr(word, 'as_tuple') else float(word))}"
        for value, word in words.items()
    )
    return f"CASE {expression} {cases} END" if cases else "NULL"
