"""Plan from the logs: how long an experiment on these metrics takes, by day, by metric and by way of stopping."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.errors import AssayError
from analytics.experiments.plan_rows import PlanAsk, PlanDayRow, Planned, PlanRow
from analytics.experiments.plan_words import HORIZON_WORDS, plan_paste
from analytics.scope import Scope
from app.charts import experiment_words as numbers
from app.charts import plan as charts
from app.formats import NONE, count, number, percent, plural, signed
from app.parts import experiments_words, links
from app.parts import plan_words as words
from app.parts.ask import ask
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.experiments_read import TypedTextError, read_number, read_shares
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View

EVERY = "*"
Number = TypeVar("Number", int, float)


def section(view: View, first_line: DeltaGenerator, numbers_line: DeltaGenerator) -> None:
    """The form, and everything the logs say to it."""
    with st.container(border=True):
        name, asked = _form(view)
    if isinstance(asked, AssayError):
        with first_line:
            headline(experiments_words.CANNOT_PLAN.format(problem=str(asked).rstrip(".")))
        return
    found: Planned = ask(view, "planned", Scope(as_of=view.scope.as_of), name=name, asked=asked)
    with first_line:
        headline(found.sentence)
    metric = _metric(found)
    own = [row for row in found.rows if row.metric == metric]
    fixed = next(row for row in own if row.stopping == "fixed")
    with numbers_line:
        tiles(_tiles(own))
    _to_paste(view, name, fixed)
    days = [row for row in found.days if row.metric == metric]
    _by_day(days, fixed)
    _ranking(found)
    _roll_ups(found, metric)
    for note in found.notes:
        st.caption(literal(note))


def _form(view: View) -> tuple[str | None, PlanAsk | AssayError]:
    """What is asked; the error where it makes no sense."""
    project = view.project
    names = [*(name for name in project.experiments if name not in project.metrics), EVERY, *project.metrics]

    def shown(name: str) -> str:
        if name == EVERY:
            return words.EVERY
        return words.OF_EXPERIMENT.format(name=name) if name in project.experiments else name

    with st.grid(4, min_column_width=150):
        of = choose("of", words.OF, names, shown=shown, width="stretch")
        lift = _text("lift", words.LIFT, words.LIFT_EMPTY, words.LIFT_HELP)
        within = _text("within", words.WITHIN, "28")
        traffic = _text("traffic", words.TRAFFIC, "100%")
        power = _text("power", experiments_words.POWER, words.AS_DECLARED, experiments_words.POWER_HELP)
        shares = _text("shares", experiments_words.SHARES, words.AS_DECLARED, experiments_words.SHARES_HELP)
        looks = _text("looks", words.LOOKS, words.AS_DECLARED)
        covariate = _text("covariate_days", words.COVARIATE, words.COVARIATE_EMPTY, words.COVARIATE_HELP)
        clusters = ""
        if project.units is not None and project.units.cluster is not None:
            clusters = choose(
                "whole_clusters", words.CLUSTERS, list(words.CLUSTERS_OF), shown=words.CLUSTERS_OF.__getitem__,
                width="stretch",
            )  # fmt: skip
    try:
        asked = PlanAsk(
            lift=read_number(lift, "lift", share=True),
            power=read_number(power, "power", share=True),
            shares=read_shares(shares),
            looks=_whole(looks, "looks", 50),
            within=_given(_whole(within, "days to decide", 182), 28),
            traffic=_given(read_number(traffic, "share of the traffic", share=True), 1.0),
            covariate_days=_whole(covariate, "days the covariate looks back", 365),
            whole_clusters=None if clusters == "" else clusters == "true",
        )
    except AssayError as error:
        return None, error
    return None if of == EVERY else of, asked


def _text(word: str, label: str, placeholder: str, help_: str | None = None) -> str:
    found = st.text_input(
        label, key=word, bind="query-params", placeholder=placeholder, help=help_, max_chars=60
    )
    return found or ""


def _given(value: Number | None, otherwise: Number) -> Number:
    return otherwise if value is None else value


def _whole(text: str, what: str, most: int) -> int | None:
    value = read_number(text, what)
    if value is None:
        return None
    if value != int(value) or not 0 <= value <= most:
        raise TypedTextError(f"{what}: a whole number up to {most}, found {text}")
    return int(value)


def _metric(found: Planned) -> str:
    """The metric that is drawn: the one chosen, at first the primary one that takes longest, else the soonest."""
    names = list(dict.fromkeys(row.metric for row in found.rows))
    if len(names) == 1:
        return names[0]
    fixed = [row for row in found.rows if row.stopping == "fixed"]
    primary = [row.metric for row in fixed if row.role == "primary"]
    if fixed[0].experiment is not None and primary:
        names = [primary[-1], *(name for name in names if name != primary[-1])]
    return choose("metric", words.SHOWN_METRIC, names)


def _tiles(own: Sequence[PlanRow]) -> list[Tile]:
    """Days, units, days with looks, and the smallest arm."""
    fixed, looks, always = (
        next(row for row in own if row.stopping == stopping) for stopping in charts.STOPPING_NAMES
    )
    spread = NONE if fixed.days_low is None else f"{fixed.days_low} to {fixed.days_high or 'more'}"
    units = f"{count(fixed.n_total_low)} to {count(fixed.n_total_high)}, as far as the baseline is known"
    return [
        Tile(
            "Days, one look", count(fixed.days), f"{spread}; baseline over {plural(fixed.horizon, 'day')}",
            reason=fixed.reason, status="undefined" if fixed.rank is None else "ok",
        ),
        Tile("Units in all", count(fixed.n_total), units),
        Tile(
            f"Days on average, {looks.looks} looks",
            NONE if looks.days_expected is None else number(looks.days_expected),
            _waits(looks, always),
        ),
        _in_time(fixed),
    ]  # fmt: skip


def _waits(looks: PlanRow, always: PlanRow) -> str:
    """How long it takes at most, and when one looks every day."""
    latest = f"not within {HORIZON_WORDS}" if looks.days is None else f"at the latest {count(looks.days)}"
    if always.days_expected is None:
        return latest if looks.days is None else f"{latest}; not within {HORIZON_WORDS} looking every day"
    return f"{latest}; looking every day {number(always.days_expected)} on average"


def _in_time(fixed: PlanRow) -> Tile:
    """The smallest arm that decides in time; where none does, what is seen by then."""
    within = plural(fixed.within, "day")
    if fixed.smallest_share is not None:
        return Tile("Smallest arm", percent(fixed.smallest_share), f"of the units, to decide within {within}")
    seen = NONE if fixed.mde_within is None else signed(fixed.mde_within)
    if fixed.mde_within_relative is not None:
        seen = numbers.lift(fixed.mde_within_relative)
    return Tile(
        f"Seen within {within}", seen,
        f"with {percent(fixed.power)} power; what is asked has {percent(fixed.power_within)} by then",
    )  # fmt: skip


def _to_paste(view: View, name: str | None, row: PlanRow) -> None:
    address = (st.context.url or "").split("?")[0]
    link = f"{address}?{links.query('plan', project=view.name, section='logs', of=name or EVERY, metric=row.metric)}"
    st.markdown(f"**{experiments_words.PASTE}**")
    assumed = f" Assumed: {row.assumption}." if row.assumption else ""
    st.code(f"{plan_paste(row)}{assumed}\n{link}", language=None, wrap_lines=True)


def _by_day(days: Sequence[PlanDayRow], fixed: PlanRow) -> None:
    if not days:
        return
    behind = Behind(partial(charts.plan_days_table, days), (), "plan_days")
    chart(
        "power_by_day",
        charts.power_by_day(days, wanted=fixed.power, within=fixed.within),
        charts.power_by_day_alt(days, wanted=fixed.power, within=fixed.within),
        key="power_by_day",
        behind=behind,
    )
    relative = all(row.mde_relative is not None for row in days if row.mde_absolute is not None)
    asked = fixed.lift if relative else fixed.difference
    size = None if asked is None else abs(asked)
    chart(
        "effect_by_day",
        charts.effect_by_day(days, asked=size),
        charts.effect_by_day_alt(days),
        key="effect_by_day",
    )


def _ranking(found: Planned) -> None:
    frame = charts.plan_table(found.rows)
    if len(frame) < 2:
        return
    header("plan_ranking", "plan_ranking")
    table(frame, words.RANKING, key="plan_ranking")
    csv_button(Behind(frame, (), "plan"), "plan_ranking")


def _roll_ups(found: Planned, metric: str) -> None:
    own = [row for row in found.horizons if row.metric == metric]
    header("plan_horizons", "plan_horizons", heading=f"{metric}: baseline over one to four weeks")
    quiet = ["Status"] if all(row.status == "ok" for row in own) else []
    table(charts.horizon_table(own).drop(columns=["Metric", *quiet]), words.HORIZONS, key="plan_horizons")
    csv_button(Behind(partial(charts.horizon_table, found.horizons), (), "plan_horizons"), "plan_horizons")
    source = found.traffic[0].source if found.traffic else None
    week = [row for row in found.traffic if row.source == source]
    if any(row.units is not None for row in week):
        chart(
            "weekday_bars",
            charts.weekday_bars(week),
            charts.weekday_bars_alt(week),
            key="weekday_bars",
            behind=Behind(partial(charts.weekday_table, week), (), "plan_traffic"),
        )
