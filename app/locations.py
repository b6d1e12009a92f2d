"""Where the files that belong to Assay are, in a checkout and in an installed wheel."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_VARIABLE = "ASSAY_PROJECT"
"""The environment variable through which the server tells the pages which project they show."""

_APP = Path(__file__).resolve().parent
_CHECKOUT = _APP.parent
_BUNDLED = _APP / "bundled"


def sample_logs() -> Path:
    """The sample workspace: a folder with one folder a project."""
    return _CHECKOUT / "sample_logs" if _is_checkout() else _BUNDLED / "sample_logs"


def streamlit_config() -> Path:
    """The Streamlit configuration file: themes, palettes, no statistics sent."""
    folder = _CHECKOUT / ".streamlit" if _is_checkout() else _BUNDLED / "streamlit"
    return folder / "config.toml"


def main_script() -> Path:
    """The script that Streamlit runs for every session."""
    return _APP / "main.py"


def icon() -> Path:
    """The page icon, a local file: a named icon would be fetched from outside."""
    return _APP / "static" / "assay.png"


def project() -> Path:
    """The project or workspace the pages show: what `assay serve` was given, else the sample logs."""
    named = os.environ.get(PROJECT_VARIABLE)
    return Path(named) if named else sample_logs()


def _is_checkout() -> bool:
    return (_CHECKOUT / "pyproject.toml").is_file()
