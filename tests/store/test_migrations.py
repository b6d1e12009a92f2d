"""The schema from every earlier version on: brought up to date with what was kept, once, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics.errors import StoreError
from analytics.store import Store, decisions
from analytics.store.migrations import MIGRATIONS, Migration, version_of

BOTH = ("sqlite", "postgresql")


def step(version, *statements, name="more"):
    return Migration(version, name, dict.fromkeys(BOTH, statements))


LATER = (
    *MIGRATIONS,
    step(len(MIGRATIONS) + 1, "CREATE TABLE assay_later (id INTEGER PRIMARY KEY, text TEXT)"),
    step(
        len(MIGRATIONS) + 2,
        "ALTER TABLE assay_later ADD COLUMN more TEXT",
        "CREATE TABLE assay_last (id INTEGER)",
    ),
)
"""What a later release may bring."""


def recorded(store):
    return store.read(
        lambda session: session.execute("SELECT version, name FROM assay_migrations ORDER BY version"), []
    )


def test_versions_count_from_one():
    assert [step.version for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    assert all(set(step.statements) == set(BOTH) for step in MIGRATIONS)


@pytest.mark.parametrize("version", range(1, len(LATER)))
def test_from_every_version(place, version):
    """A store as release `version` left it, with an entry in it, is read and written by the newest one."""
    old = Store(place, migrations=LATER[:version])
    old.write(version_of)
    assert old.version() == version
    kept = decide_with(old)
    new = Store(place, migrations=LATER)
    assert decisions(new, "Shop") == (kept,)
    assert [row["version"] for row in recorded(new)] == list(range(1, len(LATER) + 1))
    new.write(
        lambda session: session.execute("INSERT INTO assay_later (id, text, more) VALUES (1, 'a', 'b')")
    )
    assert len(decisions(new, "Shop")) == 1


def decide_with(store):
    from analytics.store import add_decision

    return add_decision(
        store, project="Shop", experiment="button", decided_by="Ana", decision="ship", content="{}"
    )


def test_each_is_recorded(store, decide):
    decide()
    assert recorded(store) == [{"version": each.version, "name": each.name} for each in MIGRATIONS]
    decide()
    assert len(recorded(store)) == len(MIGRATIONS)


def test_a_newer_release_is_named(place):
    Store(place, migrations=LATER).write(version_of)
    old = Store(place)
    with pytest.raises(StoreError, match="newer release of Assay"):
        decisions(old, "Shop")
    with pytest.raises(StoreError, match="newer release of Assay"):
        decide_with(old)


def test_a_migration_that_fails_leaves_the_version_before(place):
    kept = decide_with(Store(place))
    broken = (
        *LATER[:-1],
        step(LATER[-1].version, "CREATE TABLE assay_half (id INTEGER)", "THIS IS NO STATEMENT"),
    )
    with pytest.raises(StoreError, match="syntax"):
        decide_with(Store(place, migrations=broken))
    before = Store(place, migrations=LATER[:-1])
    assert before.version() == LATER[-2].version
    assert before.read(lambda session: session.has_table("assay_half"), None) is False
    assert decisions(before, "Shop") == (kept,)


def test_many_come_at_once(place):
    """Twelve threads open an empty place: the schema is made once, and every entry is there."""
    with ThreadPoolExecutor(12) as pool:
        kept = list(pool.map(lambda _: decide_with(Store(place, migrations=LATER)), range(12)))
    assert len({entry.id for entry in kept}) == 12
    assert len(decisions(Store(place, migrations=LATER), "Shop")) == 12
    assert len(recorded(Store(place, migrations=LATER))) == len(LATER)
