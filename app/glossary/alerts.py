"""Alerts: what the states mean, and what is promised about messages."""

from __future__ import annotations

from app.glossary.base import Explanation

ALERTS: dict[str, Explanation] = {
    "alerts": Explanation(
        "Every alert",
        "A rule looks at a number again and again; a target is one version and one segment value of it. It fires when "
        "the whole interval lies beyond the limit in as many looks in a row as the rule asks for, and is over when the "
        "whole interval lies within in as many as it takes to recover.",
        None,
        "◆ firing, ◇ recovering, ▲ pending (beyond, but not long enough), ■ silenced (would fire, nothing is told), "
        "✕ no data, ● ok. Windows whose labels still arrive wait: they neither start nor end an alert.",
        "A value beyond the limit whose interval is not is no alert. A state follows from the logs alone, so it is the "
        "same for whoever looks, and looking more often does not change it.",
    ),
    "alerts_timeline": Explanation(
        "States over time",
        "Each target's state as a watcher that never slept would have seen it, each look with what was known then.",
        None,
        "Thick red: firing; dotted red: recovering; thin: pending; dotted grey: no data; nothing: ok. Dotted upright "
        "lines are releases.",
        "It shows what the rules say today about the past. A rule changed since would have said something else; "
        "what was told then stands under Messages.",
    ),
    "alert_messages": Explanation(
        "Messages",
        "What was told when an incident began, grew, or was over. A message is written in the same transaction as the "
        "change it announces, once, and delivered to each address by itself until it is taken.",
        None,
        "waiting: its turn is still to come, or it is tried again; sending: a watcher has it; sent: taken by the "
        "receiver; given up: not taken for three days; for nobody: no address was named.",
        "Where a watcher is killed in the moment of sending, nobody knows whether the message went out: it is sent "
        "once more with the same number and says so.",
    ),
    "alert_people": Explanation(
        "What people said",
        "Who knows about a firing, what is silenced until when, and notes, for everybody who uses this store.",
        None,
        "An acknowledgement is about one firing: the next one is news again. A silence always has an end; a silenced "
        "alert tells nothing, and is told when it still fires as the silence ends.",
        "There is no log-in: names are what people typed.",
    ),
}
