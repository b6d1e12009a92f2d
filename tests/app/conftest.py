"""Pages under test: AppTest on the main script, and small projects for what the sample logs do not show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from analytics.errors import AssayError
from app import locations
from app.parts.workspace import _workspace

SECONDS = 180
"""After which a page hangs. The Overview opens every sample project: 10 processor seconds, 95 on a crowded machine."""
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def errors_in_full():
    """The app hides the text of an unexpected error; a failing test must show it."""
    config.set_option("client.showErrorDetails", "full")


@pytest.fixture(scope="session", autouse=True)
def known_components() -> Iterator[None]:
    """Streamlit reads what every installed package says of itself, once a server, but anew for each AppTest."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: list(found))
        yield


class _KnownPages(PagesManager):
    """AppTest forgets the pages between runs, and so a callback could not switch to one; a server does not."""

    known: ClassVar[dict[str, Any]] = {}

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        if self.known:
            self._set_pages(dict(self.known))

    def set_pages_and_resolve(self, pages: dict[str, Any], *arguments: Any, **words: Any) -> Any:
        type(self).known = pages
        return super().set_pages_and_resolve(pages, *arguments, **words)


@pytest.fixture
def open_page(monkeypatch) -> Callable[..., AppTest]:
    """`open_page("quality", project, range="all")`: the page as a link with these parameters opens it."""

    shown: list[Path] = []

    def opened(page: str, logs: Path | None = None, /, **parameters: Any) -> AppTest:
        if logs is not None and not _is_kept(logs.resolve()):
            shown.append(logs.resolve())
        monkeypatch.setattr(app_test, "PagesManager", _KnownPages)
        monkeypatch.setenv(locations.PROJECT_VARIABLE, str(logs or locations.sample_logs()))
        test = AppTest.from_file(str(locations.main_script()), default_timeout=SECONDS)
        for name, value in parameters.items():
            test.query_params[name] = value
        if page != "overview":
            # a page's address is the name of its file, so it is known before the first run, and the Overview with all
            # that it computes need not be drawn first
            test.switch_page(f"views/{page}.py")
        return test.run()

    yield opened
    # answers on the sample logs, and on projects that no test changes, are kept, as a server keeps them
    for path in shown:
        _close(path)


def _is_kept(folder: Path) -> bool:
    return folder.is_relative_to(locations.sample_logs()) or folder in KNOWN


def _close(path: Path) -> None:
    """Let go of a small project."""
    try:
        entries = _workspace(str(path)).entries()
    except AssayError:
        entries = ()
    for entry in entries:
        if entry.bench is not None:
            entry.bench.close()
    _workspace.clear(str(path))


def texts(test: AppTest) -> str:
    """Everything a page says in sentences, for `in`."""
    parts = [element.value for kind in ("markdown", "caption", "code") for element in getattr(test, kind)]
    said = "\n".join(str(part) for part in parts)
    # logged text is escaped (app.parts.plain); here it reads as on the screen
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", said.replace("\u2060", ""))


def charts(test: AppTest) -> list[dict[str, Any]]:
    """The figures of a page."""
    return [json.loads(element.proto.spec) for element in test.get("plotly_chart")]


def assert_fine(test: AppTest) -> None:
    """No traceback on the page."""
    assert not test.exception, "\n".join(f"{e.message}\n{''.join(e.stack_trace)}" for e in test.exception)


@pytest.fixture
def make_project(tmp_path) -> Callable[..., Path]:
    """`make_project(rows=500, labels="both")`: a small project of the test's own, on disk; see `write_small`."""

    def made(name: str = "small", **said: Any) -> Path:
        return write_small(tmp_path / name, **said)

    return made


KNOWN: dict[Path, tuple[Any, ...]] = {}
"""Folders of the projects that no test changes, and what was said of each."""


@pytest.fixture(scope="session")
def known_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """The same, for tests that only look: who says the same gets the same project, open and with its answers.

    A dozen tests look at most of them, each at another page or section. Not for tests that write to the folder, or that
    patch what an answer depends on.
    """

    def known(**said: Any) -> Path:
        key = tuple(sorted(said.items()))
        for folder, of in KNOWN.items():
            if of == key:
                return folder
        folder = write_small(tmp_path_factory.mktemp("known").resolve() / "small", **said)
        KNOWN[folder] = key
        return folder

    yield known
    for folder in KNOWN:
        _close(folder)
    KNOWN.clear()


def write_small(
    folder: Path, *, task: str = "binary", rows: int = 500, labels: str = "both", reference: bool = True
) -> Path:
    """Write a small project of one day an hundred rows.

    Args:
        folder: where; its name is the project's.
        task: binary, multiclass or regression.
        rows: how many predictions; 0 writes files without rows.
        labels: "both" classes, "one" class only, or "none".
        reference: whether the first fifth is declared to be the reference.
    """
    folder.mkdir()
    frame = _predictions(task, rows, labels)
    frame.to_parquet(folder / "predictions.parquet", index=False)
    text = _project_file(folder.name, task, labels, reference=reference and rows > 5)
    (folder / "assay.toml").write_text(text)
    return folder


def _predictions(task: str, rows: int, labels: str) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    score = draw.uniform(0.02, 0.98, rows)
    truth = draw.uniform(size=rows) < score
    frame = pd.DataFrame({
        "id": [f"p{i}" for i in range(rows)],
        "at": pd.to_datetime([START + timedelta(minutes=14.4 * i) for i in range(rows)], utc=True),
        "version": np.where(np.arange(rows) % 2, "b", "a"),
        "place": draw.choice(["north", "south"], rows),
        "size": draw.normal(10, 3, rows),
    })  # fmt: skip
    if task == "multiclass":
        frame["p_x"], frame["p_y"], frame["p_z"] = score * 0.7, score * 0.3, 1 - score
        frame["decision"] = np.where(score > 0.6, "x", "z")
        label = pd.Series(np.where(truth, draw.choice(["x", "y"], rows), "z"))
    elif task == "regression":
        frame["score"] = score * 100
        label = pd.Series(score * 100 + draw.normal(0, 10, rows))
    else:
        frame["score"] = score
        frame["decision"] = (score >= 0.5).astype(int)
        label = pd.Series(truth.astype(int))
    if labels == "one":
        label[:] = {"binary": 0, "multiclass": "z"}.get(task, 50.0)
    frame["label"] = (
        label if labels != "none" else pd.Series([None] * rows, dtype=label.dtype if rows == 0 else object)
    )
    if labels == "none" and rows:
        frame["label"] = frame["label"].astype({"multiclass": "string"}.get(task, "Float64"))
    return frame


def _project_file(name: str, task: str, labels: str, *, reference: bool) -> str:
    score = '{ x = "p_x", y = "p_y", z = "p_z" }' if task == "multiclass" else '"score"'
    decision = "" if task == "regression" else 'decision = "decision"\n'
    window = "[reference]\nstart = 2024-01-01\nend = 2024-01-02\n" if reference else ""
    return (
        f'name = "{name}"\n[predictions]\npath = "predictions.parquet"\ntask = "{task}"\nid = "id"\n'
        f'timestamp = "at"\nscore = {score}\n{decision}label = "label"\nversion = "version"\n'
        f'features = ["place", "size"]\nsegments = ["place"]\n{window}'
    )
