"""The tables of one project as typed views over its log files.

Views (nothing is copied):

``predictions``  one row a prediction: file, row, id, ts, received, version, score or ``score:<class>``,
    scored,
                 decision, own_label, own_label_ts, unit, weight, latency, status, request, and
                 ``column:<name>`` for every logged column
``reference``    the same, for what is normal
``splits``       the same for rows of every split, where the project declares a ``split`` column
``labels``       one row a label report: id, label, ts, source, file, row
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from analytics.engines.duckdb import MEMORY_LIMIT, DuckDBEngine
from analytics.engines.text import literal
from analytics.errors import AssayError, FileVanishedError, ProjectError, TelemetryError
from analytics.project import Predictions, Project, Release, ReleaseLog
from analytics.telemetry import typed
from analytics.telemetry.broken import broken_files
from analytics.telemetry.casts import is_numeric
from analytics.telemetry.csv_files import repaired_folder
from analytics.telemetry.declared import FeatureKind, check_features, feature_kind, require_columns
from analytics.telemetry.facts import Asked, Known, Spell, facts_folder, is_large, look, only_of
from analytics.telemetry.feeds import Feed, open_feed
from analytics.telemetry.files import LogFile, digest
from analytics.telemetry.listing import LENIENT_FEEDS, list_feed, list_feeds
from analytics.telemetry.live import Live
from analytics.telemetry.parts import Memory, Parts
from analytics.telemetry.releases import read_releases
from analytics.telemetry.remembered import remembered
from analytics.telemetry.sniff import sniffed_types

Source = Literal["predictions", "reference"]
KnownView = Literal["predictions", "splits", "reference", "labels"]
Rows = Literal["predictions", "reference", "splits"]
"""The views of predictions; ``splits`` is no source to monitor."""
SEGMENT_VALUES = 200
CLOCK_TOLERANCE = timedelta(days=1)
"""A timestamp later than now by more than this is a wrong clock and does not stretch the default window."""


@dataclass(frozen=True)
class Feature:
    """An input of the model: its name, kind, and the quoted view column that holds it."""

    name: str
    kind: FeatureKind
    column: str


@dataclass(frozen=True)
class Segment:
    """A column to slice by.

    Attributes:
        edges: for a numeric segment the reference quartiles; None for any other.
        kept: the most frequent values where there are too many to show; the rest reads ``(other)``.
    """

    name: str
    column: str
    edges: tuple[float, ...] | None = None
    kept: tuple[str, ...] | None = None


class _Again(NamedTuple):
    """A relation, and the table that it reads besides the views."""

    text: str
    tables: dict[str, pa.Table]


@dataclass
class Catalog:
    """Opens the feeds of a project and defines its views.

    Args:
        project: the validated project file.
        left_out: files known to be damaged though their heads look whole, and why; what
            `analytics.telemetry.broken` finds while the views are defined is added.
        memory: where answers that depend on whole feeds are kept; None keeps nothing.
        most_memory: what all its queries together may take before they spill.

    Raises:
        TelemetryError: no file of the predictions can be read, or a feed lacks a declared column.
        FileVanishedError: a file was deleted since it was listed a moment ago; open the catalog again.
    """

    project: Project
    left_out: Mapping[Path, str] = field(default_factory=dict)
    memory: Memory | None = None
    most_memory: str = MEMORY_LIMIT
    engine: DuckDBEngine = field(init=False)
    feeds: dict[str, Feed] = field(init=False, default_factory=dict)
    listed: dict[str, tuple[LogFile, ...]] = field(init=False)
    answered: dict[object, Any] = field(init=False, default_factory=dict)
    parts: Parts | None = field(init=False, default=None)
    live: Live | None = field(init=False, default=None)
    cut_from: Catalog | None = field(init=False, default=None)
    """Of some rows only (see `analytics.telemetry.subsets`): the catalog of all."""
    share: float = field(init=False, default=1.0)
    """Of a sample: the share of all rows that was drawn."""
    _types: dict[str, dict[str, str]] = field(init=False, default_factory=dict)
    _known: dict[str, Known | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.listed = list_feeds(self.project)
        listed = (file for files in self.listed.values() for file in files)
        self.engine = DuckDBEngine(
            [repaired_folder()],
            files=(file.path for file in listed if file.has_utf8_name),
            memory_limit=self.most_memory,
        )
        try:
            self._open()
        except AssayError:
            self.engine.close()
            raise

    def _open(self) -> None:
        self._open_feeds()
        try:
            self._define()
        except FileVanishedError:
            raise
        except TelemetryError:
            # a page inside a file may be damaged although its head is whole: go on without that file
            broken = broken_files(self.engine, self.feeds)
            if not broken:
                raise
            self.left_out = {**self.left_out, **broken}
            self.__dict__.pop("types", None)
            self._types.clear()
            self._known.clear()
            for name in ("duplicated", "reference_duplicated", "relabelled", "superseded"):
                self.__dict__.pop(name, None)
            self._open_feeds()
            self._define()

    def _open_feeds(self) -> None:
        for name, files in self.listed.items():
            self.feeds[name] = open_feed(
                self.engine, name, files, self._declared(name), self.left_out, facts_folder(self.project)
            )
        self._require_a_file()
        if self.has_predictions:
            require_columns(self.project, self.feeds)
            check_features(self.project, self.types)

    @property
    def predictions(self) -> Predictions:
        """The predictions section, or an error that says it is missing."""
        return self.project.require_predictions()

    @property
    def has_predictions(self) -> bool:
        """Whether the project describes a model at all; experiments alone are a project, too."""
        return self.project.predictions is not None

    @cached_property
    def digest(self) -> str:
        """Changes when the project file or any listed log file does."""
        return "-".join((self.project.digest, *(digest(files) for files in self.listed.values())))

    @property
    def whole(self) -> Catalog:
        """The catalog of all rows: what does not depend on which rows are asked about is asked of it."""
        return self if self.cut_from is None else self.cut_from

    @property
    def is_large(self) -> bool:
        """Whether listing and opening the logs may take so long that nobody should wait for it."""
        return any(is_large(files) for files in self.listed.values())

    @property
    def has_label_feed(self) -> bool:
        """Whether labels come in a feed of their own."""
        return "labels" in self.feeds

    @property
    def has_labels(self) -> bool:
        """Whether the project declares labels at all."""
        return self.has_label_feed or (self.has_predictions and self.predictions.label is not None)

    @cached_property
    def types(self) -> dict[str, str]:
        """Column -> type shown, text columns of CSV and JSON logs judged by what they hold."""
        return self.types_of(self.predictions_feed.name)

    @property
    def predictions_feed(self) -> Feed:
        """The predictions' files, or an error that says the section is missing."""
        self.project.require_predictions()
        return self.feeds["predictions"]

    def types_of(self, name: str) -> dict[str, str]:
        """Column -> type shown, of one feed; looked at once."""
        if name not in self._types:
            feed = self.feeds[name]
            self._types[name] = feed.columns | sniffed_types(self.engine, feed)
        return self._types[name]

    def require_feed(self, name: str) -> Feed:
        """A declared feed of which some file can be read.

        Raises:
            TelemetryError: there is no file, or not one can be read.
            ProjectError: the project has no such section.
        """
        section = getattr(self.project, name)
        if section is None:
            raise ProjectError(
                f"{self.project.file}: {name}: this needs a [{name}] section, and there is none"
            )
        if not self.listed[name]:
            list_feed(self.project, name, section)
        feed = self.feeds[name]
        if not feed.groups:
            raise TelemetryError(f"{self.project.file}: {name}.path: {_not_one(feed)}")
        return feed

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The declared features, or every column that has no other role and is not private, a time or nested.

        Folder names of hive-partitioned files are features only if declared.
        """
        names = self.predictions.features
        if names is None:
            partitions = self.predictions_feed.partitions
            taken = {*self.predictions.roles().values(), *self.predictions.private, *partitions}
            names = tuple(name for name in self.types if name not in taken)
        found = ((name, feature_kind(self.types[name])) for name in names if name in self.types)
        return tuple(Feature(name, kind, typed.column(name)) for name, kind in found if kind is not None)

    @cached_property
    def segments(self) -> dict[str, Segment]:
        """The declared segments by name."""
        return {name: self._segment(name) for name in self.predictions.segments}

    def known(self, view: KnownView) -> Known | None:
        """What is known of a feed of large logs without reading it again; None of small ones, which are simply read."""
        if view not in self._known:
            name = "predictions" if view == "splits" else view
            looked = self.is_large and name in self.feeds
            self._known[view] = look(self.engine, self.project, self._asked(view)) if looked else None
        return self._known[view]

    @cached_property
    def duplicated(self) -> bool:
        """Whether any prediction id occurs twice (looked at once per set of files)."""
        return self.has_predictions and self.predictions.id is not None and self._repeats("predictions")

    @cached_property
    def reference_duplicated(self) -> bool:
        """The same for a reference that has files of its own."""
        known = self.predictions.id in self.feeds["reference"].columns if "reference" in self.feeds else False
        return known and self._repeats("reference")

    @cached_property
    def relabelled(self) -> bool:
        """Whether any id has more than one label report (looked at once per set of files)."""
        return self.has_label_feed and self._repeats("labels")

    @cached_property
    def superseded(self) -> bool:
        """Whether there is a table ``superseded`` of reports that later ones replace: id, ts, file, row, next_ts.

        There is where label logs are large and a report repeats: a window over all reports would be sorted in every
        query. Where none does, the table would be empty, and yet the join with it cost a third of finding labels.
        """
        known = self.known("labels") if self.has_label_feed else None
        if known is None or not known.repeated or any(g.text for g in self.feeds["labels"].groups):
            return False
        following = "lead(ts) OVER (PARTITION BY id ORDER BY ts, file, row)"
        again = self._again("labels", known.repeated)
        text = f"SELECT id, ts, file, row, {following} AS next_ts FROM {again.text}"
        table = self.engine.query(f"SELECT * FROM ({text}) WHERE next_ts IS NOT NULL", tables=again.tables)
        self.engine.put("superseded", table)
        return True

    def _repeats(self, view: KnownView) -> bool:
        known = self.known(view)
        if known is not None:
            return known.repeated is None or bool(known.repeated)
        name = "labels" if view == "labels" else f"all_{view}"
        row = self.engine.query(f"SELECT count(id) AS n, count(DISTINCT id) AS ids FROM {name}").to_pylist()[
            0
        ]
        return bool(row["n"] != row["ids"])

    def _asked(self, view: KnownView) -> Asked:
        """How the facts of a feed are looked for: over the text of its view, restricted to some files."""
        project, types = self.project, self.types
        section = self.predictions.model_dump(mode="json", exclude={"path", "features", "private"})
        said = [section, project.time_zone, sorted(types.items())]
        if view == "labels":
            labels = (
                None if project.labels is None else project.labels.model_dump(mode="json", exclude={"path"})
            )
            return Asked(
                view,
                self.feeds[view],
                lambda feed: typed.labels(project, feed),
                repr([*said, labels]),
                versions=False,
            )
        name = "predictions" if view == "splits" else view
        production = view == "predictions"
        columns = (
            {}
            if not production
            else {
                name: typed.column(name) for name in self.predictions.segments if not is_numeric(types[name])
            }
        )
        feed = self.feeds[name]
        return Asked(
            view,
            feed,
            lambda some: typed.predictions(project, some, types, production_only=production),
            repr(said),
            columns,
            ids=self.predictions.id is not None and self.predictions.id in feed.columns,
        )

    def rows_of(self, view: KnownView, files: Iterable[LogFile]) -> str:
        """The SELECT behind a view with nothing but the rows of some files, repeated ones included."""
        return only_of(self._asked(view), files)

    def left_out_rows(self, view: KnownView) -> dict[str, int] | None:
        """Rows by file that are left out because an earlier one has the same id; None where that is not listed."""
        known = self.known(view)
        if known is None or known.repeated is None:
            return None
        if not known.repeated:
            return {}
        if not self._excepted(view):
            return None
        found = self.engine.query(
            f"SELECT file, count(*) AS n FROM repeated_{view} GROUP BY file"
        ).to_pylist()
        return {row["file"]: row["n"] for row in found}

    def _again(self, view: str, repeated: Iterable[str]) -> _Again:
        """The rows of a view whose id occurs more than once."""
        ids = pa.table({"id": pa.array(sorted(repeated), pa.string())})
        return _Again(f"(SELECT * FROM {view} SEMI JOIN repeated_ids USING (id))", {"repeated_ids": ids})

    @cached_property
    def extent(self) -> tuple[datetime, datetime] | None:
        """First and last timestamp of the predictions; None where there are no rows.

        Timestamps in the future (a wrong clock) count only where there are no others.
        """
        self.project.require_predictions()
        known = self._spells("predictions")
        if known is not None:
            return (min(spell.first for spell in known.values()), max(spell.last for spell in known.values()))
        row = self.engine.query(
            "SELECT min(ts) AS first, max(ts) AS last, "
            "max(ts) FILTER (ts <= CAST($latest AS TIMESTAMP WITH TIME ZONE)) AS past FROM predictions",
            {"latest": datetime.now(UTC) + CLOCK_TOLERANCE},
        ).to_pylist()[0]
        return None if row["first"] is None else (_utc(row["first"]), _utc(row["past"] or row["last"]))

    def _spells(self, view: KnownView) -> Mapping[str | None, Spell] | None:
        """Rows by version, where they are known and nothing was left out of them, and no clock was wrong."""
        known = self.known(view)
        if known is None or not known.spells:
            return None
        if view != "labels" and (known.repeated is None or known.repeated):
            return None
        latest = datetime.now(UTC) + CLOCK_TOLERANCE
        return known.spells if all(spell.last <= latest for spell in known.spells.values()) else None

    @cached_property
    def last_logged(self) -> datetime | None:
        """The last instant of predictions and labels, wrong clocks left out; None where there are no rows."""
        if not self.has_predictions or self.extent is None:
            return None
        return max(self.extent[1], self.newest_label or self.extent[1])

    @cached_property
    def newest_label(self) -> datetime | None:
        """The last instant of the label feed, wrong clocks left out; None without a feed or without reports."""
        if not self.has_label_feed:
            return None
        known = self._spells("labels")
        if known is not None:
            return max(spell.last for spell in known.values())
        row = self.engine.query(
            "SELECT max(ts) FILTER (ts <= CAST($latest AS TIMESTAMP WITH TIME ZONE)) AS last FROM labels",
            {"latest": datetime.now(UTC) + CLOCK_TOLERANCE},
        ).to_pylist()[0]
        return None if row["last"] is None else _utc(row["last"])

    @cached_property
    def reference_extent(self) -> tuple[datetime, datetime] | None:
        """First and last timestamp of the reference; None without a reference or without rows."""
        if "reference" not in self.sources:
            return None
        known = self._spells("reference") if "reference" in self.feeds else None
        if known is not None:
            return (min(spell.first for spell in known.values()), max(spell.last for spell in known.values()))
        row = self.engine.query("SELECT min(ts) AS first, max(ts) AS last FROM reference").to_pylist()[0]
        return None if row["first"] is None else (_utc(row["first"]), _utc(row["last"]))

    @cached_property
    def versions(self) -> tuple[str | None, ...]:
        """Every version in the predictions, by first appearance; one None where no version is declared."""
        if self.predictions.version is None:
            return (None,)
        known = self._spells("predictions")
        if known is not None:
            return tuple(sorted(known, key=lambda name: (known[name].first, name or "")))
        rows = self.engine.query(
            "SELECT version FROM predictions GROUP BY version ORDER BY min(ts), version"
        ).to_pylist()
        return tuple(row["version"] for row in rows)

    @cached_property
    def reference_versions(self) -> tuple[str | None, ...]:
        """Every version in the reference, by first appearance."""
        if "reference" not in self.sources:
            return ()
        if self.predictions.version is None:
            return (None,)
        known = self._spells("reference") if "reference" in self.feeds else None
        if known is not None:
            return tuple(sorted(known, key=lambda name: (known[name].first, name or "")))
        rows = self.engine.query(
            "SELECT version FROM reference GROUP BY version ORDER BY min(ts), version"
        ).to_pylist()
        return tuple(row["version"] for row in rows)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Which of the views there are."""
        if not self.has_predictions:
            return ()
        return ("predictions", "reference") if self.project.reference is not None else ("predictions",)

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """The declared or logged releases, by time."""
        releases = self.project.releases
        if isinstance(releases, ReleaseLog):
            releases = read_releases(self.engine, self.feeds["releases"], self.project)
        return tuple(sorted(releases, key=lambda release: self.project.instant(release.timestamp)))

    def close(self) -> None:
        """Close the engine, and leave the cluster."""
        if self.live is not None:
            self.live.close()
        self.engine.close()

    def _declared(self, name: str) -> tuple[str, ...]:
        if name == "labels" and self.project.labels is not None:
            section = self.project.labels
            return tuple(filter(None, (section.id, section.label, section.timestamp, section.source)))
        if name == "releases":
            return ("timestamp", "version")
        if name in LENIENT_FEEDS:
            section = getattr(self.project, name)
            roles = section.model_dump(exclude={"path", "segments"}, exclude_none=True)
            return tuple(dict.fromkeys((*roles.values(), *getattr(section, "segments", ()))))
        return tuple(self.predictions.roles().values())

    def _require_a_file(self) -> None:
        if self.has_predictions and not self.predictions_feed.groups:
            raise TelemetryError(f"{self.project.file}: predictions.path: {_not_one(self.predictions_feed)}")

    def _define(self) -> None:
        if not self.has_predictions:
            return
        project, types = self.project, self.types
        everything = typed.predictions(project, self.feeds["predictions"], types)
        self.engine.define(f"CREATE OR REPLACE VIEW all_predictions AS {everything}")
        if self.project.labels is not None:
            self.engine.define(
                f"CREATE OR REPLACE VIEW labels AS {typed.labels(project, self.feeds['labels'])}"
            )
        self.engine.define(
            f"CREATE OR REPLACE VIEW predictions AS {self._first('predictions', repeats=self.duplicated)}"
        )
        if self.predictions.split is not None:
            everything = typed.predictions(project, self.feeds["predictions"], types, production_only=False)
            self.engine.define(f"CREATE OR REPLACE VIEW all_splits AS {everything}")
            body = self._first("splits", repeats=self._repeats("splits") if self.predictions.id else False)
            self.engine.define(f"CREATE OR REPLACE VIEW splits AS {body}")
        if project.reference is None:
            return
        if "reference" in self.feeds:
            everything = typed.predictions(project, self.feeds["reference"], types, production_only=False)
            self.engine.define(f"CREATE OR REPLACE VIEW all_reference AS {everything}")
            body = self._first("reference", repeats=self.reference_duplicated)
        else:
            start, end = (
                f"CAST({literal(project.instant(moment).isoformat())} AS TIMESTAMP WITH TIME ZONE)"
                for moment in _both(project)
            )
            body = f"SELECT * FROM predictions WHERE ts >= {start} AND ts < {end}"
        self.engine.define(f"CREATE OR REPLACE VIEW reference AS {body}")

    def _first(self, view: KnownView, *, repeats: bool) -> str:
        """The SELECT that keeps the first row of each id."""
        known = self.known(view)
        if not repeats or known is None or known.repeated is None or not self._excepted(view):
            return once(f"all_{view}", repeats=repeats)
        # a few exceptions in a table instead of a window that sorts all rows in every query
        place = "row_number() OVER (PARTITION BY id ORDER BY ts, file, row)"
        again = self._again(f"all_{view}", known.repeated)
        text = f"SELECT file, row FROM (SELECT file, row, {place} AS place FROM {again.text}) WHERE place > 1"
        self.engine.put(f"repeated_{view}", self.engine.query(text, tables=again.tables))
        return (
            f"SELECT * FROM all_{view} AS everything WHERE NOT EXISTS (SELECT 1 FROM repeated_{view} AS repeated "
            "WHERE repeated.row = everything.row AND repeated.file = everything.file)"
        )

    def _excepted(self, view: KnownView) -> bool:
        """Whether repeated rows are kept out by a list of them: not in text logs, whose rows have no number at hand."""
        known = self.known(view)
        feed = self.feeds["predictions" if view == "splits" else view]
        return known is not None and bool(known.repeated) and not any(group.text for group in feed.groups)

    def _segment(self, name: str) -> Segment:
        column = typed.column(name)
        view = "reference" if "reference" in self.sources else "predictions"
        if is_numeric(self.types[name]):
            text = (
                "SELECT quantile_disc(value, [0.25, 0.5, 0.75]) AS edges FROM "
                f"(SELECT CAST({column} AS DOUBLE) AS value FROM {view}) WHERE isfinite(value)"
            )
            feed = view if view in self.feeds else "predictions"
            row = remembered(self, "quartiles", text, (feed,)).to_pylist()[0]
            return Segment(name, column, edges=tuple(sorted(set(row["edges"] or ()))))
        known = self.known("predictions")
        if known is not None and not known.repeated and known.repeated is not None:
            counts = known.values.get(name)
            if counts is not None:
                most = sorted(counts, key=lambda value: (-counts[value], value))
                return Segment(
                    name, column, kept=tuple(most[:SEGMENT_VALUES]) if len(most) > SEGMENT_VALUES else None
                )
        values = self.engine.query(
            f"SELECT CAST({column} AS VARCHAR) AS value FROM predictions WHERE {column} IS NOT NULL "
            f"GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {SEGMENT_VALUES + 1}"
        ).to_pylist()
        kept = tuple(row["value"] for row in values[:SEGMENT_VALUES])
        return Segment(name, column, kept=kept if len(values) > SEGMENT_VALUES else None)


def _not_one(feed: Feed) -> str:
    reasons = "; ".join(f"{path.name}: {reason}" for path, reason in list(feed.damaged.items())[:3])
    return f"not one of {len(feed.damaged)} files can be read ({reasons})"


def once(view: str, *, repeats: bool) -> str:
    """The SELECT that keeps the first row of each id of a view."""
    if not repeats:
        return f"SELECT * FROM {view}"
    # the first by timestamp, then file, then row is kept
    order = "row_number() OVER (PARTITION BY id ORDER BY ts, file, row) = 1"
    return f"SELECT * FROM {view} QUALIFY id IS NULL OR {order}"


def _both(project: Project) -> tuple[datetime, datetime]:
    reference = project.reference
    if reference is None or reference.start is None or reference.end is None:
        raise ProjectError(f"{project.file}: reference: needs start and end")
    return project.instant(reference.start), project.instant(reference.end)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
