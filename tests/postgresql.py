"""PostgreSQL for the tests of the store: find it, or (as a script) install Debian's; without it they are skipped."""

from __future__ import annotations

import sys
from pathlib import Path

# run as a script from any folder
sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from tests import debian  # noqa: E402
from tests.store.postgres_cluster import binaries, missing  # noqa: E402


def main() -> int:
    """Say where it is, or that the tests on it are skipped: a user's machine needs none."""
    if binaries() is None and debian.is_debian_root():
        debian.install("postgresql")
    why = missing()
    print(f"PostgreSQL: {binaries()}" if why is None else f"PostgreSQL: tests on it are skipped ({why})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
