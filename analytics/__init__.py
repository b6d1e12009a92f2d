"""Assay's truth: logs in, results with intervals out. Knows no Streamlit and no Plotly.

``analytics.open("folder")`` opens a project; its methods answer with typed results that turn into records or a
DataFrame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.workbench import Workbench


def open(path: Path | str) -> Workbench:  # noqa: A001 - ``analytics.open`` is the contract's name
    """Open one project: its file, its folder, or a workspace that holds just one."""
    from analytics.workbench import open_workbench  # noqa: PLC0415 - importing analytics stays light

    return open_workbench(path)
