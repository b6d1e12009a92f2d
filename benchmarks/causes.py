"""Does `assay causes` name what is at fault, and is it silent where nothing changed? ``python -m benchmarks.causes``.

Arguments: ``faults [SEVERITY …]`` (every kind, five seeds each), ``permuted [WINDOWS]``; both if left out. The flights
logs, windows of 7 days (of 1, 3 and 7 days where days are permuted). The numbers of docs/methods/causes.md.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from analytics.drills.copies import write_project_file
from analytics.drills.faults import Fault, Injector
from analytics.drills.kinds import FaultKind
from analytics.explain.rows import CauseRow
from analytics.scope import Scope
from analytics.workbench import Workbench

FLIGHTS = Path("sample_logs/flights/assay.toml")
DAYS = 7
SEEDS = 5
MIDDLE = 0.5
KINDS: tuple[FaultKind, ...] = (
    "labels_flipped", "feature_null", "feature_scaled", "feature_shifted", "feature_stale", "feature_swapped",
    "scores_biased", "scores_frozen", "labels_delayed", "requests_delayed", "traffic_lost", "traffic_doubled",
    "version_swapped", "burst",
)  # fmt: skip
TEN = frozenset(KINDS) - {"feature_swapped", "scores_frozen", "requests_delayed", "traffic_doubled"}
"""One kind of each line of issue 6, the first where it names two; all fourteen are measured."""
EXPECTED = {
    "labels_flipped": "labels", "scores_biased": "score", "scores_frozen": "score", "labels_delayed": "label_delay",
    "requests_delayed": "latency", "traffic_lost": "traffic", "traffic_doubled": "traffic",
    "version_swapped": "version", "burst": "burst",
}  # fmt: skip
WHERE = (
    (), (), (), ("carrier=EV",), ("carrier=UA",), ("carrier=B6",), ("carrier=DL",), ("origin=EWR",), ("origin=JFK",),
    ("origin=LGA",),
)  # fmt: skip
NUMBERS = (
    "hour", "distance", "temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "plane_age", "seats",
)  # fmt: skip
"""Those that most rows have and that are not 0 in most (wind_gust and precip are)."""
CHANGING = ("hour", "distance", "temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib")
"""Those that a unit does not have for ever: only these can be stale."""


@dataclass(frozen=True)
class Trial:
    """A planted fault and what was said of it."""

    fault: Fault
    rows: tuple[CauseRow, ...]
    right: bool
    seconds: float


def planned(kind: FaultKind, seed: int, severity: float) -> Fault:
    """A fault on a random day, in a random place, of a random feature."""
    random = np.random.default_rng([KINDS.index(kind), seed])
    zone = Workbench(FLIGHTS).project.zone
    first = datetime(2013, 4, 15, tzinfo=zone) + timedelta(days=int(random.integers(0, 240)))
    start, end = (moment.astimezone(UTC) for moment in (first, first + timedelta(days=DAYS)))
    where = WHERE[int(random.integers(0, len(WHERE)))]
    feature, other = None, None
    if kind.startswith("feature"):
        names = CHANGING if kind == "feature_stale" else NUMBERS
        feature = names[int(random.integers(0, len(names)))]
    if kind == "feature_swapped":
        other = [name for name in NUMBERS if name != feature][int(random.integers(0, len(NUMBERS) - 1))]
    return Fault(kind, severity, start, end, where=where, feature=feature, other=other, seed=seed)


def is_right(fault: Fault, row: CauseRow | None) -> bool:
    """The kind, the feature and the place."""
    if row is None:
        return False
    place = () if row.segment is None else (f"{row.segment}={row.segment_value}",)
    if fault.kind not in {"burst", "version_swapped"} and place != fault.where:
        return False
    if fault.kind.startswith("feature"):
        return row.kind == "feature" and row.name in {fault.feature, fault.other}
    return row.kind == EXPECTED[fault.kind]


def trials(severity: float, kinds: Sequence[FaultKind] = KINDS, seeds: int = SEEDS) -> Iterator[Trial]:
    """Plant, ask, compare."""
    with Injector(FLIGHTS) as injector:
        for kind in kinds:
            for seed in range(seeds):
                fault = planned(kind, seed, severity)
                folder = Path(tempfile.mkdtemp())
                try:
                    file, _ = injector.plant(fault, folder)
                    bench = Workbench(file)
                    began = time.process_time()
                    rows = bench.causes(Scope(start=fault.start, end=fault.end)).rows
                    spent = time.process_time() - began
                    bench.close()
                finally:
                    shutil.rmtree(folder)
                yield Trial(fault, rows, is_right(fault, rows[0] if rows else None), spent)


def faults(severities: Sequence[float]) -> None:
    """Print every trial that went wrong, and the table."""
    for severity in severities:
        right: dict[str, int] = dict.fromkeys(KINDS, 0)
        spent = []
        for trial in trials(severity):
            fault = trial.fault
            right[fault.kind] += trial.right
            spent.append(trial.seconds)
            if not trial.right:
                said = trial.rows[0].sentence if trial.rows else "silent"
                place = ", ".join(fault.where) or "everywhere"
                day = fault.start.date().isoformat()
                print(f"  {fault.kind} {fault.feature or ''} {place} {day}: {said}", flush=True)
        print(f"\n| severity {severity:g} | right in the first row, of {SEEDS} |\n| --- | --- |")
        for kind in KINDS:
            print(f"| {kind} | {right[kind]} |")
        ten = sum(right[kind] for kind in TEN)
        print(f"| ten kinds | {ten} of {SEEDS * len(TEN)} |")
        print(f"| all {len(KINDS)} | {sum(right.values())} of {SEEDS * len(KINDS)} |")
        print(f"median {np.median(spent):.1f} s of CPU a question\n", flush=True)


def permuted_project(seed: int, folder: Path) -> Path:
    """The flights logs with their days in random order: nothing changes over time."""
    random = np.random.default_rng(seed)
    days = [date(2013, 3, 1) + timedelta(days=i) for i in range(305)]
    moved = random.permutation(len(days))
    root = FLIGHTS.parent.resolve()
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'America/New_York'")
    engine.execute("CREATE TABLE moves (day DATE, shift INTEGER)")
    engine.executemany(
        "INSERT INTO moves VALUES (?, ?)", [(day, int(moved[i]) - i) for i, day in enumerate(days)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    shifted = "CAST(CAST({0} AS TIMESTAMP) + m.shift * INTERVAL 1 DAY AS TIMESTAMPTZ) AS {0}"
    rows = (
        f"SELECT p.* REPLACE ({shifted.format('timestamp')}), m.shift FROM "
        f"read_parquet('{root}/predictions/*.parquet') AS p JOIN moves AS m ON m.day = CAST(p.timestamp AS DATE)"
    )
    engine.execute(f"CREATE TABLE predictions AS {rows}")
    engine.execute(
        "COPY (SELECT * EXCLUDE shift FROM predictions ORDER BY timestamp) "
        f"TO '{folder}/predictions.parquet' (FORMAT parquet)"
    )
    engine.execute(
        f"COPY (SELECT l.* REPLACE ({shifted.format('label_timestamp')}) "
        f"FROM read_parquet('{root}/labels/*.parquet') AS l "
        "JOIN (SELECT prediction_id, shift FROM predictions) AS m USING (prediction_id)) "
        f"TO '{folder}/labels.parquet' (FORMAT parquet)"
    )
    engine.close()
    return write_project_file(
        FLIGHTS,
        folder / "project",
        {
            "predictions": {"path": [f"{folder}/predictions.parquet"]},
            "labels": {"path": [f"{folder}/labels.parquet"]},
        },
    )


def permuted(windows: int, lengths: Sequence[int] = (1, 3, 7)) -> None:
    """How many windows of logs whose days are permuted are told a cause."""
    claimed = dict.fromkeys(lengths, 0)
    of = dict.fromkeys(lengths, 0)
    each = 10
    for seed in range(-(-windows // each)):
        folder = Path(tempfile.mkdtemp())
        try:
            bench = Workbench(permuted_project(seed, folder))
            random = np.random.default_rng([7, seed])
            for length in lengths:
                for _ in range(each):
                    first = datetime(2013, 3, 1, tzinfo=bench.project.zone) + timedelta(
                        days=int(random.integers(75, 305 - length))
                    )
                    ends = (m.astimezone(UTC) for m in (first, first + timedelta(days=length)))
                    rows = bench.causes(Scope(*ends)).rows
                    of[length] += 1
                    claimed[length] += bool(rows)
                    if rows:
                        print(f"  {length} days: {rows[0].sentence} (p {rows[0].p_adjusted:.2g})", flush=True)
            bench.close()
        finally:
            shutil.rmtree(folder)
        print(
            " ".join(f"{length} days: {claimed[length]} of {of[length]} told a cause;" for length in lengths),
            flush=True,
        )


def main() -> None:
    """Both."""
    faults((MIDDLE,))
    permuted(100)


if __name__ == "__main__":
    asked = sys.argv[1:] or ["faults", "permuted"]
    if "faults" in asked:
        numbers = [float(text) for text in asked[asked.index("faults") + 1 :] if text[0].isdigit()]
        faults(numbers or (0.25, MIDDLE, 1.0))
    if "permuted" in asked:
        counts = [int(text) for text in asked[asked.index("permuted") + 1 :] if text.isdigit()]
        permuted(counts[0] if counts else 100)
