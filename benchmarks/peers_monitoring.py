"""The same answers from the peers, side by side in one run: seconds of computing, and memory.

``python -m benchmarks.peers_monitoring --evidently PYTHON --nannyml PYTHON --tea-tasting PYTHON`` prints the tables of
docs/performance.md, which says how their environments are made. PYTHON is the interpreter of an environment that has
the peer (they need other versions of pandas and DuckDB than Assay); a peer without one is left out, with a word why.

What is timed is computing alone. The peers get a data frame that is in memory, with every prediction's label beside it:
imports, reading, that join, and the first call with its lazy imports (on a few rows, before) are left out. Assay has no
such step to leave out: it is timed from the Parquet files on, reading, joining labels and looking for duplicates
included, once from the rows and once from the aggregates stored before, whose building is timed as well. Every turn is a process
of its own, the tools in turns.
"""

# ruff: noqa: PLC0415 - each tool is imported in its own environment only
from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SILENT = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""The peers would report their use elsewhere."""
NUMERIC = [f"n{i:02d}" for i in range(15)]
CATEGORICAL = [f"c{i}" for i in range(5)]
CUT = 0.3
"""The logs decide at this score."""
WARM = 3000
"""Rows of the call that is not counted."""
ONE_VERSION = """name = "Side by side"
[predictions]
path = "{data}/predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
decision = "decision"
features = [{features}]
[labels]
path = "{data}/labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
[reference]
path = "{data}/reference/*.parquet"
"""
SHOP = """name = "Side by side"
[exposures]
path = "exposures.parquet"
unit = "user_id"
variant = "variant"
timestamp = "timestamp"
[events]
path = "events.parquet"
unit = "user_id"
timestamp = "timestamp"
[metrics.conversion]
kind = "proportion"
value = "event = 'purchase'"
[metrics.revenue]
kind = "mean"
value = "CASE WHEN event = 'purchase' THEN amount ELSE 0 END"
[metrics.amount_per_event]
kind = "ratio"
numerator = "amount"
denominator = "1"
[experiments.test]
control = "A"
variants = { A = 0.5, B = 0.5 }
primary = ["conversion"]
secondary = ["revenue", "amount_per_event"]
"""
Line = dict[str, Any]


class Taken:
    """What one process has to say: a line for each task."""

    def __init__(self, tool: str) -> None:
        self.tool = tool

    def line(self, task: str, seconds: float, answers: dict[str, float | None]) -> Line:
        """Seconds, answers, and the most memory the process has held until now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"tool": self.tool, "task": task, "seconds": seconds, "peak": peak, "answers": answers}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


# --- Evidently


def evidently(folder: Path) -> Iterator[Line]:
    """The two presets on the whole log against the reference."""
    import pandas as pd
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset, DataDriftPreset

    taken = Taken("evidently")
    both = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("current", "reference")}
    drift = DataDefinition(numerical_columns=[*NUMERIC, "score"], categorical_columns=CATEGORICAL)
    # labels and probabilities both: it decides anew at the threshold, so the logs' own threshold is named
    classes = BinaryClassification(
        target="label", prediction_labels="decision", prediction_probas="score", pos_label=1
    )
    quality = DataDefinition(classification=[classes])

    def report(preset: Any, definition: Any, columns: list[str], rows: int | None) -> dict[str, Any]:
        sides = [
            Dataset.from_pandas(frame[columns].dropna(subset=need)[:rows], data_definition=definition)
            for frame in both.values()
            for need in [["label"] if "label" in columns else []]
        ]
        seconds, snapshot = timed(lambda: Report([preset]).run(*sides))
        return {"seconds": seconds, "metrics": snapshot.dict()["metrics"]}

    of = (("drift", DataDriftPreset(), drift, [*NUMERIC, *CATEGORICAL, "score"]),
          ("quality", ClassificationPreset(probas_threshold=CUT), quality, ["label", "decision", "score"]))  # fmt: skip
    for task, preset, definition, columns in of:
        report(preset, definition, columns, WARM)
        found = report(preset, definition, columns, None)
        yield taken.line(task, found["seconds"], _of_evidently(task, found["metrics"]))


def _of_evidently(task: str, metrics: list[dict[str, Any]]) -> dict[str, float | None]:
    if task == "drift":
        found: dict[str, float | None] = {}
        for metric in metrics:
            column, value = metric["config"].get("column"), metric["value"]
            if column is None:
                found["fields that drifted"] = float(value["count"])
            elif column in CATEGORICAL:
                # of natural logarithms
                found[f"Jensen-Shannon {column}"] = float(value)
        return found
    names = {"Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1Score": "f1",
             "RocAuc": "roc_auc", "LogLoss": "log_loss"}  # fmt: skip
    return {
        names[name]: float(metric["value"])
        for metric in metrics
        if (name := metric["metric_name"].partition("(")[0]) in names
    }


# --- NannyML


def nannyml(folder: Path) -> Iterator[Line]:
    """Drift of every feature by day, realised performance by day, and the estimate without labels by day."""
    import nannyml as nml
    import pandas as pd

    taken = Taken("nannyml")
    both = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "current")}
    metrics = ["roc_auc", "f1", "precision", "recall", "accuracy"]
    columns = {"y_true": "label", "y_pred": "decision", "y_pred_proba": "score"}

    def drift() -> Any:
        return nml.UnivariateDriftCalculator(
            column_names=[*NUMERIC, *CATEGORICAL, "score"], treat_as_categorical=CATEGORICAL, timestamp_column_name="ts",
            continuous_methods=["kolmogorov_smirnov"], categorical_methods=["jensen_shannon"], chunk_period="D",
        )  # fmt: skip

    def performance() -> Any:
        return nml.PerformanceCalculator(
            metrics=metrics, problem_type="classification_binary", timestamp_column_name="ts", chunk_period="D", **columns
        )

    def estimate() -> Any:
        return nml.CBPE(
            metrics=metrics, problem_type="classification_binary", timestamp_column_name="ts", chunk_period="D", **columns
        )

    def run(made: Callable[[], Any], labelled: bool, small: bool) -> tuple[float, Any]:
        reference, current = (
            (frame.iloc[:: max(len(frame) // WARM, 1)] if small else frame) for frame in (both["reference"], both["current"])
        )
        reference = reference.dropna(subset=["label"])
        current = current.dropna(subset=["label"]) if labelled else current.drop(columns="label")

        def compute() -> Any:
            tool = made()
            tool.fit(reference)
            result = tool.calculate(current) if hasattr(tool, "calculate") else tool.estimate(current)
            return result.filter(period="analysis")

        return timed(compute)

    for task, made, labelled in (("daily drift", drift, False), ("daily quality", performance, True),
                                 ("daily estimate", estimate, False)):  # fmt: skip
        run(made, labelled, small=True)
        seconds, found = run(made, labelled, small=False)
        yield taken.line(task, seconds, _of_nannyml(task, found.to_df()))


def _of_nannyml(task: str, table: Any) -> dict[str, float | None]:
    """Means over the days of what Assay has as well."""
    if task == "daily drift":
        wanted = {("Kolmogorov-Smirnov", name): (name, "kolmogorov_smirnov", "value") for name in [*NUMERIC, "score"]}
        wanted |= {("Jensen-Shannon", name): (name, "jensen_shannon", "value") for name in CATEGORICAL}
        # of logarithms to base 2
        natural = 0.6931471805599453**0.5
        return {
            f"{what} {name}": float(table[key].mean()) * (natural if what == "Jensen-Shannon" else 1.0)
            for (what, name), key in wanted.items()
        }
    return {name: float(table[(name, "value")].mean()) for name in ("roc_auc", "f1", "precision", "recall", "accuracy")}


# --- tea-tasting


def tea_tasting(folder: Path) -> Iterator[Line]:
    """Three metrics of one experiment through Ibis on DuckDB, as its guide has it; events are added up by unit there."""
    import ibis
    import tea_tasting as tt

    taken = Taken("tea-tasting")
    metrics = {
        "conversion": tt.Mean("bought"),
        "revenue": tt.Mean("revenue"),
        "amount_per_event": tt.RatioOfMeans("amount", "events"),
    }

    def analyze(some: str) -> Any:
        connection = ibis.duckdb.connect()
        table = connection.sql(
            f"""
            SELECT variant, CAST(count(event) FILTER (event = 'purchase') > 0 AS INTEGER) AS bought,
                coalesce(sum(amount) FILTER (event = 'purchase'), 0) AS revenue,
                coalesce(sum(amount), 0) AS amount, count(event) AS events
            FROM (SELECT user_id, min(variant) AS variant, min(timestamp) AS exposed
                FROM read_parquet('{folder}/exposures.parquet') {some} GROUP BY user_id) AS unit
            LEFT JOIN read_parquet('{folder}/events.parquet') AS event
                ON event.user_id = unit.user_id AND event.timestamp >= unit.exposed
            GROUP BY unit.user_id, variant
            """
        )
        return tt.Experiment(**metrics).analyze(table, control="A")

    analyze(f"LIMIT {WARM}")
    seconds, found = timed(lambda: analyze(""))
    answers = {f"{name}: {what}": float(getattr(found[name], theirs)) for name in metrics for what, theirs in
               (("difference", "effect_size"), ("p", "pvalue"))}  # fmt: skip
    yield taken.line("experiment", seconds, answers)


# --- Assay


def assay(folder: Path) -> Iterator[Line]:
    """The same questions of the workbench from the rows, nothing kept from before."""
    sys.path.insert(0, str(ROOT))
    os.environ["ASSAY_AGGREGATES"] = tempfile.mkdtemp(prefix="assay-none-")
    yield from _asked("assay, rows", folder)


def assay_stored(folder: Path) -> Iterator[Line]:
    """Building the stored aggregates, then the same questions of them in a workbench opened anew."""
    sys.path.insert(0, str(ROOT))
    os.environ["ASSAY_AGGREGATES"] = tempfile.mkdtemp(prefix="assay-stored-")
    taken = Taken("assay, stored")
    seconds, _ = timed(lambda: _build(folder))
    yield taken.line("build", seconds, {})
    yield from _asked("assay, stored", folder)


def _build(folder: Path) -> None:
    from app.cli import main as cli

    cli(["aggregate", "--project", str(folder)])


def _asked(tool: str, folder: Path) -> Iterator[Line]:
    from analytics.workbench import open_workbench

    taken = Taken(tool)
    if (folder / "events.parquet").exists():
        seconds, card = timed(lambda: open_workbench(folder).scorecard(name="test"))
        yield taken.line("experiment", seconds, _of_card(card))
        return
    seconds, bench = timed(lambda: _opened(open_workbench(folder)))
    yield taken.line("open", seconds, {})
    whole, daily = bench.scope(), bench.scope(grain="day")
    for task, call, told in (
        ("drift", lambda: bench.drift(whole), _of_drift),
        ("quality", lambda: bench.quality(whole), _of_quality),
        ("daily drift", lambda: bench.drift(daily), _of_drift),
        ("daily quality", lambda: bench.quality(daily), _of_quality),
        ("daily estimate", lambda: bench.estimates(daily, methods=("cbpe",)).rows, _of_quality),
    ):
        seconds, found = timed(call)
        yield taken.line(task, seconds, told(found))


def _opened(bench: Any) -> Any:
    bench.catalog  # noqa: B018 - opened when first asked for
    return bench


def _of_drift(rows: Any) -> dict[str, float | None]:
    found: dict[str, list[float]] = {}
    drifted = 0
    for row in rows:
        if row.role not in ("feature", "score") or row.psi is None:
            continue
        drifted += bool(row.drifted)
        if row.kind == "numeric":
            found.setdefault(f"Kolmogorov-Smirnov {row.feature}", []).append(row.ks)
        else:
            found.setdefault(f"Jensen-Shannon {row.feature}", []).append(row.js_distance)
    return {"fields that drifted": float(drifted), **{name: statistics.fmean(of) for name, of in found.items()}}


def _of_quality(rows: Any) -> dict[str, float | None]:
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.value is not None:
            found.setdefault(row.metric, []).append(row.value)
    return {name: statistics.fmean(of) for name, of in found.items()}


def _of_card(card: Any) -> dict[str, float | None]:
    found = {}
    for row in card.rows:
        if row.method == "unadjusted":
            found |= {f"{row.metric}: difference": row.difference, f"{row.metric}: p": row.p_value}
    return found


# --- all of it

TOOLS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "assay": assay, "assay-stored": assay_stored, "evidently": evidently, "nannyml": nannyml, "tea-tasting": tea_tasting,
}  # fmt: skip


def prepare(place: Path, rows: int) -> Path:
    """The logs, a project of one version over them, and the frames that the peers read."""
    import duckdb

    from benchmarks.data import make_daily_project

    data = make_daily_project(place, rows)
    folder = place / f"peers-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    features = ", ".join(f'"{name}"' for name in (*NUMERIC, *CATEGORICAL))
    (folder / "assay.toml").write_text(ONE_VERSION.format(data=data, features=features), encoding="utf-8")
    columns = ", ".join(["ts", "score", "decision", *NUMERIC, *CATEGORICAL])
    for name, kind in (("current", "predictions"), ("reference", "reference")):
        if not (folder / f"{name}.parquet").exists():
            duckdb.execute(
                f"COPY (SELECT {columns}, label FROM read_parquet('{data}/{kind}/*.parquet') "
                f"LEFT JOIN read_parquet('{data}/labels/*.parquet') USING (id) ORDER BY ts) "
                f"TO '{folder}/{name}.parquet' (COMPRESSION zstd)"
            )
    return folder


def prepare_shop(place: Path, units: int) -> Path:
    """An experiment with five events a unit."""
    from benchmarks.experiment_scan import _write

    folder = place / f"peers-shop-{units}"
    _write(folder, units, 5)
    (folder / "assay.toml").write_text(SHOP, encoding="utf-8")
    return folder


def main() -> None:
    """One tool's lines as JSON, or the tables of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=2_000_000)
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "assay-bench")
    for peer in ("evidently", "nannyml", "tea-tasting"):
        parser.add_argument(f"--{peer}", metavar="PYTHON")
    parser.add_argument("--only", choices=tuple(TOOLS))
    parser.add_argument("--folder", type=Path)
    words = parser.parse_args()
    warnings.simplefilter("ignore")
    if words.only:
        for line in TOOLS[words.only](words.folder):
            print(json.dumps(line, default=float), flush=True)
        return
    raise SystemExit("not yet")


if __name__ == "__main__":
    main()
