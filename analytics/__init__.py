"""Assay's truth: logs in, results with intervals out. Knows no Streamlit and no Plotly."""

from __future__ import annotations
