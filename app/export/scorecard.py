"""A scorecard as one file: verdict, trust, every number with its definition, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from analytics.experiments.ledger import DecisionRow
from analytics.experiments.rows import DayRow, MetricFacts, Scorecard
from app.charts.experiment_days import FIXED_HORIZON
from app.charts.experiment_health import MORE_CHECKS, health
from app.charts.experiment_tables import arms_table, bins_table, days_table, scorecard_table, split_table
from app.charts.interval_bar import Ink, lift_axis, lift_bar
from app.charts.ledger_tables import decisions_table
from app.charts.scorecard_overview import BAR, overview_table
from app.export.figures import bins_figure, days_figure, legend
from app.export.page import Part, document, element, folded, listed, prose, table, visible
from app.formats import percent
from app.glossary import explain

_INK = Ink("currentColor", "currentColor", "var(--grey)", "var(--red)")
_TERMS = (
    "verdict", "scorecard_table", "lift", "fieller", "p_adjusted_holm", "chance_to_beat", "guardrail", "sample_ratio",
    "multiple_exposure", "cumulative_effect", "value_distribution",
)  # fmt: skip
_LEVELS = {"bad": "Problem: ", "look": "Look: ", "fine": "Fine: ", "plain": ""}


@dataclass(frozen=True)
class About:
    """Where a scorecard came from.

    Attributes:
        project: its name.
        made: when the file was made.
        zone: of all times in it.
        facts: name and value of what else tells where the numbers came from.
        decisions: on this experiment, the oldest first.
    """

    project: str
    made: datetime
    zone: ZoneInfo
    facts: tuple[tuple[str, str], ...] = ()
    decisions: tuple[DecisionRow, ...] = ()


def scorecard_html(card: Scorecard, about: About) -> bytes:
    """One page that needs nothing else: it opens anywhere, and prints."""
    name = card.name or "typed numbers"
    return document(
        f"{name} · {about.project}",
        *_top(card, about, name),
        *_trust(card),
        *_comparisons(card),
        *_decided(about),
        *(part for facts in card.metrics for part in _metric(card, facts)),
        element("h2", "Each arm by itself"),
        table(arms_table(card)),
        *_numbers(card),
        *_terms(),
        *_origin(card, about),
    )


def _top(card: Scorecard, about: About, name: str) -> Iterator[Part]:
    yield element("p", f"{about.project} · {name}", class_="small")
    yield element("h1", card.decision.sentence)
    yield element("p", "The scorecard's word: ", element("strong", card.decision.word), ". ", card.correction)
    made = f"{about.made.astimezone(about.zone):%Y-%m-%d %H:%M} ({about.zone.key})"
    level = f"Intervals at {percent(card.confidence)} unless said otherwise."
    yield element("p", f"Made on {made}. {level}", class_="small")


def _trust(card: Scorecard) -> Iterator[Part]:
    yield element("h2", "Can it be trusted?")
    # what is fine is told by the checks, where there are any
    lines = [line for line in health(card) if line.level != "fine" or not card.checks]
    yield listed(
        element("span", f"{_LEVELS[line.level]}{line.text}", class_="bad" if line.level == "bad" else "plain")
        for line in lines
    )
    if card.checks:
        yield listed(
            element("span", f"{check.level.capitalize()}: {check.sentence}", class_=check.level)
            for check in card.checks
        )
        yield element("p", MORE_CHECKS, class_="small")
    yield table(split_table(card.health))


def _comparisons(card: Scorecard) -> Iterator[Part]:
    rows = card.headline_rows()
    axis = lift_axis(rows)
    frame = overview_table(card, _INK)
    bars = [lift_bar(row, axis, _INK) for row in rows]
    yield element("h2", "Scorecard")
    yield table(frame, {BAR: bars})
    key = "▲ better, ▼ worse, ● no difference shown, ■ safe, ✕ harmed, □ not shown safe; n of the control / of the arm."
    yield element("p", key, class_="small")


def _decided(about: About) -> Iterator[Part]:
    if about.decisions:
        yield element("h2", "Decisions")
        yield table(decisions_table(about.decisions, about.zone))


def _metric(card: Scorecard, facts: MetricFacts) -> Iterator[Part]:
    yield element("h2", facts.name)
    better = "lower" if facts.direction == "down" else "higher"
    means = [f"{facts.role.capitalize()}; {better} is better. {facts.definition}."]
    means += [f"It means: {facts.means}."] if facts.means else []
    means += [f"Logged as: {facts.logged_as}."] if facts.logged_as else []
    means += _allowed(facts)
    yield element("p", " ".join(means))
    arms = (card.control, *card.variants)
    bins = [row for row in card.bins if row.metric == facts.name]
    yield _figure(bins_figure(bins, arms), "Share of each arm's units by value. ", legend(arms))
    for variant in card.variants:
        days = _days(card, facts.name, variant)
        text = f"Effect of {variant} on units first exposed up to each day, with its interval. "
        yield _figure(
            days_figure(days, facts.kind), text, FIXED_HORIZON if card.stopping == "fixed" else None
        )


def _days(card: Scorecard, metric: str, variant: str) -> list[DayRow]:
    """The days of the method that the verdict stands on; of any, where that one has none."""
    days = [row for row in card.days_of(metric) if row.variant == variant]
    stands = {row.method for row in card.headline_rows() if row.metric == metric and row.variant == variant}
    return [row for row in days if row.method in stands] or days


def _allowed(facts: MetricFacts) -> list[str]:
    if facts.margin is not None:
        return [f"Harm that is allowed: {percent(facts.margin)} of the control."]
    if facts.margin_absolute is not None:
        return [f"Harm that is allowed: {facts.margin_absolute:g}."]
    return []


def _figure(drawn: ET.Element | None, name: str, *more: Part) -> ET.Element | None:
    if drawn is None:
        return None
    drawn.set("aria-label", visible(name.strip()))
    return element("figure", drawn, element("figcaption", name, *more))


def _numbers(card: Scorecard) -> Iterator[Part]:
    yield element("h2", "Every number")
    yield folded("Every comparison by every method", scorecard_table(card, [
        row for row in card.rows if row.role != "health"
    ]))  # fmt: skip
    for facts in card.metrics:
        bins = [row for row in card.bins if row.metric == facts.name]
        days = [row for row in card.days if row.metric == facts.name]
        if bins:
            yield folded(f"{facts.name}: units by value", bins_table(bins))
        if days:
            yield folded(f"{facts.name}: the effect by day", days_table(days, kind=facts.kind))


def _terms() -> Iterator[Part]:
    yield element("h2", "What the words mean")
    entries = []
    for word in _TERMS:
        found = explain(word)
        # without a typesetter LaTeX is noise to whoever gets the page
        plain = found.formula is not None and "\\" not in found.formula
        formula = element("code", found.formula) if plain else None
        guide = prose(f" How to read it: {found.reading} What it does not say: {found.caveat}")
        meaning = element("dd", prose(f"{found.definition} "), formula, guide)
        entries.append(element("div", element("dt", found.title), meaning))
    yield element("dl", *entries)


def _origin(card: Scorecard, about: About) -> Iterator[Part]:
    yield element("h2", "Where it came from")
    yield listed(f"{name}: {value}" for name, value in about.facts)
    if card.sql:
        scans = [element("pre", text) for text in card.sql]
        yield element("details", element("summary", "The SQL that read the logs"), *scans)
