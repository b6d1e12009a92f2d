"""A PostgreSQL of our own for as long as a test session lasts: made by initdb in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl; Debian keeps one a version, off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    if found:
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def missing() -> str | None:
    """Why no PostgreSQL can be started here; None where one can."""
    if binaries() is None:
        return "no PostgreSQL here: apt-get install postgresql runs these tests on it, too"
    if os.geteuid() == 0 and not _has_user("postgres"):
        return "PostgreSQL does not run as root, and there is no user postgres to run it as"
    return None


@dataclass
class Cluster:
    """One running server that is reached by a socket in its own folder."""

    folder: Path
    made: int = 0

    @classmethod
    def start(cls) -> Cluster:
        cluster = cls(Path(tempfile.mkdtemp(prefix="assay_pg_")))
        if os.geteuid() == 0:
            shutil.chown(cluster.folder, "postgres")
        cluster.run(
            "initdb",
            "--no-sync",
            "-A",
            "trust",
            "-U",
            "assay",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
            cluster.data,
        )
        cluster.begin()
        return cluster

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def begin(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder} -c max_connections=40 -c shared_buffers=16MB"
        # a busy machine takes its time to recover
        self.run(
            "pg_ctl",
            "-D",
            self.data,
            "-w",
            "-t",
            "300",
            "-l",
            str(self.folder / "log"),
            "-o",
            options,
            "start",
        )

    def crash(self) -> None:
        """End it as a power failure would, and begin again: it recovers from its log."""
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        self.begin()

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql:///{database}?host={self.folder}&user=assay"

    def fresh(self) -> str:
        """The URL of a new database."""
        import psycopg

        self.made += 1
        name = f"store_{self.made}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, program: str, *arguments: str, check: bool = True) -> None:
        folder = binaries()
        assert folder is not None
        who = {"user": "postgres"} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(folder / program), *arguments], check=check, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,
        )  # fmt: skip


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
