"""Send one message to one address through Apprise: Slack, e-mail, PagerDuty, webhooks and a hundred more."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from analytics.alerts.addresses import Address
from analytics.alerts.messages import Text
from analytics.store.outbox import Message

_STATUS = re.compile(r"error=(\d{3})")
_TALKATIVE = ("apprise", "urllib3")
_HEADER = "X-Assay-Message"
_THREAD_HEADER = "X-Assay-Incident"


def send(address: Address, message: Message, text: Text) -> str | None:
    """Send; what was wrong, without a word of the address, or None where it was taken.

    Receivers that know repeats are told the message's number: webhooks and mails by a header, PagerDuty by the key of
    the incident, which also resolves it when it is over.
    """
    import apprise  # noqa: PLC0415  # takes most of a second, and only who sends needs it

    asset = apprise.AppriseAsset(app_id="Assay", app_desc="Assay", app_url="", storage_mode="memory")
    kind = apprise.NotifyType.SUCCESS if message.kind in {"over", "missed"} else apprise.NotifyType.FAILURE
    if message.severity == "ticket" and kind is apprise.NotifyType.FAILURE:
        kind = apprise.NotifyType.WARNING
    with _heard() as heard:
        plugin = apprise.Apprise.instantiate(address.url, asset=asset, suppress_exceptions=True)
        if plugin is None:
            return "Apprise does not understand this address"
        _mark(plugin, message)
        sender = apprise.Apprise(asset=asset)
        sender.add(plugin)
        taken = sender.notify(
            body=text.body, title=text.title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
    return None if taken else _problem(heard)


def check(address: Address) -> str | None:
    """What is wrong with an address before anything is sent, without a word of it; None where nothing is."""
    import apprise  # noqa: PLC0415  # as above

    with _heard():
        plugin = apprise.Apprise.instantiate(address.url, suppress_exceptions=True)
    if plugin is None:
        return "Apprise does not understand it"
    if len(plugin) > 1:
        return (
            f"it names {len(plugin)} receivers: when one of them fails, the others are told again; "
            "write an address for each"
        )
    return None


def _mark(plugin: Any, message: Message) -> None:
    """Put the message's number where this kind of receiver looks for it."""
    kind = type(plugin).__name__
    if kind == "NotifyPagerDuty":
        from apprise.plugins.pagerduty import PagerDutyAction  # noqa: PLC0415  # as above

        plugin.dedup = f"assay {message.project} {message.thread}"[:255]
        plugin.action = PagerDutyAction.RESOLVE if message.kind == "over" else PagerDutyAction.TRIGGER
        return
    headers = getattr(plugin, "headers", None)
    if isinstance(headers, dict):
        headers[_HEADER] = message.number
        headers[_THREAD_HEADER] = re.sub(r"[^\x20-\x7e]", "?", message.thread)[:200]
        if kind in {"NotifyJSON", "NotifyForm", "NotifyXML"}:
            headers["Idempotency-Key"] = message.number


def _problem(heard: list[str]) -> str:
    """What Apprise said, cut down to what cannot hold a part of an address."""
    status = next((found.group(1) for line in reversed(heard) if (found := _STATUS.search(line))), None)
    if status is not None:
        return f"it answered with status {status}"
    if any("onnection error" in line or "Socket" in line for line in heard):
        return "it could not be reached"
    return "Apprise could not send it"


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What is logged meanwhile about sending, kept from everywhere else: it may name parts of an address."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    loggers, handler = [logging.getLogger(name) for name in _TALKATIVE], Keep(logging.INFO)
    before = [(logger.propagate, logger.level) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        for logger, (spread, level) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = spread
            logger.setLevel(level)
