"""Watchers are killed again and again while they send: how many messages are lost, doubled, and called a repeat.

python benchmarks/messages.py [KILLS [SECONDS]]: pairs of watchers on one SQLite store; two webhooks, one of which
refuses every third request, and both answer SECONDS (0.05) after they took a message. The watcher is the one of
tests/alerts/test_delivered_once.py.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analytics.store import Store, find_place  # noqa: E402
from analytics.store.outbox import deliveries, messages  # noqa: E402
from tests.alerts.made import endpoint  # noqa: E402
from tests.alerts.test_delivered_once import expected, watcher  # noqa: E402


def round_of(kills: int, slow: float, draw: random.Random) -> Counter[str]:
    """One store from empty to done, its watchers killed so often."""
    with tempfile.TemporaryDirectory() as folder, endpoint() as good, endpoint() as bad:
        place = find_place(str(Path(folder) / "store.sqlite3"))
        bad.refuse = lambda asked: asked % 3 == 0
        good.slow = bad.slow = slow  # a receiver that answers at once would hardly ever be killed in between
        urls = [good.url, bad.url]
        for _ in range(kills):
            running = [watcher(place, ROOT, urls) for _ in range(2)]
            if running[0].stdout:
                running[0].stdout.readline()
            time.sleep(draw.uniform(0.0, 0.5))
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.communicate()
        while True:
            watcher(place, ROOT, urls).communicate()
            if all(each.state == "sent" for each in deliveries(Store(place))):
                break
            time.sleep(0.5)
        written = {message.number for message in messages(Store(place))}
        found = Counter(kills=2 * kills, messages=len(written), not_written=expected() - len(written))
        for hook in (good, bad):
            times = Counter(hook.numbers())
            found["delivered"] += len(times)
            found["lost"] += len(written - set(times))
            found["twice"] += sum(times.values()) - len(times)
            found["called a repeat"] += sum("may reach you twice" in taken["message"] for taken in hook.taken)
            for number, many in times.items():
                said = sum(
                    "may reach you twice" in taken["message"]
                    for taken in hook.taken
                    if taken["number"] == number
                )
                found["twice without a word"] += max(many - 1 - said, 0)
        return found


def main() -> None:
    """Rounds of ten kills until there were as many as asked for."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    slow = float(sys.argv[2]) if len(sys.argv) > 2 else 0.05
    draw, total = random.Random(5), Counter[str]()
    while total["kills"] < wanted:
        total += round_of(5, slow, draw)
        print(dict(total), flush=True)
    for name in ("kills", "messages", "delivered", "lost", "not_written", "twice", "called a repeat",
                 "twice without a word"):  # fmt: skip
        print(f"{name:>22} {total[name]}")


if __name__ == "__main__":
    main()
