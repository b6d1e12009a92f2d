"""The same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from analytics.store import Place, Store, find_place
from tests.store.postgres_cluster import Cluster, missing


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test process; skips where none is installed."""
    why = missing()
    if why:
        pytest.skip(why)
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'assay-ml[postgres]'")
    running = Cluster.start()
    yield running
    running.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> Place:
    """An empty place on either engine."""
    if request.param == "sqlite":
        return find_place(str(tmp_path / "kept" / "store.sqlite3"))
    return find_place(request.getfixturevalue("cluster").fresh())


@pytest.fixture
def store(place) -> Store:
    """A store on either engine."""
    return Store(place)


@pytest.fixture
def decide(store) -> Callable[..., object]:
    """`decide(experiment="button", note="…")`: keep a decision with whatever is not said."""
    from analytics.store import add_decision

    def made(**said):
        return add_decision(store, **({
            "project": "Shop", "experiment": "button", "decided_by": "Ana", "decision": "ship", "content": "{}",
        } | said))  # fmt: skip

    return made
