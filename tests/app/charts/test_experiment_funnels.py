"""Figures and sentences of funnels: whole, valid, and saying what the rows say."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from analytics.experiments.funnels import FunnelRow
from analytics.experiments.states import StateRow
from app.charts.experiment_funnels import funnel_alt, funnel_bars, funnel_table, states_table


def row(variant: str, step: int, share: float | None, **more) -> FunnelRow:
    known = share is not None
    fields = {
        "experiment": "z", "metric": "path", "variant": variant, "is_control": variant == "A", "step": step,
        "condition": f"event = '<b>{step}</b>'", "n": 100, "reached": round(100 * share) if known else None,
        "share": share, "ci_low": share - 0.05 if known else None, "ci_high": share + 0.05 if known else None,
        "rate": 0.5 if known else None, "rate_ci_low": 0.4 if known else None, "rate_ci_high": 0.6 if known else None,
        "difference": None, "difference_ci_low": None, "difference_ci_high": None,
        "status": "ok" if known else "no_data", "reason": None if known else "the arm has no units",
    }  # fmt: skip
    return FunnelRow(**fields | more)


ROWS = [
    row("A", 1, 0.8), row("B", 1, 0.82, difference=0.02, difference_ci_low=-0.05, difference_ci_high=0.09),
    row("A", 2, 0.3), row("B", 2, 0.45, difference=0.15, difference_ci_low=0.03, difference_ci_high=0.27),
]  # fmt: skip


def test_a_bar_an_arm_and_step_with_its_interval() -> None:
    figure = funnel_bars(ROWS, ("A", "B"))
    go.Figure(figure)
    assert [bar["name"] for bar in figure["data"]] == ["A", "B"]
    assert figure["data"][1]["x"] == [0.82, 0.45]
    assert figure["data"][1]["customdata"] == [["path", "B"], ["path", "B"]]
    assert figure["data"][0]["error_x"]["array"] == pytest.approx([0.05, 0.05])
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts[0] == "80%"
    assert "50% of step 1" in texts[2]
    assert "<b>" not in "".join(figure["layout"]["yaxis"]["ticktext"])


def test_the_sentence_names_the_steps_that_part() -> None:
    assert funnel_alt(ROWS) == (
        "All 2 steps were taken by 30% of A and 45% of B; apart from the control, each looked at alone: "
        "step 2 of B (+15 pp, +3 pp to +27 pp)."
    )
    same = [replace(one, difference_ci_low=-0.1, difference_ci_high=0.2) for one in ROWS]
    assert "at no step is a difference from the control shown" in funnel_alt(same)


def test_nobody_to_follow() -> None:
    rows = [row("A", 1, None), row("B", 1, None)]
    go.Figure(funnel_bars(rows, ("A", "B")))
    assert funnel_alt(rows) == "No unit can be followed through the steps yet."
    assert list(funnel_table(rows)["Share of all"]) == ["–", "–"]


def test_tables_are_in_words() -> None:
    table = funnel_table(ROWS)
    assert list(table["Share less the control's"]) == ["–", "+2 pp", "–", "+15 pp"]
    states = states_table([StateRow("z", "before_start", "exposures", None, None, 3, None, False, "before")])
    assert states.iloc[0].to_dict() == {
        "State": "before start", "Arm": "–", "Metric": "–", "How many": 3, "Counted": "exposures", "Share": "–",
        "Enters": "no", "What it means": "before",
    }  # fmt: skip
