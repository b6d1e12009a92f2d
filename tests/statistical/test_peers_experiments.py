"""The comparison does without peers that are not installed, and Assay never contradicts itself in it."""

from __future__ import annotations

import sys

import pytest

from benchmarks.peers_experiments import KINDS, lines, measured

pytestmark = pytest.mark.statistical


def test_a_peer_that_is_not_there_is_left_out_with_a_word(capsys):
    assert measured("gbstats", None, 1) == []
    assert "name an interpreter that has it with --gbstats PYTHON" in capsys.readouterr().err
    assert measured("tea-tasting", "/no/such/python", 1) == []
    assert "tea-tasting is left out: /no/such/python cannot be run" in capsys.readouterr().err


def test_a_peer_that_does_not_import_is_left_out_with_its_error(capsys):
    assert measured("gbstats", sys.executable, 1) == []
    assert "gbstats is left out: ModuleNotFoundError" in capsys.readouterr().err


PUBLISHED = {
    "mean": (0.0795, 0.017692, 0.14131, 0.01171),
    "ratio": (0.016468, 0.001815, 0.031121, 0.027618),
    "mean, CUPED": (0.080434, 0.021497, 0.13937, 0.0074823),
    "ratio, CUPED": (0.016645, 0.0028388, 0.03045, 0.018135),
}
"""What tea-tasting 1.14 says of the same arrays: difference, its interval, p (docs/methods/experiments/peers.md)."""


def test_the_same_numbers_as_tea_tasting_and_no_contradiction():
    found = list(lines("assay", 300))
    told = {line["kind"]: line for line in found if line["table"] == "same data"}
    assert set(told) == set(KINDS)
    for kind, numbers in PUBLISHED.items():
        line = told[kind]
        assert (line["difference"], line["low"], line["high"], line["p_value"]) == pytest.approx(
            numbers, rel=1e-3
        )
    assert found[-1]["contradictions"] == 0.0
