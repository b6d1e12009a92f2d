"""The server: Streamlit's pages and `/healthz` in one process, bound to loopback unless told otherwise.

`serve` is what `assay serve` runs. `app` is the same server for `uvicorn app.serve:app` and
`streamlit run app/serve.py`; those two read Streamlit's own configuration files and variables instead.
"""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import ipaddress
import os
import pkgutil
import signal
import socket
import sys
import threading
import tomllib
import webbrowser
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import analytics
import app as application
from analytics.errors import AssayError
from app import locations
from app.exporter import server as exporter

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8501
STOP_SECONDS = 5
"""A server told to stop is gone after this long, whatever its queries are doing."""


class ServerError(AssayError):
    """The server cannot start where it was told to."""


async def healthz(_request: Request) -> Response:
    """Answer that the process is up; nothing is read and nothing is computed for it."""
    return JSONResponse({"status": "ok"})


@asynccontextmanager
async def lifespan(server: st.App) -> AsyncGenerator[None, None]:
    """Import what the pages need before the first visitor comes, then call what waits for the start."""
    preload()
    # What the imports made stays; no later collection needs to walk through it.
    gc.collect()
    gc.freeze()
    for call in _when_started:
        call(server)
    _begin_ahead()
    try:
        yield
    finally:
        # Frozen objects would be reported as leaked; and what will not end must not keep the process.
        gc.unfreeze()
        last_call = threading.Timer(STOP_SECONDS, os._exit, args=(0,))
        last_call.daemon = True
        last_call.start()


def _begin_ahead() -> None:
    # with all that pages import, which `preload` did: whoever only asks for help does not wait for it
    importlib.import_module("app.parts.ahead").begin()


def preload() -> None:
    """Import everything the pages import; the first visitor would wait seconds for pandas and SciPy."""
    for package in (analytics, application):
        for name in _modules(package):
            importlib.import_module(name)


def _modules(package: ModuleType) -> Iterator[str]:
    """Names of the modules of a package, without scripts, the command line and other entries."""
    skipped = ("app.main", "app.views", "app.commands", "app.cli", "app.serve", "app.__main__", "app.bundled")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(skipped):
            yield module.name


_when_started: list[Callable[[st.App], None]] = []

app = st.App(
    locations.main_script(),
    lifespan=lifespan,
    routes=[Route("/healthz", healthz), Route("/metrics", exporter.metrics_route)],
)


def serve(
    project: Path | None = None,
    *,
    host: str = LOOPBACK,
    port: int = DEFAULT_PORT,
    open_browser: bool = False,
    first_page: str = "",
) -> None:
    """Serve the app on a project or workspace until the process is told to stop.

    Args:
        project: a project file, its folder or a workspace; the sample logs where None.
        host: the address to listen on. Others can reach the app only where this is not loopback.
        port: the port to listen on; 0 takes any free one. The address is printed on standard error.
        open_browser: open the user's browser once the server answers, if there is one to open.
        first_page: path and words of the page to open there.

    Raises:
        ServerError: if the project does not exist, or the address cannot be listened on.
    """
    shown = (project or locations.sample_logs()).expanduser().resolve()
    if not shown.exists():
        raise ServerError(f"{shown}: no such file or folder; give a folder that holds an assay.toml")
    _check_address(host, port)
    if not _is_loopback(host):
        exporter.let_others_in()
    os.environ[locations.PROJECT_VARIABLE] = str(shown)
    page = first_page if open_browser else None
    _when_started.append(lambda _server: _announce(host, shown, page))
    signal.signal(signal.SIGTERM, _exit_quietly)
    signal.signal(signal.SIGINT, _exit_quietly)
    app.run(config=configuration(host, port))


def configuration(host: str, port: int) -> dict[str, Any]:
    """Streamlit's options as Assay's own file sets them, whatever folder the server is started from.

    Streamlit looks for its file in the folder it was started from; options handed over by name are in
    force everywhere, and before those of any file.
    """
    with locations.streamlit_config().open("rb") as file:
        options = dict(_flatten(tomllib.load(file)))
    options |= {
        "server.address": host,
        "server.port": port,
        # Its greeting looks up the machine's address on the internet when it listens everywhere.
        "logger.hideWelcomeMessage": True,
    }
    if _is_loopback(host):
        # A page elsewhere may name this machine (DNS rebinding); only we ourselves may be asked for.
        options["server.allowedHosts"] = ["localhost", LOOPBACK, "[::1]", host]
    return options


def _flatten(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_address(host: str, port: int) -> None:
    """Bind once and let go, so that a taken port is one line and not a log of the server's."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ServerError(f"--host {host}: this machine has no such address ({error.strerror})") from error
    with socket.socket(family, kind) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise ServerError(_why_not(host, port, error)) from error


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; stop what listens there, or take a free one with --port 0"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def _announce(host: str, project: Path, page: str | None) -> None:
    port = st.get_option("server.port")  # the real one, where 0 was asked for
    wildcard = host in {"0.0.0.0", "::"}  # noqa: S104
    shown = "localhost" if wildcard else f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    everywhere = " (and on every other address of this machine)" if wildcard else ""
    print(f"Assay shows {project}\n  {url}{everywhere}\nCtrl+C stops it.", file=sys.stderr, flush=True)  # noqa: T201
    if page is not None and _has_browser():
        # The socket listens already; the page loads as soon as this start-up step is over.
        threading.Thread(target=webbrowser.open, args=(url + page,), daemon=True).start()


def _has_browser() -> bool:
    """Whether somebody sits in front of a screen: not in CI, not over a bare SSH line."""
    if os.environ.get("CI"):
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _exit_quietly(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Being told to stop is not a failure. uvicorn hands the signal on to this once it has closed down.

    What was registered for the exit is run (DuckDB's spill folder goes), but the interpreter is not taken
    apart: a thread inside a query that still runs would be torn out of DuckDB and abort the process.
    """
    atexit._run_exitfuncs()  # noqa: SLF001
    os._exit(0)
