"""Debian's own packages, where the tests may install them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def is_root() -> bool:
    """Whether we may install packages at all."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def is_debian_root() -> bool:
    """Whether this is Debian itself, and we may install packages."""
    release = Path("/etc/os-release")
    return is_root() and release.is_file() and "ID=debian" in release.read_text(encoding="utf-8").splitlines()


def install(package: str) -> None:
    """Install one package; whether it worked is for the caller to look."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdin=subprocess.DEVNULL)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
