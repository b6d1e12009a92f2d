"""What is believed of the arms of an experiment, under a prior that is stated and can be changed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.experiments.chances import ChanceRow
from analytics.experiments.rows import Scorecard
from app.charts import experiment_chances as charts
from app.charts import experiment_words as numbers
from app.formats import NONE, percent
from app.parts import experiments_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View

PRIORS: dict[str, float | None] = {"declared": None, "1": 0.01, "5": 0.05, "10": 0.1, "30": 0.3}
"""Words of the address to the deviation of the lift that is believed in."""
_SHOWN = (
    "Metric",
    "Variant",
    "Chance to beat",
    "Chance to be best",
    "Expected loss",
    "Lift",
    "Credible lift",
    "Units",
    "Prior",
)


def section(view: View, card: Scorecard) -> None:
    """One sentence, the tiles, credible lifts, and the table with the expected losses."""
    chosen = choose("prior", words.PRIOR, list(PRIORS), shown=lambda word: words.PRIORS[word])
    found = ask(
        view, "experiment_chances", name=card.name, confidence=card.confidence, prior_lift=PRIORS[chosen]
    )
    rows: list[ChanceRow] = list(found)
    st.markdown(f"##### {literal(sentence(rows))}")
    tiles(_tiles(rows))
    chart(
        ("chances", "expected_loss", "prior"),
        charts.chances(rows, card.metrics),
        charts.chances_alt(rows),
        key="chances",
        behind=behind(view, found, "chances", partial(charts.chances_table, rows, card.metrics)),
        note=next(iter(found.notes), None),
    )
    header("expected_loss", "chances_losses", found.sql, heading=words.LOSSES)
    shown = charts.chances_table(rows, card.metrics)
    table(shown[[*_SHOWN]], words.LOSSES, key="chances_table")
    csv_button(behind(view, found, "chances"), "chances_csv")


def _first(rows: list[ChanceRow]) -> list[ChanceRow]:
    """The arms of the first metric of which anything is believed."""
    name = next((row.metric for row in rows if row.chance_best is not None), None)
    return [row for row in rows if row.metric == name]


def sentence(rows: list[ChanceRow]) -> str:
    """Who is the best on the first metric, how surely, and what choosing it is expected to lose."""
    arms = [row for row in _first(rows) if row.chance_best is not None]
    if not arms:
        reason = next((row.reason for row in rows if row.reason), "nothing was measured")
        return f"Nothing can be believed yet: {reason}."
    best = max(arms, key=lambda row: row.chance_best or 0.0)
    loss = _loss(best.expected_loss_relative).replace("< ", "less than ")
    sure = numbers.chance(best.chance_best).replace("> ", "more than ")
    return (
        f"{best.variant} is the best on {best.metric} with a chance of {sure}; choosing it "
        f"is expected to lose {loss} of the control's value. Believed beforehand: {best.prior}."
    )


def _loss(share: float | None) -> str:
    """A loss relative to the control; a hundredth of a percent matters to nobody."""
    return "< 0.01%" if share is not None and 0 <= share < 1e-4 else percent(share)


def _tiles(rows: list[ChanceRow]) -> list[Tile]:
    arms = [row for row in _first(rows) if row.chance_best is not None]
    if not arms:
        return []
    best = max(arms, key=lambda row: row.chance_best or 0.0)
    challenger = best if not best.is_control else next((row for row in arms if not row.is_control), best)
    control = next((row for row in arms if row.is_control), None)
    return [
        Tile(
            words.BEATS.format(variant=challenger.variant),
            numbers.chance(challenger.chance_to_beat),
            challenger.metric,
            help=words.BEATS_HELP,
        ),
        Tile(
            words.BELIEVED_LIFT,
            numbers.lift(challenger.lift),
            numbers.lift_interval(challenger.lift_ci_low, challenger.lift_ci_high),
            reason=challenger.reason,
        ),
        Tile(
            words.LOSS_OF.format(variant=challenger.variant),
            _loss(challenger.expected_loss_relative),
            words.LOSS_DETAIL,
            help=words.LOSS_HELP,
        ),
        Tile(
            words.LOSS_OF.format(variant=NONE if control is None else control.variant),
            NONE if control is None else _loss(control.expected_loss_relative),
            words.LOSS_DETAIL,
        ),
    ]
