"""A process beside the server: runs pages without a browser, and hands over what they asked.

Reads a line of JSON a view (``project``, ``page``, ``words`` of the address) and answers each with a list of key,
answer and bytes in memory of every answer it had not handed over yet (`app.parts.handed`). `app.parts.ahead` starts it.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Hashable
from threading import Thread
from typing import Any, BinaryIO

from streamlit.testing.v1 import AppTest

from analytics.ask.sizes import bytes_of
from analytics.errors import QueryTimeoutError
from app import locations
from app.parts import building
from app.parts.ask import answers
from app.parts.handed import packed

SECONDS = 120
"""A page that takes longer is left to who asks for it."""
_LOOK_SECONDS = 0.5


def main() -> None:
    """Answer until nobody asks any more."""
    Thread(target=_end_with, args=(os.getppid(),), name="assay-parent", daemon=True).start()
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    building.leave_alone()
    known: set[Hashable] = set()
    for line in sys.stdin.buffer:
        show(json.loads(line))
        _hand_over(known, told)


def show(asked: dict[str, Any]) -> None:
    """Run one page as its link opens it."""
    os.environ[locations.PROJECT_VARIABLE] = asked["project"]
    page = AppTest.from_file(str(locations.main_script()), default_timeout=SECONDS)
    for name, value in asked["words"].items():
        page.query_params[name] = value
    if asked["page"] != "overview":
        page.switch_page(f"views/{asked['page']}.py")
    try:
        page.run()
    except RuntimeError:
        return  # it took too long


def _end_with(server: int) -> None:
    """End when the server is gone, however it went: a page would first be run to its end, for nobody."""
    while os.getppid() == server:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


def _hand_over(known: set[Hashable], told: BinaryIO) -> None:
    found = []
    for key, answer in answers().items():
        if key in known or isinstance(answer, QueryTimeoutError):
            continue
        known.add(key)
        try:
            found.append((key, packed(answer), bytes_of(answer)))
        except (pickle.PicklingError, TypeError, AttributeError):
            continue  # something that lives in this process only
    told.write(packed(found))
    told.flush()


if __name__ == "__main__":
    main()
