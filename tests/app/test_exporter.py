"""What Prometheus is told: names and labels that a parser reads, bounded, computed seldom, for this machine only."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from app import locations
from app.exporter import families
from app.exporter.collect import Numbers, registry
from app.exporter.families import NAMES, Sample
from app.exporter.server import MetricsServerError, let_others_in, metrics_route, start_metrics_server
from tests.ask.projects import BINARY, START, write_project

DASHBOARD = Path(__file__).resolve().parents[2] / "docs/grafana/assay.json"
HOSTILE = 'we"ird\\na\nme {x="1"}'
ROLES = BINARY + (
    'version = "version"\nfeatures = ["size"]\nlatency = "ms"\nstatus = "status"\nok_status = ["ok"]\nunit = "who"\n'
)
SECTIONS = """
[reference]
start = 2024-01-01
end = 2024-01-10
[objectives.answered]
kind = "availability"
share = 0.99
[assertions.in_range]
expect = "score <= 1"
[metrics.clicked]
kind = "ratio"
source = "predictions"
numerator = "label"
denominator = "1"
[alerts.too_many_errors]
metric = "error_rate"
above = 0.9
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    n, random = 6_000, np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "ts": START + pd.to_timedelta(np.arange(n) * 4, unit="min"), "score": random.random(n),
            "label": random.integers(0, 2, n), "size": random.normal(size=n), "ms": random.gamma(3, 10, n),
            "version": HOSTILE, "who": random.integers(0, 500, n).astype(str),
            "status": random.choice(["ok", "bad"], n, p=[0.98, 0.02]),
        }
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("exporter") / "project"
    bench = write_project(folder, frame, ROLES, SECTIONS)
    bench.close()
    file = folder / "assay.toml"
    file.write_text(file.read_text().replace('name = "test"', 'name = "test"\nclock = "logs"'))
    return folder


@pytest.fixture(scope="module")
def text(project):
    return generate_latest(registry(project)).decode()


def parsed(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_name_is_known_and_every_kind_of_number_is_there(text):
    found = {name for name, _ in parsed(text)}
    assert found <= set(NAMES)
    for name in (
        "assay_quality", "assay_service", "assay_drift", "assay_outcome", "assay_label_coverage",
        "assay_objective_budget_left", "assay_objective_burn_rate", "assay_assertion_broken_share",
        "assay_alert_state", "assay_freshness_seconds", "assay_project_up",
    ):  # fmt: skip
        assert name in found, name
    assert {"assay_quality_ci_low", "assay_quality_ci_high", "assay_service_ci_low"} <= found


def test_labels_are_those_declared_and_hostile_values_are_escaped(text):
    for (name, labels), value in parsed(text).items():
        assert tuple(sorted(NAMES[name][1])) == tuple(label for label, _ in labels)
        assert np.isfinite(value)
    versions = {
        dict(labels)["version"] for (name, labels), _ in parsed(text).items() if name == "assay_requests"
    }
    assert versions == {HOSTILE}


def test_an_interval_holds_its_value(text):
    found = parsed(text)
    for (name, labels), value in found.items():
        if name.endswith(("_ci_low", "_ci_high")):
            inner = found[name.removesuffix("_ci_low").removesuffix("_ci_high"), labels]
            assert value <= inner if name.endswith("_ci_low") else value >= inner


def test_an_alert_is_in_one_state(text):
    states = [
        (dict(labels)["state"], value)
        for (name, labels), value in parsed(text).items()
        if name == "assay_alert_state"
    ]
    assert {state for state, _ in states} == set(families.STATES)
    assert [state for state, value in states if value == 1.0] == ["ok"]


def test_a_flood_of_visitors_computes_once(project):
    numbers = Numbers(project, every=1e6)
    calls = []
    numbers.compute = lambda: (
        calls.append(1) or time.sleep(0.2) or [Sample("assay_project_up", ("test",), 1.0)]
    )
    threads = [threading.Thread(target=lambda: list(numbers.collect())) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert [family.name for family in numbers.collect()] == [
        "assay_project_up", "assay_computed_timestamp_seconds", "assay_computing_seconds",
    ]  # fmt: skip


def test_unchanged_logs_are_not_read_again_and_a_broken_project_is_down(project, tmp_path):
    numbers = Numbers(project)
    first = numbers.compute()
    began = time.monotonic()
    assert numbers.compute() == first
    assert time.monotonic() - began < 1.0
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "assay.toml").write_text('name = "x"\n[predictions]\npath = "none.parquet"\ntask = "binary"\n')
    assert Numbers(broken).compute() == [Sample("assay_project_up", ("broken",), 0.0)]
    assert Numbers(tmp_path / "nothing").compute() == []


def test_a_project_brings_no_more_series_than_it_may():
    samples = [Sample("assay_requests", ("p", str(i), "1h"), 1.0) for i in range(families.MOST_SERIES + 7)]
    found = families.bounded("p", [*samples, samples[0]])
    assert len(found) == families.MOST_SERIES + 1
    assert found[-1] == Sample("assay_series_left_out", ("p",), 7.0)


def test_freshness_is_never_negative():
    now = datetime(2024, 1, 1, tzinfo=UTC)
    found = families.freshness("p", {"predictions": now + timedelta(hours=1), "labels": None}, now)
    assert found == [Sample("assay_freshness_seconds", ("p", "predictions"), 0.0)]


def test_a_number_without_a_value_is_a_gap():
    row = SimpleNamespace(
        version=None,
        metric="roc_auc",
        class_=None,
        value=None,
        ci_low=None,
        ci_high=None,
        n_labelled=3,
        status="too_few",
    )
    assert [sample.name for sample in families.quality("p", [row], "7d")] == [
        "assay_quality_labelled_rows", "assay_quality_immature",
    ]  # fmt: skip


def answer(host, client):
    """The app's answer to a visitor who asks for it by a name."""
    scope = {
        "type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "scheme": "http",
        "headers": [(b"host", f"{host}:8501".encode())], "server": (host, 8501), "client": (client, 5),
    }  # fmt: skip
    # in a thread of its own: a browser of earlier tests leaves a loop running in this one
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(metrics_route(Request(scope)))).result()


def test_the_app_answers_this_machine_only(project, monkeypatch):
    monkeypatch.setenv(locations.PROJECT_VARIABLE, str(project))
    monkeypatch.setattr("app.exporter.server._registries", {})
    here = answer("127.0.0.1", "127.0.0.1")
    assert here.status_code == 200
    assert here.headers["content-type"].startswith("text/plain")
    assert b"assay_project_up" in here.body
    assert answer("localhost", "::1").status_code == 200
    assert answer("127.0.0.1", "192.0.2.7").status_code == 403
    assert answer("evil.example", "127.0.0.1").status_code == 403  # another name for this machine


def test_where_the_server_is_open_the_numbers_are_too(project, monkeypatch):
    monkeypatch.setenv(locations.PROJECT_VARIABLE, str(project))
    opened = threading.Event()
    monkeypatch.setattr("app.exporter.server._for_everybody", opened)
    assert answer("assay.example", "192.0.2.7").status_code == 403
    let_others_in()
    assert answer("assay.example", "192.0.2.7").status_code == 200


def test_beside_watch_there_is_a_server_of_its_own(project):
    server = start_metrics_server(project, 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=60) as answer:
            assert b"assay_project_up" in answer.read()
        with pytest.raises(MetricsServerError, match="is taken"):
            start_metrics_server(project, server.server_port)
    finally:
        server.shutdown()
        server.server_close()


def queries():
    """Every query of the dashboard, also those of its variables."""
    board = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return found + [
        variable["query"] for variable in board["templating"]["list"] if variable["type"] == "query"
    ]


def test_the_dashboard_asks_only_for_names_and_labels_that_are_told():
    assert len(queries()) > 10
    for query in queries():
        names = set(re.findall(r"\bassay_\w+", query))
        assert names, query
        assert names <= set(NAMES), query
        for name, inside in re.findall(r"(assay_\w+)\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)\s*=~?", inside)) <= set(NAMES[name][1]), query


def test_every_panel_of_the_dashboard_has_a_place_and_a_title():
    board = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken = set()
    for panel in board["panels"]:
        assert panel["title"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
