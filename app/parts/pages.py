"""The pages: their names, icons and groups. One that has no file yet is left out."""

from __future__ import annotations

import streamlit as st

from app.parts import links

GROUPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "": {"overview": ("Overview", "home", "What needs attention now, for every model of the workspace.")},
    "Monitor": {
        "quality": (
            "Quality",
            "monitoring",
            "How good, with which intervals, since when; curves, calibration.",
        ),
        "outcomes": (
            "Metrics",
            "show_chart",
            "What the product is for: buys, clicks, minutes over time, beside quality.",
        ),
        "drift": ("Drift", "waves", "Which inputs, outputs and labels moved, beyond noise."),
        "service": ("Service", "speed", "Load, errors and latency beside quality, down to five minutes."),
        "features": (
            "Features",
            "bar_chart",
            "What each input is like, over time, by label and by right or wrong.",
        ),
        "labels": ("Labels", "label", "How many labels, how late, from whom, and what that does to quality."),
    },
    "Investigate": {
        "changed": (
            "What changed",
            "compare_arrows",
            "Between two windows: which cause, mix or model, where.",
        ),
        "segments": ("Segments", "stacked_bar_chart", "Where it is worse: every slice against the rest."),
        "examples": ("Examples", "list_alt", "The worst, the uncertain, the best and random rows."),
        "review": ("Label next", "rate_review", "Which rows a person should label, and a queue to do it."),
    },
    "Experiments": {
        "scorecard": ("Scorecard", "science", "Did it win, and can it be trusted? From the logs, or typed."),
        "plan": ("Plan", "straighten", "How many units, how many days, which effect could be seen?"),
    },
    "Operate": {
        "alerts": ("Alerts", "notifications", "What fires, why, since when, and who knows."),
        "drills": ("Drills", "fire_extinguisher", "Would we notice? Faults planted in a copy of the logs."),
        "telemetry": ("Telemetry", "receipt_long", "What arrives, how fresh, and what was left out."),
    },
}


def navigation() -> st.Page:
    """The navigation with every page that exists; gives the page to run."""
    there = {
        group: [_page(name, *words) for name, words in pages.items() if links.exists(name)]
        for group, pages in GROUPS.items()
    }
    return st.navigation({group: pages for group, pages in there.items() if pages})


def _page(name: str, title: str, icon: str, explained: str) -> st.Page:
    return st.Page(
        f"views/{name}.py",
        title=title,
        icon=f":material/{icon}:",
        help=explained,
        default=name == "overview",
        url_path=name,
    )
