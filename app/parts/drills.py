"""Would we notice? A fault planted in copies of the logs, replayed through the project's rules."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import streamlit as st

from analytics.drills.drill import MOST_RUNS, Drill, DrillPlan
from analytics.drills.kinds import KINDS, SEVERITIES, FaultKind
from app.charts import drills as charts
from app.formats import percent
from app.headlines.drills import drill_verdict
from app.parts import alert_words
from app.parts import drill_words as words
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.teach import teach
from app.parts.view import View

_RUNS_AT_MOST = MOST_RUNS // len(SEVERITIES)
_KEPT = "drill_found"


def drill(view: View) -> None:
    """What to break, a button, and what came of it."""
    if not view.project.alerts:
        headline(words.NO_RULES)
        teach("no_alerts", "no_drill_rules", example=alert_words.UNDECLARED_EXAMPLE)
        return
    extent = view.bench.catalog.extent
    if extent is None:
        headline(words.NOTHING_LOGGED)
        return
    first_line = st.container()
    plan = _plan(view, extent)
    found = _found(view, plan)
    with first_line:
        headline(words.INTRO if found is None else drill_verdict(found))
    st.caption(literal(words.SEVERITY.format(meaning=KINDS[plan.kind].severity)))
    place = st.empty()
    if place.button(
        words.RUN if found is None else words.AGAIN, key="drill_run", icon=":material/play_arrow:"
    ):
        place.empty()
        _run(view, plan)
        st.rerun()
    if found is not None:
        _show(view, found)


def _plan(view: View, extent: tuple[datetime, datetime]) -> DrillPlan:
    features = [feature.name for feature in view.bench.catalog.features]
    known = [kind for kind in KINDS if features or not KINDS[kind].of_feature]
    with st.container(horizontal=True):
        kind = choose("fault", words.FAULT, known, shown=_title, first=known[1])
        chosen: FaultKind = next(one for one in known if one == kind)
        feature = choose("fault_feature", words.FEATURE, features) if KINDS[chosen].of_feature else None
        place = choose("fault_place", words.PLACE, _places(view))
        days = [extent[0].astimezone(view.zone).date(), extent[1].astimezone(view.zone).date()]
        start = st.date_input(
            words.START, _middle(days[0], days[1]), min_value=days[0], max_value=days[1], key="fault_start",
            bind="query-params", width=150,
        )  # fmt: skip
        length = st.number_input(words.DAYS, 1, 30, 3, key="fault_days", bind="query-params", width=120)
        seeds = st.number_input(
            words.SEEDS,
            1,
            _RUNS_AT_MOST,
            1,
            key="fault_seeds",
            bind="query-params",
            width=170,
            help=words.SEEDS_HELP,
        )
        rules = st.multiselect(
            words.RULES,
            list(view.project.alerts),
            _quick(view),
            key="drill_rules",
            width=320,
            help=words.RULES_HELP,
        )
    begin = datetime.combine(start, time(), view.zone)
    return DrillPlan(
        chosen, begin, timedelta(days=int(length)), seeds=int(seeds), feature=feature, rules=tuple(rules),
        where=() if place == words.EVERYWHERE else (place,),
    )  # fmt: skip


def _quick(view: View) -> list[str]:
    """The rules that are not looked at every few minutes."""
    names = [name for name, rule in view.project.alerts.items() if rule.burn is None]
    return names or list(view.project.alerts)


def _title(kind: str) -> str:
    return next(found.title for name, found in KINDS.items() if name == kind)


def _middle(first: date, last: date) -> date:
    return first + (last - first) / 2


def _places(view: View) -> list[str]:
    """Everywhere, the filters of the bar, and the values of the first segments."""
    said = [one.text for one in view.scope.filters if one.kind in {"segment", "feature", "feature_range"}]
    return [words.EVERYWHERE, *dict.fromkeys([*said, *view.bench.segment_values()])]


def _key(view: View, plan: DrillPlan) -> tuple[object, ...]:
    return (view.name, view.bench.digest, plan)


def _found(view: View, plan: DrillPlan) -> Drill | None:
    kept = st.session_state.get(_KEPT)
    return kept[1] if kept is not None and kept[0] == _key(view, plan) else None


def _run(view: View, plan: DrillPlan) -> None:
    """Step by step; any click, the Stop button's too, ends it between two steps and removes the copies."""
    with st.container(border=True, key="drill_running"):
        bar = st.progress(0.0)
        st.button(words.STOP, key="drill_stop", icon=":material/stop:")
        for step in view.bench.drill(plan):
            if isinstance(step, Drill):
                st.session_state[_KEPT] = (_key(view, plan), step)
            else:
                said = words.DOING.format(done=step.done + 1, total=step.total, doing=step.doing)
                bar.progress(step.done / step.total, said)


def _show(view: View, found: Drill) -> None:
    chart(
        "drill_severity",
        charts.severity_delay(found.runs),
        charts.severity_alt(found.severities),
        key="drill_severity",
    )
    header("drill_table", "drill_severities")
    frame = charts.severity_table(found.severities, zone=view.zone)
    table(frame, words.BY_SEVERITY, key="drill_severities")
    csv_button(Behind(frame, (), f"drill_{view.name}"), "drill_severities")
    explained = [run.explained for run in found.runs if run.explained is not None]
    if explained:
        st.caption(literal(words.STAND_IN.format(explained=percent(min(explained)))))
    for note in found.notes:
        st.caption(literal(note))
    header("drill_rules", "drill_rules_table")
    rules = charts.drill_table(found.rows, zone=view.zone)
    table(
        rules, words.BY_RULE, key="drill_rows", columns={"What": st.column_config.TextColumn(width="large")}
    )
    csv_button(Behind(rules, (), f"drill_rules_{view.name}"), "drill_rows")
