"""One message to one address through Apprise, and what is said when it fails: nothing of the address."""

from __future__ import annotations

import logging

import apprise

from analytics.alerts.addresses import Address
from analytics.alerts.messages import as_sent
from analytics.alerts.send import _mark, check, send
from analytics.store.outbox import Message
from tests.alerts.made import T0, endpoint

MESSAGE = Message(
    7, "key", "Flights", "thread é\n", "firing", "page", "Firing: *x*", "A < B & _c_\nLine", T0, T0
)


def test_a_webhook_gets_the_text_and_the_number():
    with endpoint() as hook:
        assert send(Address("json-1", hook.url), MESSAGE, as_sent(MESSAGE, repeat=False)) is None
    (taken,) = hook.taken
    assert taken["title"] == "Firing: *x*"
    assert taken["message"] == f"A < B & _c_\nLine\nMessage {MESSAGE.number}"
    assert taken["type"] == "failure"
    assert taken["headers"]["X-Assay-Message"] == taken["headers"]["Idempotency-Key"] == MESSAGE.number
    assert taken["headers"]["X-Assay-Incident"] == "thread ??"


def test_what_fails_says_why_and_nothing_more(caplog, capsys):
    with endpoint() as hook:
        hook.refuse = lambda _: True
        url = hook.url.replace("json://", "json://ana:S3cr3t@")
        with caplog.at_level(logging.DEBUG):
            assert (
                send(Address("json-1", url), MESSAGE, as_sent(MESSAGE, repeat=False))
                == "it answered with status 500"
            )
    with caplog.at_level(logging.DEBUG):
        problem = send(Address("json-1", url), MESSAGE, as_sent(MESSAGE, repeat=False))
    assert problem == "it could not be reached"
    said = capsys.readouterr()
    assert "S3cr3t" not in caplog.text + said.out + said.err
    assert "127.0.0.1" not in caplog.text


def test_an_address_that_makes_no_sense():
    for url in ("nothing", "foobar://x", "slack://"):
        assert send(Address("x", url), MESSAGE, as_sent(MESSAGE, repeat=False)) == (
            "Apprise does not understand this address"
        )
        assert check(Address("x", url)) == "Apprise does not understand it"


def test_several_receivers_in_one_address_are_named():
    assert check(Address("x", "json://hook.example")) is None
    assert "2 receivers" in str(
        check(Address("x", "slack://TOKEN1234/BOTKEN123/A1BRTD4JD3cq2dfq27yL8qzH/#a/#b"))
    )


def test_pagerduty_knows_the_incident():
    plugin = apprise.Apprise.instantiate("pagerduty://integration@apikey")
    _mark(plugin, MESSAGE)
    assert plugin.dedup.startswith("assay Flights thread")
    assert plugin.action == "trigger"
    _mark(plugin, Message(8, "k2", "Flights", "thread é\n", "over", "page", "T", "B", T0, T0))
    assert plugin.action == "resolve"
