"""What a peer measures in an interpreter of its own, where Assay's environment cannot have it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def lines_of(
    script: str,
    tool: str,
    python: str | None,
    runs: int,
    surroundings: Mapping[str, str] | None = None,
    words: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The JSON lines that a script prints of one tool; none, with a word why, where the tool is not there.

    Args:
        script: the benchmark, which takes ``RUNS --only TOOL``.
        tool: its name.
        python: the interpreter that has it; None where none was named.
        runs: how many.
        surroundings: variables of its environment besides.
        words: what the script takes besides.
    """
    if python is None:
        print(f"{tool} is left out: name an interpreter that has it with --{tool} PYTHON", file=sys.stderr)
        return []
    command = [python, "-W", "ignore", script, str(runs), "--only", tool, *words]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(surroundings or {})},
        )
    except OSError as error:
        print(f"{tool} is left out: {python} cannot be run ({error.strerror})", file=sys.stderr)
        return []
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        print(f"{tool} is left out: {last}", file=sys.stderr)
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
