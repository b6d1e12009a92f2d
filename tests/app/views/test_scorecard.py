from __future__ import annotations

from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts, compare_means
from analytics.workbench import Workbench
from app import locations
from app.charts.experiment_words import p_value
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop

FLIGHTS = locations.sample_logs() / "flights"
COUNTS = "A 378/3662\nB 462/3568"
ARMS = [TypedArm("A", 3662, 378), TypedArm("B", 3568, 462)]


def sentence(page):
    """The first line, sign included, for `in`."""
    return next(line for line in texts(page).splitlines() if line.startswith("##### "))


def tile(page, label):
    return next(metric for metric in page.metric if metric.label.startswith(label))


def shared(page):
    """The words of the link that the page offers to copy."""
    return parse_qs(urlsplit(page.code[0].value).query)


def test_typed_counts_give_the_verdict_of_the_analysis(open_page):
    page = open_page("scorecard", FLIGHTS, source="counts", counts=COUNTS)
    assert_fine(page)
    card = compare_counts(ARMS, "A")
    assert card.decision.sentence in sentence(page)
    assert tile(page, "Lift of conversion").value == "+25.4%"
    assert tile(page, "Split").value == "–"
    assert tile(page, "Units").value == "7,230"
    assert len(page.metric) == 4
    table = page.dataframe[0].value
    assert list(table["Verdict"]) == ["▲ ship"]
    assert list(table["p"]) == [p_value(card.rows[0].p_adjusted)]
    assert list(table["n"]) == ["3,662 / 3,568"]
    assert table["Interval"][0].startswith("data:image/svg+xml;base64,")
    assert len(charts(page)) == 1


def test_everything_typed_is_in_the_link_and_the_link_opens_it(open_page):
    page = open_page("scorecard", FLIGHTS)
    page.segmented_control(key="source").set_value("counts").run()
    assert "Type two arms or more" in sentence(page)
    page.text_area(key="counts").set_value("old 378/3662\nnew 462/3568\nother 400/3600").run()
    page.selectbox(key="control").select("new").run()
    page.selectbox(key="direction").select("down").run()
    page.text_input(key="alpha").set_value("10%").run()
    page.text_input(key="split").set_value("1:1:1").run()
    assert_fine(page)
    words = shared(page)
    assert words["counts"] == ["old 378/3662\nnew 462/3568\nother 400/3600"]
    assert {"source", "control", "direction", "alpha", "split"} <= set(words)
    again = open_page("scorecard", FLIGHTS, **{word: value[0] for word, value in words.items()})
    assert_fine(again)
    assert sentence(again) == sentence(page)
    assert [metric.value for metric in again.metric] == [metric.value for metric in page.metric]
    assert "planned 33.3%" in texts(again)


def test_means_go_by_welch(open_page):
    page = open_page("scorecard", FLIGHTS, source="means", means="A 10.9, 2.8, 10; B 11.2, 3.1, 2158")
    assert_fine(page)
    arms = [TypedArm("A", 10, None, 10.9, 2.8), TypedArm("B", 2158, None, 11.2, 3.1)]
    assert compare_means(arms, "A").decision.sentence in sentence(page)
    assert "only 10 units in A" in texts(page)


def test_which_way_is_better_turns_the_verdict(open_page):
    page = open_page("scorecard", FLIGHTS, source="counts", counts=COUNTS, direction="down")
    assert "loses on conversion" in sentence(page)


def test_a_split_that_is_not_as_planned_blocks_the_verdict(open_page):
    page = open_page("scorecard", FLIGHTS, source="counts", counts="A 378/3662\nB 462/2568", split="50:50")
    assert_fine(page)
    assert "No verdict" in sentence(page)
    assert tile(page, "Split").value == "Broken"
    assert "The split is broken" in texts(page)
    assert "better" not in texts(page)
    assert set(page.dataframe[0].value["Verdict"]) == {"split is broken"}


@pytest.mark.parametrize(
    "words,says",
    [
        ({"counts": "A 378/3662"}, "one arm alone"),
        ({"counts": "A 378/3662\nB many"}, 'line 2, "B many"'),
        ({"counts": "A 3662/378\nB 462/3568"}, "more conversions than visitors"),
        ({"counts": "A 1/2\nA 1/2"}, 'two arms are called "A"'),
        ({"counts": COUNTS, "alpha": "often"}, 'alpha: "often" is not a number'),
        ({"counts": COUNTS, "alpha": "5"}, "alpha must lie between 0 and 1"),
        ({"counts": COUNTS, "split": "1:1:1"}, "3 shares for 2 arms"),
        ({"counts": COUNTS, "split": "half"}, 'the split "half" is not understood'),
        ({"counts": "\n".join(f"{i} 1/2" for i in range(30))}, "at most 20"),
    ],
)
def test_wrong_input_is_one_line_and_can_be_mended(open_page, words, says):
    page = open_page("scorecard", FLIGHTS, source="counts", **words)
    assert_fine(page)
    assert "cannot be compared" in sentence(page)
    assert says in sentence(page)
    page.text_area(key="counts").set_value(COUNTS)
    page.text_input(key="alpha").set_value("0.05")
    page.text_input(key="split").set_value("").run()
    assert_fine(page)
    assert "B wins on conversion" in sentence(page)


def test_hostile_arms_are_text(open_page):
    arms = "<b>x</b> :red[y] 378/3662\n[link](http://evil) `z` 462/3568"
    page = open_page("scorecard", FLIGHTS, source="counts", counts=arms)
    assert_fine(page)
    raw = "\n".join(str(element.value) for element in (*page.markdown, *page.caption))
    assert "](http" not in raw
    assert ":red[y]" not in raw
    assert "[link](http://evil) `z` wins" in texts(page)


@pytest.mark.parametrize(
    "counts",
    ["A 0/0\nB 0/0", "A 0/10\nB 0/10", "A 10/10\nB 10/10", "A 1/1\nB 0/1", "A 0/0\nB 5/10", "A 0/50\nB 5/50"],
)
def test_nothing_to_compare_is_a_state_not_an_error(open_page, counts):
    page = open_page("scorecard", FLIGHTS, source="counts", counts=counts, split="1:1")
    assert_fine(page)
    assert len(page.metric) == 4


def test_an_example_can_be_filled_in(open_page):
    page = open_page("scorecard", FLIGHTS, source="means")
    page.button(key="example").click().run()
    assert_fine(page)
    assert "value" in sentence(page)


def test_typed_numbers_are_still_there_after_a_look_at_the_logs(open_page):
    page = open_page("scorecard", FLIGHTS, source="counts", counts=COUNTS)
    page.segmented_control(key="source").set_value("means").run()
    page.segmented_control(key="source").set_value("counts").run()
    assert page.text_area(key="counts").value == COUNTS


def test_an_experiment_of_the_logs(open_page, tmp_path):
    folder = shop(tmp_path / "shop")
    page = open_page("scorecard", folder)
    assert_fine(page)
    with closing(Workbench(folder)) as bench:
        card = bench.scorecard(name="new_shop")
    assert card.decision.sentence in sentence(page)
    assert "new wins on bought" in sentence(page)
    assert tile(page, "Split").value == "Fine"
    assert tile(page, "Units").value == "600"
    page.segmented_control(key="section").set_value("metric").run()
    assert_fine(page)
    assert "Whether the user bought anything" in texts(page)
    assert "purchase events of the shop" in texts(page)
    page.selectbox(key="metric").select("spent").run()
    assert_fine(page)
    assert "spent: " in texts(page).replace("**", "")


def test_exposures_that_were_lost_break_the_split(open_page, tmp_path):
    page = open_page("scorecard", shop(tmp_path / "shop", lost=120))
    assert_fine(page)
    assert "No verdict" in sentence(page)
    assert tile(page, "Split").value == "Broken"


def test_before_anybody_was_exposed_there_is_a_card(open_page, tmp_path):
    page = open_page("scorecard", shop(tmp_path / "shop"), as_of="2024-02-01")
    assert_fine(page)
    assert "Nobody was exposed yet" in texts(page)
    assert not page.metric
    assert not charts(page)


def test_tiles_are_about_the_arm_of_the_verdict(open_page):
    arms = "a 378/3662\nb 380/3600\nc 462/3568\nd 381/3555"
    page = open_page("scorecard", FLIGHTS, source="counts", counts=arms)
    assert "c wins on conversion" in sentence(page)
    assert tile(page, "Lift of conversion, c").value == "+25.4%"
    assert list(page.dataframe[0].value["Variant"]) == ["b", "c", "d"]


def test_as_of_knows_only_what_was_known(open_page, tmp_path):
    page = open_page("scorecard", shop(tmp_path / "shop"), as_of="2024-03-05")
    assert_fine(page)
    assert tile(page, "Units").value == "289"
    assert "As known on 2024-03-05" in texts(page)


def test_a_project_without_experiments_teaches_and_offers_typing(open_page, known_project):
    page = open_page("scorecard", known_project())
    assert_fine(page)
    assert "no experiment in this project" in sentence(page)
    assert "[experiments.new_ranker]" in texts(page)
    page.button(key="no_experiments_0").click().run()
    assert_fine(page)
    assert page.segmented_control(key="source").value == "counts"


def test_a_project_of_experiments_alone_needs_no_predictions(open_page, tmp_path):
    folder = shop(tmp_path / "shop")
    assert_fine(open_page("overview", folder))
    for name in ("quality", "drift", "segments", "examples", "telemetry", "plan"):
        assert_fine(open_page(name, folder))


def test_the_overview_has_a_line_an_experiment_that_leads_here(open_page, tmp_path):
    folder = shop(tmp_path / "shop")
    page = open_page("overview", folder)
    assert_fine(page)
    assert "new_shop · Ship: new wins on bought" in texts(page).replace("**", "")
    assert "No model is logged here" in texts(page)
    page.button(key="shop_scorecard_0").click().run()
    assert_fine(page)
    assert "wins on bought" in sentence(page)


@pytest.mark.parametrize("page_name", ["scorecard", "plan"])
def test_every_question_mark_opens_its_drawer(open_page, tmp_path, page_name):
    page = open_page(page_name, shop(tmp_path / "shop"))
    asked = [button.key for button in page.button if button.key and button.key.endswith("_explain")]
    assert len(asked) >= 2
    for key in asked:
        page.button(key=key).click().run()
        assert_fine(page)
        assert "How to read it" in texts(page), key
