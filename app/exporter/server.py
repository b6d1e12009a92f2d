"""Where Prometheus fetches the numbers: `/metrics` of the app, or a small server of its own beside `assay watch`."""

from __future__ import annotations

import errno
import ipaddress
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest, start_http_server
from prometheus_client.core import CollectorRegistry
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from analytics.errors import AssayError
from app import locations

EVERY_SECONDS = 60.0
LOOPBACK = "127.0.0.1"
ONLY_HERE = "the numbers are for this machine only; serve with --host to let others in\n"

_for_everybody = threading.Event()
_registries: dict[Path, CollectorRegistry] = {}
_lock = threading.Lock()


class MetricsServerError(AssayError):
    """The numbers cannot be served where they were told to be."""


def let_others_in() -> None:
    """Whoever runs the server has opened it to other machines: the numbers are then for them, too."""
    _for_everybody.set()


async def metrics_route(request: Request) -> Response:
    """Answer `/metrics`: the last numbers; asking often computes nothing more."""
    if not _for_everybody.is_set() and not _is_from_here(request):
        return PlainTextResponse(ONLY_HERE, status_code=403)
    text = await run_in_threadpool(lambda: generate_latest(_registry(locations.project())))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _is_from_here(request: Request) -> bool:
    """Whether the visitor sits on this machine and asked for it by its own name (DNS rebinding uses another)."""
    client = request.client.host if request.client is not None else ""
    try:
        near = ipaddress.ip_address(client.removeprefix("::ffff:")).is_loopback
    except ValueError:
        near = False
    name = request.url.hostname or ""
    return near and name in {"localhost", LOOPBACK, "::1"}


def _registry(path: Path) -> CollectorRegistry:
    with _lock:
        if path not in _registries:
            _registries[path] = _new_registry(path, EVERY_SECONDS)
        return _registries[path]


def _new_registry(path: Path, every: float) -> CollectorRegistry:
    # imports pandas and DuckDB: the server says what is wrong with its address before that
    from app.exporter.collect import registry  # noqa: PLC0415

    return registry(path, every)


def start_metrics_server(
    path: Path, port: int, *, host: str = LOOPBACK, every: float = EVERY_SECONDS
) -> WSGIServer:
    """Serve the numbers of a workspace from a thread of this process; for `assay watch --metrics-port`.

    Args:
        path: a project file, its folder, or a workspace.
        port: to listen on; 0 takes a free one (``server.server_port`` tells).
        host: to listen on; others reach it only where this is not loopback.
        every: seconds between two computations at least.

    Returns:
        The server; ``shutdown`` and ``server_close`` end it.

    Raises:
        MetricsServerError: the address cannot be listened on.
    """
    try:
        server, _ = start_http_server(port, addr=host, registry=_new_registry(path, every))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = (
            f"port {port} on {host} is taken; name another one"
            if taken
            else f"{host} port {port}: {error.strerror}"
        )
        raise MetricsServerError(f"--metrics-port: {why}") from error
    return server
