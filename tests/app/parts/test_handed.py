"""Answers go from process to process, and nothing that could run code goes with them."""

from __future__ import annotations

import io
import os
import pickle
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.engines.text import Sql
from analytics.scope import Scope
from app.parts.handed import packed, unpacked


@pytest.mark.parametrize(
    "value",
    [
        Scope(
            start=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), end=datetime(2026, 2, 1, tzinfo=UTC)
        ),
        [(("key", b"words"), packed(1), 1000)],
        {"late": timedelta(days=1), "order": OrderedDict(a=(1, 2.5, None))},
        Sql("SELECT ?", (1,)),
    ],
)
def test_an_answer_arrives_as_it_was(value) -> None:
    found = unpacked(io.BytesIO(packed(value)))
    assert found == value
    assert repr(found) == repr(value)  # a zone by its name, not by its offset


@pytest.mark.parametrize("dtype", ["f8", "i8", "?", "U3", "O", "M8[us]"])
def test_arrays_arrive_with_their_type(dtype: str) -> None:
    array = np.arange(6).astype(dtype) if dtype != "O" else np.array(["a", None, 1.5], dtype=object)
    for one in (array, array[::2], array[0], np.asfortranarray(np.stack([array, array]))):
        found = unpacked(io.BytesIO(packed(one)))
        assert found.dtype == one.dtype if hasattr(one, "dtype") else type(found) is type(one)
        np.testing.assert_array_equal(found, one)


class _Runs:
    """Reading it as a pickle calls what it names."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.said = function, arguments

    def __reduce__(self):
        return self.said


def test_nothing_in_it_is_run(tmp_path: Path) -> None:
    for value in (
        _Runs(os.system, f"touch {tmp_path}/ran"),
        _Runs(eval, f"open('{tmp_path}/ran', 'w')"),
        _Runs(getattr, Path, "home"),
        _Runs(Path, str(tmp_path)),
        type,
    ):
        with pytest.raises(pickle.UnpicklingError, match="not what answers are made of"):
            unpacked(io.BytesIO(pickle.dumps([value])))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module, name",
    [
        ("analytics.workbench", "Workbench"),  # ours, and no result
        ("analytics.workbench", "Path"),  # reached through a module of ours
        ("analytics.ask.sizes", "sys"),
        ("analytics.ask.sizes", "bytes_of"),
        ("analytics.ask.sizes", "nothing"),
        ("analytics_of_others", "Row"),
        ("numpy", "load"),
        ("numpy._core.multiarray", "fromfile"),
        ("datetime", "sys"),
    ],
)
def test_only_names_that_answers_need_are_taken(module: str, name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="not what answers are made of"):
        unpacked(io.BytesIO(f"c{module}\n{name}\n.".encode()))
