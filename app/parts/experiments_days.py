"""The effect by day with both of its intervals: of the sections One metric and In time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from analytics.experiments.rows import DayRow, MetricFacts, Scorecard
from app.charts import experiment_time as charts
from app.formats import percent
from app.parts import experiments_words as words
from app.parts.chart import Behind, chart


def draw_days(card: Scorecard, facts: MetricFacts, variant: str, days: Sequence[DayRow]) -> None:
    """One metric of one arm.

    Args:
        card: of the experiment.
        facts: of the metric.
        variant: the arm.
        days: at least one.
    """
    name = re.sub(r"[^\w.=-]+", "-", f"days_{card.name}_{facts.name}").strip("-")[:120]
    chart(
        ("confidence_sequence", "peeking", "cumulative_effect"),
        charts.sequence_by_day(days, facts.name, variant, kind=facts.kind),
        charts.sequence_by_day_alt(days, facts.name, variant, kind=facts.kind),
        key="time_days",
        behind=Behind(partial(charts.days_table, days, kind=facts.kind), card.sql, name),
        note=words.DAYS_NOTE.format(level=percent(days[-1].confidence)),
    )
