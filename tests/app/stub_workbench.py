"""A workbench with made-up answers: what commands print does not depend on how numbers are computed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from analytics.drift.rows import DriftRow
from analytics.errors import ScopeError
from analytics.examples.rows import ExampleRow
from analytics.project import read_project
from analytics.quality.rows import CalibrationRow, ConfusionRow, MetricRow, RocRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.segments.rows import SegmentRow

WINDOW = (datetime(2013, 7, 1, 4, tzinfo=UTC), datetime(2013, 7, 8, 4, tzinfo=UTC))


class StubWorkbench:
    """Answers every question with one or two rows, and keeps what it was asked."""

    asked: list[tuple[str, Any]]

    def __init__(self, path: Path) -> None:
        self.project = read_project(path)
        self.asked = ASKED

    def close(self) -> None: ...

    def scope(self, **words: Any) -> Scope:
        return Scope.parse(self.project, **words)

    def _results(self, name: str, scope: Scope, *rows: Any, notes: tuple[str, ...] = ()) -> Results[Any]:
        self.asked.append((name, scope))
        return Results(rows, self.project.zone, notes=notes)

    def quality(self, scope: Scope) -> Results[Any]:
        if self.project.require_predictions().task == "regression":
            raise ScopeError("a regression\nhas no such thing")
        return self._results(
            "quality",
            scope,
            MetricRow(
                *WINDOW,
                "v1",
                None,
                None,
                None,
                "roc_auc",
                0.71234,
                0.7,
                0.72,
                12345,
                12000,
                "blocks",
                "ok",
                None,
            ),
            MetricRow(
                *WINDOW,
                "v1",
                None,
                None,
                None,
                "f1",
                None,
                None,
                None,
                3,
                2,
                None,
                "too_few",
                "only 2 labels",
            ),
            notes=("two files\nwere left out",),
        )

    def confusion(self, scope: Scope) -> Results[Any]:
        return self._results(
            "confusion", scope, ConfusionRow(*WINDOW, "v1", None, None, "A", "B", 7, 7.0, 0.5, 0.3, 0.7)
        )

    def roc(self, scope: Scope) -> Results[Any]:
        rows = (
            RocRow(*WINDOW, "v1", None, 0.25, 0.9, 0.4, 0.6, 0.5, 9.0, 4.0, 1.0, 6.0, 13, point)
            for point in (False, True)
        )
        return self._results("roc", scope, *rows)

    def calibration(self, scope: Scope) -> Results[Any]:
        return self._results(
            "calibration", scope, CalibrationRow(*WINDOW, "v1", None, 0.1, 0.2, 40, 0.15, 0.2, 0.1, 0.3)
        )

    def drift(self, scope: Scope, against: str = "reference") -> Results[Any]:
        assert against == "reference"
        row = DriftRow(
            *WINDOW, "v1", "v1", "temp", "feature", "numeric", 4000,
            1234567, 0.31, 0.2, 0.3, 0.01, 12.5, 0.25, 0.05,
            0.02, "blocks", 1e-9, 1e-8, 0.0, 0.0, None, True, "ok", None,
        )  # fmt: skip
        return self._results("drift", scope, row)

    def segments(self, scope: Scope, metric: str | None = None) -> Results[Any]:
        row = SegmentRow(
            *WINDOW, "v1", "carrier", "UA", "carrier=UA", metric or "log_loss",
            50, 40, 0.1, 0.6, 0.5, 0.7, 0.4, 0.2,
            0.1, 0.3, 0.001, 0.01, True, 0.02, "ok", None,
        )  # fmt: skip
        return self._results("segments", scope, row)

    def examples(self, scope: Scope, kind: str, k: int, *, per_class: bool, diverse: bool) -> Results[Any]:
        columns = {"note": "\x1b[31mred\n" + "long " * 60, "temp": float("nan"), "project": "logged"}
        row = ExampleRow(
            1,
            f"{kind} {k} {per_class}" + (" diverse" if diverse else ""),
            "r1",
            WINDOW[0],
            "v1",
            "1",
            "0",
            0.25,
            1.386,
            "p.parquet",
            7,
            columns,
        )
        return self._results("examples", scope, row)


ASKED: list[tuple[str, Any]] = []


def module() -> ModuleType:
    """What stands in for `analytics.workbench`."""
    made = ModuleType("analytics.workbench")
    made.open_workbench = StubWorkbench  # type: ignore[attr-defined]
    ASKED.clear()
    return made
