"""Small figures of the overview."""

from app.charts.metric import metric_over_time_alt as small_metric_alt
from app.charts.metric import small_metric

__all__ = ["small_metric", "small_metric_alt"]
