"""Slice search against the bare scan of the same columns, and how often it finds what is not there."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from analytics.ask.slice_reading import Reading, read_for_slices
from analytics.ask.slices import slices_in
from analytics.workbench import Workbench, open_workbench
from app.locations import sample_logs
from benchmarks.data import make_project
from benchmarks.sections import bare_scan

ROWS = 1_000_000
RUNS = 200


def main(rows: int = ROWS, runs: int = RUNS) -> None:
    """Print the ratios, then the rates."""
    speed(rows)
    false_discoveries(runs)


def speed(rows: int = ROWS) -> None:
    """Processor seconds of one search over all rows, without versions and of one of two, against one scan of them."""
    for units in (0, 20_000):
        project = make_project(Path(tempfile.gettempdir()) / "assay-bench", rows, units=units)
        base = min(bare_scan(project) for _ in range(3))
        print(f"{rows:,} rows, 20 features, {units:,} units; bare scan {base:.2f} processor seconds")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("predictions", "labels", "reference"):
                (Path(folder) / name).symlink_to(project / name)
            text = (project / "assay.toml").read_text(encoding="utf-8").replace('version = "version"\n', "")
            (Path(folder) / "assay.toml").write_text(text, encoding="utf-8")
            _report("no version", open_workbench(folder), base)
        _report("one of two versions", open_workbench(project), base, versions=["v1"])


def _report(name: str, bench: Workbench, base: float, **words: list[str]) -> None:
    # the reference's bins are counted once and kept
    bench.slices(bench.scope(end="2026-01-08", **words))
    taken = []
    for day in (27, 28, 29):
        # another end asks anew, of the same rows
        scope = bench.scope(end=f"2026-12-{day}", **words)
        started = time.process_time()
        bench.slices(scope)
        taken.append(time.process_time() - started)
    print(f"   {name}: {min(taken):.2f} s, {min(taken) / base:.1f} x", flush=True)
    bench.close()


def false_discoveries(runs: int = RUNS) -> None:
    """Searches in which a slice is confirmed although there is none."""
    bench = open_workbench(sample_logs() / "flights")
    scope = bench.scope(start="2013-06-01", end="2013-09-01")
    reading = read_for_slices(bench.catalog, scope, "gbm-2013.03", "log_loss")
    if reading is None:
        raise ValueError("the sample logs are empty")
    rng = np.random.default_rng(7)
    rows = sum(_finds(reading, rng.permutation(reading.codes.value)) for _ in range(runs))
    print(f"losses permuted over rows: {rows} of {runs} searches confirm a slice")
    for name, split in (
        ("units and days", reading),
        ("units alone", _by_units(reading)),
        ("rows", _by_rows(reading)),
    ):
        found = sum(_finds(split, day_effects(reading, rng)) for _ in range(runs))
        print(f"days at odds with hours and carriers, halves of {name}: {found} of {runs}")
    bench.close()


def day_effects(reading: Reading, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Losses whose every day has whims of its own about single values; over many days no value is worse."""
    codes = reading.codes
    day = np.unique(codes.block, return_inverse=True)[1]
    value = rng.permutation(codes.value)
    for field in rng.choice(len(codes.fields), 6, replace=False):
        whims = rng.normal(scale=0.25, size=(int(day.max()) + 1, 256))
        value = value * np.exp(whims[day, codes.codes[field]])
    return np.asarray(value)


def _finds(reading: Reading, value: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    rows, _ = slices_in(replace(reading, codes=replace(reading.codes, value=value)), depth=2)
    return any(row.confirmed for row in rows)


def _by_units(reading: Reading) -> Reading:
    unit = reading.codes.unit
    if unit is None:
        return reading
    part = (1 + np.random.default_rng(1).permutation(int(unit.max()) + 1)[unit] % 2).astype(np.uint8)
    return replace(reading, codes=replace(reading.codes, part=part))


def _by_rows(reading: Reading) -> Reading:
    part = np.random.default_rng(2).integers(1, 3, len(reading.codes.value)).astype(np.uint8)
    return replace(reading, codes=replace(reading.codes, part=part))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
