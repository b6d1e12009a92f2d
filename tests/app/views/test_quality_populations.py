"""The sections Populations and Training to production of the Quality page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.quality.splits import SplitRow
from analytics.quality.unlike import UnlikeRow
from app.headlines.populations import splits_verdict, unlike_sentence
from app.locations import sample_logs
from tests.app.conftest import assert_fine, charts, texts

TASKS = ("binary", "multiclass", "regression")
DAY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", [{}, {"labels": "none"}, {"rows": 1}, {"reference": False}])
def test_every_task_has_its_gaps_or_says_why_not(open_page, known_project, task, case):
    page = open_page("quality", known_project(task=task, **case), range="all", section="populations")
    assert_fine(page)
    said = texts(page)
    assert "istakes" in said or "Only production" in said or "No segments" in said
    if not case:
        assert len(charts(page)) == 2


def test_without_splits_the_page_says_what_to_write(open_page, known_project):
    page = open_page("quality", known_project(), range="all", section="training")
    assert_fine(page)
    assert "Only production is logged" in texts(page)


def test_the_minutes_model_is_overfitted(open_page):
    page = open_page(
        "quality", sample_logs(), project="NYC flights: minutes late", range="all", section="training",
        version="mean-2013.03",
    )  # fmt: skip
    assert_fine(page)
    assert "shows overfitting" in texts(page)
    assert len(charts(page)) == 1


def split_row(split, value, gap=None, **more):
    words = {
        "compared_with": None, "gap_ci_low": None, "gap_ci_high": None, "p_value": None, "p_adjusted": None,
        "worse": None, "finding": None, **more,
    }  # fmt: skip
    return SplitRow(
        version=None, split=split, class_=None, metric="log_loss", value=value, ci_low=value, ci_high=value, n=100,
        n_labelled=100, gap=gap, independence="rows", status="ok", reason=None, **words,
    )  # fmt: skip


def test_sentences_of_splits():
    train = split_row("train", 0.4)
    worse = split_row(
        "test", 0.6, 0.2, compared_with="train", gap_ci_low=0.1, gap_ci_high=0.3, finding="overfitting"
    )
    assert splits_verdict([train, worse], "log_loss").sentence == (
        "Log loss shows overfitting: it is better on the rows it was fitted to (0.600 against 0.400)."
    )
    same = split_row("test", 0.41, 0.01, compared_with="train", gap_ci_low=-0.02, gap_ci_high=0.04)
    assert "no loss of log loss beyond chance" in splits_verdict([train, same], "log_loss").sentence
    assert splits_verdict([train], "log_loss").state == "unknown"


def unlike_row(**more):
    words = {
        "share": 0.3, "ci_low": 0.2, "ci_high": 0.4, "p_value": 0.001, "carried_by": "temp", "loss_inside": 0.5,
        "loss_outside": 0.8, "difference": 0.3, "difference_ci_low": 0.1, "difference_ci_high": 0.5, **more,
    }  # fmt: skip
    return UnlikeRow(
        window_start=DAY, window_end=DAY, version=None, reference_version=None, expected_share=0.05, n=900,
        n_sample=900, n_reference_sample=900, loss="log_loss", n_labelled_inside=600, n_labelled_outside=300,
        independence="blocks", status="ok", reason=None, **words,
    )  # fmt: skip


@pytest.mark.parametrize(
    "more, says",
    [
        ({}, "does worse there"),
        ({"difference_ci_low": -0.1}, "cannot be told"),
        ({"difference_ci_low": -0.3, "difference_ci_high": -0.1}, "does no worse there"),
        ({"p_value": 0.4}, "No more rows than usual"),
        ({"difference": None, "difference_ci_low": None}, "against 5% without change, mostly by temp."),
        ({"share": None}, "cannot be said"),
    ],
)  # fmt: skip
def test_sentences_of_rows_unlike_the_reference(more, says):
    assert says in unlike_sentence(unlike_row(**more))
