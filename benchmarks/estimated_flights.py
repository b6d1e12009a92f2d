"""Prints the table of estimated_quality.md: how estimates fared on the sample flights.

Run from the root of the repository: `python benchmarks/estimated_flights.py`.
"""

from __future__ import annotations

from pathlib import Path

from analytics.ask.estimate import estimates_of
from analytics.scope import Scope
from analytics.workbench import Workbench

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ("roc_auc", "log_loss", "accuracy", "mean_absolute_error", "root_mean_squared_error")


def main() -> None:
    """One line a project, grain, version, metric and method."""
    print("| logs | window | version | method | metric | held | withdrawn | score | last value |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in ("flights", "flights_delay_class", "flights_minutes"):
        bench = Workbench(ROOT / "sample_logs" / name)
        for grain in ("day", "week"):
            methods = ["cbpe"] if grain == "day" and name != "flights_minutes" else None
            found = estimates_of(bench.catalog, Scope(grain=grain, confidence=0.9), methods)  # type: ignore[arg-type]
            for row in found.scorecard:
                if row.metric not in SHOWN or row.held_share is None or row.mean_interval_score is None:
                    continue
                mine = [
                    one for one in found.rows
                    if (one.version, one.metric, one.method) == (row.version, row.metric, row.method) and one.n
                ]  # fmt: skip
                out = sum((one.reason or "").startswith("withdrawn") for one in mine)
                last = row.mean_interval_score_last_value or 0.0
                print(
                    f"| {name} | {grain} | {row.version} | {row.method} | {row.metric} | {row.held_backtests} of "
                    f"{row.n_backtests} ({row.held_share:.0%}) | {out} of {len(mine)} | {row.mean_interval_score:.3g} "
                    f"| {last:.3g} |"
                )
        bench.close()


if __name__ == "__main__":
    main()
