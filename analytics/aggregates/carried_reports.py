"""Which days label files are about, told by the join that a first build makes anyway.

Looking for the rows of all reports is a join of every id with every id. A build joins rows with their labels as well:
where nothing is known yet and logs are not dense, it takes along which file each label is of, and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from analytics.aggregates.day_facts import (
    LATENESS,
    Facts,
    Labelled,
    Reports,
    Touched,
    keyed_files,
    prediction_days,
)
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import key_column

MOST_FILES = 2_000
"""With more label files than that, which of them a row's label is of costs more than it saves."""
PLACE = "report_place"
MOST_BESIDE = 500_000
"""Of denser logs reports of two weeks beside a batch cost more than looking for rows (at ten times as many: 73.5
processor seconds of a build instead of 70.5, on a quiet machine)."""
MOST_ABOUT_REFERENCE = 2_000_000
"""So many reports of files that are mostly about the reference are joined with every batch, and need no join of all."""


@dataclass
class CarriedReports:
    """What a first build finds out about label files on the way; `begin` says whether it can.

    Attributes:
        catalog: the project's views.
        facts: what is known so far: all of prediction files, of label files the days that were joined.
        files: label file -> its reports, and the days of the first and the last of them.
        everywhere: label files that are joined with every day, wherever in time their reports are.
        joined: days whose rows were joined with every report that may be about them.
    """

    catalog: Catalog
    facts: Facts
    files: dict[str, tuple[int, date, date]]
    everywhere: frozenset[str] = frozenset()
    joined: set[date] = field(default_factory=set)

    @classmethod
    def begin(cls, catalog: Catalog) -> CarriedReports | None:
        """Look at all files but for the rows that reports are about; None where these must be known beforehand."""
        if not _possible(catalog):
            return None
        keys = list(keyed_files(catalog, "labels"))
        predictions = prediction_days(catalog, keyed_files(catalog, "predictions"))
        reports = _reports(catalog, predictions)
        # files without a report are not among them, and touch nothing
        files = {
            key: (n, first, last)
            for _, first, last, counts in reports.batches(keys, at_once=1)
            for key, n in counts.items()
        }
        labels = {key: Labelled() for key in keys}
        a_day = sum(n for n, _, _ in files.values()) / max(
            len({d for days in predictions.values() for d in days}), 1
        )
        if a_day * LATENESS.days > MOST_BESIDE:
            return None
        reports.look_at_reference(keys, labels)
        facts = Facts(predictions, labels, {}, frozenset(keyed_files(catalog, "reference")))
        about = frozenset(key for key, (n, _, _) in files.items() if 2 * labels[key].reference > n)
        few = sum(files[key][0] for key in about) <= MOST_ABOUT_REFERENCE
        return cls(catalog, facts, files, about if few else frozenset())

    def near(self, days: Iterable[date]) -> list[str]:
        """The label files that reports about rows of some days are first looked for in."""
        wanted = list(days)
        return [
            key
            for key, (_, first, last) in self.files.items()
            if key in self.everywhere or any(first - LATENESS <= day <= last for day in wanted)
        ]

    def place(self) -> str:
        """SQL that numbers the file of a report, for the view of labels."""
        paths = [str(keyed_files(self.catalog, "labels")[key].path) for key in self.files]
        cases = " ".join(f"WHEN {literal(path)} THEN {place}" for place, path in enumerate(paths))
        return f"CASE file {cases} END AS {PLACE}"

    def note(self, rows: Sql, days: Sequence[date]) -> Facts:
        """Count what was joined with rows of some days, and say what is known now.

        Args:
            rows: all rows of these days, with `PLACE`, ``first_label_ts`` and the key of their day.
            days: those joined.
        """
        text = (
            f"SELECT {PLACE} AS place, {key_column('day')} AS day, count(*) AS n, "
            f"max(epoch_us(first_label_ts)) AS newest FROM ({rows.text}) WHERE {PLACE} IS NOT NULL GROUP BY 1, 2"
        )
        names = list(self.files)
        for row in self.catalog.engine.query(Sql(text, rows.parameters)).to_pylist():
            found = self.facts.labels[names[row["place"]]].days
            found[row["day"].date()] = Touched(row["n"], row["newest"])
        self.joined |= set(days)
        self.facts = Facts(self.facts.predictions, self.facts.labels, self.facts.mixed, self.facts.reference)
        return self.facts

    def finish(self) -> Facts:
        """Look everywhere for the rows of reports that were not found on the way, and say what is known then."""
        labels = dict(self.facts.labels)
        whole = self.joined >= set(self.facts.days)
        short = []
        for key, (n, _, _) in self.files.items():
            labels[key].missing = n - sum(one.rows for one in labels[key].days.values())
            if not whole or (labels[key].missing and key not in self.everywhere):
                short.append(key)
                labels[key] = Labelled(reference=labels[key].reference)
        if short:
            reports = _reports(self.catalog, self.facts.predictions)
            reports.look(short, list(self.facts.predictions), labels)
        self.facts = Facts(self.facts.predictions, labels, self.facts.mixed, self.facts.reference)
        return self.facts


def _reports(catalog: Catalog, predictions: dict[str, dict[date, Touched]]) -> Reports:
    return Reports(catalog, keyed_files(catalog, "predictions"), keyed_files(catalog, "labels"), predictions)


def _possible(catalog: Catalog) -> bool:
    if not catalog.has_label_feed or not isinstance(catalog.engine, DuckDBEngine):
        return False
    # of a reference that is a stretch of the logs, what it is depends on the labels of its days
    beside = catalog.project.reference is None or "reference" in catalog.feeds
    few = len(keyed_files(catalog, "labels")) <= MOST_FILES
    # a row then has one report at most, and a report one row: those joined are those found
    return beside and few and not catalog.duplicated and not catalog.relabelled
