"""Alerts and incidents made by hand, and somebody to tell them to."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

from analytics.alerts.messages import Place
from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.alerts.tell import Look

T0 = datetime(2026, 7, 5, 18, tzinfo=UTC)
PLACE = Place("Flights", ZoneInfo("America/New_York"), "https://assay.example")


PROJECT = """name = "{name}"
clock = "logs"

[predictions]
path = "log.csv"
task = "binary"
id = "id"
timestamp = "at"
score = "score"
decision = "decided"
label = "label"
segments = ["carrier"]
features = []
"""
RULES = """
[alerts.accuracy_floor]
metric = "accuracy"
below = 0.7
window = "1 day"
severity = "page"
suggest = "retrain"
note = "The floor of the contract."
runbook = "https://wiki.example/floor"
"""


def minutes(number):
    return T0 + timedelta(minutes=number)


def row(state="firing", alert="floor", value=None, since=T0, incident=1, **said):
    """`row("ok", "floor", "UA")`: an alert of carrier UA that is ok."""
    return AlertRow(**({
        "alert": alert, "state": state, "severity": "page", "metric": "roc_auc", "feature": None, "version": None,
        "segment": None if value is None else "carrier", "segment_value": value, "value": 0.61, "ci_low": 0.58,
        "ci_high": 0.64, "n": 1234, "threshold": 0.65, "baseline": None, "since": since, "looked_at": T0,
        "window_start": T0 - timedelta(hours=4), "window_end": T0,
        "evidence": "/changed?project=Flights&metric=roc_auc", "flaps": 0, "suggest": None,
        "incident": incident if state in {"firing", "recovering", "silenced"} else None,
        "sentence": "AUC is under its limit.", "reason": None,
    } | said))  # fmt: skip


def incident(number=1, key="i", alerts=("floor",), since=T0, **said):
    return IncidentRow(**({
        "incident": number, "key": key, "severity": "page", "state": "firing", "since": since, "alerts": alerts,
        "n_targets": len(alerts), "version": None, "segment": None, "segment_value": None,
        "window_start": T0 - timedelta(hours=4), "window_end": T0, "sentence": "AUC fell to .61 (.58 to .64).",
        "cause": "temp is missing in 40 % of the rows", "action": "fix_upstream",
        "evidence": "/changed?project=Flights&range=custom",
    } | said))  # fmt: skip


def look(*rows, at=T0, incidents=None, rules=("floor", "delay"), **said):
    return Look(at, rules, rows, [incident()] if incidents is None else incidents, **said)


class Endpoint:
    """A webhook on this machine that remembers what it was told, and may be down."""

    def __init__(self, url):
        self.url = url
        self.taken = []
        self.asked = 0
        self.refuse = lambda _: False
        self.slow = 0.0  # seconds until it answers what it has taken
        self.lock = threading.Lock()

    def numbers(self):
        return [message["number"] for message in self.taken]


@contextmanager
def endpoint():
    """A running `Endpoint`; `refuse` of the number of the request makes it answer 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with known.lock:
                known.asked += 1
                down = known.refuse(known.asked)
                if not down:
                    known.taken.append(
                        {"number": self.headers.get("X-Assay-Message"), "headers": dict(self.headers)}
                        | json.loads(body)
                    )
            time.sleep(known.slow)
            self.send_response(500 if down else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Endpoint(f"json://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


def small_project(folder, *, name="Small", days=6, bad=2, rules=RULES):
    """Six days of sixty predictions each, the last two decided wrong; its clock ends with its logs."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(4)
    lines = ["id,at,score,decided,label,carrier"]
    for day in range(days):
        for number in range(60):
            label = draw.random() < 0.5
            right = draw.random() < (0.25 if day >= days - bad else 0.95)
            decided = label if right else not label
            at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day, minutes=20 * number)
            score = 0.5 + (0.3 if decided else -0.3) + draw.uniform(-0.1, 0.1)
            carrier = "AB"[number % 2]
            lines.append(f"{day}-{number},{at.isoformat()},{score:.3f},{int(decided)},{int(label)},{carrier}")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    (folder / "assay.toml").write_text(PROJECT.format(name=name) + rules)
    return folder
