"""A real Apache Spark cluster on this machine: a master, two workers and a Spark Connect server, each a process.

The pip package holds no start scripts, but its `spark-class` starts every part. All listen on 127.0.0.1.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pyspark

START_SECONDS = 240
_HOME = Path(pyspark.__file__).parent
_QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""No program lives a minute: what the best compiler takes is never won back, and starting takes half the time."""
_CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


def java_missing() -> str | None:
    """Why no Java program can be started here; None where one can."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java") or (shutil.which("java", path=f"{home}/bin") if home else None)
    if java is None:
        return "Apache Spark needs Java 17 or newer, and there is no `java`: apt-get install openjdk-17-jre-headless"
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SparkCluster:
    """Started on entering, ended on leaving, whatever happens between."""

    workers: int = 2
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="assay-spark-")))
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.processes)):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return f"sc://127.0.0.1:{self.connect_port}"

    def _start(self) -> None:
        port, self.web_port, self.connect_port = free_port(), free_port(), free_port()
        master = f"spark://127.0.0.1:{port}"
        package = "org.apache.spark.deploy"
        self._run("master", f"{package}.master.Master", "--host", "127.0.0.1", "--port", str(port),
                  "--webui-port", str(self.web_port))  # fmt: skip
        self._wait("the master", lambda: self.state() is not None)
        for i in range(self.workers):
            self._run(
                f"worker-{i}", f"{package}.worker.Worker", "--host", "127.0.0.1", "--cores", "1",
                "--memory", "900m", "--webui-port", str(free_port()),
                "--work-dir", str(self.folder / f"work-{i}"), master,
            )  # fmt: skip
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.connect_port),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "900m",
            "spark.executor.memory": "700m",
            "spark.executor.cores": "1",
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            # of a few thousand rows there is nothing to adapt to, and asking takes half the time
            "spark.sql.adaptive.enabled": "false",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.local.dir": str(self.folder / "local"),
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            # a lost worker is noticed in seconds, as its socket closes
            "spark.network.timeout": "60s",
        }
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        self._run("connect", f"{package}.SparkSubmit", "--master", master, *options, "--class", _CONNECT,
                  "--name", "assay-contract", "spark-internal")  # fmt: skip
        self._wait("the workers", lambda: len(self.alive()) == self.workers)
        self._wait("the Connect server", self._listens)

    def _run(self, name: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "SPARK_HOME": str(_HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "400m" if name != "connect" else "900m",
            "SPARK_SCALA_VERSION": "2.13",
            "SPARK_NO_DAEMONIZE": "1",
            "JAVA_TOOL_OPTIONS": _QUICK_START,
        }
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [str(_HOME / "bin" / "spark-class"), *arguments],
                stdout=log, stderr=log, env=environment, cwd=self.folder, start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # one system call, before any thread
            )  # fmt: skip

    def _wait(self, what: str, ready: Any) -> None:
        until = time.monotonic() + START_SECONDS
        while not ready():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    text = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{name} ended while {what} was awaited:\n{text}")
            if time.monotonic() > until:
                raise TimeoutError(f"{what} did not come up within {START_SECONDS} s")
            time.sleep(0.2)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.connect_port)) == 0

    def state(self) -> dict[str, Any] | None:
        """What the master's page says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/json/", timeout=5) as answer:
                return dict(json.load(answer))
        except OSError:
            return None

    def alive(self) -> list[str]:
        """The workers that the master counts on."""
        found = (self.state() or {}).get("workers", [])
        return [worker["id"] for worker in found if worker["state"] == "ALIVE"]

    def kill(self, name: str) -> None:
        """End a part and everything it started (a worker's executor leads a group of its own), at once."""
        process = self.processes.pop(name)
        for child in _descendants(process.pid):
            _kill(child)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_with_parent() -> None:
    """A test that is killed leaves no cluster (Linux; an executor ends with its worker)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
    # a JVM starts processes from any of its threads
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(word) for word in task.read_text().split()]
        except (OSError, ValueError):
            continue
    return [one for child in dict.fromkeys(children) for one in (*_descendants(child), child)]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
