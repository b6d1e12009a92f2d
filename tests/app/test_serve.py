"""The server as a user meets it: a process started from any folder, asked over HTTP, told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from app import locations

# A server on a page of our own: these tests are about the server, whatever the real pages do.
LAUNCHER = """
import json, sys
from pathlib import Path
from app import locations
locations.main_script = lambda: Path(sys.argv[1])
import streamlit as st
from app import serve
names = json.loads(sys.argv[2])
def tell(_server):
    print(json.dumps({name: st.get_option(name) for name in names}), flush=True)
serve._when_started.append(tell)
serve.serve(Path(sys.argv[3]), port=0)
"""

PAGE = """
import duckdb, streamlit as st
from app import locations
st.set_page_config(page_title="Assay", page_icon=str(locations.icon()))
st.title("A page")
st.caption("small print")
st.text(str(locations.project()))
if st.button("run for ever"):
    st.write("running")
    duckdb.sql("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b").fetchall()
"""

HOSTILE_CONFIG = """
[browser]
gatherUsageStats = true
[runner]
postScriptGC = true
[theme.light]
backgroundColor = "#FF0000"
"""


def flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


# What Assay sets besides its file.
OWN = ("server.address", "server.allowedHosts", "logger.hideWelcomeMessage")


@pytest.fixture(scope="module")
def declared():
    return dict(flat(tomllib.loads(locations.streamlit_config().read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The project that is served, and beside it a Streamlit configuration that says the opposite of ours."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "elsewhere" / ".streamlit").mkdir(parents=True)
    (folder / "elsewhere" / ".streamlit" / "config.toml").write_text(HOSTILE_CONFIG)
    (folder / "launcher.py").write_text(LAUNCHER)
    (folder / "page.py").write_text(PAGE)
    return folder


@pytest.fixture(scope="module")
def start_page(start_server, folder):
    def start(options=()):
        words = [folder / "launcher.py", folder / "page.py", json.dumps(list(options)), folder]
        return start_server(command=[sys.executable, *map(str, words)], cwd=folder / "elsewhere")

    return start


@pytest.fixture(scope="module")
def served(start_page, declared):
    """A server that nobody stops, and the options in force there: starting one takes 3 processor seconds."""
    server = start_page([*declared, *OWN])
    return server, json.loads(server.process.stdout.readline())


def assay(*words, **options):
    command = [sys.executable, "-m", "app", *words]
    environment = os.environ | {"PYTHONPATH": str(locations.main_script().parent.parent)}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=60, **options
    )


def test_our_configuration_is_in_force_from_another_folder(served, declared):
    _, options = served
    assert {name: options[name] for name in declared} == declared
    assert len(declared) > 15


def test_health_and_loopback_only(served):
    server, options = served
    assert json.loads(server.get("/healthz")) == {"status": "ok"}
    assert options["server.address"] == "127.0.0.1"
    assert "127.0.0.1" in options["server.allowedHosts"]
    assert options["logger.hideWelcomeMessage"] is True  # its greeting asks the internet for our address
    port = int(server.url.rsplit(":", 1)[1])
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(start_page, number):
    server = start_page()
    status, seconds = server.stop(number)
    assert status == 0, server.messages
    assert seconds < 3


@pytest.mark.browser
def test_sigterm_ends_it_amid_a_query_of_an_open_session(start_page, browser):
    server = start_page()
    page = browser.new_page()
    page.goto(server.url)
    page.get_by_role("button", name="run for ever").click()
    page.get_by_text("running", exact=True).wait_for()
    status, seconds = server.stop()
    page.close()
    assert status == 0, server.messages
    assert seconds < 3
    assert "leaked" not in "".join(server.messages)


@pytest.mark.browser
@pytest.mark.parametrize("scheme,background", [("light", "rgb(255, 255, 255)"), ("dark", "rgb(23, 22, 20)")])
def test_a_browser_sees_our_theme_and_asks_nobody_else(served, browser, folder, scheme, background):
    server, _ = served
    page = browser.new_page(color_scheme=scheme)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(server.url)
    page.get_by_text("small print").wait_for()
    page.get_by_text(str(folder), exact=True).wait_for()  # the project it was started on
    seen = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    page.close()
    assert seen == background
    assert [
        url for url in asked if not url.startswith((server.url, server.url.replace("http", "ws"), "data:"))
    ] == []
    assert complaints == []


def test_a_taken_port_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = assay("serve", "--port", port)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"assay: port {port} on 127.0.0.1 is taken")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words,found",
    [
        (["serve", "/no/such/project"], "/no/such/project: no such file or folder"),
        (["serve", "--host", "203.0.113.7", "--port", "0"], "cannot listen on 203.0.113.7"),
        (["serve", "--port", "many"], "--port"),
        (["sevre"], "Did you mean 'serve'"),
    ],
)
def test_wrong_input_is_one_line(words, found):
    result = assay(*words)
    assert result.returncode == 2
    assert found in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "environment,opens",
    [({}, False), ({"DISPLAY": ":0"}, True), ({"DISPLAY": ":0", "CI": "true"}, False)],
)
def test_a_browser_is_opened_only_for_somebody(monkeypatch, environment, opens):
    from app import serve

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(serve.sys, "platform", "linux")
    assert serve._has_browser() is opens


def test_a_wheel_brings_the_logs_and_the_configuration(root, tmp_path):
    """Built as an index would serve it, unpacked elsewhere, and asked where its files are."""
    from hatchling import build

    before = Path.cwd()
    os.chdir(root)
    try:
        name = build.build_wheel(str(tmp_path))
    finally:
        os.chdir(before)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        wheel.extractall(tmp_path / "site")
    code = (
        "from app import locations as l; import tomllib;"
        "print(l.sample_logs()); print(l.icon().is_file(), l.main_script().is_file());"
        "print(tomllib.loads(l.streamlit_config().read_text())['runner']['postScriptGC'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
    )
    logs, files, collected = result.stdout.splitlines()
    assert Path(logs) == tmp_path / "site" / "app" / "bundled" / "sample_logs"
    projects = sorted(path.parent.name for path in root.glob("sample_logs/*/assay.toml"))
    assert sorted(path.parent.name for path in Path(logs).glob("*/assay.toml")) == projects != []
    assert files == "True True"
    assert collected == "False"


def test_no_page_lies_where_the_server_answers_something_else():
    from app.parts.links import PAGES
    from app.serve import app

    # the routes of the app are Streamlit's own business; what we hand it is kept there
    assert not {route.path.strip("/") for route in app._user_routes} & {*PAGES}
