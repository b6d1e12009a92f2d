"""Overview: what needs attention now, for every model of the workspace."""

from __future__ import annotations

import streamlit as st

from app.parts.workspace import workspace

for entry in workspace().entries():
    st.markdown(f"**{entry.name}**")
