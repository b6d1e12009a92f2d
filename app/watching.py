"""The watcher: looks at every project's alerts again and again, writes what changed, and tells whoever is to be told.

Everything it knows is in the logs and in the store, so it may be killed at any moment, and several may run at once.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from types import FrameType

from analytics.alerts.addresses import Addresses
from analytics.alerts.deliver import Send, Sent, deliver, tell, would_tell
from analytics.alerts.messages import Place
from analytics.alerts.said import read_said, with_said
from analytics.alerts.tell import Look, who_of
from analytics.errors import AssayError
from analytics.project import find_projects
from analytics.store import Store
from analytics.store.outbox import Draft, next_due
from analytics.store.seen import KeptState, Looked, kept_states
from analytics.workbench import Workbench
from analytics.workbench.of_alerts import HISTORY

LONGEST_INTERVAL = timedelta(minutes=5)
"""Rules are looked at this often at least: labels and silence do not wait for the end of a window."""
SHORTEST_INTERVAL = timedelta(seconds=30)
Say = Callable[[str], None]


@dataclass
class Watcher:
    """One process that watches.

    Attributes:
        path: a project file, its folder, or a workspace; found anew at every round.
        store: where everything is kept.
        addresses: whom to tell.
        base: address of the app, for links.
        send: one message to one address.
        say: a line for whoever runs it.
    """

    path: Path
    store: Store
    addresses: Addresses
    base: str
    send: Send
    say: Say
    _benches: dict[Path, tuple[tuple[int, int], Workbench]] = field(default_factory=dict)
    _problems: dict[Path, str] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)

    def run(self, interval: timedelta | None = None) -> None:
        """Look and tell until it is stopped.

        Args:
            interval: between two looks; the shortest cadence of the rules, within limits, where None.
        """
        with self._stopped_by_signals():
            due = datetime.now(UTC)
            while not self._stop.is_set():
                if datetime.now(UTC) >= due:
                    shortest = self.look()
                    due = datetime.now(UTC) + (interval or shortest)
                self.deliver()
                self._stop.wait(max((self._wake(due) - datetime.now(UTC)).total_seconds(), 0.05))

    def once(self) -> bool:
        """Look at every project and send what is due; whether every project could be looked at."""
        with self._stopped_by_signals():
            self.look()
            self.deliver()
        return not self._problems

    def look(self) -> timedelta:
        """Look at every project, and write what changed; how long until the next look."""
        cadences = [LONGEST_INTERVAL]
        for file, bench in self._open():
            with self._spoken(file):
                cadences += [rule.cadence for rule in bench.project.alerts.values()]
                found = tell(self.store, look_at(bench, self.store), self._place(bench), self.addresses)
                self._say_looked(bench, found)
                self._problems.pop(file, None)
        return max(min(cadences), SHORTEST_INTERVAL)

    def would_tell(self) -> list[tuple[str, Draft]]:
        """The messages that a look would write now, by project; nothing is written."""
        found = []
        for file, bench in self._open():
            with self._spoken(file):
                look = look_at(bench, self.store)
                drafts = would_tell(self.store, look, self._place(bench), self.addresses)
                found += [(bench.project.name, draft) for draft in drafts]
                self._problems.pop(file, None)
        return found

    def deliver(self) -> None:
        """Send everything that is due."""
        try:
            for sent in deliver(self.store, self.addresses, self.send, stop=self._stop.is_set):
                self._say_sent(sent)
        except AssayError as problem:
            self.say(f"messages wait: {problem}")

    def stop(self) -> None:
        """End after what is being done now."""
        self._stop.set()

    def close(self) -> None:
        """Close every project."""
        for _, bench in self._benches.values():
            bench.close()

    @property
    def failed(self) -> bool:
        """Whether a project could not be looked at the last time."""
        return bool(self._problems)

    def _open(self) -> Iterator[tuple[Path, Workbench]]:
        """Every project with rules; one whose file changed is read anew."""
        for file in self._files():
            if self._stop.is_set():
                return
            with self._spoken(file):
                state = file.stat()
                known = (state.st_mtime_ns, state.st_size)
                if file not in self._benches or self._benches[file][0] != known:
                    bench = Workbench(file, self.store)
                    if file in self._benches:
                        self._benches.pop(file)[1].close()
                    self._benches[file] = (known, bench)
                if self._benches[file][1].project.alerts:
                    yield file, self._benches[file][1]

    def _files(self) -> list[Path]:
        try:
            return list(find_projects(self.path))
        except AssayError as problem:
            self._speak(self.path, str(problem))
            return []

    @contextmanager
    def _spoken(self, file: Path) -> Iterator[None]:
        """A project that fails is named once for each problem, and hides no other."""
        try:
            yield
        except AssayError as problem:
            self._speak(file, str(problem))
        except OSError as problem:
            self._speak(file, f"{file}: {problem.strerror or problem}")

    def _speak(self, file: Path, problem: str) -> None:
        if self._problems.get(file) != problem:
            self.say(f"{file.parent.name}: cannot be looked at: {problem}")
        self._problems[file] = problem

    def _place(self, bench: Workbench) -> Place:
        return Place(bench.project.name, bench.project.zone, self.base)

    def _say_looked(self, bench: Workbench, looked: Looked) -> None:
        name, zone = bench.project.name, bench.project.zone
        if looked.behind is not None:
            when = f"{looked.behind.astimezone(zone):%Y-%m-%d %H:%M}"
            self.say(
                f"{name}: was looked at up to {when} already, later than the logs say it is now; nothing is told"
            )
        for message in looked.messages:
            nobody = (
                ""
                if self.addresses.route(message.severity)
                else "; nobody is told: ASSAY_NOTIFY names no address"
            )
            self.say(f"{name}: message {message.number}: {message.title}{nobody}")

    def _say_sent(self, sent: Sent) -> None:
        delivery = sent.claim.delivery
        what = f"{delivery.message.project}: message {delivery.message.number}: {delivery.address}"
        if sent.problem is None:
            self.say(f"{what}: sent")
        elif sent.state == "given_up":
            self.say(f"{what}: given up after {delivery.tries} tries: {sent.problem}")
        else:
            self.say(f"{what}: not sent, {sent.problem}; it is tried again")

    def _wake(self, due: datetime) -> datetime:
        try:
            waiting = next_due(self.store, self.addresses.by_name.keys())
        except AssayError:
            waiting = None
        # a clock that was set back, or an address that fails for good, must not make it spin
        soonest = datetime.now(UTC) + timedelta(seconds=1)
        return due if waiting is None else min(due, max(waiting, soonest))

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """Ends cleanly when asked to: after the message that is being sent, before the next one."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def look_at(bench: Workbench, store: Store) -> Look:
    """The alerts of a project as they are now.

    Raises:
        AssayError: they cannot be computed, or the store cannot be read.
    """
    at = bench.now()
    said = read_said(store, bench.project.name)
    kept = kept_states(store, bench.project.name)
    # who was away longer is told how things stand now, not what passed a season ago
    since = None if kept.looked_at is None else max(kept.looked_at, at - HISTORY)
    history = bench.alert_history(start=since, end=at) if since is not None else ()
    found = bench.standing()
    rows = with_said(found.alerts, said)
    # looking for causes takes longer than looking at the rules, and only what is told now needs one
    news = any(
        row.state == "firing" and kept.states.get(who_of(row), KeptState()).told != "firing" for row in rows
    )
    incidents = tuple(bench.claims(found) if news else found.incidents)
    return Look(at, tuple(bench.project.alerts), rows, incidents, history, said)


@contextmanager
def watching(
    path: Path, store: Store, addresses: Addresses, base: str, send: Send, say: Say
) -> Iterator[Watcher]:
    """A watcher that closes its projects at the end."""
    with closing(Watcher(path, store, addresses, base, send, say)) as watcher:
        yield watcher
