"""The same answers from the peers, side by side in one run: seconds of computing, and memory.

``python -m benchmarks.peers_monitoring --evidently PYTHON --nannyml PYTHON --tea-tasting PYTHON`` prints the tables of
docs/performance.md, which says how their environments are made. PYTHON is the interpreter of an environment that has
the peer (they need other versions of pandas and DuckDB than Assay); a peer without one is left out, with a word why.

What is timed is computing alone. The peers get a data frame that is in memory, with every prediction's label beside it:
imports, reading, that join, and a first call on a few rows with its lazy imports are left out. Assay, which has been
asked the same of a small project before, is timed from opening the Parquet files on: reading them, joining labels and
looking for duplicates are in its time. It is asked once with nothing stored, and once after `assay aggregate`, which is
timed as well. Every turn of every tool is a process of its own; the tools take turns. What a tool's imports and earlier
calls left in memory is not searched for garbage again while it is timed, as `assay serve` does.
"""

# ruff: noqa: PLC0415 - each tool is imported in its own environment only
from __future__ import annotations

import argparse
import gc
import json
import math
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SILENT = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""The peers would report their use elsewhere."""
NUMERIC = [f"n{i:02d}" for i in range(15)]
CATEGORICAL = [f"c{i}" for i in range(5)]
CUT = 0.300005
"""The logs decide above .3, of scores with five digits."""
ROWS, UNITS = 1_000_000, 2_000_000
"""Predictions, and units of the experiment, each with five events."""
FOLDERS = {"evidently": "evidently", "nannyml": "nannyml", "tea-tasting": "tea"}
"""Where `make bench` looks for each peer's environment, below ``peers``."""
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
covariate = "14 days"
"""
Line = dict[str, Any]
Answers = dict[str, float | None]


class Taken:
    """What one process has to say: a line for each task."""

    def __init__(self, tool: str) -> None:
        self.tool = tool

    def line(self, task: str, call: Callable[[], Any], told: Callable[[Any], Answers]) -> Line:
        """Seconds by the clock and of all processors, answers, and the most memory the process has held until now."""
        gc.collect()
        gc.freeze()
        began, busy = time.perf_counter(), time.process_time()
        found = call()
        seconds, processor = time.perf_counter() - began, time.process_time() - busy
        return {
            "tool": self.tool, "task": task, "seconds": seconds, "processor": processor,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "answers": told(found),
        }  # fmt: skip


# --- Evidently


def evidently(folder: Path) -> Iterator[Line]:
    """The two presets on the whole log against the reference."""
    import pandas as pd
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset, DataDriftPreset

    taken = Taken("evidently")
    both = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("current", "reference")}
    # it takes no labels of two types, and a column with missing labels is one of floats
    labelled = {name: frame.dropna(subset=["label"]).astype({"label": int}) for name, frame in both.items()}
    drift = DataDefinition(numerical_columns=[*NUMERIC, "score"], categorical_columns=CATEGORICAL)
    # labels and probabilities both: it decides anew at the threshold, so the logs' own threshold is named
    classes = BinaryClassification(
        target="label", prediction_labels="decision", prediction_probas="score", pos_label=1
    )
    quality = DataDefinition(classification=[classes])

    def sides(definition: Any, columns: list[str], rows: int | None) -> list[Any]:
        frames = labelled if "label" in columns else both
        return [
            Dataset.from_pandas(one[columns][:rows], data_definition=definition) for one in frames.values()
        ]

    of = (("drift", DataDriftPreset(), drift, [*NUMERIC, *CATEGORICAL, "score"]),
          ("quality", ClassificationPreset(probas_threshold=CUT), quality, ["label", "decision", "score"]))  # fmt: skip
    for task, preset, definition, columns in of:
        Report([preset]).run(*sides(definition, columns, WARM))
        given = sides(definition, columns, None)
        yield taken.line(
            task,
            partial(Report([preset]).run, *given),
            lambda found, task=task: _of_evidently(task, found.dict()["metrics"]),
        )


def _of_evidently(task: str, metrics: list[dict[str, Any]]) -> Answers:
    if task == "drift":
        found: Answers = {}
        for metric in metrics:
            column, value = metric["config"].get("column"), metric["value"]
            if column is None:
                found["fields that drifted"] = float(value["count"])
            elif column in CATEGORICAL:
                # of natural logarithms, where the others are of logarithms to base 2
                found[f"Jensen-Shannon {column}"] = float(value) / math.log(2) ** 0.5
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
    by_day = {"timestamp_column_name": "ts", "chunk_period": "D"}
    classes = {
        "metrics": metrics, "problem_type": "classification_binary", **by_day,
        "y_true": "label", "y_pred": "decision", "y_pred_proba": "score",
    }  # fmt: skip

    def drift() -> Any:
        return nml.UnivariateDriftCalculator(
            column_names=[*NUMERIC, *CATEGORICAL, "score"], treat_as_categorical=CATEGORICAL,
            continuous_methods=["kolmogorov_smirnov"], categorical_methods=["jensen_shannon"], **by_day,
        )  # fmt: skip

    def compute(made: Callable[[], Any], reference: Any, current: Any) -> Any:
        tool = made()
        tool.fit(reference)
        result = tool.calculate(current) if hasattr(tool, "calculate") else tool.estimate(current)
        return result.filter(period="analysis").to_df()

    known = both["reference"].dropna(subset=["label"])
    for task, made, reference, current in (
        ("daily drift", drift, both["reference"], both["current"]),
        (
            "daily quality",
            lambda: nml.PerformanceCalculator(**classes),
            known,
            both["current"].dropna(subset=["label"]),
        ),
        ("daily estimate", lambda: nml.CBPE(**classes), known, both["current"].drop(columns="label")),
    ):
        # rows from all days, since it cuts the few as well by day
        few = (frame.iloc[:: len(frame) // WARM] for frame in (reference, current))
        compute(made, *few)
        call = partial(compute, made, reference, current)
        yield taken.line(task, call, partial(_of_nannyml, task))


def _of_nannyml(task: str, table: Any) -> Answers:
    """Means over the days of what Assay has as well."""
    if task == "daily drift":
        wanted = {
            ("Kolmogorov-Smirnov", name): (name, "kolmogorov_smirnov", "value")
            for name in [*NUMERIC, "score"]
        }
        wanted |= {("Jensen-Shannon", name): (name, "jensen_shannon", "value") for name in CATEGORICAL}
        return {f"{what} {name}": float(table[key].mean()) for (what, name), key in wanted.items()}
    return {
        name: float(table[(name, "value")].mean())
        for name in ("roc_auc", "f1", "precision", "recall", "accuracy")
    }


# --- tea-tasting


def tea_tasting(folder: Path) -> Iterator[Line]:
    """Three metrics of one experiment, and the same adjusted by two weeks before (CUPED), as its guide has it.

    Through Ibis on DuckDB, which adds up events by unit.
    """
    import ibis
    import tea_tasting as tt

    taken = Taken("tea-tasting")
    metrics = {
        "conversion": tt.Mean("bought"),
        "revenue": tt.Mean("revenue"),
        "amount_per_event": tt.RatioOfMeans("amount", "events"),
        "conversion, CUPED": tt.Mean("bought", "bought_before"),
        "revenue, CUPED": tt.Mean("revenue", "revenue_before"),
        "amount_per_event, CUPED": tt.RatioOfMeans("amount", "events", "amount_before", "events_before"),
    }
    sums = ", ".join(
        f"CAST(count(*) FILTER ({when} AND event = 'purchase') > 0 AS INTEGER) AS bought{ending}, "
        f"coalesce(sum(amount) FILTER ({when} AND event = 'purchase'), 0) AS revenue{ending}, "
        f"coalesce(sum(amount) FILTER ({when}), 0) AS amount{ending}, count(*) FILTER ({when}) AS events{ending}"
        for when, ending in (
            ("event.timestamp >= exposed", ""),
            ("event.timestamp < exposed AND event.timestamp >= exposed - INTERVAL 14 DAY", "_before"),
        )
    )

    def analyze(units: int) -> Any:
        connection = ibis.duckdb.connect()
        table = connection.sql(
            f"""
            SELECT variant, {sums}
            FROM (SELECT user_id, min(variant) AS variant, min(timestamp) AS exposed
                FROM read_parquet('{folder}/exposures.parquet') WHERE user_id < {units} GROUP BY user_id) AS unit
            LEFT JOIN read_parquet('{folder}/events.parquet') AS event USING (user_id)
            GROUP BY user_id, variant
            """
        )
        return tt.Experiment(**metrics).analyze(table, control="A")

    def told(found: Any) -> Answers:
        return {
            f"{name}: {what}": float(getattr(found[name], theirs))
            for name in metrics
            for what, theirs in (("difference", "effect_size"), ("p", "pvalue"))
        }

    analyze(WARM)
    yield taken.line("experiment", lambda: analyze(1 << 60), told)


# --- Assay


def assay(folder: Path, like: str) -> Iterator[Line]:
    """What a peer was asked, of a workbench opened anew; of the rows, or of what ASSAY_AGGREGATES holds."""
    sys.path.insert(0, str(ROOT))
    for _ in _asked(folder.with_name(f"{folder.name}-few"), like):
        pass
    yield from _asked(folder, like)


def building(folder: Path) -> Iterator[Line]:
    """What `assay aggregate` does, into the empty folder of ASSAY_AGGREGATES."""
    sys.path.insert(0, str(ROOT))
    from analytics.building.build import bring_up_to_date
    from analytics.project import read_project

    taken = Taken("assay")
    bring_up_to_date(read_project(folder.with_name(f"{folder.name}-few")))
    yield taken.line("build", lambda: bring_up_to_date(read_project(folder)), lambda _: {})


def _asked(folder: Path, like: str) -> Iterator[Line]:
    from analytics.workbench import open_workbench

    taken = Taken("assay")
    if like == "tea-tasting":
        yield taken.line("experiment", lambda: open_workbench(folder).scorecard(name="test"), _of_card)
        return
    bench = open_workbench(folder)
    yield taken.line("open", lambda: bench.catalog, lambda _: {})
    whole, daily = bench.scope(), bench.scope(grain="day")
    questions: dict[str, dict[str, tuple[Callable[[], Any], Callable[[Any], Answers]]]] = {
        "evidently": {
            "drift": (lambda: bench.drift(whole), _of_drift),
            "quality": (lambda: bench.quality(whole), _of_quality),
        },
        "nannyml": {
            "daily drift": (lambda: bench.drift(daily), _of_drift),
            "daily quality": (lambda: bench.quality(daily), _of_quality),
            "daily estimate": (lambda: bench.estimates(daily, methods=("cbpe",)).rows, _of_quality),
        },
    }
    for task, (call, told) in questions[like].items():
        yield taken.line(task, call, told)


def _of_drift(rows: Any) -> Answers:
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
    return {
        "fields that drifted": float(drifted),
        **{name: statistics.fmean(of) for name, of in found.items()},
    }


def _of_quality(rows: Any) -> Answers:
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.value is not None:
            found.setdefault(row.metric, []).append(row.value)
    return {name: statistics.fmean(of) for name, of in found.items()}


def _of_card(card: Any) -> Answers:
    found: Answers = {}
    for row in card.rows:
        ending = {"unadjusted": "", "cuped": ", CUPED"}.get(row.method)
        if ending is not None:
            name = f"{row.metric}{ending}"
            found |= {f"{name}: difference": row.difference, f"{name}: p": row.p_value}
    return found


# --- all of it

PEERS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "evidently": evidently, "nannyml": nannyml, "tea-tasting": tea_tasting,
}  # fmt: skip


def prepare(place: Path, rows: int) -> Path:
    """A project of one version over daily logs, a small one like it beside it, and the frames that the peers read."""
    import duckdb

    from benchmarks.data import make_daily_project

    for count, ending in ((WARM * 3, "-few"), (rows, "")):
        data = make_daily_project(place, count)
        folder = place / f"peers-{rows}{ending}"
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
    """An experiment with five events a unit, and a small one beside it."""
    from benchmarks.experiment_scan import write_shop

    for count, ending in ((WARM, "-few"), (units, "")):
        folder = place / f"peers-shop-{units}{ending}"
        write_shop(folder, count, 5)
        (folder / "assay.toml").write_text(SHOP, encoding="utf-8")
    return folder


def turn(folders: dict[str, Path], pythons: dict[str, str | None]) -> Iterator[tuple[str, str, Line]]:
    """One turn: (peer, who, line) of every peer that is there, and of Assay asked the same."""
    from benchmarks.peers import lines_of

    with (
        tempfile.TemporaryDirectory(prefix="assay-none-") as none,
        tempfile.TemporaryDirectory(prefix="assay-stored-") as stored,
    ):
        built = False
        for peer, python in pythons.items():
            words = ["--folder", str(folders[peer])]
            theirs = lines_of(__file__, peer, python, 1, SILENT, words)
            if not theirs:
                continue
            yield from ((peer, peer, line) for line in theirs)
            ways = {"rows": none, **({} if peer == "tea-tasting" else {"stored": stored})}
            for way, aggregates in ways.items():
                own = {"ASSAY_AGGREGATES": aggregates}
                if way == "stored" and not built:
                    yield from (
                        ("all", "build", line)
                        for line in lines_of(__file__, "build", sys.executable, 1, own, words)
                    )
                    built = True
                asked = lines_of(__file__, "assay", sys.executable, 1, own, [*words, "--like", peer])
                yield from ((peer, way, line) for line in asked)


def main() -> None:
    """One tool's lines as JSON, or the tables of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "assay-bench")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", metavar="PYTHON")
    parser.add_argument("--only", choices=("assay", "build", *PEERS))
    parser.add_argument("--like", choices=tuple(PEERS))
    parser.add_argument("--folder", type=Path)
    words = parser.parse_args()
    warnings.simplefilter("ignore")
    if words.only:
        ways = {**PEERS, "build": building, "assay": lambda folder: assay(folder, words.like)}
        for line in ways[words.only](words.folder):
            print(json.dumps(line, default=float), flush=True)
        return
    sys.path.insert(0, str(ROOT))
    pythons = {"evidently": words.evidently, "nannyml": words.nannyml, "tea-tasting": words.tea_tasting}
    logs = prepare(words.place, words.rows)
    folders = {"evidently": logs, "nannyml": logs, "tea-tasting": prepare_shop(words.place, words.units)}
    show([line for _ in range(words.runs) for line in turn(folders, pythons)])


def beside(runs: int = 1) -> None:
    """The tables of the peers whose environments lie in the folder ``peers``; of none where there is none."""
    place = Path(tempfile.gettempdir()) / "assay-bench"
    found = {peer: ROOT / "peers" / name / "bin" / "python" for peer, name in FOLDERS.items()}
    pythons = {peer: str(python) if python.exists() else None for peer, python in found.items()}
    logs = prepare(place, ROWS)
    folders = {"evidently": logs, "nannyml": logs, "tea-tasting": prepare_shop(place, UNITS)}
    show([line for _ in range(runs) for line in turn(folders, pythons)])


def show(found: list[tuple[str, str, Line]]) -> None:
    """Seconds and ratios, then how far the answers lie apart."""
    of: dict[tuple[str, str, str], list[Line]] = {}
    for peer, who, line in found:
        of.setdefault((peer, who, line["task"]), []).append(line)
    median = {key: {what: statistics.median(line[what] for line in lines) for what in ("seconds", "processor", "peak")}
              for key, lines in of.items()}  # fmt: skip
    print("| asked | who | seconds | processor seconds | memory |\n| --- | --- | --- | --- | --- |")
    for (peer, who, task), took in median.items():
        numbers = f"{took['seconds']:.2f} | {took['processor']:.2f} | {took['peak']:,.0f} MB"
        print(f"| {task} | {_name(peer, who)} | {numbers} |")
    print(
        "\n| all that the peer answers | seconds | processor seconds | against the peer |\n| --- | --- | --- | --- |"
    )
    for peer in PEERS:
        totals: dict[str, list[float]] = {}
        for (asked, who, _), took in median.items():
            if asked == peer:
                before = totals.get(who, [0.0, 0.0])
                totals[who] = [before[0] + took["seconds"], before[1] + took["processor"]]
        for who, (seconds, busy) in totals.items():
            ratios = (
                f"{totals[peer][0] / seconds:.1f} x as fast, {totals[peer][1] / busy:.1f} x by processors"
            )
            print(f"| {_name(peer, who)} | {seconds:.2f} | {busy:.2f} | {ratios} |")
    print("\n| answers | in common | farthest apart | where |\n| --- | --- | --- | --- |")
    for (peer, who, task), lines in of.items():
        theirs = of.get((peer, peer, task))
        if who == peer or theirs is None:
            continue
        mine, other = lines[0]["answers"], theirs[0]["answers"]
        apart = {name: abs(mine[name] - other[name]) for name in other if mine.get(name) is not None}
        worst = max(apart, key=lambda name: apart[name], default=None)
        if worst is not None:
            common = f"{len(apart)} of {len(other)} | {apart[worst]:.1e} | {worst}"
            print(f"| {task}, {_name(peer, who)} and {peer} | {common} |")


def _name(peer: str, who: str) -> str:
    known = {
        "rows": "Assay, from the rows",
        "stored": "Assay, from stored aggregates",
        "build": "Assay, building them",
    }
    return known.get(who, peer)


if __name__ == "__main__":
    main()
