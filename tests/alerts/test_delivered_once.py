"""Watchers are killed at random moments, and run at once: nothing lost, nothing doubled that is not called a repeat."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from analytics.alerts.addresses import Address, Addresses, find_addresses
from analytics.alerts.deliver import deliver, tell, would_tell
from analytics.alerts.messages import as_sent
from analytics.store import Store, find_place
from analytics.store.outbox import deliveries, messages
from tests.alerts.made import PLACE, endpoint, incident, look, minutes, row
from tests.store.conftest import cluster, place  # noqa: F401  # fixtures

WATCHER = """
import http.client, json, sys
from datetime import timedelta
from urllib.parse import urlsplit
from analytics.alerts import deliver as sending
from analytics.alerts.addresses import find_addresses
from analytics.store import open_store, outbox
from tests.alerts.made import PLACE
from tests.alerts.test_delivered_once import LOOKS, look_at

outbox.LEASE, outbox.FIRST_WAIT, outbox.LONGEST_WAIT = (timedelta(seconds=s) for s in (0.5, 0.02, 0.05))

def post(address, message, text):
    # as Apprise posts it, without waiting a second for Apprise to be imported by every short-lived process
    host = urlsplit(address.url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=5)
    body = json.dumps({"title": text.title, "message": text.body, "to": address.name})
    connection.request("POST", host.path, body, {"X-Assay-Message": message.number})
    status = connection.getresponse().status
    return None if status == 200 else f"it answered with status {status}"

store, addresses = open_store(), find_addresses()
for number in range(LOOKS):
    sending.tell(store, look_at(number), PLACE, addresses)
    sending.deliver(store, addresses, post)
    print(number, flush=True)
"""
LOOKS = 48


def look_at(number):
    """A project whose two alerts fire and are over again and again, at a look of its own each."""
    a, b = (
        "firing" if (number + shift) % period < period // 2 else "ok" for shift, period in ((0, 6), (1, 4))
    )
    rows = [
        row(a, "floor", incident=1, since=minutes(number)),
        row(b, "delay", incident=2, since=minutes(number)),
    ]
    made = [incident(1, f"floor{number // 6}"), incident(2, f"delay{(number + 1) // 4}", ("delay",))]
    return look(*rows, at=minutes(number), incidents=made)


def expected():
    """Messages a single watcher that is never stopped would write."""
    counted = 0
    for name in ("floor", "delay"):
        states = [
            next(each.state for each in look_at(number).rows if each.alert == name) for number in range(LOOKS)
        ]
        counted += sum(before != after for before, after in pairwise(["ok", *states]))
    return counted


def watcher(place, root, urls):  # noqa: F811
    return subprocess.Popen(
        [sys.executable, "-c", WATCHER],
        env=os.environ | {"ASSAY_STORE": place.address, "PYTHONPATH": str(root), "ASSAY_NOTIFY": " ".join(urls)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_killed_at_random_moments_and_run_at_once(place, root):  # noqa: F811
    draw = random.Random(11)
    with endpoint() as good, endpoint() as bad:
        bad.refuse = lambda asked: asked % 3 == 0
        urls = [good.url, bad.url]
        for _ in range(4):
            running = [watcher(place, root, urls) for _ in range(2)]
            assert running[0].stdout
            running[0].stdout.readline()  # it has begun: from here on, any moment
            time.sleep(draw.uniform(0.0, 0.4))
            for process in running:
                process.send_signal(signal.SIGKILL)
                assert "Traceback" not in process.communicate()[1]
        for process in [watcher(place, root, urls) for _ in range(2)]:
            assert "Traceback" not in process.communicate(timeout=240)[1]
            assert process.returncode == 0
        # claims of the dead end, and whoever comes next sends what they left
        last = watcher(place, root, urls)
        time.sleep(0.6)
        last.communicate(timeout=240)
        drain(place, root, urls)
        assert_told(Store(place), good, bad)


def drain(place, root, urls):  # noqa: F811
    deadline = time.monotonic() + 60
    while any(each.state in {"waiting", "sending"} for each in deliveries(Store(place))):
        assert time.monotonic() < deadline
        watcher(place, root, urls).communicate(timeout=240)


def assert_told(store, good, bad):
    written = {message.number for message in messages(store)}
    assert len(written) == len(messages(store)) == expected()
    assert {each.state for each in deliveries(store)} == {"sent"}
    for hook in (good, bad):
        times = Counter(hook.numbers())
        assert set(times) == written, "lost, or from nowhere"
        # one that came twice says itself that it may be a repeat, and there are few of them
        for number, many in times.items():
            said = [taken for taken in hook.taken if taken["number"] == number]
            assert sum("may reach you twice" in taken["message"] for taken in said) >= many - 1
        assert sum(times.values()) - len(times) <= 10  # a kill at most leaves one claim a process


def test_a_webhook_that_is_down_does_not_repeat_the_one_that_works(place):  # noqa: F811
    store, clock = Store(place), [None]
    with endpoint() as good, endpoint() as bad:
        bad.refuse = lambda asked: asked <= 2
        addresses = find_addresses({"ASSAY_NOTIFY": f"{good.url} {bad.url}"})
        tell(store, look_at(0), PLACE, addresses)
        from analytics.alerts.send import send

        for _ in range(6):
            done = deliver(store, addresses, send, now=(lambda: clock[0]) if clock[0] else None)
            clock[0] = max(each.next_try for each in deliveries(store)) + timedelta(minutes=2)
            if not done:
                break
    assert Counter(good.numbers()) == Counter(bad.numbers())
    assert max(Counter(good.numbers()).values()) == 1
    assert len(good.taken) == len(messages(store)) == 2


@pytest.fixture
def store_at(tmp_path):
    return Store(find_place(str(tmp_path / "store.sqlite3")))


def test_a_dry_run_writes_nothing(store_at):
    address = Address("json-1", "json://nowhere")
    drafts = would_tell(store_at, look_at(0), PLACE, Addresses((address,), (address,)))
    assert [draft.kind for draft in drafts] == ["firing", "firing"]
    assert store_at.version() == 0
    tell(store_at, look_at(0), PLACE, Addresses())
    assert would_tell(store_at, look_at(0), PLACE, Addresses()) == ()
    assert [draft.kind for draft in would_tell(store_at, look_at(3), PLACE, Addresses())] != []
    assert would_tell(store_at, look_at(0), PLACE, Addresses()) == ()
    # nobody is told where nobody is named, and the message is there all the same
    assert len(messages(store_at)) == 2
    assert deliveries(store_at) == ()


def test_stopping_ends_between_two_messages(store_at):
    address = Address("json-1", "json://nowhere")
    addresses = Addresses((address,), (address,))
    tell(store_at, look_at(0), PLACE, addresses)
    sent = []

    def send(address, message, text):
        assert text == as_sent(message, repeat=False)
        sent.append(message)

    deliver(store_at, addresses, send, stop=lambda: len(sent) == 1)
    assert len(sent) == 1
    deliver(store_at, addresses, send)
    assert len(sent) == 2
    assert isinstance(sent[0].written_at, datetime)
