from __future__ import annotations

from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from analytics.experiments.plan_rows import PlanAsk
from analytics.experiments.power import Terms, power_of, sentence
from analytics.experiments.presets import PRESETS, preset_row
from analytics.workbench import Workbench
from app import locations
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop

FLIGHTS = locations.sample_logs() / "flights"


def tile(page, label):
    return next(metric for metric in page.metric if metric.label.startswith(label))


def pasted(page):
    """The text that the page offers to copy: the sentence, and the words of the link below it."""
    text = page.code[-1].value
    said, _, link = text.rpartition("\n")
    return said, parse_qs(urlsplit(link).query)


def test_is_useful_at_once(open_page):
    page = open_page("plan", FLIGHTS)
    assert_fine(page)
    row = power_of("proportion", baseline=0.1, lift=0.1)
    assert sentence(row) in texts(page)
    assert tile(page, "Units an arm").value == "14,751"
    assert tile(page, "Units in all").value == "29,502"
    assert tile(page, "Days").value == "–"
    assert len(charts(page)) == 1


@pytest.mark.parametrize(
    "words,asked",
    [
        (
            {"baseline": "12.5%", "difference": "1.5%", "power": "90%", "daily_units": "1,200"},
            {"kind": "proportion", "baseline": 0.125, "difference": 0.015, "power": 0.9, "daily_units": 1200},
        ),
        (
            {"metric_kind": "mean", "baseline": "20", "sd": "8", "lift": "0.05", "variants": "3"},
            {"kind": "mean", "baseline": 20, "standard_deviation": 8, "lift": 0.05, "variants": 3},
        ),
        (
            {"baseline": "0.2", "n": "4000", "shares": "9:1", "one_sided": "true", "alpha": "1%"},
            {"kind": "proportion", "baseline": 0.2, "n_per_variant": 4000, "shares": (0.9, 0.1), "one_sided": True,
             "alpha": 0.01},
        ),
        (
            {"metric_kind": "count", "baseline": "3", "lift": "10%", "n": "900"},
            {"kind": "count", "baseline": 3, "lift": 0.1, "n_per_variant": 900},
        ),
    ],
)  # fmt: skip
def test_agrees_with_the_analysis(open_page, words, asked):
    page = open_page("plan", FLIGHTS, **words)
    assert_fine(page)
    row = power_of(**asked)
    assert sentence(row) in texts(page)
    assert tile(page, "Units in all").value == f"{row.n_total:,}"
    if row.days is not None:
        assert tile(page, "Days").value == f"{row.days:,}"
    assert charts(page)[0]["data"]


def test_the_text_to_paste_holds_the_sentence_and_a_link_that_opens_the_same(open_page):
    page = open_page("plan", FLIGHTS)
    page.text_input(key="baseline").set_value("4%")
    page.text_input(key="daily_units").set_value("500").run()
    page.selectbox(key="one_sided").select("true").run()
    said, words = pasted(page)
    assert said.startswith("To see")
    assert words["baseline"] == ["4%"]
    assert words["lift"] == ["10%"], "what stood in grey is in the link"
    again = open_page("plan", FLIGHTS, **{word: value[0] for word, value in words.items()})
    assert_fine(again)
    assert pasted(again)[0] == said
    assert [metric.value for metric in again.metric] == [metric.value for metric in page.metric]


@pytest.mark.parametrize(
    "words,says",
    [
        ({"baseline": "many"}, 'baseline: "many" is not a number; write one such as 10% or 0.1'),
        ({"baseline": "120%"}, "baseline"),
        ({"lift": "10%", "difference": "1%"}, "either as a lift or as a difference"),
        ({"n": "1.5"}, "whole number"),
        ({"n": "-5"}, "whole number"),
        ({"alpha": "0"}, "alpha"),
        ({"shares": "1:1:1"}, "shares"),
        ({"shares": "a:b"}, "the split"),
        ({"lift": "0"}, "a difference of 0"),
        ({"daily_units": "-3"}, "day"),
        ({"metric_kind": "mean", "sd": "0"}, "standard deviation"),
    ],
)
def test_wrong_input_is_one_line(open_page, words, says):
    page = open_page("plan", FLIGHTS, **words)
    assert_fine(page)
    line = next(line for line in texts(page).splitlines() if line.startswith("##### "))
    assert "cannot be planned" in line
    assert says in line
    assert page.text_input(key="baseline")


def test_what_cannot_be_reached_says_why(open_page):
    page = open_page("plan", FLIGHTS, baseline="50%", n="3", variants="2")
    assert_fine(page)


def test_the_baseline_of_the_logs_stands_in_until_one_is_typed(open_page, tmp_path):
    folder = shop(tmp_path / "shop")
    with closing(Workbench(folder)) as bench:
        known = bench.history(name="new_shop", metric="spent")
    page = open_page("plan", folder, baseline_from="logs", metric="spent")
    assert_fine(page)
    row = power_of(
        "mean", baseline=known.baseline, standard_deviation=known.standard_deviation, lift=0.1,
        daily_units=known.daily_units,
    )  # fmt: skip
    assert sentence(row) in texts(page)
    page.text_input(key="daily_units").set_value("10").run()
    assert tile(page, "Days").value == f"{-(-row.n_total // 10):,}"
    _, words = pasted(page)
    assert "baseline_from" not in words, "the link means the same when the logs have grown"
    assert float(words["baseline"][0]) == pytest.approx(known.baseline)


def test_without_experiments_there_is_nothing_to_take_from_the_logs(open_page, known_project):
    page = open_page("plan", known_project())
    assert_fine(page)
    assert not [box for box in page.selectbox if box.key == "baseline_from"]
    assert tile(page, "Units an arm").value == "14,751"


TERMS = {
    "metric_kind": "mean", "baseline": "20", "sd": "8", "lift": "-5%", "goal": "non-inferiority", "relative": "true",
    "metrics": "2", "power_for": "all", "r2": "30%", "design_effect": "1.5", "stopping": "group-sequential",
    "looks": "4", "boundary": "pocock",
}  # fmt: skip


def test_terms_of_the_form_are_those_of_the_analysis(open_page):
    page = open_page("plan", FLIGHTS, **TERMS)
    assert_fine(page)
    terms = Terms(
        "non-inferiority", relative=True, metrics=2, power_for="all", r2=0.3, design_effect=1.5,
        stopping="group-sequential", looks=4, boundary="pocock",
    )  # fmt: skip
    row = power_of("mean", baseline=20, standard_deviation=8, lift=-0.05, terms=terms)
    assert sentence(row) in texts(page)
    assert tile(page, "Units in all").value == f"{row.n_total:,}"
    said, words = pasted(page)
    again = open_page("plan", FLIGHTS, **{word: value[0] for word, value in words.items()})
    assert_fine(again)
    assert pasted(again)[0] == said


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fill_the_form_in(open_page, name):
    page = open_page("plan", FLIGHTS, sd="3", r2="50%", n="7")
    page.button(key=f"preset_{name}").click().run()
    assert_fine(page)
    assert sentence(preset_row(name)) in texts(page)


@pytest.mark.parametrize(
    "words,says",
    [
        ({"r2": "120%"}, "explains"),
        ({"design_effect": "0"}, "design effect"),
        ({"stopping": "always-valid", "looks": "1.5"}, "whole number"),
        ({"goal": "equivalence", "stopping": "always-valid"}, "leave the stopping fixed"),
    ],
)
def test_terms_that_make_no_sense_are_one_line(open_page, words, says):
    page = open_page("plan", FLIGHTS, **words)
    assert_fine(page)
    line = next(line for line in texts(page).splitlines() if line.startswith("##### "))
    assert says in line


def test_from_the_logs(open_page, tmp_path):
    folder = shop(tmp_path / "shop")
    with closing(Workbench(folder)) as bench:
        found = bench.planned(name="spent", asked=PlanAsk(lift=0.2))
    page = open_page("plan", folder, section="logs", of="spent", lift="20%")
    assert_fine(page)
    assert found.sentence in texts(page)
    fixed = next(row for row in found.rows if row.stopping == "fixed")
    assert tile(page, "Units in all").value == f"{fixed.n_total:,}"
    drawn = charts(page)
    assert len(drawn) == 3
    assert len(drawn[0]["data"]) >= 8
    said, words = pasted(page)
    assert said.startswith("Seeing spent change by +20%")
    assert words["of"] == ["spent"]
    assert words["lift"] == ["20%"]


def test_every_metric_is_ranked_from_the_logs(open_page, tmp_path):
    page = open_page("plan", shop(tmp_path / "shop"), section="logs", of="*")
    assert_fine(page)
    ranked = next(frame.value for frame in page.dataframe if "For" in frame.value)
    assert set(ranked["Metric"]) == {"bought", "spent"}
    page.selectbox(key="metric").select("spent").run()
    assert_fine(page)
    assert "spent: baseline over one to four weeks" in texts(page)


@pytest.mark.parametrize(
    "words,says",
    [
        ({"lift": "much"}, "not a number"),
        ({"within": "0"}, "within 1 to 182"),
        ({"within": "1.5"}, "whole number"),
        ({"traffic": "0"}, "above 0"),
        ({"shares": "a:b"}, "the split"),
    ],
)
def test_nonsense_from_the_logs_is_one_line(open_page, tmp_path, words, says):
    page = open_page("plan", shop(tmp_path / "shop"), section="logs", of="spent", **words)
    assert not page.exception
    assert says in texts(page)


def test_without_metrics_there_is_only_the_typed_plan(open_page, known_project):
    page = open_page("plan", known_project(), section="logs")
    assert_fine(page)
    assert tile(page, "Units an arm").value == "14,751"
