"""Links: which pages there are, the words a link carries, and changing them from a callback.

A bound parameter can be changed in the session only, and only before its widget is drawn: so `set_words` and
`reset` are called from callbacks. `app.parts.trail` goes to another page.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import locations
from app.parts.view import DEFAULTS

PAGES = (
    "overview",
    "quality",
    "outcomes",
    "drift",
    "service",
    "features",
    "labels",
    "changed",
    "segments",
    "examples",
    "review",
    "scorecard",
    "plan",
    "alerts",
    "drills",
    "telemetry",
)
_MONITORING = (
    "section", "metric", "class", "threshold", "feature", "at", "kind", "k", "per_class", "diverse", "row", "notion",
    "alarm_grain", "alarm_segments",
    "beside", "goal", "budget", "together_by", "estimator", "against", "split_by",
    "assertion", "series", "map_of", "map_by", "set",
    "slice", "map_x", "map_y",
    "before", "before_start", "before_end", "alert", "queue",
    "rest",
    "fault", "fault_feature", "fault_place", "fault_start", "fault_days", "fault_seeds", "rule", "pages_per_month",
)  # fmt: skip
EXPERIMENTS = {
    "scorecard": (
        "source", "section", "experiment", "metric", "variant", "decision", "left", "right", "shown", "prior",
        "counts", "means", "control", "direction", "alpha", "split",
    ),
    "plan": (
        "section", "metric_kind", "baseline_from", "experiment", "metric", "baseline", "sd", "lift", "difference", "n",
        "daily_units", "alpha", "power", "variants", "shares", "one_sided", "goal", "true_difference", "relative",
        "metrics", "power_for", "r2", "design_effect", "stopping", "looks", "boundary", "of", "within", "traffic",
        "covariate_days", "whole_clusters",
    ),
}  # fmt: skip
"""Pages that are no window of predictions -> the words they bind to the URL; those of Plan are the command's."""
PAGE_WORDS = tuple(dict.fromkeys((*_MONITORING, *(word for words in EXPERIMENTS.values() for word in words))))
"""Words that single pages bind to the URL; a link carries those that are set."""


def exists(page: str) -> bool:
    """Whether a page is there."""
    return page in PAGES and (locations.main_script().parent / "views" / f"{page}.py").is_file()


def set_words(**chosen: Any) -> None:
    """Change the scope and show the same page anew; for callbacks."""
    for word, value in chosen.items():
        st.session_state[word] = value
    st.rerun()


def reset() -> None:
    """Everything but the project back to its default; for callbacks."""
    set_words(**{word: value for word, value in DEFAULTS.items() if word != "project"})


def query(page: str = "", **instead: Any) -> str:
    """The words of a page that differ from their defaults as a query string, with some replaced."""
    bar = ("project", "as_of") if page in EXPERIMENTS else tuple(DEFAULTS)
    names = (*bar, *EXPERIMENTS.get(page, _MONITORING))
    words = {word: _chosen(word) for word in names} | instead
    said = {
        word: value for word, value in words.items() if value not in (None, "", [], False, DEFAULTS.get(word))
    }
    return urlencode(said, doseq=True)


def said(word: str) -> str | None:
    """What a widget says, else what the address says; None where neither says anything."""
    found = st.session_state.get(word) or st.query_params.get(word)
    return str(found) if found else None


def _chosen(word: str) -> Any:
    """What a widget says; where it is yet to be drawn for the first time, what the address says."""
    if word in st.session_state:
        return st.session_state[word]
    return st.query_params.get_all(word)
