"""What Streamlit runs for every session: page settings, navigation, the scope bar; the page does the rest."""

from __future__ import annotations

import sys
from pathlib import Path

# `streamlit run app/main.py` puts this folder on the path, not the one that holds `app` and `analytics`
sys.path[:0] = [folder] if (folder := str(Path(__file__).resolve().parent.parent)) not in sys.path else []

import streamlit as st  # noqa: E402

from app import locations  # noqa: E402
from app.parts import trail  # noqa: E402
from app.parts.pages import navigation  # noqa: E402
from app.parts.scope_bar import scope_bar  # noqa: E402

st.set_page_config(page_title="Assay", page_icon=str(locations.icon()), layout="wide")
page = navigation()
trail.returned(page.url_path)
scope_bar(page.url_path)
page.run()
