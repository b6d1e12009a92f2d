"""All-feature drift against the bare scan of the same columns, and the other questions beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from analytics.aggregates.features import feature_histograms
from analytics.ask.drift import reference_of
from analytics.scope import Scope
from analytics.workbench import open_workbench
from benchmarks.data import CATEGORICAL, NUMERIC, make_project
from benchmarks.timing import line, medians


def main(rows: int = 1_000_000) -> None:
    """Print the ratios."""
    project = make_project(Path(tempfile.gettempdir()) / "assay-bench", rows)
    bench = open_workbench(project)
    catalog = bench.catalog
    files = [str(file.path) for name in ("predictions", "reference") for file in catalog.feeds[name].files]
    sums = ", ".join(
        [*(f"sum({name})" for name in NUMERIC), *(f"count({name})" for name in CATEGORICAL), "sum(score)"]
    )
    scan = duckdb.connect()

    def bare() -> None:
        for file in files:
            text = f"SELECT {sums}, count(ts), min(version), sum(decision) FROM read_parquet(?)"
            scan.execute(text, [file]).fetchall()

    bins = {version: reference_of(catalog, version)[0] for version in catalog.reference_versions}

    def counts() -> None:
        for version, own in bins.items():
            feature_histograms(catalog, Scope(), own, [version])

    def together() -> None:
        feature_histograms(catalog, Scope(), bins[catalog.reference_versions[0]], list(catalog.versions))

    scope, weekly = bench.scope(), bench.scope(grain="week")
    bench.drift(scope)  # reference bins are computed once, stored and left out
    taken = medians(
        {
            "bare scan": bare,
            "counts on bins, all rows on one version's": together,
            "counts on bins, each version on its own": counts,
            "drift": lambda: bench.drift(scope),
            "drift by week": lambda: bench.drift(weekly),
            "quality": lambda: bench.quality(scope),
            "quality by week": lambda: bench.quality(weekly),
            "segments": lambda: bench.segments(scope),
            "worst 20": lambda: bench.examples(scope, "worst", 20),
        },
        runs=3,
    )
    base = taken["bare scan"]
    print(
        f"{rows:,} predictions, {rows // 10:,} reference rows, 20 features, 2 versions; ratios to the bare scan"
    )
    for name, seconds in taken.items():
        print(line(name, seconds, base))


if __name__ == "__main__":
    main()
