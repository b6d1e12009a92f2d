"""The documentation is true: its Python examples run, its project file is read, its links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from analytics.project import read_project
from analytics.project.experiments import Counts, Events, Experiment, Exposures, Guardrail, Metric, Units

ROOT = Path(__file__).parents[2]
METHODS = sorted((ROOT / "docs" / "methods" / "experiments").glob("*.md"))
PAGES = [
    *METHODS,
    *(ROOT / "docs" / name for name in ("project-file.md", "alerts.md", "on-call.md")),
    ROOT / "README.md",
]
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", METHODS, ids=_named)
def test_examples_give_what_is_printed(page):
    failed, _ = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert not failed


def test_every_method_has_an_example_or_needs_none():
    without = {page.stem for page in METHODS if ">>>" not in page.read_text(encoding="utf-8")}
    assert without == {"README", "cumulative", "decisions", "peers", "reading-logs", "trust"}


def test_every_method_is_in_the_index():
    index = (ROOT / "docs" / "methods" / "experiments" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in METHODS if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page):
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            assert anchor[1:] in _anchors(file), f"{target}{anchor}"


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.fixture
def described():
    return (ROOT / "docs" / "project-file.md").read_text(encoding="utf-8")


def test_the_example_of_experiments_is_a_project_file(described, tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", described, re.DOTALL)
    [example] = [text for text in examples if "[experiments." in text]
    (tmp_path / "assay.toml").write_text(f'name = "Example"\n{example}', encoding="utf-8")
    project = read_project(tmp_path / "assay.toml")
    assert list(project.experiments) == ["new_ranker"]
    assert {metric.kind for metric in project.metrics.values()} == {"mean", "proportion", "ratio"}


@pytest.mark.parametrize(
    "heading, section",
    [
        ("### `[exposures]`", Exposures),
        ("### `[events]`", Events),
        ("### `[units]`", Units),
        ("### `[counts]`", Counts),
        ("### `[metrics.NAME]`", Metric),
        ("### `[experiments.NAME]`", Experiment),
        ("### `[experiments.NAME]`", Guardrail),
    ],
)
def test_every_key_is_described(described, heading, section):
    part = described.split(heading, 1)[1].split("\n### ", 1)[0]
    assert [key for key in section.model_fields if f"`{key}`" not in part] == []
