"""From a look at the alerts to messages that reached somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from analytics.alerts import messages
from analytics.alerts.addresses import Address, Addresses
from analytics.alerts.messages import Place, Text
from analytics.alerts.tell import Look, plan
from analytics.store.outbox import Claim, DeliveryState, Draft, Message, claim_next, give_up_old, settle
from analytics.store.seen import Looked, keep_look, kept_states
from analytics.store.store import Store

Send = Callable[[Address, Message, Text], str | None]
"""Send a message to an address; what was wrong, or None."""


@dataclass(frozen=True)
class Sent:
    """How one try went.

    Attributes:
        claim: to which delivery.
        state: what became of it.
        problem: what was wrong; None where it was sent.
    """

    claim: Claim
    state: DeliveryState
    problem: str | None


def tell(store: Store, look: Look, place: Place, addresses: Addresses) -> Looked:
    """Write what changed since the last look, and the messages about it, in one transaction.

    Raises:
        StoreError: the store cannot be written.
    """
    return keep_look(store, place.project, look.at, lambda kept: plan(kept, look, place, addresses.route))


def would_tell(store: Store, look: Look, place: Place, addresses: Addresses) -> tuple[Draft, ...]:
    """The messages that `tell` would write now; nothing is written.

    Raises:
        StoreError: the store cannot be read.
    """
    kept = kept_states(store, place.project)
    if kept.looked_at is not None and look.at < kept.looked_at:
        return ()
    return plan(kept, look, place, addresses.route).drafts


def deliver(
    store: Store,
    addresses: Addresses,
    send: Send,
    *,
    now: Callable[[], datetime] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Sent, ...]:
    """Send everything that is due, one after the other, pages first.

    Args:
        store: where messages wait.
        addresses: that this process knows; those of others are left to them.
        send: one message to one address.
        now: the clock.
        stop: asked before each one; True ends it there.

    Raises:
        StoreError: the store cannot be read or written.
    """
    known, done = addresses.by_name, list[Sent]()
    give_up_old(store, now() if now else None)
    while not stop():
        claim = claim_next(store, known.keys(), now() if now else None)
        if claim is None:
            break
        delivery = claim.delivery
        text = messages.as_sent(delivery.message, repeat=delivery.unsure > 0)
        problem = send(known[delivery.address], delivery.message, text)
        done.append(Sent(claim, settle(store, claim, problem, now() if now else None), problem))
    return tuple(done)
