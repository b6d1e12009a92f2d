"""Sections of a page: one of them is on screen, the word in the URL says which, and only that one is computed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from analytics.experiments.rows import Scorecard
from app.parts import words
from app.parts.ask import guarded
from app.parts.choose import seed
from app.parts.view import View

WORD = "section"
Task = Literal["binary", "multiclass", "regression"]
EVERY: tuple[Task, ...] = ("binary", "multiclass", "regression")


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        title: on its button, two or three words.
        place: ``module:function``; the function takes the `View` and is imported when it is on screen.
        tasks: for which kinds of model it means something.
    """

    title: str
    place: str
    tasks: tuple[Task, ...] = EVERY

    @property
    def draw(self) -> Callable[..., None]:
        """What draws it: of a `View`, and on the Scorecard page of its `Scorecard` besides."""
        module, name = self.place.split(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        return function


QUALITY: dict[str, Section] = {
    "now": Section("How good", "app.parts.quality_now:section"),
    "calibration": Section("Calibration", "app.parts.quality_calibration:section"),
    "populations": Section("Populations", "app.parts.quality_populations:section"),
    "training": Section("Training to production", "app.parts.quality_training:section"),
    "decisions": Section("Decisions", "app.parts.quality_decisions:section", ("binary", "multiclass")),
    "estimated": Section("Before labels", "app.parts.quality_estimated:section"),
    "releases": Section("Releases and age", "app.parts.quality_releases:section"),
}
"""The sections of the Quality page by their word in the URL, in order."""

DRIFT: dict[str, Section] = {
    "features": Section("Feature by feature", "app.parts.drift_features:section"),
    "alarms": Section("False alarms", "app.parts.drift_alarms:section"),
    "changes": Section("Since when", "app.parts.drift_changes:section"),
    "together": Section("All at once", "app.parts.drift_together:section"),
    "damage": Section("Does it matter", "app.parts.drift_damage:section"),
}
"""The sections of the Drift page."""

LABELS: dict[str, Section] = {
    "counts": Section("How many", "app.parts.label_sections:counts"),
    "delays": Section("How late", "app.parts.label_sections:delays"),
    "selection": Section("Who gets one", "app.parts.label_sections:selection"),
    "sources": Section("Changes and sources", "app.parts.label_sections:sources"),
}
"""The sections of the Labels page."""

SEGMENTS: dict[str, Section] = {
    "now": Section("Declared", "app.parts.segments_now:section"),
    "found": Section("Found", "app.parts.segments_found:section"),
    "map": Section("Map", "app.parts.segments_map:map_section"),
    "tree": Section("Tree", "app.parts.segments_map:tree_section"),
    "rest": Section("Against the rest", "app.parts.segments_rest:section"),
}
"""The sections of the Segments page."""

EXAMPLES: dict[str, Section] = {
    "rows": Section("Rows", "app.parts.examples_rows:section"),
    "map": Section("Map of errors", "app.parts.examples_map:section"),
    "regression": Section("Regression sets", "app.parts.examples_sets:section"),
}
"""The sections of the Examples page."""

CHANGED: dict[str, Section] = {
    "summary": Section("Why", "app.parts.changed:summary"),
    "where": Section("Where", "app.parts.changed:where"),
    "cause": Section("Causes", "app.parts.causes:section"),
    "moved": Section("What is different", "app.parts.causes:moved"),
    "first": Section("Who was first", "app.parts.causes:first"),
}
"""The sections of the What changed page."""

ALERTS: dict[str, Section] = {
    "now": Section("What fires", "app.parts.alerts_now:section"),
    "history": Section("Over time", "app.parts.alerts_history:over_time"),
    "messages": Section("Messages", "app.parts.alerts_history:told"),
    "said": Section("What people said", "app.parts.alerts_history:said"),
    "backtest": Section("Would it have fired?", "app.parts.alerts_backtest:section"),
}
"""The sections of the Alerts page."""

SERVICE: dict[str, Section] = {
    "time": Section("In time", "app.parts.service:over_time"),
    "objectives": Section("Objectives", "app.parts.service:objectives"),
    "tail": Section("Who waits", "app.parts.service:tail"),
    "assertions": Section("Always expected", "app.parts.service:assertions"),
}
"""The sections of the Service page."""

DRILLS: dict[str, Section] = {
    "drill": Section("Would we notice?", "app.parts.drills:drill"),
    "chaos": Section("Faults that were real", "app.parts.drills_chaos:chaos"),
}
"""The sections of the Drills page."""

REVIEW: dict[str, Section] = {
    "queue": Section("Queue", "app.parts.review_queue:section"),
    "found": Section("What they say", "app.parts.review_found:section"),
    "model": Section("Where it will be wrong", "app.parts.review_model:section"),
}
"""The sections of the Label next page."""

EXPERIMENT: dict[str, Section] = {
    "scorecard": Section("Scorecard", "app.parts.experiments:scorecard_section"),
    "metric": Section("One metric", "app.parts.experiments:metric_section"),
    "trust": Section("Trust", "app.parts.experiments_trust:section"),
    "time": Section("In time", "app.parts.experiments_time:section"),
    "chances": Section("Chances", "app.parts.experiments_chances:section"),
    "segments": Section("For whom", "app.parts.experiments_segments:section"),
    "side": Section("Side by side", "app.parts.experiments_side:section"),
    "ledger": Section("Decisions", "app.parts.experiments_ledger:section"),
}
"""The sections of the Scorecard page; each takes the `View` and the `Scorecard`."""


def experiment_sections(view: View, card: Scorecard) -> None:
    """The buttons of the Scorecard page, and the section that is chosen."""
    chosen = _choose(EXPERIMENT)
    with guarded(view, f"section_{chosen}"):
        EXPERIMENT[chosen].draw(view, card)


def sections(view: View, known: Mapping[str, Section]) -> None:
    """The buttons, and the section that is chosen."""
    there = {name: section for name, section in known.items() if view.predictions.task in section.tasks}
    chosen = _choose(there)
    with guarded(view, f"section_{chosen}"):
        there[chosen].draw(view)


def section_of(known: Mapping[str, Section]) -> str:
    """The word of the section that the address or its button says, before the buttons are drawn."""
    said = st.session_state.get(WORD) or st.query_params.get(WORD)
    words_of = {name: name for name in known} | {section.title: name for name, section in known.items()}
    return words_of.get(str(said), next(iter(known)))


def _choose(there: Mapping[str, Section]) -> str:
    first = next(iter(there))
    if len(there) == 1:
        return first
    seed(WORD, list(there), lambda name: there[name].title)
    chosen = st.segmented_control(
        words.SECTIONS, list(there), default=first, key=WORD, bind="query-params", required=True,
        format_func=lambda name: there[name].title, label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    return chosen if chosen in there else first
