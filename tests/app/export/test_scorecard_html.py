"""The scorecard as a file: parses, asks for nothing, holds every number, and logged text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.experiments.rows import Check
from app import cli
from app.charts.experiment_tables import records_table
from app.charts.experiment_words import effect, p_value
from app.export.figures import bins_figure, days_figure
from app.export.page import cell, document, element, table
from app.export.scorecard import About, scorecard_html
from tests.app.charts import experiment_samples as samples
from tests.app.views.experiment_projects import shop

VOID = {"meta", "br", "img", "hr", "input", "link"}
ABOUT = About("Shop", datetime(2026, 1, 5, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"), (("Digest", "abc"),))
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{7*7}} </title></style> \x00\u202e"


class Reader(HTMLParser):
    """Tags in order, every attribute, every text; fails where tags do not nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(content):
    reader = Reader()
    reader.feed(content.decode("utf-8"))
    assert reader.open == []
    return reader, " ".join("".join(reader.text).split())


def page(card=None, about=ABOUT):
    return scorecard_html(samples.scorecard() if card is None else card, about)


def test_it_asks_for_nothing():
    reader, _ = read(page())
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base"} & set(reader.tags)
    assert not [a for a in reader.attributes if a[1] in {"src", "href", "action"} or a[1].startswith("on")]
    assert b"http://" not in page()
    assert b"https://" not in page()
    assert not re.search(rb"url\(|@import", page())
    policy = next(
        value for _, name, value in reader.attributes if name == "content" and "default-src" in value
    )
    assert policy.startswith("default-src 'none'")


def test_every_comparison_is_there_with_its_numbers():
    card = samples.scorecard()
    _, text = read(page(card))
    assert card.decision.sentence in text
    assert card.correction in text
    for row in card.headline_rows():
        assert row.metric in text
        assert " ".join(effect(row).split()) in text
        assert p_value(row.p_adjusted) in text
    for facts in card.metrics:
        assert facts.definition in text
    assert "Harm that is allowed: 2% of the control." in text
    assert "Made on 2026-01-05 13:00 (Europe/Berlin)" in text
    assert "Digest: abc" in text


def test_every_word_is_explained():
    _, text = read(page())
    assert text.count("How to read it:") == text.count("What it does not say:") >= 10
    assert "**" not in text


def test_health_and_checks_are_told():
    checks = (
        Check("sample_ratio", "blocks", "The split is broken on day 5."),
        Check("novelty", "warns", "The effect falls with age."),
    )
    reader, text = read(page(replace(samples.scorecard(), checks=checks)))
    assert "Blocks: The split is broken on day 5." in text
    assert "Warns: The effect falls with age." in text
    assert ("span", "class", "blocks") in reader.attributes


def test_hostile_text_stays_text():
    rows = [
        replace(samples.row(EVIL, badge="better"), variant=EVIL, control=EVIL, warnings=EVIL, reason=EVIL)
    ]
    facts = (replace(samples.FACTS[0], name=EVIL, definition=EVIL, means=EVIL, logged_as=EVIL),)
    card = samples.scorecard(
        rows, name=EVIL, control=EVIL, variants=(EVIL,), metrics=facts, sql=(EVIL,), correction=EVIL
    )
    reader, text = read(page(card, replace(ABOUT, project=EVIL, facts=((EVIL, EVIL),))))
    assert not {"script", "img"} & set(reader.tags)
    assert reader.tags.count("title") == 1
    assert "<script>alert(1)</script>" in text
    assert b"\x00" not in page(card)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_any_text_parses(text):
    reader, _ = read(document(text, element("p", text, element("b", text), text, title=text)))
    assert [tag for tag in reader.tags if tag in {"p", "b"}] == ["p", "b"]


def test_tables_show_values_as_people_read_them():
    frame = pd.DataFrame(
        {"n": [1234567, 2], "x": [0.123456, None], "text": ["a", None], "yes": [True, False]}
    )
    _, text = read(document("t", table(frame)))
    assert "1,234,567" in text
    assert "0.123" in text
    assert (cell(None), cell(float("nan")), cell(True)) == ("–", "–", "yes")


def test_the_bar_of_a_lift_is_a_picture_of_the_page():
    reader, _ = read(page())
    drawn = [row for row in samples.scorecard().headline_rows() if row.lift_ci_adjusted_low is not None]
    bars = [a for a in reader.attributes if a == ("svg", "height", "28")]
    assert len(bars) == len(drawn)


def test_charts_have_a_name():
    card = samples.scorecard(metrics=(replace(samples.FACTS[1], name="conversion"),))
    reader, _ = read(page(card))
    names = [value for tag, name, value in reader.attributes if (tag, name) == ("svg", "aria-label")]
    assert names[0].startswith("Effect of B on units first exposed")


def test_days_are_drawn_where_they_have_a_value():
    assert days_figure([], "mean") is None
    assert days_figure(samples.days(3, known=False), "mean") is None
    drawn = days_figure(samples.days(28), "proportion")
    assert [child.tag for child in drawn][:3] == ["polygon", "line", "polyline"]
    # without a lift the difference is drawn
    texts = [
        child.text for child in days_figure(samples.days(28, lift=False), "proportion") if child.tag == "text"
    ]
    assert any("pp" in text for text in texts)
    assert days_figure(samples.days(28)[:1], "proportion") is not None


def test_bins_are_drawn_for_every_arm():
    bins = samples.bins()
    drawn = bins_figure(bins, ("A", "B"))
    assert sum(child.tag == "rect" for child in drawn) == 2 * len({(row.low, row.high) for row in bins})
    assert bins_figure([], ("A", "B")) is None
    assert bins_figure([replace(row, share=0.0) for row in bins], ("A", "B")) is None


def test_nobody_is_in_an_arm():
    card = samples.scorecard([], arms=(), days=(), bins=(), metrics=(), health=samples.health((0, 0)))
    _, text = read(page(card))
    assert card.decision.sentence in text


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path / "kept" / "store.sqlite3"))

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(map(str, words)))
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


def test_the_command_writes_a_page(run, tmp_path):
    project = shop(tmp_path / "shop", name="=shop")
    run("decide", project, "new_shop", "--call", "ship", "--by", "Ana", "--note", "It sells.")
    file = tmp_path / "scorecard.html"
    file.write_text("old")
    status, out, err = run("experiment", project, "new_shop", "-o", file)
    assert (status, out) == (0, "")
    assert f"the scorecard of new_shop is in {file}" in err
    _, text = read(file.read_bytes())
    _, records, _ = run("experiment", project, "new_shop", "--json")
    for record in orjson.loads(records):
        assert record["metric"] == "srm" or record["metric"] in text
    assert "It sells." in text
    assert "As known on" not in text
    run("experiment", project, "new_shop", "-o", file, "--as-of", "2024-03-05")
    assert "As known on: 2024-03-05" in read(file.read_bytes())[1]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_command_writes_records(run, tmp_path):
    project = shop(tmp_path / "shop")
    file = tmp_path / "scorecard.csv"
    assert run("experiment", project, "new_shop", "--output", file)[0] == 0
    frame = pd.read_csv(file)
    records = orjson.loads(run("experiment", project, "new_shop", "--json")[1])
    assert list(frame["metric"]) == [record["metric"] for record in records]
    assert frame["p_value"][0] == pytest.approx(records[0]["p_value"])


@pytest.mark.parametrize(
    "name,problem", [("x.pdf", "written as .html or .csv"), ("no/such/x.html", "cannot be written")]
)
def test_a_file_that_cannot_be_written(run, tmp_path, name, problem):
    status, _, err = run("experiment", shop(tmp_path / "shop"), "new_shop", "-o", tmp_path / name)
    assert status == 2
    assert problem in err


def test_of_several_projects_one_is_written(run, tmp_path):
    shop(tmp_path / "work" / "one", name="one")
    shop(tmp_path / "work" / "two", name="two")
    status, _, err = run("experiment", tmp_path / "work", "new_shop", "-o", tmp_path / "x.html")
    assert status == 2
    assert "name one of them" in err


def test_a_store_that_cannot_be_read_is_told_in_the_page(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path))
    assert run("experiment", shop(tmp_path / "shop"), "new_shop", "-o", tmp_path / "x.html")[0] == 0
    assert "Decisions: " in read((tmp_path / "x.html").read_bytes())[1]


def test_the_file_of_records_holds_those_of_the_command_line():
    card = samples.scorecard()
    beside = replace(card, others=(replace(card.rows[0], method="uncapped"),))
    handed = records_table(beside)
    assert list(handed["method"]) == [row.method for row in beside.records]
    assert "uncapped" in set(handed["method"])
