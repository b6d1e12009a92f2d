"""Pieces of the Scorecard page, the same whether its numbers were logged or typed."""

from __future__ import annotations

import re
from functools import partial

import pandas as pd
import streamlit as st

from analytics.ask.trust import Trust
from analytics.experiments.health import broken, split_p
from analytics.experiments.rows import ExperimentRow, Health, MetricFacts, Scorecard
from app.charts import experiment_words as numbers
from app.charts import experiments as charts
from app.charts.experiment_health import Level, health
from app.charts.experiment_tables import (
    arms_table,
    bins_table,
    days_table,
    scorecard_table,
    split_table,
)
from app.formats import NONE, count, listed, percent
from app.parts import empty, trail
from app.parts import experiments_words as words
from app.parts.ask import ask, guarded
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.experiments_days import draw_days
from app.parts.experiments_kinds import draw_kind, draw_states
from app.parts.experiments_methods import draw_more
from app.parts.experiments_structure import draw_structure
from app.parts.plain import literal
from app.parts.scorecard_table import draw_table
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View
from app.text import CALL_WORDS, experiment_line

_ICONS: dict[Level, str] = {
    "bad": ":red[:material/error:]", "look": ":material/warning:", "fine": ":material/check:",
    "plain": ":material/info:",
}  # fmt: skip


def scorecard_section(view: View, card: Scorecard) -> None:
    """What the comparison comes to, whichever way its numbers came."""
    tiles(tiles_of(card))
    draw_health(card, view)
    draw_effects(card)
    draw_table(view, card, file_words(card))
    draw_arms(card)
    if card.name is not None:
        draw_states(view, card)
        st.button(
            words.PLAN_NEXT, icon=":material/straighten:", help=words.PLAN_NEXT_HELP, key="plan_next",
            on_click=partial(trail.leave, "scorecard", "plan", section="logs", of=card.name),
        )  # fmt: skip


def metric_section(view: View, card: Scorecard) -> None:
    """One metric in depth."""
    draw_metric(card)
    draw_structure(view, card, chosen_metric(card))
    draw_kind(view, card, chosen_metric(card))
    draw_more(view, card, chosen_metric(card))


def draw_verdict(card: Scorecard) -> None:
    """The first line, with the sign of what the comparison comes to."""
    _, icon = CALL_WORDS[card.decision.call]
    st.markdown(f"##### {icon} {literal(experiment_line(card))}")


def headline_row(card: Scorecard) -> ExperimentRow | None:
    """The comparison of the tiles: the first metric's, of the arm the verdict is about."""
    rows = card.headline_rows()
    about = [row for row in rows if row.variant == card.decision.variant] or list(rows)
    primary = [row for row in about if row.role == "primary"]
    return next(iter(primary or about), None)


def tiles_of(card: Scorecard) -> list[Tile]:
    """Lift, p-value, split and units."""
    row = headline_row(card)
    shown = [] if row is None else [_lift(card, row), _p_value(card, row)]
    return [*shown, _split(card.health), _units(card)]


@st.fragment(parallel=True)
def draw_further(view: View, card: Scorecard) -> None:
    """What the costlier checks warn of: an effect that fades, another experiment, few units that carry it all."""
    with st.skeleton(height=24), guarded(view, "further_checks"):
        found: Trust = ask(view, "trust", name=card.name)
        told = [check for check in found.checks if check.level == "warns" and check not in card.checks]
        lines = [f"{_ICONS['look']} {literal(check.sentence)}" for check in told]
        st.markdown("  \n".join(lines or [f"{_ICONS['fine']} {words.NOTHING_FURTHER}"]))


def draw_health(card: Scorecard, view: View | None = None) -> None:
    """The health card: in words, and beside them the split as a picture where it was tested.

    Args:
        card: the scorecard.
        view: where its logs are, for the costlier checks; None for typed numbers.
    """
    tested = card.health.srm is not None
    with st.container(border=True), st.grid(2 if tested else 1, min_column_width=340):
        with st.container(gap="small"):
            header(("sample_ratio", "multiple_exposure"), "health", card.sql, heading=words.HEALTH)
            st.markdown("  \n".join(f"{_ICONS[line.level]} {literal(line.text)}" for line in health(card)))
            if view is not None and card.name is not None:
                draw_further(view, card)
        if tested:
            with st.container():
                chart(
                    "sample_ratio",
                    charts.split_bars(card.health),
                    charts.split_bars_alt(card.health),
                    key="split",
                    behind=_behind(card, "split", partial(split_table, card.health)),
                )


def nobody(card: Scorecard) -> bool:
    """Whether no unit of a declared arm was seen, so that only what was left out is worth showing."""
    return not any(arm.n for arm in card.health.arms)


def draw_nobody(card: Scorecard) -> None:
    """Why there is nothing to compare, and what was left out."""
    with empty.card("no_exposures", "group_off"):
        lines = [line for line in health(card) if line.level in {"look", "plain"}]
        if lines:
            st.markdown("  \n".join(f"{_ICONS[line.level]} {literal(line.text)}" for line in lines))


def draw_effects(card: Scorecard) -> None:
    """Every metric's lift with its corrected interval."""
    rows = card.headline_rows()
    chart(
        ("effect_forest", "lift", "fieller"),
        charts.effect_forest(rows, card.metrics),
        charts.effect_forest_alt(rows),
        key="effects",
        behind=_behind(card, "effects", partial(scorecard_table, card)),
        note=f"{words.NO_FINDING} {card.correction}" if broken(card.health.srm) else card.correction,
    )


def draw_metric(card: Scorecard) -> None:
    """One metric: what it means, its values in every arm, and its effect by day."""
    st.markdown(f"##### {words.METRIC_DETAIL}")
    name, variant = _choices(card)
    facts = next((facts for facts in card.metrics if facts.name == name), None)
    if facts is None:
        return
    st.markdown(definition(facts))
    arms = [arm for arm in card.arms if arm.metric == name]
    bins = [bin_ for bin_ in card.bins if bin_.metric == name]
    with st.grid(2, min_column_width=340):
        # values of rows have curves of their own below; bins are of units
        if facts.kind != "quantile":
            with st.container():
                everyone = (card.control, *card.variants)
                drawn = charts.value_distribution(bins, arms, kind=facts.kind, variants=everyone)
                chart(
                    "value_distribution",
                    drawn,
                    charts.value_distribution_alt(bins, arms, kind=facts.kind),
                    key="values",
                    behind=_behind(card, f"values_{name}", partial(bins_table, bins)),
                )
        if card.days_of(name):
            with st.container():
                _by_day(card, facts, variant)


def draw_arms(card: Scorecard) -> None:
    """Every arm by itself."""
    header(("scorecard_table",), "arms", card.sql, heading=words.ARMS)
    adjusted = {row.method for row in card.headline_rows()} & set(words.ADJUSTED)
    if adjusted:
        how = listed([words.ADJUSTED[method] for method in sorted(adjusted)])
        st.caption(words.AS_LOGGED.format(how=how))
    table(arms_table(card), words.ARMS, key="arms")
    csv_button(_behind(card, "arms", partial(arms_table, card)), "arms")


def definition(facts: MetricFacts) -> str:
    """What a metric means, in Markdown."""
    parts = [f"**{literal(facts.name)}**: {literal(facts.definition)}."]
    if facts.means:
        parts.append(f"{literal(facts.means[:1].upper() + facts.means[1:])}.")
    if facts.logged_as:
        parts.append(f"{words.LOGGED_AS.format(text=literal(facts.logged_as))}.")
    return " ".join(parts)


def chosen_metric(card: Scorecard) -> str:
    """The metric whose button is pressed."""
    names = [facts.name for facts in card.metrics]
    asked = st.session_state.get("metric")
    return asked if asked in names else alarming(card)[0] or next(iter(names), "")


def alarming(card: Scorecard) -> tuple[str | None, str | None]:
    """The first guardrail that is harmed and in which arm: what whoever is called at night looks for."""
    return next(
        ((row.metric, row.variant) for row in card.headline_rows() if row.badge == "harmed"), (None, None)
    )


def _choices(card: Scorecard) -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric, arm = alarming(card)
        name = choose("metric", words.METRIC, [facts.name for facts in card.metrics], first=metric)
        variant = choose("variant", words.VARIANT, card.variants, first=arm)
    return name, variant


def _by_day(card: Scorecard, facts: MetricFacts, variant: str) -> None:
    days = [day for day in card.days_of(facts.name) if day.variant == variant]
    if card.stopping in {"always-valid", "group-sequential"}:
        draw_days(card, facts, variant, days)
        return
    chart(
        "cumulative_effect",
        charts.cumulative_effect(days, facts.name, variant, kind=facts.kind),
        charts.cumulative_effect_alt(days, facts.name, variant, kind=facts.kind),
        key="by_day",
        behind=_behind(card, f"days_{facts.name}", partial(days_table, days, kind=facts.kind)),
        note=charts.FIXED_HORIZON,
    )


def file_words(card: Scorecard) -> str:
    """The experiment as a part of a file's name."""
    return _safe(card.name or "typed")[:100] or "experiment"


def _safe(name: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", name).strip("-")


def _behind(card: Scorecard, what: str, frame: partial[pd.DataFrame]) -> Behind:
    return Behind(frame, card.sql, f"{_safe(what)[:60]}_{file_words(card)}")


def _lift(card: Scorecard, row: ExperimentRow) -> Tile:
    of = f", {literal(row.variant)}" if len(card.variants) > 1 else ""
    if row.lift is not None:
        label, value = words.LIFT_OF, numbers.lift(row.lift)
        limits = numbers.lift_interval(row.lift_ci_adjusted_low, row.lift_ci_adjusted_high)
    else:
        label, value = words.DIFFERENCE_OF, numbers.difference(row.kind, row.difference)
        limits = numbers.difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high)
    label = label.format(metric=literal(row.metric), of=of)
    arms = ((row.variant, row.mean), (row.control, row.mean_control))
    values = ", ".join(f"{literal(arm)} {numbers.value(row.kind, mean)}" for arm, mean in arms)
    detail = f"{limits} ({percent(row.confidence)}); {values}"
    return Tile(label, value, detail, status=row.status, reason=row.reason and literal(row.reason))


def _p_value(card: Scorecard, row: ExperimentRow) -> Tile:
    compared = len([other for other in card.headline_rows() if other.role in {"primary", "secondary"}])
    label = words.P_ADJUSTED if compared > 1 and row.role != "guardrail" else words.P_VALUE
    said = words.NO_VERDICT if broken(card.health.srm) else numbers.badge(row)
    detail = f"{said}; Holm over {compared} comparisons" if label == words.P_ADJUSTED else said
    return Tile(words.P_BY_RULE.get(card.stopping, label), numbers.p_value(row.p_adjusted), detail)


def _split(found: Health) -> Tile:
    shares = " / ".join(count(arm.n) for arm in found.arms)
    if found.srm is None:
        return Tile("Split", NONE, f"{shares}; not checked, as no split was planned")
    p = split_p(found.srm)
    if p is None:
        return Tile("Split", NONE, shares, reason=found.srm.reason, status=found.srm.status)
    value = "Broken" if broken(found.srm) else "Fine"
    return Tile("Split", value, f"{shares}, p = {numbers.p_value(p)}".replace("= <", "<"))


def _units(card: Scorecard) -> Tile:
    found = card.health
    total = sum(arm.n for arm in found.arms)
    each = ", ".join(f"{literal(arm.variant)} {count(arm.n)}" for arm in found.arms)
    return Tile("Clusters" if found.counted == "clusters" else "Units", count(total), each)
