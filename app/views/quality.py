"""Quality: how good, with which intervals, since when."""

from __future__ import annotations

from app.charts.metric import metric_over_time, metric_over_time_alt
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart
from app.parts.scope_bar import current

view = current()
with guarded(view, "over_time"):
    rows = ask(view, "quality", view.over_time)
    shown = [row for row in rows if row.metric == "log_loss" and row.class_ is None]
    chart(
        "metric_over_time",
        metric_over_time(shown, view.bench.catalog.releases, zone=view.zone),
        metric_over_time_alt(shown, zone=view.zone),
        key="over_time",
        behind=behind(view, rows, "quality", shown),
    )
