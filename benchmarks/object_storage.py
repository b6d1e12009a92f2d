"""Logs in a bucket against the same logs on disk: ``python -m benchmarks.object_storage [PROJECT FOLDER | listing]``.

A real S3 server (nanio) on loopback, reached directly and through a proxy that adds 30 ms to every request, as the next
data centre would; every measurement in a process of its own, so that nothing is cached. Also: 100,000 objects listed.
The server is written in Python and is the slowest part of all this: what a cloud answers is quicker.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics.engines import remote
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.files import list_files

DELAY = 0.03
OBJECTS = 100_000
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark-secret",
    "AWS_REGION": "us-east-1",
}


def main(folder: Path) -> None:
    """Print seconds and megabytes asked for: opening, a scan of all numbers, the same again, a scan of one day."""
    with tempfile.TemporaryDirectory(prefix="assay-bucket-") as place:
        bucket = Path(place, "logs")
        shutil.copytree(folder, bucket)
        with _server(place) as port, _running("_delayed", port) as slow:
            text = (folder / "assay.toml").read_text()
            project = Path(place, "project")
            project.mkdir()
            (project / "assay.toml").write_text(text.replace('path = "', 'path = "s3://logs/'))
            print(
                f"{'':24}{'opening':>10}{'scan':>10}{'again':>10}{'one day':>10}{'MB asked':>10}{'peak GB':>10}"
            )
            for name, where, at in (
                ("disk", folder, port),
                ("bucket", project, port),
                ("bucket, 30 ms", project, slow),
            ):
                found = _child("_measured", at, str(where))
                shown = "".join(
                    f"{found[key]:>10.2f}" for key in ("opening", "scan", "again", "one_day", "asked", "peak")
                )
                print(f"{name:24}{shown}")


def listing() -> None:
    """Print how long a listing of 100,000 objects takes, and how much of it is this program's work."""
    with tempfile.TemporaryDirectory(prefix="assay-bucket-") as place:
        for day in range(400):
            (Path(place, "many") / f"day={day:03}").mkdir(parents=True)
            for name in range(OBJECTS // 400):
                (Path(place, "many") / f"day={day:03}" / f"{name:03}.parquet").write_bytes(b"PAR1")
        with _server(place) as port, _running("_delayed", port) as slow:
            found = _child("_listed", slow)
            print(
                f"listing, 30 ms: {found['seconds']:.0f} s for {found['objects']:,} objects, "
                f"{found['cpu']:.1f} s of it of this process"
            )


def _measured(folder: str) -> dict[str, float]:
    asked = [0]
    read_at = remote._Source.read_at  # noqa: SLF001

    def counted(source: object, count: int, start: int) -> bytes:
        data = read_at(source, count, start)  # type: ignore[arg-type]
        asked[0] += len(data)
        return data

    remote._Source.read_at = counted  # type: ignore[method-assign,assignment]  # noqa: SLF001
    begun = time.perf_counter()
    catalog = Catalog(read_project(Path(folder)))
    found = {"opening": time.perf_counter() - begun}
    numbers = [feature.column for feature in catalog.features if feature.kind == "numeric"]
    scan = f"SELECT {', '.join(f'sum({column})' for column in numbers)} FROM all_predictions"
    first = catalog.engine.query("SELECT min(ts) AS first FROM all_predictions").to_pylist()[0]["first"]
    day = f"{scan} WHERE ts < CAST('{first.isoformat()}' AS TIMESTAMP WITH TIME ZONE) + INTERVAL 1 DAY"
    for name, sql in (("one_day", day), ("scan", scan), ("again", scan)):
        begun = time.perf_counter()
        catalog.engine.query(sql)
        found[name] = time.perf_counter() - begun
    found["asked"] = asked[0] / 1e6
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return found


def _listed() -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    objects = len(list_files(Path(), ["s3://many"]))
    return {"objects": objects, "seconds": time.perf_counter() - begun, "cpu": time.process_time() - used}


def _child(what: str, port: int, *words: str) -> dict[str, float]:
    # what is known of files is kept there: nothing, so that every place is new
    nowhere = tempfile.mkdtemp(prefix="assay-nothing-known-")
    environment = os.environ | CREDENTIALS
    environment |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "ASSAY_AGGREGATES": nowhere,
        "XDG_CACHE_HOME": nowhere,
    }
    command = [sys.executable, "-m", "benchmarks.object_storage", what, *words]
    ended = subprocess.run(command, env=environment, capture_output=True, check=True)
    shutil.rmtree(nowhere, ignore_errors=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


@contextmanager
def _server(folder: str) -> Iterator[int]:
    keys = {
        "NANIO_ACCESS_KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "NANIO_SECRET_KEY": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
    port = _free_port()
    arguments = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--data-dir",
        folder,
        "--no-access-log",
        "--log-level",
        "error",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "nanio", "serve", *arguments], env=os.environ | keys
    ) as process:
        yield from _until_done(process, port)


@contextmanager
def _running(what: str, target: int) -> Iterator[int]:
    port = _free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.object_storage", what, str(port), str(target)]
    ) as process:
        yield from _until_done(process, port)


def _until_done(process: subprocess.Popen[bytes], port: int) -> Iterator[int]:
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _delayed(port: int, target: int) -> None:
    """Pass on what clients send after a while, and what comes back at once."""

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        try:
            while data := await reader.read(1 << 18):
                await asyncio.sleep(delay)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(passed(reader, back, DELAY), passed(there, writer, 0.0))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["_delayed", port, target]:
            asyncio.run(_delayed(int(port), int(target)))
        case ["_measured", folder]:
            print(json.dumps(_measured(folder)))
        case ["_listed"]:
            print(json.dumps(_listed()))
        case ["listing"]:
            listing()
        case [*words]:
            main(Path(words[0]) if words else Path("/tmp/big/daily-1000000-90"))  # noqa: S108
