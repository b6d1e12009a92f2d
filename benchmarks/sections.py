"""What every section of a page costs: processor seconds of its questions, against the bare scan of the same columns.

Processor time of all threads, not the clock's: it says the same on a busy machine, or nearly so. Each question is asked
once, as a page asks it, for the version on screen.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from analytics.errors import AssayError
from analytics.scope import Scope
from analytics.workbench import Workbench, open_workbench
from app.locations import sample_logs
from app.parts.view import live_version
from benchmarks.data import CATEGORICAL, NUMERIC, make_project

ROWS, UNITS = 1_000_000, 20_000
Question = tuple[str, str, Mapping[str, Any]]
"""A method of the workbench; what of (every version, one, or one by week); and what it takes besides."""

SECTIONS: dict[str, tuple[Question, ...]] = {
    "quality: always": (("quality", "every", {}), ("quality", "weekly", {})),
    "quality: how good": (
        ("quality", "every weekly", {}), ("roc", "every", {}), ("calibration", "every", {}),
        ("confusion", "one", {}), ("score_histogram", "one", {}),
    ),
    "quality: calibration": (
        ("calibration_tests", "every", {}), ("calibration_tests", "every weekly", {}),
        ("recalibration", "every", {}), ("mix", "one", {}), ("baselines", "one", {}),
    ),
    "quality: populations": (("gaps", "one", {}), ("unlike", "one", {}), ("unlike", "weekly", {})),
    "quality: decisions": (
        ("thresholds", "one", {}), ("threshold_curve", "one", {"goal": "precision=0.8"}), ("gain", "one", {}),
        ("coverage", "one", {}),
    ),
    "quality: before labels": (("estimates", "weekly", {}),),
    "quality: releases and age": (("releases", "every", {}), ("ageing", "every", {})),
    "drift: feature by feature": (("drift", "one", {}), ("drift", "weekly", {})),
    "drift: since when": (("changes", "one", {}),),
    "drift: all at once": (
        ("multivariate", "one", {}), ("carriers", "one", {}), ("newest", "one", {}),
        ("multivariate", "weekly", {"rich": False}),
    ),
    "drift: does it matter": (("damage", "one", {}),),
    "labels": (
        ("labels", "one", {}), ("labels", "weekly", {}), ("label_feed", "one", {}), ("label_delay", "one", {}),
        ("label_weighted", "weekly", {}), ("label_coverage", "one", {}), ("label_changes", "weekly", {}),
    ),
    "features": (("features", "one", {}), ("features", "one", {"split": "outcome"})),
}  # fmt: skip
"""What the sections of the pages ask."""

EXPERIMENT: dict[str, tuple[str, ...]] = {
    "scorecard": ("scorecard", "exposure_states"),
    "one metric": ("days", "experiment_methods", "funnel"),
    "trust": ("trust",),
    "in time": ("experiment_days", "experiment_looks"),
    "chances": ("experiment_chances",),
    "for whom": ("segment_effects",),
    "side by side": ("experiment_arms",),
    "plan": ("planned",),
}
"""What the sections of the Scorecard page, and the Plan page, ask about one experiment."""


def main() -> None:
    """Print the table for the sample logs and for a million rows."""
    report(open_workbench(sample_logs() / "flights"), None)
    project = make_project(Path(tempfile.gettempdir()) / "assay-bench", ROWS, units=UNITS)
    report(open_workbench(project), bare_scan(project))
    experiments()


def experiments() -> None:
    """Print the table of the sections about experiments."""
    for project in ("shop", "flights"):
        bench = open_workbench(sample_logs() / project)
        bench.telemetry()
        # what is imported on the way is no part of any of them
        bench.scorecard(name=bench.experiments[-1])
        report_experiments(bench, bench.experiments)


def report(bench: Workbench, base: float | None) -> None:
    """Processor seconds of every section of one project and, where the bare scan is known, how many of it."""
    version = live_version(bench)
    one = () if version is None else (version,)
    scopes = {
        "every": bench.scope(), "every weekly": bench.scope(grain="week"), "one": bench.scope(versions=one),
        "weekly": bench.scope(versions=one, grain="week"),
    }  # fmt: skip
    ratio = "" if base is None else f", bare scan {base:.2f} s"
    print(f"{bench.project.name}{ratio}; processor seconds")
    for section, questions in SECTIONS.items():
        taken = [(question, seconds_of(bench, question, scopes)) for question in questions]
        whole = sum(seconds for _, seconds in taken)
        slowest = max(taken, key=lambda pair: pair[1])
        times = "" if base is None else f"{whole / base:8.0f} x"
        what = f"{slowest[0][0]} {slowest[0][1]} {slowest[1]:.1f} s"
        print(f"{section:<28}{whole:8.1f} s{times}   most of it: {what}", flush=True)
    # the most there has been so far: of a second project it is its own only where that is larger
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB\n")


def report_experiments(bench: Workbench, names: tuple[str, ...]) -> None:
    """Processor seconds of every section of each experiment, on top of its scorecard, and of the Metrics page."""
    print(f"{bench.project.name}; processor seconds of every section about experiments")
    print(f"{'':<24}" + "".join(f"{section:>14}" for section in EXPERIMENT))
    for name in names:
        bench.catalog.answered.clear()
        taken = [sum(_about(bench, method, name) for method in methods) for methods in EXPERIMENT.values()]
        print(f"{name:<24}" + "".join(f"{seconds:>12.2f} s" for seconds in taken), flush=True)
    bench.catalog.answered.clear()
    whole = {"": bench.scope(grain="week")}
    for method in ("metrics", "metric_changes"):
        print(f"{method:<24}{seconds_of(bench, (method, '', {}), whole):>12.2f} s", flush=True)


def _about(bench: Workbench, method: str, name: str) -> float:
    """Processor seconds of one question about one experiment."""
    started = time.process_time()
    try:
        if method == "days":
            card = bench.scorecard(name=name)
            card.days_of(card.metrics[0].name)
        else:
            getattr(bench, method)(name=name)
    except AssayError as error:
        print(f"   {method} {name}: {error}")
    return time.process_time() - started


def seconds_of(bench: Workbench, question: Question, scopes: Mapping[str, Scope]) -> float:
    """Processor seconds of one question; one without an answer counts for what it took to say so."""
    name, about, words = question
    method: Callable[..., object] = getattr(bench, name)
    started = time.process_time()
    try:
        method(scopes[about], **words)
    except AssayError as error:
        print(f"   {name}: {error}")
    return time.process_time() - started


def bare_scan(project: Path) -> float:
    """Processor seconds of one query that sums and counts the same columns of the same files."""
    sums = ", ".join([*(f"sum({name})" for name in NUMERIC), *(f"count({name})" for name in CATEGORICAL)])
    files = [
        str(file) for name in ("predictions", "reference") for file in (project / name).glob("*.parquet")
    ]
    with duckdb.connect() as connection:
        text = f"SELECT {sums}, sum(score), count(ts), min(version), sum(decision) FROM read_parquet(?)"
        connection.execute(text, [files]).fetchall()
        started = time.process_time()
        connection.execute(text, [files]).fetchall()
        return time.process_time() - started


if __name__ == "__main__":
    main()
