"""Two arms beside each other, any set of metrics: two dashboards with the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from analytics.experiments.arm_days import ArmDayRow
from analytics.experiments.health import broken
from analytics.experiments.rows import MetricFacts, Scorecard, ValueBin
from analytics.results import Results
from app.charts.experiment_side import Shared, shared, side_alt, side_panel
from app.charts.experiment_words import half_width, value
from app.formats import count, listed, plural
from app.parts import side_words as words
from app.parts.ask import ask
from app.parts.chart import Behind, chart, header, table_behind
from app.parts.choose import choose
from app.parts.experiments import definition, file_words
from app.parts.plain import literal
from app.parts.view import View

FIRST = 4
"""Metrics that are shown where none were chosen."""


def section(view: View, card: Scorecard) -> None:
    """Which arms and metrics, one sentence, and the panels."""
    found: Results[ArmDayRow] = ask(view, "experiment_arms", name=card.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arms = [card.control, *card.variants]
        left = choose("left", words.LEFT, arms, width=180)
        others = [arm for arm in arms if arm != left]
        about = card.decision.variant if card.decision.variant in others else None
        right = choose("right", words.RIGHT, others, first=about, width=180)
    metrics = _metrics(card)
    st.markdown(f"##### {literal(sentence(card, left, right, [facts.name for facts in metrics]))}")
    header("side_by_side", "side", found.sql)
    if any(row.day is not None for row in found):
        st.caption(words.BY_DAY)
    for place, facts in enumerate(metrics):
        _metric(card, facts, (left, right), found, place)
    chosen = {facts.name for facts in metrics}
    rows = [row for row in found if row.metric in chosen and row.variant in {left, right}]
    behind = Behind(partial(_table, rows), found.sql, f"side_{file_words(card)}")
    table_behind(behind, "side", words.TABLE)


def sentence(card: Scorecard, left: str, right: str, metrics: Sequence[str]) -> str:
    """Where the right arm looks better, and for how many metrics that was shown."""
    means = {(arm.metric, arm.variant): arm.mean for arm in card.arms if arm.status == "ok"}
    better: list[str] = []
    worse: list[str] = []
    for facts in card.metrics:
        one, other = means.get((facts.name, left)), means.get((facts.name, right))
        if facts.name not in metrics or one is None or other is None or one == other:
            continue
        (better if (other > one) == (facts.direction == "up") else worse).append(facts.name)
    if not better and not worse:
        return f"{right} and {left} look the same, or have no value to compare."
    parts = [f"{verb} on {_few(names)}" for verb, names in (("better", better), ("worse", worse)) if names]
    return f"{right} looks {' and '.join(parts)} than {left}. {_shown(card, left, right, better, worse)}"


def _shown(card: Scorecard, left: str, right: str, better: Sequence[str], worse: Sequence[str]) -> str:
    """What of it is beyond chance, and where the verdict's comparison says the contrary."""
    if card.control not in {left, right}:
        return f"Whether that is chance nobody tested: arms are compared with {card.control} only."
    if broken(card.health.srm):
        return "While the split is broken, none of it is a finding."
    arm = right if left == card.control else left
    found = {
        row.metric: (row.badge == "better") == (arm == right)
        for row in card.headline_rows()
        if row.variant == arm and row.badge in {"better", "worse", "harmed"}
    }
    shown = [name for name, up in found.items() if name in (better if up else worse)]
    said = f"Shown to be more than chance: {listed(shown)}." if shown else words.NONE_SHOWN
    # strata may turn a difference round: the plain values are no finding then, whatever the badge says
    for up, word, names in ((True, "better", worse), (False, "worse", better)):
        turned = [name for name in names if found.get(name) is up]
        if turned:
            said += f" {words.TURNED.format(arm=right, word=word, metrics=listed(turned))}"
    return said


def _few(names: Sequence[str]) -> str:
    return listed(list(names)) if len(names) <= 3 else plural(len(names), "metric")


def _metrics(card: Scorecard) -> list[MetricFacts]:
    names = [facts.name for facts in card.metrics]
    there = [name for name in st.query_params.get_all("shown") if name in names]
    kept = st.session_state.get("shown")
    if kept is None:
        st.session_state["shown"] = there or names[:FIRST]
    else:
        st.session_state["shown"] = [name for name in kept if name in names] or names[:FIRST]
    chosen = st.multiselect(
        words.METRICS, names, key="shown", bind="query-params", placeholder=words.NONE_CHOSEN
    )
    return [facts for facts in card.metrics if facts.name in chosen]


def _metric(
    card: Scorecard, facts: MetricFacts, arms: tuple[str, str], found: Results[ArmDayRow], number: int
) -> None:
    rows = [row for row in found if row.metric == facts.name and row.variant in arms]
    bins = [
        row for row in card.bins if row.metric == facts.name and row.variant in arms and _spreads(card, facts)
    ]
    axes = shared([row for row in rows if row.day is not None], bins)
    with st.container(border=True, gap="small"):
        st.markdown(definition(facts))
        with st.grid(2, min_column_width=300):
            for place, arm in enumerate(arms):
                with st.container(gap="xsmall"):
                    mine = [row for row in rows if row.variant == arm]
                    _panel(
                        facts, arm, (mine, [row for row in bins if row.variant == arm]), axes, (number, place)
                    )


def _spreads(card: Scorecard, facts: MetricFacts) -> bool:
    """Whether the bins of units say more than the value: not of yes and no, nor of the rows behind a quantile."""
    several = len({(row.low, row.high) for row in card.bins if row.metric == facts.name}) > 2
    return several and facts.kind != "quantile"


def _panel(
    facts: MetricFacts,
    arm: str,
    rows: tuple[list[ArmDayRow], list[ValueBin]],
    axes: Shared,
    where: tuple[int, int],
) -> None:
    found, bins = rows
    whole = next((row for row in found if row.day is None), None)
    days = [row for row in found if row.day is not None]
    st.markdown(_level(arm, whole))
    number, place = where
    chart(
        "side_by_side",
        side_panel(days, bins, whole, axes, place=place),
        side_alt(days, whole, facts.name, arm),
        key=f"side_{number}_{place}",
        heading="",
    )


def _level(arm: str, whole: ArmDayRow | None) -> str:
    """The arm with its value, half the width of its interval, and n."""
    if whole is None or whole.mean is None:
        why = words.NO_VALUE if whole is None or whole.reason is None else whole.reason
        return f"**{literal(arm)}**: {literal(why)}"
    text = value(whole.kind, whole.mean)
    if whole.ci_low is not None:
        text = f"{text} ± {half_width(whole.kind, whole.ci_low, whole.ci_high)}"
    return f"**{literal(arm)}**: {literal(text)}, n = {count(whole.n)}"


def _table(rows: Sequence[ArmDayRow]) -> pd.DataFrame:
    return pd.DataFrame([
        {
            "Metric": row.metric, "Arm": row.variant, "Day": "all" if row.day is None else row.day.isoformat(),
            "Units": row.n, "Value": row.mean, "Low": row.ci_low, "High": row.ci_high, "Reason": row.reason,
        }
        for row in rows
    ])  # fmt: skip
