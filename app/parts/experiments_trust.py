"""Section Trust of the Scorecard page: can this be trusted, and if not, why not?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Literal

import streamlit as st

from analytics.ask.trust import Trust
from analytics.experiments import words as numbers
from analytics.experiments.checks.words import FINDINGS, TITLES
from analytics.experiments.rows import Check, Scorecard
from app.charts import experiment_trust as charts
from app.charts.experiment_words import p_value
from app.formats import NONE, count, percent, plural
from app.parts import experiments_words as words
from app.parts.ask import ask
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.tiles import Tile, tiles
from app.parts.view import View

Level = Literal["blocks", "warns", "unknown", "fine"]
_ICONS: dict[Level, str] = {
    "blocks": ":red[:material/error:]", "warns": ":material/warning:", "unknown": ":material/help:",
    "fine": ":material/check:",
}  # fmt: skip
_HEADS: dict[Level, str] = {
    "blocks": "Blocks a verdict",
    "warns": "To bear in mind",
    "unknown": "Cannot be told from these logs",
    "fine": "Nothing found",
}


def section(view: View, card: Scorecard) -> None:
    """One sentence, the tiles, the split by day, the checks by level, causes, and the effect since exposure."""
    found: Trust = ask(view, "trust", name=card.name)
    st.markdown(f"##### {literal(found.sentence)}")
    tiles(tiles_of(found.checks))
    broken = any(row.name == "srm" and row.level == "blocks" for row in found.checks)
    if found.days:
        _split(card, found, _onset(found.checks))
    if broken:
        _causes(card, found)
    _checks(card, found, broken=broken)
    if found.ages:
        _ages(card, found)


def tiles_of(checks: Sequence[Check]) -> list[Tile]:
    """The four checks that can block a verdict."""
    by_name = {row.name: row for row in checks}
    return [_tile(by_name[name]) for name in ("srm", "balance", "crossed", "logs") if name in by_name]


_TILES = {
    "srm": (words.TRUST_SPLIT, words.TRUST_SPLIT_HELP),
    "balance": (words.TRUST_BEFORE, words.TRUST_BEFORE_HELP),
    "crossed": (words.TRUST_CROSSED, words.TRUST_CROSSED_HELP),
    "logs": (words.TRUST_LOGS, words.TRUST_LOGS_HELP),
}


def _tile(row: Check) -> Tile:
    label, help_ = _TILES[row.name]
    if row.level == "unknown":
        return Tile(label, NONE, "", status="undefined", reason=literal(row.sentence), help=help_)
    value = {"blocks": "Broken", "fine": "Fine", "warns": "Look"}[row.level]
    if row.p_value is not None:
        said = p_value(row.p_value)
        detail = f"p {said}" if said.startswith("<") else f"p = {said}"
    elif row.name == "crossed" and row.value is not None:
        detail = f"{percent(row.value)} of {count(row.n or 0)} units, limit {percent(row.threshold or 0.0)}"
    else:
        detail = f"{plural(row.n, 'row')} read" if row.n else ""
    return Tile(label, value, detail, help=help_)


def _onset(checks: Sequence[Check]) -> date | None:
    return next(
        (row.day for row in checks if row.name in {"srm_onset", "split_change"} and row.level == "warns"),
        None,
    )


def _split(card: Scorecard, found: Trust, onset: date | None) -> None:
    arms = list(dict.fromkeys(row.variant for row in found.days))
    variant = choose("variant", words.VARIANT, [arm for arm in arms if arm != card.control] or arms)
    chart(
        ("split_by_day", "sequential_sample_ratio"),
        charts.split_by_day(found.days, variant, onset),
        charts.split_by_day_alt(found.days, variant, onset),
        key="trust_split",
        behind=Behind(partial(charts.days_table, found.days), found.sql, f"split_{card.name}"),
    )


def _causes(card: Scorecard, found: Trust) -> None:
    """Since when, which segments, and every usual cause with what the logs say about it."""
    if found.parts:
        chart(
            "split_segments",
            charts.split_segments(found.parts),
            charts.split_segments_alt(found.parts),
            key="trust_segments",
            behind=Behind(partial(charts.parts_table, found.parts), found.sql, f"split_segments_{card.name}"),
        )
    causes = [row for row in found.checks if row.name == "srm_cause"]
    header("split_causes", "trust_causes", found.sql)
    for row in sorted(causes, key=lambda one: one.value or 0.0):
        st.markdown(f"{_ICONS[row.level]} **{literal(row.cause or '')}** · {literal(row.sentence)}")
    with st.expander(words.TRUST_QUERIES):
        for row in causes:
            if row.query:
                st.caption(literal(row.cause or ""))
                st.code(
                    row.query, language="sql" if row.query.startswith("SELECT") else "bash", wrap_lines=True
                )


def _checks(card: Scorecard, found: Trust, *, broken: bool) -> None:
    header("trust_checks", "trust_checks", found.sql)
    rows = [row for row in found.checks if row.name != "srm_cause"]
    for level, head in _HEADS.items():
        mine = [row for row in rows if _shown_at(row, broken=broken) == level]
        if mine:
            st.markdown(f"**{head}**")
            st.markdown("  \n".join(_line(row, broken=broken) for row in mine))
    csv_button(
        Behind(partial(charts.checks_table, found.checks), found.sql, f"trust_{card.name}"), "trust_checks"
    )


def _shown_at(row: Check, *, broken: bool) -> Level:
    """What only explains a broken split stands with it."""
    return "blocks" if broken and row.name in FINDINGS and row.level == "warns" else row.level


def _line(row: Check, *, broken: bool) -> str:
    title = TITLES[row.name]
    name = f"{title[:1].upper()}{title[1:]}"
    return f"{_ICONS[_shown_at(row, broken=broken)]} **{name}**: {literal(row.sentence)}"


def _ages(card: Scorecard, found: Trust) -> None:
    kinds = {facts.name: facts.kind for facts in card.metrics}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose("metric", words.METRIC, list(dict.fromkeys(row.metric for row in found.ages)))
    variant = st.session_state.get("variant")
    if variant not in card.variants:
        variant = card.variants[0]
    chart(
        ("effect_by_age", "novelty"),
        charts.effect_by_age(found.ages, name, variant, kinds.get(name)),
        charts.effect_by_age_alt(found.ages, name, variant, kinds.get(name)),
        key="trust_ages",
        behind=Behind(partial(charts.ages_table, found.ages), found.sql, f"ages_{card.name}"),
        note=_note(found, name, variant),
    )


def _note(found: Trust, metric: str, variant: str) -> str:
    told = [
        row.sentence for row in found.checks
        if row.name == "novelty" and row.metric == metric and row.variant == variant
    ]  # fmt: skip
    trend = next((one for one in found.trends if one.metric == metric and one.variant == variant), None)
    if told or trend is None or trend.p_adjusted is None:
        return told[0] if told else words.TRUST_AGES_NOTE
    said = numbers.p_value(trend.p_adjusted)
    return f"{words.TRUST_AGES_NOTE} A change with the days: corrected {said}."
