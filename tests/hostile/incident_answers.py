"""Every question of the path from an alert to its cause, with the sections of a project file that they need."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from analytics.alerts.addresses import find_addresses
from analytics.alerts.deliver import would_tell
from analytics.alerts.messages import Place
from analytics.alerts.rows import Transition
from analytics.ask.review import Ask
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.exporter.collect import project_samples
from app.watching import look_at

Question = Callable[[Workbench, Scope], Any]

RULES = """
[alerts.fixed]
metric = "mean_score"
above = 0.1
by = ["site"]
[alerts.worse]
metric = "mean_score"
worse_than_reference_by = 0.0
[alerts.changed]
metric = "accuracy"
changed_from_previous = true
for = 2
[alerts.last_week]
metric = "request_rate"
changed_from_last_week = true
[alerts.odd]
metric = "request_rate"
anomaly = true
window = "6 hours"
[alerts.silent]
no_data = "3 hours"
[alerts.no_labels]
labels_stopped = true
[alerts.late]
metric = "label_delay_p50"
above = 0.1
window = "7 days"
[alerts.burning]
burn = "right"
[alerts.drifts]
metric = "psi"
feature = "size"
above = 0.0001
window = "7 days"
[alerts.broken]
metric = "in_range"
above = 0.0001
"""
REGRESSION = (
    ("log_loss", "mean_absolute_error"),
    ("accuracy", "mean_error"),
    ("mean_score", "mean_prediction"),
)
"""What rules of a regression look at instead."""
DECLARED = """
[objectives.right]
good = "score > 0.3"
share = 0.9
minimum_events = 5
[assertions.in_range]
expect = "score BETWEEN 0.2 AND 0.8"
[assertions.few_of_one]
expect = "count(*) <= 1"
within = ["request"]
[[chaos]]
name = "broken on purpose"
start = 2024-01-08
end = 2024-01-10
metric = "accuracy"
expect = "unharmed"
"""


def declared_sections(keys: str, *, labels: bool, reference: bool) -> str:
    """Rules, objectives, assertions and a chaos window for logs with these keys of [predictions]."""
    found = RULES + DECLARED
    for name, there in (("no_labels", labels), ("worse", reference), ("drifts", reference)):
        if not there:
            before, _, after = found.partition(f"[alerts.{name}]\n")
            found = before + after[after.index("[") :]
    segments = re.search(r"^segments = (.*)$", keys, re.MULTILINE)
    by = "" if segments is None else f"by = [{json.dumps(json.loads(segments[1])[0])}]\n"
    found = found.replace('by = ["site"]\n', by)
    if '"multiclass"' in keys:
        found = found.replace('metric = "mean_score"', 'metric = "mean_score"\nclass = "B"')
        found = found.replace("score > 0.3", "p_B > 0.3").replace("score BETWEEN", "p_B BETWEEN")
    if '"regression"' in keys:
        for old, new in REGRESSION:
            found = found.replace(f'"{old}"', f'"{new}"')
    elif "decision" not in keys:
        found = found.replace('"accuracy"', '"roc_auc"')
    return found


@dataclass(frozen=True)
class Change:
    """A change of state of an alert, as a flat row."""

    alert: str
    at: datetime
    segment_value: str | None
    version: str | None
    before: str
    after: str

    @classmethod
    def of(cls, one: Transition) -> Change:
        """One of the history."""
        return cls(one.alert, one.at, one.target.segment_value, one.target.version, one.before, one.state)


def _at(scope: Scope) -> datetime | None:
    return scope.as_of or scope.end


def _kept(rows: Iterable[Any], bench: Workbench) -> Results[Any]:
    return Results(tuple(rows), bench.project.zone)


def _sample_row(bench: Workbench, scope: Scope) -> str:
    found = bench.examples(scope, "random", k=1)
    return str(found[0].id) if found and found[0].id is not None else "nothing"


def _pinned(bench: Workbench, scope: Scope) -> Any:
    bench.pin("a set", _sample_row(bench, scope), by="me", note="=why", scope=scope)
    found = bench.pinned(scope)
    # kept now, whatever the logs say
    rows = tuple(replace(row, pinned_at=None) for row in found)
    return replace(found, rows=rows), bench.regression(scope)


def _queue(bench: Workbench, scope: Scope) -> Any:
    asked = Ask("a queue", k=8, audit=True, token="once")
    return bench.draw_queue(scope, asked=asked), bench.reviewed(scope), bench.agreement(scope)


def _error_model(bench: Workbench, scope: Scope) -> Any:
    found = bench.error_model(scope)
    # how long a row takes is measured anew each time
    models = tuple(replace(row, microseconds=None) for row in found.models)
    return replace(found.models, rows=models), found.carriers, found.filters, found.bins


def _messages(bench: Workbench, scope: Scope) -> Any:
    del scope
    place = Place(bench.project.name, bench.project.zone, "https://assay.example")
    drafts = would_tell(bench.store, look_at(bench, bench.store), place, find_addresses({}))
    return _kept(drafts, bench)


INCIDENT_QUESTIONS: dict[str, Question] = {
    "check": lambda bench, scope: bench.check(at=_at(scope)),
    "incidents": lambda bench, scope: bench.incidents(at=_at(scope)),
    "alert_history": lambda bench, scope: _kept(map(Change.of, bench.alert_history(end=_at(scope))), bench),
    "tail": lambda bench, scope: bench.tail(scope),
    "series": lambda bench, scope: bench.series(scope),
    "objectives": lambda bench, scope: bench.objectives(scope),
    "assertions": lambda bench, scope: bench.assertions(scope),
    "broken": lambda bench, scope: bench.broken(scope),
    "explain": lambda bench, scope: bench.explain(scope),
    "explain_week": lambda bench, scope: bench.explain(
        replace(scope, start=datetime(2024, 1, 8, tzinfo=UTC), end=datetime(2024, 1, 12, tzinfo=UTC))
    ),
    "causes": lambda bench, scope: bench.causes(scope),
    "moved": lambda bench, scope: bench.moved(scope),
    "moved_week": lambda bench, scope: bench.moved(
        replace(scope, start=datetime(2024, 1, 8, tzinfo=UTC), end=datetime(2024, 1, 12, tzinfo=UTC))
    ),
    "first": lambda bench, scope: bench.first(scope, 4),
    "slices": lambda bench, scope: bench.slices(scope, support=0.05),
    "slice_compare": lambda bench, scope: bench.slice_compare(scope, bench.segment_values(1)[:1]),
    "slice_trend": lambda bench, scope: bench.slice_trend(scope, bench.segment_values(1)[:1]),
    "error_map": lambda bench, scope: bench.error_map(scope),
    "error_tree": lambda bench, scope: bench.error_tree(scope),
    "error_model": _error_model,
    "pinned": _pinned,
    "queue": _queue,
    "backtest": lambda bench, scope: bench.backtest(scope, name="fixed", pages_per_month=2),
    "backtest_worse": lambda bench, scope: bench.backtest(scope, name="worse", pages_per_month=1),
    "chaos": lambda bench, scope: bench.chaos(scope),
    "messages": _messages,
    "exporter": lambda bench, scope: _kept(project_samples(bench), bench),  # noqa: ARG005
}
"""Word -> the question, put to a workbench with a scope."""


def is_spared(question: str, *, asked: bool) -> bool:
    """Whether these logs are spared a costly question: few logs are asked all of them."""
    return question in INCIDENT_QUESTIONS and not asked
