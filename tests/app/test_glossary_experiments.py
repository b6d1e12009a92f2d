"""Words of experiments: whole sentences, and one for every figure, badge and verdict."""

from __future__ import annotations

import typing

import pytest

from analytics.experiments.rows import Badge, Call
from app import text
from app.charts import experiments
from app.charts.experiment_words import BADGE_SIGNS


@pytest.mark.parametrize("word", list(text.EXPERIMENTS))
def test_explanations_are_whole_sentences(word):
    explained = text.explain(word)
    assert explained is text.EXPERIMENTS[word], "another family has this word already"
    assert explained.title[0].isupper() or explained.title.startswith("p ")
    for part in (explained.definition, explained.reading, explained.caveat):
        assert part.rstrip(")")[-1] in ".!?"
        assert "  " not in part
    if explained.formula:
        assert explained.formula.count("{") == explained.formula.count("}")
        assert explained.formula.count(r"\left") == explained.formula.count(r"\right")


def test_every_figure_is_explained():
    figures = {name.removesuffix("_alt") for name in experiments.__all__ if name.endswith("_alt")}
    assert figures - {"split_bars"} <= set(text.EXPERIMENTS)
    assert "sample_ratio" in text.EXPERIMENTS  # what the bars of the split are read for


def test_every_badge_and_verdict_has_a_word_and_a_sign():
    assert set(BADGE_SIGNS) == set(typing.get_args(Badge))
    assert set(text.CALL_WORDS) == set(typing.get_args(Call))
    assert len(set(text.CALL_WORDS.values())) == len(text.CALL_WORDS)
    assert all(sign.startswith(":material/") for _, sign in text.CALL_WORDS.values())


def test_what_must_be_said_is_said():
    assert "looking every day" in text.explain("chance_to_beat").caveat
    assert "flat prior" in text.explain("chance_to_beat").caveat + text.explain("chance_to_beat").definition
    assert "one look" in text.explain("cumulative_effect").caveat
    assert all(word in text.explain("score_test").reading for word in ("Miettinen", "Koopman"))
