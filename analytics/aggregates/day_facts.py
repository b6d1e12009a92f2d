"""Which days every log file touches: what says which stored parts are still those of the logs as they are.

A prediction file touches the local days of its rows; a label file touches the days of the rows that its reports are
about, whenever they come. Only files that are new or changed are looked at, and what is known of the others is kept.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.files import LogFile
from analytics.telemetry.rows import window_key

LATENESS = timedelta(days=14)
"""How late labels are looked for at first, then as late as those were that were found; whatever is not found within
is looked for everywhere."""
BATCH_REPORTS = 4_000_000
QUARTER = 900
_SCHEMA = pa.schema(
    [("feed", pa.string()), ("file", pa.string()), ("day", pa.date32()), ("n", pa.int64()), ("newest", pa.int64())]
)  # fmt: skip
_NEVER = -(2**62)


@dataclass(frozen=True)
class Touched:
    """What a file has of one day.

    Attributes:
        rows: predictions, or label reports about them.
        newest: when the last of it became known, in microseconds since 1970.
    """

    rows: int
    newest: int


@dataclass
class Labelled:
    """What a label file touches.

    Attributes:
        days: the days of the rows that its reports are about.
        missing: reports about no row that there is; they may be about rows still to come.
        reference: reports about rows of the reference.
    """

    days: dict[date, Touched] = field(default_factory=dict)
    missing: int = 0
    reference: int = 0


@dataclass
class Facts:
    """What is known of the files of a project, by their keys (`file_key`).

    Attributes:
        predictions: prediction file -> day -> what it has of it.
        labels: label file -> what it touches.
        reference: the files of the reference that reports were looked for in.
        mixed: day -> prediction files that hold a row of the same id as one of that day's: which of them counts
            depends on all.
    """

    predictions: dict[str, dict[date, Touched]] = field(default_factory=dict)
    labels: dict[str, Labelled] = field(default_factory=dict)
    mixed: dict[date, frozenset[str]] = field(default_factory=dict)
    reference: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._files: dict[date, set[str]] = defaultdict(set)
        self._labels: dict[date, set[str]] = defaultdict(set)
        self._states: dict[tuple[date, bool], str] = {}
        for key, days in self.predictions.items():
            for day in days:
                self._files[day].add(key)
        for key, file in self.labels.items():
            for day in file.days:
                self._labels[day].add(key)

    @property
    def days(self) -> list[date]:
        """The days that have rows, in order."""
        return sorted(self._files)

    def files(self, day: date) -> frozenset[str]:
        """The prediction files that have rows of a day."""
        return frozenset(self._files.get(day, ()))

    def label_files(self, day: date) -> frozenset[str]:
        """The label files that have reports about rows of a day."""
        return frozenset(self._labels.get(day, ()))

    def rows(self, day: date) -> int:
        """Rows of a day, repeated ones included."""
        return sum(self.predictions[key][day].rows for key in self._files.get(day, ()))

    def newest(self, day: date, *, labelled: bool) -> datetime:
        """When the last row, or label, of a day became known."""
        known = [self.predictions[key][day].newest for key in self._files.get(day, ())]
        if labelled:
            known += [self.labels[key].days[day].newest for key in self._labels.get(day, ())]
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=max(known, default=0))

    def state(self, day: date, *, labelled: bool) -> str:
        """Changes with every file whose rows, or labels, of that day do."""
        known = self._states.get((day, labelled))
        if known is None:
            keys = sorted(self._files.get(day, set()) | self.mixed.get(day, frozenset()))
            if labelled:
                keys += ["labels", *sorted(self._labels.get(day, ()))]
            known = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]
            self._states[day, labelled] = known
        return known

    def as_table(self) -> pa.Table:
        """One row a file and day, as it is stored."""
        rows: list[tuple[str, str, date | None, int, int]] = []
        for key, days in self.predictions.items():
            rows.append(("predictions", key, None, 0, _NEVER))
            rows += [("predictions", key, day, one.rows, one.newest) for day, one in days.items()]
        for key, file in self.labels.items():
            rows.append(("labels", key, None, file.missing, file.reference))
            rows += [("labels", key, day, one.rows, one.newest) for day, one in file.days.items()]
        rows += [("mixed", key, day, 0, _NEVER) for day, keys in self.mixed.items() for key in sorted(keys)]
        rows += [("reference", key, None, 0, _NEVER) for key in sorted(self.reference)]
        columns = list(zip(*rows, strict=True)) or [()] * len(_SCHEMA)
        return pa.table(
            [pa.array(column, kind.type) for column, kind in zip(columns, _SCHEMA, strict=True)], _SCHEMA
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> Facts:
        """What `as_table` made."""
        predictions: dict[str, dict[date, Touched]] = {}
        labels: dict[str, Labelled] = {}
        mixed: dict[date, set[str]] = defaultdict(set)
        reference: set[str] = set()
        columns = [table.column(name).to_pylist() for name in _SCHEMA.names]
        for feed, file, day, n, newest in zip(*columns, strict=True):
            if feed == "mixed":
                mixed[day].add(file)
            elif feed == "reference":
                reference.add(file)
            elif feed == "predictions":
                days = predictions.setdefault(file, {})
                if day is not None:
                    days[day] = Touched(n, newest)
            else:
                found = labels.setdefault(file, Labelled())
                if day is None:
                    found.missing, found.reference = n, newest
                else:
                    found.days[day] = Touched(n, newest)
        return cls(
            predictions, labels, {day: frozenset(keys) for day, keys in mixed.items()}, frozenset(reference)
        )


def file_key(file: LogFile, folder: Path) -> str:
    """Changes with the file; the same wherever the project's folder lies."""
    path = file.path
    shown = path.relative_to(folder) if path.is_relative_to(folder) else path
    text = f"{shown.as_posix()}\0{file.size}\0{file.modified_ns}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:20]


def keyed_files(catalog: Catalog, feed: str) -> Mapping[str, LogFile]:
    """The readable files of a feed by their keys; none where there is no such feed."""
    known: dict[str, LogFile] | None = catalog.answered.get(("keyed files", feed))
    if known is None:
        folder = catalog.project.folder.resolve()
        found = catalog.feeds.get(feed)
        known = {} if found is None else {file_key(file, folder): file for file in found.files}
        catalog.answered["keyed files", feed] = known
    return known


def unknown_files(catalog: Catalog, facts: Facts) -> list[LogFile]:
    """Files that `update_facts` would look at."""
    predictions, labels = keyed_files(catalog, "predictions"), keyed_files(catalog, "labels")
    return [
        *(file for key, file in predictions.items() if key not in facts.predictions),
        *(file for key, file in labels.items() if key not in facts.labels),
        *(file for key, file in keyed_files(catalog, "reference").items() if key not in facts.reference),
    ]


def is_current(catalog: Catalog, facts: Facts) -> bool:
    """Whether the facts are of exactly the files there are."""
    return (
        keyed_files(catalog, "predictions").keys() == facts.predictions.keys()
        and keyed_files(catalog, "labels").keys() == facts.labels.keys()
        and keyed_files(catalog, "reference").keys() == facts.reference
    )


def update_facts(catalog: Catalog, facts: Facts) -> Facts:
    """Look at the files that are new or changed, and forget those that are gone.

    Args:
        catalog: the project's views.
        facts: what was known so far.
    """
    if is_current(catalog, facts):
        return facts
    files, label_files = keyed_files(catalog, "predictions"), keyed_files(catalog, "labels")
    old = {key: days for key, days in facts.predictions.items() if key in files}
    gone = {day for key, days in facts.predictions.items() if key not in files for day in days}
    fresh = {key: file for key, file in files.items() if key not in old}
    predictions = old | prediction_days(catalog, fresh)
    # a row that is gone may come back in another file, or on another day, or not at all
    labels = {
        key: file for key, file in facts.labels.items() if key in label_files and not gone & file.days.keys()
    }
    unseen = {key: file for key, file in label_files.items() if key not in labels}
    reports = Reports(catalog, files, label_files, predictions)
    # where ids repeat, a row of a new file may take the place of one that had a label already
    waiting = [key for key, file in labels.items() if file.missing or catalog.duplicated]
    labels |= {key: Labelled() for key in unseen}
    reference = frozenset(keyed_files(catalog, "reference"))
    unlike = list(unseen if reference == facts.reference else labels)
    if unlike:
        reports.look_at_reference(unlike, labels)
    if fresh and waiting:
        reports.look(waiting, list(fresh), labels, {key: labels[key].missing for key in waiting})
    if unseen:
        reports.look(list(unseen), list(files), labels)
    return Facts(predictions, labels, _mixed(catalog, files) if catalog.duplicated else {}, reference)


def prediction_days(catalog: Catalog, files: Mapping[str, LogFile]) -> dict[str, dict[date, Touched]]:
    """The local days that prediction files have rows of."""
    found: dict[str, dict[date, Touched]] = {key: {} for key in files}
    if not files:
        return found
    keys = {str(file.path): key for key, file in files.items()}
    known = (
        "greatest(coalesce(received, ts), own_label_ts)"
        if not catalog.has_label_feed
        else "coalesce(received, ts)"
    )
    only = _only(keys, len(keyed_files(catalog, "predictions")))
    for file, day, n, newest in _by_day(catalog, "ts", known, f"FROM all_predictions{only}"):
        known_of = found[keys[file]]
        so_far = known_of.get(day, Touched(0, _NEVER))
        known_of[day] = Touched(so_far.rows + n, max(so_far.newest, newest))
    return found


def _by_day(catalog: Catalog, moment: str, known: str, source: str) -> list[tuple[str, date, int, int]]:
    """File, local day of an instant, rows and newest instant known, of rows that have a file."""
    # a quarter of an hour by whole numbers costs half of what the local day of every row does
    text = (
        f"SELECT file, epoch_ms({moment}) // {QUARTER * 1000} AS slot, count(*) AS n, "
        f"max(epoch_us({known})) AS newest {source} GROUP BY file, slot"
    )
    table = catalog.engine.query(text)
    slots, place = np.unique(table.column("slot").to_numpy(), return_inverse=True)
    days = [_local_day(slot, catalog.project.zone) for slot in slots.tolist()]
    if None in days:  # a zone that was once not whole quarters of an hour away
        zone = catalog.project.time_zone
        local = window_key("day", zone).replace("ts AT", f"{moment} AT")
        text = (
            f"SELECT file, CAST({local} AS DATE) AS day, count(*) AS n, max(epoch_us({known})) AS newest {source} "
            "GROUP BY file, day"
        )
        columns = catalog.engine.query(text).to_pydict()
        return list(zip(columns["file"], columns["day"], columns["n"], columns["newest"], strict=True))
    # of many files there are millions of quarters of an hour, too many for objects of Python
    local = pa.array(days, pa.date32()).take(pa.array(place))
    summed = table.append_column("day", local).group_by(["file", "day"])
    found = summed.aggregate([("n", "sum"), ("newest", "max")])
    names = ("file", "day", "n_sum", "newest_max")
    return list(zip(*(found.column(name).to_pylist() for name in names), strict=True))


def _local_day(slot: int, zone: ZoneInfo) -> date | None:
    local = (datetime.fromtimestamp(0, UTC) + timedelta(seconds=slot * QUARTER)).astimezone(zone)
    offset = local.utcoffset()
    # whole-number division rounds towards 1970, so that before it a slot is none
    if slot <= 0 or offset is None or offset.total_seconds() % QUARTER:
        return None
    return local.date()


@dataclass
class Reports:
    """Looks for the rows that label reports are about."""

    catalog: Catalog
    files: Mapping[str, LogFile]
    label_files: Mapping[str, LogFile]
    predictions: Mapping[str, Mapping[date, Touched]]

    def look(
        self,
        keys: list[str],
        among: list[str],
        labels: dict[str, Labelled],
        before: Mapping[str, int] | None = None,
    ) -> None:
        """Add to ``labels`` the days of the rows of some prediction files that the reports of label files are about.

        ``before``: how many reports of each had no row; all of them where there is none.
        """
        lateness = LATENESS
        expected: dict[str, int] = {}
        found = dict.fromkeys(keys, 0)
        few = sum(one.rows for key in among for one in self.predictions[key].values()) <= BATCH_REPORTS
        with ExitStack() as held:
            everywhere = _Everywhere(self, among, labels, found, held)
            for batch, first, last, counts in self._batches(keys):
                expected |= counts if before is None else {key: before[key] for key in batch}
                # these are mostly about no other rows
                apart = [key for key in batch if labels[key].reference >= counts[key] and not few]
                everywhere.add(self._reports_of(apart).text, sum(counts[key] for key in apart))
                rest = [key for key in batch if key not in apart]
                near = among if few else [key for key in among if self._overlaps(key, first - lateness, last)]
                rows = self.find(self._reports_of(rest).text, near) if rest else []
                _add(rows, labels, found)
                late = max(first - min((day for _, day, _, _ in rows), default=first), timedelta())
                lateness = min(lateness, late + timedelta(days=1))
                # where ids repeat, two rows of one report hide that another report has found none
                short = [key for key in rest if found[key] < counts[key] or self.catalog.duplicated]
                if short and len(near) < len(among):
                    everywhere.keep(self._without(self._reports_of(short), near))
            everywhere.find()
        for key, n in expected.items():
            labels[key].missing = max(n - found[key], 0)

    def look_at_reference(self, keys: list[str], labels: dict[str, Labelled]) -> None:
        """Count the reports about rows of a reference that has files of its own."""
        for key in keys:
            labels[key].reference = 0
        if "reference" not in self.catalog.feeds:
            return
        of = {str(self.label_files[key].path): key for key in keys}
        only = _only(of, len(self.label_files))
        text = (
            f"SELECT l.file, count(*) AS n FROM (SELECT id, file FROM labels{only}) AS l "
            "SEMI JOIN all_reference AS r ON l.id = r.id GROUP BY l.file"
        )
        for row in self.catalog.engine.query(text).to_pylist():
            labels[of[row["file"]]].reference = row["n"]

    def _batches(self, keys: list[str]) -> Iterable[tuple[list[str], date, date, dict[str, int]]]:
        """Label files of about so many reports together, in the order of time, and how many reports each has."""
        of = {str(self.label_files[key].path): key for key in keys}
        source = f"labels{_only(of, len(self.label_files))}"
        text = f"SELECT file, count(*) AS n, min(ts) AS first, max(ts) AS last FROM {source} GROUP BY file"
        found = self.catalog.engine.query(text).to_pylist()
        rows = sorted(found, key=lambda row: row["last"])
        batch: list[dict[str, object]] = []
        size = 0
        for row in rows:
            if batch and size + row["n"] > BATCH_REPORTS:
                yield self._batch(batch, of)
                batch, size = [], 0
            batch.append(row)
            size += row["n"]
        if batch:
            yield self._batch(batch, of)

    def _batch(
        self, rows: list[dict[str, object]], of: Mapping[str, str]
    ) -> tuple[list[str], date, date, dict[str, int]]:
        zone = self.catalog.project.zone
        firsts = [row["first"].astimezone(zone).date() for row in rows]  # type: ignore[attr-defined]
        lasts = [row["last"].astimezone(zone).date() for row in rows]  # type: ignore[attr-defined]
        counts = {of[str(row["file"])]: int(str(row["n"])) for row in rows}
        return list(counts), min(firsts), max(lasts), counts

    def _overlaps(self, key: str, first: date, last: date) -> bool:
        days = self.predictions[key]
        return any(first <= day <= last for day in days)

    def _reports_of(self, keys: list[str]) -> Sql:
        of = {str(self.label_files[key].path): key for key in keys}
        return Sql(f"SELECT id, file, ts FROM labels{_only(of, len(self.label_files))}")

    def _rows_of(self, keys: Iterable[str]) -> str:
        paths = [str(self.files[key].path) for key in keys]
        return f"(SELECT id, ts FROM all_predictions{_only(paths, len(self.files))})"

    def _without(self, reports: Sql, near: list[str]) -> Sql:
        found = f" ANTI JOIN {self._rows_of(near)} AS p ON r.id = p.id" if near else ""
        return Sql(f"SELECT r.id, r.file, r.ts FROM ({reports.text}) AS r{found}")

    def find(self, reports: str, among: list[str]) -> list[tuple[str, date, int, int]]:
        """Label file, day of the rows that its reports are about, how many these are and when the last was reported."""
        if not among:
            return []
        source = (
            f"FROM (SELECT r.file, r.ts AS known_at, p.ts AS predicted FROM ({reports}) AS r "
            f"JOIN {self._rows_of(among)} AS p ON r.id = p.id)"
        )
        of = {str(file.path): key for key, file in self.label_files.items()}
        found = _by_day(self.catalog, "predicted", "known_at", source)
        return [(of[file], day, n, newest) for file, day, n, newest in found]


@dataclass
class _Everywhere:
    """Reports that are looked for among all rows, many at once.

    A look at all rows for each batch of reports would take time that grows with the square of the logs.
    """

    reports: Reports
    among: list[str]
    labels: Mapping[str, Labelled]
    found: dict[str, int]
    held: ExitStack
    texts: list[str] = field(default_factory=list)
    n: int = 0

    def keep(self, sql: Sql) -> None:
        """Hold the few that found no row near."""
        catalog = self.reports.catalog
        kept = self.held.enter_context(catalog.engine.kept(sql))
        n = catalog.engine.query(f"SELECT count(*) AS n FROM ({kept.text})").column("n")[0].as_py()
        self.add(kept.text, int(n))

    def add(self, text: str, n: int) -> None:
        """So many more."""
        if n:
            self.texts.append(text)
            self.n += n
        if self.n > BATCH_REPORTS:
            self.find()

    def find(self) -> None:
        """Look for those that were added."""
        if self.texts:
            _add(self.reports.find(" UNION ALL ".join(self.texts), self.among), self.labels, self.found)
        self.held.close()
        self.texts, self.n = [], 0


def _add(
    rows: Iterable[tuple[str, date, int, int]], labels: Mapping[str, Labelled], found: dict[str, int]
) -> None:
    """Add the days of rows that were found, and how many reports of each file found one."""
    for key, day, n, newest in rows:
        so_far = labels[key].days.get(day, Touched(0, _NEVER))
        labels[key].days[day] = Touched(so_far.rows + n, max(so_far.newest, newest))
        found[key] += n


def _mixed(catalog: Catalog, files: Mapping[str, LogFile]) -> dict[date, frozenset[str]]:
    """Of every day with a row whose id occurs elsewhere, the files where it does."""
    keys = {str(file.path): key for key, file in files.items()}
    several = "SELECT id FROM all_predictions GROUP BY id HAVING count(*) > 1"
    repeated = f"SELECT id, ts, file FROM all_predictions WHERE id IN ({several})"
    with catalog.engine.kept(Sql(repeated)) as rows:
        source = f"FROM (SELECT DISTINCT a.ts, b.file FROM ({rows.text}) AS a JOIN ({rows.text}) AS b ON a.id = b.id)"
        found: dict[date, set[str]] = defaultdict(set)
        for file, day, _, _ in _by_day(catalog, "ts", "ts", source):
            found[day].add(keys[file])
    return {day: frozenset(names) for day, names in found.items()}


def _only(paths: Iterable[str], all_files: int) -> str:
    """The condition that keeps some files; none where these are all."""
    names = list(paths)
    return "" if len(names) == all_files else f" WHERE file IN ({listed(names)})"


def listed(paths: Iterable[str]) -> str:
    """Paths as SQL takes them in a list; of none, one that no file has."""
    return ", ".join(literal(path) for path in paths) or "''"


def labels_in(paths: Iterable[str]) -> str:
    """What stands for the view of labels in one query (after WITH): the reports of some files."""
    return f"labels AS (SELECT * FROM main.labels WHERE file IN ({listed(sorted(paths))}))"


def midnight(day: date) -> datetime:
    """The key of a local day."""
    return datetime.combine(day, time())
