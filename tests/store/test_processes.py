"""Several processes write at once, and are killed at any moment: what was acknowledged is there, once, and whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

from analytics.store import Store, decisions, find_place

WRITER = """
import sys
from analytics.store import add_decision, open_store
store, name = open_store(), sys.argv[1]
for number in range(int(sys.argv[2])):
    # a long content, so that a kill meets half-written pages, too
    entry = add_decision(
        store, project="P", experiment=name, decided_by=name, decision="ship", content=str(number) * 3000,
        token=f"{name}-{number}",
    )
    print(number, entry.id, flush=True)
"""


def writer(place, name, count, root):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, name, str(count)],
        env=os.environ | {"ASSAY_STORE": place.address, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def acknowledged(process):
    """Numbers a writer printed; a line that a kill cut off was not said."""
    said, problems = process.communicate()
    assert "Traceback" not in problems, problems
    return {
        int(line.split()[0]) for line in said.splitlines(keepends=True) if line.endswith("\n") and " " in line
    }


def test_four_processes_write_at_once(place, root):
    running = [writer(place, f"w{number}", 25, root) for number in range(4)]
    for process in running:
        assert acknowledged(process) == set(range(25))
        assert process.returncode == 0
    kept = decisions(Store(place), "P")
    assert len(kept) == 100
    assert len({entry.id for entry in kept}) == 100
    # each one's entries are in the order it wrote them
    for number in range(4):
        own = [entry.content for entry in kept if entry.experiment == f"w{number}"]
        assert own == [str(i) * 3000 for i in range(25)]


def test_killed_at_any_moment(place, root):
    draw = random.Random(6)
    said = {}
    for turn in range(6):
        running = {
            f"t{turn}w{number}": writer(place, f"t{turn}w{number}", 10_000, root) for number in range(2)
        }
        first = next(iter(running.values()))
        assert first.stdout
        first.stdout.readline()  # it has begun to write: from here on, any moment
        time.sleep(draw.uniform(0, 0.25))
        for process in running.values():
            process.send_signal(signal.SIGKILL)
        said |= {name: acknowledged(process) for name, process in running.items()}
    assert_kept(place, said)
    assert sum(map(len, said.values())) > 20
    # and whoever comes next writes on, whatever the dead left behind
    assert acknowledged(writer(place, "after", 3, root)) == {0, 1, 2}


def assert_kept(place, said):
    kept = {}
    for entry in decisions(Store(place), "P"):
        content, found = entry.content, len(kept.setdefault(entry.experiment, []))
        assert content == str(found) * 3000, "an entry is missing, doubled or half there"
        kept[entry.experiment].append(entry.id)
    for name, numbers in said.items():
        # one more may have been kept whose acknowledgement was never read
        assert numbers <= set(range(len(kept.get(name, []))))


def test_the_file_is_whole_after_kills(tmp_path, root):
    place = find_place(str(tmp_path / "store.db"))
    for turn in range(4):
        process = writer(place, f"w{turn}", 10_000, root)
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.05 * turn)
        process.kill()
        process.communicate()
    found = Store(place).read(lambda session: session.execute("PRAGMA integrity_check"), [])
    assert found == [{"integrity_check": "ok"}]


def test_the_server_crashes(cluster, root):
    """PostgreSQL itself is ended as by a power failure while two processes write; they go on when it is back."""
    place = find_place(cluster.fresh())
    running = {name: writer(place, name, 10_000, root) for name in ("one", "two")}
    for process in running.values():
        assert process.stdout
        process.stdout.readline()
    time.sleep(0.3)
    cluster.crash()
    time.sleep(0.3)
    for process in running.values():
        process.kill()
    said = {}
    for name, process in running.items():
        text, problems = process.communicate()
        # a server that is starting up refuses; a writer may give up with one plain message
        assert "StoreError" in problems or not problems, problems
        said[name] = {int(line.split()[0]) for line in text.splitlines() if " " in line}
    assert_kept(place, said)
