"""A mistake in a project file is one clear line, and the other projects of the workspace are shown."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.tab import PAGES, Tab

GOOD, WRONG_KEY, NO_FILE, NO_TOML, NO_LOGS = "good", "wrong_key", "no_file", "no_toml", "no_logs"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, root):
    """The regression sample, and beside it four projects with one mistake each."""
    folder = tmp_path_factory.mktemp("workspace")
    sample = root / "sample_logs" / "flights_minutes"
    shutil.copytree(sample, folder / GOOD)
    text = (sample / "assay.toml").read_text(encoding="utf-8")
    beside = re.sub(r'"(predictions|training|labels|reference)/', rf'"{sample}/\1/', text)
    mistakes = {
        WRONG_KEY: text.replace("timestamp =", "timestmp =", 1),
        NO_FILE: 'name = "nowhere"\n[predictions]\npath = "nowhere/*.parquet"\ntask = "binary"\n'
        'timestamp = "t"\nscore = "s"\n',
        NO_TOML: 'name = "half\n[predictions',
        NO_LOGS: beside.replace("NYC flights", "Other flights").replace(
            '"predicted_minutes"', '"predicted_seconds"'
        ),
    }
    for name, content in mistakes.items():
        (folder / name).mkdir()
        (folder / name / "assay.toml").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(start_server, workspace):
    """A server on the workspace."""
    running = start_server(workspace)
    yield running
    running.stop()


def says_one_line(tab: Tab, *words: str) -> None:
    """The mistake stands there as a line a reader understands."""
    said = tab.main.inner_text()
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert 'File "' not in said
    expect(tab.main.get_by_test_id("stException")).to_have_count(0)
    tab.check()


def test_the_overview_names_what_is_broken_and_shows_the_rest(open_tab, server):
    tab = open_tab(server.url)
    tab.open("overview")
    says_one_line(tab, "timestmp", "predicted_seconds", "nowhere", NO_TOML)
    assert tab.tile("Mean absolute error")[0]
    for name in (WRONG_KEY, NO_TOML):
        expect(tab.main.get_by_text(f"{name} cannot be opened")).to_be_visible()
    with tab.run(to="quality"):
        tab.main.get_by_role("button", name="Quality").first.click()
    expect(tab.main.get_by_role("combobox", name="Project")).to_have_value("NYC flights: minutes late")
    assert tab.headline
    assert "Traceback" not in "".join(server.messages)


# Every page of every one of them is looked at without a browser, in tests/app/test_main.py.
@pytest.mark.parametrize(
    "project, words, pages",
    [
        (WRONG_KEY, ["timestmp", "timestamp"], PAGES[1:3]),
        (NO_TOML, ["assay.toml", "line 1"], PAGES[3:5]),
        (NO_LOGS, ["predicted_seconds"], PAGES[5:]),
    ],
)
def test_each_page_of_a_broken_project_says_one_line(open_tab, server, project, words, pages):
    tab = open_tab(server.url)
    for page in pages:
        tab.open(page, project="Other flights: minutes late" if project == NO_LOGS else project)
        says_one_line(tab, *words)
    assert "Traceback" not in "".join(server.messages)


def test_a_broken_project_alone_is_served_and_says_one_line(open_tab, start_server, workspace):
    alone = start_server(workspace / WRONG_KEY)
    tab = open_tab(alone.url)
    for page in ("overview", "quality"):
        tab.open(page)
        says_one_line(tab, "timestmp", "timestamp")
    assert "Traceback" not in "".join(alone.messages)
    alone.stop()


def test_a_word_that_means_nothing_is_one_line_and_a_way_out(tab):
    tab.open("quality", project="NYC flight delays", where="carier=EV", range="30d")
    says_one_line(tab, "carier", "carrier")
    with tab.run():
        tab.main.get_by_role("button", name="Back to the default view").click()
    assert tab.headline
    assert tab.words == {}


@pytest.mark.parametrize(
    "words", [{"start": "2013-13-45"}, {"start": "2013-08-01", "end": "2013-07-01"}, {"as_of": "x"}]
)
def test_a_time_that_is_none_is_one_line(tab, words):
    tab.open("drift", project="NYC flight delays", **words)
    says_one_line(tab, next(iter(words.values())))
