"""Matrix products take one thread, unless somebody says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_ASK = (
    "import app.cli, numpy, threadpoolctl; "
    "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] == 'blas'})"
)


@pytest.mark.parametrize("said, threads", [(None, 1), ("2", 2)])
def test_products_take_the_threads_they_are_given(said: str | None, threads: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if said is not None:
        environment["OPENBLAS_NUM_THREADS"] = said
    told = subprocess.run(
        [sys.executable, "-c", _ASK], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str({threads} if (os.cpu_count() or 1) >= threads else {1})
