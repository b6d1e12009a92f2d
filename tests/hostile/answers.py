"""Every question a workbench answers, and small projects with whatever a log may hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.results import Results
from analytics.scope import Scope
from analytics.store import open_store
from analytics.workbench import Workbench
from tests.ask.projects import times, write_project
from tests.hostile.incident_answers import INCIDENT_QUESTIONS, declared_sections

Question = Callable[[Workbench, Scope], Any]


def _first_field(bench: Workbench, scope: Scope) -> str:
    return next(row.feature for row in bench.features(scope))


def _first_row(bench: Workbench, scope: Scope) -> str:
    row = bench.examples(scope, "random", k=1)
    return f"{row[0].file}:{row[0].row}" if row else "nothing:1"


def _points_and_clusters(bench: Workbench, scope: Scope) -> Any:
    found = bench.error_points(scope)
    return found.points, found.clusters


def _one_row(bench: Workbench, scope: Scope) -> Any:
    card = bench.row(scope, key=_first_row(bench, scope))
    return card.row, card.versions, card.features, card.history


QUESTIONS: dict[str, Question] = {
    "quality": lambda bench, scope: bench.quality(scope),
    "confusion": lambda bench, scope: bench.confusion(scope),
    "roc": lambda bench, scope: bench.roc(scope),
    "calibration": lambda bench, scope: bench.calibration(scope),
    "calibration_tests": lambda bench, scope: bench.calibration_tests(scope),
    "deciles": lambda bench, scope: bench.deciles(scope),
    "recalibration": lambda bench, scope: bench.recalibration(scope),
    "mix": lambda bench, scope: bench.mix(scope),
    "baselines": lambda bench, scope: bench.baselines(scope),
    "score_histogram": lambda bench, scope: bench.score_histogram(scope),
    "pairs": lambda bench, scope: bench.pairs(scope),
    "segments": lambda bench, scope: bench.segments(scope),
    "gaps": lambda bench, scope: bench.gaps(scope),
    "splits": lambda bench, scope: bench.splits(scope),
    "unlike": lambda bench, scope: bench.unlike(scope),
    "estimate": lambda bench, scope: bench.estimate(scope),
    "drift": lambda bench, scope: bench.drift(scope),
    "drift_previous": lambda bench, scope: bench.drift(replace(scope, grain="week"), "previous"),
    "drift_last_week": lambda bench, scope: bench.drift(replace(scope, grain="day"), "last-week"),
    "false_alarms": lambda bench, scope: bench.false_alarms(scope),
    "features": lambda bench, scope: bench.features(scope),
    "features_reference": lambda bench, scope: bench.features(scope, source="reference"),
    "features_by_label": lambda bench, scope: bench.features(scope, "label"),
    "features_by_decision": lambda bench, scope: bench.features(scope, "decision"),
    "features_by_outcome": lambda bench, scope: bench.features(scope, "outcome"),
    "multivariate": lambda bench, scope: bench.multivariate(scope),
    "carriers": lambda bench, scope: bench.carriers(scope),
    "newest": lambda bench, scope: bench.newest(scope, 5),
    "profile": lambda bench, scope: bench.profile(scope),
    "damage": lambda bench, scope: bench.damage(scope),
    "distribution": lambda bench, scope: bench.distribution(_first_field(bench, scope), scope),
    "histogram": lambda bench, scope: bench.histogram(_first_field(bench, scope), scope),
    "examples": lambda bench, scope: bench.examples(scope, k=5),
    "examples_spread": lambda bench, scope: bench.examples(scope, "random", k=5),
    "examples_disagreeing": lambda bench, scope: bench.examples(scope, "disagreeing", k=5, diverse=True),
    "examples_suspected": lambda bench, scope: bench.examples(scope, "suspected-labels", k=5),
    "examples_unlike": lambda bench, scope: bench.examples(scope, "unlike", k=5, diverse=True),
    "error_points": _points_and_clusters,
    "row": _one_row,
    "neighbours": lambda bench, scope: bench.neighbours(scope, key=_first_row(bench, scope), k=3),
    "labels": lambda bench, scope: bench.labels(scope),
    "label_delay": lambda bench, scope: bench.label_delay(scope),
    "label_coverage": lambda bench, scope: bench.label_coverage(scope),
    "label_sources": lambda bench, scope: bench.label_sources(scope),
    "label_changes": lambda bench, scope: bench.label_changes(scope),
    "label_feed": lambda bench, scope: bench.label_feed(scope),
    "label_weighted": lambda bench, scope: bench.label_weighted(scope),
    "thresholds": lambda bench, scope: bench.thresholds(scope),
    "threshold_curve": lambda bench, scope: bench.threshold_curve(scope),
    "gain": lambda bench, scope: bench.gain(scope),
    "coverage": lambda bench, scope: bench.coverage(scope),
    "changes": lambda bench, scope: bench.changes(scope),
    "ageing": lambda bench, scope: bench.ageing(scope),
    "releases": lambda bench, scope: bench.releases(scope),
    "service": lambda bench, scope: bench.service(scope),
    "service_errors": lambda bench, scope: bench.service_errors(scope),
    "telemetry": lambda bench, scope: bench.telemetry(),  # noqa: ARG005  # a question like the others
    **INCIDENT_QUESTIONS,
}
"""Word -> the question, put to a workbench with a scope."""


def parts(answer: Any) -> Iterator[Results[Any]]:
    """The results inside an answer."""
    if isinstance(answer, Results):
        yield answer
    else:
        for part in answer:
            yield from parts(part)


ODD = (
    "plain", "no_labels", "one_class", "one_row", "one_day", "constant_score", "all_missing", "weights",
    "categories", "bare", "no_decision",
)  # fmt: skip
"""What may be odd about the logs of `project_of`."""
CLASSES = ("A", "B", "C")


def logged(task: str, odd: str = "plain", n: int = 240, days: int = 16) -> pd.DataFrame:
    """Rows of a model with two versions, two segments, units, weights, a text and an embedding column."""
    n = 1 if odd == "one_row" else n
    days = 1 if odd == "one_day" else days
    rng = np.random.default_rng(5)
    size = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "ts": times(n, days),
            "id": [f"id{place}" for place in range(n)],
            "size": size,
            "kind": rng.choice(["red", "green", "blue"], n),
            "site": rng.choice(["north", "south"], n),
            "part": rng.choice(["train", "test", "production", "production"], n),
            "user": rng.choice([f"user{place}" for place in range(max(n // 4, 1))], n),
            "version": np.where(np.arange(n) % 3 == 0, "v1", "v2"),
            "request": [f"request{place // 2}" for place in range(n)],
            "held": rng.choice([1.0, 2.0], n),
            "note": rng.choice(["a short note", "another longer note here", "nothing"], n),
            "vector": [list(map(float, row)) for row in rng.normal(size=(n, 3))],
            "moved": rng.normal(size=n),
        }
    )
    served = np.random.default_rng(8)
    frame["ms"] = served.gamma(3, 20, n).round(1)
    frame["status"] = served.choice(["ok", "ok", "ok", "timeout"], n)
    chance = 1 / (1 + np.exp(-size))
    match task:
        case "binary":
            frame["score"] = 0.5 if odd == "constant_score" else chance.round(3)
            frame["decision"] = (frame["score"] >= 0.5).astype(int)
            frame["label"] = 1 if odd == "one_class" else (rng.random(n) < chance).astype(int)
        case "multiclass":
            shares = rng.dirichlet([1.0, 1.0, 1.0], n)
            if odd == "constant_score":
                shares[:] = [0.5, 0.25, 0.25]
            for place, name in enumerate(CLASSES):
                frame[f"p_{name}"] = shares[:, place]
            frame["decision"] = np.array(CLASSES)[shares.argmax(axis=1)]
            true = [rng.choice(CLASSES, p=row) for row in shares]
            frame["label"] = "A" if odd == "one_class" else true
        case _:
            frame["score"] = 1.0 if odd == "constant_score" else size * 10
            frame["label"] = 3.0 if odd == "one_class" else size * 10 + rng.normal(size=n)
    if odd == "all_missing":
        frame["size"], frame["kind"] = np.nan, None
        frame["note"], frame["vector"] = None, None
    if odd == "categories":
        frame["kind"] = [f"kind {place}" for place in range(n)]
    if odd == "weights":
        frame["held"] = np.resize([0.0, -1.0, np.nan, np.inf, 1.0, 2.0, 1.5], n)
    return frame


def keys_of(task: str, odd: str = "plain") -> str:
    """The lines of [predictions] for `logged`."""
    score = (
        "{ " + ", ".join(f'{name} = "p_{name}"' for name in CLASSES) + " }"
        if task == "multiclass"
        else '"score"'
    )
    lines = [f'task = "{task}"', f"score = {score}"]
    if odd == "bare":
        return "\n".join([*lines, 'features = ["size"]', ""])
    lines += [
        'id = "id"', 'version = "version"', 'segments = ["site"]', 'unit = "user"', 'request = "request"',
        'weight = "held"', 'features = ["size", "kind"]', 'texts = ["note"]', 'embeddings = ["vector"]',
        'attributions = { size = "moved" }', 'latency = "ms"', 'status = "status"', 'ok_status = ["ok"]',
    ]  # fmt: skip
    if task != "regression" and odd != "no_decision":
        lines.append('decision = "decision"')
    return "\n".join([*lines, ""])


def feed_of(frame: pd.DataFrame, days: float = 2.0) -> pd.DataFrame:
    """Label reports some days after the predictions; some are taken back later, and nine tenths have any."""
    rng = np.random.default_rng(6)
    late = pd.to_timedelta(rng.exponential(days, len(frame)) * 86_400, unit="s").round("s")
    reports = pd.DataFrame(
        {"id": frame["id"], "label": frame["label"], "ts": frame["ts"] + late, "who": "user"}
    )
    kept = reports[rng.random(len(frame)) < 0.9]
    again = kept[rng.random(len(kept)) < 0.2].copy()
    again["ts"] += pd.Timedelta(days=3)
    again["label"] = kept["label"].to_numpy()[rng.permutation(len(kept))[: len(again)]]
    again["who"] = "expert"
    return pd.concat([kept, again], ignore_index=True)


SOURCES = '[labels]\npath = "labels.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "ts"\nsource = "who"\n'
REFERENCE = "[reference]\nstart = 2024-01-01\nend = 2024-01-06\n"
RELEASE = '[[releases]]\ntimestamp = 2024-01-09\nversion = "v2"\n'
COSTS = "[costs]\nfalse_negative = -3\nfalse_positive = -1\n"


def open_logs(
    folder: Path,
    frame: pd.DataFrame,
    keys: str,
    feed: pd.DataFrame | None = None,
    more: str = "",
    clock: str = "logs",
) -> Workbench:
    """A project of these rows and these label reports."""
    folder.mkdir(parents=True, exist_ok=True)
    more += declared_sections(keys, labels=feed is not None, reference="[reference]" in more)
    if feed is not None:
        feed.to_parquet(folder / "labels.parquet")
        more = SOURCES + more
    else:
        keys += 'label = "label"\n'
    write_project(folder, frame, keys, more).close()
    file = folder / "assay.toml"
    file.write_text(file.read_text().replace('name = "test"', f'name = "test"\nclock = "{clock}"', 1))
    return reopen(folder)


def reopen(folder: Path) -> Workbench:
    """The project of a folder, with a store that nobody else writes."""
    return Workbench(folder, open_store(str(folder / "store.sqlite")))


def gist(answer: Any) -> list[list[dict[str, Any]]]:
    """The records of every part of an answer; NaN and infinity raise."""
    found = [part.to_records() for part in parts(answer)]
    json.dumps(found, allow_nan=False)
    return found


def differences(one: Any, other: Any, place: str = "", tolerance: float = 1e-9) -> Iterator[str]:
    """Where two answers say different things."""
    if isinstance(one, float) and isinstance(other, float | int):
        if abs(one - other) > tolerance * max(1.0, abs(one)):
            yield f"{place}: {one} and {other}"
    elif isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, value in one.items():
            yield from differences(value, other[name], f"{place} {name}", tolerance)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, value in enumerate(one):
            yield from differences(value, other[index], f"{place}[{index}]", tolerance)
    elif one != other:
        yield f"{place}: {str(one)[:200]} and {str(other)[:200]}"
