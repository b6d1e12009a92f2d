"""Drift: which inputs, outputs and labels moved, beyond noise; since when, together, and does it matter."""

from __future__ import annotations

import streamlit as st

from app.headlines.features import drift_verdict_against
from app.parts import compared, drift_features, empty, feature_words, page_words
from app.parts import drift as parts
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.sections import DRIFT, section_of, sections
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
        ways={feature_words.COMPARE_PREVIOUS: _compare_previous},
    )


def _compare_previous() -> None:
    st.session_state[compared.WORD] = "previous"


view = current()
with guarded(view, "drift"):
    declared = "reference" in view.bench.catalog.sources
    if not declared and compared.WORD not in {*st.session_state, *st.query_params}:
        no_reference(view)
        st.stop()
    # the other sections know the reference only
    against = compared.against(view) if not declared or section_of(DRIFT) == "features" else "reference"
    # one version is on screen, so one is counted
    found = ask(view, "drift", view.of_version(view.version), **compared.more(against))
    whole = parts.of_version(found, view.version)
    if not any(row.n for row in whole):
        empty.nothing(view, "drift")
        st.stop()
    if not declared or section_of(DRIFT) == "features":
        # every other section has a first line of its own, which may well say otherwise
        headline(drift_verdict_against(whole, compared.other_words(against, view), zone=view.zone))
    one_version(view)
    if declared:
        sections(view, DRIFT)
    else:
        st.caption(feature_words.WITHOUT_REFERENCE.format(other=compared.other_words(against, view)))
        drift_features.section(view)
