"""The small project, read-only and shared by all tests of drills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.projects import write_small


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its project file."""
    return write_small(tmp_path_factory.mktemp("small"))
