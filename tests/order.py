"""Which tests go to one test process (`pytest -n 2`), and which go first.

What a server, a browser, a cluster or an open project costs is paid once by those who share it. Test by test, as
pytest-xdist deals them out, every process starts all of them: two browsers, two servers that each compute the Overview
of all sample logs, two catalogs of every task. So a file is never split, and folders whose tests share what lives as
long as the process go whole. The longest come first, that no process is left with one of them at the end.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

WHOLE = ("tests/browser", "tests/contract", "tests/app/views", "tests/places", "tests/store")
"""Folders that go to one process: a server and a browser; Sail; answers on the sample logs; S3; PostgreSQL."""
FIRST = (
    *WHOLE[:3],
    "tests/hostile",
    "tests/statistical",
    "tests/app",
    "tests/ask",
    "tests/alerts",
    "tests/sample_logs",
)
"""The longest, in this order."""


class Together(LoadScopeScheduling):
    """Hands out files and folders, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def together(nodeid: str) -> str:
    """What a test stays together with.

    >>> together("tests/browser/test_links.py::test_a"), together("tests/ask/test_data.py::test_a[::]")
    ('tests/browser', 'tests/ask/test_data.py')
    """
    file = nodeid.split("::", 1)[0]
    return next((folder for folder in WHOLE if file.startswith(f"{folder}/")), file)


def turn(nodeid: str) -> int:
    """When it is a test's turn, lowest first.

    >>> turn("tests/browser/test_links.py::test_a") < turn("tests/hostile/test_odd.py::test_a") < turn("analytics/a.py")
    True
    """
    return next((i for i, folder in enumerate(FIRST) if nodeid.startswith(f"{folder}/")), len(FIRST))
