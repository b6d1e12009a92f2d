"""How many planted wrong labels are among the first k that Assay suspects, on the flights logs.

    python -m benchmarks.label_errors

Of a seeded sample of 10,000 labelled rows of gbm-2013.03 (April to August) a twentieth of the labels is flipped at
random; five seeds. Beside it: the logged score alone, and the model of other days alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.rich_columns import LABELLED
from analytics.aggregates.samples import read_sample
from analytics.ask.samples import block_codes, feature_columns, numbers
from analytics.examples.suspected import folds_of, suspected_classes
from analytics.telemetry.rows import scoped_rows
from analytics.workbench import open_workbench

SHARE = 0.05
SEEDS = 5
FIRST = (20, 50, 100, 200)
Floats = NDArray[np.float64]


def main() -> None:
    """Print the share of planted flips among the first k."""
    bench = open_workbench("sample_logs/flights")
    catalog = bench.catalog
    scope = bench.scope(start="2013-04-01", end="2013-09-01", versions=["gbm-2013.03"])
    drawn = read_sample(
        catalog, scoped_rows(catalog, scope), 10_000, features=catalog.features, where=LABELLED
    )
    columns, blocks = feature_columns(catalog, drawn.table), block_codes(drawn.table)
    truth, score = numbers(drawn.table, "label").astype(np.int64), numbers(drawn.table, "score")
    fold, word = folds_of(blocks, drawn.table.column("unit").to_pylist())
    logged = np.column_stack([1 - score, score])
    nothing = np.full(logged.shape, 0.5)
    ways = {
        "both (Assay)": (columns, logged),
        "logged score alone": ({}, logged),
        "other days alone": (columns, nothing),
    }
    print(f"{drawn.n:,} rows, folds by {word}, {SHARE:.0%} of the labels flipped, {SEEDS} seeds")
    print(f"{'':20}" + "".join(f"  first {k:<4}" for k in FIRST))
    for name, (features, given) in ways.items():
        shares = np.zeros(len(FIRST))
        for seed in range(SEEDS):
            flipped = np.random.default_rng(seed).random(drawn.n) < SHARE
            found = suspected_classes(features, given, np.where(flipped, 1 - truth, truth), fold)
            places = [one.place for one in found]
            shares += [flipped[places[:k]].mean() for k in FIRST]
        print(f"{name:20}" + "".join(f"  {share:10.0%}" for share in shares / SEEDS))
    bench.close()


if __name__ == "__main__":
    main()
