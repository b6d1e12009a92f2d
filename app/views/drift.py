"""Drift: which inputs, outputs and labels moved, beyond noise; since when, together, and does it matter."""

from __future__ import annotations

import streamlit as st

from app.headlines import drift_verdict
from app.parts import drift as parts
from app.parts import empty, page_words
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.sections import DRIFT, sections
from app.parts.teach import teach
from app.parts.view import View


def no_reference(view: View) -> None:
    """Nothing is declared to compare with: say what to write."""
    headline(page_words.NO_REFERENCE_HEADLINE)
    extent = view.bench.catalog.extent
    days = (
        [f"{moment.astimezone(view.zone):%Y-%m-%d}" for moment in extent]
        if extent
        else ["2026-01-01", "2026-02-01"]
    )
    teach(
        "no_reference",
        "no_reference",
        example=page_words.NO_REFERENCE_EXAMPLE.format(start=days[0], end=days[1]),
    )


view = current()
with guarded(view, "drift"):
    if "reference" not in view.bench.catalog.sources:
        no_reference(view)
        st.stop()
    # one version is on screen, so one is counted
    whole = parts.of_version(ask(view, "drift", view.of_version(view.version)), view.version)
    if not any(row.n for row in whole):
        empty.nothing(view, "drift")
        st.stop()
    headline(drift_verdict(whole, zone=view.zone))
    one_version(view)
    sections(view, DRIFT)
