"""Whom to tell: addresses come from the environment, and from nowhere else.

An address is a URL with a password or token in it. It is never printed, logged or kept; it goes by a name made of its
kind and four digits of a digest, which tell two addresses apart and say nothing about either.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from analytics.store.outbox import Severity

ALL: Final = "ASSAY_NOTIFY"
BY_SEVERITY: Mapping[Severity, str] = {"page": "ASSAY_NOTIFY_PAGE", "ticket": "ASSAY_NOTIFY_TICKET"}
BASE: Final = "ASSAY_URL"


@dataclass(frozen=True)
class Address:
    """Where a message can be sent.

    Attributes:
        name: for people, and for the store: its kind and four digits.
        url: what Apprise sends to; it may hold a password.
    """

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Addresses:
    """Whom to tell, by severity.

    Attributes:
        page, ticket: in the order they were written.
    """

    page: tuple[Address, ...] = ()
    ticket: tuple[Address, ...] = ()

    @property
    def by_name(self) -> dict[str, Address]:
        """Every address by its name."""
        return {address.name: address for address in (*self.page, *self.ticket)}

    def route(self, severity: Severity) -> tuple[str, ...]:
        """Names of the addresses of a severity."""
        return tuple(address.name for address in (self.page if severity == "page" else self.ticket))


def find_addresses(environment: Mapping[str, str] | None = None) -> Addresses:
    """The addresses that the environment names: one list for each severity, else one for all.

    Args:
        environment: instead of the process's.
    """
    known = os.environ if environment is None else environment
    everyone = known.get(ALL, "").split()
    urls = {severity: known.get(name, "").split() or everyone for severity, name in BY_SEVERITY.items()}
    named = _named(dict.fromkeys((*urls["page"], *urls["ticket"])))
    page, ticket = (
        tuple(named[url] for url in dict.fromkeys(urls[severity])) for severity in ("page", "ticket")
    )
    return Addresses(page, ticket)


def app_address(environment: Mapping[str, str] | None = None) -> str:
    """How people reach the app, for links; "" where the environment does not say."""
    known = os.environ if environment is None else environment
    return known.get(BASE, "").strip().rstrip("/")


def _named(urls: Mapping[str, None]) -> dict[str, Address]:
    """Every address under a name of its own, whatever else is there."""
    found: dict[str, Address] = {}
    taken: set[str] = set()
    for url in sorted(urls):
        kind = url.partition("://")[0].lower() if "://" in url else "unknown"
        kind = "".join(sign for sign in kind if sign.isalnum())[:20]
        # sixteen bits: enough to tell a handful apart, and useless for guessing what they were made of
        name = first = f"{kind}-{sha256(url.encode()).hexdigest()[:4]}"
        number = 1
        while name in taken:
            number += 1
            name = f"{first}-{number}"
        taken.add(name)
        found[url] = Address(name, url)
    return found
