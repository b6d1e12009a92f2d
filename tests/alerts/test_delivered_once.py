"""Watchers are killed at random moments, and run at once: nothing lost, nothing doubled that is not called a repeat."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import count, pairwise
from urllib.parse import urlsplit

import pytest

from analytics.alerts.addresses import Address, Addresses, find_addresses
from analytics.alerts.deliver import deliver, tell, would_tell
from analytics.alerts.messages import as_sent
from analytics.store import Store, find_place, open_store, outbox
from analytics.store.outbox import deliveries, messages
from tests.alerts.made import PLACE, endpoint, incident, look, minutes, row
from tests.store.conftest import cluster, place  # noqa: F401  # fixtures

LOOKS = 48
NUMBERS = count()
"""Of watchers: each has a file of its own for what goes wrong."""


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


def watch(environment, errors, said):
    """Look, tell and deliver, and say after each look how many there were: what a process of its own does."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    os.environ.update(environment)
    outbox.LEASE, outbox.FIRST_WAIT, outbox.LONGEST_WAIT = (timedelta(seconds=s) for s in (0.5, 0.02, 0.05))
    store, addresses = open_store(), find_addresses()
    for number in range(LOOKS):
        tell(store, look_at(number), PLACE, addresses)
        deliver(store, addresses, post)
        said.send(number)


def post(address, message, text):
    # as Apprise posts it, without waiting a second for Apprise to be imported by every short-lived process
    host = urlsplit(address.url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=5)
    body = json.dumps({"title": text.title, "message": text.body, "to": address.name})
    connection.request("POST", host.path, body, {"X-Assay-Message": message.number})
    status = connection.getresponse().status
    return None if status == 200 else f"it answered with status {status}"


class Watcher:
    """A process that watches: a copy of one that has imported everything, which takes each a second of its own."""

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.alerts.test_delivered_once", "psycopg"])

    def __init__(self, place, folder, urls):  # noqa: F811
        environment = {"ASSAY_STORE": place.address, "ASSAY_NOTIFY": " ".join(urls)}
        self.errors = folder / f"errors-{next(NUMBERS)}"
        self.said, said = self.processes.Pipe(duplex=False)
        self.process = self.processes.Process(target=watch, args=(environment, str(self.errors), said))
        self.process.start()

    def await_first_look(self):
        assert self.said.poll(240), self.errors.read_text()
        self.said.recv()

    def kill(self):
        """End it at once, whatever it does."""
        self.process.kill()
        self.end()

    def end(self):
        """Wait for its end; its exit status."""
        self.process.join(240)
        assert not self.errors.exists() or "Traceback" not in self.errors.read_text()
        return self.process.exitcode


def test_killed_at_random_moments_and_run_at_once(place, tmp_path):  # noqa: F811
    draw = random.Random(11)
    with endpoint() as good, endpoint() as bad:
        bad.refuse = lambda asked: asked % 3 == 0
        urls = [good.url, bad.url]
        for _ in range(4):
            running = [Watcher(place, tmp_path, urls) for _ in range(2)]
            running[0].await_first_look()  # from here on, any moment
            time.sleep(draw.uniform(0.0, 0.4))
            for watcher in running:
                watcher.kill()
        for watcher in [Watcher(place, tmp_path, urls) for _ in range(2)]:
            assert watcher.end() == 0
        # claims of the dead end, and whoever comes next sends what they left
        last = Watcher(place, tmp_path, urls)
        time.sleep(0.6)
        last.end()
        drain(place, tmp_path, urls)
        assert_told(Store(place), good, bad)


def drain(place, folder, urls):  # noqa: F811
    deadline = time.monotonic() + 60
    while any(each.state in {"waiting", "sending"} for each in deliveries(Store(place))):
        assert time.monotonic() < deadline
        Watcher(place, folder, urls).end()


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
