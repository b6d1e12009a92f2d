"""A real server that speaks S3 (and checks signatures), on loopback, one a test process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ACCESS_KEY = "AssayTestsAccess"
SECRET_KEY = "a-secret-that-must-never-be-shown"


@dataclass(frozen=True)
class Bucket:
    """A bucket of the server; its objects are the files of a folder."""

    name: str
    folder: Path
    endpoint: str

    def url(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    pytest.importorskip(
        "nanio", reason="the S3 server of the tests is not installed: pip install 'assay-ml[dev]'"
    )
    folder = tmp_path_factory.mktemp("s3")
    port = _free_port()
    environment = os.environ | {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
    command = [sys.executable, "-m", "nanio", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--data-dir", str(folder), "--no-access-log", "--log-level", "error"], env=environment
    ) as process:
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}", folder
        finally:
            process.terminate()


@pytest.fixture
def bucket(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """An empty bucket, and the environment that reaches it."""
    endpoint, folder = server
    reach(monkeypatch, endpoint)
    name = f"logs-{abs(hash(tmp_path)) % 10**12}"
    (folder / name).mkdir()
    return Bucket(name, folder / name, endpoint)


@pytest.fixture(scope="session")
def google_server() -> Iterator[str]:
    pytest.importorskip(
        "gcp_storage_emulator", reason="the emulator is not installed: pip install 'assay-ml[dev]'"
    )
    port = _free_port()
    arguments = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=assay-logs"]
    with subprocess.Popen(
        [sys.executable, "-m", "gcp_storage_emulator", *arguments], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def reach(monkeypatch: pytest.MonkeyPatch, endpoint: str, secret: str = SECRET_KEY) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "the S3 server ended"
        time.sleep(0.05)
    raise AssertionError("the S3 server does not listen")
